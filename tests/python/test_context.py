"""Context follows the work: tasks, threads, pools, processes, and requests with W3C headers."""

import asyncio
import contextvars
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import respan as respan_module
from respan import extract, get_client, inject, propagate_attributes, shutdown, task, workflow
from respan._w3c import parse_baggage, parse_traceparent

CUSTOMER = "respan.customer_params.customer_identifier"


@task
def step(n=0):
    return n


def children_of(spans, name="run.workflow"):
    [parent] = [span for span in spans if span.name == name]
    return parent, [span for span in spans if span.parent_id == parent.span_id and span.trace_id == parent.trace_id]


# ---- tasks and threads ------------------------------------------------------------------------------------------


def test_asyncio_carries_it(traced):
    async def one(n):
        await asyncio.sleep(0)
        step(n)

    @workflow
    async def run():
        await asyncio.gather(one(1), one(2))
        await asyncio.create_task(one(3))
        await asyncio.to_thread(step, 4)
        await asyncio.get_running_loop().run_in_executor(None, step, 5)
        async with asyncio.TaskGroup() as group:
            group.create_task(one(6))
        await asyncio.wait_for(one(7), 5)

    asyncio.run(run())
    _, children = children_of(traced())
    assert len(children) == 7


def test_threads_carry_it(traced):
    class Own(threading.Thread):
        def run(self):
            step()

    @workflow
    def run():
        timer = threading.Timer(0, step)
        threads = [threading.Thread(target=step, args=(1,)), Own(), timer]
        with propagate_attributes(customer_identifier="ada"):
            threads.append(threading.Thread(target=step))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
            assert "run" not in thread.__dict__

    run()
    _, children = children_of(traced())
    assert len(children) == 4


def test_a_thread_keeps_what_was_current_at_its_start(traced):
    @workflow
    def run():
        go = threading.Event()
        with propagate_attributes(customer_identifier="ada"):
            thread = threading.Thread(target=lambda: go.wait() and step())
            thread.start()
        return go, thread

    go, thread = run()  # ended before the thread makes its span
    go.set()
    thread.join()
    _, [child] = children_of(traced())
    assert child.attributes[CUSTOMER] == "ada"


def test_a_thread_that_cannot_start_is_as_it_was(traced):
    @workflow
    def run():
        thread = threading.Thread(target=step)
        thread.start()
        thread.join()
        with pytest.raises(RuntimeError):
            thread.start()
        assert "run" not in thread.__dict__

    run()


def test_what_a_thread_object_was_told_to_run_stays(traced):
    thread = threading.Thread(target=lambda: None)
    thread.run = own = lambda: step()

    @workflow
    def run():
        thread.start()
        thread.join()
        assert thread.run is own

    run()
    assert len(children_of(traced())[1]) == 1


def test_only_what_is_ours_is_carried(traced):
    theirs = contextvars.ContextVar("theirs", default="unset")
    seen = []

    @workflow
    def run():
        theirs.set("set")
        with ThreadPoolExecutor(1) as pool:
            pool.submit(lambda: seen.append(theirs.get())).result()

    run()
    inherits = getattr(sys.flags, "thread_inherit_context", 0)
    assert seen == ["set" if inherits else "unset"]


def test_a_thread_pool_carries_the_submitter_s(traced):
    with ThreadPoolExecutor(2) as pool:

        @workflow
        def run(n):
            with propagate_attributes(customer_identifier=str(n)):
                assert list(pool.map(step, range(3))) == [0, 1, 2]

                def fail():
                    raise KeyError("as ever")

                with pytest.raises(KeyError):
                    pool.submit(fail).result()

        run(1)  # its workers start inside the first
        run(2)
        pool.submit(step).result()
    spans = traced()
    runs = [span for span in spans if span.name == "run.workflow"]
    for n, one in enumerate(runs, 1):
        below = [span for span in spans if span.parent_id == one.span_id]
        assert len(below) == 3 and {span.attributes[CUSTOMER] for span in below} == {str(n)}
    alone = [span for span in spans if span.name == "step.task" and not span.parent_id]
    assert len(alone) == 1 and CUSTOMER not in alone[0].attributes


@pytest.mark.parametrize("inherit", ["0", "1"])  # read by CPython 3.14 and later
def test_a_thread_pool_s_worker_forgets_where_it_was_started(server, script, inherit):
    code = """
from concurrent.futures import ThreadPoolExecutor
from respan import Respan, propagate_attributes, shutdown, task, workflow
Respan()
@task
def step(): pass
@task
def later(): pass
@workflow
def run(pool):
    with propagate_attributes(customer_identifier="ada"):
        pool.submit(step).result()
        step()
with ThreadPoolExecutor(1) as pool:
    run(pool)
    pool.submit(later).result()
shutdown()
"""
    result = script(code, PYTHON_THREAD_INHERIT_CONTEXT=inherit)
    assert (result.returncode, result.stderr) == (0, "")
    _, below = children_of(server.spans)
    assert [span.attributes[CUSTOMER] for span in below] == ["ada", "ada"]
    alone = server.span("later.task")
    assert alone.parent_id == "" and CUSTOMER not in alone.attributes


def test_it_is_there_only_while_a_respan_is_open(tracing):
    start, submit = threading.Thread.start, ThreadPoolExecutor.submit
    first, second = tracing(), tracing()
    assert threading.Thread.start is not start and ThreadPoolExecutor.submit is not submit
    assert threading.Thread.start.__wrapped__ is start and threading.Thread.start.__name__ == "start"
    first.shutdown()
    assert threading.Thread.start is not start
    second.shutdown()
    assert threading.Thread.start is start and ThreadPoolExecutor.submit is submit
    tracing(is_context_carried=False)
    assert threading.Thread.start is start and ThreadPoolExecutor.submit is submit
    shutdown()


def test_who_patched_after_us_stays(tracing):
    start = threading.Thread.start
    respan = tracing()
    ours = threading.Thread.start
    theirs = lambda thread: ours(thread)  # noqa: E731
    try:
        threading.Thread.start = theirs
        respan.shutdown()
        assert threading.Thread.start is theirs
        thread = threading.Thread(target=step)
        thread.start()
        thread.join()
    finally:
        threading.Thread.start = start


def test_modules_imported_later_are_patched(server, script):
    result = script(
        "from respan import *\nimport sys\nRespan()\nassert 'threading' not in sys.modules\n"
        "import threading, concurrent.futures\n"
        "@task\ndef step(): pass\n"
        "@workflow\ndef run():\n"
        "  t = threading.Thread(target=step); t.start(); t.join()\n"
        "  with concurrent.futures.ThreadPoolExecutor() as p: p.submit(step).result()\n"
        "run()"
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert len(children_of(server.spans)[1]) == 2


# ---- processes --------------------------------------------------------------------------------------------------

CHILDREN = """
import concurrent.futures, multiprocessing, sys
from respan import *

Respan()

@task
def step(n=0):
    return n

def bare(n):
    return n

@workflow
def pool(context):
    with propagate_attributes(customer_identifier="ada", metadata={"lock": object, "n": 1}):
        with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as executor:
            assert list(executor.map(step, range(4))) == [0, 1, 2, 3]
            assert executor.submit(bare, 5).result() == 5

def ended(child):
    with propagate_attributes(customer_identifier="ada"):
        child.start()
    child.join()
    assert child.exitcode == 0

@workflow
def process(context):
    child = context.Process(target=step)
    ended(child)
    assert "run" not in vars(child)

class Spawned(multiprocessing.get_context("spawn").Process):
    def run(self):
        step()

class Forked(multiprocessing.get_context("fork").Process):
    run = Spawned.run

class Served(multiprocessing.get_context("forkserver").Process):
    run = Spawned.run

@workflow
def subclass(context):
    ended({"spawn": Spawned, "fork": Forked, "forkserver": Served}[context.get_start_method()]())

@workflow
def workers(context):
    with context.Pool(2) as workers:
        assert workers.map(step, range(4)) == [0, 1, 2, 3]
        workers.close()
        workers.join()

def alone(context):
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as executor:
        inside(executor)
        executor.submit(step).result()  # its worker was made inside the workflow

@workflow
def inside(executor):
    executor.submit(step).result()

if __name__ == "__main__":
    globals()[sys.argv[1]](multiprocessing.get_context(sys.argv[2]))
"""


@pytest.fixture
def children(server, tmp_path):
    def run(what, method):
        path = tmp_path / "children.py"
        path.write_text(CHILDREN)
        environment = {**os.environ, "RESPAN_BASE_URL": server.base_url, "RESPAN_API_KEY": "k"}
        done = subprocess.run(
            [sys.executable, path, what, method], env=environment, capture_output=True, text=True, timeout=60
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        return server.spans

    return run


def once_each(spans):
    assert len({span.span_id for span in spans}) == len(spans)
    return spans


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_process_pool_carries_it(children, method):
    _, below = children_of(once_each(children("pool", method)), "pool.workflow")
    assert len(below) == 4
    for span in below:
        assert span.attributes[CUSTOMER] == "ada" and span.attributes["respan.metadata.n"] == 1
        assert span.attributes["traceloop.workflow.name"] == "pool"


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_process_pool_s_worker_forgets_where_it_was_made(children, method):
    spans = once_each(children("alone", method))
    _, below = children_of(spans, "inside.workflow")
    assert len(below) == 1 and len(spans) == 3
    assert sum(not span.parent_id for span in spans) == 2


@pytest.mark.parametrize("what, count", [("process", 1), ("subclass", 1), ("workers", 4)])
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_children_of_multiprocessing_lie_below_what_started_them(children, what, count, method):
    spans = once_each(children(what, method))
    assert len(spans) == 1 + count
    _, below = children_of(spans, f"{what}.workflow")
    assert len(below) == count
    assert {span.attributes.get(CUSTOMER) for span in below} == {None if what == "workers" else "ada"}


# ---- requests ---------------------------------------------------------------------------------------------------

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-01"


def test_out_of_one_service_into_another(traced):
    headers = {}

    @workflow
    def run():
        inject(headers)

    run()
    with extract(headers):
        assert get_client().get_current_trace_id() and not get_client().is_recording()
        step()
    step()
    spans = traced()
    _, [child] = children_of(spans)
    assert spans[-1].parent_id == "" and spans[-1].trace_id != child.trace_id


@pytest.mark.parametrize(
    "headers",
    [
        {"traceparent": PARENT},
        {"Traceparent": PARENT},
        {"HTTP_TRACEPARENT": PARENT, "wsgi.input": object()},
        [(b"host", b"x"), (b"traceparent", PARENT.encode())],
        {"traceparent": [PARENT]},
        {"traceparent": f" {PARENT}\t"},
    ],
)
def test_headers_of_every_framework(traced, headers):
    with extract(headers):
        step()
    [span] = traced()
    assert (span.trace_id, span.parent_id) == (TRACE, SPAN)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "00",
        "-" * 55,
        PARENT.upper(),
        PARENT + "-x",
        PARENT[:-1],
        "ff" + PARENT[2:],
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        PARENT.replace("a", "g"),
        PARENT.replace("a", "\u0430"),
        PARENT.replace("0", "\u0660"),
        "\ud800" * 55,
        "0" * 1_000_000,
    ],
)
def test_a_bad_traceparent_is_none(traced, text):
    assert parse_traceparent(text) is None
    with extract({"traceparent": text}):
        step()
    [span] = traced()
    assert span.parent_id == ""


def test_a_later_version_may_say_more():
    assert parse_traceparent("cc" + PARENT[2:] + "-what-comes") == (TRACE, SPAN)
    assert parse_traceparent("cc" + PARENT[2:]) == (TRACE, SPAN)
    assert parse_traceparent("cc" + PARENT[2:] + "x") is None


@pytest.mark.parametrize(
    "headers", [None, 7, {}, [], [1], [("traceparent",)], {1: 2}, {"traceparent": None}, [(b"\xff", b"\xff")] * 2000]
)
def test_what_is_no_headers_is_none(traced, headers):
    with extract(headers, attributes=True):
        step()
    assert traced()[0].parent_id == ""


def test_two_parents_are_none(traced):
    with extract([("traceparent", PARENT), ("traceparent", PARENT)]):
        step()
    assert traced()[0].parent_id == ""


def test_what_others_put_into_the_headers_goes_on(traced):
    incoming = {"traceparent": PARENT, "tracestate": "vendor=1,other=2", "baggage": "tier=gold;ttl=1, bad key=2,=,x"}
    out = {}
    with extract(incoming):
        with propagate_attributes(customer_identifier="ada"):
            inject(out)
    assert out == {"traceparent": PARENT, "tracestate": "vendor=1,other=2", "baggage": "tier=gold;ttl=1"}
    with extract({"traceparent": PARENT, "tracestate": "x" * 513, "baggage": "\x00=1"}):
        out = {}
        inject(out)
    assert out == {"traceparent": PARENT}


def test_attributes_travel_where_both_sides_say_so(traced):
    out = {}
    given = {
        "customer_identifier": "ada, 50% & co \u00e9",
        "thread_identifier": "t",
        "metadata": {"n": 1, "flag": True, "bad key": 2},
    }
    with propagate_attributes(**given):
        inject(out)
        assert out == {}
        inject(out, attributes=True)
    assert "ada" in out["baggage"] and out["baggage"].isascii()
    with extract(out):
        step()
    with propagate_attributes(metadata={"own": "1"}), extract(out, attributes=True):
        step()
    plain, full = (span.attributes for span in traced())
    assert CUSTOMER not in plain
    assert full[CUSTOMER] == given["customer_identifier"]
    assert full["respan.threads.thread_identifier"] == "t"
    assert [full[f"respan.metadata.{key}"] for key in ("n", "flag", "own")] == ["1", "true", "1"]
    assert "respan.metadata.bad key" not in full


def test_baggage_is_bounded():
    assert len(parse_baggage(",".join(f"k{n}=v" for n in range(1000)))) == 64
    cut = parse_baggage("a=1,b=" + "x" * 10_000)
    assert [key for key, _, _ in cut] == ["a"]
    assert parse_baggage("a=%zz%ff;p=1")[0][:2] == ("a", "%zz\ufffd")
    for hostile in ('a="1"', "a=1 2", "a\\=1", "a=\u00e9", "a", ",,,", "a=1\r\nx: y"):
        assert parse_baggage(hostile) == []
    out = {}
    with propagate_attributes(metadata={f"k{n}": "v" * 300 for n in range(100)}):
        inject(out, attributes=True)
    assert len(out["baggage"]) <= 8192


def test_an_extract_ends_as_it_began_and_can_be_used_again(traced):
    async def main():
        async with extract({"traceparent": PARENT}):
            step()

    asyncio.run(main())
    scope = extract({"traceparent": PARENT})
    with scope, scope:
        step()
    assert get_client().get_current_trace_id() is None
    with pytest.raises(KeyError), scope:
        raise KeyError
    assert get_client().get_current_trace_id() is None
    assert {span.parent_id for span in traced()} == {SPAN}


def test_a_remote_span_is_no_place_to_write(traced):
    client = get_client()
    with extract({"traceparent": PARENT}):
        assert not client.update_current_span(name="x") and not client.add_event("x")
        span = client.get_current_span()
        span.set_attribute("a", 1)
        span.end()
    core = respan_module._core
    for ids in [("", ""), (TRACE, ""), (TRACE.upper(), SPAN), (TRACE, "0" * 16), (TRACE[:-1] + "\ud800", SPAN)]:
        with pytest.raises(ValueError):
            core.remote_span(*ids)
    with pytest.raises(TypeError):
        core.remote_span(TRACE, SPAN, 1)
    for pair in [(1, None), (None, 1), ()]:
        with pytest.raises(TypeError):
            core.swap_surroundings(*pair)
    assert traced() == []


def test_threads_cost_nothing_while_no_span_is_open(tracing):
    respan = tracing()
    made = []
    original = threading.Thread.start.__wrapped__
    thread = threading.Thread(target=lambda: made.append(thread.run))
    thread.start()
    thread.join()
    assert made[0].__func__ is threading.Thread.run  # nothing was put around it
    assert original is not threading.Thread.start and respan.stats()["started"] == 0
