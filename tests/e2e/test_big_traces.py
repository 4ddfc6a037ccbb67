"""Traces too large to be made as a whole: sent as they are read, and the same as small ones in all else."""

import datetime
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


def test_the_tree_alone(server, big):
    trace_id, spans = big
    answer = server.get(f"/api/traces/{trace_id}/?view=tree")
    assert answer.status == 200 and len(answer.body) < 250 * SPANS
    trace = answer.json
    assert trace["span_count"] == SPANS and "input" not in trace and list(trace)[-1] == "spans"
    assert [(s["depth"], s["span_unique_id"]) for s in trace["spans"]] == list(expected(spans))
    by_id = {s["spanId"]: s for s in spans}
    for s in trace["spans"]:
        sent = by_id[s["span_unique_id"]]
        assert s.get("span_parent_id") == sent.get("parentSpanId") and s["name"] == sent["name"]
        assert round(s["start"] * 1e9) == int(sent["startTimeUnixNano"]) - BASE_S * 10**9
        assert s["latency"] == 5e-7 and "attributes" not in s
    assert server.get(f"/api/traces/{trace_id}/?view=tree&since={trace['next_since']}").json["spans"] == []


def test_looking_through_it(server, big):
    trace_id, spans = big
    find = f"/api/traces/{trace_id}/find/"
    order = [i for _, i in expected(spans)]
    by_id = {s["spanId"]: s for s in spans}
    everything = server.get(f"{find}?page_size=100000").json
    assert list(everything) == ["count", "results", "next", "previous"]
    assert everything["count"] == SPANS and everything["next"] is everything["previous"] is None
    assert [s["span_unique_id"] for s in everything["results"]] == order
    # what a span says, and how it is called
    one = next(i for i in order if by_id[i]["name"] == "s4321")
    said = by_id[one]["attributes"][1]["value"]["stringValue"].split()[1]
    assert server.get(f"{find}?q={said}").json["results"] == [{"span_unique_id": one}]
    assert server.get(f"{find}?span_name=s4321").json["results"] == [{"span_unique_id": one}]
    assert server.get(f"{find}?q=nowhere").json == {"count": 0, "results": [], "next": None, "previous": None}
    # page by page, there and back
    wanted = [i for i in order if "7" in by_id[i]["name"]]
    path, found, pages = f"{find}?q=name:*7*&page_size=500", [], []
    while path:
        page = server.get(path).json
        assert page["count"] == len(wanted)
        found += [s["span_unique_id"] for s in page["results"]]
        pages.append(page)
        path = page["next"]
    assert found == wanted and len(pages) == -(-len(wanted) // 500)
    back = server.get(pages[-1]["previous"]).json
    assert back["results"] == pages[-2]["results"]
    assert server.get(f"{find}?q=name:*7*&page_size=500&page=2").json["results"] == pages[1]["results"]
    # by a body; from the middle on
    start = datetime.datetime.fromtimestamp(BASE_S, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.003Z")
    body = {"start_time": start, "filters": {"span_name": {"operator": "startswith", "value": ["s"]}}}
    assert server.request("POST", find, json.dumps(body).encode()).json["count"] == SPANS - 3000


def test_its_spans_as_a_list(server, big):
    trace_id, spans = big
    for query in (f"trace_unique_id={trace_id}", f"q=trace_id:{trace_id}%20span_name:s*"):
        path, found = f"/api/spans/list/?{query}&page_size=1000&content=false", []
        while path:
            page = server.get(path).json
            assert (page["count"], page["count_is_estimate"]) == (SPANS, False)
            found += [s["span_unique_id"] for s in page["results"]]
            path = page["next"]
        assert sorted(found) == sorted(s["spanId"] for s in spans)
    others = server.get(f"/api/spans/list/?q=NOT%20trace_id:{trace_id}&page_size=10").json["results"]
    assert trace_id not in {s["trace_unique_id"] for s in others}
    nothing = server.get(f"/api/spans/list/?trace_unique_id={uuid.uuid4().hex}").json
    assert (nothing["count"], nothing["results"], nothing["next"]) == (0, [], None)


def test_looking_through_what_is_not_there(server, big):
    trace_id, _ = big
    find = f"/api/traces/{trace_id}/find/"
    assert server.get(f"/api/traces/{uuid.uuid4().hex}/find/").status == 404
    assert server.get("/api/traces/xyz/find/").status == 404
    for query, field in (
        ("page_size=0", "page_size"),
        ("page_size=100001", "page_size"),
        ("cursor=f00", "cursor"),
        ("cursor=f0123456789abcdef", "cursor"),
        ("q=(", "q"),
        ("nothing=1", "nothing"),
    ):
        answer = server.get(f"{find}?{query}")
        assert (answer.status, answer.json["error"]["field"]) == (400, field), query


COLUMNS = ("status_code", "interrupted", "prompt_tokens", "completion_tokens", "cost", "time_to_first_token")
TEXTS = ("name", "log_type", "model", "error_message")


def from_columns(body):
    """What view=columns says, as view=tree would."""
    trace, *lines = [json.loads(line) for line in body.decode().splitlines()]
    strings, spans, above = [None], [], {}
    for line in lines:
        assert len(line["depth"]) <= 1024
        strings += line["strings"]
        parents = dict(line.get("span_parent_id", []))
        for i, depth in enumerate(line["depth"]):
            span_id = line["span_unique_id"][16 * i : 16 * i + 16]
            above[depth] = span_id
            span = {"depth": depth, "span_unique_id": span_id, "start": line["start_ns"][i], "latency": 0}
            if "latency_ns" in line:
                span["latency"] = line["latency_ns"][i]
            span |= {name: strings[line[name][i]] for name in TEXTS if name in line and line[name][i]}
            span |= {name: line[name][i] for name in COLUMNS if name in line and line[name][i] != -1}
            parent = above[depth - 1] if depth else parents.get(i)
            spans.append(span | ({"span_parent_id": parent} if parent else {}))
    for span in spans:
        status = span.pop("status_code", 0)
        if status:
            span["status_code"] = ("ok", "error")[status - 1]
        if not span.pop("interrupted", 0):
            continue
        span["interrupted"] = True
    assert trace.pop("spans") == len(spans)
    return {**trace, "spans": spans}


def as_columns_have_it(tree):
    return {**tree, "spans": [s | {"start": ns(s["start"]), "latency": ns(s["latency"])} for s in tree["spans"]]}


def ns(seconds):
    return round(seconds * 1e9)


def test_the_tree_as_columns(server, big):
    trace_id, _ = big
    answer = server.get(f"/api/traces/{trace_id}/?view=columns")
    assert answer.status == 200 and answer.headers["Content-Type"] == "application/x-ndjson"
    assert answer.headers["Transfer-Encoding"] == "chunked" and len(answer.body) < 100 * SPANS
    tree = server.get(f"/api/traces/{trace_id}/?view=tree").json
    assert from_columns(answer.body) == as_columns_have_it(tree)


def test_columns_have_what_the_tree_has(server):
    """Spans of every kind, texts that are longer than what is known of them and more than are remembered, and no parents."""
    trace_id, ids = uuid.uuid4().hex, [uuid.uuid4().hex[:16] for _ in range(3000)]
    kinds = [
        {},
        {
            "gen_ai.request.model": "org/m",
            "gen_ai.usage.input_tokens": "12",
            "gen_ai.usage.cost": "0.0125",
            "respan.generation.time_to_first_token": "0.25",
        },
        {"respan.span.interrupted": "true"},
        {"traceloop.entity.name": "n" * 200, "traceloop.span.kind": "tool"},
    ]
    sent = [
        span(
            f"step {i % 1500}",
            trace_id,
            ids[i - 1] if i % 7 else uuid.uuid4().hex[:16],
            kinds[i % 4] if i < 2500 else {},
            spanId=ids[i],
            startTimeUnixNano=str(BASE_S * 10**9 + i * 1000),
            endTimeUnixNano=str(BASE_S * 10**9 + i * 1000 + i % 2),
            status={"code": i % 3, "message": f"“{i}”\n\\" * (i % 3) * 30},
        )
        for i in range(3000)
    ]
    assert server.send(sent).status == 200
    tree = server.get(f"/api/traces/{trace_id}/?view=tree").json
    columns = from_columns(server.get(f"/api/traces/{trace_id}/?view=columns").body)
    assert columns == as_columns_have_it(tree)
    fields = set().union(*columns["spans"])
    assert fields == set().union(*tree["spans"]) >= {*TEXTS, *COLUMNS[:-1], "span_parent_id"} - {"completion_tokens"}


def test_a_tree_that_grows(server):
    trace_id, ids = uuid.uuid4().hex, [uuid.uuid4().hex[:16] for _ in range(30)]

    def send(numbers, end):
        sent = [
            span(
                f"s{i}",
                trace_id,
                ids[0] if i else None,
                {
                    "gen_ai.request.model": "m",
                    "gen_ai.usage.input_tokens": str(i),
                    "gen_ai.prompt.0.content": "x" * 5000,
                },
                spanId=ids[i],
                startTimeUnixNano=str(BASE_S * 10**9 + i * 1000),
                endTimeUnixNano=str(BASE_S * 10**9 + end),
                status={"code": 2, "message": "é" * 500},
            )
            for i in numbers
        ]
        assert server.send(sent).status == 200

    def ask(since=""):
        trace = server.get(f"/api/traces/{trace_id}/?view=tree{since}").json
        return trace, f"&since={trace['next_since']}"

    send(range(1, 10), 50_000)
    first, since = ask()
    assert [(s["span_unique_id"], s["depth"]) for s in first["spans"]] == [(i, 0) for i in ids[1:10]]
    assert first["spans"][0] == {
        "depth": 0,
        "span_unique_id": ids[1],
        "span_parent_id": ids[0],
        "name": "s1",
        "log_type": "text",
        "start": 0,
        "latency": 0.000049,
        "status_code": "error",
        "error_message": "é" * 80,
        "model": "m",
        "prompt_tokens": 1,
    }
    same, unmoved = ask(since)
    assert same["spans"] == [] and unmoved == since
    send([0, *range(10, 20)], 60_000)
    send([5], 90_000)  # sent again: it replaces what was there
    more, later = ask(since)
    assert [s["span_unique_id"] for s in more["spans"]] == [ids[i] for i in (0, 5, *range(10, 20))]
    assert more["spans"][1]["latency"] == 0.000085 and "depth" not in more["spans"][1]
    assert more["span_count"] == 20 and more["root_span_unique_id"] == ids[0]
    assert ask(later)[0]["spans"] == []
    whole = ask()[0]["spans"]
    assert [s["depth"] for s in whole] == [0] + [1] * 19
    of_both = {s["span_unique_id"]: s for s in first["spans"] + more["spans"]}
    assert of_both.keys() == {s["span_unique_id"] for s in whole}


@pytest.mark.parametrize(
    "query, field",
    [
        ("view=graph", "view"),
        ("since=1", "since"),
        ("view=tree&since=-1", "since"),
        ("view=columns&since=1", "since"),
    ],
)
def test_what_is_no_view(server, big, query, field):
    answer = server.get(f"/api/traces/{big[0]}/?{query}")
    assert answer.status == 400 and answer.json["error"]["field"] == field


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
