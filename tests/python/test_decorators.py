"""workflow, task, agent, tool: what their spans hold, and that decorated functions stay what they were."""

import asyncio
import inspect
import pickle
import re
import sys
import threading
import weakref
from functools import partial

import pytest
from respan import agent, task, tool, workflow


def test_a_workflow_and_its_task(server, traced):
    @task(name="double", version=3)
    def double(x, *, by=2):
        return x * by

    @workflow(name="compute")
    def compute(x):
        return {"result": double(x, by=3)}

    assert compute(7) == {"result": 21}
    traced()
    outer, inner = server.span("compute.workflow"), server.span("double.task")
    assert inner.trace_id == outer.trace_id and inner.parent_id == outer.span_id and outer.parent_id == ""
    assert outer.start <= inner.start <= inner.end <= outer.end
    assert (outer.status, inner.status) == (0, 0)
    assert outer.input == {"args": [7], "kwargs": {}}
    assert outer.output == {"result": 21}
    assert inner.input == {"args": [7], "kwargs": {"by": 3}}
    del outer.attributes["traceloop.entity.input"], outer.attributes["traceloop.entity.output"]
    assert outer.attributes == {
        "traceloop.span.kind": "workflow",
        "respan.entity.log_type": "workflow",
        "traceloop.entity.name": "compute",
        "traceloop.workflow.name": "compute",
    }
    assert inner.attributes["traceloop.entity.path"] == "double"
    assert inner.attributes["traceloop.entity.version"] == 3
    assert inner.attributes["traceloop.workflow.name"] == "compute"
    assert outer.resource["service.name"] == "tests"
    assert outer.resource["telemetry.sdk.language"] == "python"


@pytest.mark.parametrize("decorator", [workflow, task, agent, tool])
def test_with_and_without_parentheses(server, traced, decorator):
    @decorator
    def bare():
        return 1

    @decorator()
    def empty():
        return 2

    @decorator("positional")
    def third():
        return 3

    assert (bare(), empty(), third()) == (1, 2, 3)
    kind = decorator.__name__
    assert [span.name for span in traced()] == [f"bare.{kind}", f"empty.{kind}", f"positional.{kind}"]
    assert {span.attributes["respan.entity.log_type"] for span in server.spans} == {kind}


def test_paths_nest_by_task_and_tool(server, traced):
    @tool
    def leaf():
        pass

    @task
    def middle():
        leaf()

    @agent
    def assistant():
        middle()

    @workflow
    def top():
        assistant()
        leaf()

    top()
    traced()
    assert server.span("middle.task").attributes["traceloop.entity.path"] == "middle"
    leaves = [span.attributes for span in server.spans if span.name == "leaf.tool"]
    assert [leaf["traceloop.entity.path"] for leaf in leaves] == ["middle.leaf", "leaf"]
    assert [leaf["traceloop.workflow.name"] for leaf in leaves] == ["assistant", "top"]


def test_recursion_keeps_paths_short(traced):
    @task(name="a-task-with-a-long-name")
    def down(n):
        return n and down(n - 1)

    down(200)
    spans = traced()
    assert len(spans) == 201
    assert max(len(span.attributes["traceloop.entity.path"]) for span in spans) <= 1000


# CPython 3.12 and 3.13 count calls that pass through C, to 500 in a debug build.
DEEP = 5000
if (3, 12) <= sys.version_info < (3, 14):
    DEEP = 200 if hasattr(sys, "gettotalrefcount") else 3000


def test_deep_recursion_needs_little_stack(script):
    code = (
        "import sys, respan; sys.setrecursionlimit(50000); r = respan.Respan()\n"
        "@respan.task\n"
        "def down(n): return n and down(n - 1)\n"
        f"print(down({DEEP})); r.shutdown()"
    )
    result = script(code)
    assert (result.returncode, result.stdout) == (0, "0\n"), result.stderr


def test_what_fails_deep_down_is_not_told_whole_at_each_level(server, script):
    code = (
        "import sys, respan; sys.setrecursionlimit(50000); r = respan.Respan()\n"
        "@respan.task\n"
        "def down(n): return down(n - 1) if n else 1 / 0\n"
        f"try: down({min(DEEP, 500)})\n"
        "except ZeroDivisionError: r.shutdown()"
    )
    result = script(code)
    assert (result.returncode, result.stdout) == (0, ""), result.stderr
    spans = server.spans
    assert len(spans) == min(DEEP, 500) + 1
    for span in spans:
        [(_, attributes)] = span.events
        trace = attributes["exception.stacktrace"]
        repeated = re.search(r"repeated (\d+) more times", trace)
        assert trace.endswith("ZeroDivisionError: division by zero\n")
        assert trace.count("File ") + int(repeated[1] if repeated else 0) <= 100


def test_the_same_exception_reaches_the_caller(server, traced):
    error = ValueError("no such thing")

    @task
    def fail():
        raise error

    with pytest.raises(ValueError) as caught:
        fail()
    assert caught.value is error
    assert [frame.name for frame in caught.traceback][-1] == "fail"
    traced()
    span = server.span("fail.task")
    assert (span.status, span.status_message) == (2, "no such thing")
    [(name, attributes)] = span.events
    assert name == "exception"
    assert attributes["exception.type"] == "ValueError"
    assert attributes["exception.message"] == "no such thing"
    assert "raise error" in attributes["exception.stacktrace"]
    assert "traceloop.entity.output" not in span.attributes


def test_exceptions_that_cannot_be_printed(server, traced):
    class MuteError(Exception):
        def __str__(self):
            raise RuntimeError("never")

        __repr__ = __str__

    @task
    def fail():
        raise MuteError

    with pytest.raises(MuteError):
        fail()
    traced()
    span = server.span("fail.task")
    assert span.status == 2
    assert span.events[0][1]["exception.type"].endswith("MuteError")


def test_keyboard_interrupt_passes(server, traced):
    @task
    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop()
    traced()
    assert server.span("stop.task").status == 2


def test_coroutines(server, traced):
    @task
    async def child(n):
        await asyncio.sleep(0.001 * (n % 3))
        return n

    @workflow
    async def parent(n):
        return sum(await asyncio.gather(*(child(n * 10 + i) for i in range(5))))

    async def main():
        return await asyncio.gather(*(parent(n) for n in range(20)))

    assert asyncio.run(main()) == [sum(n * 10 + i for i in range(5)) for n in range(20)]
    spans = traced()
    parents = {span.span_id: span for span in spans if span.name == "parent.workflow"}
    children = [span for span in spans if span.name == "child.task"]
    assert len(parents) == 20 and len(children) == 100
    for span in children:
        parent_span = parents[span.parent_id]
        assert span.trace_id == parent_span.trace_id
        assert span.output // 10 == parent_span.input["args"][0]


def test_a_cancelled_coroutine(server, traced):
    @task
    async def forever():
        await asyncio.sleep(100)

    async def main():
        running = asyncio.create_task(forever())
        await asyncio.sleep(0.01)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(main())
    traced()
    assert server.span("forever.task").events[0][1]["exception.type"] == "asyncio.exceptions.CancelledError"


def test_to_thread_keeps_the_parent(server, traced):
    @task
    def work():
        return threading.current_thread().name

    @workflow
    async def outer():
        return await asyncio.to_thread(work)

    asyncio.run(outer())
    traced()
    assert server.span("work.task").parent_id == server.span("outer.workflow").span_id


def test_a_new_thread_starts_a_trace_of_its_own_where_context_is_not_carried(server, tracing):
    respan = tracing(is_context_carried=False)

    @task
    def work():
        pass

    @workflow
    def outer():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()

    outer()
    assert respan.flush()
    assert server.span("work.task").parent_id == ""


def test_generators(server, traced):
    @task
    def inner():
        pass

    @task
    def count(n):
        inner()
        got = yield from range(n)
        assert got is None
        return "done"

    @workflow
    def consume():
        generator = count(2)
        items = [next(generator)]
        inner()  # the consumer's, not the generator's
        with pytest.raises(StopIteration) as stop:
            while True:
                items.append(next(generator))
        return items, stop.value.value

    assert consume() == ([0, 1], "done")
    traced()
    generator, consumer = server.span("count.task"), server.span("consume.workflow")
    assert generator.parent_id == consumer.span_id
    assert {span.parent_id for span in server.spans if span.name == "inner.task"} == {
        generator.span_id,
        consumer.span_id,
    }


def test_a_generator_is_sent_to_thrown_into_and_closed(server, traced):
    events = []

    @task
    def talk():
        try:
            events.append((yield "hello"))
            try:
                yield "more"
            except KeyError:
                events.append("caught")
                yield "after"
        finally:
            events.append("closed")

    generator = talk()
    assert next(generator) == "hello"
    assert generator.send("answer") == "more"
    assert generator.throw(KeyError()) == "after"
    generator.close()
    assert events == ["answer", "caught", "closed"]
    traced()
    assert server.span("talk.task").status == 0


def test_async_generators(server, traced):
    @task
    async def numbers():
        for n in range(3):
            await asyncio.sleep(0)
            yield n

    @workflow
    async def main():
        return [n async for n in numbers()]

    assert asyncio.run(main()) == [0, 1, 2]
    traced()
    assert server.span("numbers.task").parent_id == server.span("main.workflow").span_id


def test_methods_static_class_and_whole_classes(server, traced):
    class Model:
        @task
        def run(self, x):
            return self, x

        @staticmethod
        @task
        def still(x):
            return x

        @task
        @classmethod
        def made(cls):
            return cls

    @workflow(name="job", method_name="start")
    class Job:
        def start(self, x):
            return x + 1

    model = Model()
    assert model.run(1) == (model, 1)
    assert Model.run(model, 2) == (model, 2)
    assert Model.still(3) == 3
    assert Model.made() is Model
    assert Job().start(1) == 2
    traced()
    assert server.span("job.workflow").input["args"][1:] == [1]


def test_the_method_of_a_class_may_be_of_any_sort(server, traced):
    class Base:
        def inherited(self, x):
            return self, x

        @staticmethod
        def still(x):
            return x

        @classmethod
        def made(cls, x):
            return cls, x

        @property
        def area(self):
            return 4

    names = ("inherited", "still", "made", "area")
    kinds = {name: task(name=name, method_name=name)(type(name, (Base,), {})) for name in names}
    one = kinds["inherited"]()
    assert one.inherited(1) == (one, 1)
    assert kinds["still"].still(2) == kinds["still"]().still(2) == 2
    assert kinds["made"].made(3) == (kinds["made"], 3)
    assert kinds["area"]().area == 4
    assert Base().inherited(5)[1] == 5
    assert sorted(span.name for span in traced()) == sorted([*(f"{name}.task" for name in names), "still.task"])
    with pytest.raises(AttributeError, match="nothing"):
        task(method_name="nothing")(Base)


def test_a_program_that_ends_well_has_not_failed(server, traced):
    for name, code in (("none", None), ("zero", 0), ("one", 1), ("text", "sorry")):
        with pytest.raises(SystemExit):
            task(name=name)(sys.exit)(code)
    traced()
    assert [server.span(f"{name}.task").status for name in ("none", "zero", "one", "text")] == [0, 0, 2, 2]


def test_a_name_made_from_the_arguments(server, traced):
    @task(name=lambda x: f"run-{x}")
    def run(x):
        return x

    @task(name=lambda x: 1 / 0)
    async def fallback(x):
        return x

    assert run(1) == 1
    assert asyncio.run(fallback(2)) == 2
    assert [span.name for span in traced()] == ["run-1.task", "fallback.task"]


def test_decorated_functions_look_like_what_they_were():
    def plain(a: int, b: str = "x") -> float:
        """Its manual."""
        return 1.0

    async def coroutine(a):
        pass

    def generator():
        yield

    async def async_generator():
        yield

    decorated = workflow(plain)
    assert decorated.__name__ == "plain" and decorated.__doc__ == "Its manual."
    assert decorated.__qualname__ == plain.__qualname__ and decorated.__module__ == __name__
    assert decorated.__wrapped__ is plain and decorated.__annotations__ == plain.__annotations__
    assert decorated.__code__ is plain.__code__ and decorated.__defaults__ == ("x",)
    assert inspect.signature(decorated) == inspect.signature(plain)
    assert inspect.isfunction(decorated) and not inspect.isfunction(task(partial(plain, 1)))
    assert not inspect.iscoroutinefunction(decorated)
    assert inspect.iscoroutinefunction(task(coroutine)) and inspect.iscoroutinefunction(task(partial(coroutine, 1)))
    assert inspect.isgeneratorfunction(task(generator)) and inspect.isasyncgenfunction(task(async_generator))
    assert weakref.ref(decorated)() is decorated
    decorated.note = 1
    assert decorated.note == 1 and vars(decorated)["note"] == 1
    with pytest.raises(AttributeError):
        _ = decorated.nothing
    assert pickle.loads(pickle.dumps(module_level)) is module_level
    with pytest.raises(TypeError):
        task(name="x")(3)


@task
def module_level():
    pass


def test_without_respan_functions_are_just_called(server):
    @task
    def run(x):
        return x

    @task
    async def run_async(x):
        return x

    @task
    def generate():
        yield 1

    assert run("x") == "x" and asyncio.run(run_async("y")) == "y" and list(generate()) == [1]
    assert server.bodies == []


def test_after_shutdown_functions_are_just_called(server, tracing):
    respan = tracing()

    @task
    def run():
        return 1

    run()
    respan.shutdown()
    assert run() == 1
    respan.shutdown()
    assert respan.flush() and respan.stats() is None
    assert len(server.spans) == 1


def test_a_span_open_across_shutdown(server, tracing):
    respan = tracing()

    @workflow
    def run():
        respan.shutdown()
        return 1

    assert run() == 1
    assert server.spans == []
