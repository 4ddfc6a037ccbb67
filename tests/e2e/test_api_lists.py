"""The lists of docs/http-api.md against the real server: filters, order, pages."""

import json
import threading
import time
import uuid
from urllib.parse import quote

import pytest
from traces import BASE_S, N, ask, assert_refused, filtered, flows, made, names

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


@pytest.mark.parametrize(
    "q,expected",
    [
        ("name:flow_5", [5]),
        ("model:model-2 duration>37", [38]),
        ("model:model-1 AND (duration>37 OR status:error) AND NOT env:staging", [37, 19]),
        ("status:error OR name in (flow_1, flow_2)", [39, 29, 19, 9, 2, 1]),
        ("env:staging user:user_2 NOT (model:model-2 OR model:model-1)", [12]),
        ("NOT env:staging NOT model:model-0 start_time>=2026-09-21T14:13:50Z", [37, 35, 31]),
        ("model!=model-2 name:flow_3*", [39, 37, 36, 34, 33, 31, 30, 3]),
        ("metadata.kind:k1 metadata.run<6", [5, 1]),
        ("metadata.run:7.0", [7]),
        ("metadata.kind>=k3 metadata.run<4", [3]),
        ("error_message:* user:user_4 NOT thread:thread_0", [39, 29, 19]),
        ("span(type:chat model:model-1 latency>0.85)", [37]),
        ("span(type:chat status:error)", []),  # it is the root that failed
        ("span(type:workflow status:error) span(model:model-0)", [39, 9]),
        ("NOT span(type:chat NOT model:model-2) duration<6", [2]),
        ("span(metadata.run:11)", [11]),
        ("span.metadata.run:11 has:metadata.kind", [11]),
        ("span.type:chat span.latency:>850ms model:model-1", list(range(37, 0, -3))),  # of two spans
        ("has:error_message user:user_4 NOT thread:thread_0", [39, 29, 19]),
        (
            'model:model-1 latency:>37 env:production user:user_2 metadata.kind:k1 has:input span.type:chat "question 37"',
            [37],
        ),
        ('"question 17" OR "question 18"', [18, 17]),
        ("duration>=500ms duration<2000ms", [0]),
        ("start_time>now+9000d", []),
    ],
)
def test_the_filter_language(full, q, expected):
    answer = ask(full, q=q)
    assert names(answer) == flows(expected) and answer.json["count"] == len(expected)
    assert answer.json["count_is_estimate"] is False
    pages, found = f"/api/traces/list/?page_size=1&q={quote(q)}", []
    while pages and len(found) <= len(expected):
        page = full.get(pages).json
        assert page["count"] == len(expected)
        found += [t["name"] for t in page["results"]]
        pages = page["next"]
    assert found == flows(expected)
    oldest = ask(full, q=q, sort_by="start_time")
    assert names(oldest) == flows(expected[::-1])


HUB = {"m_0": "sshleifer/tiny-gpt2", "m_1": "tiny-gpt2", "m_2": "gpt2", "m_3": "org/tiny-gpt2", "m_4": "a/b/tiny-gpt2"}


@pytest.fixture(scope="module")
def hub(start_server):
    """Traces whose second call alone has the model that is asked for."""
    server = start_server()
    for name, model in HUB.items():
        root = made(name, trace_id=uuid.uuid4().hex, attributes={"respan.entity.log_type": "workflow"})
        calls = [
            made(
                "chat",
                at,
                0.1,
                {"respan.entity.log_type": "chat", "gen_ai.request.model": m},
                trace_id=root["traceId"],
                parent=root["spanId"],
            )
            for at, m in ((0.1, "first"), (0.5, model))
        ]
        assert server.send([root, *calls]).status == 200
    return server


@pytest.mark.parametrize(
    "q,expected",
    [
        ("model:tiny-gpt2", "0134"),
        ("model=tiny-gpt2 model:first", "0134"),
        ("model in (tiny-gpt2, gpt2)", "01234"),
        ("model!=tiny-gpt2", "2"),
        ("-model:tiny-gpt2", "2"),
        ("NOT model in (tiny-gpt2, x)", "2"),
        ('model:"tiny-gpt2"', "1"),
        ('NOT model:"tiny-gpt2"', "0234"),
        ("model:sshleifer/tiny-gpt2", "0"),
        ("model:b/tiny-gpt2", ""),
        ("span(model:tiny-gpt2 type:chat)", "0134"),
        ("span.model:tiny* name:m_*", "0134"),
        ("model:tiny-gpt2 OR name:m_2", "01234"),
    ],
)
def test_a_model_by_the_last_part_of_its_name(hub, q, expected):
    answer = ask(hub, q=q)
    assert sorted(names(answer)) == [f"m_{i}" for i in expected]
    assert answer.json["count"] == len(expected) and not answer.json["count_is_estimate"]


def test_the_last_part_of_a_model_in_every_form(hub):
    found = [
        ask(hub, model="tiny-gpt2"),
        filtered(hub, "model", "", ["tiny-gpt2"]),
        filtered(hub, "model", "in", ["x", "tiny-gpt2"]),
    ]
    assert [sorted(names(a)) for a in found] == [["m_0", "m_1", "m_3", "m_4"]] * 3
    assert names(filtered(hub, "model", "iexact", ["first"])) != [] == names(filtered(hub, "model", "iexact", ["x"]))
    spans = hub.get("/api/spans/list/?q=model:tiny-gpt2").json["results"]
    assert sorted(s["model"] for s in spans) == sorted(m for m in HUB.values() if m != "gpt2")
    groups = hub.get("/api/metrics/totals/?of=spans&group_by=model&q=model:tiny-gpt2").json["groups"]
    assert {g["value"]: g["count"] for g in groups} == {m: 1 for m in HUB.values() if m != "gpt2"}
    facet = hub.get("/api/metrics/facets/?of=spans&fields=model&q=model:tiny-gpt2").json["facets"][0]
    assert {v["value"] for v in facet["values"]} >= set(HUB.values())  # as if its own condition were not there


def test_a_truth_value_however_it_was_sent(start_server):
    server = start_server()
    sent = {"bool": True, "text": "true", "python": "True", "false": False, "python_false": "False", "number": 1}
    assert server.send([made(n, attributes={"respan.metadata.flag": v}) for n, v in sent.items()]).status == 200
    for q, expected in {
        "metadata.flag:true": {"bool", "text", "python"},
        "metadata.flag:True": {"bool", "text", "python"},
        "metadata.flag in (false, 1)": {"false", "python_false", "number"},
        "-metadata.flag:true": {"false", "python_false", "number"},
        'metadata.flag:"True"': {"python"},
        "span(metadata.flag:true)": {"bool", "text", "python"},
    }.items():
        answer = ask(server, q=q)
        assert set(names(answer)) == expected and answer.json["count"] == len(expected), q
    assert set(names(ask(server, metadata__flag="true"))) == {"bool", "text", "python"}
    assert set(names(filtered(server, "metadata__flag", "", [True]))) == {"bool", "text", "python"}
    found = server.get("/api/spans/list/?q=metadata.flag:true").json["results"]
    assert {s["span_name"] for s in found} == {"bool", "text", "python"}


def test_what_was_likely_meant_otherwise(full):
    hint = "'foo:bar' was looked for as text: a trace has no field 'foo'"
    assert ask(full, q="foo:bar").json["hint"] == hint and ask(full, q="foo:bar").json["results"] == []
    assert "a span has no field" in full.get("/api/spans/list/?q=foo:bar").json["hint"]
    assert "hint" not in ask(full, q="http://foo 12:30 -status:error").json
    assert names(ask(full, q="-status:error duration>37")) == flows([38, 37])
    refused = full.get("/api/traces/list/?q=x%20sttaus:error")
    assert_refused(refused, "q", "did you mean 'status'?", "at byte 2 of 'q'")


def test_the_language_as_json(full):
    filters = {
        "or": [
            {"span": {"log_type": {"value": "chat"}, "latency": {"operator": "gt", "value": 0.88}}},
            {"status_code": {"value": ["error"]}, "not": {"name": {"operator": "in", "value": ["flow_9"]}}},
        ]
    }
    answer = full.request("POST", "/api/traces/list/", json.dumps({"filters": filters}))
    assert names(answer) == flows([39, 29, 19])
    refused = full.get("/api/traces/list/?q=a%20AND%20modle:x")
    assert_refused(refused, "q", "did you mean 'model'?", "at byte 6 of 'q'")
    assert refused.json["error"]["position"] == 6
    refused = full.get("/api/traces/list/?q=%C3%BCber%20AND%20modle:x")
    assert refused.json["error"]["position"] == len("über AND ".encode())
    assert "position" not in full.get("/api/traces/list/?page=x").json["error"]


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
        ({"or": [{"model": {"value": "x"}}, 7]}, "model", "lists of objects"),
        ({"not": {"colour": {"value": "x"}}}, "colour", "byte"),
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


def test_what_is_not_known(full):
    rows = full.get("/api/traces/list/?page_size=1000").json["results"]
    for field, q in (("total_cost", "cost"), ("time_to_first_token", "ttft"), ("error_message", "error_message")):
        unknown = [t["name"] for t in rows if t[field] is None]
        assert names(ask(full, q=f'{q}:""', page_size=1000)) == unknown
        assert names(ask(full, page_size=1000, **{field: ""})) == unknown
        assert names(ask(full, q=f'{q}!=""', page_size=1000)) == [t["name"] for t in rows if t[field] is not None]
        assert names(filtered(full, field, "", [""])) == unknown


@pytest.mark.parametrize("query", ["model=%00", "model=a%00b", "%00=1", "page=1&q=a%00"])
def test_no_value_ends_at_a_nul(full, query):
    for path in "/api/traces/list/", "/api/metrics/totals/", "/api/spans/export/":
        answer = full.get(f"{path}?{query}")
        assert answer.status == 400 and "NUL" in answer.json["error"]["message"], answer


@pytest.mark.parametrize("q", ["input:foo", "model:x output=foo", "tools~x", "metadata:x", "attributes:*"])
def test_spans_are_not_filtered_by_content(full, q):
    name = q.split()[-1].split(":")[0].split("=")[0].split("~")[0]
    assert_refused(full.get(f"/api/spans/list/?q={quote(q)}"), "q", name, f"at byte {q.index(name)}")


def test_a_cursor_is_of_one_list_and_order(full):
    def next_of(path):
        return full.get(path).json["next"].split("cursor=")[1].split("&")[0]

    queries = ["traces/list/?page_size=2" + order for order in ("", "&sort_by=start_time", "&sort_by=-duration")]
    queries += ["traces/list/?page_size=2&sort_by=duration", "spans/list/?page_size=2"]
    cursors = [next_of("/api/" + q) for q in queries]
    for i, query in enumerate(queries):
        for k, cursor in enumerate(cursors):
            answer = full.get(f"/api/{query}&cursor={cursor}")
            if i == k:
                assert answer.status == 200 and len(answer.json["results"]) == 2
            else:
                assert_refused(answer, "cursor", "another")


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
