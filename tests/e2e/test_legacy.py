"""What PyPI's older clients send: arrays of request logs as spans of a trace, and single logs."""

import gzip
import json
import uuid
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden" / "request_logs"
JSON = {"Content-Type": "application/json"}
INGEST = "/api/v1/traces/ingest"


def send(server, body, path=INGEST, headers=None, **kw):
    return server.request("POST", path, json.dumps(body).encode(), {**JSON, **(headers or {})}, **kw)


def spans_of(server, trace_id) -> dict:
    """By name."""
    got = server.get(f"/api/traces/{trace_id}/?flat=true")
    assert got.status == 200, got
    return {s["span_name"]: s for s in got.json["spans"]}


def test_what_the_openai_agents_exporter_sends(start_server):
    """As respan-exporter-openai-agents 1.3.0 makes it with respan-sdk 2.9.0."""
    server = start_server()
    body = json.loads((GOLDEN / "openai_agents.json").read_text())
    for path in (INGEST, "/api/openai/v1/traces/ingest"):  # twice the same is there once
        answer = send(server, body, path)
        assert answer.status == 200 and answer.json == {"message": "stored", "stored": 4, "rejected": 0}
    [trace] = server.get("/api/traces/list/").json["results"]
    assert (trace["name"], trace["span_count"], trace["llm_call_count"]) == ("Agent workflow", 4, 1)
    assert trace["duration"] == 3.5 and trace["total_tokens"] == 17
    got = spans_of(server, trace["trace_unique_id"])
    root, agent, call, tool = (got[n] for n in ("Agent workflow", "Assistant", "generation", "get_weather"))
    assert root["span_parent_id"] is None and agent["span_parent_id"] == root["span_unique_id"]
    assert {call["span_parent_id"], tool["span_parent_id"]} == {agent["span_unique_id"]}
    assert (call["log_type"], call["model"], call["prompt_tokens"], call["completion_tokens"]) == (
        "generation",
        "gpt-4o",
        12,
        5,
    )
    assert call["start_time"] == "2026-11-29T10:00:00.250000000Z" and call["latency"] == 1.5
    assert call["input"] == [{"role": "user", "content": "Weather in Paris?"}]
    assert call["output"] == [{"role": "assistant", "content": "Let me look."}]
    assert (tool["log_type"], tool["input"], tool["output"]) == ("tool", {"city": "Paris"}, "sunny")
    assert agent["metadata"] == {"output_type": "str", "agent_name": "Assistant"}
    assert agent["span_workflow_name"] == "Assistant"
    assert tool["attributes"]["respan.log.span_tools"] == '["get_weather"]'
    assert tool["attributes"]["respan.log.span_unique_id"] == "span_c3"


def test_what_the_haystack_exporter_sends(server):
    """As respan-exporter-haystack 1.0.1 makes it: ids are UUIDs."""
    trace_id, root, child = (str(uuid.uuid4()) for _ in range(3))
    common = {
        "trace_unique_id": trace_id,
        "span_workflow_name": "rag",
        "start_time": "2026-11-29T10:00:00+00:00",
        "timestamp": "2026-11-29T10:00:02+00:00",
        "latency": 2.0,
        "metadata": {"user": "u1"},
        "disable_log": False,
    }
    body = [
        {**common, "span_unique_id": root, "span_parent_id": None, "span_name": "rag", "log_type": "workflow"},
        {
            **common,
            "span_unique_id": child,
            "span_parent_id": root,
            "span_name": "llm",
            "log_type": "chat",
            "model": "gpt-4o-mini",
            "input": "What is it?",
            "output": "It is this.",
            "prompt_tokens": 3,
            "completion_tokens": 4,
            "cost": 0.25,
        },
    ]
    answer = server.request(
        "POST", INGEST, gzip.compress(json.dumps(body).encode()), {**JSON, "Content-Encoding": "gzip"}
    )
    assert answer.status == 200, answer
    got = spans_of(server, trace_id.replace("-", ""))
    assert got["llm"]["span_parent_id"] == got["rag"]["span_unique_id"]
    assert got["llm"]["output"] == "It is this." and got["llm"]["cost"] == 0.25
    assert got["llm"]["metadata"] == {"user": "u1"} and got["rag"]["log_type"] == "workflow"


@pytest.mark.parametrize(
    "path", ["/api/request-logs/", "/api/request-logs", "/api/request-logs/create", "/api/request-logs/create/"]
)
def test_one_log(server, path):
    log = {
        "model": "gpt-4o",
        "prompt_messages": [{"role": "user", "content": "hi"}],
        "completion_message": {"role": "assistant", "content": "hello"},
        "usage": {"prompt_tokens": 2, "completion_tokens": 3},
        "timestamp": "2026-11-29T10:00:01Z",
        "latency": 0.5,
        "time_to_first_token": 0.125,
        "customer_params": {"customer_identifier": "c1", "email": "c@example.com"},
        "thread_identifier": 17,
        "temperature": 0.5,
        "properties": {"n": 1, "yes": True},
        "log_type": "chat",
        "span_name": path,
    }
    answer = send(server, log, path)
    assert answer.status == 200 and answer.json["stored"] == 1, answer
    assert send(server, log, path).json["span_unique_id"] == answer.json["span_unique_id"]
    got = spans_of(server, answer.json["trace_unique_id"])[path]
    assert got["span_unique_id"] == answer.json["span_unique_id"]
    assert got["input"] == [{"role": "user", "content": "hi"}]
    assert got["output"] == [{"role": "assistant", "content": "hello"}]
    assert (got["prompt_tokens"], got["completion_tokens"], got["time_to_first_token"]) == (2, 3, 0.125)
    assert (got["customer_identifier"], got["thread_identifier"]) == ("c1", "17")
    assert got["parameters"]["temperature"] == 0.5 and got["metadata"] == {"n": 1, "yes": True}
    assert (
        got["start_time"] == "2026-11-29T10:00:00.500000000Z" and got["timestamp"] == "2026-11-29T10:00:01.000000000Z"
    )


def test_logs_without_a_time_are_not_one(server):
    log = {"model": "m", "output": "same"}
    first, second = send(server, log).json, send(server, log).json
    assert first["span_unique_id"] != second["span_unique_id"]


def test_a_failed_call(server):
    log = {"model": "m", "timestamp": 1764000000.5, "status_code": 429, "error_message": "slow down", "span_name": "f"}
    got = spans_of(server, send(server, log).json["trace_unique_id"])["f"]
    assert (got["status_code"], got["error_message"]) == ("error", "slow down")
    assert got["timestamp"] == "2025-11-24T16:00:00.500000000Z"


def test_what_is_wrong_is_said(server):
    mixed = send(server, [{"model": "m"}, 5, "text"])
    assert mixed.status == 200 and (mixed.json["stored"], mixed.json["rejected"]) == (1, 2)
    assert send(server, []).json["stored"] == 0
    for nothing in {}, [{}], {"model": None}, {"data": [{}]}:
        answer = send(server, nothing)
        assert answer.status == 200 and (answer.json["stored"], answer.json["rejected"]) == (0, 1), nothing
        assert answer.json["reason"] == "a log is an empty object"
    for body in (b"", b"5", b"[{", b'{"a":1}x', b"\xff"):
        assert server.request("POST", INGEST, body, JSON).status == 400, body
    assert server.request("POST", INGEST, b"[]", {"Content-Type": "application/x-protobuf"}).status == 415
    assert send(server, [], key=False).status == 401
    assert server.get(INGEST).status == 405
