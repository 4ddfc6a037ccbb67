"""Builds of CPython: interpreters beside the main one, threads without a GIL."""

import random
import sys
import sysconfig
import threading

import pytest
from respan import _core, propagate_attributes, task, workflow

FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))

OTHERS = """
import contextlib, sys, threading
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
import respan
respan.Respan()

@respan.workflow
def run(n): return n

inside = '''
import respan
from respan import task, propagate_attributes
opened = respan.Respan(app_name="inside")

@task
def step(n): return [n]

with propagate_attributes(customer_identifier="ada"):
    for n in range(20): assert step(n) == [n]
try: step(x=1)
except TypeError: pass
import gc; gc.collect()
{end}
'''

def one(end):
    made = interpreters.create()
    failed = interpreters.run_string(made, inside.replace("{end}", end))
    assert failed is None, failed
    for n in range(20): run(n)
    interpreters.destroy(made)
"""


def test_another_interpreter_can_import_it(server, script):
    result = script(OTHERS + "one('opened.shutdown()'); one(''); respan.shutdown(); print('done')")
    assert (result.returncode, result.stdout, result.stderr) == (0, "done\n", "")
    by_name = {"inside": 0, "respan": 0}
    for span in server.spans:
        by_name[span.resource["service.name"]] += 1
    assert by_name == {"inside": 42, "respan": 40}


@pytest.mark.skipif(sys.version_info < (3, 12), reason="its interpreters share one GIL")
def test_interpreters_with_a_gil_each_run_at_once(server, script):
    result = script(
        OTHERS + "threads = [threading.Thread(target=one, args=('opened.shutdown()',)) for _ in range(4)]\n"
        "for thread in threads: thread.start()\n"
        "for thread in threads: thread.join()\n"
        "respan.shutdown(); print('done')"
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, "done\n", "")
    assert len(server.spans) == 4 * (21 + 20)


@pytest.mark.skipif(not FREE_THREADED, reason="this CPython has a GIL")
def test_it_does_not_bring_the_gil_back(script):
    result = script("import sys, respan; respan.Respan(); print(sys._is_gil_enabled())", PYTHONWARNINGS="error")
    assert (result.returncode, result.stdout, result.stderr) == (0, "False\n", "")


def at_once(*functions, each=2, times=300):
    """Calls each function `times` times in each of `each` threads; all begin together."""
    barrier = threading.Barrier(len(functions) * each)
    failed = []

    def run(function):
        barrier.wait()
        try:
            for _ in range(times):
                function()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=run, args=(function,)) for function in functions * each]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


@pytest.mark.parametrize("reviewed", [False, True])
def test_one_span_in_many_threads(server, tracing, reviewed):
    respan = tracing(span_postprocess_callback=(lambda span: None) if reviewed else None)
    spans = [_core.start_span("shared") for _ in range(20)]
    scope = _core.Scope({}, {"a": 1, "list": ["x"]})

    def one():
        return spans[random.randrange(len(spans))]

    def renew():
        n = random.randrange(len(spans))
        spans[n].end()
        spans[n] = _core.start_span("shared")

    def enter():
        span = one()
        with span:
            _core.start_span("below").end()

    at_once(
        lambda: one().set_attributes({"a": random.random(), "b": "x" * random.randrange(200), "c": {"d": [1]}}),
        lambda: one().event("event", scope),
        lambda: one().status(2, "wrong"),
        lambda: one().update_name("shared"),
        lambda: one().fail(ValueError("no")),
        lambda: (one().reviewed, one().facts, one().recording, one().output([1])),
        enter,
        renew,
        each=1,
    )
    for span in spans:
        span.end()
    assert respan.flush()
    stats = respan.stats()
    assert stats["started"] == stats["ended"] == len(server.spans)
    assert {span.name for span in server.spans} == {"shared", "below"}


def test_one_function_in_many_threads(server, traced):
    @task
    def step(n):
        return n

    @workflow
    def run(name):
        with propagate_attributes(customer_identifier=name):
            return step(name)

    @workflow
    def other(name):
        return step(name)

    def one():
        run(threading.current_thread().name)

    def two():
        other(threading.current_thread().name)

    at_once(one, two, each=3, times=100)
    spans = traced()
    assert len(spans) == 6 * 100 * 2
    parents = {span.span_id: span for span in spans}
    key = "respan.customer_params.customer_identifier"
    for span in spans:
        if span.name != "step.task":
            continue
        above = parents[span.parent_id]
        assert span.attributes["traceloop.workflow.name"] == above.name.removesuffix(".workflow")
        assert span.attributes.get(key) == (span.output if above.name == "run.workflow" else None)


def test_values_that_other_threads_change(traced):
    items, mapping = [0], {0: 0}

    @task
    def take(*values):
        return None

    def change():
        items.append(str(random.random()))
        mapping[random.randrange(100)] = [random.random()]
        if len(items) > 50:
            del items[5:]
            mapping.clear()

    def scope():
        with propagate_attributes(metadata=mapping.copy()):
            pass
        _core.Scope(mapping, {"items": items})

    at_once(lambda: take(items, mapping), lambda: _core.start_span("a").set_attributes({"a": mapping}), scope, change)
    assert traced()


def test_clients_come_and_go_while_spans_start(server, tracing):
    @task
    def step():
        _core.current_client()

    def reopen():
        opened = tracing()
        opened.flush(1)
        opened.stats()
        opened.shutdown(1)

    at_once(step, step, each=1, times=500)
    threads = [threading.Thread(target=at_once, args=(step,), kwargs={"times": 500})]
    threads[0].start()
    at_once(reopen, each=2, times=10)
    threads[0].join()
