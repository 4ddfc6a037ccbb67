"""Traces too large to be made as a whole: sent as they are read, and the same as small ones in all else."""

import json
import random
import socket
import time
import uuid

import pytest
from conftest import span
from traces import BASE_S

SPANS = 6000  # of 4 kB: more than one window (RS_TRACE_WINDOW)


@pytest.fixture(scope="module")
def big(server):
    """Its trace id and its spans: children of any earlier span, sent in any order."""
    rng = random.Random(5)
    trace_id, ids = uuid.uuid4().hex, [uuid.uuid4().hex[:16] for _ in range(SPANS)]
    spans = [
        span(
            f"s{i}",
            trace_id,
            ids[rng.randrange(max(0, i - 50), i)] if i else None,
            {"text": f"{i} " + rng.randbytes(1800).hex()},
            spanId=ids[i],
            startTimeUnixNano=str(BASE_S * 10**9 + i * 1000),
            endTimeUnixNano=str(BASE_S * 10**9 + i * 1000 + 500),
        )
        for i in range(SPANS)
    ]
    sent = spans[:]
    rng.shuffle(sent)
    for i in range(0, SPANS, 1000):
        assert server.send(sent[i : i + 1000]).status == 200
    return trace_id, spans


def walk(tree):
    """(depth, span) in tree order."""
    left = [(0, s) for s in reversed(tree)]
    while left:
        depth, s = left.pop()
        yield depth, s
        left += [(depth + 1, c) for c in reversed(s["children"])]


def expected(spans):
    """(depth, span id) in tree order."""
    children = {}
    for s in spans:
        children.setdefault(s.get("parentSpanId"), []).append(s["spanId"])
    left = [(0, i) for i in reversed(children[None])]
    while left:
        depth, i = left.pop()
        yield depth, i
        left += [(depth + 1, c) for c in reversed(children.get(i, []))]


def test_the_whole_trace_as_a_tree_and_flat(server, big):
    trace_id, spans = big
    texts = {s["spanId"]: s["attributes"][1]["value"]["stringValue"] for s in spans}
    answer = server.get(f"/api/traces/{trace_id}/")
    assert answer.status == 200 and answer.headers["Transfer-Encoding"] == "chunked"
    trace = answer.json
    assert trace["span_count"] == SPANS and list(trace)[-1] == "span_tree"
    found = [(d, s["span_unique_id"], s["attributes"]["text"]) for d, s in walk(trace["span_tree"])]
    assert found == [(d, i, texts[i]) for d, i in expected(spans)]
    flat = server.get(f"/api/traces/{trace_id}/?flat=true").json["spans"]
    assert [(s["depth"], s["span_unique_id"], s["attributes"]["text"]) for s in flat] == found
    heads = server.get(f"/api/traces/{trace_id}/?flat=true&content=false").json["spans"]
    assert [(s["depth"], s["span_unique_id"]) for s in heads] == [f[:2] for f in found]
    assert "attributes" not in heads[0]


def test_memory_stays_that_of_a_window(server, big):
    trace_id, _ = big
    before = server.memory_kb()
    for _ in range(3):
        assert len(server.get(f"/api/traces/{trace_id}/").body) > 4000 * SPANS
    if before:
        assert server.memory_kb("VmHWM") < before + 60_000


def test_readers_that_leave(server, big):
    trace_id, _ = big
    ask = f"GET /api/traces/{trace_id}/ HTTP/1.1\r\nHost: {server.host}\r\nx-api-key: {server.key}\r\n\r\n".encode()
    sockets = []
    for i in range(12):
        s = socket.create_connection((server.host, server.port))
        s.sendall(ask)
        if i % 3:
            assert s.recv(10_000)
        sockets.append(s)
    for s in sockets:
        s.close()
    deadline = time.monotonic() + 20
    while server.get(f"/api/traces/{trace_id}/").status != 200:  # what they held was counted, and is given back
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_http_1_0(server, big):
    trace_id, _ = big
    with socket.create_connection((server.host, server.port)) as s:
        s.sendall(f"GET /api/traces/{trace_id}/ HTTP/1.0\r\nx-api-key: {server.key}\r\n\r\n".encode())
        answer = b"".join(iter(lambda: s.recv(1 << 20), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b" 200 " in head and b"chunked" not in head
    assert sum(1 for _ in walk(json.loads(body)["span_tree"])) == SPANS


def test_a_head_request(server, big):
    trace_id, _ = big
    answer = server.request("HEAD", f"/api/traces/{trace_id}/")
    assert answer.status == 200 and answer.body == b""
