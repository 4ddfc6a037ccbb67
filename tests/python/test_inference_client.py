"""huggingface_hub's InferenceClient and AsyncInferenceClient, against a server that speaks the same HTTP."""

import asyncio
import gc
import inspect
import json
import types

import pytest
from inference_server import TOOL_CALL, USAGE, InferenceServer, chat_piece, chat_reply
from respan_instrumentation_huggingface import HuggingFaceInstrumentor

MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Weather?"}]


@pytest.fixture
def inference(monkeypatch):
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)  # it keeps from this machine's servers too
    server = InferenceServer()
    yield server
    server.close()


@pytest.fixture
def spans(server, tracing, inference):
    """spans(): flushes, gives those that were made."""
    failures = []
    respan = tracing(instrumentations=[HuggingFaceInstrumentor(exception_logger=failures.append)])

    def made():
        assert failures == []
        assert respan.flush()
        return server.spans

    return made


@pytest.fixture
def client(spans, inference):
    from huggingface_hub import InferenceClient

    return InferenceClient(base_url=inference.url + "/v1", api_key="test")


@pytest.fixture
def tgi(spans, inference):
    from huggingface_hub import InferenceClient

    return InferenceClient(model=inference.url)


@pytest.fixture
def async_client(spans, inference):
    from huggingface_hub import AsyncInferenceClient

    return AsyncInferenceClient(base_url=inference.url + "/v1", api_key="test")


def stream_of(*texts, usage=True):
    pieces = [chat_piece({"content": text}) for text in texts]
    pieces.append(chat_piece({"content": ""}, "stop"))
    if usage:
        pieces.append({**chat_piece({}), "choices": [], "usage": USAGE})
    return [*pieces, "[DONE]"]


def test_chat(client, inference, spans):
    inference.will(chat_reply())
    reply = client.chat_completion(MESSAGES, model="asked/model", max_tokens=9, temperature=0.5, seed=1, stop=["x"])
    assert reply.choices[0].message.content == "It rains." and type(reply).__name__ == "ChatCompletionOutput"
    [span] = spans()
    assert (span.name, span.kind, span.status) == ("chat asked/model", 3, 1)
    expected = {
        "respan.entity.log_type": "chat",
        "llm.request.type": "chat",
        "gen_ai.operation.name": "chat",
        "gen_ai.system": "huggingface",
        "gen_ai.request.model": "asked/model",
        "gen_ai.response.model": "served/model-1",
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.request.max_tokens": 9,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.seed": 1,
        "gen_ai.request.stop_sequences": ["x"],
        "gen_ai.prompt.0.role": "system",
        "gen_ai.prompt.0.content": "Be brief.",
        "gen_ai.prompt.1.role": "user",
        "gen_ai.prompt.1.content": "Weather?",
        "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.content": "It rains.",
        "gen_ai.completion.0.finish_reason": "stop",
        "gen_ai.usage.input_tokens": 7,
        "gen_ai.usage.output_tokens": 3,
        "gen_ai.usage.prompt_tokens": 7,
        "gen_ai.usage.completion_tokens": 3,
        "llm.usage.total_tokens": 10,
        "respan.usage.source": "reported",
        "server.address": "127.0.0.1",
        "server.port": inference.port,
    }
    assert {key: span.attributes.get(key) for key in expected} == expected


def test_openais_way_of_asking_is_the_same_call(client, inference, spans):
    inference.will(chat_reply())
    client.chat.completions.create(MESSAGES, model="m")
    assert [span.name for span in spans()] == ["chat m"]


def test_tools(client, inference, spans):
    inference.will(chat_reply(None, tool_calls=[TOOL_CALL]))
    asked = {"role": "assistant", "tool_calls": [TOOL_CALL]}
    told = {"role": "tool", "tool_call_id": "call_1", "content": "rain"}
    tool = {"type": "function", "function": {"name": "weather", "description": "Says it.", "parameters": {"a": 1}}}
    client.chat_completion([*MESSAGES, asked, told], model="m", tools=[tool], tool_choice="auto", n=1)
    [span] = spans()
    expected = {
        "gen_ai.prompt.2.tool_calls.0.id": "call_1",
        "gen_ai.prompt.2.tool_calls.0.name": "weather",
        "gen_ai.prompt.3.tool_call_id": "call_1",
        "gen_ai.completion.0.tool_calls.0.name": "weather",
        "gen_ai.completion.0.tool_calls.0.arguments": '{"city": "Bern"}',
        "llm.request.functions.0.name": "weather",
        "llm.request.functions.0.description": "Says it.",
        "llm.request.functions.0.parameters": '{"a":1}',
        "gen_ai.request.tool_choice": "auto",
        "gen_ai.request.choice.count": 1,
    }
    assert {key: span.attributes.get(key) for key in expected} == expected


def test_a_picture_is_described(client, inference, spans):
    inference.will(chat_reply())
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 4000}}
    client.chat_completion([{"role": "user", "content": [{"type": "text", "text": "What?"}, picture]}], model="m")
    [span] = spans()
    content = span.attributes["gen_ai.prompt.0.content"]
    assert '"What?"' in content and "image/png" in content and "AAAA" not in content


def test_a_stream(client, inference, spans):
    inference.will(stream_of("It ", "rains", "."))
    stream = client.chat_completion(MESSAGES, model="m", stream=True)
    assert isinstance(stream, types.GeneratorType) and stream.__name__ == "_stream_chat_completion_response"
    assert "".join(piece.choices[0].delta.content or "" for piece in stream if piece.choices) == "It rains."
    [span] = spans()
    assert span.status == 1
    expected = {
        "gen_ai.is_streaming": True,
        "gen_ai.response.model": "served/model-1",
        "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.content": "It rains.",
        "gen_ai.completion.0.finish_reason": "stop",
        "gen_ai.usage.output_tokens": 3,
        "respan.usage.source": "reported",
    }
    assert {key: span.attributes.get(key) for key in expected} == expected
    seconds = (span.end - span.start) / 1e9
    first, gaps = (span.attributes[f"respan.generation.{name}"] for name in ("time_to_first_token", "token_gaps"))
    assert len(gaps) == 2 and 0 < first < first + sum(gaps) <= seconds + 1e-5
    assert span.attributes["respan.generation.tokens_per_second"] > 0


def test_tool_calls_of_a_stream_are_put_together(client, inference, spans):
    first = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"ci'}}
    second = {"index": 0, "function": {"arguments": 'ty": "Bern"}'}}
    pieces = [chat_piece({"tool_calls": [call]}) for call in (first, second)]
    inference.will([*pieces, chat_piece({}, "tool_calls"), "[DONE]"])
    list(client.chat_completion(MESSAGES, model="m", stream=True))
    [span] = spans()
    assert span.attributes["gen_ai.completion.0.tool_calls.0.arguments"] == '{"city": "Bern"}'
    assert span.attributes["gen_ai.completion.0.tool_calls.0.name"] == "weather"
    assert span.attributes["gen_ai.completion.0.finish_reason"] == "tool_calls"


def test_a_stream_that_is_closed(client, inference, spans):
    inference.will(stream_of("It ", "rains", "."))
    stream = client.chat_completion(MESSAGES, model="m", stream=True)
    next(stream)
    assert spans() == []  # it is still open
    stream.close()
    [span] = spans()
    assert span.attributes["gen_ai.completion.0.content"] == "It " and span.status == 1
    assert span.attributes["respan.generation.closed_early"] is True
    with pytest.raises(StopIteration):
        next(stream)


@pytest.mark.parametrize("begun", [False, True])
def test_a_stream_that_is_forgotten(client, inference, spans, begun):
    inference.will(stream_of("It ", "rains", "."))
    stream = client.chat_completion(MESSAGES, model="m", stream=True)
    if begun:
        next(stream)
    del stream
    gc.collect()
    [span] = spans()
    assert span.attributes["gen_ai.is_streaming"] is True


def test_a_stream_that_fails(client, inference, spans):
    from huggingface_hub.errors import TextGenerationError

    inference.will([chat_piece({"content": "It "}), {"error": "out of memory", "error_type": "generation"}])
    stream = client.chat_completion(MESSAGES, model="m", stream=True)
    next(stream)
    with pytest.raises(TextGenerationError, match="out of memory"):
        next(stream)
    [span] = spans()
    assert (span.status, span.status_message) == (2, "out of memory")
    assert span.attributes["gen_ai.completion.0.content"] == "It "
    assert span.attributes["error.type"] == "GenerationError"


def test_what_a_program_throws_into_a_stream_comes_out_of_it(client, inference, spans):
    inference.will(stream_of("It ", "rains"))
    stream = client.chat_completion(MESSAGES, model="m", stream=True)
    next(stream)
    error = KeyError("mine")
    with pytest.raises(KeyError) as caught:
        stream.throw(error)
    assert caught.value is error
    assert [span.status for span in spans()] == [2]


def test_an_error_of_http(client, inference, spans):
    from huggingface_hub.errors import HfHubHTTPError

    inference.will({"error": "too many"}, status=429)
    with pytest.raises(HfHubHTTPError) as caught:
        client.chat_completion(MESSAGES, model="m")
    [span] = spans()
    assert span.status == 2 and span.status_message == str(caught.value)
    assert span.attributes["http.response.status_code"] == 429
    assert span.attributes["error.type"] == "HfHubHTTPError"


def test_nobody_there(spans):
    from huggingface_hub import InferenceClient

    with pytest.raises(Exception, match="onnect"):
        InferenceClient(base_url="http://127.0.0.1:9/v1", api_key="x").chat_completion(MESSAGES, model="m")
    assert [span.status for span in spans()] == [2]


def test_text_generation(tgi, inference, spans):
    inference.will({"generated_text": " in Bern"})
    assert tgi.text_generation("It rains", max_new_tokens=4, do_sample=False) == " in Bern"
    [span] = spans()
    assert span.name == f"text_completion {inference.url}"
    expected = {
        "respan.entity.log_type": "text",
        "gen_ai.prompt.0.content": "It rains",
        "gen_ai.completion.0.content": " in Bern",
        "gen_ai.request.max_tokens": 4,
        "gen_ai.request.do_sample": False,
        "respan.usage.source": None,
    }
    assert {key: span.attributes.get(key) for key in expected} == expected


DETAILS = {"finish_reason": "length", "generated_tokens": 2, "input_length": 3, "seed": 5}


def test_text_generation_with_details(tgi, inference, spans):
    inference.will({"generated_text": " in Bern", "details": {**DETAILS, "prefill": [], "tokens": []}})
    assert tgi.text_generation("It rains", details=True).generated_text == " in Bern"
    [span] = spans()
    assert span.attributes["gen_ai.completion.0.finish_reason"] == "length"
    assert span.attributes["gen_ai.usage.output_tokens"] == 2
    assert span.attributes["respan.usage.source"] == "reported"


@pytest.mark.parametrize("details", [False, True])
def test_text_generation_as_a_stream(tgi, inference, spans, details):
    tokens = [{"index": i, "token": {"id": i, "text": t, "special": False}} for i, t in enumerate((" in", " Bern"))]
    tokens[-1].update(generated_text=" in Bern", details=DETAILS)
    inference.will(tokens)
    pieces = list(tgi.text_generation("It rains", stream=True, details=details))
    assert [piece.token.text if details else piece for piece in pieces] == [" in", " Bern"]
    [span] = spans()
    assert span.attributes["gen_ai.completion.0.content"] == " in Bern"
    assert len(span.attributes["respan.generation.token_gaps"]) == 1
    if details:
        assert span.attributes["gen_ai.usage.input_tokens"] == 3
        assert span.attributes["gen_ai.completion.0.finish_reason"] == "length"


def test_a_method_that_calls_itself_has_one_span(tgi, inference, spans):
    """text_generation asks once more, without what the server does not know."""
    inference.will(
        {"error": "The following `model_kwargs` are not used by the model: ['return_full_text', 'watermark', 'stop']"},
        400,
    )
    inference.will({"generated_text": "x"})
    try:
        tgi.text_generation("It rains", return_full_text=False)
    finally:
        from huggingface_hub.inference import _common

        _common._UNSUPPORTED_TEXT_GENERATION_KWARGS.clear()
    assert len(inference.requests) == 2
    assert [span.name for span in spans()] == [f"text_completion {inference.url}"]


def test_embeddings(tgi, inference, spans):
    pytest.importorskip("numpy")
    inference.will(b"[[0.5, 0.25]]")
    assert tgi.feature_extraction("It rains").shape == (1, 2)
    [span] = spans()
    expected = {
        "respan.entity.log_type": "embedding",
        "llm.request.type": "embedding",
        "gen_ai.operation.name": "embeddings",
        "gen_ai.prompt.0.content": "It rains",
        "gen_ai.embeddings.dimension.count": 2,
    }
    assert {key: span.attributes.get(key) for key in expected} == expected


def test_other_tasks(tgi, inference, spans):
    inference.will(b'[[{"label": "good", "score": 0.75}]]')
    inference.will(b'{"text": "it rains"}')
    assert tgi.text_classification("It rains", top_k=1)[0].label == "good"
    assert tgi.automatic_speech_recognition(b"RIFF" * 100).text == "it rains"
    label, speech = spans()
    assert label.name == f"text_classification {inference.url}"
    assert label.attributes["gen_ai.completion.0.content"] == '[{"label":"good","score":0.75}]'
    assert label.attributes["gen_ai.request.top_k"] == 1
    assert speech.attributes["respan.entity.log_type"] == "transcription"
    assert "RIFF" not in speech.attributes["gen_ai.prompt.0.content"]
    assert "it rains" in speech.attributes["gen_ai.completion.0.content"]


def test_async(async_client, inference, spans):
    inference.will(chat_reply())
    inference.will(stream_of("It ", "rains", "."))
    inference.will(stream_of("It ", "rains", "."))

    async def run():
        reply = await async_client.chat.completions.create(MESSAGES, model="m")
        assert reply.choices[0].message.content == "It rains."
        stream = await async_client.chat_completion(MESSAGES, model="m", stream=True)
        assert inspect.isasyncgen(stream)
        assert len([piece async for piece in stream]) == 5
        stream = await async_client.chat_completion(MESSAGES, model="m", stream=True)
        await stream.__anext__()
        await stream.aclose()
        await async_client.close()

    asyncio.run(run())
    assert inspect.iscoroutinefunction(type(async_client).chat_completion)
    whole, streamed, closed = spans()
    assert whole.attributes["gen_ai.completion.0.content"] == "It rains."
    assert streamed.attributes["gen_ai.completion.0.content"] == "It rains."
    assert len(streamed.attributes["respan.generation.token_gaps"]) == 2
    assert closed.attributes["gen_ai.completion.0.content"] == "It "
    assert closed.attributes["respan.generation.closed_early"] is True


def test_async_errors(async_client, inference, spans):
    from huggingface_hub.errors import HfHubHTTPError

    inference.will({"error": "no"}, status=500)
    inference.will([0.5, *stream_of("late")])

    async def run():
        with pytest.raises(HfHubHTTPError):
            await async_client.chat_completion(MESSAGES, model="m")
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(slow(), 0.1)
        await async_client.close()

    async def slow():
        async for _ in await async_client.chat_completion(MESSAGES, model="m", stream=True):
            pass

    asyncio.run(run())
    failed, cancelled = spans()
    assert failed.attributes["http.response.status_code"] == 500
    assert cancelled.status == 2 and cancelled.attributes["error.type"] == "CancelledError"


def test_the_span_is_current_during_the_call_and_not_after(client, inference, spans):
    from respan import get_client

    inference.will(stream_of("It "))
    stream = client.chat_completion(MESSAGES, model="m", stream=True)
    assert get_client().get_current_span_id() is None
    list(stream)


def test_provider_and_router(spans):
    from huggingface_hub import InferenceClient
    from respan_instrumentation_huggingface._inference_content import asked

    given = {"model": "org/model:together", "messages": MESSAGES}
    assert asked("chat_completion", InferenceClient(), given)["gen_ai.provider.name"] == "together"
    client = InferenceClient("org/model", provider="hf-inference")
    expected = {"gen_ai.request.model": "org/model", "gen_ai.provider.name": "hf-inference"}
    assert asked("summarization", client, {"text": "x"}) == expected


def test_suppressed_calls_have_no_span(client, inference, spans, monkeypatch):
    context = types.SimpleNamespace(get_current=lambda: {"suppress_language_model_instrumentation": True})
    monkeypatch.setitem(__import__("sys").modules, "opentelemetry.context", context)
    inference.will(chat_reply())
    client.chat_completion(MESSAGES, model="m")
    assert spans() == []


def test_switched_off(client, inference, spans, server):
    from huggingface_hub import AsyncInferenceClient, InferenceClient
    from respan import shutdown

    shutdown(5)
    inference.will(chat_reply())
    client.chat_completion(MESSAGES, model="m")
    assert server.spans == []
    for kind in (InferenceClient, AsyncInferenceClient):
        assert not hasattr(kind.chat_completion, "__wrapped__")


def test_texts_among_the_parameters_stay_out(tgi, client, inference, spans):
    """Only those that choose among what there is are told: others may be content."""
    options = {"prompt": "a secret", "prefix": "another one", "do_sample": True, "early_stopping": "never"}
    inference.will(json.dumps([{"summary_text": "short"}]).encode())
    tgi.summarization("Long text", generate_parameters=options)
    chosen = {"type": "function", "function": {"name": "secret_function"}}
    tool = {"type": "function", "function": {"name": "secret_function", "description": "", "parameters": {}}}
    inference.will(chat_reply("Yes"))
    client.chat_completion(MESSAGES, model="m", tools=[tool], tool_choice=chosen)
    summary, chat = spans()
    assert summary.attributes["gen_ai.request.do_sample"] is True
    assert summary.attributes["gen_ai.request.early_stopping"] == "never"
    assert not {"gen_ai.request.prompt", "gen_ai.request.prefix"} & set(summary.attributes)
    assert chat.attributes["gen_ai.request.tool_choice"] == "function"
