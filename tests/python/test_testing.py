"""respan.testing, respan.stats(), RESPAN_DEBUG: tools of habit."""

import threading

import pytest
import respan as respan_module
from respan import Respan, _core, extract, get_client, propagate_attributes, task, workflow
from respan.testing import record_spans

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@task(version=3)
def step(n=0):
    return n


@workflow
def run():
    step(1)
    get_client().add_event("checkpoint", {"n": 1, "list": "x"})
    with pytest.raises(KeyError):
        fail()


@task
def fail():
    raise KeyError("lost")


# ---- recording --------------------------------------------------------------------------------------------------


def test_the_fixture_has_what_ended(respan_spans):
    with propagate_attributes(customer_identifier="ada"):
        run()
    one, failed, root = respan_spans
    assert [span["name"] for span in respan_spans] == ["step.task", "fail.task", "run.workflow"]
    assert set(one) == {
        *("trace_id", "span_id", "parent_id", "name", "kind", "start_ns", "end_ns"),
        *("status", "status_message", "attributes", "events", "links"),
    }
    assert one["parent_id"] == failed["parent_id"] == root["span_id"] and root["parent_id"] == ""
    assert len(root["trace_id"]) == 32 and len(root["span_id"]) == 16
    assert root["start_ns"] <= one["start_ns"] <= one["end_ns"] <= root["end_ns"]
    assert one["attributes"]["traceloop.entity.output"] == "1" and one["attributes"]["traceloop.entity.version"] == 3
    assert one["attributes"]["respan.customer_params.customer_identifier"] == "ada"
    assert (failed["status"], failed["status_message"]) == (2, "'lost'")
    assert failed["events"][0]["name"] == "exception"
    assert failed["events"][0]["attributes"]["exception.type"] == "KeyError"
    [event] = root["events"]
    assert event["name"] == "checkpoint" and event["attributes"] == {"n": 1, "list": "x"}
    assert root["start_ns"] <= event["time_ns"] <= root["end_ns"]


def test_the_fixture_begins_empty(respan_spans):
    assert respan_spans == []


def test_the_fixture_s_kinds_names_and_status(respan_spans):
    from respan.instrumentation import CLIENT, start_span

    with start_span("chat", CLIENT) as span:
        get_client().update_current_span(name="renamed", status="OK", status_description="fine")
        span.event("then", _core.Scope({}, {}), 12)
    with extract({"traceparent": PARENT}):
        step()
    chat, remote = respan_spans
    assert (chat["name"], chat["kind"], chat["status"], chat["status_message"]) == ("renamed", CLIENT, 1, "fine")
    assert chat["events"] == [{"name": "then", "time_ns": 12, "attributes": {}}]
    assert (remote["trace_id"], remote["parent_id"]) == (PARENT[3:35], PARENT[36:52])


def test_a_respan_that_the_program_makes_is_recorded_too(server):
    with record_spans() as spans:
        inner = Respan(base_url=server.base_url, customer_identifier="own")
        step()
        assert inner.flush() and inner.stats()["pending"] == 0
    step()
    assert [span["attributes"]["respan.customer_params.customer_identifier"] for span in spans] == ["own"]
    assert server.bodies == [] and inner.stats() is None


def test_the_respan_of_before_is_current_again(server, traced):
    with record_spans(
        span_postprocess_callback=lambda span: span._attributes.pop("traceloop.entity.input", None)
    ) as outer:
        step()
        with record_spans() as inner:
            step()
        step()
    step()
    assert (len(outer), len(inner), len(traced())) == (2, 1, 1)
    assert "traceloop.entity.input" not in outer[0]["attributes"]
    assert "traceloop.entity.input" in inner[0]["attributes"]


def test_recording_touches_no_spool(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.delenv("RESPAN_SPOOL", raising=False)
    with record_spans() as spans:
        step()
        Respan(app_name="own")
        step()
    assert len(spans) == 2 and list(tmp_path.rglob("*")) == []


def test_recording_ends_with_an_exception(traced):
    with pytest.raises(KeyError), record_spans():
        raise KeyError
    step()
    assert len(traced()) == 1


def test_what_was_recorded_stays_as_it_was(respan_spans):
    step()
    respan_spans[0]["attributes"].clear()
    step()
    assert len(respan_spans) == 2 and respan_spans[1]["attributes"]


# ---- counters ---------------------------------------------------------------------------------------------------


def test_stats_add_up(server, tracing):
    assert respan_module.stats() == {
        **dict.fromkeys(("started", "ended", "acknowledged", "rejected", "dropped", "pending", "kept"), 0),
        "last_error": "",
    }
    first = tracing()
    step()
    second = tracing()
    step()
    assert respan_module.flush()
    assert respan_module.stats()["acknowledged"] == 2 == respan_module.stats()["started"]
    assert first.stats().keys() == respan_module.stats().keys()
    second.shutdown()
    assert respan_module.stats()["started"] == 1


def test_stats_say_what_went_wrong(tracing):
    tracing(base_url="http://127.0.0.1:9/api")
    step()
    assert not respan_module.flush(2)
    stats = respan_module.stats()
    assert stats["pending"] == 1 and "refused" in stats["last_error"]


# ---- RESPAN_DEBUG -----------------------------------------------------------------------------------------------

TREE = """
from respan import *
Respan()
@task
def deep(): pass
@task
def step(): deep()
@task
def fail(): raise ValueError("why\\nmore")
@workflow
def run():
    step()
    try: fail()
    except ValueError: pass
run()
"""


def test_debug_prints_each_trace_as_a_tree(server, script):
    done = script(TREE, RESPAN_DEBUG="1")
    assert done.returncode == 0
    title, *lines = done.stderr.splitlines()
    assert title == f"respan: trace {server.span('run.workflow').trace_id}"
    shape = [line.partition("  ERROR")[0].rpartition("  ")[0] for line in lines]
    assert shape == ["  run.workflow", "  ├─ step.task", "  │  └─ deep.task", "  └─ fail.task"]
    assert lines[3].endswith(" ms  ERROR why") and len(server.spans) == 4  # printed, and sent as ever


def test_without_debug_nothing_is_printed(script):
    assert script(TREE).stderr == ""


def test_debug_survives_a_closed_stderr_and_a_narrow_one(server, script):
    closed = script("import sys; sys.stderr.close(); sys.stderr = None\n" + TREE, RESPAN_DEBUG="1")
    narrow = script(TREE, RESPAN_DEBUG="1", PYTHONIOENCODING="ascii")
    assert closed.returncode == narrow.returncode == 0 and len(server.spans) == 8
    assert "run.workflow" in narrow.stderr


def test_debug_keeps_little_and_prints_what_comes_late(monkeypatch, capsys):
    from respan import _debug

    monkeypatch.setattr(_debug, "_waiting", {})
    monkeypatch.setattr(_debug, "_printed", {})
    monkeypatch.setenv("RESPAN_DEBUG", "1")
    with record_spans():

        @workflow
        def outer():
            go = threading.Event()
            thread = threading.Thread(target=lambda: go.wait() and step())
            thread.start()
            return go, thread

        go, thread = outer()
        go.set()
        thread.join()
        for n in range(_debug.TRACES_MAX + 10):
            step(n)
    assert _debug._waiting == {} and len(_debug._printed) <= _debug.TRACES_MAX
    first, late = capsys.readouterr().err.split("respan: trace ")[1:3]
    assert "outer.workflow" in first and "step.task" in late and first[:32] == late[:32]
