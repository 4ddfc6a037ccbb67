"""`get_client().get_span_buffer(…)`: spans wait in a list until the block is left, and may be looked at or dropped."""

from __future__ import annotations

from contextvars import ContextVar
from threading import RLock

from . import _core, _watch
from ._readable import readable, record
from ._span import link_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

SENTINEL = "0000000000000001"  # a parent that is nowhere: spans without one join the trace that was asked for
_active: ContextVar[SpanBuffer | None] = ContextVar("respan.buffer", default=None)


def _take(span: _core.Span) -> bool:
    buffer = _active.get()
    if buffer is None:
        return False
    facts = span.facts
    return facts is not None and buffer._keep(facts)


def is_continuing() -> bool:
    """Whether a buffer is open that goes on below a span of before: then client.start_span() makes none."""
    buffer = _active.get()
    return buffer is not None and buffer._parent is not None and buffer._parent[1] != SENTINEL


class SpanBuffer:
    """with get_client().get_span_buffer(trace_id) as buffer: spans that end inside wait in it; then they are sent.

    trace_id: of spans without a parent, if it is one (32 hex digits). parent_trace_id, parent_span_id: of a span of
    before, also of another process, below which they lie instead. Each span is recorded once, however often it is asked.
    """

    def __init__(self, trace_id: str, parent_trace_id: str | None = None, parent_span_id: str | None = None) -> None:
        self.trace_id = trace_id
        self._parent: tuple[str, str] | None = None
        if parent_trace_id and parent_span_id:
            self._parent = (parent_trace_id.lower(), parent_span_id.lower())
        self._lock = RLock()
        self._spans: list[Any] = []
        self._is_buffering = False
        self._outer: list[tuple[SpanBuffer | None, _core.Span | None]] = []

    def __enter__(self) -> SpanBuffer:
        current = _core.current_span()
        if self._parent is None and current is None and len(str(self.trace_id)) == 32:
            self._parent = (str(self.trace_id).lower(), SENTINEL)
        self._outer.append((_active.get(), current))
        if self._parent is not None:
            try:
                _core.swap_span(_core.remote_span(*self._parent))
            except MemoryError:
                pass  # the spans lie where they would without it
        _active.set(self)
        self._is_buffering = True
        _watch.open_buffers += 1
        _watch.buffered = _take
        _watch.refresh()
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._is_buffering = False
        self.process_spans()
        buffer, span = self._outer.pop()
        _active.set(buffer)
        _core.restore_span(span)
        _watch.open_buffers -= 1
        _watch.refresh()

    def _keep(self, facts: dict[str, Any]) -> bool:
        with self._lock:
            if self._is_buffering:
                self.buffer_span(readable(facts, {}))
                return True
        return False

    def create_span(
        self,
        span_name: str,
        attributes: Mapping[str, Any] | None = None,
        kind: Any = None,
        links: Iterable[Any] | None = None,
    ) -> str:
        """A span that starts and ends now, below the current one; its id."""
        core = _core.start_span(str(span_name), 1 if kind is None else kind.value + 1)
        if core is None:
            return ""
        core.set_attributes(dict(attributes or {}))
        if links:
            link_all(core, links)
        core.end()
        return core.span_id

    def buffer_span(self, span: Any) -> bool:
        """Adds an ended span; False if it is there."""
        with self._lock:
            known = {one.get_span_context().span_id for one in self._spans}
            if span.get_span_context().span_id in known:
                return False
            self._spans.append(span)
        return True

    def get_all_spans(self) -> list[Any]:
        with self._lock:
            return list(self._spans)

    def get_span_count(self) -> int:
        with self._lock:
            return len(self._spans)

    def clear_spans(self) -> None:
        """Forgets them: they are not sent."""
        with self._lock:
            self._spans.clear()

    def process_spans(self, tracer_provider: Any = None) -> int:
        """Records what waits, and says how many that were."""
        return process(self.get_all_spans())


def process(spans: Iterable[Any]) -> int:
    """Records each ended span, unless it was; those that there are."""
    count = 0
    for span in spans:
        count += 1
        if getattr(span, "_is_recorded_by_respan", False):
            continue
        try:
            scope = _core.swap_scope(None)  # it has the attributes of when it ended
        except MemoryError:
            _core.lose()
            continue
        try:
            if record(span):
                span._is_recorded_by_respan = True
        finally:
            _core.restore_scope(scope)
    return count
