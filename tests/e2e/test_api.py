"""The read endpoints of docs/http-api.md against the real server: fields, filters, order, pages, trees of any shape."""

import json
import threading
import time
import uuid
from itertools import pairwise
from urllib.parse import quote

import pytest
from conftest import span

BASE_S = 1_790_000_000  # traces of this module start here, one a second, unless a test says otherwise

TRACE_FIELDS = {
    "trace_unique_id",
    "root_span_unique_id",
    "name",
    "log_type",
    "start_time",
    "end_time",
    "duration",
    "span_count",
    "llm_call_count",
    "error_count",
    "total_tokens",
    "total_prompt_tokens",
    "total_completion_tokens",
    "total_cost",
    "time_to_first_token",
    "tokens_per_second",
    "model",
    "input",
    "output",
    "metadata",
    "customer_identifier",
    "session_identifier",
    "environment",
    "status_code",
    "error_message",
}
SPAN_HEAD = {
    "trace_unique_id",
    "span_unique_id",
    "span_parent_id",
    "span_name",
    "name",
    "span_workflow_name",
    "span_path",
    "kind",
    "log_type",
    "model",
    "provider",
    "start_time",
    "timestamp",
    "latency",
    "time_to_first_token",
    "tokens_per_second",
    "prompt_tokens",
    "completion_tokens",
    "total_tokens",
    "usage_source",
    "cost",
    "status_code",
    "error_message",
    "interrupted",
    "thread_identifier",
    "customer_identifier",
    "environment",
}
SPAN_CONTENT = {"input", "output", "metadata", "parameters", "attributes", "events", "links", "resource", "scope"}


def value(v):
    if isinstance(v, bool):
        return {"boolValue": v}
    if isinstance(v, int):
        return {"intValue": str(v)}
    if isinstance(v, float):
        return {"doubleValue": v}
    return {"stringValue": v}


def made(name, start_s=0.0, length_s=1.0, attributes=None, **fields):
    """A span at BASE_S + start_s."""
    start = BASE_S * 10**9 + round(start_s * 1e9)
    return span(
        name,
        startTimeUnixNano=str(start),
        endTimeUnixNano=str(start + round(length_s * 1e9)),
        **{**fields, "attributes": None},
    ) | {"attributes": [{"key": k, "value": value(v)} for k, v in (attributes or {}).items()]}


def chat(trace_id, parent, start_s, n=0, **attributes):
    return made(
        f"chat model-{n % 3}",
        start_s + 0.25,
        0.5 + n / 100,
        {
            "respan.entity.log_type": "chat",
            "gen_ai.request.model": f"model-{n % 3}",
            "gen_ai.system": "huggingface",
            "gen_ai.request.temperature": 0.35,
            "gen_ai.prompt.0.role": "user",
            "gen_ai.prompt.0.content": f"question {n}",
            "gen_ai.completion.0.role": "assistant",
            "gen_ai.completion.0.content": f"Answer {n} — naïve",
            "gen_ai.usage.input_tokens": 10 + n,
            "gen_ai.usage.output_tokens": 2 * n,
            "respan.usage.source": "measured",
            "respan.generation.time_to_first_token": 0.125,
            **attributes,
        },
        trace_id=trace_id,
        parent=parent,
    )


def workflow(n, start_s, **attributes):
    """A trace: a workflow with one chat below it. Number n decides its facts."""
    trace_id = uuid.uuid4().hex
    common = {
        "respan.environment": "production" if n % 2 else "staging",
        "respan.customer_params.customer_identifier": f"user_{n % 5}",
        "respan.threads.thread_identifier": f"thread_{n // 10}",
        **attributes,
    }
    failed = {"status": {"code": 2, "message": "it broke"}} if n % 10 == 9 else {}
    root = made(
        f"flow_{n}.workflow",
        start_s,
        1 + n,
        {
            "respan.entity.log_type": "workflow",
            "traceloop.span.kind": "workflow",
            "traceloop.entity.name": f"flow_{n}",
            "traceloop.workflow.name": f"flow_{n}",
            "respan.metadata.run": n,
            "respan.metadata.kind": f"k{n % 4}",
            **common,
        },
        trace_id=trace_id,
        **failed,
    )
    return [root, chat(trace_id, root["spanId"], start_s, n, **common)]


N = 40


@pytest.fixture(scope="module")
def full(start_server):
    """A server with N traces, flow_0 … flow_39, newest last."""
    server = start_server()
    server.traces = [workflow(n, n) for n in range(N)]
    answer = server.send([s for t in server.traces for s in t])
    assert answer.status == 200, answer
    return server


def names(answer):
    assert answer.status == 200, answer
    return [t["name"] for t in answer.json["results"]]


def flows(numbers):
    return [f"flow_{n}" for n in numbers]


def ask(server, **parameters):
    return server.get("/api/traces/list/?" + "&".join(f"{k}={quote(str(v))}" for k, v in parameters.items()))


def filtered(server, field, operator, wanted, **more):
    body = {"filters": {field: {"operator": operator, "value": wanted}}, "page_size": 1000, **more}
    return server.request("POST", "/api/traces/list/", json.dumps(body))


def assert_refused(answer, field, *says):
    assert answer.status == 400, answer
    error = answer.json["error"]
    assert error["field"] == field, error
    for text in says:
        assert text in error["message"], error


# ---- fields


def test_trace_fields(full):
    answer = ask(full, page_size=1)
    assert set(answer.json) == {"count", "results", "next", "previous"}
    trace = answer.json["results"][0]
    root, _ = full.traces[-1]
    assert set(trace) == TRACE_FIELDS
    assert trace["trace_unique_id"] == root["traceId"] and trace["root_span_unique_id"] == root["spanId"]
    assert trace["name"] == "flow_39" and trace["log_type"] == "workflow" and trace["model"] == "model-0"
    assert trace["start_time"] == "2026-09-21T14:13:59.000000000Z"
    assert trace["end_time"] == "2026-09-21T14:14:39.000000000Z" and trace["duration"] == 40
    assert (trace["span_count"], trace["llm_call_count"], trace["error_count"]) == (2, 1, 1)
    assert (trace["total_prompt_tokens"], trace["total_completion_tokens"], trace["total_tokens"]) == (49, 78, 127)
    assert trace["total_cost"] is None and trace["time_to_first_token"] == 0.125
    assert "question 39" in trace["input"] and "Answer 39 — naïve" in trace["output"]
    assert trace["metadata"] == {"run": 39, "kind": "k3"}
    assert trace["customer_identifier"] == "user_4" and trace["session_identifier"] == "thread_3"
    assert trace["environment"] == "production"
    assert trace["status_code"] == "error" and trace["error_message"] == "it broke"
    ok = ask(full, name="flow_38").json["results"][0]
    assert ok["status_code"] == "ok" and ok["error_message"] is None


def test_list_without_content(full):
    trace = ask(full, page_size=1, content="false").json["results"][0]
    assert set(trace) == TRACE_FIELDS - {"input", "output"}


def test_one_trace(full):
    root, call = full.traces[7]
    answer = full.get(f"/api/traces/{root['traceId']}/")
    assert answer.status == 200, answer
    trace = answer.json
    assert set(trace) == TRACE_FIELDS | {"span_tree"}
    [top] = trace["span_tree"]
    assert set(top) == SPAN_HEAD | SPAN_CONTENT | {"children"}
    assert top["span_unique_id"] == root["spanId"] and top["span_parent_id"] is None
    assert top["name"] == "flow_7" and top["span_name"] == "flow_7.workflow" and top["span_workflow_name"] == "flow_7"
    [below] = top["children"]
    assert below["children"] == [] and below["span_parent_id"] == root["spanId"]
    assert below["span_unique_id"] == call["spanId"] and below["trace_unique_id"] == root["traceId"]
    assert below["log_type"] == "chat" and below["model"] == "model-1" and below["provider"] == "huggingface"
    assert below["kind"] == "internal" and below["latency"] == pytest.approx(0.57)
    assert below["input"] == [{"role": "user", "content": "question 7"}]
    assert "Answer 7 — naïve" in json.dumps(below["output"], ensure_ascii=False)
    assert (below["prompt_tokens"], below["completion_tokens"], below["total_tokens"]) == (17, 14, 31)
    assert below["usage_source"] == "measured" and below["time_to_first_token"] == 0.125
    assert below["parameters"]["temperature"] == 0.35
    assert below["attributes"]["gen_ai.usage.input_tokens"] == 17
    assert top["metadata"] == {"run": 7, "kind": "k3"}
    assert below["resource"]["service.name"] == "e2e" and below["scope"]["name"] == "e2e"
    assert below["interrupted"] is False and below["status_code"] == "unset" and below["cost"] is None
    assert below["start_time"] == "2026-09-21T14:13:27.250000000Z"


def test_one_trace_without_content(full):
    path = f"/api/traces/{full.traces[7][0]['traceId']}/?content=false"
    trace = full.get(path).json
    assert set(trace) == TRACE_FIELDS - {"input", "output"} | {"span_tree"}
    [top] = trace["span_tree"]
    assert set(top) == SPAN_HEAD | {"children"} and set(top["children"][0]) == SPAN_HEAD | {"children"}
    assert b"question" not in full.get(path).body
    assert full.get(path.replace("false", "no")).json["error"]["field"] == "content"


def test_one_trace_flat(full):
    trace = full.get(f"/api/traces/{full.traces[7][0]['traceId']}/?flat=true&content=false").json
    assert "span_tree" not in trace
    assert [(s["depth"], s["name"]) for s in trace["spans"]] == [(0, "flow_7"), (1, "chat model-1")]


def test_one_span(full):
    root, call = full.traces[3]
    for query in ("", f"?trace_id={root['traceId']}"):
        answer = full.get(f"/api/spans/{call['spanId']}/{query}")
        assert answer.status == 200, answer
        assert set(answer.json) == SPAN_HEAD | SPAN_CONTENT
        assert answer.json["trace_unique_id"] == root["traceId"] and answer.json["span_unique_id"] == call["spanId"]


def test_events_and_links(server):
    s = made(
        "eventful",
        attributes={"deep": "x"},
        events=[
            {
                "name": "exception",
                "timeUnixNano": str(BASE_S * 10**9 + 1),
                "attributes": [{"key": "exception.message", "value": {"stringValue": "boom"}}],
            }
        ],
        links=[{"traceId": "ab" * 16, "spanId": "cd" * 8, "attributes": [{"key": "why", "value": {"intValue": "1"}}]}],
        status={"code": 2},
    )
    values = [{"intValue": "1"}, {"stringValue": "é"}]
    s["attributes"].append({"key": "list", "value": {"arrayValue": {"values": values}}})
    assert server.send([s]).status == 200
    got = server.get(f"/api/spans/{s['spanId']}/").json
    assert got["events"] == [
        {"name": "exception", "time": "2026-09-21T14:13:20.000000001Z", "attributes": {"exception.message": "boom"}}
    ]
    assert got["links"][0]["trace_unique_id"] == "ab" * 16 and got["links"][0]["attributes"] == {"why": 1}
    assert got["attributes"]["list"] == [1, "é"] and got["error_message"] == "boom"


@pytest.mark.parametrize(
    "path",
    [
        "/api/traces/00000000000000000000000000000001/",
        "/api/traces/xyz/",
        "/api/traces/abcdef/",
        "/api/traces/" + "g" * 32 + "/",
        "/api/spans/0000000000000001/",
        "/api/spans/xyz/",
        "/api/spans/0000000000000001/?trace_id=zz",
        "/api/traces/%00/",
    ],
)
def test_ids_that_are_not_there(full, path):
    answer = full.get(path)
    assert answer.status == 404, answer
    assert answer.json["error"]["code"] == "not_found"


def test_session(full):
    session = full.get("/api/session/").json
    assert set(session) == {"project", "spans", "traces", "bytes", "version"}
    assert session["traces"] == N and session["spans"] == 2 * N and session["bytes"] > 0 and session["project"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/traces/list/",
        "/api/traces/" + "0" * 31 + "1/",
        "/api/spans/list/",
        "/api/spans/0000000000000001/",
        "/api/session/",
    ],
)
def test_nothing_without_a_key(full, path):
    assert full.get(path, key=False).status == 401
    assert full.get(path, key="rsp_wrong").status == 401


# ---- filters


def test_equality_parameters(full):
    assert names(ask(full, environment="staging", page_size=3)) == flows([38, 36, 34])
    assert ask(full, environment="staging", page_size=3).json["count"] == N / 2
    assert ask(full, model="model-2", session_identifier="thread_1", page_size=1).json["count"] == 3
    assert names(ask(full, name="flow_5")) == flows([5])
    assert names(ask(full, session_identifier="thread_1")) == flows(range(19, 9, -1))
    assert names(ask(full, customer_identifier="user_2", environment="production")) == flows([37, 27, 17, 7])
    assert names(ask(full, model="model-2", page_size=2)) == flows([38, 35])
    assert names(ask(full, log_type="chat", page_size=1)) == flows([39])  # a span of the trace is one
    assert names(ask(full, status_code="error")) == flows([39, 29, 19, 9])
    assert names(ask(full, metadata__run=11)) == flows([11])
    assert names(ask(full, metadata__kind="k1", page_size=2)) == flows([37, 33])
    assert names(ask(full, total_tokens=10)) == flows([0])
    assert names(ask(full, trace_unique_id=full.traces[4][0]["traceId"])) == flows([4])
    assert names(ask(full, model="model-9")) == []


@pytest.mark.parametrize(
    "field,operator,wanted,expected",
    [
        ("name", "", ["flow_5"], [5]),
        ("name", "", "flow_5", [5]),
        ("name", "iexact", ["FLOW_5"], [5]),
        ("name", "not", flows(range(2, N)), [1, 0]),
        ("name", "in", ["flow_3", "flow_1", "x"], [3, 1]),
        ("name", "contains", ["w_1"], [*range(19, 9, -1), 1]),
        ("name", "contains", ["W_1"], []),
        ("name", "icontains", ["W_3"], [*range(39, 29, -1), 3]),
        ("name", "startswith", ["flow_2"], [*range(29, 19, -1), 2]),
        ("name", "endswith", ["9"], [39, 29, 19, 9]),
        ("duration", "gt", [39], [39]),
        ("duration", "gte", [39], [39, 38]),
        ("duration", "lt", [2], [0]),
        ("duration", "lte", ["2"], [1, 0]),
        ("total_tokens", "in", [10, 13], [1, 0]),
        ("error_count", "gt", [0], [39, 29, 19, 9]),
        ("error_message", "isnull", [False], [39, 29, 19, 9]),
        ("total_cost", "isnull", [False], []),
        ("metadata__run", "lt", [2], [1, 0]),
        ("metadata__run", "gte", ["38"], [39, 38]),
        ("metadata__kind", "endswith", ["1"], range(37, 0, -4)),
        ("metadata__nope", "isnull", [False], []),
        ("start_time", "lt", [BASE_S + 2], [1, 0]),
        ("start_time", "gte", ["2026-09-21T14:13:58Z"], [39, 38]),
        ("input", "contains", ["question 12"], [12]),
        ("output", "icontains", ["answer 31"], [31]),
        ("model", "in", ["model-1"], range(37, 0, -3)),
    ],
)
def test_operators(full, field, operator, wanted, expected):
    answer = filtered(full, field, operator, wanted)
    assert names(answer) == flows(expected)
    assert answer.json["count"] == len(list(expected))


def test_conditions_together(full):
    body = {
        "filters": {
            "duration": [{"operator": "gt", "value": [10]}, {"operator": "lte", "value": [20]}],
            "environment": {"value": ["staging"]},
        },
        "customer_identifier": "user_2",
    }
    answer = full.request("POST", "/api/traces/list/?q=question", json.dumps(body))
    assert names(answer) == flows([12])


def test_free_text(full):
    assert names(ask(full, q="QUESTION 17")) == flows([17])
    assert names(ask(full, q="naïve model-0 flow_30")) == flows([30])
    assert names(ask(full, q="nowhere")) == []


def test_time_range(full):
    answer = ask(full, start_time=BASE_S + 10, end_time="2026-09-21T14:13:33Z")
    assert names(answer) == flows([12, 11, 10]) and answer.json["count"] == 3
    assert ask(full, start_time="2030-01-01").json["count"] == 0


@pytest.mark.parametrize(
    "query,field",
    [
        ("colour=red", "colour"),
        ("metadata=x", "metadata"),
        ("page=0", "page"),
        ("page=x", "page"),
        ("page_size=0", "page_size"),
        ("page_size=1001", "page_size"),
        ("cursor=zzz", "cursor"),
        ("sort_by=model", "sort_by"),
        ("sort_by=", "sort_by"),
        ("start_time=yesterday", "start_time"),
        ("end_time=9999999999999", "end_time"),
        ("duration=long", "duration"),
        ("page=99999999", "page"),
        ("content=maybe", "content"),
    ],
)
def test_parameters_that_are_refused(full, query, field):
    assert_refused(full.get(f"/api/traces/list/?{query}"), field)


@pytest.mark.parametrize(
    "filters,field,says",
    [
        ({"colour": {"value": ["x"]}}, "colour", "colour"),
        ({"model": {"operator": "like", "value": ["x"]}}, "model", "like"),
        ({"model": {"operator": "gt", "value": ["x"]}}, "model", "gt"),
        ({"duration": {"operator": "gt", "value": ["x"]}}, "duration", "'x'"),
        ({"duration": {"operator": "gt", "value": [1, 2]}}, "duration", "one value"),
        ({"duration": {"operator": "gt", "value": [{}]}}, "duration", "value"),
        ({"duration": {"operator": 7, "value": [1]}}, "duration", "operator"),
        ([], "filters", "object"),
    ],
)
def test_filters_that_are_refused(full, filters, field, says):
    assert_refused(full.request("POST", "/api/traces/list/", json.dumps({"filters": filters})), field, says)


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"page":1}x', b"\xff", b'{"filters":' + b"[" * 5000, b"null"])
def test_bodies_that_are_refused(full, body):
    answer = full.request("POST", "/api/traces/list/", body)
    assert answer.status == 400 and answer.json["error"]["message"], answer


def test_post_without_a_body(full):
    assert len(names(full.request("POST", "/api/traces/list/"))) == N


# ---- order and pages


@pytest.mark.parametrize("field", ["duration", "total_tokens", "total_cost", "span_count", "error_count", "start_time"])
def test_sorting(full, field):
    for sign in ("", "-"):
        path, rows = f"/api/traces/list/?sort_by={sign}{field}&page_size=7", []
        while path:
            answer = full.get(path).json
            assert answer["count"] == N
            rows += answer["results"]
            path = answer["next"]
        values = [r[field] or 0 for r in rows]
        assert values == sorted(values, reverse=sign == "-")
        assert len({r["trace_unique_id"] for r in rows}) == N


def test_pages_by_number(full):
    pages = [ask(full, page=p, page_size=15).json for p in (1, 2, 3, 4)]
    assert [len(p["results"]) for p in pages] == [15, 15, 10, 0]
    assert [t["name"] for p in pages for t in p["results"]] == flows(range(N - 1, -1, -1))
    assert all(p["count"] == N for p in pages)
    assert pages[0]["previous"] is None and pages[2]["next"] is None
    back = full.get(pages[2]["previous"]).json
    assert back["results"] == pages[1]["results"]
    assert full.get(back["next"]).json["results"] == pages[2]["results"]
    assert full.get(full.get(back["previous"]).json["next"]).json["results"] == pages[1]["results"]


def test_next_keeps_the_question(full):
    answer = full.get("/api/traces/list/?environment=staging&q=question%20answer&page_size=6&page=1").json
    seen = [t["name"] for t in answer["results"]]
    while answer["next"]:
        assert "page=" not in answer["next"].replace("page_size=", "")
        answer = full.get(answer["next"]).json
        seen += [t["name"] for t in answer["results"]]
    assert seen == flows(range(38, -1, -2))
    body = json.dumps({"filters": {"duration": {"operator": "lte", "value": [9]}}, "page_size": 4, "page": 1})
    answer = full.request("POST", "/api/traces/list/", body).json
    again = full.request("POST", answer["next"], body).json
    assert [t["name"] for t in answer["results"] + again["results"]] == flows(range(8, 0, -1))


def test_paging_while_traces_arrive(start_server):
    server = start_server()
    wanted = {}
    for batch in range(6):
        spans = [made(f"old-{batch}-{i}", batch * 200 + i) for i in range(200)]
        wanted.update({s["traceId"]: s["name"] for s in spans})
        assert server.send(spans).status == 200
    stop = threading.Event()

    def keep_sending():
        n = 0
        while not stop.is_set():
            assert server.send([made(f"new-{n}-{i}", 5000 + n + i / 10) for i in range(5)]).status == 200
            n += 1

    sender = threading.Thread(target=keep_sending)
    sender.start()
    try:
        path, seen, pages = "/api/traces/list/?page_size=37", [], 0
        while path:
            answer = server.get(path)
            assert answer.status == 200, answer
            seen += [t["trace_unique_id"] for t in answer.json["results"]]
            path, pages = answer.json["next"], pages + 1
            time.sleep(0.005)
    finally:
        stop.set()
        sender.join()
    assert len(seen) == len(set(seen)), "no trace twice"
    assert wanted.keys() <= set(seen), "none lost"
    assert pages >= 1200 // 37


def test_equal_starts_are_all_there(start_server):
    server = start_server()
    spans = [made(f"same-{i}", 0) for i in range(300)]
    assert server.send(spans).status == 200
    path, seen = "/api/traces/list/?page_size=50", []
    while path:
        answer = server.get(path).json
        assert answer["count"] == 300
        seen += [t["trace_unique_id"] for t in answer["results"]]
        path = answer["next"]
    assert sorted(seen) == sorted(s["traceId"] for s in spans)


# ---- spans


def test_span_list(full):
    answer = full.get("/api/spans/list/?page_size=10")
    assert answer.status == 200, answer
    assert set(answer.json) == {"count", "results", "next", "previous"} and answer.json["count"] == 2 * N
    assert all(set(s) == SPAN_HEAD | SPAN_CONTENT for s in answer.json["results"])
    seen, path, pages = [], "/api/spans/list/?page_size=9&content=false", []
    while path:
        page = full.get(path).json
        assert all(set(s) == SPAN_HEAD for s in page["results"])
        seen += [s["span_unique_id"] for s in page["results"]]
        pages.append(page)
        path = page["next"]
    assert sorted(seen) == sorted(s["spanId"] for t in full.traces for s in t)
    assert full.get(pages[3]["previous"]).json["results"] == pages[2]["results"]
    assert full.get(pages[1]["previous"]).json["previous"] is None


def test_reading_again_gives_the_same(full):
    """Readers share the block that was unpacked last, never what another request made of it."""
    trace_id, span_id = full.traces[3][0]["traceId"], full.traces[3][1]["spanId"]
    paths = [
        "/api/spans/list/?page_size=30",
        f"/api/traces/{trace_id}/",
        f"/api/spans/{span_id}/",
        "/api/spans/list/?page_size=3",
    ]
    first = [full.get(p).json for p in paths]
    for _ in range(5):
        assert [full.get(p).json for p in paths] == first


def test_span_filters(full):
    answer = full.get("/api/spans/list/?log_type=chat&model=model-1&page_size=5").json
    assert answer["count"] == 13 and all(s["model"] == "model-1" for s in answer["results"])
    body = {"filters": {"latency": {"operator": "gt", "value": [30]}, "interrupted": {"value": [False]}}}
    answer = full.request("POST", "/api/spans/list/", json.dumps(body)).json
    assert answer["count"] == 10 == len(answer["results"])
    assert full.get("/api/spans/list/?q=flow_3").json["count"] == 11
    assert full.get(f"/api/spans/list/?start_time={BASE_S + 38}").json["count"] == 4
    assert_refused(full.get("/api/spans/list/?metadata__a=1"), "metadata__a")
    assert_refused(full.get("/api/spans/list/?sort_by=latency"), "sort_by")
    assert_refused(full.get("/api/spans/list/?total_cost=1"), "total_cost", "span")


# ---- trees of any shape


def shape(node):
    return node["span_name"], [shape(c) for c in node["children"]]


def tree_of(server, spans):
    assert server.send(spans).status == 200
    answer = server.get(f"/api/traces/{spans[0]['traceId']}/?content=false")
    assert answer.status == 200, answer
    return [shape(n) for n in answer.json["span_tree"]]


def linked(edges, trace_id=None):
    """Spans from {"name": "parent name or None"}, in start order; an unknown parent is one that never came."""
    trace_id = trace_id or uuid.uuid4().hex
    ids = {n: uuid.uuid4().hex[:16] for n in [*edges, *(p for p in edges.values() if p)]}
    return [
        {**made(n, i, trace_id=trace_id, parent=p and ids[p]), "spanId": ids[n]}
        for i, (n, p) in enumerate(edges.items())
    ]


def test_children_in_start_order(server):
    spans = linked({"a": None, "b": "a", "c": "a", "d": "b"})
    assert tree_of(server, spans[::-1]) == [("a", [("b", [("d", [])]), ("c", [])])]


def test_parent_that_never_came(server):
    spans = linked({"a": None, "b": "gone", "c": "b"})
    assert tree_of(server, spans) == [("a", []), ("b", [("c", [])])]
    got = server.get(f"/api/traces/{spans[0]['traceId']}/?content=false").json["span_tree"]
    assert got[1]["span_parent_id"] == spans[1]["parentSpanId"]


def test_rings(server):
    assert tree_of(server, linked({"a": "a"})) == [("a", [])]
    assert tree_of(server, linked({"a": "c", "b": "a", "c": "b", "tail": "c"})) == [
        ("a", [("b", [("c", [("tail", [])])])])
    ]


def test_a_span_sent_twice(server):
    spans = linked({"a": None, "b": "a"})
    assert tree_of(server, [*spans, {**spans[1], "name": "b again"}]) == [("a", [("b again", [])])]


def test_a_chain_ten_thousand_deep(server):
    trace_id = uuid.uuid4().hex
    spans = [made(f"s{i}", i / 1000, trace_id=trace_id) for i in range(10_000)]
    for above, below in pairwise(spans):
        below["parentSpanId"] = above["spanId"]
    for at in range(0, len(spans), 2500):
        assert server.send(spans[at : at + 2500]).status == 200
    answer = server.get(f"/api/traces/{trace_id}/?content=false")
    assert answer.status == 200 and answer.body.count(b'"children":[') == 10_000
    assert answer.body.endswith(b"]}" * 9_999 + b"]}]}")
    flat = server.get(f"/api/traces/{trace_id}/?content=false&flat=true").json["spans"]
    assert [s["depth"] for s in flat] == list(range(10_000))
    assert [s["span_name"] for s in flat] == [f"s{i}" for i in range(10_000)]
    spans[0]["parentSpanId"] = spans[-1]["spanId"]  # and now it is a ring
    assert server.send(spans[:1]).status == 200
    flat = server.get(f"/api/traces/{trace_id}/?content=false&flat=true").json["spans"]
    assert [s["depth"] for s in flat] == list(range(10_000))


def test_text_of_any_kind_is_valid_json(server):
    odd = 'quote " back\\slash \x00 \x1b[31m \u202e 😀 \ufeff'
    s = made(odd, attributes={"respan.entity.log_type": "text", "traceloop.entity.input": odd, odd: odd})
    assert server.send([s]).status == 200
    got = server.get(f"/api/spans/{s['spanId']}/").json
    assert got["span_name"] == odd and got["attributes"][odd] == odd
