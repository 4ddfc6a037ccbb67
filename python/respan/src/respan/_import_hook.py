"""Runs a function on a module once it is loaded, without loading it.

One finder in sys.meta_path for all modules that are waited for, since every import of the program asks it, and none while
nothing is waited for.
"""

from __future__ import annotations

import sys
from _thread import RLock, start_new_thread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any


class ImportHook:
    """A function that waits for a module; called once, or never after cancel()."""

    def __init__(self, name: str, function: Callable[[ModuleType], None]) -> None:
        self.name = name
        self._function: Callable[[ModuleType], None] | None = function

    def loaded(self, module: ModuleType) -> None:
        function = self._function
        self.cancel()
        if function is None:
            return
        try:
            function(module)
        except Exception as error:
            from ._log import warn_of

            warn_of(error, "%s could not be instrumented", self.name)

    def cancel(self) -> None:
        self._function = None
        _finder.forget(self)


class _Finder:
    """It finds nothing by itself: it lets the others find a module that is waited for, and follows its loader."""

    def __init__(self) -> None:
        self._lock = RLock()  # a finalizer may cancel a hook at any moment
        self._waiting: dict[str, tuple[ImportHook, ...]] = {}

    def wait(self, hook: ImportHook) -> None:
        with self._lock:
            self._waiting[hook.name] = (*self._waiting.get(hook.name, ()), hook)
            if self not in sys.meta_path:
                sys.meta_path.insert(0, self)

    def forget(self, hook: ImportHook) -> None:
        with self._lock:
            left = tuple(other for other in self._waiting.pop(hook.name, ()) if other is not hook)
            if left:
                self._waiting[hook.name] = left
            elif not self._waiting and self in sys.meta_path:
                sys.meta_path.remove(self)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in self._waiting:
            return None
        for finder in sys.meta_path:
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                if hasattr(spec.loader, "exec_module"):
                    spec.loader = _FollowedLoader(spec.loader, name)  # type: ignore[assignment]
                return spec
        return None

    def loaded(self, name: str, module: ModuleType) -> None:
        for hook in self._waiting.get(name, ()):
            hook.loaded(module)


class _FollowedLoader:
    """The module's own loader, which it also gets to see, with a word to the hooks at the end."""

    def __init__(self, loader: Any, name: str) -> None:
        self._loader, self._name = loader, name

    def __getattr__(self, name: str) -> Any:
        if name == "_loader":  # a copy in the making has none yet
            raise AttributeError(name)
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        _finder.loaded(self._name, module)


_finder = _Finder()


def when_imported(name: str, function: Callable[[ModuleType], None]) -> ImportHook:
    hook = ImportHook(name, function)
    module = sys.modules.get(name)
    if module is None:
        _finder.wait(hook)
    elif getattr(getattr(module, "__spec__", None), "_initializing", False):  # by somebody who is not done with it
        start_new_thread(_wait_for, (hook,))
    else:
        hook.loaded(module)
    return hook


def _wait_for(hook: ImportHook) -> None:
    from importlib import import_module

    try:
        hook.loaded(import_module(hook.name))  # waits until the other thread is done
    except BaseException:  # then nobody has it: the next attempt is followed
        _finder.wait(hook)
