"""Token counts of a call: measured on the model's tensors, or made by the tokenizer.

A prompt's tokens are those that the model's attention mask let through; the others are padding. A completion's go up to
and with its first end token; what comes after is padding. Special tokens (begin, end, padding that is neither) are
counted, and told beside the count.
"""

from __future__ import annotations

from array import array

from respan._core import count_completions, count_prompts

from ._content import records_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

ID_END = 1 << 63
FEW = 64  # ids: then lists of them are quicker to have than a buffer
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

    def add_prompts(self, prompts: Any, mask: Any, ids: TokenIds) -> None:
        """Of one batch. prompts: [prompt, token]; mask: the same, or None; of tokens in a cache before them, too, if it is longer."""
        given = as_array(prompts)
        try:
            counted = count_prompts(given, None if mask is None else as_array(mask), ids.special)
        except TypeError:  # a mask of 0.0 and 1.0
            counted = count_prompts(given, as_array(mask != 0), ids.special)
        tokens, specials, padding, each = counted
        self.prompt_tokens += tokens
        self.prompt_special += specials
        self.prompt_padding += padding
        self.prompts_each += each[: EACH_MAX - len(self.prompts_each)]
        self.measured = True

    def add_completions(self, made: Any, prefix: int, ids: TokenIds) -> tuple[list[int], list[bool]]:
        """Of one batch. made: [(prompt,) sequence, token], of which each sequence's first `prefix` are not counted. Gives each
        one's tokens, and whether it was ended before its length; who calls this knows the reasons."""
        counted = count_completions(as_array(made), prefix, ids.ends, ids.pads, ids.special)
        tokens, specials, padding, each, ended = counted
        self.completion_tokens += tokens
        self.completion_special += specials
        self.completion_padding += padding
        self.completions_each += each[: EACH_MAX - len(self.completions_each)]
        self.measured = True
        return each, ended

    def measure(self, model_inputs: Any, outputs: Any, ids: TokenIds, otherwise: str) -> None:
        """Reads one batch: outputs of a pipeline's `_forward`, where generate() itself was not seen. otherwise: why those
        sequences ended that have no end token."""
        generated = outputs["generated_sequence"]  # [prompt in batch, sequence of prompt, token]
        input_ids = outputs["input_ids"]
        prompt_length = min(1, generated.shape[-1])  # an empty prompt: the model began with a token of its own
        if input_ids is not None:
            prompt_length = input_ids.shape[-1]
            self.add_prompts(input_ids, model_inputs.get("attention_mask"), ids)
        _, ended = self.add_completions(generated, prompt_length, ids)
        self.finish_reasons += ["stop" if is_ended else otherwise for is_ended in ended]

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


class TokenIds:
    """The ids that mean something to the count: as array("q"), ascending."""

    __slots__ = ("ends", "pads", "special")

    def __init__(self, ends: Iterable[int], pads: Iterable[int], special: Iterable[int]) -> None:
        """pads: what may follow a sequence that no end token ended; special: which are told apart."""
        self.ends, self.pads, self.special = (array("q", sorted(ids)) for ids in (ends, pads, special))


def as_array(tensor: Any) -> Any:
    """What can be read in place: a tensor's memory, or a copy of a GPU's. Of a few ids, lists, which are quicker to have."""
    try:
        return tensor.tolist() if tensor.numel() <= FEW else tensor.numpy(force=True)
    except (AttributeError, TypeError):  # not torch's
        return tensor.numpy() if hasattr(tensor, "numpy") else tensor


def token_ids(holders: Iterable[Any], name: str) -> set[int]:
    """The ids that the first of these (dicts or configs) has under that name; of them, what can be in a tensor."""
    for holder in holders:
        ids = holder.get(name) if isinstance(holder, dict) else getattr(holder, name, None)
        if ids is not None and hasattr(ids, "tolist"):
            ids = ids.tolist()
        if isinstance(ids, int):
            ids = (ids,)
        if isinstance(ids, (list, tuple)):
            return {each for each in ids if isinstance(each, int) and -ID_END <= each < ID_END}
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
