"""Words and phrases in what spans say: prompts, completions, attributes, events (docs/filter-language.md)."""

import json
import uuid
from urllib.parse import quote

import pytest
from traces import ask, assert_refused, chat, filtered, flows, made, names, value, workflow

LONG = "of no use at all, " * 400  # past the preview, and past what a summary keeps

SAID = {
    2: "The Zebrafish swims",
    3: "zebra fish",
    5: json.dumps([{"role": "user", "content": 'line one\nbreak "quoted" naïve'}]),
    7: "大语言模型的评测",
    11: "Refund my\norder-4711, please",
    12: "refund the order",
    13: '["\\u0077ombat, \\u00e9t\\u00e9"]',
    14: "Η ΑΘΉΝΑ και η İstanbul 🎉 beautiful",
    15: "任务完成，谢谢。",
}
N = 40


@pytest.fixture(scope="module")
def said(start_server):
    server = start_server()
    for n in range(N):
        trace = workflow(n, n)
        if n in SAID:
            content = SAID[n] if n in (5, 7, 13) else f"{LONG}{SAID[n]} {LONG}"
            trace.append(
                chat(
                    trace[0]["traceId"],
                    trace[0]["spanId"],
                    n,
                    n,
                    **{"gen_ai.prompt.0.content": content, "deal": f"d{n}"},
                )
            )
        if n == 9:
            note = {"key": "note", "value": {"arrayValue": {"values": [value("pelican brief")]}}}
            kvs = {
                "key": "order",
                "value": {"kvlistValue": {"values": [{"key": "number", "value": {"intValue": 90125}}]}},
            }
            trace[1]["attributes"].append(kvs)
            trace[1]["events"] = [{"timeUnixNano": trace[1]["startTimeUnixNano"], "name": "n", "attributes": [note]}]
        assert server.send(trace).status == 200
    return server


@pytest.mark.parametrize(
    "q,expected",
    [
        ("zebrafish", [2]),
        ("ZEBRAFISH swims", [2]),
        ("zebra", [3]),  # a whole word
        ("zebraf", []),
        ('"zebra fish"', [3]),
        ('"fish zebra"', []),
        ("fish zebra", [3]),
        ("refund", [12, 11]),
        ('"my order-4711"', [11]),
        ("text:refund NOT text:please", [12]),
        ('text:"refund the order" OR text:zebrafish', [12, 2]),
        ("refund env:production", [11]),
        ("refund name:flow_12", [12]),
        ("NOT text:refund name:flow_1*", [19, 18, 17, 16, 15, 14, 13, 10, 1]),
        ("break", [5]),
        ('"one break quoted"', [5]),
        ("NAÏVE name:flow_5", [5]),
        ("模型", [7]),
        ("语言模型", [7]),
        ("型模", []),
        ("pelican", [9]),
        ("d11", [11]),  # any attribute
        ("it broke", [39, 29, 19, 9]),
        ("span(text:refund model:model-2)", [11]),
        ("span(refund status:error)", []),
        ("span(type:chat text:zebrafish)", [2]),
        ("span(type:workflow text:zebrafish)", []),
        ("span(text:refund text:please) span(type:workflow)", [11]),
        ("wombat", [13]),
        ("αθήνα", [14]),
        ("istanbul", [14]),
        ('"İSTANBUL beautiful"', [14]),
        ("完成谢谢", [15]),
        ("text:90125", [9]),  # a number in a structure
        ("question 17", [17]),
        ("uestion 17", [17]),  # a part of a word, where the list shows it
        ("w_17", [17]),
        ("flow_3 zebra", [3]),
    ],
)
def test_what_is_said(said, q, expected):
    answer = ask(said, q=q)
    assert names(answer) == flows(expected)
    assert answer.json["count"] == len(expected) and answer.json["count_is_estimate"] is False
    assert names(ask(said, q=q, sort_by="start_time")) == flows(expected[::-1])
    assert sorted(names(ask(said, q=q, sort_by="-duration"))) == sorted(flows(expected))
    path, found = f"/api/traces/list/?page_size=1&q={quote(q)}", []
    while path and len(found) <= len(expected):
        page = said.get(path).json
        found += [t["name"] for t in page["results"]]
        path = page["next"]
    assert found == flows(expected)


def test_as_json_and_in_a_window(said):
    assert names(filtered(said, "text", "", ["refund"])) == flows([12, 11])
    assert names(filtered(said, "text", "icontains", "Zebrafish")) == flows([2])
    body = {"filters": {"or": [{"text": {"value": "zebrafish"}}, {"span": {"text": {"value": "模型"}}}]}}
    assert names(said.request("POST", "/api/traces/list/", json.dumps(body))) == flows([7, 2])
    start = said.get("/api/traces/list/?name=flow_12").json["results"][0]["start_time"]
    assert names(ask(said, q="refund", start_time=start)) == flows([12])
    assert names(ask(said, q="refund", end_time=start)) == flows([11])
    assert_refused(ask(said, q='text:"..."'), "q", "no word", "at byte 5")
    assert_refused(filtered(said, "text", "gt", ["a"]), "text", "one word or phrase")


def test_spans(said):
    spans = said.get("/api/spans/list/?q=refund").json
    assert [s["name"] for s in spans["results"]] == ["chat model-0", "chat model-2"] and spans["count"] == 2
    assert said.get("/api/spans/list/?q=text:%22zebra%20fish%22").json["count"] == 1
    assert said.get("/api/spans/list/?q=flow_1").json["count"] == 11  # in names
    assert said.get("/api/spans/list/?q=zebrafish%20OR%20text:pelican").json["count"] == 2
    assert said.get("/api/spans/list/?q=NOT%20text:use%20type:chat").json["count"] == N + 3


def test_ids(said):
    """A pasted id finds its trace, in any order and with whatever else is asked."""
    traces = said.get("/api/traces/list/?page_size=1000").json["results"]
    trace = next(t for t in traces if t["name"] == "flow_7")
    spans = said.get(f"/api/traces/{trace['trace_unique_id']}/?flat=true").json["spans"]
    words = [trace["trace_unique_id"], trace["trace_unique_id"].upper(), *(s["span_unique_id"] for s in spans)]
    for word in words:
        for more in {}, {"sort_by": "start_time"}, {"sort_by": "-duration"}, {"environment": trace["environment"]}:
            answer = ask(said, q=word, **more)
            assert names(answer) == ["flow_7"] and answer.json["count"] == 1, (word, more)
        assert names(ask(said, q=f"{word} 模型")) == ["flow_7"]
        assert names(ask(said, q=f"{word} OR name:flow_8")) == ["flow_8", "flow_7"]
        assert names(ask(said, q=f"{word} zebrafish")) == names(ask(said, q=f"{word} status:error")) == []
        assert "flow_7" not in names(ask(said, q=f"NOT {word}", page_size=1000))
        assert names(ask(said, q=word, end_time=trace["start_time"])) == []
        assert names(ask(said, q=f"text:{word}")) == []
    found = said.get(f"/api/spans/list/?q={words[0]}").json["results"]
    assert {s["span_unique_id"] for s in found} == {s["span_unique_id"] for s in spans}
    for s in spans:
        assert [f["name"] for f in said.get(f"/api/spans/list/?q={s['span_unique_id']}").json["results"]] == [s["name"]]
    assert names(ask(said, q="0" * 31 + "1")) == names(ask(said, q="0" * 15 + "1")) == []
    totals = said.get(f"/api/metrics/totals/?of=traces&q={words[0]}").json["totals"]
    assert totals["count"] == 1


def test_pages_while_others_arrive(said):
    first = said.get("/api/traces/list/?q=refund&page_size=1").json
    assert [t["name"] for t in first["results"]] == flows([12])
    late = workflow(50, 50)
    late.append(chat(late[0]["traceId"], late[0]["spanId"], 50, 50, **{"gen_ai.prompt.0.content": "another refund"}))
    assert said.send(late).status == 200
    second = said.get(first["next"]).json
    assert [t["name"] for t in second["results"]] == flows([11])
    back = said.get(second["previous"]).json
    assert [t["name"] for t in back["results"]] == flows([12])
    assert names(ask(said, q="refund")) == flows([50, 12, 11])


def test_an_id_among_many(start_server):
    server = start_server()
    spans = [made(f"t{n}", n, trace_id=uuid.uuid4().hex) for n in range(6000)]
    for at in range(0, 6000, 2000):
        assert server.send(spans[at : at + 2000]).status == 200
    for s in spans[0], spans[3000], spans[-1]:
        for word in s["traceId"], s["spanId"]:
            for order in "start_time", "-start_time":
                answer = ask(server, q=word, sort_by=order)
                assert names(answer) == [s["name"]] and answer.json["next"] is None, (s["name"], word)
            assert names(ask(server, q=f"{word} name:t1")) == []
            assert ask(server, q=word, page_size=1).json["count"] == 1
