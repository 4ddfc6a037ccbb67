"""Every field that an OTLP request had on the wire, by opentelemetry-proto's names.

A field that these tables do not have is an error: nothing that was sent is left out.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from dataclasses import field as defaults
from typing import Any

from capture import fields

KINDS = ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
STATUSES = ("UNSET", "OK", "ERROR")
VALUES = {1: "string", 2: "bool", 3: "int", 4: "double", 5: "array", 7: "bytes"}

# Field number -> (name, sort): a sort in capitals is a message.
MESSAGES = {
    "REQUEST": {1: ("resource_spans", "RESOURCE_SPANS")},
    "RESOURCE_SPANS": {1: ("resource", "RESOURCE"), 2: ("scope_spans", "SCOPE_SPANS"), 3: ("schema_url", "string")},
    "RESOURCE": {1: ("attributes", "KEY_VALUE"), 2: ("dropped_attributes_count", "int")},
    "SCOPE_SPANS": {1: ("scope", "SCOPE"), 2: ("spans", "SPAN"), 3: ("schema_url", "string")},
    "SCOPE": {
        1: ("name", "string"),
        2: ("version", "string"),
        3: ("attributes", "KEY_VALUE"),
        4: ("dropped_attributes_count", "int"),
    },
    "SPAN": {
        1: ("trace_id", "id"),
        2: ("span_id", "id"),
        3: ("trace_state", "string"),
        4: ("parent_span_id", "id"),
        5: ("name", "string"),
        6: ("kind", "kind"),
        7: ("start_time_unix_nano", "time"),
        8: ("end_time_unix_nano", "time"),
        9: ("attributes", "KEY_VALUE"),
        10: ("dropped_attributes_count", "int"),
        11: ("events", "EVENT"),
        12: ("dropped_events_count", "int"),
        13: ("links", "LINK"),
        14: ("dropped_links_count", "int"),
        15: ("status", "STATUS"),
        16: ("flags", "flags"),
    },
    "EVENT": {1: ("time_unix_nano", "time"), 2: ("name", "string"), 3: ("attributes", "KEY_VALUE")},
    "LINK": {
        1: ("trace_id", "id"),
        2: ("span_id", "id"),
        3: ("trace_state", "string"),
        4: ("attributes", "KEY_VALUE"),
        6: ("flags", "flags"),
    },
    "STATUS": {2: ("message", "string"), 3: ("code", "status")},
}


@dataclass
class Field:
    """`path` as attributes.gen_ai.system, `sort` as string; of a message that repeats, `[N]` follows its name."""

    path: str
    sort: str
    value: Any


@dataclass
class Received:
    """What one request had. Of each span its fields, in the order of the wire, attributes last and by name."""

    resource: list[Field] = defaults(default_factory=list)
    scope: list[Field] = defaults(default_factory=list)
    spans: list[list[Field]] = defaults(default_factory=list)


def read(body: bytes) -> Received:
    """Of a request with one resource and one scope, as one program sends it."""
    received = Received()
    ((_, resource_spans),) = list(fields(body))
    for number, part in fields(resource_spans):
        if number == 1:
            received.resource = list(message("RESOURCE", part))
            continue
        assert MESSAGES["RESOURCE_SPANS"][number][0] == "scope_spans"
        assert received.spans == [], "several scopes"
        for inner_number, inner in fields(part):
            name, sort = MESSAGES["SCOPE_SPANS"][inner_number]
            if name == "scope":
                received.scope = list(message(sort, inner))
            else:
                assert name == "spans", name
                received.spans.append(list(message(sort, inner)))
    return received


def message(kind: str, body: bytes, prefix: str = "") -> Iterator[Field]:
    numbers: dict[str, int] = {}
    attributes = []
    for number, value in fields(body):
        name, sort = MESSAGES[kind][number]
        if sort == "KEY_VALUE":
            attributes.append(key_value(value, f"{prefix}{name}."))
        elif sort.isupper():
            at = numbers[name] = numbers.get(name, -1) + 1
            yield from message(sort, value, f"{prefix}{name}." if name == "status" else f"{prefix}{name}[{at}].")
        else:
            yield Field(prefix + name, sort, scalar(sort, value))
    yield from sorted(attributes, key=lambda attribute: attribute.path)
    names = [attribute.path for attribute in attributes]
    assert len(names) == len(set(names)), f"one name twice in {names}"


def scalar(sort: str, value: Any) -> Any:
    if sort == "string":
        return value.decode()
    if sort == "id":
        return value.hex()
    if sort == "time":
        return struct.unpack("<Q", value)[0]
    if sort == "flags":
        return struct.unpack("<I", value)[0]
    return {"kind": KINDS, "status": STATUSES}[sort][value] if sort != "int" else value


def key_value(body: bytes, prefix: str) -> Field:
    pair = dict(fields(body))
    sort, value = any_value(pair.get(2, b""))
    return Field(prefix + pair[1].decode(), sort, value)


def any_value(body: bytes) -> tuple[str, Any]:
    for number, value in fields(body):
        sort = VALUES[number]
        if sort == "string":
            return sort, value.decode()
        if sort == "bool":
            return sort, bool(value)
        if sort == "int":
            return sort, value - (1 << 64) if value >> 63 else value
        if sort == "double":
            return sort, struct.unpack("<d", value)[0]
        assert sort == "array", sort
        items = [any_value(item) for _, item in fields(value)]
        (of,) = {of for of, _ in items} or {"nothing"}
        return f"array of {of}", [item for _, item in items]
    return "empty", None
