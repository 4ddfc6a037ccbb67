"""OTLP protobuf by hand: the few messages that tests send, written from opentelemetry-proto's field numbers."""

import struct


def varint(n: int) -> bytes:
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes(out) + bytes([n])


def field(number: int, data: bytes | str) -> bytes:
    data = data.encode() if isinstance(data, str) else data
    return varint(number << 3 | 2) + varint(len(data)) + data


def fixed64(number: int, n: int) -> bytes:
    return varint(number << 3 | 1) + struct.pack("<Q", n)


def attribute(key: str, value: str) -> bytes:
    return field(1, key) + field(2, field(1, value))


def from_json_span(span: dict) -> bytes:
    """A Span message from conftest.span()'s dict."""
    out = field(1, bytes.fromhex(span["traceId"])) + field(2, bytes.fromhex(span["spanId"]))
    if "parentSpanId" in span:
        out += field(4, bytes.fromhex(span["parentSpanId"]))
    out += field(5, span["name"]) + varint(6 << 3) + varint(span["kind"])
    out += fixed64(7, int(span["startTimeUnixNano"])) + fixed64(8, int(span["endTimeUnixNano"]))
    for a in span["attributes"]:
        out += field(9, attribute(a["key"], a["value"]["stringValue"]))
    return out


def request(spans) -> bytes:
    """An ExportTraceServiceRequest around them."""
    scope_spans = field(1, field(1, "e2e")) + b"".join(field(2, from_json_span(s)) for s in spans)
    return field(1, field(1, field(1, attribute("service.name", "e2e"))) + field(2, scope_spans))


def partial_success(body: bytes) -> tuple[int, str]:
    """(rejected_spans, error_message) of an ExportTraceServiceResponse."""
    if not body:
        return 0, ""
    assert body[0] == 0x0A and body[1] == len(body) - 2 and body[2] == 0x08, body
    rejected, rest = body[3], body[4:]
    assert rejected < 128 and rest[0] == 0x12 and rest[1] == len(rest) - 2, body
    return rejected, rest[2:].decode()
