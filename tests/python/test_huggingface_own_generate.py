"""Classes of models with a generate() of their own: one span a call, and what it gives untraced."""

import pytest

pytest.importorskip("transformers", "5")

import own_generate_models
import torch
from both_ways import frozen
from respan_instrumentation_huggingface import HuggingFaceInstrumentor

SPANS = {  # the span's name, its log type; whether steps are seen (of GenerationMixin.generate alone), and tokens (if it gives ids)
    "bark": ("text-to-audio tiny/bark", "speech", True, True),
    "musicgen": ("text-to-audio tiny/musicgen", "speech", False, False),
    "dia": ("text-to-audio tiny/dia", "speech", False, False),
    "blip_2": ("text_completion tiny/blip-2", "text", True, True),
    "rag": ("text_completion tiny/rag", "text", False, False),
}


@pytest.fixture(scope="module", params=SPANS)
def made(request):
    torch.manual_seed(0)
    model, given = getattr(own_generate_models, request.param)()
    return request.param, model.eval(), given


@pytest.fixture
def switch_on(server, tracing):
    def on():
        respan = tracing(instrumentations=[HuggingFaceInstrumentor(exception_logger=failures.append)])

        def spans():
            assert failures == []
            assert respan.flush()
            return server.spans

        return spans

    failures = []
    return on


def generated(model, given):
    torch.manual_seed(1)
    return frozen(model.generate(**given)), torch.get_rng_state().tolist()


def test_one_span_and_the_same_result(made, switch_on):
    name, model, given = made
    untraced = generated(model, given)
    spans = switch_on()
    assert generated(model, given) == untraced
    [span] = spans()
    title, log_type, timed, counted = SPANS[name]
    assert (span.name, span.status, span.attributes["respan.entity.log_type"]) == (title, 1, log_type)
    assert span.attributes["respan.model.class"] == type(model).__name__
    assert (span.attributes.get("gen_ai.usage.output_tokens", 0) > 0) == counted
    assert (span.attributes.get("respan.generation.steps", 0) > 0) == timed


def test_it_fails_as_untraced(made, switch_on):
    _, model, given = made
    spans = switch_on()
    broken = ZeroDivisionError("broken")

    def fail(*_, **__):
        raise broken

    hook = next(model.modules()).register_forward_pre_hook(fail)
    inner = [part.register_forward_pre_hook(fail) for part in model.children()]
    try:
        with pytest.raises(ZeroDivisionError) as caught:
            model.generate(**given)
    finally:
        for one in (hook, *inner):
            one.remove()
    assert caught.value is broken and caught.value.__context__ is None
    [span] = spans()
    assert span.status == 2
