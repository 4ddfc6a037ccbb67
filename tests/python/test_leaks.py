"""Nothing is left of what the extension made: neither Python objects nor librespan's memory, by type, errors and cycles
included."""

import asyncio
import ctypes
import gc
import importlib
import sys
import sysconfig
import threading
from contextvars import copy_context
from pathlib import Path

import pytest
from respan import _core, extract, inject, propagate_attributes
from respan._carry import _Carried, _unpickle
from respan._wrappers import wrap_async_generator, wrap_coroutine, wrap_generator

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
ASAN = "libasan" in Path("/proc/self/maps").read_text()  # its malloc keeps for a while what was freed
NOBODY = "http://127.0.0.1:9/api"


async def answer(n):
    await asyncio.sleep(0)
    return n


def a_run():
    """A coroutine inside its span, which is of a type that the module does not name."""
    return _core.Entity(answer, "answer", "task").coroutine((1,), {})


def run_type():
    client = _core.Client(base_url=NOBODY, quiet=True, spool=False)
    client.use()
    run = a_run()
    run.close()
    client.close(0)
    return type(run)


TYPES = [_core.Client, _core.Span, _core.Scope, _core.Entity, run_type()]


class MallInfo(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in ["a", "b", "c", "d", "mapped", "e", "f", "in_use", "g", "h"]]


def c_memory():
    """Bytes that malloc has given out, Python's own small objects apart."""
    mallinfo = ctypes.CDLL(None).mallinfo2
    mallinfo.restype = MallInfo
    info = mallinfo()
    return info.in_use + info.mapped


def measure():
    for _ in range(3):
        gc.collect()
    references = sys.gettotalrefcount() if hasattr(sys, "gettotalrefcount") else 0
    return references, sys.getallocatedblocks(), len(gc.get_objects()), 0 if ASAN else c_memory()


@pytest.fixture
def client():
    """A function that opens a client; check() has new spans go to it, and closes it at the end of each round."""
    return lambda: _core.Client(base_url=NOBODY, quiet=True, spool=False)


@pytest.fixture(params=[None, lambda span: True, lambda span: False], ids=["plain", "reviewed", "dropped"])
def any_client(request):
    return lambda: _core.Client(base_url=NOBODY, quiet=True, spool=False, review=request.param)


ROUND = 40


def grows(make, use):
    """Calls use() ROUND times a round, with a client of its own each round, and compares rounds."""

    def one_round():
        opened = make()
        opened.use()
        for _ in range(ROUND):
            use()
        opened.close(0)

    for _ in range(3):
        one_round()
    before = measure()
    for _ in range(3):
        one_round()
    after = measure()
    return [b - a for a, b in zip(before, after)]


def check(make, use):
    # A leak in each use leaves 3 * ROUND of it, by malloc 24 bytes each at least; what the interpreter and malloc keep for
    # themselves is less. Another try, since other threads may have been at work in the first.
    limits = (2 * ROUND, 2 * ROUND, 2 * ROUND, 2 * ROUND * 24)
    for _ in range(3):
        grown = grows(make, use)
        if all(amount < limit for amount, limit in zip(grown, limits)):
            return
    raise AssertionError(f"grown by (references, blocks, objects, bytes of malloc): {grown}, at most {limits}")


def everything(span):
    scope = _core.Scope({}, {"a": 1, "list": ["x", "y"], "numbers": [1, 2]})
    span.set_attributes({"a": "x" * 100, "b": [1, 2], "c": {"d": [object()]}, "e": 2**70, "f": ["a", 1], "g": None})
    span.update_name("renamed")
    span.status(2, "wrong")
    span.event("event", scope, 5)
    span.link(TRACE, SPAN, scope)
    span.adopt(TRACE, SPAN)
    span.fail(ValueError("no"))
    span.output([1, "two", {"three": 3.0}])
    _ = span.trace_id, span.span_id, span.inherited, span.recording, span.reviewed, span.facts, span.content


def test_spans(any_client):
    def use():
        with _core.start_span("span", 3) as span:
            everything(span)
        everything(span)
        forgotten = _core.start_span("forgotten")
        everything(forgotten)

    check(any_client, use)


def test_spans_that_are_misused(any_client):
    def use():
        span = _core.start_span("span")
        bad = [
            lambda: span.set_attribute(1, 2),
            lambda: span.set_attribute("a"),
            lambda: span.set_attributes([]),
            lambda: span.update_name(1),
            lambda: span.status(9),
            lambda: span.event("a", {}),
            lambda: span.link("0", "0"),
            lambda: span.adopt(TRACE, "0"),
            lambda: span.end("now"),
            lambda: _core.start_span("a", 9),
            lambda: _core.start_span("a", 1, "parent"),
            lambda: _core.swap_span(1),
            lambda: _core.swap_scope(1),
            lambda: _core.swap_surroundings(None, 1),
            lambda: _core.remote_span("0", "0"),
            lambda: _core.remote_span(TRACE, SPAN, 1),
            lambda: _core.Span(),
        ]
        for call in bad:
            with pytest.raises((TypeError, ValueError)):
                call()
        span.set_attribute("\ud800", 1)
        span.update_name("\ud800")

    check(any_client, use)


def test_spans_in_cycles(any_client):
    class Text(str):
        pass

    def use():
        first, second = _core.start_span("first"), _core.start_span("second")
        for span in (first, second, first, second):  # each was current before the other
            span.enter()
            first.leave()
        _core.swap_span(None)
        path = Text("path")
        path.span = _core.remote_span(TRACE, SPAN, path)

    check(any_client, use)


def test_spans_that_their_reviewers_keep():
    def make():
        return _core.Client(base_url=NOBODY, quiet=True, spool=False, review=keep)

    def keep(span):
        span.reviewed[1]["itself"] = span
        span.facts["attributes"]["more"] = [span]
        raise ValueError

    def use():
        forgotten = _core.start_span("forgotten")
        forgotten.set_attribute("a", 1)
        cycle = []
        cycle.append(lambda span: bool(cycle) and bool(forgotten))
        entity = _core.Entity(lambda: cycle, "entity", "task", None, cycle[0])
        entity()
        cycle.append(entity.start())

    check(make, use)


def test_a_long_row_of_spans_is_freed_without_recursion(client):
    opened = client()
    opened.use()
    for _ in range(20_000):
        _core.start_span("one").enter()
    _core.swap_span(None)
    opened.close(0)


def test_scopes(client):
    class Odd(list):
        def __iter__(self):
            raise KeyError

    def use():
        holder = []
        scope = _core.Scope({"holder": holder}, {"a": 1, "b": ["x"], "c": [True], "d": [1.5], "e": [1, "x"], "f": {}})
        holder.append(scope)
        previous = _core.swap_scope(scope)
        with _core.start_span("span"):
            pass
        _core.swap_scope(previous)
        _core.Scope(scope.values, {1: 2, "\ud800": 1, "odd": Odd()})
        with pytest.raises(TypeError):
            _core.Scope(1, 2)

    check(client, use)


def test_what_reading_a_scope_s_list_changes():
    given = {}

    class Grows(list):
        def __iter__(self):
            given.pop("first", None)
            given.update({str(n): "x" * n for n in range(1000)})
            return iter(["a"])

    given.update(first=Grows(), second=1)
    for _ in range(10):
        _core.Scope({}, given)
        given.clear()
        given.update(first=Grows(), second=1)


def test_entities(any_client):
    def fail(*args):
        raise ValueError("no")

    class Interrupts:
        def model_dump(self):
            raise KeyboardInterrupt

    def use():
        entity = _core.Entity(lambda *args, **kwargs: args, "name", "workflow", 3)
        entity.itself = entity
        inner = _core.Entity(entity, "inner", "tool", "v1", lambda span: entity)
        inner(1, "two", three=[3])
        entity.start((1,), {"a": 2}).end()
        entity.start()
        _ = entity.__code__, repr(entity), entity.__get__(1, int), entity.__doc__
        for call in (_core.Entity(fail, "fail", "task"), entity):
            with pytest.raises((ValueError, KeyboardInterrupt)):
                call(Interrupts()) if call is entity else call(1)
        for bad in ((), (1, "a", "b"), (fail, 1, 2)):
            with pytest.raises(TypeError):
                _core.Entity(*bad)
        with pytest.raises(TypeError):
            entity.start(1, 2)
        with pytest.raises(AttributeError):
            _ = entity.no_such

    check(any_client, use)


def test_clients():
    def make():
        return _core.Client(base_url=NOBODY, quiet=True, spool=False)

    def use():
        cycle = []
        client = _core.Client(
            base_url=NOBODY,
            api_key="k",
            app_name="a",
            headers={"a": "b"},
            resource=_core.Scope({}, {"a": 1}),
            defaults=_core.Scope({}, {"b": 2}),
            quiet=True,
            spool=False,
            review=lambda span: bool(cycle),
        )
        cycle.append(client)
        client.use()
        span = _core.start_span("outlives it")
        _ = client.stats(), client.closed, client.content, client.defaults, _core.current_client()
        for bad in (
            {"base_url": "ftp://x"},
            {"base_url": 1},
            {"headers": {"a": "\0"}},
            {"headers": 1},
            {"defaults": 1},
            {"app_name": "\ud800"},
        ):
            with pytest.raises((TypeError, ValueError)):
                _core.Client(**bad)
        with pytest.raises(TypeError):
            client.flush("soon")
        client.close(0)
        assert client.close(0) is None and client.stats() is None and client.flush(0)
        span.end()
        _core.Client(base_url=NOBODY, quiet=True, spool=False)  # never closed

    check(make, use)


def test_coroutines_and_generators(client):
    async def divide(n):
        await asyncio.sleep(0)
        return 10 // n

    def count(n):
        while True:
            try:
                yield n
            except KeyError:
                n += 1

    async def acount(n):
        yield n
        yield 10 // n

    def use():
        entity = _core.Entity(divide, "name", "task")
        coroutine = wrap_coroutine(entity)
        generator = wrap_generator(_core.Entity(count, "count", "tool"))
        async_generator = wrap_async_generator(entity, acount)

        async def run():
            assert await coroutine(2) == 5
            with pytest.raises(ZeroDivisionError):
                await coroutine(0)
            assert [n async for n in async_generator(2)] == [2, 5]
            with pytest.raises(ZeroDivisionError):
                _ = [n async for n in async_generator(0)]
            left = async_generator(1)
            await left.__anext__()
            await left.aclose()

        with pytest.raises(StopIteration):
            drive = run()
            while True:
                drive.send(None)
        running = generator(1)
        next(running)
        running.throw(KeyError())
        running.close()
        next(generator(2))
        coroutine(1).close()
        cycle = [generator(3)]
        next(cycle[0])
        cycle[0].throw(KeyError(cycle))
        counting = _core.Entity(count, "count", "tool")
        cycle.append(counting.generator((1,), {}))
        assert next(cycle[-1]) == 1 and cycle[-1].gi_running is False
        cycle[-1].throw(KeyError(cycle))
        with pytest.raises(TypeError):
            counting.coroutine((1,), {})  # what it gives cannot be awaited
        with pytest.raises(TypeError):
            counting.generator((), {})
        for bad in ((), (1, 2)):
            with pytest.raises(TypeError):
                entity.coroutine(*bad)

    check(client, use)


def test_context(client):
    class Grows:
        def model_dump(self):
            return {"a": [self]}

    def use():
        headers = {}
        with propagate_attributes(customer_identifier="ada", metadata={"n": 1}):
            with _core.start_span("span") as span:
                inject(headers, attributes=True)
                carried = _Carried(len, *_core.surroundings())
                assert carried([]) == 0
                make, arguments = carried.__reduce__()
                assert make is _unpickle and make(*arguments)([1]) == 1
                everything(_core.remote_span(span.trace_id, span.span_id, "a", "b"))
        with extract(headers, attributes=True):
            assert _core.current_span() is not None
        _core.to_json([Grows(), {"a": (1, 2.5, None, "\ud800")}, {1, 2}, 2**80])

    check(client, use)


def test_threads(client):
    def use():
        span = _core.start_span("shared")
        threads = [threading.Thread(target=everything, args=(span,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    check(client, use)


@pytest.mark.skipif(
    bool(sysconfig.get_config_var("Py_GIL_DISABLED")) and sys.version_info < (3, 14),
    reason="types and modules are immortal there once there are threads",
)
def test_the_module_itself():
    """Another instance of it, with types of its own, goes as it came."""

    def use():
        mine = sys.modules.pop("respan._core")
        try:
            other = importlib.import_module("respan._core")
        finally:
            sys.modules["respan._core"] = mine
            sys.modules["respan"]._core = mine
        assert other.Span is not _core.Span
        client = other.Client(base_url=NOBODY, quiet=True, spool=False)
        client.use()
        with other.start_span("span") as span:
            everything_else = other.Entity(lambda: span, "a", "task")
            everything_else()
        client.close(0)

    # In a context of its own, since a context keeps each variable that was ever set in it.
    check(lambda: _core.Client(base_url=NOBODY, quiet=True, spool=False), lambda: copy_context().run(use))


@pytest.mark.parametrize("kind", TYPES)
def test_each_type_tells_the_collector_what_it_holds(kind):
    assert kind.__flags__ & (1 << 14), "Py_TPFLAGS_HAVE_GC"
    assert not kind.__flags__ & (1 << 10), "Py_TPFLAGS_BASETYPE: a subclass would need tp_alloc and tp_free"
    held = object()
    client = _core.Client(base_url=NOBODY, quiet=True, spool=False, review=held, defaults=_core.Scope({"a": held}, {}))
    client.use()
    one = {
        _core.Client: client,
        _core.Span: _core.start_span("a"),
        _core.Scope: client.defaults,
        _core.Entity: _core.Entity(lambda: 1, "a", "task", None, held),
        TYPES[-1]: (run := a_run()),
    }[kind]
    referents = gc.get_referents(one)
    assert kind in referents  # an instance of a heap type owns a reference to it
    if kind is TYPES[-1]:
        assert {type(referent).__name__ for referent in referents} == {"type", "coroutine", "Span"}
    elif kind is _core.Scope:
        assert {"a": held} in referents
    else:
        assert held in referents
    run.close()
    client.close(0)


def test_all_types_are_here():
    assert {value for value in vars(_core).values() if isinstance(value, type)} <= set(TYPES)
