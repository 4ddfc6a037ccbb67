"""Where OpenTelemetry's context asks for no spans there are none, of whatever is called; and the calls give what they give."""

import asyncio
import sys
import types

import pytest
from respan_instrumentation_huggingface import HuggingFaceInstrumentor
from tiny_models import bert_pipeline

KEYS = ["suppress_instrumentation", "suppress_language_model_instrumentation", "a key of its own"]


@pytest.fixture(params=KEYS)
def suppressed(request, monkeypatch):
    """As OpenTelemetry's own module says it: `suppress_instrumentation()` of older versions has a key of its own."""
    module = types.ModuleType("opentelemetry.context")
    module._SUPPRESS_INSTRUMENTATION_KEY = KEYS[2]
    on = {request.param: True}
    module.get_current = lambda: on
    monkeypatch.setitem(sys.modules, "opentelemetry.context", module)
    return on


@pytest.fixture
def inference(monkeypatch):
    import huggingface_hub.constants
    from inference_server import InferenceServer

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    server = InferenceServer()
    yield server
    server.close()


def test_pipelines_generate_and_loads(server, tracing, generator, suppressed):
    import transformers

    classify = bert_pipeline("text-classification", "ForSequenceClassification")
    inputs = generator.tokenizer("Hello", return_tensors="pt")
    respan = tracing(instrumentations=[HuggingFaceInstrumentor()])
    name = "sshleifer/tiny-gpt2"

    def run():
        generator("Hello", max_new_tokens=2)
        list(generator((text for text in ["Hello"]), max_new_tokens=2))
        generator.model.generate(**inputs, max_new_tokens=2)
        classify("the cat")
        list(classify(text for text in ["the cat"]))
        transformers.AutoModelForCausalLM.from_pretrained(name)
        transformers.AutoTokenizer.from_pretrained(name)
        transformers.pipeline("text-generation", model=name)

    run()
    assert respan.flush() and server.spans == []
    suppressed.clear()
    run()
    assert respan.flush() and len(server.spans) == 8


def test_inference(server, tracing, inference, suppressed):
    import huggingface_hub

    if huggingface_hub.__version__.startswith("0."):
        pytest.importorskip("aiohttp")  # its asynchronous client is made of that
    from huggingface_hub import AsyncInferenceClient, InferenceClient
    from inference_server import chat_piece, chat_reply

    respan = tracing(instrumentations=[HuggingFaceInstrumentor()])
    pieces = [chat_piece({"content": "a"}), "[DONE]"]
    asked = {"messages": [{"role": "user", "content": "Hello"}], "model": "m"}
    client = InferenceClient(base_url=inference.url + "/v1", api_key="x")

    async def ask():
        patient = AsyncInferenceClient(base_url=inference.url + "/v1", api_key="x")
        inference.will(chat_reply("Hi"))
        answer = await patient.chat_completion(**asked)
        assert answer.choices[0].message.content == "Hi"
        inference.will(pieces)
        assert len([piece async for piece in await patient.chat_completion(stream=True, **asked)]) == 1
        await patient.close()

    def run():
        inference.will(chat_reply("Hi"))
        assert client.chat_completion(**asked).choices[0].message.content == "Hi"
        inference.will(pieces)
        assert len(list(client.chat_completion(stream=True, **asked))) == 1
        asyncio.run(ask())

    run()
    assert respan.flush() and server.spans == []
    suppressed.clear()
    run()
    assert respan.flush() and len(server.spans) == 4
