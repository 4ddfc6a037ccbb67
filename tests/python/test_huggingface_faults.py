"""Whatever of the package's own functions fails, the program gets what it would get untraced: each one that a call goes through is
made to raise, in turn."""

import contextvars
import functools
import gc
import sys
import types
from pathlib import Path

import pytest
import respan_instrumentation_huggingface as package
from respan_instrumentation_huggingface import HuggingFaceInstrumentor
from tiny_models import bert_pipeline

FOLDER = str(Path(package.__file__).parent)
# The net itself, in which the others fall; and streams' generators, which hand on what the library's own yields.
NET = {"wrapper", "_start", "_returned", "quietly", "report", "_follow", "_follow_async", "__del__"}


Fault = ZeroDivisionError


def raises(*_, **__):
    return 1 / 0  # it knows no names but those of the function whose code it stands in for


def functions_within(call):
    """The package's functions that a call goes through, by their code."""
    codes = set()

    def see(frame, event, _):
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(FOLDER) and not code.co_name.startswith("<"):
            codes.add(code)

    sys.setprofile(see)
    try:
        call()
    finally:
        sys.setprofile(None)
    names = {code.co_name for code in codes}
    found = {each for each in gc.get_objects() if type(each) is types.FunctionType and each.__code__ in codes}
    assert len({each.__code__ for each in found}) == len(codes), names
    # what has variables of a function around it is a part of that
    return sorted(
        (each for each in found if each.__name__ not in NET and not each.__code__.co_freevars),
        key=lambda each: (each.__module__, each.__qualname__),
    )


def shown(result):
    """What can be compared of it."""
    if hasattr(result, "tolist"):
        return result.tolist()
    if isinstance(result, (str, int, float, type(None))):
        return result
    if isinstance(result, dict):
        return {key: shown(value) for key, value in result.items()}
    return [shown(one) for one in result] if hasattr(result, "__iter__") else type(result).__name__


def of_transformers(generator):
    from transformers import AutoModelForCausalLM, AutoTokenizer, pipeline

    inputs = generator.tokenizer("Hello", return_tensors="pt")
    classify = bert_pipeline("text-classification", "ForSequenceClassification")
    name = "sshleifer/tiny-gpt2"
    limits = {"max_new_tokens": 3}
    return {
        "a pipeline": lambda: generator("Hello there", **limits),
        "an iterator": lambda: list(generator((text for text in ["Hello", "there"]), **limits)),
        "a pipeline that fails": lambda: generator("Hello", no_such_keyword=1),
        "another pipeline": lambda: classify(["the cat", "a film"]),
        "another's iterator": lambda: list(classify(text for text in ["the cat", "a film"])),
        "generate": lambda: generator.model.generate(**inputs, do_sample=False, **limits),
        "generate that fails": lambda: generator.model.generate(**inputs, no_such_keyword=1),
        "load a model": lambda: AutoModelForCausalLM.from_pretrained(name),
        "load a pipeline": lambda: pipeline("text-generation", model=name),
        "a load that fails": lambda: AutoTokenizer.from_pretrained("/there/is/no/such/folder"),
    }


def of_inference(inference):
    from huggingface_hub import InferenceClient
    from inference_server import chat_piece, chat_reply

    client = InferenceClient(base_url=inference.url + "/v1", api_key="x")
    messages = [{"role": "user", "content": "Hello"}]

    def chat():
        inference.will(chat_reply("Hi"))
        return client.chat_completion(messages, model="m").choices[0].message.content

    def stream():
        inference.will([chat_piece({"content": "a"}), chat_piece({"content": "b"}), "[DONE]"])
        return [piece.choices[0].delta.content for piece in client.chat_completion(messages, model="m", stream=True)]

    def failing(stream):
        inference.will({"error": "no"}, status=422)
        return list(client.chat_completion(messages, model="m", stream=stream))

    return {
        "a chat": chat,
        "a stream": stream,
        "a chat that fails": lambda: failing(False),
        "a stream that fails": lambda: failing(True),
    }


def outcome(call):
    """In a context of its own: what a fault leaves there is not the next call's."""
    try:
        return shown(contextvars.copy_context().run(call))
    except Fault:
        raise
    except Exception as error:
        return type(error), str(error)


@pytest.fixture(params=["transformers", "inference"])
def calls(request, generator, monkeypatch):
    if request.param == "transformers":
        yield of_transformers(generator)
        return
    import huggingface_hub.constants
    from inference_server import InferenceServer

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    inference = InferenceServer()
    yield of_inference(inference)
    inference.close()


def test_no_fault_of_ours_is_the_programs(server, tracing, calls):
    untraced = {name: outcome(call) for name, call in calls.items()}
    reported = []
    respan = tracing(instrumentations=[HuggingFaceInstrumentor(exception_logger=reported.append)])
    for name, call in calls.items():
        assert outcome(call) == untraced[name], name  # what is done once is done
        functions = functions_within(functools.partial(outcome, call))
        assert reported == [] and len(functions) > 5, name
        told_of = 0
        for function in functions:
            code = function.__code__
            function.__code__ = raises.__code__
            try:
                assert outcome(call) == untraced[name], (name, function.__qualname__)
            finally:
                function.__code__ = code
            assert all(isinstance(error, Fault) for error in reported), (name, function.__qualname__, reported)
            told_of += bool(reported)
            reported.clear()
        assert told_of > len(functions) / 2, name
        assert respan.flush()
        before = len(server.spans)
        assert outcome(call) == untraced[name], name
        assert respan.flush() and len(server.spans) > before and reported == [], name
