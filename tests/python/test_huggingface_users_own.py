"""What a program made its own of what is wrapped: classes derived from a pipeline's, functions replaced on classes and on single
objects, before tracing is switched on and after. It gets what it would get untraced, and a call is one span."""

import functools
import types

import pytest
from model_calls import completions
from respan_instrumentation_huggingface import HuggingFaceInstrumentor
from transformers import GenerationMixin, Pipeline, TextGenerationPipeline


@pytest.fixture
def switch_on(server, tracing):
    """switch_on() -> calls(): the spans of model calls since then; calls.off() switches tracing off."""
    failures = []

    def on():
        instrumentor = HuggingFaceInstrumentor(exception_logger=failures.append)
        respan = tracing(instrumentations=[instrumentor])
        seen = 0

        def calls():
            nonlocal seen
            assert failures == []
            assert respan.flush()
            every = [span for span in server.spans if "gen_ai.system" in span.attributes]
            new, seen = every[seen:], len(every)
            return new

        calls.off, calls.on = instrumentor.uninstrument, instrumentor.instrument
        return calls

    return on


class Plain(TextGenerationPipeline):
    pass


class OwnCall(TextGenerationPipeline):
    def __call__(self, text, **options):
        return super().__call__(text, **{"max_new_tokens": 4, **options})


class OwnForward(TextGenerationPipeline):
    def _forward(self, model_inputs, **options):
        return super()._forward(model_inputs, **{**options, "max_new_tokens": 2})


class OwnForwardAlone(TextGenerationPipeline):
    """Asks the model by itself."""

    def _forward(self, model_inputs, **options):
        prompt = model_inputs["prompt_text"]
        inputs = {name: model_inputs[name] for name in ("input_ids", "attention_mask")}
        made = self.model.generate(**inputs, max_new_tokens=3, do_sample=False)
        return {"generated_sequence": made[:, None], "input_ids": inputs["input_ids"], "prompt_text": prompt}


class OwnPostprocess(TextGenerationPipeline):
    def postprocess(self, outputs, **options):
        return [{"generated_text": one["generated_text"].upper()} for one in super().postprocess(outputs, **options)]


INPUTS = {
    "a text": lambda: "Hello there",
    "a list": lambda: ["Hello", "there", "you"],
    "a generator": lambda: (text for text in ["Hello", "there"]),
}


def result_of(pipeline, inputs="a text"):
    result = pipeline(INPUTS[inputs](), max_new_tokens=5, do_sample=False)
    return result if isinstance(result, list) else list(result)


@pytest.mark.parametrize("inputs", INPUTS)
@pytest.mark.parametrize("kind", [Plain, OwnCall, OwnForward, OwnForwardAlone, OwnPostprocess])
def test_a_class_of_ones_own(generator, switch_on, kind, inputs):
    made = kind(model=generator.model, tokenizer=generator.tokenizer)
    untraced = result_of(made, inputs)
    calls = switch_on()
    assert result_of(made, inputs) == untraced
    [span] = calls()
    assert (span.name, span.status) == ("text_completion sshleifer/tiny-gpt2", 1)
    answers = [one[0] if isinstance(one, list) else one for one in untraced]
    assert completions(span) == [one["generated_text"] for one in answers]
    assert span.attributes["respan.usage.source"] == "measured" and span.attributes["gen_ai.usage.output_tokens"] > 0


def counted(original):
    """A function in place of another, which knows how often it was called."""

    def patched(*args, **kwargs):
        patched.calls += 1
        return original(*args, **kwargs)

    patched.calls = 0
    return patched


WRAPPED = [(TextGenerationPipeline, "__call__"), (TextGenerationPipeline, "_forward"), (Pipeline, "__call__")]
WRAPPED += [(Pipeline, "forward"), (GenerationMixin, "generate")]
NOT_WRAPPED = [(TextGenerationPipeline, "preprocess"), (TextGenerationPipeline, "postprocess")]
each_method = pytest.mark.parametrize(("owner", "name"), [*WRAPPED, *NOT_WRAPPED])


@each_method
def test_a_method_that_was_replaced_before(generator, switch_on, monkeypatch, owner, name):
    patched = counted(vars(owner)[name])
    monkeypatch.setattr(owner, name, patched)
    untraced = result_of(generator)
    calls = switch_on()
    for _ in range(2):
        before = patched.calls
        assert result_of(generator) == untraced and patched.calls == before + 1
        assert len(calls()) == 1
        calls.off()
        assert vars(owner)[name] is patched
        assert result_of(generator) == untraced and patched.calls == before + 2
        assert calls() == []
        calls.on()


@each_method
def test_a_method_that_was_replaced_meanwhile(generator, switch_on, monkeypatch, owner, name):
    native, untraced = vars(owner)[name], result_of(generator)
    monkeypatch.setattr(owner, name, native)  # so that this is what is put back in the end
    calls = switch_on()
    ours = vars(owner)[name]
    assert (ours is not native) == ((owner, name) in WRAPPED)
    patched = counted(ours)
    monkeypatch.setattr(owner, name, patched)
    for _ in range(2):
        before = patched.calls
        assert result_of(generator) == untraced and patched.calls == before + 1
        assert len(calls()) == 1
        calls.off()
        assert vars(owner)[name] is patched  # which calls our wrapper, which calls through
        assert result_of(generator) == untraced and patched.calls == before + 2
        assert calls() == []
        calls.on()
    calls.off()
    setattr(owner, name, ours)  # what the program knows as the original
    assert result_of(generator) == untraced and calls() == []
    calls.on()
    assert result_of(generator) == untraced and len(calls()) == 1


def replace_on_object(made, name):
    """As programs do it: a function of the object's own, which calls the class's."""
    holder = made.model if name == "generate" else made
    original = getattr(holder, name)
    seen = []

    @functools.wraps(original)
    def patched(self, *args, **kwargs):
        seen.append(self)
        return original(*args, **kwargs)

    setattr(holder, name, types.MethodType(patched, holder))
    return seen


@pytest.fixture
def own_object(generator):
    """A pipeline that is this test's, and its model, to be changed at will."""
    model = generator.model
    yield Plain(model=model, tokenizer=generator.tokenizer)
    vars(model).pop("generate", None)


@pytest.mark.parametrize("meanwhile", [False, True])
@pytest.mark.parametrize("name", ["preprocess", "forward", "_forward", "postprocess", "generate"])
def test_a_method_of_one_object(own_object, switch_on, name, meanwhile):
    untraced = result_of(own_object)
    if not meanwhile:
        seen = replace_on_object(own_object, name)
    calls = switch_on()
    if meanwhile:
        seen = replace_on_object(own_object, name)
    assert result_of(own_object) == untraced and len(seen) == 1
    [span] = calls()
    assert span.status == 1 and span.attributes["gen_ai.usage.output_tokens"] == 5
    assert completions(span) == [one["generated_text"] for one in untraced]
    calls.off()
    assert result_of(own_object) == untraced and len(seen) == 2 and calls() == []
