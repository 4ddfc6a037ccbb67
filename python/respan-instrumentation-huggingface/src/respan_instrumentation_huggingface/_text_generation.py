"""The span of one TextGenerationPipeline call: what goes into it, and when.

Prompts that are at hand are recorded before the call, those of an iterator or data set when they reach the model;
completions when the caller gets them. The span's end is the moment at which the call returns, or its iterator ends
(`_lazy.py`).
"""

from __future__ import annotations

from contextvars import ContextVar

from respan.instrumentation import CLIENT, suppressed

from ._asked import Asked, asked, kind_of
from ._content import MESSAGES_MAX, Transcript, answers_in, is_chat, prompts_in, put_finish_reasons
from ._lazy import Ending, follow, is_lazy
from ._measure import Measured
from ._model import model_attributes
from ._privacy import start_span
from ._quietly import quietly
from ._tokens import estimate, usage_attributes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextvars import Token
    from typing import Any

    from respan.instrumentation import Span

# The pipeline call that is at work here; of one that gives its results lazily, only within each step.
current: ContextVar[Call | None] = ContextVar("respan.huggingface.call", default=None)


def begin_call(pipeline: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call | None:
    """A call of TextGenerationPipeline."""
    call = _open(pipeline, args[0] if args else kwargs.get("text_inputs"), kwargs)
    if call is not None:
        call.start()
    return call


def begin_forward(pipeline: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Forward | None:
    """A call of TextGenerationPipeline._forward, whose tensors are read where generate() is not the one that is known."""
    call = current.get()
    if call is None:
        return None
    model_inputs = args[0] if args else kwargs.get("model_inputs")
    if call.awaits_prompts:
        quietly(call.add_prompts, model_inputs)
    return Forward(call, model_inputs)


class Forward:
    """One batch, on its way through the model."""

    __slots__ = ("_asks", "_generations", "_measured", "_model_inputs")

    def __init__(self, call: Call, model_inputs: Any) -> None:
        self._measured, self._asks, self._model_inputs = call.measured, call.asks, model_inputs
        self._generations = call.measured.generations

    def returned(self, outputs: Any) -> Any:
        asks = self._asks
        if self._measured.generations == self._generations and asks.ids is not None:
            self._measured.usage.measure(self._model_inputs, outputs, asks.ids, asks.otherwise)
        return outputs

    def raised(self, error: BaseException) -> None:
        """The call that this is a part of says so."""


class Call(Ending):
    """A call of the pipeline, and its span. It is told of the call's end (`_patch.Call`) or of its steps (`_lazy.Followed`)."""

    def __init__(self, span: Span, pipeline: Any, asks: Asked, inputs: Any, kwargs: dict[str, Any]) -> None:
        self.span, self.pipeline, self.asks = span, pipeline, asks
        self.measured = Measured(getattr(pipeline, "model", None), getattr(pipeline, "tokenizer", None))
        self.usage = self.measured.usage
        self._inputs, self._kwargs = inputs, kwargs
        self._prompts = prompts_in(inputs)
        self.awaits_prompts = self.measured.is_lazy = self._prompts is None
        self._transcript = Transcript(is_batch=self._prompts is None or len(self._prompts) > 1)
        self._reasons = 0  # so many completions have their reason for ending in the span
        self._token: Token[Call | None] | None = None

    def set_up(self, chat: bool) -> None:
        """What is known before the call."""
        span = self.span
        span.set_attributes(self.asks.attributes(chat))
        attributes: dict[str, Any] = {}
        if self._prompts is not None:
            quietly(self._add_prompts, self._prompts, attributes)
        if self.asks.tools and span.content:
            attributes.update(self.asks.tools)
        span.set_attributes(attributes)

    # ---- as a call ---------------------------------------------------------------------------------------

    def start(self) -> None:
        self._token = self.enter()

    def returned(self, result: Any) -> Any:
        self.leave(self._token)
        if is_lazy(result):
            quietly(self._follow, result)
        else:
            quietly(self._record_result, result)
            self.finish()
        return result

    def raised(self, error: BaseException) -> None:
        self.leave(self._token)
        self.fail(error)

    def _follow(self, iterator: Any) -> None:
        pipeline, kwargs = self.pipeline, self._kwargs
        self._inputs = None  # it may know the iterator, which would then never be let go
        follow(iterator, self, lambda: _open(pipeline, None, kwargs))

    # ---- as what follows an iterator ---------------------------------------------------------------------

    def enter(self) -> Token[Call | None]:
        self.span.enter()
        self.measured.start()
        return current.set(self)

    def leave(self, token: Any) -> None:
        self.span.stop()  # what is still to be recorded is not its time
        self.span.leave()
        current.reset(token)
        self.measured.stop()

    def item(self, result: Any) -> None:
        if self._transcript.completions == MESSAGES_MAX:
            return
        attributes: dict[str, Any] = {}
        self._add_answers([result], attributes)
        self._add_reasons(self._transcript.completions, attributes)
        self.span.set_attributes(attributes)

    # ---- what goes into the span -------------------------------------------------------------------------

    def _add_prompts(self, prompts: Any, to: dict[str, Any]) -> None:
        self._transcript.add_prompts(prompts, to if self.span.content else {})

    def add_prompts(self, model_inputs: Any) -> None:
        """Of one batch that is about to go through the model, where nobody knew them before."""
        prompts = model_inputs["prompt_text"]
        if not isinstance(prompts, (list, tuple)):  # of a batch it is a list, of texts or of Chat objects
            prompts = (prompts,)
        attributes: dict[str, Any] = {}
        if self._transcript.prompts == 0 and prompts and is_chat(prompts[0]):
            attributes.update(kind_of(True))
            self.span.update_name(self.asks.span_name(True))
        self._add_prompts(prompts, attributes)
        self.span.set_attributes(attributes)

    def _add_answers(self, results: list[Any], to: dict[str, Any]) -> None:
        """Of each of the next prompts."""
        self._transcript.add_results(results, to if self.span.content else {}, self._decode)

    def _decode(self, token_ids: Any) -> str:
        return str(self.pipeline.tokenizer.decode(token_ids, skip_special_tokens=True))

    def _add_reasons(self, count: int, to: dict[str, Any]) -> None:
        """Of the first so many completions."""
        reasons = self.usage.finish_reasons
        put_finish_reasons(reasons, self._reasons, min(count, len(reasons)), to)
        self._reasons = max(self._reasons, count)

    def _record_result(self, result: Any) -> None:
        attributes: dict[str, Any] = {}
        try:
            if not self.usage.measured:
                estimated = estimate(self.pipeline, self._inputs, result)
                if estimated is not None:
                    attributes.update(usage_attributes(*estimated, "estimated"))
            self._add_reasons(len(self.usage.finish_reasons), attributes)
            self._add_answers(answers_in(result, self._transcript.prompts), attributes)
        finally:
            self.span.set_attributes(attributes)

    def _record(self) -> None:
        attributes: dict[str, Any] = quietly(self.measured.attributes) or {}
        if self._transcript.is_batch:
            attributes["respan.batch.size"] = self._transcript.prompts
        model, tokenizer = getattr(self.pipeline, "model", None), getattr(self.pipeline, "tokenizer", None)
        self.span.set_attributes(attributes)
        self.span.set_attributes(quietly(model_attributes, model, tokenizer) or {})


def _open(pipeline: Any, inputs: Any, kwargs: dict[str, Any]) -> Call | None:
    if suppressed():
        return None
    options = kwargs if "text_inputs" not in kwargs else {k: v for k, v in kwargs.items() if k != "text_inputs"}
    asks, chat = asked(pipeline, options), is_chat(inputs)
    span = start_span(asks.span_name(chat), CLIENT)
    if span is None:
        return None
    call = Call(span, pipeline, asks, inputs, kwargs)
    quietly(call.set_up, chat)
    return call
