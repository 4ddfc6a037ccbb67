"""What looks at a span at its end: span_postprocess_callback, export_filter, sample_rate; and what only warns."""

import asyncio
import gc

import pytest
import respan._log
from respan import get_client, propagate_attributes, task, workflow
from respan.instrumentation import start_span

SECRET = "4111-1111"


@pytest.fixture(autouse=True)
def nothing_said_yet(monkeypatch):
    monkeypatch.setattr(respan._log, "_said", set())


def redact(span):
    for key, value in span.attributes.items():
        if isinstance(value, str):
            span._attributes[key] = value.replace(SECRET, "****")
    span._attributes["seen"] = [span.name]


def test_a_callback_sees_and_changes_every_attribute(server, tracing):
    respan = tracing(span_postprocess_callback=redact, customer_identifier=SECRET, environment="tests")

    @task(version=3)
    def charge(card):
        get_client().update_current_span(attributes={"card": card, "count": 2, "ratio": 0.5, "list": [card, "b"]})
        return {"charged": card}

    @workflow(name="shop")
    def shop(card):
        charge(card)
        with start_span("chat model") as span:
            span.set_attribute("gen_ai.prompt.0.content", card)

    with propagate_attributes(metadata={"card": SECRET}):
        shop(SECRET)
    assert respan.flush()
    raw = b"".join(server.bodies)
    assert raw.count(SECRET.encode()) == 1  # in the list, which redact() leaves alone
    span = server.span("charge.task")
    assert span.input == {"args": ["****"], "kwargs": {}}
    assert span.output == {"charged": "****"}
    assert (
        span.attributes.items()
        >= {
            "traceloop.entity.path": "charge",
            "traceloop.workflow.name": "shop",
            "traceloop.entity.version": 3,
            "respan.customer_params.customer_identifier": "****",
            "respan.metadata.card": "****",
            "respan.environment": "tests",
            "card": "****",
            "count": 2,
            "ratio": 0.5,
            "list": [SECRET, "b"],
            "seen": ["charge.task"],
        }.items()
    )
    assert server.span("chat model").attributes["gen_ai.prompt.0.content"] == "****"
    assert server.span("chat model").parent_id == server.span("shop.workflow").span_id


def test_a_callback_may_rename_replace_and_ask(server, tracing):
    seen = []

    def callback(span):
        context = span.get_span_context()
        seen.append((span.name, f"{context.trace_id:032x}", f"{context.span_id:016x}", span.status.status_code.name))
        with pytest.raises(TypeError):
            span.attributes["x"] = 1
        span.name = "renamed"
        span._attributes = {"only": "this"}

    respan = tracing(span_postprocess_callback=callback)

    @task
    def fails():
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fails()
    respan.flush()
    span = server.span("renamed")
    assert seen == [("fails.task", span.trace_id, span.span_id, "ERROR")]
    assert span.attributes == {"only": "this"}
    assert (span.status, span.status_message) == (2, "no")


def test_a_callback_that_fails_drops_the_span_and_nothing_else(server, tracing, caplog):
    def callback(span):
        if span.name == "bad.task":
            raise KeyError(SECRET)

    respan = tracing(span_postprocess_callback=callback)
    assert task(name="bad")(lambda: 1)() == task(name="bad")(lambda: 1)() == task(name="good")(lambda: 1)() == 1
    assert respan.flush()
    assert [span.name for span in server.spans] == ["good.task"]
    assert [record.getMessage() for record in caplog.records] == [
        "span_postprocess_callback failed, and the span was dropped: KeyError"
    ]


def test_a_callback_that_does_what_it_should_not(server, tracing):
    kept = []

    def callback(span):
        kept.append(span)
        span._span.end()
        span._attributes["self"] = span
        span._attributes[5] = 5
        task(name="within")(lambda: 1)() if span.name == "outer.task" else None

    respan = tracing(span_postprocess_callback=callback)
    assert task(name="outer")(lambda: 1)() == 1
    get_client().start_span("forgotten")
    gc.collect()
    assert respan.flush()
    assert sorted(span.name for span in server.spans) == ["forgotten.task", "outer.task", "within.task"]
    assert server.span("outer.task").attributes["self"] == '"<ReadableSpan>"'


def test_a_callback_and_coroutines_and_generators(server, tracing):
    respan = tracing(span_postprocess_callback=redact)

    @task
    async def coroutine(x):
        return x

    @task
    def generator(x):
        yield x

    assert asyncio.run(coroutine(SECRET)) == next(generator(SECRET)) == SECRET
    gc.collect()
    respan.flush()
    assert len(server.spans) == 2
    assert SECRET.encode() not in b"".join(server.bodies)


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ({"status_code": {"operator": "", "value": "ERROR"}}, ["err.task"]),
        ({"status_code": {"operator": "", "value": ["ERROR"]}}, ["err.task"]),
        ({"name": {"operator": "startswith", "value": "fi"}}, ["fine.task"]),
        ({"n": {"operator": "gt", "value": 5}}, ["err.task"]),
        ({"n": {"operator": "lte", "value": "5"}, "name": {"operator": "not", "value": "x"}}, ["fine.task"]),
        ({"n": {"value": [1, 2]}}, ["fine.task"]),
        ({"absent": {"operator": "isnull", "value": True}}, ["err.task", "fine.task"]),
        ({"absent": {"operator": "contains", "value": "a"}}, []),
        ({"n": {"operator": "nonsense", "value": 1}}, []),
        ({}, ["err.task", "fine.task"]),
    ],
)
def test_export_filter(server, tracing, condition, kept):
    respan = tracing()

    @task(name="fine", export_filter=condition)
    def fine():
        get_client().update_current_span(attributes={"n": 1})

    @task(name="err", export_filter=condition)
    def err():
        get_client().update_current_span(attributes={"n": 10})
        raise ValueError

    fine()
    with pytest.raises(ValueError):
        err()
    respan.flush()
    assert sorted(span.name for span in server.spans) == kept


def test_sample_rate(server, tracing):
    respan = tracing()
    calls = {rate: task(name=str(rate), sample_rate=rate)(lambda: 1) for rate in (0, 0.25, 1)}
    for call in calls.values():
        assert sum(call() for _ in range(1000)) == 1000
    respan.flush()
    counts = {rate: sum(span.name == f"{rate}.task" for span in server.spans) for rate in calls}
    assert counts[0] == 0
    assert 150 < counts[0.25] < 350
    assert counts[1] == 1000


def test_without_batching_each_span_is_a_request(server, tracing):
    respan = tracing(is_batching_enabled=False)
    for _ in range(5):
        task(lambda: 1)()
    respan.flush()
    assert len(server.bodies) == len(server.spans) == 5


def test_log_level(script):
    code = "import logging, respan; respan.Respan(is_enabled=False{}); print(logging.getLogger('respan').level)"
    assert script(code.format(", log_level='ERROR'")).stdout == "40\n"
    assert script(code.format(""), RESPAN_LOG_LEVEL="warning").stdout == "30\n"
    assert script(code.format(""), RESPAN_DEBUG="True").stdout == "10\n"
    assert script(code.format("")).stdout == "0\n"
    wrong = script(code.format(", log_level='loud'"))
    assert (wrong.stdout, wrong.stderr) == ("0\n", "there is no log level 'loud'\n")


def test_changes_that_make_no_sense_are_a_warning(server, tracing, caplog):
    respan = tracing()
    client = get_client()

    @task(name="t")
    def confused():
        assert not client.update_current_span(status=7)
        assert not client.update_current_span(name=5)
        assert not client.update_current_span(attributes=[1])
        assert not client.update_current_span(respan_params=[1])
        assert not client.add_event(5)
        assert not client.add_event("x", {}, "now")
        assert client.add_event("fine")

    confused()
    respan.flush()
    assert server.span("t.task").status == 0
    assert all(record.getMessage().startswith("a span could not be changed: ") for record in caplog.records)
    assert caplog.records


def test_properties(server, tracing):
    respan = tracing()

    class Circle:
        @task
        @property
        def area(self):
            return 3

        @area.setter
        def area(self, value):
            self.set = value

    circle = Circle()
    circle.area = 5
    assert (circle.area, circle.set) == (3, 5)
    respan.flush()
    assert server.span("area.task").output == 3


def test_a_span_that_is_discarded_is_not_seen(server, tracing):
    from respan._core import current_span, start_span

    seen = []
    respan = tracing(span_postprocess_callback=lambda span: seen.append(span.name))
    outer = start_span("outer")
    outer.enter()
    discarded = start_span("discarded")
    discarded.enter()
    discarded.discard()
    assert current_span() is outer
    discarded.set_attribute("late", 1)
    discarded.end()
    outer.end()
    assert respan.flush()
    assert seen == [span.name for span in server.spans] == ["outer"]
