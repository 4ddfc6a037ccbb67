"""OTLP in: every encoding, every refusal. After an error nothing of the request is stored, and the same connection goes on."""

import gzip
import json
import os
import random
import subprocess
import threading
import uuid
import zlib

import pytest
import wire
from conftest import otlp, span

PROTOBUF = {"Content-Type": "application/x-protobuf"}
JSON = {"Content-Type": "application/json"}
PATHS = ("/api/v2/traces", "/api/v1/traces", "/v1/traces", "/api/public/otel/v1/traces")


def zstd(data: bytes) -> bytes:
    return subprocess.run(["zstd", "-c", "-q", "-1"], input=data, capture_output=True, check=True).stdout


CODINGS = {"": lambda d: d, "identity": lambda d: d, "gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstd}


def encode(spans, kind) -> bytes:
    return wire.request(spans) if kind is PROTOBUF else json.dumps(otlp(spans)).encode()


def post(server, body, headers, path="/v1/traces", **kw):
    return server.request("POST", path, body, headers, **kw)


def stored(server, s) -> bool:
    return server.get(f"/api/spans/{s['spanId']}/?trace_id={s['traceId']}").status == 200


@pytest.fixture
def unharmed(server):
    """Around a refusal: nothing is stored by it, and good spans are taken afterwards."""
    before = server.get("/api/session/").json["spans"]
    yield
    assert server.get("/api/session/").json["spans"] == before
    good = span()
    assert server.send([good]).status == 200 and stored(server, good), server.stderr()


# ---- what is taken


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("kind", [PROTOBUF, JSON], ids=["protobuf", "json"])
@pytest.mark.parametrize("coding", CODINGS)
def test_every_encoding(server, path, kind, coding):
    s = span(attributes={"respan.metadata.coding": coding or "plain", "gen_ai.request.model": "tiny"})
    headers = {**kind, **({"Content-Encoding": coding} if coding else {})}
    answer = post(server, CODINGS[coding](encode([s], kind)), headers, path)
    assert answer.status == 200, answer
    assert answer.headers["Content-Type"] == kind["Content-Type"]
    assert answer.headers["Accept-Encoding"] == "zstd, gzip, deflate"
    assert answer.body == b"" if kind is PROTOBUF else answer.json == {"partialSuccess": {}}
    read = server.get(f"/api/spans/{s['spanId']}/?trace_id={s['traceId']}").json
    assert (read["span_name"], read["model"], read["metadata"]) == ("work", "tiny", {"coding": coding or "plain"})


def test_types_and_codings_in_any_case(server):
    s = span()
    headers = {"Content-Type": "Application/JSON; charset=utf-8", "Content-Encoding": "GZip"}
    assert post(server, gzip.compress(encode([s], JSON)), headers).status == 200
    assert stored(server, s)


def test_no_spans_are_fine(server, unharmed):
    assert post(server, b"", PROTOBUF).status == 200
    for body in (b"{}", b'{"resourceSpans":[]}', b'{"resourceSpans":[{"scopeSpans":[{"spans":[]}]}]}'):
        assert post(server, body, JSON).json == {"partialSuccess": {}}


@pytest.mark.parametrize("kind", [PROTOBUF, JSON], ids=["protobuf", "json"])
def test_spans_without_ids_are_counted(server, kind):
    good, bad = span(), {**span(), "spanId": "0" * 16}
    answer = post(server, encode([good, bad], kind), kind)
    assert answer.status == 200
    if kind is PROTOBUF:
        rejected, reason = wire.partial_success(answer.body)
    else:
        rejected, reason = answer.json["partialSuccess"]["rejectedSpans"], answer.json["partialSuccess"]["errorMessage"]
    assert int(rejected) == 1 and reason
    assert stored(server, good)


def test_a_span_sent_twice_is_there_once(server):
    s = span()
    assert server.send([s]).status == 200 and server.send([s]).status == 200
    tree = server.get(f"/api/traces/{s['traceId']}/").json["span_tree"]
    assert len(tree) == 1


def test_a_large_request(server):
    trace = uuid.uuid4().hex
    spans = [span(f"s{i}", trace) for i in range(10_000)]
    assert post(server, wire.request(spans), PROTOBUF).status == 200
    assert server.get(f"/api/traces/{trace}/?content=false").json["span_count"] == 10_000


def test_names_of_any_length_leave_the_list_readable(start_server):
    server = start_server()
    spans = [span("n" * (8 << 20)) for _ in range(5)]
    spans.append(span("short", attributes={"respan.customer_params.customer_identifier": "c" * (8 << 20)}))
    assert post(server, wire.request(spans), PROTOBUF).status == 200
    answer = server.get("/api/traces/list/")
    assert answer.status == 200 and len(answer.body) < 100_000
    assert len(answer.json["results"]) == 6 and all(r["name"] for r in answer.json["results"])
    assert len(server.get(f"/api/spans/{spans[0]['spanId']}/").json["span_name"]) == 8 << 20


def test_a_page_of_large_spans_ends_early(start_server):
    server = start_server()
    spans = [span(attributes={"gen_ai.prompt.0.content": f"{i}" * (6 << 20)}) for i in range(9)]
    for s in spans:
        assert post(server, wire.request([s]), PROTOBUF).status == 200
    path, seen, pages = "/api/spans/list/", [], 0
    while path:
        page = server.get(path)
        assert page.status == 200 and len(page.body) < 64 << 20
        assert page.json["count"] in (9, None) or path != "/api/spans/list/"
        seen += [s["span_unique_id"] for s in page.json["results"]]
        path, pages = page.json["next"], pages + 1
    assert seen == [s["spanId"] for s in reversed(spans)] and pages > 1
    assert len(server.get("/api/spans/list/?content=false").json["results"]) == 9


def test_numbers_out_of_this_world(start_server):
    """Sums stay numbers, and spans that have them can be sent again."""
    server = start_server()
    trace = uuid.uuid4().hex
    huge = {"gen_ai.usage.cost": "1.7e308", "gen_ai.usage.input_tokens": "9e15", "gen_ai.usage.output_tokens": "9e15"}
    spans = [span(trace_id=trace, attributes=huge) for _ in range(1100)]
    for _ in range(2):
        assert server.send(spans).status == 200
    row = server.get(f"/api/traces/{trace}/?content=false").json
    assert row["total_tokens"] == 2**63 - 1 and row["total_cost"] is None and row["span_count"] == 1100
    for s in spans:
        s["attributes"] = []
    assert server.send(spans).status == 200
    row = server.get(f"/api/traces/{trace}/?content=false").json
    assert row["total_tokens"] is None and row["span_count"] == 1100


def test_many_senders_at_once(server):
    sent, failed = [], []

    def send(seed):
        c, rng = server.connect(60), random.Random(seed)
        for _ in range(20):
            spans = [span() for _ in range(rng.randrange(1, 30))]
            coding = rng.choice(list(CODINGS))
            kind = rng.choice([PROTOBUF, JSON])
            headers = {**kind, **({"Content-Encoding": coding} if coding else {})}
            answer = post(server, CODINGS[coding](encode(spans, kind)), headers, connection=c)
            (sent if answer.status == 200 else failed).extend(s["spanId"] for s in spans)
        c.close()

    threads = [threading.Thread(target=send, args=(i,)) for i in range(12)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failed
    assert set(sent) <= server.span_ids()


def test_json_of_the_wrong_type_costs_its_span_alone(server):
    spans = [span("first"), span("bad"), span("last")]
    for key, value in (
        ("startTimeUnixNano", "18446744073709551616"),
        ("endTimeUnixNano", 1.5),
        ("name", {"deep": [1, {"a": "}]"}]}),
        ("attributes", [{"key": "k", "value": {"intValue": "9223372036854775808"}}]),
        ("status", "ok"),
    ):
        before = server.span_ids()
        answer = post(server, encode([spans[0], spans[1] | {key: value}, spans[2]], JSON), JSON)
        said = answer.json["partialSuccess"]
        assert answer.status == 200 and said["rejectedSpans"] == "1", answer
        assert "expected" in said["errorMessage"] or "number" in said["errorMessage"], said
        assert server.span_ids() - before <= {s["spanId"] for s in (spans[0], spans[2])}
    assert {s["spanId"] for s in (spans[0], spans[2])} <= server.span_ids()


# ---- what is refused


def test_401(server, unharmed):
    for key in (False, "rsp_wrong"):
        for path in PATHS:
            assert post(server, encode([span()], JSON), JSON, path, key=key).status == 401


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"hello",
        b'{"resourceSpans":1}',
        b'{"resourceSpans":[{]}',
        b'{"resourceSpans":[]}x',
        b"[" * 100_000,
        b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":7]}]}]}',
        b"\xff\xfe{}",
        b'{"a":"\xff"}',
        b"\x00" * 50,
    ],
    ids=range(13),
)
def test_400_json(server, unharmed, body):
    answer = post(server, body, JSON)
    assert answer.status in (400, 413), answer
    assert answer.json["error"]["message"] and answer.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    "body",
    [
        b"\x0a",
        b"\x0a\x05abc",
        b"\xff" * 20,
        b"hello world",
        b'{"resourceSpans":[]}',
        b"\x0b",
        b"\x0a\xff\xff\xff\xff\x0f",
    ],
    ids=range(7),
)
def test_400_protobuf(server, unharmed, body):
    answer = post(server, body, PROTOBUF)
    assert answer.status == 400, answer
    assert answer.json["error"]["code"] == "malformed" and "byte" in answer.json["error"]["message"]


@pytest.mark.parametrize("kind", [PROTOBUF, JSON], ids=["protobuf", "json"])
def test_every_truncation(server, unharmed, kind):
    whole = encode([span(), span()], kind)
    c = server.connect()
    for cut in range(1, len(whole), 7):
        answer = post(server, whole[:cut], kind, connection=c)
        assert answer.status == 400, (cut, answer)
    c.close()


@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd"])
def test_broken_compression(server, unharmed, coding):
    packed = CODINGS[coding](encode([span() for _ in range(50)], PROTOBUF))
    flipped = bytearray(packed)
    flipped[len(packed) // 2] ^= 0xFF
    for body in (
        b"",
        packed[:-1],
        packed[: len(packed) // 2],
        packed[:3],
        b"hello world, not compressed",
        bytes(flipped),
        os.urandom(1000),
    ):
        answer = post(server, body, {**PROTOBUF, "Content-Encoding": coding})
        assert answer.status == 400, (len(body), answer)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": ""},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/grpc"},
        {"Content-Type": "application/jsonx"},
        {"Content-Type": "x" * 5000},
        {**PROTOBUF, "Content-Encoding": "br"},
        {**JSON, "Content-Encoding": "gzip, gzip"},
        {**PROTOBUF, "Content-Encoding": "nonsense"},
    ],
    ids=range(9),
)
def test_415(server, unharmed, headers):
    answer = post(server, encode([span()], PROTOBUF), headers)
    assert answer.status == 415 and answer.json["error"]["code"] == "unsupported", answer


def test_413_plain(server, unharmed):
    c = server.connect(60)
    answer = post(server, b"\x00" * ((64 << 20) + 1), PROTOBUF, connection=c)
    assert answer.status == 413 and answer.json["error"]["code"] == "too_large"
    assert server.get("/healthz", connection=c).status == 200
    c.close()


@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd"])
def test_413_bombs(server, unharmed, coding):
    bomb = CODINGS[coding](b"\x00" * (200 << 20))
    before = server.memory_kb()
    threads = [
        threading.Thread(target=lambda: answers.append(post(server, bomb, {**PROTOBUF, "Content-Encoding": coding})))
        for _ in range(8)
    ]
    answers = []
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert [a.status for a in answers] == [413] * 8, answers
    assert server.memory_kb() < before + 100_000
    assert server.memory_kb("VmHWM") < 800_000


def test_a_bomb_of_spans(server, unharmed):
    """Many times more memory decoded than sent: the smallest of spans, without ids."""
    scope_spans = b"\x12\x00" * (30 << 20)
    body = gzip.compress(wire.field(1, wire.field(2, scope_spans)), 1)
    answer = post(server, body, {**PROTOBUF, "Content-Encoding": "gzip"})
    assert answer.status in (200, 413), answer  # all counted as rejected, or too many
    assert server.memory_kb() < 700_000


def test_deep_nesting(server, unharmed):
    value = b""
    for _ in range(10_000):
        value = wire.field(5, wire.field(1, value))
    deep = wire.from_json_span(span()) + wire.field(9, wire.field(1, "k") + wire.field(2, value))
    answer = post(server, wire.field(1, wire.field(2, wire.field(2, deep))), PROTOBUF)
    assert answer.status == 200 and wire.partial_success(answer.body)[0] == 1, answer
    text = json.dumps(otlp([span()])).replace(
        '"stringValue": "text"', '"arrayValue":{"values":[' * 5000 + "{}" + "]}" * 5000
    )
    assert post(server, text.encode(), JSON).status in (400, 413)


def test_a_span_nested_too_deep_costs_itself_alone(server):
    deep, others = span("deep"), [span("first"), span("last")]
    value = {"intValue": "1"}
    for i in range(80):
        values = [{"key": "k", "value": value}] if i % 2 else [value]
        value = {"kvlistValue" if i % 2 else "arrayValue": {"values": values}}
    body = json.dumps(otlp([others[0], deep | {"attributes": [{"key": "k", "value": value}]}, others[1]])).encode()
    answer = post(server, body, JSON)
    said = answer.json["partialSuccess"]
    assert answer.status == 200 and said["rejectedSpans"] == "1" and "32 deep" in said["errorMessage"], answer
    packed = b""
    for _ in range(80):
        packed = wire.field(5, wire.field(1, packed))
    attribute = wire.field(9, wire.field(1, "k") + wire.field(2, packed))
    more = [span("first"), span("last")]
    spans = [wire.from_json_span(more[0]), wire.from_json_span(deep) + attribute, wire.from_json_span(more[1])]
    answer = post(server, wire.field(1, wire.field(2, b"".join(wire.field(2, s) for s in spans))), PROTOBUF)
    assert answer.status == 200 and wire.partial_success(answer.body)[0] == 1, answer
    assert {s["spanId"] for s in (*others, *more)} <= server.span_ids()
    assert deep["spanId"] not in server.span_ids()


def test_random_damage(server):
    rng = random.Random(7)
    c = server.connect(60)
    for kind in (PROTOBUF, JSON):
        whole = encode([span() for _ in range(3)], kind)
        for _ in range(150):
            body = bytearray(whole)
            for _ in range(rng.randrange(1, 6)):
                body[rng.randrange(len(body))] = rng.randrange(256)
            assert post(server, bytes(body), kind, connection=c).status in (200, 400, 413)
    c.close()
    good = span()
    assert server.send([good]).status == 200 and stored(server, good)
