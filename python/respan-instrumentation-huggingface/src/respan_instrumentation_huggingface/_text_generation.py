"""The span of one TextGenerationPipeline call: what goes into it, and when.

The call itself is run exactly as it would be untraced: same arguments, same result object, same exceptions. What is
recorded is read before it and after it, each within `_quietly`; the span's end is the moment the call returns.
"""

from __future__ import annotations

from contextvars import ContextVar

from respan.instrumentation import CLIENT, OK, start_span, suppressed

from ._content import completions_of, finish_reason_key, is_chat, prompts_of
from ._parameters import model_name, parameters_of
from ._tokens import Usage, estimate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from respan.instrumentation import Span

    Report = Callable[[Exception], None]

_usage: ContextVar[Usage | None] = ContextVar("respan.huggingface.usage", default=None)


def traced_call(
    original: Callable[..., Any], pipeline: Any, args: tuple[Any, ...], kwargs: dict[str, Any], report: Report
) -> Any:
    """Around TextGenerationPipeline.__call__."""
    inputs = args[0] if args else kwargs.get("text_inputs")
    span = _quietly(report, _open, pipeline, inputs, kwargs)
    if span is None:
        return original(pipeline, *args, **kwargs)
    usage = Usage()
    token = _usage.set(usage)
    with span:
        try:
            result = original(pipeline, *args, **kwargs)
        finally:
            span.stop()
            _usage.reset(token)
            _quietly(report, _record_usage, span, usage)
        _quietly(report, _record_result, span, pipeline, usage, inputs, result)
        return result


def traced_forward(
    original: Callable[..., Any], pipeline: Any, args: tuple[Any, ...], kwargs: dict[str, Any], report: Report
) -> Any:
    """Around TextGenerationPipeline._forward: the one place where the model's tensors are seen."""
    outputs = original(pipeline, *args, **kwargs)
    usage = _usage.get()
    if usage is not None:
        model_inputs = args[0] if args else kwargs.get("model_inputs")
        _quietly(report, usage.measure, pipeline, model_inputs, outputs, kwargs)
    return outputs


def _quietly(report: Report, function: Callable[..., Any], *args: Any) -> Any:
    """Tracing's own exceptions end here."""
    try:
        return function(*args)
    except Exception as error:
        report(error)
        return None


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
    try:
        attributes.update(parameters_of(pipeline, kwargs))
        if span.content:
            attributes.update(prompts_of(inputs))
    finally:
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
