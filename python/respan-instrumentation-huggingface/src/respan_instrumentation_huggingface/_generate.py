"""model.generate(): a span of its own where nobody else's covers it, and what is measured inside a generation.

Every strategy of every version of transformers from 4.44 on asks `_has_unfinished_sequences` before each step and after
the last one, when the tokens of the step before are there, on a GPU too: the answer depends on them. So the clock is
read there, outside of what torch.compile makes of the model, and nothing is put among the call's own criteria, processors
or streamers. What the model is given is read where generate() itself has just worked it out, what it made from the result.
Where generate() as a whole is compiled, nothing is traced: dynamo cannot follow a context variable.

Imported once torch is (_instrumentor.py).
"""

from __future__ import annotations

from array import array
from contextvars import ContextVar
from time import perf_counter_ns

from respan.instrumentation import CLIENT, OK, suppressed
from torch import int8, zeros
from torch.compiler import is_compiling

from ._content import MESSAGES_MAX, put_finish_reasons
from ._measure import Measured, current
from ._model import model_attributes
from ._parameters import name_of, parameters_of
from ._privacy import start_span
from ._quietly import quietly
from ._tokenizers import tokenizer_of
from ._tokens import TokenIds, Usage, token_ids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from respan.instrumentation import Span

POSITIONS = (  # of generate()'s parameters, the same in all versions
    "inputs",
    "generation_config",
    "logits_processor",
    "stopping_criteria",
    "prefix_allowed_tokens_fn",
    "synced_gpus",
    "assistant_model",
    "streamer",
)
TOKENS = ("input_ids", "inputs_embeds")  # what a model may be given of them; pixels and sounds are none

_running: ContextVar[Generation | Draft | None] = ContextVar("respan.huggingface.generation", default=None)


def begin(model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Generation | Draft | None:
    """A call of GenerationMixin.generate."""
    if is_compiling():
        return None
    outer = _running.get()
    if outer is not None and outer.open:
        if outer.model is model and not outer.steps.began:
            return None  # it hands over to itself, as for strategies that are loaded from the hub
        if outer.drafts_with(model):
            return Draft(outer, model)
    named = {**dict(zip(POSITIONS, args, strict=False)), **kwargs}
    measured, span = current(), None
    if measured is None or not measured.takes(model) or (outer is not None and outer.open):
        span = None if suppressed() else open_span(model, named)
        if span is None:
            return None
        measured = Measured(model, tokenizer_for(model, named))
    return Generation(model, named, measured, span)


def _running_on(model: Any) -> Generation | Draft | None:
    """What this model is in the middle of, here."""
    if is_compiling():
        return None
    running = _running.get()
    return running if running is not None and running.model is model and running.open else None


def begin_step(model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Steps | None:
    """A call of _has_unfinished_sequences."""
    running = _running_on(model)
    return None if running is None else running.steps


def begin_update(model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """A call of _update_model_kwargs_for_generation, which is told how many tokens a step made."""
    running = _running_on(model)
    if running is not None:
        running.steps.made = kwargs.get("num_new_tokens", 1)


def begin_lengths(model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """A call of _prepare_generated_length, once all that it is told is final."""
    running = _running_on(model)
    if isinstance(running, Generation):
        running.config = kwargs["generation_config"]
        running.inputs = kwargs["inputs_tensor"] if kwargs["model_input_name"] in TOKENS else None
        running.prefix_length = kwargs["input_ids_length"]


def begin_mask(model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> MaskMade | None:
    """A call of _prepare_attention_mask_for_generation: none was given."""
    running = _running_on(model)
    return MaskMade(running) if isinstance(running, Generation) else None


def begin_mode(config: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> ModeChosen | None:
    """A call of GenerationConfig.get_generation_mode. To ask it once more would say its warnings once more."""
    if is_compiling():
        return None
    running = _running.get()
    if not isinstance(running, Generation) or not running.open or running.strategy is not None:
        return None
    return ModeChosen(running)


class ModeChosen:
    __slots__ = ("generation",)

    def __init__(self, generation: Generation) -> None:
        self.generation = generation

    def returned(self, mode: Any) -> Any:
        self.generation.strategy = str(getattr(mode, "value", mode))
        return mode

    def raised(self, error: BaseException) -> None:
        """generate() raises it too."""


class MaskMade:
    __slots__ = ("generation",)

    def __init__(self, generation: Generation) -> None:
        self.generation = generation

    def returned(self, mask: Any) -> Any:
        self.generation.mask = mask
        return mask

    def raised(self, error: BaseException) -> None:
        """generate() raises it too."""


class Steps:
    """The steps of one generation. `returned` is the one thing that tracing does for each token."""

    __slots__ = ("_measured", "accepted", "began", "ends", "first", "made")

    def __init__(self, measured: Measured | None) -> None:
        self._measured = measured
        self.began = False
        self.ends = array("q")
        self.made: Any = (
            1  # tokens by the step that is running; of older transformers a tensor, not to be waited for yet
        )
        self.first = 1  # tokens by the first step
        self.accepted = 0  # tokens beside the one that each step makes anyway

    def returned(self, unfinished: Any) -> Any:
        if not self.began:
            self.began = True
            return unfinished
        self.ends.append(perf_counter_ns())
        made, self.made = int(self.made), 1
        if made != 1:
            if len(self.ends) == 1:
                self.first = made
            self.accepted += made - 1
        count = len(self.ends)
        if count & (count - 1) == 0 and self._measured is not None:
            self._measured.see_memory()
        return unfinished

    def raised(self, error: BaseException) -> None:
        """generate() raises it too."""


class Draft:
    """What an assistant generates within another generation is a part of that."""

    __slots__ = ("_outer", "_token", "model", "open", "steps")

    def __init__(self, outer: Generation | Draft, model: Any) -> None:
        self._outer, self.model = outer, model
        self.steps = Steps(None)
        self.open = True
        self._token = _running.set(self)

    def drafts_with(self, model: Any) -> bool:
        return True

    def returned(self, result: Any) -> Any:
        _running.reset(self._token)
        self.open = False
        if isinstance(self._outer, Generation):
            self._outer.drafted += len(self.steps.ends) + self.steps.accepted
        return result

    def raised(self, error: BaseException) -> None:
        self.returned(None)


class Generation:
    """A call of generate(), in a span of its own or within that of `measured`."""

    __slots__ = (
        "_began",
        "_cached",
        "_measured",
        "_span",
        "_token",
        "config",
        "drafted",
        "inputs",
        "kwargs",
        "mask",
        "model",
        "open",
        "prefix_length",
        "steps",
        "strategy",
    )

    def __init__(self, model: Any, kwargs: dict[str, Any], measured: Measured, span: Span | None) -> None:
        self.model = model
        self.config = getattr(model, "generation_config", None)
        self.inputs = kwargs.get("inputs", kwargs.get("input_ids"))
        self.mask = kwargs.get("attention_mask")
        self.prefix_length: int | None = None  # of the sequences: the prompt, or what a decoder begins with
        self.drafted = 0
        self.strategy: str | None = None
        self.steps = Steps(measured)
        self.kwargs, self._measured, self._span = kwargs, measured, span
        self._cached = quietly(_cached_tokens, kwargs) or 0
        self.open = True
        if span is not None:
            span.__enter__()
        self._token = _running.set(self)
        self._began = perf_counter_ns()

    def drafts_with(self, model: Any) -> bool:
        """Else it is a criterion's or a streamer's, say, which asks a model of its own."""
        return model is self.model or model is self.kwargs.get("assistant_model")

    def returned(self, result: Any) -> Any:
        self._stop()
        try:
            sequences = quietly(self._count, result)
            quietly(self._add_steps, sequences)
            if self._span is not None:
                quietly(self._record, self._span, sequences)
        finally:
            if self._span is not None:
                self._span.__exit__(None, None, None)
        return result

    def raised(self, error: BaseException) -> None:
        self._stop()
        try:
            quietly(self._add_steps, None)
            if self._span is not None:
                self._span.set_attributes(quietly(self._measured.attributes) or {})
        finally:
            if self._span is not None:
                self._span.__exit__(type(error), error, error.__traceback__)

    def _stop(self) -> None:
        """That was the call itself; what is still to be recorded is not its time."""
        if self._span is not None:
            self._span.stop()
        _running.reset(self._token)
        self.open = False

    def _add_steps(self, sequences: Sequences | None) -> None:
        """sequences: None where the generation failed, or its result cannot be read."""
        steps, strategy = self.steps, self.strategy
        if sequences is not None:
            later = sum(max(0, count - steps.first) for count in sequences.counts)
        else:
            later = len(steps.ends) - 1 + steps.accepted
        drafted = self.drafted if strategy == "assisted_generation" else 0  # a criterion may ask another model, too
        self._measured.add_steps(self._began, steps.ends, later, drafted, steps.accepted)
        if self._measured.strategy is None:
            self._measured.strategy = strategy

    def _count(self, result: Any) -> Sequences | None:
        made = result if hasattr(result, "tolist") else getattr(result, "sequences", None)
        if made is None or made.dim() != 2:
            return None
        sequences = Sequences(self, made)
        self._measured.usage.cached_tokens += self._cached
        self._measured.generations += 1
        return sequences

    def _record(self, span: Span, sequences: Sequences | None) -> None:
        span.status(OK)
        attributes = self._measured.attributes()
        reasons = self._measured.usage.finish_reasons
        put_finish_reasons(reasons, 0, len(reasons), attributes)
        span.set_attributes(attributes)
        span.set_attributes(quietly(model_attributes, self.model, self._measured.tokenizer) or {})
        if span.content and sequences is not None and self._measured.tokenizer is not None:
            span.set_attributes(sequences.content(self._measured.tokenizer))


class Sequences:
    """The prompts and completions of one generation, counted on its tensors."""

    __slots__ = ("_made", "_mask", "_prefix", "_prompts", "counts")

    def __init__(self, generation: Generation, made: Any) -> None:
        config, usage = generation.config, generation._measured.usage
        holders = (config,)  # what the call said and what it left to the model
        ends = token_ids(holders, "_eos_token_tensor") or token_ids(holders, "eos_token_id")
        pads = token_ids(holders, "_pad_token_tensor") or token_ids(holders, "pad_token_id")
        # What nothing can have stopped before its end token is not padded, whatever it ends in.
        stoppable = getattr(config, "stop_strings", None) or generation.kwargs.get("stopping_criteria")
        special = ends | pads | token_ids(holders, "bos_token_id")
        tokenizer = generation._measured.tokenizer
        if tokenizer is not None:
            special |= set(getattr(tokenizer, "all_special_ids", ()))
        ids = TokenIds(ends, pads if stoppable else (), special)
        prefix = generation.prefix_length
        inputs = generation.inputs
        if prefix is None:  # a model that works this out in its own way
            decoder_only = not getattr(generation.model.config, "is_encoder_decoder", False)
            prefix = inputs.shape[1] if decoder_only and inputs is not None else 1
        self._made, self._prefix = made, prefix
        self._prompts: Any = None  # of text …
        self._mask: Any = None  # … and theirs
        if inputs is not None:
            self._count_prompts(inputs, generation.mask, ids, usage)
        self.counts, ended = usage.add_completions(made, prefix, ids)  # tokens of each, but for padding
        limit = getattr(config, "max_length", None)
        out_of_time = getattr(config, "max_time", None) is not None
        for count, is_ended in zip(self.counts, ended, strict=True):
            too_long = isinstance(limit, int) and prefix + count >= limit
            usage.finish_reasons.append("length" if not is_ended and (too_long or out_of_time) else "stop")

    def _count_prompts(self, inputs: Any, mask: Any, ids: TokenIds, usage: Usage) -> None:
        if mask is not None and (mask.dim() != 2 or len(mask) != len(inputs)):
            mask = None
        if inputs.dim() == 2 and not inputs.is_floating_point():
            self._prompts, self._mask = inputs, mask
            usage.add_prompts(inputs, mask, ids)
        else:  # embeddings have a length, and no ids
            length = inputs.shape[1] if inputs.dim() > 1 else 0
            usage.add_prompts(zeros((), dtype=int8).expand(len(inputs), length), mask, TokenIds((), (), ()))

    def content(self, tokenizer: Any) -> dict[str, Any]:
        """Prompts as the model got them, with its marks of roles; completions without special tokens."""
        attributes: dict[str, Any] = {}
        prompts, mask = self._prompts, self._mask
        for index in range(0 if prompts is None else min(len(prompts), MESSAGES_MAX)):
            through = prompts[index].tolist()
            if mask is not None:
                seen = mask[index].tolist()[-len(through) :]
                through = [token for token, on in zip(through, seen, strict=False) if on]
            attributes[f"gen_ai.prompt.{index}.role"] = "user"
            attributes[f"gen_ai.prompt.{index}.content"] = tokenizer.decode(through)
        for index, count in enumerate(self.counts[:MESSAGES_MAX]):
            made = self._made[index, self._prefix : self._prefix + count].tolist()
            attributes[f"gen_ai.completion.{index}.role"] = "assistant"
            attributes[f"gen_ai.completion.{index}.content"] = tokenizer.decode(made, skip_special_tokens=True)
        return attributes


class _Holder:
    """What _parameters.py reads of a pipeline, where there is none."""

    __slots__ = ("model",)

    def __init__(self, model: Any) -> None:
        self.model = model


def open_span(
    model: Any, kwargs: dict[str, Any], operation: str = "text_completion", log_type: str = "text"
) -> Span | None:
    name = name_of(model)
    span = start_span(f"{operation} {name}" if name else operation, CLIENT)
    if span is None:
        return None
    attributes: dict[str, Any] = {
        "respan.entity.log_type": log_type,
        "gen_ai.operation.name": operation,
        "gen_ai.system": "huggingface",
        "gen_ai.request.model": name,
        "gen_ai.response.model": name,
    }
    if log_type == "text":
        attributes["llm.request.type"] = "completion"
    attributes.update(quietly(parameters_of, _Holder(model), kwargs) or {})
    span.set_attributes(attributes)
    return span


def tokenizer_for(model: Any, kwargs: dict[str, Any]) -> Any:
    """The call's own, its streamer's, or the one that was loaded for this model."""
    given = kwargs.get("tokenizer") or getattr(kwargs.get("streamer"), "tokenizer", None)
    return given if given is not None else quietly(tokenizer_of, model)


def _cached_tokens(kwargs: dict[str, Any]) -> int:
    """How much of the prompt the caller's cache holds already."""
    cache = kwargs.get("past_key_values", kwargs.get("cache"))
    if isinstance(cache, tuple):  # of layers: (keys, values), each [sequence, head, token, …]
        return int(cache[0][0].shape[2])
    return 0 if cache is None else int(cache.get_seq_length())
