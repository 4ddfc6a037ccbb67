"""A server that takes spans and remembers them, and just enough protobuf to read them."""

import json
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """(field number, int or bytes) of a protobuf message, in order."""
    at = 0

    def varint() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(message):
        tag = varint()
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            yield number, varint()
            continue
        size = {1: 8, 5: 4}.get(wire)
        if size is None:
            assert wire == 2, f"wire type {wire}"
            size = varint()
        assert at + size <= len(message), "cut short"
        yield number, message[at : at + size]
        at += size


def any_value(message: bytes) -> Any:
    for number, value in fields(message):
        if number == 1:
            return value.decode()
        if number == 2:
            return bool(value)
        if number == 3:
            return value - (1 << 64) if value >> 63 else value
        if number == 4:
            return struct.unpack("<d", value)[0]
        if number == 5:
            return [any_value(item) for number, item in fields(value) if number == 1]
    return None


def attributes_of(message: bytes, wanted: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for number, value in fields(message):
        if number == wanted:
            pair = dict(fields(value))
            key = pair[1].decode()
            assert key not in found, f"{key} twice"
            found[key] = any_value(pair.get(2, b""))
    return found


@dataclass
class Span:
    trace_id: str
    span_id: str
    parent_id: str
    name: str
    kind: int
    start: int
    end: int
    status: int
    status_message: str
    attributes: dict[str, Any]
    events: list[tuple[str, dict[str, Any]]]
    links: list[tuple[str, str, dict[str, Any]]]
    resource: dict[str, Any] = field(repr=False)

    @property
    def input(self) -> Any:
        return json.loads(self.attributes["traceloop.entity.input"])

    @property
    def output(self) -> Any:
        return json.loads(self.attributes["traceloop.entity.output"])


def fixed64(value: bytes) -> int:
    return struct.unpack("<Q", value)[0]


def span_of(message: bytes, resource: dict[str, Any]) -> Span:
    one = dict(fields(message))
    status = dict(fields(one.get(15, b"")))
    events = [
        (dict(fields(event))[2].decode(), attributes_of(event, 3)) for number, event in fields(message) if number == 11
    ]
    links = [
        (dict(fields(link))[1].hex(), dict(fields(link))[2].hex(), attributes_of(link, 4))
        for number, link in fields(message)
        if number == 13
    ]
    return Span(
        trace_id=one[1].hex(),
        span_id=one[2].hex(),
        parent_id=one.get(4, b"").hex(),
        name=one.get(5, b"").decode(),
        kind=one.get(6, 0),
        start=fixed64(one[7]),
        end=fixed64(one[8]),
        status=status.get(3, 0),
        status_message=status.get(2, b"").decode(),
        attributes=attributes_of(message, 9),
        events=events,
        links=links,
        resource=resource,
    )


def spans_of(request: bytes) -> list[Span]:
    spans = []
    for _, resource_spans in fields(request):
        resource: dict[str, Any] = {}
        for number, part in fields(resource_spans):
            if number == 1:
                resource = attributes_of(part, 1)
        for number, part in fields(resource_spans):
            if number == 2:
                spans += [span_of(span, resource) for number, span in fields(part) if number == 2]
    return spans


class CaptureServer:
    """Listens on a free port of 127.0.0.1; `bodies` and `headers` grow with each request."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.headers: list[dict[str, str]] = []
        capture = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if not self.path.endswith("/open"):  # which asks whether open spans are taken here
                    capture.headers.append(dict(self.headers))
                    capture.bodies.append(body)
                self.send_response(200 if self.path == "/api/v2/traces" else 404)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.base_url = f"http://127.0.0.1:{self._server.server_address[1]}/api"

    @property
    def spans(self) -> list[Span]:
        return [span for body in list(self.bodies) for span in spans_of(body)]

    def span(self, name: str) -> Span:
        found = [span for span in self.spans if span.name == name]
        assert len(found) == 1, f"{len(found)} spans {name!r} among {[span.name for span in self.spans]}"
        return found[0]

    def wait_for(self, count: int, seconds: float = 10) -> list[Span]:
        until = time.monotonic() + seconds
        while len(self.spans) < count and time.monotonic() < until:
            time.sleep(0.01)
        return self.spans

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
