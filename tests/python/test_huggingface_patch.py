"""What wrapping leaves as it was: identities, tracebacks, pickles, coroutines; and that a feature's failure is its own."""

import asyncio
import copy
import inspect
import pickle
import sys
import traceback
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from types import SimpleNamespace

import pytest
from respan import _import_hook
from respan_instrumentation_huggingface import HuggingFaceInstrumentor, _instrumentor, _quietly
from respan_instrumentation_huggingface._patch import Patch


class Base:
    def inherited(self, x):
        return "inherited", x


class Model(Base):
    def call(self, x=1, *, y=2):
        """Says what it was given."""
        return self, x, y

    @classmethod
    def load(cls, name):
        return cls, name

    @staticmethod
    def plain(x):
        return x

    async def asked(self, x):
        await asyncio.sleep(0)
        if x is None:
            raise ValueError("nothing")
        return x

    def fail(self, error):
        raise error


class Recorder:
    """A begin, and the calls that it saw."""

    def __init__(self, result=lambda result: result):
        self.seen, self.result = [], result

    def __call__(self, instance, args, kwargs):
        self.seen.append((instance, args, dict(kwargs)))
        return self

    def returned(self, result):
        self.seen.append(result)
        return self.result(result)

    def raised(self, error):
        self.seen.append(error)


@pytest.fixture
def patched():
    """patched(name, begin=…, owner=…) wraps; all is put back at the end."""
    patches = []

    def patch(name, begin=None, owner=Model):
        begin = begin or Recorder()
        patches.append(Patch(owner, name, lambda: begin))
        return begin

    yield patch
    while patches:
        patches.pop().remove()


@pytest.fixture
def reports():
    got = []
    _quietly.listeners.append(got.append)
    yield got
    _quietly.listeners.remove(got.append)


def test_each_sort_of_function(patched):
    module = SimpleNamespace(function=lambda x: x)
    model = Model()
    call, load, plain, inherited = (patched(name) for name in ("call", "load", "plain", "inherited"))
    function = patched("function", owner=module)
    assert model.call(3, y=4) == (model, 3, 4)
    assert call.seen == [(model, (3,), {"y": 4}), (model, 3, 4)]
    assert Model.load("n") == (Model, "n") and load.seen == [(Model, ("n",), {}), (Model, "n")]
    assert Model.plain(5) == model.plain(5) == 5 and plain.seen == [(None, (5,), {}), 5] * 2
    assert model.inherited(x=1) == ("inherited", 1) and inherited.seen[0] == (model, (), {"x": 1})
    assert Base().inherited(1) and len(inherited.seen) == 2
    assert module.function(6) == 6 and function.seen == [(None, (6,), {}), 6]


def test_coroutines_stay_coroutines(patched):
    asked = patched("asked")
    assert inspect.iscoroutinefunction(Model.asked)
    assert asyncio.run(Model().asked(7)) == 7 and asked.seen[1] == 7
    with pytest.raises(ValueError) as caught:
        asyncio.run(Model().asked(None))
    assert asked.seen[-1] is caught.value


def test_identity(patched):
    before = {name: vars(Model).get(name) for name in ("call", "load", "plain", "inherited", "asked")}
    signature = inspect.signature(Model.call)
    for name in before:
        patched(name)
    assert inspect.signature(Model.call) == signature and Model.call.__doc__ == "Says what it was given."
    assert Model.call.__qualname__ == "Model.call" and Model.call.__wrapped__ is before["call"]
    assert type(vars(Model)["load"]) is classmethod and type(vars(Model)["plain"]) is staticmethod
    for name in before:
        function = getattr(Model, name)
        assert copy.copy(function) == function and pickle.loads(pickle.dumps(function)) == function
    assert pickle.loads(pickle.dumps(Model)) is Model and type(copy.deepcopy(Model())) is Model


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (1, 0, 2)])
def test_whatever_the_order_of_removal(order):
    before = dict(vars(Model))
    patches = [Patch(Model, name, Recorder) for name in ("call", "load", "inherited")]
    for index in order:
        patches[index].remove()
        patches[index].remove()
    assert dict(vars(Model)) == before


def test_one_frame_more(patched):
    error = RuntimeError("broken")
    recorder = patched("fail")
    with pytest.raises(RuntimeError) as caught:
        Model().fail(error)
    assert caught.value is error and recorder.seen[-1] is error
    assert error.__context__ is None and error.__cause__ is None
    frames = [frame.name for frame in traceback.extract_tb(caught.tb)]
    assert frames == ["test_one_frame_more", "wrapper", "fail"]


def test_the_original_gets_what_begin_adds(patched):
    class Adds(Recorder):
        def __call__(self, instance, args, kwargs):
            kwargs["y"] = "added"
            return self

    patched("call", Adds(lambda result: (*result, "followed")))
    assert Model().call()[1:] == (1, "added", "followed")


@pytest.mark.parametrize("where", ["begin", "returned", "raised"])
def test_a_feature_that_fails_changes_nothing(patched, reports, where):
    wrong = RuntimeError("the feature's own")

    class Fails(Recorder):
        def fail(self, *_):
            raise wrong

    recorder = Fails()
    if where == "begin":
        recorder = recorder.fail
    else:
        setattr(recorder, where, recorder.fail)
    patched("call", recorder)
    patched("asked", recorder)
    assert Model().call()[1:] == (1, 2) and asyncio.run(Model().asked(1)) == 1
    with pytest.raises(TypeError) as caught:
        Model().call(none=1)
    assert caught.value.__context__ is None
    with pytest.raises(ValueError, match="nothing"):
        asyncio.run(Model().asked(None))
    assert reports == [wrong] * (4 if where == "begin" else 2)


def test_listeners_that_fail_are_ignored():
    def listener(error):
        raise error

    _quietly.listeners.append(listener)
    try:
        assert _quietly.quietly(int, "x") is None
    finally:
        _quietly.listeners.remove(listener)


def test_a_wrapper_that_someone_kept_calls_through(patched):
    recorder = Recorder()
    patch = Patch(Model, "call", lambda: recorder)
    kept = Model.call
    patch.remove()
    assert kept(Model(), 2)[1:] == (2, 2) and recorder.seen == []


def originals():
    """Each target of PATCHES whose module is loaded, and what is there."""
    found = {}
    for module, target, _ in _instrumentor.PATCHES:
        if module in sys.modules:
            owner, _, name = target.rpartition(".")
            for holder in _instrumentor._holders(sys.modules[module], owner, name):
                found[holder.__name__, name] = vars(holder).get(name)
    return found


def test_every_row_has_its_target_and_its_begin(generator):
    for module, target, begin in _instrumentor.PATCHES:
        if find_spec(module.rpartition(".")[0]) is None:
            assert module.startswith("transformers.models.dia.") and version("transformers") < "5"
            continue
        owner, _, name = target.rpartition(".")
        holders = _instrumentor._holders(import_module(module), owner, name)
        assert holders and all(callable(getattr(holder, name)) for holder in holders), target
        place, _, follow = begin.partition(":")
        assert callable(getattr(import_module(f"respan_instrumentation_huggingface.{place}"), follow)), begin


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_any_number_of_owners_in_any_order(generator, order):
    before = originals()
    owners = [HuggingFaceInstrumentor() for _ in range(3)]
    for _ in range(2):
        for owner in owners:
            owner.instrument()
            owner.instrument()
        wrapped = originals()
        assert all(wrapped[target] is not before[target] for target in before)
        for index in order:
            assert originals() == wrapped
            owners[index].uninstrument()
            owners[index].uninstrument()
        assert originals() == before and _quietly.listeners == []


def test_what_a_library_lacks_is_left_out(monkeypatch, tmp_path, reports):
    (tmp_path / "half_a_library.py").write_text("def there(x): return x\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    rows = [("half_a_library", name, "_text_generation:begin_forward") for name in ("Gone.method", "gone", "there")]
    monkeypatch.setattr(_instrumentor, "PATCHES", (*_instrumentor.PATCHES, *rows))
    instrumentor = HuggingFaceInstrumentor()
    instrumentor.activate()
    import half_a_library

    assert half_a_library.there.__wrapped__ and half_a_library.there(1) == 1
    assert reports == []
    instrumentor.deactivate()
    assert not hasattr(half_a_library.there, "__wrapped__")
    assert not {row[0] for row in _instrumentor.PATCHES} & set(_import_hook._finder._waiting)
    del sys.modules["half_a_library"]


NOTHING_EARLY = """
import sys
from respan import Respan
from respan_instrumentation_huggingface import HuggingFaceInstrumentor
before = set(sys.modules)
one, other = HuggingFaceInstrumentor(), HuggingFaceInstrumentor()
respan = Respan(instrumentations=[one])
other.instrument()
one.uninstrument()
one.instrument()
print([name for name in ("torch", "transformers", "huggingface_hub", "tokenizers", "numpy") if name in sys.modules])
print(sorted(name for name in set(sys.modules) - before if name.startswith("respan_instrumentation")))
import transformers.pipelines.pt_utils
from transformers import pipeline
print([name for name in sys.modules if name.startswith("respan_instrumentation_huggingface._") and name[35:] in
    ("_generate", "_load", "_pipelines", "_text_generation", "_inference_client")], hasattr(pipeline, "__wrapped__"))
other.uninstrument()
respan.shutdown()
print(hasattr(pipeline, "__wrapped__"), hasattr(sys.modules["transformers.pipelines"].pipeline, "__wrapped__"))
"""


def test_nothing_is_imported_early(script):
    """Neither what is traced, nor what traces it, before there is a call."""
    done = script(NOTHING_EARLY)
    assert done.stdout.splitlines() == ["[]", "[]", "[] True", "False False"], done.stdout + done.stderr
