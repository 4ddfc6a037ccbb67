"""A span as OpenTelemetry's users know it, on a span of ours. OpenTelemetry is not needed for it."""

from __future__ import annotations

import sys
from types import SimpleNamespace

from . import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

TRACEBACK_MAX = 32 << 10
CODES = {"UNSET": 0, "OK": 1, "ERROR": 2}
UNSET, OK, ERROR = 0, 1, 2


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, (str, bool, int, float, list, tuple)) else _core.to_json(value)


def attribute_scope(attributes: Mapping[str, Any] | None, core: _core.Span) -> _core.Scope:
    """Attributes of an event or a link of that span."""
    given = {str(key): _plain(value) for key, value in (attributes or {}).items()}
    if not core.content or core.mask is not None:
        given = {k: _seen(v, core) if _core.is_content(k) else v for k, v in given.items()}
    return _core.Scope({}, given)


def _seen(content: Any, core: _core.Span) -> Any:
    if not core.content or content is None:
        return None
    return core.masked(content if isinstance(content, str) else _core.to_json(content))


def add_link(core: _core.Span, context: Any, attributes: Mapping[str, Any] | None) -> None:
    """context: a SpanContext."""
    if context.is_valid:
        core.link(format(context.trace_id, "032x"), format(context.span_id, "016x"), attribute_scope(attributes, core))


def link_of(link: Any) -> tuple[Any, Mapping[str, Any]]:
    """(SpanContext, attributes) of an OpenTelemetry Link or a SpanLink, whose ids are hex."""
    context = getattr(link, "context", None)
    attributes = dict(getattr(link, "attributes", None) or {})
    if context is not None:
        return context, attributes
    if getattr(link, "timestamp", None):
        attributes["respan.link.timestamp"] = link.timestamp
    trace_id, span_id = int(str(link.trace_id), 16), int(str(link.span_id), 16)
    return SimpleNamespace(trace_id=trace_id, span_id=span_id, is_valid=bool(trace_id and span_id)), attributes


def link_all(core: _core.Span, links: Any) -> None:
    """links: an iterable of them, or a function that returns one. What is no link is left out, with a warning."""
    try:
        found: Any = links() if callable(links) else links
        for link in found:
            add_link(core, *link_of(link))
    except Exception as error:
        from ._log import warn_of_once

        warn_of_once(error, "links= of a span")


def status_of(status: Any, description: str | None = None) -> tuple[int, str]:
    """Code and message of a Status, a StatusCode, its name or its number."""
    code = getattr(status, "status_code", status)
    code = getattr(code, "name", code)
    code = CODES.get(code.upper(), UNSET) if isinstance(code, str) else code
    return code, description or getattr(status, "description", None) or ""


def describe(exception: BaseException, escaped: bool = False) -> dict[str, str]:
    """The attributes of an `exception` event."""
    import traceback

    kind = type(exception)
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return {
        "exception.type": f"{module}{kind.__qualname__}",
        "exception.message": str(exception),
        "exception.stacktrace": "".join(traceback.format_exception(exception))[-TRACEBACK_MAX:],
        "exception.escaped": str(escaped),
    }


class Span:
    """What get_client() gives: the methods of OpenTelemetry's Span, and whatever else `_core.Span` has."""

    def __init__(self, core: _core.Span) -> None:
        self.respan_span = core
        self._is_ok = False

    def get_span_context(self) -> Any:
        core = self.respan_span
        return SimpleNamespace(
            trace_id=int(core.trace_id, 16),
            span_id=int(core.span_id, 16),
            is_valid=True,
            is_remote=False,
            trace_flags=1,
            trace_state={},
        )

    def is_recording(self) -> bool:
        return self.respan_span.recording

    def set_attribute(self, key: str, value: Any) -> None:
        self.respan_span.set_attribute(str(key), value)

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        self.respan_span.set_attributes(dict(attributes))

    def add_event(self, name: str, attributes: Mapping[str, Any] | None = None, timestamp: int | None = None) -> None:
        core = self.respan_span
        core.event(str(name), attribute_scope(attributes, core), timestamp or 0)

    def add_link(self, context: Any, attributes: Mapping[str, Any] | None = None) -> None:
        add_link(self.respan_span, context, attributes)

    def update_name(self, name: str) -> None:
        self.respan_span.update_name(str(name))

    def set_status(self, status: Any, description: str | None = None) -> None:
        """OK is final, and unset sets nothing, as in OpenTelemetry's SDK."""
        code, message = status_of(status, description)
        if self._is_ok or code == UNSET:
            return
        self._is_ok = code == OK
        self.respan_span.status(code, message if self.respan_span.content else "")

    def record_exception(
        self,
        exception: BaseException,
        attributes: Mapping[str, Any] | None = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        if self.respan_span.recording:
            self.add_event("exception", {**describe(exception, escaped), **(attributes or {})}, timestamp)

    def end(self, end_time: int | None = None) -> None:
        self.respan_span.end(end_time or 0)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.respan_span, name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Span) and other.respan_span is self.respan_span

    def __hash__(self) -> int:
        return hash(self.respan_span)


class Opened(Span):
    """with Opened(core) as span: current inside; ends on exit, with the exception if there is one."""

    def __enter__(self) -> Any:
        self.respan_span.enter()
        return view(self.respan_span)

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        self.respan_span.__exit__(kind, error, traceback)


def view(core: _core.Span) -> Any:
    """That span; where the program uses OpenTelemetry, as an instance of its class too."""
    if "opentelemetry.trace" not in sys.modules:
        return Span(core)
    from ._otel import Span as OpenTelemetrySpan

    return OpenTelemetrySpan(core)
