"""Coroutines and generators inside their spans: that they are advanced, interrupted and dropped as if they were bare."""

import asyncio
import gc
import inspect
import weakref

import pytest
from respan import get_client, task, workflow


class Step:
    """An awaitable that suspends once and gives what is sent, or raises what is thrown."""

    def __await__(self):
        return (yield self)


def test_a_coroutine_is_advanced_by_hand(server, traced):
    @workflow
    async def ask(question):
        return f"{question} {await Step()} {await Step()}"

    coroutine = ask("well?")
    assert inspect.iscoroutine(coroutine) and coroutine.__name__ == "ask" and coroutine.__qualname__.endswith("ask")
    assert isinstance(coroutine.send(None), Step) and isinstance(coroutine.send("one"), Step)
    with pytest.raises(StopIteration) as stop:
        coroutine.send("two")
    assert stop.value.value == "well? one two"
    with pytest.raises(RuntimeError, match="already awaited"):
        coroutine.send(None)
    (span,) = traced()
    assert span.output == "well? one two" and span.status == 0


def test_what_is_thrown_into_a_coroutine_can_be_caught_in_it(server, traced):
    @workflow
    async def stubborn():
        try:
            await Step()
        except KeyError:
            return await Step()

    coroutine = stubborn()
    coroutine.send(None)
    assert isinstance(coroutine.throw(KeyError("x")), Step)
    with pytest.raises(StopIteration) as stop:
        coroutine.send("done")
    assert stop.value.value == "done"

    coroutine = stubborn()
    coroutine.send(None)
    with pytest.raises(ValueError, match="not caught"):
        coroutine.throw(ValueError("not caught"))
    caught, failed = traced()
    assert (caught.status, caught.output) == (0, "done")
    assert (failed.status, failed.events[0][1]["exception.type"]) == (2, "ValueError")


def test_awaiting_what_has_no_throw(server, traced):
    class Iterator:
        def __iter__(self):
            return self

        __await__ = __iter__

        def __next__(self):
            return "waiting"

    class Callable:
        async def __call__(self):
            return await Iterator()

    coroutine = task(Callable(), name="call")()
    assert coroutine.send(None) == "waiting"
    with pytest.raises(OSError):
        coroutine.throw(OSError())
    (span,) = traced()
    assert span.status == 2


def test_a_closed_coroutine_cleans_up_inside_its_span(server, traced):
    seen = []

    @workflow
    async def wait():
        try:
            await Step()
        finally:
            seen.append(get_client().get_current_span_id())

    coroutine = wait()
    coroutine.send(None)
    coroutine.close()
    (span,) = traced()
    assert seen == [span.span_id] and span.status == 0 and "traceloop.entity.output" not in span.attributes
    assert get_client().get_current_span() is None


def test_a_coroutine_that_is_forgotten(server, traced):
    class Argument:
        pass

    @workflow
    async def wait(argument):
        await Step()

    argument = Argument()
    gone = weakref.ref(argument)
    coroutine = wait(argument)
    coroutine.send(None)
    del coroutine, argument
    gc.collect()
    assert gone() is None
    (span,) = traced()
    assert span.status == 0


def test_wrong_arguments_fail_where_the_function_would(server, traced):
    @workflow
    async def one(x):
        pass

    @workflow
    def items(x):
        yield x

    coroutine, generator = one(), items()
    with pytest.raises(TypeError, match=r"one\(\) missing 1 required"):
        coroutine.send(None)
    with pytest.raises(TypeError, match=r"items\(\) missing 1 required"):
        next(generator)
    assert [span.status for span in traced()] == [2, 2]


def test_the_way_from_task_to_innermost_coroutine(server, tracing):
    async def inner():
        await Step()

    @workflow
    async def outer():
        await inner()

    coroutine = outer()
    coroutine.send(None)
    names, at = [], coroutine
    while hasattr(at, "cr_code"):
        names.append(at.cr_code.co_name)
        at = at.cr_await
    coroutine.close()
    assert names[-2:] == ["outer", "inner"]


def test_tasks_at_once_keep_their_own_spans(server, traced):
    @task
    async def step(i):
        await asyncio.sleep(0)
        return get_client().get_current_span_id()

    @workflow
    async def all_of_them():
        return await asyncio.gather(*(step(i) for i in range(50)))

    ids = asyncio.run(all_of_them())
    spans = {span.span_id: span for span in traced()}
    root = server.span("all_of_them.workflow")
    assert len(set(ids)) == 50
    assert [spans[one].input["args"] for one in ids] == [[i] for i in range(50)]
    assert {spans[one].parent_id for one in ids} == {root.span_id}


def test_a_generator_gives_back_its_value_and_what_its_consumer_made_is_not_its_child(server, traced):
    @task
    def numbers(n):
        yield from range(n)
        return "that was all"

    @workflow
    def consume():
        value = yield from numbers(2)
        return value

    generator = consume()
    assert list(generator) == [0, 1]
    assert get_client().get_current_span() is None
    generator = numbers(1)
    assert next(generator) == 0
    with pytest.raises(StopIteration) as stop:
        generator.send(None)
    assert stop.value.value == "that was all"
    assert next(generator, "nothing") == "nothing"
    spans = traced()
    parents = {span.name: span.parent_id for span in spans[:2]}
    assert parents["numbers.task"] == server.span("consume.workflow").span_id


def test_a_generator_returns_a_stop_iteration(server, traced):
    @task
    def odd():
        yield 1
        return StopIteration("inner")

    generator = odd()
    next(generator)
    with pytest.raises(StopIteration) as stop:
        next(generator)
    assert isinstance(stop.value.value, StopIteration) and stop.value.value.value == "inner"


def test_with_tracing_off_the_functions_own_is_given(server):
    async def coroutine():
        return 1

    def generator():
        yield 1

    async def async_generator():
        yield 1

    made = task(coroutine)()
    assert made.cr_code is coroutine.__code__
    made.close()
    assert task(generator)().gi_code is generator.__code__
    assert task(async_generator)().ag_code is async_generator.__code__


def test_methods_look_like_what_they_were():
    class Agent:
        @task
        async def coroutine(self):
            pass

        @task
        def generator(self):
            yield

        @task
        async def async_generator(self):
            yield

    for owner in (Agent, Agent()):
        assert inspect.iscoroutinefunction(owner.coroutine)
        assert inspect.isgeneratorfunction(owner.generator) and not inspect.iscoroutinefunction(owner.generator)
        assert inspect.isasyncgenfunction(owner.async_generator)
    assert list(inspect.signature(Agent().coroutine).parameters) == []
