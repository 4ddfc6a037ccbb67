"""One current span for OpenTelemetry's context and for ours, whichever of them was entered last.

OpenTelemetry keeps its current span in its Context, ours is `_core`'s context variable. What attaches a Context makes its
span ours too, until the Context is detached; who asks for the current Context finds in it the span that was entered
since. So a decorated function inside an OpenTelemetry span is its child, and the other way round, also where _carry.py
takes ours along.
"""

from __future__ import annotations

from opentelemetry import context as context_api
from opentelemetry.context.context import Context
from opentelemetry.trace.propagation import _SPAN_KEY

from . import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from opentelemetry.trace import SpanContext


def hex_ids(context: SpanContext) -> tuple[str, str]:
    return format(context.trace_id, "032x"), format(context.span_id, "016x")


def core_of(span: Any) -> _core.Span | None:
    """Ours below an OpenTelemetry span; one that stands for it, if it is another tracer's; None for none."""
    core: _core.Span | None = getattr(span, "respan_span", None)
    if core is not None or span is None or hasattr(span, "respan_span"):  # has None: a root that is not ours to record
        return core
    context = span.get_span_context()
    if not context.is_valid:
        return None
    return _core.remote_span(*hex_ids(context))


def set_value(key: str, value: Any) -> None:
    """Attaches a Context that is never detached; it holds nothing but what was attached so, and not our current span."""
    runtime = context_api._RUNTIME_CONTEXT
    own = type(runtime)  # below share_current_span()
    own.attach(runtime, context_api.set_value(key, value, own.get_current(runtime)))


class _Token:
    __slots__ = ("previous", "token")

    def __init__(self, token: Any, previous: _core.Span | None) -> None:
        self.token, self.previous = token, previous


def share_current_span(span_type: Callable[[_core.Span], Any]) -> None:
    """Changes the runtime context itself: others may hold it. It stays so: tokens of it may be around."""
    runtime = context_api._RUNTIME_CONTEXT
    if "attach" in vars(runtime):
        return
    attach, detach, get_current = runtime.attach, runtime.detach, runtime.get_current

    def attach_both(context: Context) -> Any:
        token = attach(context)
        previous = _core.current_span()
        try:
            _core.swap_span(core_of(context.get(_SPAN_KEY)))
        except MemoryError:
            pass
        return _Token(token, previous)

    def detach_both(token: Any) -> None:
        if not isinstance(token, _Token):  # of before
            detach(token)
            return
        detach(token.token)  # raises in another context than the one that attached; nothing is to be put back there
        _core.restore_span(token.previous)

    def get_innermost() -> Context:
        context = get_current()
        span = _core.current_span()
        if span is None:
            return context
        known = context.get(_SPAN_KEY)
        core = getattr(known, "respan_span", None)
        if core is span or (core is None and known is not None and _has_id(known, span)):
            return context
        return Context({**context, _SPAN_KEY: span_type(span)})

    runtime.get_current = get_innermost  # type: ignore[method-assign]
    runtime.detach = detach_both  # type: ignore[method-assign]
    runtime.attach = attach_both  # type: ignore[method-assign]


def _has_id(known: Any, span: _core.Span) -> bool:
    return bool(known.get_span_context().span_id == int(span.span_id, 16))
