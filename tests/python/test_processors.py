"""Respan.telemetry.add_processor(), `processors` and `links` of decorators, span buffers. Without OpenTelemetry's SDK; with
it: test_opentelemetry.py."""

import asyncio
import threading
from types import SimpleNamespace

import pytest
from respan import Respan, agent, get_client, propagate_attributes, task, workflow

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Exporter:
    def __init__(self):
        self.spans, self.is_shut_down = [], False

    def export(self, spans):
        self.spans += spans

    def shutdown(self):
        self.is_shut_down = True

    @property
    def names(self):
        return [span.name for span in self.spans]


made_by_path = []


class ByPath(Exporter):
    def __init__(self):
        super().__init__()
        made_by_path.append(self)


@task
def plain():
    return 1


@task(processors=["own", "other"])
def with_its_own():
    plain()


@task
def counted():
    yield from (plain(), plain())


@task
async def awaited():
    return plain()


@workflow(processors="debug")
def routed():
    plain()
    with_its_own()
    list(counted())
    asyncio.run(awaited())
    thread = threading.Thread(target=plain)
    thread.start()
    thread.join()


def test_processors_get_what_is_routed_to_them_and_what_is_below(server, tracing):
    respan = tracing()
    everything, debug, own, slow = Exporter(), Exporter(), Exporter(), Exporter()
    respan.telemetry.add_processor(everything)
    respan.telemetry.add_processor(debug, name="debug")
    respan.telemetry.add_processor(own, "own", is_batching_enabled=False)
    respan.telemetry.add_processor(slow, filter_fn=lambda span: span.attributes["traceloop.entity.name"] == "counted")
    routed()
    plain()
    assert respan.flush()
    assert debug.names == ["plain.task"] * 3 + [
        "counted.task",
        "plain.task",
        "awaited.task",
        "plain.task",
        "routed.workflow",
    ]
    assert own.names == ["plain.task", "with_its_own.task"] and slow.names == ["counted.task"]
    assert len(everything.spans) == len(server.spans) == 11
    assert {s.attributes.get("respan.processors") for s in server.spans} == {"debug", "own,other", None}
    respan.shutdown()
    assert everything.is_shut_down and len(everything.spans) == 11


def test_what_a_processor_sees(tracing):
    respan = tracing(app_name="app", resource_attributes={"team": "t"})
    exporter = Exporter()
    respan.telemetry.add_processor(exporter)
    with propagate_attributes(customer_identifier="ada"), get_client().start_span("outer", "workflow") as outer:
        with (
            pytest.raises(KeyError),
            get_client().start_span("inner", links=[SimpleNamespace(trace_id=TRACE, span_id=SPAN)]),
        ):
            get_client().add_event("e", {"n": 1})
            raise KeyError("k")
    inner, seen = exporter.spans
    assert inner.parent.span_id == seen.context.span_id == outer.get_span_context().span_id
    assert inner.get_span_context().trace_id == seen.context.trace_id and seen.parent is None
    assert inner.attributes["respan.customer_params.customer_identifier"] == "ada"
    assert (inner.status.status_code.name, inner.status.is_ok, seen.status.is_ok) == ("ERROR", False, True)
    assert [event.name for event in inner.events] == ["e", "exception"] and inner.events[0].attributes == {"n": 1}
    assert [link.context.span_id for link in inner.links] == [int(SPAN, 16)]
    assert seen.resource.attributes == {"service.name": "app", "team": "t"}
    assert seen.start_time <= inner.start_time <= inner.end_time <= seen.end_time and inner.kind.name == "INTERNAL"
    assert '"name": "inner.task"' in inner.to_json()


def test_an_exporter_by_its_path_and_one_that_fails(server, tracing, caplog):
    respan = tracing()
    respan.telemetry.add_processor(f"{__name__}.ByPath")
    respan.telemetry.add_processor("no.such.Exporter")
    respan.telemetry.add_processor(SimpleNamespace(export=lambda spans: 1 / 0))
    assert plain() == 1
    assert made_by_path[-1].names == ["plain.task"] and respan.flush() and len(server.spans) == 1
    assert "no.such.Exporter" in caplog.text and "division by zero" in caplog.text
    off = Respan(is_enabled=False)
    off.telemetry.add_processor(Exporter())
    assert "no processor was added" in caplog.text


def test_the_telemetry_of_a_respan(tracing):
    respan = tracing(auto_flush="off")
    telemetry = respan.telemetry
    assert telemetry is respan.telemetry and telemetry.tracer.is_enabled and telemetry.is_initialized()
    assert telemetry.get_client() is get_client() and telemetry.auto_flush == "off"
    assert telemetry.workflow is workflow
    telemetry.flush()
    respan.shutdown()
    assert not telemetry.is_enabled
    with pytest.raises(ValueError, match="auto_flush"):
        Respan(auto_flush="sometimes")


def link(**attributes):
    return SimpleNamespace(trace_id=TRACE, span_id=SPAN, attributes=attributes, timestamp="2024-01-01T00:00:00Z")


def test_links_of_decorated_functions(server, traced, caplog):
    calls = []

    def links():
        calls.append(get_client().get_current_span())
        return [link(n=len(calls))]

    @agent(links=links)
    def dynamic():
        return 1

    @task(links=[link(why="static"), object()])
    def static():
        yield dynamic()

    @task(links=lambda: 1 / 0)
    async def broken():
        return list(static())

    assert asyncio.run(broken()) == [1]
    traced()
    assert server.span("dynamic.agent").links == [
        (TRACE, SPAN, {"n": 1, "respan.link.timestamp": "2024-01-01T00:00:00Z"})
    ]
    assert server.span("static.task").links[0][2]["why"] == "static" and server.span("broken.task").links == []
    assert calls[0].span_id == server.span("static.task").span_id  # called before its own span is current
    assert "ZeroDivisionError" in caplog.text and "AttributeError" in caplog.text


def test_ctrl_c_in_links_reaches_the_caller(traced):
    def links():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        task(links=links)(lambda: 1)()
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(task(links=links)(awaited)())
    assert get_client().get_current_span() is None


# ---- buffers ----------------------------------------------------------------------------------------------------


def test_spans_wait_in_a_buffer(server, traced):
    with get_client().get_span_buffer(TRACE) as buffer:
        made = buffer.create_span("step", {"n": 1}, links=[link()])
        plain()
        assert traced() == [] and buffer.get_span_count() == 2
        step, seen = buffer.get_all_spans()
        assert (step.name, format(step.context.span_id, "016x"), dict(step.attributes)) == ("step", made, {"n": 1})
    spans = traced()
    assert [span.name for span in spans] == ["step", "plain.task"] and {span.trace_id for span in spans} == {TRACE}
    assert (spans[0].span_id, spans[0].attributes, len(spans[0].links)) == (made, {"n": 1}, 1)
    assert (spans[1].start, spans[1].end) == (seen.start_time, seen.end_time) and spans[1].output == 1
    assert get_client().process_spans(buffer) and get_client().process_spans([step, seen]) and len(traced()) == 2
    plain()
    assert len(traced()) == 3 and buffer.get_span_count() == 2


def test_a_buffer_that_is_cleared_sends_nothing(traced):
    with get_client().get_span_buffer("run-1") as buffer:
        plain()
        kept = buffer.get_all_spans()
        assert buffer.buffer_span(kept[0]) is False
        buffer.clear_spans()
    assert traced() == [] and not get_client().process_spans(buffer)
    assert get_client().process_spans(kept) and len(traced()) == 1


def test_a_buffer_goes_on_below_a_span_of_before(server, traced):
    client = get_client()
    with client.get_span_buffer("run-2", parent_trace_id=TRACE, parent_span_id=SPAN) as buffer:
        with client.start_span("made before") as nothing:
            nothing.set_attribute("a", 1)
            plain()
        buffer.create_span("more")
    assert {(span.name, span.trace_id, span.parent_id) for span in traced()} == {
        ("plain.task", TRACE, SPAN),
        ("more", TRACE, SPAN),
    }


def test_a_buffer_inside_a_span_and_inside_a_buffer(server, traced):
    client = get_client()
    with client.start_span("root", "workflow"):
        with client.get_span_buffer(TRACE):
            plain()
            with client.get_span_buffer(TRACE) as inner:
                with_its_own()
            assert inner.get_span_count() == 2 and len(traced()) == 2
        assert len(traced()) == 3
    root = server.spans[-1] if traced() else None
    assert {s.parent_id for s in server.spans if s.name == "with_its_own.task"} == {root.span_id}
    assert {s.trace_id for s in server.spans} == {root.trace_id}


def test_a_buffer_holds_only_its_own_context(server, traced):
    def elsewhere():
        plain()

    with get_client().get_span_buffer("x") as buffer:
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        assert buffer.get_span_count() == 0 and len(traced()) == 1


def test_the_callback_sees_buffered_spans_once(server, tracing):
    seen = []
    respan = tracing(span_postprocess_callback=lambda span: seen.append(span.name))
    with get_client().get_span_buffer(TRACE):
        plain()
        assert seen == []
    assert seen == ["plain.task"] and respan.flush() and len(server.spans) == 1


# ---- a span by hand ---------------------------------------------------------------------------------------------


def test_the_methods_of_a_span(respan_spans):
    client = get_client()
    with client.start_span("s") as span:
        assert client.get_current_span() == span and len({client.get_current_span(), span}) == 1
        context = span.get_span_context()
        assert format(context.trace_id, "032x") == client.get_current_trace_id() and context.is_valid
        span.set_attributes({"a": 1})
        span.add_event("e", {"odd": {"k": 1}}, timestamp=5)
        span.add_link(SimpleNamespace(trace_id=1, span_id=2, is_valid=True), {"why": "w"})
        span.record_exception(ValueError("v"), {"extra": 1}, escaped=True)
        span.set_status("ERROR", "bad")
        span.set_status(0)
        span.update_name("renamed")
    assert not span.is_recording()
    [one] = respan_spans
    assert (one["name"], one["status"], one["status_message"], one["attributes"]["a"]) == ("renamed", 2, "bad", 1)
    event, exception = one["events"]
    assert (event["time_ns"], event["attributes"]) == (5, {"odd": '{"k":1}'})
    assert (
        exception["attributes"].items() >= {"exception.escaped": "True", "extra": 1, "exception.message": "v"}.items()
    )
    assert one["links"] == [{"trace_id": f"{1:032x}", "span_id": f"{2:016x}", "attributes": {"why": "w"}}]
