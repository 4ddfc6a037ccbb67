"""Traces made by number, what asks for them, and what reads the answers: shared by the tests of the API and of the commands."""

import json
import uuid
from urllib.parse import quote

from conftest import span

BASE_S = 1_790_000_000  # traces start here, one a second, unless a test says otherwise
N = 40  # in the fixture `full`


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
