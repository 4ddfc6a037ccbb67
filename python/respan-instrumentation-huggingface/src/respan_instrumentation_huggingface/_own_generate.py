"""Classes of models whose generate() is their own: one span over all that it makes with GenerationMixin.generate, if it does.

Whisper takes a long recording in parts, Bark makes sound in three stages, BLIP-2 asks its language model, MusicGen and RAG have
loops of their own. Imported once torch is (_instrumentor.py).
"""

from __future__ import annotations

from respan.instrumentation import OK, suppressed
from torch.compiler import is_compiling

from ._content import MESSAGES_MAX
from ._generate import open_span, tokenizer_for
from ._measure import Measured, current
from ._model import model_attributes
from ._quietly import quietly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from respan.instrumentation import Span


def begin(model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Whole | Part | None:
    """A call that makes text, unless it is part of a pipeline's or of another one."""
    return _begin(model, args, kwargs, "text_completion", "text")


def begin_sound(model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Whole | Part | None:
    """A call that makes sound."""
    return _begin(model, args, kwargs, "text-to-audio", "speech")


def _begin(
    model: Any, args: tuple[Any, ...], kwargs: dict[str, Any], operation: str, log_type: str
) -> Whole | Part | None:
    around = current()
    if is_compiling():
        return None
    if around is not None and around.takes(model):
        return Part(around)
    if suppressed():
        return None
    named = dict(kwargs)
    for arg in args:  # in whichever place each class has it
        if hasattr(type(arg), "get_generation_mode"):
            named["generation_config"] = arg
    span = open_span(model, named, operation, log_type)
    return None if span is None else Whole(span, model, Measured(model, tokenizer_for(model, named)))


class Part:
    """Of a pipeline's call, or of another model's that is made of this one."""

    def __init__(self, measured: Measured) -> None:
        self._measured, self._was_composed = measured, measured.is_composed
        measured.is_composed = True

    def returned(self, result: Any) -> Any:
        self._measured.is_composed = self._was_composed
        return result

    def raised(self, error: BaseException) -> None:
        self._measured.is_composed = self._was_composed


class Whole:
    def __init__(self, span: Span, model: Any, measured: Measured) -> None:
        self._span, self._model, self._measured = span, model, measured
        span.__enter__()
        measured.is_composed = True
        measured.start()

    def returned(self, result: Any) -> Any:
        self._stop()
        quietly(self._add_texts, result)
        self._span.status(OK)
        self._span.__exit__(None, None, None)
        return result

    def raised(self, error: BaseException) -> None:
        self._stop()
        self._span.__exit__(type(error), error, error.__traceback__)

    def _stop(self) -> None:
        self._span.stop()
        self._measured.stop()
        self._span.set_attributes(quietly(self._measured.attributes) or {})
        self._span.set_attributes(quietly(model_attributes, self._model, self._measured.tokenizer) or {})

    def _add_texts(self, result: Any) -> None:
        """Of ids, one for each sequence; sound is not told."""
        made = result["sequences"] if isinstance(result, dict) else result
        tokenizer = self._measured.tokenizer
        if tokenizer is None or not self._span.content or not hasattr(made, "tolist"):
            return
        if made.dim() != 2 or made.is_floating_point():
            return
        attributes: dict[str, Any] = {}
        for index, ids in enumerate(made.tolist()[:MESSAGES_MAX]):
            attributes[f"gen_ai.completion.{index}.role"] = "assistant"
            attributes[f"gen_ai.completion.{index}.content"] = tokenizer.decode(ids, skip_special_tokens=True)
        self._span.set_attributes(attributes)
