"""docs/python-api.md: every row names a test that is there; and what no other file shows."""

import asyncio
import inspect
import re
from pathlib import Path

import pytest
import respan
import respan.instrumentation
import respan_instrumentation_huggingface
from respan import Respan, RespanClient, get_client, task, workflow
from respan_instrumentation_huggingface import HuggingFaceInstrumentor

DOCS = Path(__file__).resolve().parents[2] / "docs" / "python-api.md"
NOON = 1_700_000_000


def rows():
    for line in DOCS.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| `") and len(cells) == 3:
            yield cells


def test_every_row_names_a_test():
    tests = {
        f"{path.stem}.{name}"
        for path in Path(__file__).parent.glob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(), re.M)
    }
    named = [name for _, _, cell in rows() for name in re.findall(r"`(test_\w+\.test_\w+)`", cell)]
    assert len(named) >= 30 and set(named) <= tests, sorted(set(named) - tests)
    assert all("`test_" in cell for _, _, cell in rows())


def test_every_public_name_has_a_row():
    text = " ".join(name for name, _, _ in rows())
    for name in respan.__all__:
        assert f"`{name}" in text, name
    for owner in (Respan, RespanClient):
        for name in vars(owner):
            assert name.startswith("_") or f"`{name}" in text or f".{name}" in text, name
    for name in inspect.signature(Respan).parameters:
        assert f"`{name}`" in text, name
    for module in (respan.instrumentation, respan_instrumentation_huggingface):
        for name in module.__all__:
            assert f"`{name}`" in text, name
    for name in (*vars(HuggingFaceInstrumentor), *inspect.signature(HuggingFaceInstrumentor).parameters):
        assert name.startswith("_") or f"`{name}`" in text, name


def test_the_version_is_the_distribution_s():
    from importlib.metadata import version

    assert respan.__version__ == version("respan-ai")


@workflow
def current(action):
    action()
    return get_client().get_current_trace_id()


def test_context_values(traced):
    client = get_client()
    assert client.get_context_value("k") is None

    async def inside():
        assert client.get_context_value("k") == 1
        assert client.set_context_value("k", 2) and client.get_context_value("k") == 2

    async def main():
        assert client.set_context_value("k", 1)
        await asyncio.create_task(inside())
        assert client.get_context_value("k") == 1

    asyncio.run(main())
    assert client.get_context_value("k") is None


def test_an_exception_at_its_own_time(respan_spans):
    current(lambda: get_client().record_exception(ValueError("v"), {"a": 1}, timestamp=12, escaped=True))
    [span] = respan_spans
    [event] = span["events"]
    assert (event["time_ns"], span["status"], span["status_message"]) == (12, 2, "v")
    assert event["attributes"].items() >= {"a": 1, "exception.escaped": "True", "exception.type": "ValueError"}.items()


def request(n):
    return {"custom_id": f"r{n}", "body": {"model": "asked", "messages": [{"role": "user", "content": f"q{n}"}]}}


def result(n, **more):
    body = {
        "created": NOON + n,
        "model": "answered",
        "choices": [{"message": {"role": "assistant", "content": f"a{n}"}}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 4},
    }
    return {"custom_id": f"r{n}", "response": {"status_code": 200, "body": body}, **more}


def test_batch_results_lie_under_the_current_span(respan_spans):
    log = Respan().log_batch_results
    current(lambda: log([request(1), request(2)], [result(2), result(1)]))
    second, first, run = respan_spans
    assert first["parent_id"] == second["parent_id"] == run["span_id"]
    assert first["name"] == "batch:r1" and first["start_ns"] == first["end_ns"] == (NOON + 1) * 10**9
    wanted = {
        "gen_ai.request.model": "answered",
        "gen_ai.usage.prompt_tokens": 3,
        "gen_ai.usage.completion_tokens": 4,
        "llm.request.type": "chat",
        "respan.entity.log_type": "chat",
        "traceloop.entity.input": '[{"role":"user","content":"q1"}]',
        "traceloop.entity.output": '{"role":"assistant","content":"a1"}',
    }
    assert wanted.items() <= first["attributes"].items() and first["status"] == 0


def test_batch_results_that_come_later_join_their_trace(respan_spans):
    log = Respan().log_batch_results
    trace_id = current(lambda: None)
    log([request(1), request(2)], [result(1), result(2)], trace_id=trace_id)
    log([request(3)], [result(3)])
    log([request(3)], [result(3)], trace_id="not one")
    _, one, two, group, *rest = respan_spans
    assert {span["trace_id"] for span in (one, two, group)} == {trace_id}
    assert one["parent_id"] == two["parent_id"] == group["span_id"] and group["parent_id"] == ""
    assert group["name"] == "batch_results.task"
    assert (group["start_ns"], group["end_ns"]) == ((NOON + 1) * 10**9, (NOON + 2) * 10**9)
    assert len(rest) == 4 and trace_id not in {span["trace_id"] for span in rest}


def test_batch_results_that_went_wrong_or_are_none(respan_spans, monkeypatch):
    respan_ = Respan()
    failed = {"custom_id": "r1", "response": None, "error": {"message": "no \ud800"}}
    refused = {"custom_id": "r2", "response": {"status_code": 429, "body": {"error": {"message": "slow down"}}}}
    odd = [
        {},
        None,
        7,
        {"custom_id": []},
        {"response": {"body": {"created": float("nan"), "choices": [1], "usage": 2}}},
    ]
    respan_.log_batch_results([{}, None, {"custom_id": {}, "body": 1}], [failed, refused, *odd])
    respan_.log_batch_results([], [], trace_id=7)
    assert [(span["status"], span["status_message"]) for span in respan_spans[:2]] == [(2, "no ?"), (2, "slow down")]
    assert len(respan_spans) == 2 + len(odd) + 1 + 1
    monkeypatch.setenv("RESPAN_TRACE_CONTENT", "false")
    respan_spans.clear()
    Respan().log_batch_results([request(1)], [result(1), {**refused}])
    assert all("traceloop.entity.input" not in span["attributes"] for span in respan_spans)
    assert respan_spans[1]["status_message"] == "status 429"
    Respan(is_enabled=False).log_batch_results([], [])


@pytest.mark.parametrize("status", ["OK", "ok", 1])
def test_every_argument_of_update_current_span(respan_spans, status):
    params = {"customer_identifier": "ada", "metadata": {"k": "v"}}
    current(lambda: get_client().update_current_span(params, {"a": 1}, status, "said", "renamed"))
    [span] = respan_spans
    assert (span["name"], span["status"], span["status_message"]) == ("renamed", 1, "said")
    assert span["attributes"]["respan.customer_params.customer_identifier"] == "ada"
    assert span["attributes"]["respan.metadata.k"] == "v" and span["attributes"]["a"] == 1


def test_a_client_flushes(server, tracing):
    tracing()
    task(lambda: None)()
    get_client().flush()
    assert len(server.spans) == 1
