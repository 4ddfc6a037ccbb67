"""What the server has of real pipelines' calls, in the shape that the page shows: batches, sequences, chats, tools."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".run" / "huggingface"
SCRIPT = """
from respan import Respan
from respan_instrumentation_huggingface import HuggingFaceInstrumentor
from transformers import pipeline

Respan(instrumentations=[HuggingFaceInstrumentor()])
generator = pipeline("text-generation", model="sshleifer/tiny-gpt2", do_sample=False)
generator.tokenizer.pad_token = generator.tokenizer.eos_token
generator.tokenizer.chat_template = (
    "{% for m in messages %}{{ m.role }}: {{ m.content if m.content is string else m.content[0].text }}\\n{% endfor %}"
)
texts = [f"Prompt number {n}" for n in range(8)]
generator(texts, max_new_tokens=4, batch_size=4)
generator(texts[:2], max_new_tokens=4, num_return_sequences=2, num_beams=2)
list(generator((text for text in texts[:3]), max_new_tokens=2))
user = {"role": "user", "content": "Weather in Bern?"}
call = {"type": "function", "id": "c1", "function": {"name": "get_weather", "arguments": {"city": "Bern"}}}
tool = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
picture = {"type": "image", "url": "https://example.test/cat.png"}
chat = [
    {"role": "system", "content": "You have tools."},
    user,
    {"role": "assistant", "content": "", "tool_calls": [call]},
    {"role": "tool", "name": "get_weather", "tool_call_id": "c1", "content": "Rain"},
    {"role": "user", "content": [{"type": "text", "text": "And what is this?"}, picture]},
]
generator(chat, tools=[tool], max_new_tokens=4)
generator([[user, {"role": "assistant", "content": "Rain"}, user], [user]], max_new_tokens=4)
"""


@pytest.fixture(scope="module")
def spans(server):
    """Of each call, in their order."""
    environment = {
        **server.environment,
        "RESPAN_API_KEY": server.key,
        "RESPAN_BASE_URL": server.base_url + "/api" * (not server.base_url.endswith("/api")),
        "HF_HOME": str(CACHE),
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    subprocess.run([sys.executable, ROOT / "tools" / "make_tiny_model.py", CACHE], check=True, env=os.environ)
    subprocess.run([sys.executable, "-c", SCRIPT], check=True, env=environment, timeout=180)
    found = server.request("GET", "/api/spans/list/?page_size=100").json["results"]
    found = [span for span in found if span["log_type"] in ("text", "chat")]
    whole = [server.request("GET", f"/api/spans/{span['span_unique_id']}/").json for span in found]
    return sorted(whole, key=lambda span: span["start_time"])


def exchanges(span):
    """What the page makes of it: the messages' texts and the completions' of each prompt."""
    by_index = {}
    for side in ("input", "output"):
        for message in span[side]:
            texts = by_index.setdefault(message["prompt_index"], {"input": [], "output": []})
            texts[side].append(message["content"])
    return [(texts["input"], texts["output"]) for _, texts in sorted(by_index.items())]


def test_a_batch_of_eight(spans):
    batch = spans[0]
    texts = [f"Prompt number {n}" for n in range(8)]
    assert batch["span_name"] == "text_completion sshleifer/tiny-gpt2" and batch["attributes"]["respan.batch.size"] == 8
    found = exchanges(batch)
    assert [prompt for prompt, _ in found] == [[text] for text in texts]
    assert all(
        len(answers) == 1 and answers[0].startswith(text) for (_, answers), text in zip(found, texts, strict=True)
    )
    assert batch["parameters"]["batch_size"] == 4
    assert set(batch["attributes"]["respan.request.set_parameters"]) <= set(batch["parameters"])


def test_sequences_of_a_batch(spans):
    found = exchanges(spans[1])
    assert [(len(prompt), len(answers)) for prompt, answers in found] == [(1, 2), (1, 2)]
    assert all(answer.startswith(prompt) for [prompt], answers in found for answer in answers)
    assert spans[1]["parameters"]["n"] == 2 and "n" in spans[1]["attributes"]["respan.request.set_parameters"]


def test_an_iterator(spans):
    assert [prompt for prompt, _ in exchanges(spans[2])] == [[f"Prompt number {n}"] for n in range(3)]


def test_a_chat_with_tools_and_a_picture(spans):
    chat = spans[3]
    system, question, answer, tool, last = chat["input"]
    assert [m["role"] for m in chat["input"]] == ["system", "user", "assistant", "tool", "user"]
    assert (system["content"], question["content"]) == ("You have tools.", "Weather in Bern?")
    assert answer["tool_calls"] == [{"id": "c1", "name": "get_weather", "arguments": '{"city":"Bern"}'}]
    assert (tool["content"], tool["name"], tool["tool_call_id"]) == ("Rain", "get_weather", "c1")
    assert last["content"][1] == {"type": "image", "url": "https://example.test/cat.png"}
    assert [m["role"] for m in chat["output"]] == ["assistant"] and chat["output"][0]["finish_reason"] == "length"
    assert chat["attributes"]["llm.request.functions.0.name"] == "get_weather"


def test_chats_of_a_batch(spans):
    assert [len(prompt) for prompt, _ in exchanges(spans[4])] == [3, 1]
    assert [len(answers) for _, answers in exchanges(spans[4])] == [1, 1]
