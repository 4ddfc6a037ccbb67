"""The span of one TextGenerationPipeline call: what goes into it, and when.

What is recorded is read before the call and after it; the span's end is the moment the call returns.
"""

from __future__ import annotations

from contextvars import ContextVar

from respan.instrumentation import CLIENT, OK, start_span, suppressed

from ._content import completions_of, finish_reason_key, is_chat, prompts_of
from ._parameters import model_name, parameters_of
from ._quietly import quietly
from ._tokens import Usage, estimate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from respan.instrumentation import Span

_usage: ContextVar[Usage | None] = ContextVar("respan.huggingface.usage", default=None)


def begin_call(pipeline: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call | None:
    """A call of TextGenerationPipeline."""
    inputs = args[0] if args else kwargs.get("text_inputs")
    span = _open(pipeline, inputs, kwargs)
    return None if span is None else Call(span, pipeline, inputs)


class Call:
    """A call of the pipeline inside its span."""

    def __init__(self, span: Span, pipeline: Any, inputs: Any) -> None:
        self.span, self.pipeline, self.inputs = span, pipeline, inputs
        self.usage = Usage()
        self._token = _usage.set(self.usage)
        span.__enter__()

    def returned(self, result: Any) -> Any:
        self._stop()
        quietly(_record_result, self.span, self.pipeline, self.usage, self.inputs, result)
        self.span.__exit__(None, None, None)
        return result

    def raised(self, error: BaseException) -> None:
        self._stop()
        self.span.__exit__(type(error), error, error.__traceback__)

    def _stop(self) -> None:
        """That was the call itself; what is still to be recorded is not its time."""
        self.span.stop()
        _usage.reset(self._token)
        quietly(_record_usage, self.span, self.usage)


def begin_forward(pipeline: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Forward | None:
    """A call of TextGenerationPipeline._forward, the one place where the model's tensors are seen."""
    usage = _usage.get()
    if usage is None:
        return None
    return Forward(usage, pipeline, args[0] if args else kwargs.get("model_inputs"), kwargs)


class Forward:
    """One batch, on its way through the model."""

    def __init__(self, usage: Usage, pipeline: Any, model_inputs: Any, kwargs: dict[str, Any]) -> None:
        self.usage, self.pipeline, self.model_inputs, self.kwargs = usage, pipeline, model_inputs, kwargs

    def returned(self, outputs: Any) -> Any:
        self.usage.measure(self.pipeline, self.model_inputs, outputs, self.kwargs)
        return outputs

    def raised(self, error: BaseException) -> None:
        """The call that this is a part of says so."""


def _open(pipeline: Any, inputs: Any, kwargs: dict[str, Any]) -> Span | None:
    if suppressed():
        return None
    chat = is_chat(inputs)
    operation = "chat" if chat else "text_completion"
    model = model_name(pipeline)
    span = start_span(f"{operation} {model}" if model else operation, CLIENT)
    if span is None:
        return None
    attributes: dict[str, Any] = {
        "respan.entity.log_type": "chat" if chat else "text",
        "llm.request.type": "chat" if chat else "completion",
        "gen_ai.operation.name": operation,
        "gen_ai.system": "huggingface",
        "gen_ai.request.model": model,
        "gen_ai.response.model": model,
    }
    attributes.update(quietly(parameters_of, pipeline, kwargs) or {})
    if span.content:
        attributes.update(quietly(prompts_of, inputs) or {})
    span.set_attributes(attributes)
    return span


def _record_usage(span: Span, usage: Usage) -> None:
    if usage.measured:
        _set_usage(span, usage.prompt_tokens, usage.completion_tokens, "measured")


def _record_result(span: Span, pipeline: Any, usage: Usage, inputs: Any, result: Any) -> None:
    span.status(OK)
    for index, reason in enumerate(usage.finish_reasons):
        span.set_attribute(finish_reason_key(index), reason)
    if span.content:
        span.set_attributes(completions_of(result))
    if not usage.measured:
        estimated = estimate(pipeline, inputs, result)
        if estimated is not None:
            _set_usage(span, *estimated, "estimated")


def _set_usage(span: Span, prompt_tokens: int, completion_tokens: int, source: str) -> None:
    span.set_attributes(
        {
            "gen_ai.usage.input_tokens": prompt_tokens,
            "gen_ai.usage.output_tokens": completion_tokens,
            "gen_ai.usage.prompt_tokens": prompt_tokens,
            "gen_ai.usage.completion_tokens": completion_tokens,
            "llm.usage.total_tokens": prompt_tokens + completion_tokens,
            "respan.usage.source": source,
        }
    )
