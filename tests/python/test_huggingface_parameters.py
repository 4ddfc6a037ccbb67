"""Generation parameters: what a span tells of them is what generate() came to, in every version of transformers."""

import copy

import pytest
from model_calls import parameters

PROMPT = "Tracing Hugging Face pipelines helps"


class Enough(Exception):  # noqa: N818
    """It would only generate."""


IN_FORCE = (
    *("temperature", "top_k", "top_p", "repetition_penalty", "do_sample", "num_beams", "max_new_tokens"),
    *("min_new_tokens", "num_return_sequences", "eos_token_id"),
)


@pytest.mark.parametrize("by_config", [False, True])
@pytest.mark.parametrize("made_with", [{}, {"temperature": 0.5, "top_k": 7, "do_sample": True}, {"max_new_tokens": 5}])
@pytest.mark.parametrize(
    "of_call",
    [
        {},
        {"temperature": 0.9, "max_new_tokens": 3},
        {"num_beams": 2, "do_sample": False},
        {"max_new_tokens": None, "max_length": 30},
    ],
)
@pytest.mark.parametrize("of_model", [{}, {"repetition_penalty": 1.3, "top_p": 0.8, "max_new_tokens": 4}])
def test_what_is_told_is_in_force(calls, generator, monkeypatch, made_with, of_call, of_model, by_config):
    """In every version: what generate() comes to of all who may say something."""
    from transformers import GenerationConfig, pipeline

    for name, value in of_model.items():
        monkeypatch.setattr(generator.model.generation_config, name, value)
    seen = []

    def prepare(generation_config, **given):
        seen.append(copy.copy(generation_config))
        raise Enough

    monkeypatch.setattr(generator.model, "_prepare_generated_length", prepare)
    other = pipeline("text-generation", model=generator.model, tokenizer=generator.tokenizer, **made_with)
    with pytest.raises(Enough):
        other(PROMPT, **({"generation_config": GenerationConfig(**of_call)} if by_config else of_call))
    told = parameters(calls()[-1])
    wrong = {
        name: (told[name], getattr(seen[0], name))
        for name in IN_FORCE
        if name in told and told[name] != getattr(seen[0], name)
    }
    assert wrong == {}
    if not by_config:
        said = {name: value for name, value in {**made_with, **of_call}.items() if value is not None}
        assert said.items() <= told.items()
