"""`get_client()`: reads and changes the current span from within traced code."""

from __future__ import annotations

import sys
from contextvars import ContextVar

from . import _core
from ._decorators import opened_of, review_of
from ._propagate import span_attributes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from ._buffer import SpanBuffer

_opentelemetry: bool | None = None
_values: ContextVar[dict[str, Any]] = ContextVar("respan.values", default={})  # noqa: B039 (replaced, never changed)


def _has_opentelemetry() -> bool:
    """Asks the file system once; importing it is left to who needs it."""
    global _opentelemetry
    if _opentelemetry is None:
        from importlib.util import find_spec

        try:
            _opentelemetry = find_spec("opentelemetry.context") is not None
        except ImportError:
            _opentelemetry = False
    return _opentelemetry


def _nothing() -> None:
    pass


class _NoSpan:
    """Stands for a span while tracing is off: whatever is called on it, nothing happens."""

    trace_id = span_id = ""
    recording = content = False

    def __enter__(self) -> _NoSpan:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None


def _on_current_span(change: Callable[[_core.Span], None]) -> bool:
    span = _core.current_span()
    if span is None or not span.recording:
        return False
    try:
        change(span)
    except Exception as error:  # what a program says about its span must not stop it
        from ._log import warn_of_once

        warn_of_once(error, "a span could not be changed")
        return False
    return True


class RespanClient:
    """Acts on the span that is current where it is called. The answer says whether it did: without such a span, or with
    arguments that make no sense (which is a warning, once), nothing happens."""

    def get_current_span(self) -> Any:
        """A span with the methods of OpenTelemetry's (its class, where the program uses that); None outside spans."""
        span = _core.current_span()
        if span is None:
            return None
        from ._span import view

        return view(span)

    def get_current_trace_id(self) -> str | None:
        span = _core.current_span()
        return span.trace_id if span is not None else None

    def get_current_span_id(self) -> str | None:
        span = _core.current_span()
        return span.span_id if span is not None else None

    def is_recording(self) -> bool:
        span = _core.current_span()
        return span is not None and span.recording

    def update_current_span(
        self,
        respan_params: Mapping[str, Any] | None = None,
        attributes: Mapping[str, Any] | None = None,
        status: Any = None,
        status_description: str | None = None,
        name: str | None = None,
    ) -> bool:
        """respan_params: as in propagate_attributes(), for this span alone. status: "OK", "ERROR", 0 to 2, or an enum
        member of such a name or value."""

        def update(span: _core.Span) -> None:
            if name:
                span.update_name(name)
            if respan_params:
                span.set_attributes(span_attributes(respan_params))
            if attributes:
                span.set_attributes(dict(attributes))
            if status is not None:
                from ._span import status_of

                code, message = status_of(status, status_description)
                span.status(code, message if span.content else "")

        return _on_current_span(update)

    def add_event(self, name: str, attributes: Mapping[str, Any] | None = None, timestamp: int | None = None) -> bool:
        from ._span import attribute_scope

        return _on_current_span(lambda span: span.event(name, attribute_scope(attributes, span), timestamp or 0))

    def record_exception(
        self,
        exception: BaseException,
        attributes: Mapping[str, Any] | None = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> bool:
        """As an event, and the span becomes an error. attributes: further ones of the event. timestamp: in nanoseconds."""

        def record(span: _core.Span) -> None:
            from ._span import ERROR, Span

            Span(span).record_exception(exception, attributes, timestamp, escaped)
            span.status(ERROR, (str(exception) if span.content else "") or type(exception).__name__)

        return _on_current_span(record)

    def get_context_value(self, key: str) -> Any:
        """Of OpenTelemetry's context where that is installed, else what set_context_value() set in this one; or None."""
        if _has_opentelemetry():
            from opentelemetry.context import get_value

            return get_value(key)
        return _values.get().get(key)

    def set_context_value(self, key: str, value: Any) -> bool:
        """From here on in this context (a thread's own, or a task's), and in the tasks that it makes; not in others."""
        if _has_opentelemetry():
            from ._otel_context import set_value

            set_value(key, value)
        else:
            _values.set({**_values.get(), key: value})
        return True

    def start_span(
        self,
        name: str,
        kind: str = "task",
        processors: object = None,
        export_filter: Mapping[str, Any] | None = None,
        links: object = None,
        version: int | str | None = None,
    ) -> Any:
        """with client.start_span("step") as span: what the decorators do, for a name or kind known only at run time."""
        buffer = sys.modules.get("respan._buffer")
        if buffer is not None and buffer.is_continuing():
            return _NoSpan()  # the span that it would make was made before
        review, opened = review_of(export_filter, None), opened_of(processors, links)
        try:
            span = _core.Entity(_nothing, str(name), str(getattr(kind, "value", kind)), version, review, opened).start()
        except MemoryError:
            span = None
            _core.lose()
        if span is None:
            return _NoSpan()
        from ._span import Opened

        return Opened(span)

    def get_span_buffer(
        self, trace_id: str, parent_trace_id: str | None = None, parent_span_id: str | None = None
    ) -> SpanBuffer:
        """with client.get_span_buffer(trace_id) as buffer: spans that end inside wait in it until the block is left."""
        from ._buffer import SpanBuffer

        return SpanBuffer(trace_id, parent_trace_id, parent_span_id)

    def process_spans(self, spans: SpanBuffer | Iterable[Any]) -> bool:
        """Records ended spans: those of a buffer, or OpenTelemetry's. True, unless a buffer was empty."""
        from ._buffer import SpanBuffer, process

        if isinstance(spans, SpanBuffer):
            return spans.process_spans() > 0
        process(spans)
        return True

    def get_tracer(self) -> Any:
        """An OpenTelemetry tracer of ours. ImportError where opentelemetry-api is not installed."""
        from ._otel import PROVIDER

        return PROVIDER.get_tracer("respan", _core.version)

    def flush(self) -> None:
        from ._respan import flush

        flush()


_client = RespanClient()


def get_client() -> RespanClient:
    return _client


class respan_span_attributes:  # noqa: N801 (used like a function)
    """with respan_span_attributes({"customer_identifier": "…"}): sets them on the span that is current at entry."""

    __slots__ = ("_params",)

    def __init__(self, respan_params: Mapping[str, Any]) -> None:
        self._params = respan_params

    def __enter__(self) -> None:
        _client.update_current_span(respan_params=self._params)

    def __exit__(self, *_: object) -> None:
        pass
