"""when_imported(): a function runs on a module once that is loaded, nothing is loaded for it, and nothing of it is left."""

import logging
import sys
import types

import pytest
from respan import _import_hook
from respan.instrumentation import when_imported


@pytest.fixture
def module(tmp_path, monkeypatch):
    """The name of a module that can be imported."""
    (tmp_path / "hooked_module.py").write_text("value = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "hooked_module"
    sys.modules.pop("hooked_module", None)


@pytest.fixture(autouse=True)
def finder(monkeypatch):
    """One that waits for nothing yet."""
    made = _import_hook._Finder()
    monkeypatch.setattr(_import_hook, "_finder", made)
    yield made
    assert made not in sys.meta_path and not made._waiting


def test_a_module_that_is_loaded_later(module, finder):
    seen = []
    when_imported(module, seen.append)
    assert seen == [] and sys.meta_path[0] is finder and module not in sys.modules
    import hooked_module

    assert seen == [hooked_module] and finder not in sys.meta_path
    assert isinstance(hooked_module, types.ModuleType) and type(hooked_module.__loader__).__name__ == "SourceFileLoader"
    assert hooked_module.__spec__.loader is hooked_module.__loader__
    when_imported(module, seen.append)
    assert len(seen) == 2


def test_several_that_wait_for_one_module(module, finder):
    seen = []
    first, second, third = (when_imported(module, lambda _, which=which: seen.append(which)) for which in "abc")
    second.cancel()
    second.cancel()
    assert len([one for one in sys.meta_path if one is finder]) == 1
    import hooked_module  # noqa: F401

    assert seen == ["a", "c"]
    first.cancel()
    third.cancel()


def test_cancelled_and_never_imported(finder):
    hook = when_imported("never_imported", pytest.fail)
    other = when_imported("never_imported_either", pytest.fail)
    hook.cancel()
    assert finder in sys.meta_path
    other.cancel()


def test_a_function_that_raises_does_not_fail_the_import(module, caplog):
    def broken(_):
        raise RuntimeError("broken")

    when_imported(module, broken)
    with caplog.at_level(logging.WARNING, "respan"):
        import hooked_module

    assert hooked_module.value == 1 and caplog.messages == ["hooked_module could not be instrumented: RuntimeError"]


def test_a_module_that_raises_is_waited_for_still(tmp_path, module):
    seen = []
    file = tmp_path / "hooked_module.py"
    file.write_text("raise ValueError\n")
    when_imported(module, seen.append)
    with pytest.raises(ValueError):
        __import__(module)
    assert seen == []
    file.write_text("value = 22\n")
    assert __import__(module).value == 22 and len(seen) == 1


def test_a_module_that_there_is_not():
    hook = when_imported("there_is_no_such_module", pytest.fail)
    with pytest.raises(ModuleNotFoundError):
        __import__("there_is_no_such_module")
    hook.cancel()


def test_a_module_that_another_thread_is_just_loading(tmp_path, monkeypatch, finder):
    import threading
    import time

    (tmp_path / "slow_module.py").write_text(
        "import time\nimport builtins\nbuiltins.slow_has_begun.set()\ntime.sleep(0.2)\nvalue = 1\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("builtins.slow_has_begun", threading.Event(), raising=False)
    loading = threading.Thread(target=lambda: __import__("slow_module"))
    loading.start()
    sys.modules.get("builtins").slow_has_begun.wait(10)
    seen = []
    when_imported("slow_module", lambda module: seen.append(module.value))
    assert seen == []  # it is not there yet
    loading.join()
    until = time.monotonic() + 10
    while not seen and time.monotonic() < until:
        time.sleep(0.01)
    assert seen == [1]
    del sys.modules["slow_module"]


def test_a_loader_that_is_copied_before_its_module_is_loaded(module):
    import copy
    from importlib.util import find_spec

    hook = when_imported(module, lambda _: None)
    spec = find_spec(module)
    assert copy.copy(spec.loader)._loader is spec.loader._loader
    assert copy.deepcopy(spec).name == module
    hook.cancel()
