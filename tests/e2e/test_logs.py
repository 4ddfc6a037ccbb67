"""/v1/logs: GenAI events, sent as log records, become events of their spans, whichever comes first; other logs and metrics are refused."""

import gzip
import json
import time
from pathlib import Path

import pytest
from conftest import span
from wire import partial_success

GOLDEN = Path(__file__).parent / "golden" / "openai_v2"  # what opentelemetry-instrumentation-openai-v2 2.3b0 sent
GOLDEN_OF_SPANS = Path(__file__).parents[1] / "golden" / "genai"
JSON = {"Content-Type": "application/json"}
PROTOBUF = {"Content-Type": "application/x-protobuf"}


def value(v):
    """An AnyValue in JSON."""
    if isinstance(v, dict):
        return {"kvlistValue": {"values": [{"key": k, "value": value(x)} for k, x in v.items()]}}
    if isinstance(v, list):
        return {"arrayValue": {"values": [value(x) for x in v]}}
    return {"intValue": str(v)} if isinstance(v, int) else {"stringValue": v}


def record(of, name, body=None, attributes=None, **fields):
    made = {
        "timeUnixNano": str(time.time_ns()),
        "eventName": name,
        "traceId": of["traceId"],
        "spanId": of["spanId"],
        "attributes": [{"key": k, "value": value(v)} for k, v in (attributes or {}).items()],
        **fields,
    }
    return {**made, "body": value(body)} if body is not None else made


def question(of):
    return record(of, "gen_ai.user.message", {"content": "What is the answer?"})


def answer(of):
    return record(of, "gen_ai.choice", {"index": 0, "message": {"role": "assistant", "content": "It is 42."}})


def send(server, records, path="/v1/logs", **headers):
    logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}
    return server.request("POST", path, json.dumps(logs).encode(), {**JSON, **headers})


def call():
    return span("chat m", attributes={"respan.entity.log_type": "chat", "gen_ai.request.model": "m"})


def stored(server, of):
    got = server.get(f"/api/spans/{of['spanId']}/?trace_id={of['traceId']}")
    assert got.status == 200, got
    return got.json


def assert_joined(server, of, events=("gen_ai.user.message", "gen_ai.choice")):
    got = stored(server, of)
    assert [e["name"] for e in got["events"]] == list(events)
    assert got["input"] == [{"role": "user", "content": "What is the answer?"}]
    assert got["output"] == [{"role": "assistant", "content": "It is 42."}]
    trace = server.get(f"/api/traces/{of['traceId']}/").json
    assert (trace["input"], trace["output"], trace["span_count"]) == ("What is the answer?", "It is 42.", 1)
    assert trace["llm_call_count"] == 1


@pytest.mark.parametrize("first", ["events", "span", "both"])
@pytest.mark.parametrize("restart", ["no", "kill"])
def test_whichever_comes_first(start_server, first, restart):
    server = start_server()
    of = call()
    steps = {
        "events": [lambda: send(server, [question(of)]), lambda: send(server, [answer(of)]), lambda: server.send([of])],
        "span": [lambda: server.send([of]), lambda: send(server, [question(of), answer(of)])],
        "both": [lambda: send(server, [question(of)]), lambda: server.send([of]), lambda: send(server, [answer(of)])],
    }[first]
    for step in steps:
        done = step()
        assert done.status == 200 and done.json == {"partialSuccess": {}}, done
        if restart == "kill":
            server.kill()
            server.start()
    assert_joined(server, of)


def test_what_is_sent_twice_is_there_once(server):
    of, other = call(), call()
    events = [question(of), answer(of)]
    for _ in range(2):
        assert send(server, events).status == 200
    for _ in range(2):
        assert server.send([of]).status == 200
    assert send(server, events).status == 200
    assert_joined(server, of)
    assert server.send([other]).status == 200  # and the other way round
    events = [question(other), answer(other)]
    for _ in range(2):
        assert send(server, events).status == 200
    assert server.send([other, span()]).status == 200
    assert_joined(server, other)


def test_events_of_a_span_sent_again_after_a_restart(start_server):
    server = start_server()
    of = call()
    assert send(server, [question(of), answer(of)]).status == 200
    assert server.send([of]).status == 200
    server.kill()
    server.start()
    of["attributes"].append({"key": "extra", "value": {"stringValue": "of the second copy"}})
    assert server.send([of]).status == 200
    assert_joined(server, of)
    assert stored(server, of)["attributes"]["extra"] == "of the second copy"


def test_what_the_span_has_itself_stays(server):
    own = {"timeUnixNano": "1", "name": "own", "attributes": []}
    of = {**call(), "events": [own]}
    assert server.send([of]).status == 200
    assert send(server, [question(of), answer(of)]).status == 200
    assert_joined(server, of, ("own", "gen_ai.user.message", "gen_ai.choice"))


def test_many_at_once(server):
    """More than a block of spans, and one batch of events for all of them, some before and some behind their span."""
    spans = [call() for _ in range(1500)]
    assert send(server, [question(s) for s in spans]).status == 200
    assert server.send(spans).status == 200
    assert send(server, [answer(s) for s in spans]).status == 200
    for of in spans[::300]:
        assert_joined(server, of)


def test_too_many_of_one_span(server):
    of = call()
    assert server.send([of]).status == 200
    taken = send(server, [record(of, "gen_ai.tool.message", {"content": str(n)}) for n in range(4200)])
    assert taken.status == 200
    assert taken.json["partialSuccess"]["rejectedLogRecords"] == "104"
    assert taken.json["partialSuccess"]["errorMessage"] == "a span has at most 4096 events"
    assert len(stored(server, of)["events"]) == 4096


def test_details_and_evaluations(server):
    of = call()
    details = record(
        of,
        "gen_ai.client.inference.operation.details",
        attributes={
            "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "Hello"}]}],
            "gen_ai.output.messages": [
                {"role": "assistant", "parts": [{"type": "text", "content": "Hi"}], "finish_reason": "stop"}
            ],
            "gen_ai.usage.input_tokens": 3,
        },
    )
    evaluation = record(of, "", attributes={"event.name": "gen_ai.evaluation.result", "gen_ai.evaluation.name": "tone"})
    assert send(server, [details, evaluation]).status == 200
    assert server.send([of]).status == 200
    got = stored(server, of)
    assert got["prompt_tokens"] == 3
    assert "Hello" in json.dumps(got["input"]) and "Hi" in json.dumps(got["output"])
    assert [e["name"] for e in got["events"]] == [details["eventName"], "gen_ai.evaluation.result"]
    assert got["events"][1]["attributes"] == {"gen_ai.evaluation.name": "tone"}


def test_other_logs(server):
    of = call()
    line = record(of, "", "GET /index.html 200")
    only_others = send(server, [line, {"body": value("starting")}])
    assert only_others.status == 404
    assert "OTEL_LOGS_EXPORTER=none" in only_others.json["error"]["message"]
    mixed = send(server, [line, question(of)])
    assert mixed.status == 200
    assert mixed.json["partialSuccess"]["rejectedLogRecords"] == "1"
    assert "only events of GenAI" in mixed.json["partialSuccess"]["errorMessage"]
    astray = send(server, [{"eventName": "gen_ai.user.message", "body": value({"content": "?"})}])
    assert astray.status == 200
    assert "does not say of which span" in astray.json["partialSuccess"]["errorMessage"]
    assert send(server, []).json == {"partialSuccess": {}}


def test_protobuf_of_the_real_package(start_server):
    for order in (["logs", "traces"], ["traces", "logs"]):
        server = start_server()
        for signal in order:
            body = gzip.compress((GOLDEN / f"{signal}.pb").read_bytes())
            done = server.request("POST", f"/v1/{signal}", body, {**PROTOBUF, "Content-Encoding": "gzip"})
            assert done.status == 200 and partial_success(done.body) == (0, ""), done
        [trace] = server.get("/api/traces/list/").json["results"]
        assert (trace["input"], trace["output"]) == ("Weather in Paris?", "It is sunny in Paris.")
        [got] = server.get("/api/spans/list/").json["results"]
        assert [m["role"] for m in got["input"]] == ["system", "user", "assistant", "tool"]
        assert got["input"][2]["tool_calls"][0]["function"] == {"name": "weather", "arguments": '{"city":"Paris"}'}
        assert got["output"] == [{"role": "assistant", "content": "It is sunny in Paris.", "finish_reason": "stop"}]


@pytest.mark.parametrize("order", [["logs.pb", "pb"], ["pb", "logs.pb"]], ids=["logs", "spans"])
@pytest.mark.parametrize("mode", ["event_only", "span_and_event"])
def test_content_in_events_reads_as_content_on_spans(start_server, mode, order):
    """openai-v2 2.4b0: chats, one streamed, one with a tool, one that failed."""

    def read(mode, parts):
        server = start_server()
        for part in parts:
            body = (GOLDEN_OF_SPANS / f"opentelemetry_openai_v2_2_4_{mode}.{part}").read_bytes()
            path = "/v1/logs" if part == "logs.pb" else "/v1/traces"
            assert server.request("POST", path, body, PROTOBUF).status == 200
        spans = server.get("/api/spans/list/").json["results"]
        calls = sorted((s["start_time"], s["input"], s["output"], s["error_message"]) for s in spans)
        assert server.stop() == 0
        return [rest for _, *rest in calls]

    on_spans = read("span_only", ["pb"])
    assert len(on_spans) == 6 and sum(bool(output) for _, output, _ in on_spans) == 4
    assert read(mode, order) == on_spans


@pytest.mark.parametrize("path", ["/v1/logs", "/api/v1/logs", "/api/v2/logs"])
def test_logs_are_taken_as_traces_are(server, path):
    of = call()
    assert send(server, [question(of)], path).status == 200
    assert server.request("POST", path, b"{}", JSON, key=False).status == 401
    assert server.request("POST", path, b"", {"Content-Type": "text/plain"}).status == 415
    broken = server.request("POST", path, b'{"resourceLogs":[{', JSON)
    assert broken.status == 400 and broken.json["error"]["code"] == "malformed"
    assert server.request("POST", path, b"\x0a\x05", PROTOBUF).status == 400
    assert server.get(path).status == 405


@pytest.mark.parametrize("path", ["/v1/metrics", "/api/v1/metrics", "/api/v2/metrics"])
def test_metrics_are_refused_with_what_to_do(server, path):
    refused = server.request("POST", path, b"\x0a\x00", PROTOBUF)
    assert refused.status == 404
    assert "OTEL_METRICS_EXPORTER=none" in refused.json["error"]["message"]
