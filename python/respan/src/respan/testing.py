"""Spans in memory, for tests: nothing is sent.

With pytest, ask for the fixture `respan_spans`: the list of spans that ended so far. Without:

    with record_spans() as spans:
        answer("…")
    assert [span["name"] for span in spans] == ["answer.workflow"]

A span is a dict of trace_id, span_id and parent_id (hex; "" for none), name, kind, start_ns, end_ns, status (0 unset, 1 ok,
2 error), status_message, attributes, events (dicts of name, time_ns and attributes) and
links (dicts of trace_id, span_id and attributes).
"""

from __future__ import annotations

from contextlib import contextmanager

from . import _core, _respan, _watch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

__all__ = ["record_spans"]

NOWHERE = "http://127.0.0.1:9/api"  # never asked: no span gets as far


@contextmanager
def record_spans(**options: Any) -> Iterator[list[dict[str, Any]]]:
    """The list grows as spans end, those of a Respan() made inside as well; `options` are those of Respan().

    The Respan that was current before is current again afterwards; those made inside are shut down.
    """
    spans: list[dict[str, Any]] = []

    def record(span: dict[str, Any]) -> None:
        spans.append({key: value for key, value in span.items() if key != "is_local_root"})

    before, outer = _core.current_client(), _watch.record
    opened = _respan.opened()
    _watch.record = record
    _watch.refresh()
    try:
        _respan.Respan(**{"base_url": NOWHERE, "is_auto_instrument": False, **options})
        yield spans
    finally:
        _watch.record = outer
        _watch.refresh()
        for respan in _respan.opened():
            if respan not in opened:
                respan.shutdown(0)
        if before is not None:
            before.use()
