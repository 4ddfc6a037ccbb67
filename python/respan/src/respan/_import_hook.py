"""Runs a function on a module once it is loaded, without loading it."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any


class ImportHook:
    """A finder that finds nothing by itself: it lets the others find the module, and follows its loader."""

    def __init__(self, name: str, function: Callable[[ModuleType], None]) -> None:
        self._name, self._function = name, function

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != self._name:
            return None
        for finder in sys.meta_path:
            if finder is self or not hasattr(finder, "find_spec"):
                continue
            spec = finder.find_spec(name, path, target)
            if spec is not None:
                if hasattr(spec.loader, "exec_module"):
                    spec.loader = _FollowedLoader(spec.loader, self)  # type: ignore[assignment]
                return spec
        return None

    def loaded(self, module: ModuleType) -> None:
        function = self._function
        self.cancel()
        try:
            function(module)
        except Exception as error:
            import logging

            logging.getLogger("respan").warning("%s could not be instrumented: %s", self._name, error)

    def cancel(self) -> None:
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        self._function = _nothing


class _FollowedLoader:
    """The module's own loader, which it also gets to see, with a word to the hook at the end."""

    def __init__(self, loader: Any, hook: ImportHook) -> None:
        self._loader, self._hook = loader, hook

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        self._hook.loaded(module)


def _nothing(module: ModuleType) -> None:
    pass


def when_imported(name: str, function: Callable[[ModuleType], None]) -> ImportHook:
    hook = ImportHook(name, function)
    module = sys.modules.get(name)
    if module is not None:
        hook.loaded(module)
    else:
        sys.meta_path.insert(0, hook)
    return hook
