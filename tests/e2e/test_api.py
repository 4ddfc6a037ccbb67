"""The read endpoints of docs/http-api.md against the real server: fields, spans, trees of any shape. Lists: test_api_lists.py."""

import json
import uuid
from itertools import pairwise

import pytest
from traces import BASE_S, N, ask, assert_refused, made

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
    "cached_tokens",
    "reasoning_tokens",
    "total_tokens",
    "usage_source",
    "cost",
    "cost_source",
    "status_code",
    "error_message",
    "interrupted",
    "thread_identifier",
    "customer_identifier",
    "environment",
}
SPAN_CONTENT = {
    "input",
    "output",
    "metadata",
    "parameters",
    "tools",
    "attributes",
    "events",
    "links",
    "resource",
    "scope",
}


# ---- fields


def test_trace_fields(full):
    answer = ask(full, page_size=1)
    assert set(answer.json) == {"count", "count_is_estimate", "results", "next", "previous"}
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


def test_a_span_as_it_was_sent(server):
    """OTLP/JSON that can be sent again: ids, times, values and their types, whatever encoding it came in."""
    attributes = {"text": "naïve \u202e", "whole": 2**60, "part": 0.5, "yes": True}
    sent = made("raw", 5, 1.5, attributes, events=[{"name": "e", "timeUnixNano": "7", "attributes": []}])
    assert server.send([sent]).status == 200
    path = f"/api/spans/{sent['spanId']}/"
    answer = server.get(f"{path}?format=otlp")
    (resource,) = answer.json["resourceSpans"]
    (scope,) = resource["scopeSpans"]
    (span,) = scope["spans"]
    for key in ("traceId", "spanId", "name", "startTimeUnixNano", "endTimeUnixNano", "attributes"):
        assert span[key] == sent[key], key
    assert span["events"] == [{"timeUnixNano": "7", "name": "e"}]
    whole = server.get(path).json
    assert {a["key"] for a in resource["resource"].get("attributes", [])} == set(whole["resource"])
    assert server.get(f"{path}?trace_id={sent['traceId']}&format=otlp").json == answer.json
    assert_refused(server.get(f"{path}?format=yaml"), "format")


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
    ],
)
def test_ids_that_are_not_there(full, path):
    answer = full.get(path)
    assert answer.status == 404, answer
    assert answer.json["error"]["code"] == "not_found"


def test_session(full):
    session = full.get("/api/session/").json
    assert set(session) == {
        *("project", "spans", "traces", "bytes", "version"),
        *("project_id", "projects", "user", "role", "csrf_token"),
        *("organization_id", "organizations", "server_owner"),
    }
    assert session["projects"] == [{"id": 1, "name": "default", "organization": 1, "role": None}]
    assert session["user"] is None and session["role"] is None and session["csrf_token"] is None
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


# ---- spans


def test_span_list(full):
    answer = full.get("/api/spans/list/?page_size=10")
    assert answer.status == 200, answer
    assert (
        set(answer.json) == {"count", "count_is_estimate", "results", "next", "previous"}
        and answer.json["count"] == 2 * N
    )
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
    assert full.get("/api/spans/list/?metadata__run=7").json["count"] == 1
    answer = full.get("/api/spans/list/?q=metadata.run%3E%3D38%20OR%20(type:chat%20latency%3E0.88)").json
    assert [s["name"] for s in answer["results"]] == ["chat model-0", "flow_39", "flow_38"]
    assert_refused(full.get("/api/spans/list/?q=span(name:x)"), "q", "lists of traces", "at byte 0 of 'q'")
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
