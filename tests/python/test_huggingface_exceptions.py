"""An exception reaches the program as the object that was raised, with the traceback that it has untraced, and in that one frame
more for each function that is wrapped. By whichever way a model is called or loaded."""

import asyncio
from importlib.metadata import version
from pathlib import Path

import pytest
import respan_instrumentation_huggingface as package
from respan_instrumentation_huggingface import HuggingFaceInstrumentor
from tiny_models import bert_pipeline

FOLDER = str(Path(package.__file__).parent)
NAME = "sshleifer/tiny-gpt2"
MESSAGES = [{"role": "user", "content": "Hello"}]
PIECE = 'data: {"choices": [{"index": 0, "delta": {"role": "assistant", "content": "a"}}], "created": 1, "id": "", "model": "m"}'


class BrokenError(Exception):
    pass


@pytest.fixture
def broken():
    return BrokenError("broken")


def raising(error):
    def fail(*_, **__):
        raise error

    return fail


@pytest.fixture
def failing_model(generator, broken):
    hook = generator.model.register_forward_pre_hook(raising(broken))
    yield generator
    hook.remove()


def source(error):
    yield "Hello"
    raise error


@pytest.fixture
def of_pipelines(failing_model):
    inputs = failing_model.tokenizer("Hello", return_tensors="pt")
    return {
        "a pipeline": lambda: failing_model("Hello"),
        "a pipeline with a batch": lambda: failing_model(["Hello", "there"], batch_size=2),
        "its iterator": lambda: list(failing_model(text for text in ["Hello"])),
        "generate": lambda: failing_model.model.generate(**inputs),
    }


@pytest.fixture
def of_others(generator, broken):
    classify = bert_pipeline("text-classification", "ForSequenceClassification")
    failing = bert_pipeline("text-classification", "ForSequenceClassification")
    failing.model.register_forward_pre_hook(raising(broken))
    return {
        "another task": lambda: failing("the cat"),
        "another task's iterator": lambda: list(failing(text for text in ["the cat"])),
        "a source of another task": lambda: list(classify(source(broken))),
        "a source of prompts": lambda: list(generator(source(broken), max_new_tokens=2)),
    }


@pytest.fixture
def of_loads(generator, broken, monkeypatch):
    import transformers
    from transformers.models.auto import tokenization_auto

    monkeypatch.setattr(transformers.AutoConfig, "from_pretrained", raising(broken))
    monkeypatch.setattr(transformers.GPT2Config, "from_pretrained", raising(broken))
    monkeypatch.setattr(tokenization_auto, "get_tokenizer_config", raising(broken))
    return {
        "a model": lambda: transformers.AutoModelForCausalLM.from_pretrained(NAME),
        "a model by its class": lambda: transformers.GPT2LMHeadModel.from_pretrained(NAME),
        "a tokenizer": lambda: transformers.AutoTokenizer.from_pretrained(NAME),
        "a pipeline": lambda: transformers.pipeline("text-generation", model=NAME),
    }


@pytest.fixture
def of_inference(broken, monkeypatch):
    from huggingface_hub import InferenceClient

    client = InferenceClient(base_url="http://127.0.0.1:9/v1", api_key="test")

    def post(self, *_, stream=False, **__):
        if not stream:
            raise broken
        return pieces()

    def pieces():
        yield PIECE if version("huggingface_hub") >= "1" else PIECE.encode()
        raise broken

    monkeypatch.setattr(InferenceClient, "_inner_post", post)
    return {
        "a chat": lambda: client.chat_completion(MESSAGES),
        "a chat in OpenAI's way": lambda: client.chat.completions.create(messages=MESSAGES),
        "a stream": lambda: list(client.chat_completion(MESSAGES, stream=True)),
        "text": lambda: client.text_generation("Hello"),
        "embeddings": lambda: client.feature_extraction("Hello"),
    }


@pytest.fixture
def of_async_inference(broken, monkeypatch):
    if version("huggingface_hub") < "1":
        pytest.skip("its asynchronous client needs aiohttp")
    from huggingface_hub import AsyncInferenceClient

    client = AsyncInferenceClient(base_url="http://127.0.0.1:9/v1", api_key="test")

    async def post(self, *_, stream=False, **__):
        if not stream:
            raise broken
        return pieces()

    async def pieces():
        yield PIECE
        raise broken

    async def read():
        return [piece async for piece in await client.chat_completion(MESSAGES, stream=True)]

    monkeypatch.setattr(AsyncInferenceClient, "_inner_post", post)
    return {
        "a chat": lambda: asyncio.run(client.chat_completion(MESSAGES)),
        "a stream": lambda: asyncio.run(read()),
        "text": lambda: asyncio.run(client.text_generation("Hello")),
    }


def caught(call, error):
    """The frames of its traceback."""
    error.with_traceback(None)
    with pytest.raises(BrokenError) as info:
        call()
    assert info.value is error and error.__context__ is None and error.__cause__ is None
    frames, traceback = [], error.__traceback__
    while traceback is not None:
        frames.append((traceback.tb_frame, traceback.tb_lineno))
        traceback = traceback.tb_next
    return frames


def places(frames):
    return [(frame.f_code, line) for frame, line in frames if not frame.f_code.co_filename.startswith(FOLDER)]


def check_ours(frames):
    """-> how many frames of ours there are, each of which is right above what it stands for."""
    ours = 0
    for (frame, _), (below, _) in zip(frames, frames[1:], strict=False):
        if frame.f_code.co_filename.startswith(FOLDER):
            ours += 1
            if frame.f_code.co_name == "wrapper":
                assert below.f_code is frame.f_locals["original"].__code__
            else:  # a stream's
                assert frame.f_code.co_name in ("_follow", "_follow_async")
                assert not below.f_code.co_filename.startswith(FOLDER)
    assert not frames[-1][0].f_code.co_filename.startswith(FOLDER)
    return ours


@pytest.mark.parametrize("kind", ["pipelines", "others", "loads", "inference", "async_inference"])
def test_the_same_object_and_traceback(server, tracing, request, broken, kind):
    calls = request.getfixturevalue(f"of_{kind}")
    untraced = {name: places(caught(call, broken)) for name, call in calls.items()}
    failures = []
    respan = tracing(instrumentations=[HuggingFaceInstrumentor(exception_logger=failures.append)])
    for name, call in calls.items():
        traced = caught(call, broken)
        assert places(traced) == untraced[name], name
        assert check_ours(traced) > 0, name
    assert failures == [] and respan.flush()
    assert len(server.spans) == len(calls) and all(span.status == 2 for span in server.spans)
