"""Token counts of a pipeline call: measured on the model's tensors, or made by the tokenizer."""

from __future__ import annotations

from ._content import records_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Usage:
    """Sums over the batches of one call. Padding is counted on neither side."""

    __slots__ = ("completion_tokens", "finish_reasons", "measured", "prompt_tokens")

    def __init__(self) -> None:
        self.measured = False
        self.prompt_tokens = 0
        self.completion_tokens = 0
        self.finish_reasons: list[str] = []

    def measure(self, pipeline: Any, model_inputs: Any, outputs: Any, kwargs: dict[str, Any]) -> None:
        """Reads one batch: outputs of `_forward`, which ran with these inputs and generation keywords."""
        generated = outputs["generated_sequence"]  # [prompt in batch, sequence of prompt, token]
        input_ids = outputs["input_ids"]
        prompts, _, length = generated.shape
        if input_ids is None:  # an empty prompt: the model began with a token of its own
            prompt_length, prompt_tokens = min(1, length), 0
        else:
            prompt_length = input_ids.shape[-1]
            mask = model_inputs.get("attention_mask")
            prompt_tokens = prompts * prompt_length if mask is None else int(mask.sum())
        ends = _token_ids(pipeline, kwargs, "eos_token_id")
        pads = _token_ids(pipeline, kwargs, "pad_token_id")
        stops_otherwise = kwargs.get("stop_strings") is not None or kwargs.get("stopping_criteria") is not None
        unended = "stop" if stops_otherwise else "length"
        completion_tokens = 0
        reasons = []
        for of_one_prompt in generated[..., prompt_length:].tolist():
            for sequence in of_one_prompt:
                if sequence and sequence[-1] not in pads and ends.isdisjoint(sequence):
                    completion_tokens += len(sequence)
                    reasons.append(unended)
                    continue
                count, ended = _count(sequence, ends, pads)
                completion_tokens += count
                reasons.append("stop" if ended else unended)
        self.prompt_tokens += prompt_tokens
        self.completion_tokens += completion_tokens
        self.finish_reasons += reasons
        self.measured = True


def _count(sequence: list[int], ends: set[int], pads: set[int]) -> tuple[int, bool]:
    """Tokens up to and with the first end token, or without trailing padding; and whether it was ended."""
    if not ends.isdisjoint(sequence):
        return min(sequence.index(end) for end in ends if end in sequence) + 1, True
    count = len(sequence)
    while count > 0 and sequence[count - 1] in pads:
        count -= 1
    return count, count < len(sequence)


def _token_ids(pipeline: Any, kwargs: dict[str, Any], name: str) -> set[int]:
    """The ids that `generate` stopped at or padded with: the call's, its config's, or the model's."""
    for holder in (
        kwargs,
        kwargs.get("generation_config"),
        getattr(pipeline, "_generate_kwargs", None),
        getattr(pipeline.model, "generation_config", None),
        getattr(pipeline, "_generation_defaults", None),
    ):
        ids = holder.get(name) if isinstance(holder, dict) else getattr(holder, name, None)
        if isinstance(ids, int):
            return {ids}
        if isinstance(ids, (list, tuple)):
            return set(ids)
        if ids is not None and hasattr(ids, "tolist"):
            ids = ids.tolist()
            return {ids} if isinstance(ids, int) else set(ids)
    return set()


def estimate(pipeline: Any, inputs: Any, result: Any) -> tuple[int, int] | None:
    """(prompt, completion) tokens by the tokenizer, or None where the texts are not at hand."""
    tokenizer = getattr(pipeline, "tokenizer", None)
    prompts = [inputs] if isinstance(inputs, str) else inputs
    if tokenizer is None or not isinstance(prompts, (list, tuple)) or not all(isinstance(p, str) for p in prompts):
        return None
    records = list(records_of(result))
    texts = [text for record in records if isinstance(text := record.get("generated_text"), str)]
    if not texts or len(texts) < len(records):
        return None

    def count(text: str) -> int:
        return len(tokenizer(text, add_special_tokens=False)["input_ids"])

    per_prompt = max(1, len(texts) // max(1, len(prompts)))
    completion_tokens = 0
    for index, text in enumerate(texts):
        prompt = prompts[min(index // per_prompt, len(prompts) - 1)]
        completion_tokens += count(text.removeprefix(prompt))
    return sum(count(prompt) for prompt in prompts), completion_tokens
