"""Traces and spans by which model it was (respan.model.…)."""

import json

import pytest
from traces import ask, assert_refused, chat, filtered, flows, names, value, workflow


@pytest.fixture(scope="module")
def models(start_server):
    """Three traces: flow_0 of one model, flow_1 of another, flow_2 of both."""
    server = start_server()
    facts = [
        {"respan.model.dtype": "float32", "respan.model.parameters": 134515008, "respan.model.training": True},
        {"respan.model.dtype": "bfloat16", "respan.model.quantization": "bitsandbytes 4-bit nf4"},
    ]
    facts[1] |= {"respan.model.parameters": 1711376384}
    traces = [workflow(n, n) for n in range(3)]
    for n, trace in enumerate(traces):
        trace[1:] = [
            chat(trace[0]["traceId"], trace[0]["spanId"], n, m, **facts[m]) for m in ([n] if n < 2 else [0, 1])
        ]
    assert server.send([s for t in traces for s in t]).status == 200
    return server


@pytest.mark.parametrize(
    "fact,wanted,expected",
    [
        ("dtype", "float32", [2, 0]),
        ("dtype", "bfloat16", [2, 1]),
        ("dtype", "float3", []),
        ("parameters", 134515008, [2, 0]),
        ("quantization", "bitsandbytes 4-bit nf4", [2, 1]),
        ("training", "true", [2, 0]),
        ("revision", "main", []),
    ],
)
def test_traces_by_a_fact_of_their_models(models, fact, wanted, expected):
    field = f"respan.model.{fact}"
    for answer in (ask(models, **{field: wanted}), filtered(models, field, "", [wanted])):
        assert names(answer) == flows(expected) and answer.json["count"] == len(expected)
    assert names(ask(models, **{field: wanted, "name": "flow_2"})) == flows([2] if expected else [])


@pytest.mark.parametrize(
    "fact,operator,wanted,expected",
    [
        ("parameters", "gt", [1e9], ["model-1", "model-1"]),
        ("parameters", "lte", [134515008], ["model-0", "model-0"]),
        ("quantization", "icontains", ["NF4"], ["model-1", "model-1"]),
        ("dtype", "in", ["float16", "float32"], ["model-0", "model-0"]),
        ("training", "isnull", [False], ["model-0", "model-0"]),
        ("dtype", "", ["bfloat16"], ["model-1", "model-1"]),
    ],
)
def test_spans_by_a_fact_of_their_model(models, fact, operator, wanted, expected):
    body = {"filters": {f"respan.model.{fact}": {"operator": operator, "value": wanted}}, "content": False}
    answer = models.request("POST", "/api/spans/list/", json.dumps(body)).json
    assert [s["model"] for s in answer["results"]] == expected and answer["count"] == 2
    assert not any("attributes" in s for s in answer["results"])


@pytest.mark.parametrize(
    "fact,operator,wanted,expected",
    [
        ("parameters", "gt", [1e9], [2, 1]),
        ("parameters", "lt", [1e9], [2, 0]),
        ("parameters", "", ["134515008.0"], [2, 0]),
        ("dtype", "not", ["float32"], [1]),
        ("dtype", "in", ["float32", "bfloat16"], [2, 1, 0]),
        ("quantization", "icontains", ["NF4"], [2, 1]),
        ("training", "isnull", [True], [1]),
        ("training", "isnull", [False], [2, 0]),
    ],
)
def test_traces_by_any_operator_on_a_fact(models, fact, operator, wanted, expected):
    answer = filtered(models, f"respan.model.{fact}", operator, wanted)
    assert names(answer) == flows(expected) and answer.json["count"] == len(expected)


def test_facts_of_a_model_that_traces_are_not_asked_for(models):
    assert_refused(filtered(models, "respan.model.dtype", "", [""]), "respan.model.dtype", "isnull")
    assert_refused(ask(models, **{"respan.model.": "x"}), "respan.model.", "no field")
    assert_refused(ask(models, **{"respan.generation.steps": 1}), "respan.generation.steps", "no field")


def test_a_fact_that_a_new_copy_of_the_span_takes_back(start_server):
    server = start_server()
    root, call = workflow(0, 0)
    call["attributes"].append({"key": "respan.model.dtype", "value": value("float32")})
    assert server.send([root, call]).status == 200
    call["attributes"][-1]["value"] = value("float16")
    assert server.send([call]).status == 200
    assert names(ask(server, **{"respan.model.dtype": "float16"})) == ["flow_0"]
    assert names(ask(server, **{"respan.model.dtype": "float32"})) == []
