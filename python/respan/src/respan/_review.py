"""What looks at a span at its end: span_postprocess_callback, export_filter and sample_rate.

A reviewer is a function of the open `Span` that says whether to record it; see span_review in _core/core.h. A span that
has one costs more than others: its attributes are kept as Python objects until then.
"""

from __future__ import annotations

import re
from types import MappingProxyType, SimpleNamespace

from . import _watch
from ._log import warn_once

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from . import _core

    Reviewer = Callable[[_core.Span], bool]

STATUS = ("UNSET", "OK", "ERROR")


class ReadableSpan:
    """An ended span as span_postprocess_callback sees it: what most use of OpenTelemetry's ReadableSpan.

    `name` and `_attributes` may be changed; the exception event and the status may not.
    """

    def __init__(self, span: _core.Span) -> None:
        assert span.reviewed is not None
        self._span = span
        self._name, self._attributes, status = span.reviewed
        self.status = SimpleNamespace(
            status_code=SimpleNamespace(name=STATUS[status], value=status), is_ok=status != 2, description=None
        )
        self.context = SimpleNamespace(
            trace_id=int(span.trace_id, 16), span_id=int(span.span_id, 16), is_valid=True, is_remote=False
        )

    @property
    def attributes(self) -> Mapping[str, Any]:
        return MappingProxyType(self._attributes)

    @property
    def name(self) -> str:
        return self._name

    @name.setter
    def name(self, name: str) -> None:
        self._name = name

    def get_span_context(self) -> SimpleNamespace:
        return self.context


def callback_reviewer(callback: Callable[[Any], Any]) -> Reviewer:
    def review(span: _core.Span) -> bool:
        try:
            seen = ReadableSpan(span)
            kept, name = seen._attributes, seen.name
            callback(seen)
            if seen._attributes is not kept:  # it was replaced, not changed
                changed = dict(seen._attributes)
                kept.clear()
                kept.update(changed)
            if seen.name != name:
                span.update_name(seen.name)
        except Exception as error:  # it may be there to remove secrets: what it has not seen is not sent
            warn_once("span_postprocess_callback failed, and the span was dropped: %s", type(error).__name__)
            raise
        return True

    return review


def client_reviewer(callback: Callable[[Any], Any] | None, debug: bool) -> Reviewer:
    """A buffer that is open keeps the span back; else the callback, the tree on standard error, and who takes it."""
    change = callback_reviewer(callback) if callback is not None else None

    def review(span: _core.Span) -> bool:
        if _watch.buffered is not None and _watch.buffered(span):
            return False
        if change is not None and not change(span):
            return False
        facts = span.facts
        if facts is not None and debug:
            from ._debug import print_trace

            print_trace(facts)
        for take in _watch.takers:
            if facts is not None:
                take(facts)
        if facts is not None and _watch.record is not None:
            _watch.record({**facts, "attributes": dict(facts["attributes"]), "events": list(facts["events"])})
        return _watch.record is None

    return review


def sample_reviewer(rate: float) -> Reviewer:
    """Keeps that fraction of spans. Span ids are random: they are the dice."""
    return lambda span: int(span.span_id, 16) < rate * 2.0**64


def _number(value: Any) -> float:
    return float(value)


# operator -> (what the span has, what the filter says) -> bool; what cannot be compared does not match
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "": lambda has, wanted: bool(has == wanted),
    "not": lambda has, wanted: bool(has != wanted),
    "gt": lambda has, wanted: _number(has) > _number(wanted),
    "gte": lambda has, wanted: _number(has) >= _number(wanted),
    "lt": lambda has, wanted: _number(has) < _number(wanted),
    "lte": lambda has, wanted: _number(has) <= _number(wanted),
    "contains": lambda has, wanted: str(wanted) in str(has),
    "icontains": lambda has, wanted: str(wanted).lower() in str(has).lower(),
    "startswith": lambda has, wanted: str(has).startswith(str(wanted)),
    "endswith": lambda has, wanted: str(has).endswith(str(wanted)),
    "in": lambda has, wanted: has in wanted if isinstance(wanted, list) else has == wanted,
    "not_in": lambda has, wanted: has not in wanted if isinstance(wanted, list) else has != wanted,
    "regex": lambda has, wanted: re.search(str(wanted), str(has)) is not None,
}
WITHOUT_VALUE: dict[str, Callable[[Any, Any], bool]] = {
    "isnull": lambda has, wanted: (has is None) == bool(wanted),
    "empty": lambda has, _: has is None or has == "",
    "not_empty": lambda has, _: has is not None and has != "",
    "has_key": lambda has, _: has is not None,
}
ALIASES = {"eq": "", "equals": "", "==": "", "=": "", "ne": "not", "!=": "not", "<>": "not", "ilike": "icontains"}


def _matches(has: Any, condition: Mapping[str, Any]) -> bool:
    operator = str(condition.get("operator") or "").strip().lower()
    operator = ALIASES.get(operator, operator)
    wanted = condition.get("value")
    if isinstance(wanted, list) and len(wanted) == 1:
        wanted = wanted[0]
    elif isinstance(wanted, list) and operator == "":
        operator = "in"
    try:
        if operator in WITHOUT_VALUE:
            return WITHOUT_VALUE[operator](has, wanted)
        if has is None and operator not in ("", "not"):
            return False
        return OPERATORS[operator](has, wanted)
    except (KeyError, TypeError, ValueError, re.error):
        return False


def filter_reviewer(export_filter: Mapping[str, Any]) -> Reviewer:
    """Keeps the spans that meet every {attribute, "name" or "status_code": {"operator", "value"}}."""

    def review(span: _core.Span) -> bool:
        assert span.reviewed is not None
        name, attributes, status = span.reviewed
        fields = {**attributes, "name": name, "status_code": STATUS[status]}
        return all(_matches(fields.get(k), c) for k, c in export_filter.items() if isinstance(c, dict))

    return review


def entity_reviewer(export_filter: Any, sample_rate: Any) -> Reviewer | None:
    reviewers = []
    if isinstance(sample_rate, (int, float)) and sample_rate < 1:
        reviewers.append(sample_reviewer(sample_rate))
    if isinstance(export_filter, dict) and export_filter:
        reviewers.append(filter_reviewer(export_filter))
    if not reviewers:
        return None
    return lambda span: all(reviewer(span) for reviewer in reviewers)
