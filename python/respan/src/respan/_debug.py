"""RESPAN_DEBUG=1: each trace as a tree on standard error, once its root has ended."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TRACES_MAX, SPANS_MAX = (
    1000,
    10_000,
)  # kept while their roots are open; beyond that the oldest, and the newest, are left out

_waiting: dict[str, list[dict[str, Any]]] = {}
_printed: dict[str, None] = {}


def _line(span: dict[str, Any]) -> str:
    line = f"{span['name']}  {max(0, span['end_ns'] - span['start_ns']) / 1e6:.1f} ms"
    if span["status"] == 2:
        message = str(span["status_message"]).partition("\n")[0][:200]
        line += f"  ERROR {message}".rstrip()
    return line


def tree(spans: list[dict[str, Any]]) -> str:
    """One line a span, in order of their starts, each below its parent; one whose parent is not there is a root."""
    known = {span["span_id"] for span in spans}
    below: dict[str, list[dict[str, Any]]] = {}
    for span in sorted(spans, key=lambda span: span["start_ns"], reverse=True):
        below.setdefault(span["parent_id"] if span["parent_id"] in known else "", []).append(span)
    lines = []
    todo = [("", "", "", span) for span in below.get("", ())]
    while todo:  # no recursion: a trace may be as deep as it likes
        indent, branch, stem, span = todo.pop()
        lines.append(f"  {indent}{branch}{_line(span)}")
        for later, child in enumerate(below.get(span["span_id"], ())):
            todo.append((indent + stem, "├─ " if later else "└─ ", "│  " if later else "   ", child))
    return "\n".join(lines)


def _print(trace_id: str, spans: list[dict[str, Any]]) -> None:
    text = f"respan: trace {trace_id}\n{tree(spans)}\n"
    try:
        sys.stderr.write(text.encode(sys.stderr.encoding or "utf-8", "replace").decode(sys.stderr.encoding or "utf-8"))
    except (AttributeError, OSError, ValueError):  # closed, or none: it was only a help
        pass


def print_trace(span: dict[str, Any]) -> None:
    """Takes each span at its end."""
    trace_id = span["trace_id"]
    spans = _waiting.setdefault(trace_id, [])
    if len(spans) < SPANS_MAX or span["is_local_root"]:
        spans.append(span)
    if span["is_local_root"] or trace_id in _printed:  # the latter: it ended after its root
        _print(trace_id, _waiting.pop(trace_id, [span]))
        _printed[trace_id] = None
    for remembered in (_waiting, _printed):
        if len(remembered) > TRACES_MAX:
            remembered.pop(next(iter(remembered)), None)
