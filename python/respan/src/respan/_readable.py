"""Ended spans as objects: ours as OpenTelemetry's ReadableSpan, and a ReadableSpan as one of ours."""

from __future__ import annotations

import json
from types import SimpleNamespace

from . import _core
from ._span import CODES, add_link, attribute_scope

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

KINDS = ("INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
STATUS = tuple(CODES)


class EndedSpan(SimpleNamespace):
    """Stands for OpenTelemetry's ReadableSpan where its SDK is not installed: the same names."""

    def get_span_context(self) -> Any:
        return self.context

    def to_json(self, indent: int | None = 4) -> str:
        return json.dumps(self, default=lambda value: getattr(value, "__dict__", str(value)), indent=indent)


def _plain_context(trace_id: str, span_id: str) -> Any:
    return SimpleNamespace(
        trace_id=int(trace_id, 16),
        span_id=int(span_id, 16),
        is_valid=True,
        is_remote=False,
        trace_flags=1,
        trace_state={},
    )


def _plain(facts: Mapping[str, Any], resource: Mapping[str, Any]) -> Any:
    trace_id = facts["trace_id"]
    return EndedSpan(
        name=facts["name"],
        context=_plain_context(trace_id, facts["span_id"]),
        parent=_plain_context(trace_id, facts["parent_id"]) if facts["parent_id"] else None,
        kind=SimpleNamespace(name=KINDS[facts["kind"] - 1], value=facts["kind"] - 1),
        start_time=facts["start_ns"],
        end_time=facts["end_ns"],
        status=SimpleNamespace(
            status_code=SimpleNamespace(name=STATUS[facts["status"]], value=facts["status"]),
            is_ok=facts["status"] != CODES["ERROR"],
            description=facts["status_message"] or None,
        ),
        attributes=dict(facts["attributes"]),
        events=[
            SimpleNamespace(name=event["name"], timestamp=event["time_ns"], attributes=event["attributes"])
            for event in facts["events"]
        ],
        links=[
            SimpleNamespace(context=_plain_context(link["trace_id"], link["span_id"]), attributes=link["attributes"])
            for link in facts["links"]
        ],
        resource=SimpleNamespace(attributes=dict(resource), schema_url=""),
        instrumentation_scope=SimpleNamespace(name="respan", version=_core.version),
    )


def readable(facts: Mapping[str, Any], resource: Mapping[str, Any]) -> Any:
    """An ended span of ours. Of OpenTelemetry's class where its SDK is installed: exporters may insist on it."""
    plain = _plain(facts, resource)
    try:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import Event, ReadableSpan
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope
        from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags
    except ImportError:
        return plain

    def context(of: Any) -> Any:
        return SpanContext(of.trace_id, of.span_id, of.is_remote, TraceFlags(TraceFlags.SAMPLED))

    return ReadableSpan(
        name=plain.name,
        context=context(plain.context),
        parent=context(plain.parent) if plain.parent is not None else None,
        resource=Resource(dict(resource)),
        attributes=plain.attributes,
        events=[Event(event.name, event.attributes, event.timestamp) for event in plain.events],
        links=[Link(context(link.context), link.attributes) for link in plain.links],
        kind=SpanKind(plain.kind.value),
        status=Status(
            StatusCode(facts["status"]), plain.status.description if facts["status"] == CODES["ERROR"] else None
        ),
        start_time=plain.start_time,
        end_time=plain.end_time,
        instrumentation_scope=InstrumentationScope("respan", _core.version),
    )


def scope_attributes(name: str | None, version: str | None) -> dict[str, str]:
    """The instrumentation scope, as OpenTelemetry writes it where there is no place for it."""
    attributes = {"otel.scope.name": name, "otel.scope.version": version}
    return {key: str(value) for key, value in attributes.items() if value}


def fill(core: _core.Span, span: Any) -> None:
    """What a ReadableSpan says, on an open span of ours."""
    scope = getattr(span, "instrumentation_scope", None)
    core.update_name(span.name)
    if scope is not None and scope.name != "respan":
        core.set_attributes(scope_attributes(scope.name, scope.version))
    core.set_attributes(dict(span.attributes or {}))
    for event in span.events:
        core.event(event.name, attribute_scope(event.attributes, core), event.timestamp)
    for link in span.links:
        add_link(core, link.context, link.attributes)
    core.status(span.status.status_code.value, (span.status.description or "") if core.content else "")


def record(span: Any) -> bool:
    """Records a ReadableSpan with its own ids and times. False: tracing is off."""
    context, parent = span.get_span_context(), span.parent
    trace_id = format(context.trace_id, "032x")
    above = None if parent is None else _core.remote_span(trace_id, format(parent.span_id, "016x"))
    core = _core.start_span(span.name, span.kind.value + 1, above, span.start_time or 0)
    if core is None:
        return False
    core.adopt(trace_id, format(context.span_id, "016x"))
    fill(core, span)
    core.end(span.end_time or 0)
    return True
