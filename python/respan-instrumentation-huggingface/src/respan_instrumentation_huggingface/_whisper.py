"""WhisperForConditionalGeneration.generate(): one span over the generations that it makes of the parts of a long recording.

Imported once torch is (_instrumentor.py).
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

POSITIONS = ("input_features", "generation_config")  # others are keywords by habit


def begin(model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Recording | None:
    """A call of WhisperGenerationMixin.generate, unless it is part of a pipeline's."""
    if is_compiling() or current() is not None or suppressed():
        return None
    named = {**dict(zip(POSITIONS, args, strict=False)), **kwargs}
    span = open_span(model, named)
    return None if span is None else Recording(span, model, Measured(model, tokenizer_for(model, named)))


class Recording:
    def __init__(self, span: Span, model: Any, measured: Measured) -> None:
        self._span, self._model, self._measured = span, model, measured
        span.__enter__()
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
        """One for each recording."""
        made = result["sequences"] if isinstance(result, dict) else result
        tokenizer = self._measured.tokenizer
        if tokenizer is None or not self._span.content or not hasattr(made, "tolist"):
            return
        attributes: dict[str, Any] = {}
        for index, ids in enumerate(made.tolist()[:MESSAGES_MAX]):
            attributes[f"gen_ai.completion.{index}.role"] = "assistant"
            attributes[f"gen_ai.completion.{index}.content"] = tokenizer.decode(ids, skip_special_tokens=True)
        self._span.set_attributes(attributes)
