"""Token counts of a call: measured on the model's tensors, or made by the tokenizer.

A prompt's tokens are those that the model's attention mask let through; the others are padding. A completion's go up to
and with its first end token; what comes after is padding. Special tokens (begin, end, padding that is neither) are
counted, and told beside the count.
"""

from __future__ import annotations

from ._content import records_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

EACH_MAX = 1000  # sequences whose own counts are told; a batch may hold millions


class Usage:
    """Sums over the batches of one call. Padding is counted on neither side."""

    __slots__ = (
        "cached_tokens",
        "completion_padding",
        "completion_special",
        "completion_tokens",
        "completions_each",
        "finish_reasons",
        "measured",
        "prompt_padding",
        "prompt_special",
        "prompt_tokens",
        "prompts_each",
    )

    def __init__(self) -> None:
        self.measured = False
        self.prompt_tokens = self.prompt_special = self.prompt_padding = self.cached_tokens = 0
        self.completion_tokens = self.completion_special = self.completion_padding = 0
        self.prompts_each: list[int] = []
        self.completions_each: list[int] = []
        self.finish_reasons: list[str] = []

    def add_prompt(self, ids: list[int] | None, mask: list[int] | None, special: set[int], length: int = 0) -> None:
        """One prompt. ids: None where the model was given embeddings, `length` of them."""
        length = length if ids is None else len(ids)
        if mask is not None and 0 not in mask and len(mask) == length:
            mask = None
        count = length if mask is None else len(mask) - mask.count(0)
        if ids is not None:
            seen = (
                ids
                if mask is None
                else [token for token, through in zip(ids, mask[-len(ids) :], strict=False) if through]
            )
            self.prompt_special += _among(special, seen)
        self.prompt_tokens += count
        self.prompt_padding += max(0, length - count)
        if len(self.prompts_each) < EACH_MAX:
            self.prompts_each.append(count)
        self.measured = True

    def add_completion(self, count: int, reason: str, ids: list[int], special: set[int]) -> None:
        """One sequence. ids: what the model made, of which `count` are not padding."""
        self.completion_tokens += count
        self.completion_padding += len(ids) - count
        self.completion_special += _among(special, ids[:count])
        if len(self.completions_each) < EACH_MAX:
            self.completions_each.append(count)
        self.finish_reasons.append(reason)
        self.measured = True

    def measure(self, pipeline: Any, model_inputs: Any, outputs: Any, kwargs: dict[str, Any]) -> None:
        """Reads one batch: outputs of a pipeline's `_forward`, where generate() itself was not seen."""
        generated = outputs["generated_sequence"]  # [prompt in batch, sequence of prompt, token]
        input_ids = outputs["input_ids"]
        holders = (kwargs, kwargs.get("generation_config"), *_defaults(pipeline))
        ends, pads = token_ids(holders, "eos_token_id"), token_ids(holders, "pad_token_id")
        special = ends | pads | token_ids(holders, "bos_token_id")
        prompt_length = min(1, generated.shape[-1])  # an empty prompt: the model began with a token of its own
        if input_ids is not None:
            prompt_length = input_ids.shape[-1]
            mask = model_inputs.get("attention_mask")
            masks = [None] * len(input_ids) if mask is None else mask.tolist()
            for ids, of_it in zip(input_ids.tolist(), masks, strict=False):
                self.add_prompt(ids, of_it, special)
        stops_otherwise = kwargs.get("stop_strings") is not None or kwargs.get("stopping_criteria") is not None
        for of_one_prompt in generated[..., prompt_length:].tolist():
            for sequence in of_one_prompt:
                count, ended = count_completion(sequence, ends, pads if stops_otherwise else set())
                self.add_completion(count, "stop" if ended or stops_otherwise else "length", sequence, special)

    def attributes(self) -> dict[str, Any]:
        """What is not measured is not told."""
        if not self.measured:
            return {}
        attributes = usage_attributes(self.prompt_tokens, self.completion_tokens, "measured")
        attributes["respan.usage.prompt_special_tokens"] = self.prompt_special
        attributes["respan.usage.prompt_padding_tokens"] = self.prompt_padding
        attributes["respan.usage.completion_special_tokens"] = self.completion_special
        attributes["respan.usage.completion_padding_tokens"] = self.completion_padding
        if self.cached_tokens:
            attributes["gen_ai.usage.cache_read.input_tokens"] = self.cached_tokens
        if len(self.prompts_each) > 1 or len(self.completions_each) > 1:
            attributes["respan.usage.prompt_tokens_each"] = self.prompts_each
            attributes["respan.usage.completion_tokens_each"] = self.completions_each
        return attributes


def _among(special: set[int], ids: list[int]) -> int:
    return 0 if special.isdisjoint(ids) else sum(1 for token in ids if token in special)


def usage_attributes(prompt_tokens: int, completion_tokens: int, source: str) -> dict[str, Any]:
    """source: "measured" on tensors, "reported" by a service, or "estimated" by a tokenizer."""
    return {
        "gen_ai.usage.input_tokens": prompt_tokens,
        "gen_ai.usage.output_tokens": completion_tokens,
        "gen_ai.usage.prompt_tokens": prompt_tokens,
        "gen_ai.usage.completion_tokens": completion_tokens,
        "llm.usage.total_tokens": prompt_tokens + completion_tokens,
        "respan.usage.source": source,
    }


def count_completion(sequence: list[int], ends: set[int], pads: set[int]) -> tuple[int, bool]:
    """Tokens up to and with the first end token, or without trailing padding; and whether it was ended."""
    if not ends.isdisjoint(sequence):
        return min(sequence.index(end) for end in ends if end in sequence) + 1, True
    count = len(sequence)
    while count > 0 and sequence[count - 1] in pads:
        count -= 1
    return count, count < len(sequence)


def _defaults(pipeline: Any) -> tuple[Any, ...]:
    return (
        getattr(pipeline, "_generate_kwargs", None),
        getattr(pipeline.model, "generation_config", None),
        getattr(pipeline, "_generation_defaults", None),
    )


def token_ids(holders: Iterable[Any], name: str) -> set[int]:
    """The ids that the first of these (dicts or configs) has under that name."""
    for holder in holders:
        ids = holder.get(name) if isinstance(holder, dict) else getattr(holder, name, None)
        if ids is not None and hasattr(ids, "tolist"):
            ids = ids.tolist()
        if isinstance(ids, int):
            return {ids}
        if isinstance(ids, (list, tuple)):
            return set(ids)
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
