"""`get_client()`: reads and changes the current span from within traced code."""

from __future__ import annotations

from contextvars import ContextVar

from . import _core
from ._decorators import review_of
from ._propagate import span_attributes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

_values: ContextVar[dict[str, Any]] = ContextVar("respan.values", default={})  # noqa: B039 (replaced, never changed)

STATUS = {"UNSET": 0, "OK": 1, "ERROR": 2}


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
        from ._log import warn_once

        warn_once("a span could not be changed: %s", error)
        return False
    return True


class RespanClient:
    """Acts on the span that is current where it is called. The answer says whether it did: without such a span, or with
    arguments that make no sense (which is a warning, once), nothing happens."""

    def get_current_span(self) -> _core.Span | None:
        return _core.current_span()

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
                code = getattr(status, "status_code", status)
                code = getattr(code, "name", code)
                code = STATUS.get(code.upper(), 0) if isinstance(code, str) else code
                span.status(code, status_description or getattr(status, "description", None) or "")

        return _on_current_span(update)

    def add_event(self, name: str, attributes: Mapping[str, Any] | None = None, timestamp: int | None = None) -> bool:
        return _on_current_span(lambda span: span.event(name, _core.Scope({}, dict(attributes or {})), timestamp or 0))

    def record_exception(
        self,
        exception: BaseException,
        attributes: Mapping[str, Any] | None = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> bool:
        """attributes: of the span. timestamp: of the event, in nanoseconds. escaped: accepted, without effect."""

        def record(span: _core.Span) -> None:
            span.fail(exception, timestamp or 0)
            if attributes:
                span.set_attributes(dict(attributes))

        return _on_current_span(record)

    def get_context_value(self, key: str) -> Any:
        """What set_context_value() set in this context (a task's, or a thread's own); None if nothing."""
        return _values.get().get(key)

    def set_context_value(self, key: str, value: Any) -> bool:
        """From here on in this context, and in the tasks that it makes; not in others."""
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
        review = review_of(processors, export_filter, links, None)
        return (
            _core.Entity(_nothing, str(name), str(getattr(kind, "value", kind)), version, review).start() or _NoSpan()
        )

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
