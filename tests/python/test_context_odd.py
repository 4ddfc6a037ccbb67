"""What is current where work goes odd ways: callbacks, copied contexts, generators that others end, greenlets."""

import asyncio
import contextvars
import gc
import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from respan import _core, extract, get_client, inject, propagate_attributes, task, workflow

CUSTOMER = "respan.customer_params.customer_identifier"


@task
def step():
    return get_client().get_current_span_id()


@task
def numbers(n):
    for i in range(n):
        step()
        yield i


@task
async def stream(n):
    for i in range(n):
        step()
        yield i


def below(spans, name):
    [parent] = [span for span in spans if span.name == name]
    return [span for span in spans if span.parent_id == parent.span_id]


def nothing_is_current():
    return _core.surroundings() is None


def test_timers_and_callbacks(traced):
    called = threading.Event()

    @workflow
    def run():
        timer = threading.Timer(0, step)
        timer.start()
        timer.join()
        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(step)
            future.result()
            future.add_done_callback(lambda _: step())  # done: called here
            blocked = pool.submit(called.wait, 10)
            blocked.add_done_callback(lambda _: step())  # called by the worker, behind what it carried
            called.set()

    run()
    spans = traced()
    assert sum(span.name == "step.task" for span in spans) == 4 and len(below(spans, "run.workflow")) >= 3
    assert nothing_is_current()


def test_copied_contexts(traced):
    @workflow
    def run():
        return contextvars.copy_context()

    with propagate_attributes(customer_identifier="ada"):
        context = run()
    context.run(step)  # late: its parent has ended, but it is the parent
    contextvars.Context().run(step)
    spans = traced()
    [child] = below(spans, "run.workflow")
    assert child.attributes[CUSTOMER] == "ada"
    [alone] = [span for span in spans if not span.parent_id and span.name == "step.task"]
    assert CUSTOMER not in alone.attributes and nothing_is_current()


def test_task_groups_and_executors(traced):
    @workflow
    async def run():
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as group:
            for _ in range(2):
                group.create_task(asyncio.to_thread(step))
            group.create_task(asyncio.wait_for(asyncio.to_thread(step), 10))
        await loop.run_in_executor(None, step)
        loop.call_soon(step)
        await asyncio.sleep(0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await asyncio.sleep(1)
        await asyncio.shield(asyncio.to_thread(step))

    asyncio.run(run())
    assert len(below(traced(), "run.workflow")) == 6 and nothing_is_current()


def test_an_async_generator_closed_in_another_context(traced):
    async def main():
        generator = stream(3)
        await asyncio.create_task(anext_of(generator))
        assert get_client().get_current_span_id() is None
        await asyncio.create_task(close(generator))

    async def anext_of(generator):
        assert await anext(generator) == 0

    async def close(generator):
        await generator.aclose()

    asyncio.run(main())
    spans = traced()
    assert len(below(spans, "stream.task")) == 1 and len(spans) == 2 and nothing_is_current()
    assert all(span.status == 0 for span in spans)


def test_generators_that_are_abandoned(traced):
    next(numbers(3))

    async def main():
        await anext(stream(3))
        gc.collect()
        await asyncio.sleep(0)

    asyncio.run(main())
    gc.collect()
    spans = traced()
    assert sorted(span.name for span in spans) == ["numbers.task", "step.task", "step.task", "stream.task"]
    assert nothing_is_current() and len(below(spans, "numbers.task")) == len(below(spans, "stream.task")) == 1


def test_a_generator_that_threads_take_turns_at(traced):
    generator = numbers(4)
    taken = []
    for _ in range(2):
        thread = threading.Thread(target=lambda: taken.append(next(generator)))
        thread.start()
        thread.join()
    taken += list(generator)
    spans = traced()
    assert taken == [0, 1, 2, 3] and len(below(spans, "numbers.task")) == 4 and nothing_is_current()


def test_greenlets_have_contexts_of_their_own(traced):
    greenlet = pytest.importorskip("greenlet")

    @workflow
    def run(name):
        step()
        greenlet.getcurrent().parent.switch()
        step()

    made = [greenlet.greenlet(run) for _ in range(2)]
    for one in made:
        one.switch("g")
    for one in made:
        one.switch()
    spans = traced()
    parents = [span.parent_id for span in spans if span.name == "step.task"]
    assert len(parents) == 4 and {parents.count(parent) for parent in parents} == {2} and nothing_is_current()


# ---- headers of strangers ---------------------------------------------------------------------------------------

GOOD = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
HOSTILE = [
    {"traceparent": "\x00" * 55},
    {"traceparent": GOOD.replace("0af7", "０af7")},  # a digit, but not of ASCII
    {"traceparent": "00-" + "0" * 32 + "-b7ad6b7169203331-01"},
    {"traceparent": GOOD + "\r\nx: y"},
    {"traceparent": "-" * 10_000_000},
    {"traceparent": None, "baggage": 7},
    {"traceparent": [GOOD, GOOD]},
    {b"traceparent": b"\xff" * 55},
    {"baggage": "a=" + "%ff" * 100_000},
    {"baggage": ",".join(f"k{n}=v" for n in range(100_000))},
    {"baggage": "respan.metadata.=x,respan.=y,=z,a=b;c=" + "d" * 100},
    {"baggage": "respan.customer_identifier=%00%0d%0a\udcff"},
    {"tracestate": "a=" + "b" * 1_000_000, "traceparent": GOOD},
    {f"x-{n}": "v" for n in range(100_000)},
    [("traceparent",), 5, None],
    42,
    None,
]


@pytest.mark.parametrize("headers", HOSTILE, ids=range(len(HOSTILE)))
def test_headers_of_strangers(traced, headers):
    out = {}
    with extract(headers, attributes=True):
        assert step()
        inject(out, attributes=True)
    [span] = traced()
    assert sum(map(len, out.values())) < 20_000
    assert all(text.isascii() and text.isprintable() for text in out.values())
    assert nothing_is_current() and len(str(span.attributes)) < 20_000


def test_headers_at_random(traced):
    dice = random.Random(7)
    pieces = [
        "00",
        "-",
        GOOD,
        ",",
        "=",
        ";",
        "%",
        "%41",
        "respan.",
        "metadata.",
        "environment",
        "\n",
        "\x00",
        "é",
        " ",
        "\ud800",
    ]
    for _ in range(2000):
        headers = {
            name: "".join(dice.choices(pieces, k=dice.randrange(12)))
            for name in ("traceparent", "tracestate", "baggage")
        }
        with extract(headers, attributes=True):
            out = {}
            inject(out, attributes=True)
            assert all(text.isascii() and text.isprintable() for text in out.values()), (headers, out)
    assert nothing_is_current()
