"""Respan(tracer_provider=…): what the tracers of an OpenTelemetry SDK record comes to Respan too, with its own ids."""

from __future__ import annotations

from weakref import WeakSet, WeakValueDictionary

from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor

from . import _core
from ._otel import Span
from ._otel_context import core_of, hex_ids, share_current_span
from ._readable import fill
from .instrumentation import replaced_scopes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_joined: WeakSet[Any] = WeakSet()


class _Copier(SpanProcessor):
    """Opens a span of ours with each of the SDK's, so that it has the attributes in scope and can be a parent, and fills
    it in at the end. It hangs on the SDK's span; at the end, when the SDK shows a copy of that, it is found by id."""

    def __init__(self) -> None:
        self._open: WeakValueDictionary[int, Any] = WeakValueDictionary()

    def on_start(self, span: Any, parent_context: Any = None) -> None:
        context = span.get_span_context()
        parent = core_of(trace.get_current_span(parent_context)) if span.parent is not None else None
        scope = span.instrumentation_scope
        if scope is not None and scope.name in replaced_scopes:
            span.respan_span = parent  # a plugin of ours makes this span: what is below it is below ours
            return
        core = _core.start_span(span.name, span.kind.value + 1, parent, span.start_time)
        if core is not None:
            core.adopt(*hex_ids(context))
            span.respan_span = core
            self._open[context.span_id] = span

    def on_end(self, span: Any) -> None:
        opened = self._open.pop(span.get_span_context().span_id, None)
        if opened is None:
            return
        core: _core.Span = opened.respan_span
        fill(core, span)
        core.end(span.end_time)


def join(provider: Any) -> None:
    if provider not in _joined:
        provider.add_span_processor(_Copier())
        _joined.add(provider)
    share_current_span(Span)
