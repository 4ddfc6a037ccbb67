"""Whisper's own generate(): one span, however many generations a recording takes."""

import pytest
import torch
from model_calls import since_5
from tiny_models import seeded, whisper_pipeline

pytestmark = since_5  # the tokenizer of the tiny model is one of its


@pytest.fixture
def whisper(generator):
    made = whisper_pipeline()
    config, tokenizer = made.model.generation_config, made.tokenizer
    config.no_timestamps_token_id = tokenizer.convert_tokens_to_ids("<|notimestamps|>")
    config.is_multilingual, config.suppress_tokens, config.begin_suppress_tokens = False, None, None
    seeded()
    return made


def features(seconds):
    return torch.rand(1, 8, 100 * seconds)


LONG = {"return_timestamps": True, "condition_on_prev_tokens": False, "min_new_tokens": None}


@pytest.mark.parametrize(("seconds", "options"), [(1, {}), (3, LONG), (3, {**LONG, "return_segments": True})])
def test_one_span_with_all_of_its_tokens(calls, whisper, seconds, options):
    recording = features(seconds)
    if seconds > 1:
        options = {**options, "attention_mask": torch.ones(1, recording.shape[-1], dtype=torch.long)}
    result = whisper.model.generate(recording, **options)
    [span] = calls()
    sequences = result["sequences"] if isinstance(result, dict) else result
    made = sequences.shape[1]
    assert (span.name, span.status) == ("text_completion tiny/whisper", 1) and made >= 6
    assert span.attributes["gen_ai.usage.output_tokens"] == made
    assert span.attributes["respan.generation.steps"] == made
    assert span.attributes["respan.usage.source"] == "measured"
    text = whisper.tokenizer.decode(sequences[0].tolist(), skip_special_tokens=True)
    assert span.attributes["gen_ai.completion.0.content"] == text


def test_as_untraced(calls, whisper):
    recording = features(1)
    untraced = type(whisper.model).generate.__wrapped__(whisper.model, recording)
    assert torch.equal(whisper.model.generate(recording), untraced)
    with pytest.raises(ValueError, match="no_such_keyword"):
        whisper.model.generate(recording, no_such_keyword=1)
    assert calls()[-1].status == 2


def test_a_pipeline_and_its_generate_are_one_span(calls, whisper):
    whisper({"raw": torch.rand(16000).numpy(), "sampling_rate": 16000})
    [span] = calls()
    assert span.attributes["respan.entity.log_type"] == "transcription"
