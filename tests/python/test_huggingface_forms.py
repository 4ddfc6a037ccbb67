"""Every form of a text-generation call: batches, sequences, chats with tools and images, parameters and who set them."""

import base64
import json
import threading

import pytest
from model_calls import completions, native, parameters, prompts, since_5, user
from respan import tool, workflow
from respan_instrumentation_huggingface import HuggingFaceInstrumentor

MODEL = "sshleifer/tiny-gpt2"
PROMPT = "Tracing Hugging Face pipelines helps"


def test_the_model_is_told(calls, generator):
    generator(PROMPT, max_new_tokens=1)
    [span] = calls()
    assert span.attributes["respan.model.dtype"] == "float32" and span.attributes["respan.model.device"] == "cpu"


def test_a_batch_of_several_sequences_each(calls, generator):
    texts = ["Hello", "The quick brown fox", "Tracing"]
    options = {"max_new_tokens": 3, "num_return_sequences": 2, "num_beams": 2, "batch_size": 2}
    result = generator(texts, **options)
    assert result == native(generator, texts, **options)
    [span] = calls()
    assert prompts(span, "content", "prompt_index") == [(text, n) for n, text in enumerate(texts)]
    assert completions(span, "content", "prompt_index") == [
        (record["generated_text"], n) for n, records in enumerate(result) for record in records
    ]
    assert len(completions(span, "finish_reason")) == 6 and None not in completions(span, "finish_reason")
    assert span.attributes["respan.batch.size"] == 3
    assert {"choice.count": 2, "num_beams": 2, "batch_size": 2}.items() <= parameters(span).items()


def test_several_sequences_of_one_prompt_need_no_index(calls, generator):
    options = {"max_new_tokens": 3, "num_return_sequences": 2, "num_beams": 2}
    result = generator(PROMPT, **options)
    [span] = calls()
    assert completions(span, "content", "prompt_index") == [(record["generated_text"], None) for record in result]
    assert "respan.batch.size" not in span.attributes


def test_a_list_of_one(calls, generator):
    result = generator([PROMPT], max_new_tokens=2)
    assert result == native(generator, [PROMPT], max_new_tokens=2)
    [span] = calls()
    assert prompts(span) == [PROMPT] and completions(span) == [result[0][0]["generated_text"]]


def test_the_new_text_alone(calls, generator):
    result = generator(PROMPT, max_new_tokens=4, return_full_text=False)
    [span] = calls()
    assert completions(span) == [result[0]["generated_text"]] and not result[0]["generated_text"].startswith(PROMPT)
    assert parameters(span)["return_full_text"] is False


def test_token_ids_are_recorded_as_their_text(calls, generator):
    result = generator([PROMPT, "Hello"], max_new_tokens=4, return_tensors=True)
    assert result == native(generator, [PROMPT, "Hello"], max_new_tokens=4, return_tensors=True)
    assert set(result[0][0]) == {"generated_token_ids"}
    [span] = calls()
    decode = generator.tokenizer.decode
    assert completions(span) == [
        decode(records[0]["generated_token_ids"], skip_special_tokens=True) for records in result
    ]


def test_an_empty_prompt(calls, generator):
    result = generator("", max_new_tokens=3)
    [span] = calls()
    assert prompts(span) == [""] and completions(span) == [result[0]["generated_text"]]


def test_a_list_of_chats(calls, chatty):
    chats = [[user("One?"), {"role": "assistant", "content": "1"}, user("Two?")], [user("Three?")]]
    options = {"max_new_tokens": 3, "num_return_sequences": 2, "num_beams": 2}
    result = chatty(chats, **options)
    assert result == native(chatty, chats, **options)
    [span] = calls()
    assert span.name == f"chat {MODEL}"
    assert prompts(span, "role", "content", "prompt_index") == [
        ("user", "One?", 0),
        ("assistant", "1", 0),
        ("user", "Two?", 0),
        ("user", "Three?", 1),
    ]
    assert completions(span, "role", "content", "prompt_index") == [
        ("assistant", record["generated_text"][-1]["content"], n)
        for n, records in enumerate(result)
        for record in records
    ]


@since_5
def test_a_chat_whose_last_message_is_continued(calls, chatty):
    chat = [user("Say hello"), {"role": "assistant", "content": "Hel"}]
    result = chatty(chat, max_new_tokens=3)
    [span] = calls()
    assert completions(span) == [result[0]["generated_text"][-1]["content"]] and completions(span)[0].startswith("Hel")


@since_5
def test_a_generator_of_messages_is_one_chat(calls, chatty):
    chat = [user("Hello"), {"role": "assistant", "content": "Hi"}, user("Bye")]
    result = chatty((message for message in chat), max_new_tokens=2)
    assert result == native(chatty, chat, max_new_tokens=2)
    [span] = calls()
    assert span.name == f"chat {MODEL}" and span.attributes["respan.entity.log_type"] == "chat"
    assert prompts(span, "role", "content") == [(m["role"], m["content"]) for m in chat]
    assert completions(span) == [result[0]["generated_text"][-1]["content"]]


def get_weather(city: str, days: int = 1):
    """
    The weather of a city.

    Args:
        city: Where.
        days: For how long.
    """


TOOL = {
    "type": "function",
    "function": {
        "name": "get_time",
        "description": "The time of day.",
        "parameters": {"type": "object", "properties": {"zone": {"type": "string"}}},
    },
}


@since_5
def test_tools_and_their_calls(calls, chatty):
    chat = [
        {"role": "system", "content": "You have tools."},
        user("Weather in Bern?"),
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [
                {"type": "function", "id": "c1", "function": {"name": "get_weather", "arguments": {"city": "Bern"}}},
                {"type": "function", "id": "c2", "function": {"name": "get_time", "arguments": '{"zone": "CET"}'}},
            ],
        },
        {"role": "tool", "name": "get_weather", "tool_call_id": "c1", "content": "Rain"},
    ]
    result = chatty(chat, tools=[get_weather, TOOL], max_new_tokens=2)
    assert result == native(chatty, chat, tools=[get_weather, TOOL], max_new_tokens=2)
    [span] = calls()
    told = span.attributes
    assert prompts(span, "role") == ["system", "user", "assistant", "tool"]
    assert told["llm.request.functions.0.name"] == "get_weather"
    assert told["llm.request.functions.0.description"] == "The weather of a city."
    assert '"city"' in told["llm.request.functions.0.parameters"]
    assert told["llm.request.functions.1.description"] == "The time of day."
    call = "gen_ai.prompt.2.tool_calls."
    assert (told[call + "0.id"], told[call + "0.name"]) == ("c1", "get_weather")
    assert told[call + "0.arguments"] == '{"city":"Bern"}' and told[call + "1.arguments"] == '{"zone": "CET"}'
    assert told["gen_ai.prompt.3.name"] == "get_weather" and told["gen_ai.prompt.3.tool_call_id"] == "c1"


@since_5
def test_a_decorated_function_as_a_tool(calls, chatty):
    decorated = tool(name="weather")(get_weather)
    chat = [user("Weather in Bern?")]
    result = chatty(chat, tools=[decorated], max_new_tokens=2)
    assert result == native(chatty, chat, tools=[get_weather], max_new_tokens=2)
    [span] = calls()
    assert span.attributes["llm.request.functions.0.name"] == "get_weather"
    assert span.attributes["llm.request.functions.0.description"] == "The weather of a city."


@since_5
def test_a_reply_that_calls_a_tool(calls, chatty, monkeypatch):
    reply = {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"type": "function", "function": {"name": "get_time", "arguments": {"zone": "CET"}}}],
    }
    tokenizer = type(chatty.tokenizer)
    monkeypatch.setattr(chatty.tokenizer, "response_template", {"what": "it takes"}, raising=False)
    monkeypatch.setattr(tokenizer, "parse_response", lambda *args, **kwargs: reply)  # a model's own dialect
    result = chatty([user("Time?")], tools=[TOOL], max_new_tokens=2)
    assert result[0]["generated_text"][-1] is reply
    [span] = calls()
    assert completions(span, "role", "tool_calls.0.name", "tool_calls.0.arguments") == [
        ("assistant", "get_time", '{"zone":"CET"}')
    ]


@since_5
def test_tools_stay_out_with_the_content(server, tracing, chatty, monkeypatch):
    monkeypatch.setenv("RESPAN_TRACE_CONTENT", "false")
    respan = tracing(instrumentations=[HuggingFaceInstrumentor()])
    chatty([[user("Weather?")], [user("Time?")]], tools=[get_weather], max_new_tokens=2)
    assert respan.flush()
    [span] = server.spans
    assert not [key for key in span.attributes if "functions" in key or "prompt_index" in key]
    assert span.attributes["respan.batch.size"] == 2 and completions(span, "finish_reason") == ["length", "length"]


class Picture:
    """What PIL's images are to us."""

    size = (640, 480)
    mode = "RGB"
    format = "PNG"

    def __deepcopy__(self, memo):
        return self


def test_images_are_described_and_not_stored(calls, chatty, server):
    import torch

    secret = base64.b64encode(b"an image's own bytes" * 3).decode()
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image", "image": Picture()},
        {"type": "image", "url": "https://example.test/cat.png"},
        {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{secret}"}},
        {"type": "image", "image": torch.zeros(3, 4, 5)},
        {"type": "image", "base64": secret * 100},
    ]
    result = chatty([{"role": "user", "content": parts}], max_new_tokens=2)
    assert result[0]["generated_text"][0]["content"] is parts
    [span] = calls()
    assert json.loads(span.attributes["gen_ai.prompt.0.content"]) == [
        {"type": "text", "text": "What is this?"},
        {"type": "image", "width": 640, "height": 480, "mode": "RGB", "format": "PNG"},
        {"type": "image", "url": "https://example.test/cat.png"},
        {"type": "image", "media_type": "image/jpeg", "bytes": 60},
        {"type": "image", "shape": [3, 4, 5], "dtype": "float32"},
        {"type": "image", "bytes": 6000},
    ]
    assert not any(secret.encode() in body for body in server.bodies)


def test_which_parameters_the_user_set(calls, generator):
    from transformers import GenerationConfig, pipeline

    other = pipeline("text-generation", model=generator.model, tokenizer=generator.tokenizer, top_k=7, do_sample=True)
    other(PROMPT, max_new_tokens=2, temperature=0.9, stop_sequence="END")
    other(PROMPT, generation_config=GenerationConfig(max_length=50, repetition_penalty=1.2), do_sample=False)
    other(PROMPT, min_new_tokens=1)
    first, second, third = calls()
    told = first.attributes["respan.request.set_parameters"]
    merged = (
        {"do_sample"} if hasattr(other, "generation_config") and "do_sample" not in told else set()
    )  # it is the default
    assert {*told, *merged} == {"do_sample", "max_new_tokens", "max_tokens", "stop_sequences", "temperature", "top_k"}
    assert parameters(first)["stop_sequences"] == ["END"]
    # since 4.52 the call's config stands in for what the pipeline was made with
    made_with = {"top_k"} - {name for name, value in parameters(second).items() if value == 7}
    told = second.attributes["respan.request.set_parameters"]
    assert {*told, *made_with} == {"do_sample", "max_length", "max_tokens", "repetition_penalty", "top_k"}
    assert {*third.attributes["respan.request.set_parameters"], *merged} == {"do_sample", "min_new_tokens", "top_k"}
    if hasattr(other, "_generation_defaults"):
        assert made_with == {"top_k"}
        assert (
            parameters(third)["max_new_tokens"] == 256 and parameters(third)["temperature"] == 0.7
        )  # the pipeline's own


def test_parameters_of_the_model(calls, generator, monkeypatch):
    from transformers import pipeline

    monkeypatch.setattr(generator.model.generation_config, "repetition_penalty", 1.3)
    monkeypatch.setattr(generator.model.generation_config, "max_new_tokens", 3)
    other = pipeline("text-generation", model=generator.model, tokenizer=generator.tokenizer, top_k=9)
    other(PROMPT)
    span = calls()[-1]
    limit = (
        getattr(getattr(other, "generation_config", None), "max_new_tokens", None) or 3
    )  # 4.5x: the pipeline's own wins
    assert parameters(span)["repetition_penalty"] == 1.3 and parameters(span)["max_new_tokens"] == limit
    assert span.attributes["respan.request.set_parameters"] == ["top_k"]


def test_calls_that_ask_alike_are_told_alike_until_something_changes(calls, generator):
    """What a call asks for is worked out once for several; whatever it comes from may change between two."""
    from transformers import pipeline

    model = generator.model
    config, name = model.generation_config, model.config._name_or_path
    other = pipeline("text-generation", model=model, tokenizer=generator.tokenizer, top_k=7, do_sample=False)
    other.tokenizer.pad_token_id = other.tokenizer.eos_token_id
    made_with = getattr(other, "_generate_kwargs", None) or other._forward_params  # transformers 5; 4
    changes = (  # each after a call that asks as the one before; then what the next one tells
        (lambda: None, {"top_k": 7, "max_new_tokens": 2, "do_sample": False}),
        (lambda: setattr(config, "repetition_penalty", 1.5), {"repetition_penalty": 1.5}),
        (lambda: made_with.update(top_k=5), {"top_k": 5}),
        (lambda: setattr(other, "_batch_size", 2), {"batch_size": 2}),
        (lambda: config.__dict__.update(num_beams=2), {"num_beams": 2}),
        (lambda: setattr(model.config, "_name_or_path", "renamed"), {"model": "renamed"}),
    )
    try:
        for change, _ in changes:
            change()
            for _ in range(2):
                other(PROMPT, max_new_tokens=2)
        other(PROMPT, max_new_tokens=2, do_sample=True)
        other(PROMPT, max_new_tokens=2, do_sample=1)
        other(PROMPT, max_new_tokens=2)
    finally:
        model.config._name_or_path = name
        config.repetition_penalty, config.num_beams = 1.0, 1
    *alike, sampled, by_number, last = calls()
    for at, (_, told) in enumerate(changes):
        for span in alike[2 * at : 2 * at + 2]:
            given = {**parameters(span), "model": span.attributes["gen_ai.request.model"]}
            assert {name: given.get(name) for name in told} == told
    assert parameters(sampled)["do_sample"] is True and parameters(last)["do_sample"] is False
    assert parameters(by_number)["do_sample"] == 1 and parameters(by_number)["do_sample"] is not True


def test_what_is_known_of_a_pipeline_does_not_keep_its_model(calls, generator):
    import gc
    import weakref

    from transformers import AutoModelForCausalLM, pipeline

    model = AutoModelForCausalLM.from_pretrained(MODEL)
    other = pipeline("text-generation", model=model, tokenizer=generator.tokenizer)
    for _ in range(2):
        other(PROMPT, max_new_tokens=1)
    known = weakref.ref(model)
    other.model = None
    del model
    gc.collect()
    assert known() is None and len(calls()) >= 2


def test_a_text_among_the_options_is_no_parameter(calls, generator):
    generator(PROMPT, max_new_tokens=2, prefix="a secret ", handle_long_generation="hole", truncation="longest_first")
    [span] = calls()
    assert not {"prefix", "handle_long_generation", "truncation"} & set(parameters(span))


def test_an_assistant_model(calls, generator):
    generator(PROMPT, max_new_tokens=6, assistant_model=generator.model)
    [span] = calls()
    assert parameters(span)["assistant_model"] == MODEL
    assert "assistant_model" in span.attributes["respan.request.set_parameters"]


def test_a_streamed_call_stays_in_its_workflow(server, calls, generator):
    from transformers import TextIteratorStreamer

    streamer = TextIteratorStreamer(generator.tokenizer, skip_prompt=True)
    results = []

    @workflow(name="streaming")
    def run():
        options = {"streamer": streamer, "max_new_tokens": 5}
        thread = threading.Thread(target=lambda: results.append(generator(PROMPT, **options)))
        thread.start()
        text = "".join(streamer)
        thread.join()
        return text

    text = run()
    [span] = calls()
    assert span.parent_id == server.span("streaming.workflow").span_id
    assert span.attributes["gen_ai.is_streaming"] is True
    assert "stream" in span.attributes["respan.request.set_parameters"]
    assert completions(span) == [results[0][0]["generated_text"]] and results[0][0]["generated_text"].endswith(text)


def test_a_failure_keeps_what_was_asked(calls, generator, monkeypatch):
    error = RuntimeError("out of memory")

    def fail(**_):
        raise error

    monkeypatch.setattr(generator.model, "generate", fail)
    with pytest.raises(RuntimeError) as caught:
        generator(["one", "two"], max_new_tokens=2)
    assert caught.value is error
    [span] = calls()
    assert span.status == 2 and prompts(span) == ["one", "two"] and completions(span) == []
    assert span.attributes["respan.batch.size"] == 2


def test_a_thousand_prompts_are_recorded_and_all_are_counted(calls, generator, monkeypatch):
    monkeypatch.setattr(type(generator), "run_single", lambda *args: [{"generated_text": "x"}])
    monkeypatch.setattr(
        type(generator), "get_iterator", lambda self, inputs, *_: iter([[{"generated_text": "x"}]] * len(inputs))
    )
    assert len(generator(["a"] * 1005)) == 1005
    [span] = calls()
    assert len(prompts(span)) == len(completions(span)) == 1000 and span.attributes["respan.batch.size"] == 1005


@pytest.mark.parametrize("full", [True, False])
def test_long_content_is_cut_between_characters(server, tracing, generator, full):
    respan = tracing(instrumentations=[HuggingFaceInstrumentor()], max_content_bytes=None if full else 12)
    text = "Grüße, größer"  # a two-byte character crosses the twelfth byte
    assert text.encode()[:12].decode(errors="ignore").encode() != text.encode()[:12]
    result = generator(text, max_new_tokens=2)
    assert result[0]["generated_text"].startswith(text)
    assert respan.flush()
    [span] = server.spans
    told = span.attributes
    if full:
        assert prompts(span) == [text] and not [key for key in told if key.endswith(".full_length")]
    else:
        assert prompts(span) == [text.encode()[:12].decode(errors="ignore")]
        assert told["gen_ai.prompt.0.content.full_length"] == len(text.encode())
        assert told["gen_ai.completion.0.content.full_length"] == len(result[0]["generated_text"].encode())
