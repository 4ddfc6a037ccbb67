"""Respan(), propagate_attributes(), get_client(): what every span carries; and processes, forks, threads, memory."""

import asyncio
import gc
import os
import socket
import sys
import threading
import time
import tracemalloc
from pathlib import Path

import pytest
import respan as respan_module
from respan import Respan, get_client, propagate_attributes, respan_span_attributes, task, workflow


@task
def step():
    pass


def test_defaults_are_on_every_span(server, tracing):
    respan = tracing(
        customer_identifier="user_123",
        thread_identifier="thread_1",
        session_identifier="session_1",
        metadata={"service": "pipeline", "version": 2},
        environment="production",
        resource_attributes={"team": "blue"},
        headers={"x-extra": "1"},
    )
    thread = threading.Thread(target=step)  # a thread has a context of its own, and the same defaults
    thread.start()
    thread.join()
    assert respan.flush()
    [span] = server.spans
    attributes = span.attributes
    assert attributes["respan.customer_params.customer_identifier"] == "user_123"
    assert attributes["respan.threads.thread_identifier"] == "thread_1"
    assert attributes["respan.sessions.session_identifier"] == "session_1"
    assert attributes["respan.metadata.service"] == "pipeline"
    assert attributes["respan.metadata.version"] == 2
    assert attributes["respan.environment"] == "production"
    assert span.resource["deployment.environment.name"] == "production"
    assert span.resource["team"] == "blue"
    [headers] = server.headers
    assert headers["Authorization"] == "Bearer test-key" and headers["x-extra"] == "1"


def test_propagated_attributes_nest_and_merge(server, tracing):
    respan = tracing(customer_identifier="default", metadata={"service": "s", "plan": "free"}, environment="test")
    with propagate_attributes(customer_identifier="outer", thread_identifier="t", metadata={"plan": "pro"}):
        with propagate_attributes(customer_identifier="inner", metadata={"deep": {"a": [1]}}, environment="staging"):
            step()
        step()
    step()
    assert respan.flush()
    inner, outer, default = (span.attributes for span in server.spans)
    assert inner["respan.customer_params.customer_identifier"] == "inner"
    assert inner["respan.threads.thread_identifier"] == "t"
    assert inner["respan.environment"] == "staging"
    assert {key: value for key, value in inner.items() if key.startswith("respan.metadata.")} == {
        "respan.metadata.service": "s",
        "respan.metadata.plan": "pro",
        "respan.metadata.deep": '{"a":[1]}',
    }
    assert outer["respan.customer_params.customer_identifier"] == "outer"
    assert "respan.metadata.deep" not in outer and outer["respan.environment"] == "test"
    assert default["respan.customer_params.customer_identifier"] == "default"
    assert default["respan.metadata.plan"] == "free" and "respan.threads.thread_identifier" not in default


def test_propagated_attributes_end_with_an_exception_and_with_tasks(server, traced):
    async def request(n):
        async with propagate_attributes(customer_identifier=f"user_{n}"):
            await asyncio.sleep(0.001 * (n % 5))
            step()

    async def main():
        await asyncio.gather(*(request(n) for n in range(50)))

    asyncio.run(main())
    with pytest.raises(KeyError), propagate_attributes(customer_identifier="gone"):
        raise KeyError
    step()
    *inside, after = traced()
    key = "respan.customer_params.customer_identifier"
    assert {span.attributes[key] for span in inside} == {f"user_{n}" for n in range(50)}
    assert key not in after.attributes


def test_propagated_attributes_as_a_decorator_and_as_a_method(server, tracing):
    respan = tracing()

    @propagate_attributes(thread_identifier="plain")
    def plain():
        step()

    @respan.propagate_attributes(thread_identifier="coroutine")
    async def coroutine():
        step()

    plain()
    asyncio.run(coroutine())
    assert respan.flush()
    assert [s.attributes["respan.threads.thread_identifier"] for s in server.spans] == ["plain", "coroutine"]


class Odd(int):
    pass


def test_metadata_goes_as_what_it_is(traced):
    given = {"yes": True, "no": False, "n": -7, "x": 0.5, "text": "True", "large": 2**63, "least": -(2**63)}
    odd = {"nan": float("nan"), "inf": float("-inf"), "odd": Odd(3), "list": [True, 1], "none": None}
    with propagate_attributes(metadata={**given, **odd}, customer_identifier=True):
        step()
    [span] = traced()
    sent = {k[16:]: v for k, v in span.attributes.items() if k.startswith("respan.metadata.")}
    as_text = {"large": str(2**63), "nan": "nan", "inf": "-inf", "odd": "3", "list": "[true,1]", "none": "None"}
    assert sent == {**given, **as_text} and [type(sent[k]) for k in ("yes", "n", "x")] == [bool, int, float]
    assert span.attributes["respan.customer_params.customer_identifier"] == "true"


def test_an_unknown_attribute_is_a_warning(server, traced, caplog):
    with propagate_attributes(colour="blue", customer_identifier=7):
        step()
    [span] = traced()
    assert "colour" in caplog.text
    assert span.attributes["respan.customer_params.customer_identifier"] == "7"


def test_the_client_acts_on_the_current_span(server, traced):
    client = get_client()
    assert client is get_client()
    assert client.get_current_trace_id() is None and not client.is_recording()
    assert not client.update_current_span(name="nothing") and not client.add_event("nothing")

    @workflow
    def run():
        assert client.is_recording()
        ids = client.get_current_trace_id(), client.get_current_span_id()
        assert client.update_current_span(
            respan_params={"trace_group_identifier": "group", "metadata": {"k": 1}},
            attributes={"n": 1, "f": 0.5, "b": False, "list": ["a", "b"], "odd": {"x": [1]}, "none": None},
            status="ERROR",
            status_description="said so",
            name="renamed",
        )
        assert client.add_event("checkpoint", {"step": 1})
        assert client.record_exception(ValueError("recorded"))
        with respan_span_attributes({"customer_identifier": "me"}):
            pass
        return ids

    trace_id, span_id = run()
    [span] = traced()
    assert (span.trace_id, span.span_id, span.name, span.status) == (trace_id, span_id, "renamed", 2)
    expected = {
        "n": 1,
        "f": 0.5,
        "b": False,
        "list": ["a", "b"],
        "odd": '{"x":[1]}',
        "respan.trace.trace_group_identifier": "group",
        "respan.metadata.k": 1,
        "respan.customer_params.customer_identifier": "me",
    }
    assert expected.items() <= span.attributes.items() and "none" not in span.attributes
    assert span.events[0] == ("checkpoint", {"step": 1}) and span.events[1][0] == "exception"


def test_spans_by_hand(server, traced):
    client = get_client()
    with client.start_span("outer", kind="workflow") as outer:
        outer.set_attribute("answer", 42)
        with pytest.raises(KeyError), client.start_span("inner", version=2):
            raise KeyError("lost")
    traced()
    outer, inner = server.span("outer.workflow"), server.span("inner.task")
    assert inner.parent_id == outer.span_id and inner.status == 2
    assert outer.attributes["answer"] == 42 and inner.attributes["traceloop.workflow.name"] == "outer"
    assert "traceloop.entity.input" not in outer.attributes
    respan_module.shutdown()
    with client.start_span("off") as nothing:
        nothing.set_attribute("a", 1)
        assert not nothing.recording


def test_the_shape_of_a_plugin():
    from respan_instrumentation_huggingface import HuggingFaceInstrumentor

    assert isinstance(HuggingFaceInstrumentor(), respan_module.Instrumentation)
    with pytest.raises(AttributeError):
        _ = respan_module.nothing


def test_ctrl_c_ends_a_flush(script):
    code = (
        "import _thread, signal, threading, time, respan\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a background job is started without it
        "r = respan.Respan(); respan.task(lambda: 1)()\n"
        "threading.Timer(0.2, _thread.interrupt_main).start(); began = time.monotonic()\n"
        "try: r.flush(30)\n"
        "except KeyboardInterrupt: print(time.monotonic() - began < 5)\n"
        "r.shutdown(0)"
    )
    with socket.create_server(("127.0.0.1", 0)) as hanging:  # it never answers
        url = f"http://127.0.0.1:{hanging.getsockname()[1]}/api"
        assert script(code, RESPAN_BASE_URL=url).stdout == "True\n"


def test_ctrl_c_ends_a_shutdown_that_still_says_what_was_lost(script):
    code = (
        "import _thread, signal, threading, time, respan\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a background job is started without it
        "r = respan.Respan(); respan.task(lambda: 1)()\n"
        "threading.Timer(0.2, _thread.interrupt_main).start(); began = time.monotonic()\n"
        "try: r.shutdown(30)\n"
        "except KeyboardInterrupt: print(time.monotonic() - began < 5)\n"
        "r.shutdown(30)"
    )
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        done = script(code, RESPAN_BASE_URL=f"http://127.0.0.1:{hanging.getsockname()[1]}/api")
    assert done.stdout == "True\n"
    assert done.stderr.count("\n") == 1
    assert "1 of 1 spans could not be delivered" in done.stderr


def test_flush_does_not_wait_long_where_nobody_listens(tracing):
    respan = tracing(base_url="http://127.0.0.1:9/api")
    respan.task(lambda: 1)()
    began = time.monotonic()
    assert not respan.flush(60)
    assert respan.stats()["pending"] == 1
    respan.shutdown(60)
    assert time.monotonic() - began < 10


def test_what_is_accepted_and_what_is_refused():
    respan = Respan(is_enabled=False, log_level="DEBUG", is_batching_enabled=False, auto_flush="root")
    assert respan.flush() and respan.stats() is None
    respan.shutdown()
    with pytest.raises(ValueError, match="base_url must be"):
        Respan(base_url="ftp://x")
    with pytest.raises(ValueError, match="NUL"):
        Respan(app_name="a\0b")
    with pytest.raises(TypeError):
        Respan(api_key=3)
    with pytest.raises(TypeError):
        Respan(no_such_thing=1)


def test_a_broken_instrumentation_is_a_warning(tracing, caplog):
    class Broken:
        name = "broken"

        def activate(self):
            raise OSError("not today")

    tracing(instrumentations=[Broken()])
    assert "not today" in caplog.text


def test_module_functions(server, tracing):
    tracing()
    step()
    assert respan_module.flush()
    assert len(server.spans) == 1
    respan_module.shutdown()
    step()
    assert respan_module.flush() and len(server.spans) == 1


def test_the_newest_respan_gets_the_spans(server, tracing):
    first = tracing(app_name="first")
    step()
    second = tracing(app_name="second")
    step()
    assert first.flush() and second.flush()
    assert [span.resource["service.name"] for span in server.spans] == ["first", "second"]


def test_spans_from_many_threads(server, traced):
    @workflow
    def run(n):
        for _ in range(100):
            step()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spans = traced()
    assert len(spans) == 8 * 101 and len({span.span_id for span in spans}) == len(spans)
    parents = {span.span_id: span.trace_id for span in spans if span.name == "run.workflow"}
    assert all(parents[span.parent_id] == span.trace_id for span in spans if span.name == "step.task")


def test_shutdown_says_whether_all_was_delivered(server, tracing):
    respan = Respan(base_url=server.base_url, api_key="k")
    task(lambda: 1)()
    assert respan.shutdown(10) is True
    assert respan.shutdown(10) is True
    away = Respan(base_url="http://127.0.0.1:9/api", api_key="k")
    task(lambda: 1)()
    assert away.shutdown(0.1) is False


def test_flush_and_shutdown_at_once(server, tracing):
    respan = tracing()
    for _ in range(100):
        step()
    threads = [threading.Thread(target=respan.flush) for _ in range(4)] + [threading.Thread(target=respan.shutdown)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(server.spans) == 100


def test_a_fork_sends_its_own_spans(server, traced):
    step()
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            with propagate_attributes(customer_identifier="child"):
                step()
            status = 0 if respan_module.flush(5) else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    traced()
    owners = [span.attributes.get("respan.customer_params.customer_identifier") for span in server.spans]
    assert sorted(owners, key=str) == [None, "child"]


def test_memory_does_not_grow(tracing):
    tracing(base_url="http://127.0.0.1:9/api")  # nobody there: what waits in the ring is not Python's memory

    @workflow
    def run(n):
        with propagate_attributes(customer_identifier=str(n % 10), metadata={"n": n % 10}):
            step()
        return [n]

    @task
    def fail():
        raise ValueError

    def many(count):
        for n in range(count):
            run(n)
            if n % 10 == 0:
                with pytest.raises(ValueError):
                    fail()

    many(500)
    gc.collect()
    objects = len(gc.get_objects())
    tracemalloc.start()
    many(500)
    before = tracemalloc.get_traced_memory()[0]
    many(3000)
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 100_000, f"{grown} bytes more after 3,000 calls"
    assert len(gc.get_objects()) - objects < 2000


def test_decorated_functions_are_collected(traced):
    import weakref

    def make():
        @task
        def run():
            return run

        run()
        return weakref.ref(run)

    reference = make()
    gc.collect()
    assert reference() is None


# ---- processes of their own -------------------------------------------------------------------------------------


def test_importing_imports_next_to_nothing(script):
    result = script(
        "import sys; before = set(sys.modules)\n"
        "from respan import Respan, workflow\n"
        "from respan_instrumentation_huggingface import HuggingFaceInstrumentor\n"
        "Respan(instrumentations=[HuggingFaceInstrumentor()])\n"
        "print(sorted({m.partition('.')[0] for m in set(sys.modules) - before}))"
    )
    assert result.returncode == 0, result.stderr
    allowed = {"__future__", "respan", "respan_instrumentation_huggingface", "atexit", "contextvars", "_contextvars"}
    allowed |= {"encodings"} if sys.flags.dev_mode else set()
    assert set(eval(result.stdout)) <= allowed, result.stdout


@pytest.mark.skipif("libasan" in Path("/proc/self/maps").read_text(), reason="the sanitizer's memory is counted too")
def test_importing_is_small(script):
    code = (
        "def rss(): return int(open('/proc/self/statm').read().split()[1]) * 4096\n"
        "memory = rss()\n"
        "from respan import Respan\n"
        "Respan()\n"
        "print((rss() - memory) / 1e6)"
    )
    assert min(float(script(code).stdout) for _ in range(3)) < 5


def test_the_end_of_the_process_sends_what_is_left(server, script):
    result = script("from respan import *\nRespan()\n@workflow\ndef run(): return 1\nprint(run())")
    assert (result.returncode, result.stdout, result.stderr) == (0, "1\n", "")
    assert [span.name for span in server.spans] == ["run.workflow"]


def test_an_exception_ends_the_process_as_ever(server, script):
    result = script("from respan import *\nRespan()\n@workflow\ndef run(): raise OSError('why')\nrun()")
    assert result.returncode == 1 and result.stderr.endswith("OSError: why\n")
    assert server.span("run.workflow").status == 2


def test_a_server_that_is_away_costs_one_line(script):
    code = "from respan import *\nr = Respan()\n@workflow\ndef run(): return 1\nprint(run())\nr.flush(1)\nr.shutdown(1)"
    began = time.monotonic()
    result = script(code, RESPAN_BASE_URL="http://127.0.0.1:9/api")
    assert (result.returncode, result.stdout) == (0, "1\n")
    assert len(result.stderr.splitlines()) == 1 and "1 of 1 spans" in result.stderr, result.stderr
    assert time.monotonic() - began < 5
