"""Run by test_allocations.py with failing_allocations.c preloaded: every n-th allocation of the extension fails in turn.

Each scenario is a function of `calls`, which notes what the program saw. What it sees is the same as untraced, whatever fails.
"""

import asyncio
import contextvars
import ctypes
import gc
import os
import pickle
import subprocess
import sys
import time
import types
from itertools import count

import respan._core
from respan import (
    Respan,
    _carry,
    agent,
    extract,
    flush,
    get_client,
    inject,
    propagate_attributes,
    stats,
    task,
    tool,
    workflow,
)

shim = ctypes.CDLL(os.environ["FAILING_ALLOCATIONS"])
shim.failing_arm.argtypes = [ctypes.c_long, ctypes.c_int]
shim.failing_live.restype = ctypes.c_long
shim.failing_interpreter.restype = ctypes.c_char_p
shim.failing_python.argtypes = [ctypes.c_size_t, ctypes.c_long, ctypes.c_long]

RUNS_PYTHON = ("_PyEval_EvalFrameDefault", "_PyEval_Vector", "_PyFunction_Vectorcall")
BOOM = ValueError("native")
VALUE = {"text": "x" * 1500, "list": [1, 2.5, None, True], "big": 2**80, "set": {1}, "é\ud800": b"b"}


class Point:
    def __init__(self, x):
        self.x = x

    def norm(self, *, scale=1):
        return self.x * scale


def add(a, b=2, *rest, **named):
    return (a, b, rest, named)


def fail(error):
    raise error.with_traceback(None)


def numbers(n):
    got = yield 0
    for i in range(n):
        got = yield (i, got)
    return "end"


async def later(value):
    await asyncio.sleep(0)
    return value


async def later_fail():
    await asyncio.sleep(0)
    raise BOOM.with_traceback(None)


async def stream(n):
    for i in range(n):
        yield i


def same(function):
    return function


def inside_client():
    mine = get_client()
    mine.update_current_span({"customer_identifier": "ada"}, {"list": [1, 2], "x": 1.5}, "OK", "said", "renamed")
    mine.add_event("e", {"n": 1})
    mine.record_exception(BOOM, {"n": 1})
    mine.set_context_value("k", 1)
    with mine.start_span("by hand") as span:
        span.set_attribute("odd", VALUE)
    return 1


def inside_process():
    return 1


def inject_here():
    inject({}, attributes=True)
    return 1


class Work:
    """A thread or a process before it starts."""

    def __init__(self, function):
        self.run = function


# What the carriers wrap, here all in one thread: a context of its own is what makes another.
start_thread = _carry._start_of_threads(lambda thread: contextvars.Context().run(thread.run))
start_process = _carry._start_of_processes(
    lambda process: contextvars.Context().run(pickle.loads(pickle.dumps(process.run)))
)
submit_to_process = _carry._submit_to_processes(
    lambda _, function: contextvars.Context().run(pickle.loads(pickle.dumps(function)))
)


def inherited():
    """Whether anything is current that another piece of work brought along."""
    return respan._core.surroundings() is not None


def make(traced):
    """The program, traced or not."""
    w, t, a, o = (workflow, task, agent, tool) if traced else (same, same, same, same)
    traced_add, traced_fail = t(add), o(fail)
    point = type("Traced", (Point,), {})
    if traced:
        task(method_name="norm", version=3)(point)
    traced_numbers, traced_later, traced_later_fail, traced_stream = t(numbers), a(later), t(later_fail), t(stream)

    def nested(depth):
        return traced_add(depth, VALUE) if depth == 0 else (traced_nested(depth - 1), depth)

    def hand_on(submit):
        seen = []
        start_thread(Work(lambda: seen.append(traced_add(1))))
        start_process(Work(inside_process))
        return seen, submit(None, traced_add, 2), submit_to_process(None, inside_process)

    traced_hand_on = a(hand_on)
    traced_nested, traced_client, traced_inject = w(nested), w(inside_client), t(inject_here)
    decorated = propagate_attributes(environment="e")(traced_add)
    return types.SimpleNamespace(**locals())


def sync(p, note):
    note(p.traced_add(1, b=VALUE, extra=(1, "two")))
    note(p.traced_nested(1))
    note(p.point(4).norm(scale=2))
    try:
        p.traced_fail(BOOM)
    except ValueError as error:
        note(error is BOOM)


def generators(p, note):
    # Not throw(): the interpreter itself makes a method of `throw` to hand it on, and raises what that raises.
    note(list(p.traced_numbers(3)))
    one = p.traced_numbers(2)
    note((next(one), one.send("s")))
    one.close()
    abandoned = p.traced_numbers(5)
    note(next(abandoned))
    abandoned.close()


def coroutines(p, note):
    async def main():
        note(await p.traced_later(VALUE))
        note([i async for i in p.traced_stream(3)])
        note(await asyncio.gather(p.traced_later(1), p.traced_later(2)))
        try:
            await p.traced_later_fail()
        except ValueError as error:
            note(error is BOOM)

    LOOP.run_until_complete(main())


def attributes(p, note):
    with propagate_attributes(customer_identifier="ada", metadata={"k": "v", "n": 3}):
        note(p.traced_add(1))
        with propagate_attributes(thread_identifier="t", metadata={"m": [1]}):
            note(p.traced_add(2))
    note(p.decorated(3))


def client(p, note):
    note(p.traced_client())


def headers(p, note):
    incoming = {
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "baggage": "a=1,respan.environment=e",
    }
    with extract(incoming, attributes=True):
        note(p.traced_add(1))
        note(p.traced_inject())


def carriers(p, note):
    worker = contextvars.Context()
    submit = _carry._submit_to_threads(lambda _, function, *args: worker.run(function, *args))
    with propagate_attributes(customer_identifier="ada"):
        note(p.traced_hand_on(submit))
    note(submit(None, inherited))


def pipeline(p, note):
    note(PIPE("a prompt", max_new_tokens=3))
    note(PIPE(["a", "b"]))
    try:
        PIPE(None)
    except ValueError as error:
        note(error is BOOM)


def fake_pipeline():
    class TextGenerationPipeline:
        def __init__(self):
            self.model = types.SimpleNamespace(name_or_path="tiny", config=None, generation_config=None)
            self.tokenizer = None

        def __call__(self, text_inputs, **options):
            if text_inputs is None:
                raise BOOM.with_traceback(None)
            return self._forward({"input_ids": None}, **options) or [{"generated_text": f"{text_inputs} and on"}]

        def _forward(self, model_inputs, **options):
            return None

    module = types.ModuleType("transformers.pipelines.text_generation")
    module.TextGenerationPipeline = TextGenerationPipeline
    sys.modules[module.__name__] = module
    return TextGenerationPipeline()


SCENARIOS = (sync, generators, coroutines, attributes, client, headers, carriers, pipeline)


def outcome(scenario, program):
    seen = []
    scenario(program, seen.append)
    return seen


def counts():
    now = stats()
    return now["started"], now["ended"]


def surroundings():
    return respan._core.surroundings()


def check(scenario, program, wanted, spans, n, for_good):
    before = counts()
    shim.failing_arm(n, for_good)
    try:
        seen = outcome(scenario, program)
    finally:
        failed = shim.failing_disarm()
    where = f"{scenario.__name__}: allocation {n}{' and on' if for_good else ''}"
    assert seen == wanted, f"{where}: {seen}"
    assert surroundings() is None, f"{where}: {surroundings()} is still current"
    started, ended = (now - then for now, then in zip(counts(), before, strict=True))
    assert started == ended == spans, f"{where}: {started} spans started and {ended} ended, of {spans}"
    return failed


def held():
    """References to what the program uses, and blocks that the extension has of malloc."""
    flush()  # what waits has blocks
    gc.collect()
    return sys.getrefcount(BOOM), sys.getrefcount(VALUE), shim.failing_live()


def run(reviewed):
    options = {"span_postprocess_callback": lambda span: None} if reviewed else {}
    opened = Respan(is_auto_instrument=False, instrumentations=[PLUGIN], **options)
    traced, untraced = make(True), make(False)
    for scenario in SCENARIOS:
        wanted = outcome(scenario, untraced) if scenario is not pipeline else PIPELINE_WANTED
        assert outcome(scenario, traced) == wanted  # and what is imported or cached at the first call is so from now on
        before = counts()[1]
        assert outcome(scenario, traced) == wanted
        spans = counts()[1] - before
        assert spans >= 2
        for for_good in (0, 1):
            before = held()
            for n in count(1):
                if check(scenario, traced, wanted, spans, n, for_good) == 0:
                    break
            after = held()
            for _ in range(500):  # the exporter has blocks of its own while it works, and until it may try again
                if after[2] - before[2] < 4:
                    break
                time.sleep(0.02)
                after = held()
            assert before[:2] == after[:2], f"{scenario.__name__}: references are leaked: {before} {after}"
            assert after[2] - before[2] < 4, f"{scenario.__name__}: blocks are leaked: {before} {after}"
            assert n > 1 or for_good  # the library has blocks of its own to spare
            print(
                f"{scenario.__name__}: {spans} spans, {n - 1} allocations, {after[2] - before[2]} blocks more",
                flush=True,
            )
    opened.shutdown(1)


def share_a_slot():
    """Whether the interpreter keeps two of our three variables below one slot of a context's map, as their hashes, which
    go by addresses, have it in one process of eleven. There it leaks what it has made so far when an allocation fails
    (hamt_node_bitmap_assoc, at its first clone): the values of those variables, and a scope has blocks of ours. The third
    one, `respan.values`, is in the program's context for good once `client` has run."""

    @workflow
    def keys():
        with propagate_attributes(customer_identifier="ada"):
            get_client().set_context_value("k", 1)
            return list(contextvars.copy_context())

    opened = Respan(is_auto_instrument=False)
    hashes = {key.name: hash(key) % 2**64 for key in contextvars.Context().run(keys)}
    opened.shutdown(1)
    assert set(hashes) == {"respan.span", "respan.scope", "respan.values"}
    return len({(h ^ h >> 32) % 32 for h in hashes.values()}) < len(hashes)


def start_again():
    """In a process with other addresses."""
    tries = int(os.environ.get("FAILING_TRIES", 0)) + 1
    assert tries < 20, "addresses are always the same"
    os.environ["FAILING_TRIES"] = str(tries)
    os.execv(sys.executable, sys.orig_argv)


def install():
    """Tells the shim what runs Python functions; the symbol table alone knows all of it."""
    listing = subprocess.run(
        ["nm", "-n", shim.failing_interpreter()], capture_output=True, text=True, check=True
    ).stdout
    symbols = [(int(line.split()[0], 16), line.split()[2]) for line in listing.splitlines() if line[0] != " "]
    starts = dict(map(reversed, symbols))
    found = [(at, symbols[n + 1][0]) for n, (at, name) in enumerate(symbols) if name.partition(".")[0] in RUNS_PYTHON]
    for n, (begin, end) in enumerate(found):
        shim.failing_python(n, begin - starts["_PyEval_EvalFrameDefault"], end - begin)
    assert 1 < len(found) <= 16 and shim.failing_install(respan._core.__file__.encode())


from respan_instrumentation_huggingface import HuggingFaceInstrumentor  # noqa: E402

if share_a_slot():
    start_again()
LOOP = asyncio.new_event_loop()
PIPE = fake_pipeline()
PLUGIN = HuggingFaceInstrumentor()
PIPELINE_WANTED = outcome(pipeline, None)
install()
for reviewed in (False, True):
    run(reviewed)
LOOP.close()
print("survived")
