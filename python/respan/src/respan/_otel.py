"""A TracerProvider of OpenTelemetry's on our spans. Imported once somebody else has imported `opentelemetry.trace`.

One provider serves every Respan of the process, since OpenTelemetry lets its own be set once: its spans go where all new
spans go, to the newest Respan. `respan_span` is what our spans, and those of a joined SDK, have in common: the
`_core.Span` below them.
"""

from __future__ import annotations

from opentelemetry import context as context_api
from opentelemetry import trace
from opentelemetry.trace import SpanContext, SpanKind, StatusCode, TraceFlags
from opentelemetry.util._decorator import _agnosticcontextmanager

from . import _core, _otel_context, _span
from ._readable import record, scope_attributes
from ._span import add_link
from .instrumentation import replaced_scopes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from opentelemetry.context.context import Context

SUPPRESSING = {"suppress_instrumentation", getattr(context_api, "_SUPPRESS_INSTRUMENTATION_KEY", "")}


class Span(_span.Span, trace.Span):
    """An OpenTelemetry span that is one of ours. Also stands for a decorated function's where OpenTelemetry asks."""

    def __init__(
        self, core: _core.Span, trace_state: Any = None, record_exception: bool = True, set_status: bool = True
    ) -> None:
        super().__init__(core)
        self._trace_state = trace_state
        self._context: SpanContext | None = None
        self._record_exception, self._set_status = record_exception, set_status

    def get_span_context(self) -> SpanContext:
        if self._context is None:
            core = self.respan_span
            self._context = SpanContext(
                int(core.trace_id, 16), int(core.span_id, 16), False, TraceFlags(TraceFlags.SAMPLED), self._trace_state
            )
        return self._context

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        if isinstance(error, Exception) and self.is_recording():
            if self._record_exception:
                self.record_exception(error)
            if self._set_status:
                self.set_status(StatusCode.ERROR, f"{type(error).__name__}: {error}")
        self.end()


class Unrecorded(trace.NonRecordingSpan):
    """What is given where no span is to be made: what starts under it lies under its parent."""

    def __init__(self, above: SpanContext, parent: _core.Span | None) -> None:
        super().__init__(above)
        self.respan_span = parent


class Tracer(trace.Tracer):
    def __init__(self, name: str, version: str | None) -> None:
        self._name = name
        self._scope = scope_attributes(name, version)

    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Mapping[str, Any] | None = None,
        links: Sequence[trace.Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> trace.Span:
        if context is None:
            context = context_api.get_current()
        above = trace.get_current_span(context)
        above_context, parent = above.get_span_context(), _otel_context.core_of(above)
        if self._is_silent(context) or (above_context.is_valid and not above_context.trace_flags.sampled):
            return Unrecorded(above_context, parent)
        core = _core.start_span(str(name), kind.value + 1, parent, start_time or 0)
        if core is None:  # tracing is off
            return Unrecorded(above_context, parent)
        core.set_attributes(self._scope)
        if attributes:
            core.set_attributes(dict(attributes))
        for link in links or ():
            add_link(core, link.context, link.attributes)
        return Span(core, above_context.trace_state, record_exception, set_status_on_exception)

    def _is_silent(self, context: Context) -> bool:
        return self._name in replaced_scopes or any(context.get(key) for key in SUPPRESSING)

    @_agnosticcontextmanager
    def start_as_current_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Mapping[str, Any] | None = None,
        links: Sequence[trace.Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
        end_on_exit: bool = True,
    ) -> Iterator[trace.Span]:
        span = self.start_span(name, context, kind, attributes, links, start_time)
        with trace.use_span(span, end_on_exit, record_exception, set_status_on_exception):
            yield span


class _Processor:
    """Takes ended spans that plugins of PyPI's `respan-ai` make as ReadableSpans and hand to the provider."""

    def on_end(self, span: Any) -> None:
        record(span)


class TracerProvider(trace.TracerProvider):
    _active_span_processor = _Processor()

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Mapping[str, Any] | None = None,
    ) -> Tracer:
        return Tracer(instrumenting_module_name, instrumenting_library_version)

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        from ._respan import flush

        return flush(timeout_millis / 1000)


PROVIDER = TracerProvider()


def install() -> None:
    """Makes ours the process's provider, unless it has another; the current span is shared either way."""
    _otel_context.share_current_span(Span)
    current = trace.get_tracer_provider()
    if isinstance(current, trace.ProxyTracerProvider):
        trace.set_tracer_provider(PROVIDER)
    elif current is not PROVIDER:
        from ._log import warn_once

        warn_once(
            "another OpenTelemetry tracer provider is set: of its spans none reach Respan, but for those of "
            "`instrumentations`; Respan(tracer_provider=…) joins it"
        )
