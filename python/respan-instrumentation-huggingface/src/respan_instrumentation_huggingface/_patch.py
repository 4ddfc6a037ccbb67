"""One function of a class or a module, replaced by a wrapper, and put back.

The wrapper calls the original itself, in the one frame that tracing adds to a traceback, so that nothing which a feature does
can change the call: what goes wrong in `begin`, `returned` or `raised` is reported and otherwise as if it had not been there.
"""

from __future__ import annotations

import sys

from ._quietly import quietly, report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any, Protocol

    class Call(Protocol):
        """One call of a wrapped function, between `begin` and its end. Exactly one of the two is called, once."""

        def returned(self, result: Any) -> Any:
            """-> what the caller is given: `result`, unless it is to be followed further (an iterator)."""

        def raised(self, error: BaseException) -> None:
            """The caller is about to get this very exception."""

    # (self, the class for a class method, or None for a plain function; args; kwargs) -> None: this call is not traced.
    # kwargs is the call's own dict: what is put in there, the original gets.
    Begin = Callable[[Any, tuple[Any, ...], dict[str, Any]], "Call | None"]

_MODULE = type(sys)  # types.ModuleType, whose module nobody else may need
CO_COROUTINE = 0x80  # inspect's; importing inspect is dear
IDENTITY = ("__module__", "__name__", "__qualname__", "__doc__", "__annotations__", "__type_params__")


class Patch:
    """`owner.name` goes through a `begin` until remove(); of a function of a module, also under that name in other modules.

    Whoever wrapped our wrapper meanwhile keeps it: it then just calls through. find: gives that `begin`, and is called at the
    first call only, since to import the module that it is in costs more than all else here.
    """

    def __init__(self, owner: Any, name: str, find: Callable[[], Begin]) -> None:
        self._owner, self._name = owner, name
        self._inherited = name not in vars(owner)
        self._original = raw = _raw(owner, name)
        self._find = find
        self._begin: Begin | None = self._begin_first
        kind = next((kind for kind in (classmethod, staticmethod) if isinstance(raw, kind)), None)
        bound = isinstance(owner, type) and kind is not staticmethod
        function = _function_in(raw, kind, owner, name)
        flags = getattr(getattr(function, "__code__", None), "co_flags", 0)
        wrapper = (self._coroutine if flags & CO_COROUTINE else self._function)(function, bound)
        for attribute in IDENTITY:
            try:
                setattr(wrapper, attribute, getattr(function, attribute))
            except (AttributeError, TypeError):
                pass
        if self._inherited:  # pickle looks a function up by its name, and has to find this one there
            wrapper.__module__, wrapper.__qualname__ = owner.__module__, f"{owner.__qualname__}.{name}"
        wrapper.__dict__.update(getattr(function, "__dict__", {}))
        wrapper.__wrapped__ = function
        self._wrapper = wrapper if kind is None else kind(wrapper)
        setattr(owner, name, self._wrapper)
        if isinstance(owner, _MODULE):
            _rebind(owner, name, raw, self._wrapper)

    def _function(self, original: Callable[..., Any], bound: bool) -> Any:
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            begin = self._begin
            try:
                call = None if begin is None else begin(args[0] if bound else None, args[bound:], kwargs)
            except Exception as error:
                report(error)
                call = None
            if call is None:
                return original(*args, **kwargs)
            try:
                result = original(*args, **kwargs)
            except BaseException as error:
                quietly(call.raised, error)
                raise
            try:
                return call.returned(result)
            except Exception as error:
                report(error)
                return result

        return wrapper

    def _coroutine(self, original: Callable[..., Any], bound: bool) -> Any:
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            begin = self._begin
            try:
                call = None if begin is None else begin(args[0] if bound else None, args[bound:], kwargs)
            except Exception as error:
                report(error)
                call = None
            if call is None:
                return await original(*args, **kwargs)
            try:
                result = await original(*args, **kwargs)
            except BaseException as error:
                quietly(call.raised, error)
                raise
            try:
                return call.returned(result)
            except Exception as error:
                report(error)
                return result

        return wrapper

    def _begin_first(self, *call: Any) -> Call | None:
        torch = sys.modules.get("torch")
        if torch is not None and torch.compiler.is_compiling():
            return None  # its tracer cannot follow an import
        begin = self._find()
        if self._begin is not None:  # it was not removed meanwhile
            self._begin = begin
        return begin(*call)

    def remove(self) -> None:
        """Puts the original back as it was, unless somebody else has put something there since."""
        self._begin = None
        if isinstance(self._owner, _MODULE):
            _rebind(self._owner, self._name, self._wrapper, self._original)
        there = vars(self._owner).get(self._name)
        if there is not self._wrapper:
            _take_out(there, self._wrapper, self._original)
        elif self._inherited:
            delattr(self._owner, self._name)
        else:
            setattr(self._owner, self._name, self._original)


def _take_out(wrapper: Any, ours: Any, original: Any) -> None:
    """Of a chain of wrapt's wrappers (OpenTelemetry's instrumentors), which call what their __wrapped__ says at the time."""
    while hasattr(wrapper, "_self_wrapper"):
        if wrapper.__wrapped__ is ours:
            wrapper.__wrapped__ = original
            return
        wrapper = wrapper.__wrapped__


def _raw(owner: Any, name: str) -> Any:
    """What is stored there: a classmethod as such, not bound."""
    for holder in getattr(owner, "__mro__", (owner,)):
        if name in vars(holder):
            return vars(holder)[name]
    raise AttributeError(f"{owner!r} has no {name}")


def _rebind(module: ModuleType, name: str, old: Any, new: Any) -> None:
    """Gives those modules that imported a function by its name the other one. What is bound elsewhere stays as it is."""
    package = module.__name__.partition(".")[0]
    nothing: dict[str, Any] = {}
    seen = {id(module), id(sys.modules.get(package))}
    holders = [sys.modules.get(package)]
    others = list(sys.modules.items())  # thousands of them
    if getattr(module.__spec__, "_initializing", False):  # nobody outside of its package has got it yet
        others = [(known_as, other) for known_as, other in others if known_as.startswith(package)]
    for _, other in others:
        names = getattr(other, "__dict__", nothing)
        if names.get(name) is old:
            holders.append(other)
        # a library may have loaded itself twice: what a program knows by its name need not be what sys.modules has
        twin = names.get(package)
        if twin is not None and id(twin) not in seen:
            seen.add(id(twin))
            holders.append(twin)
    for holder in holders:
        if holder is not module and getattr(holder, "__dict__", nothing).get(name) is old:
            setattr(holder, name, new)


def _function_in(raw: Any, kind: Any, owner: Any, name: str) -> Any:
    """What to call with all arguments, `self` or the class among them. Wrappers of wrapt's want to be bound first."""
    if type(raw) is kind:
        return raw.__func__
    if kind is not classmethod:
        return getattr(owner, name)

    def function(cls: type, *args: Any, **kwargs: Any) -> Any:
        return raw.__get__(None, cls)(*args, **kwargs)

    function.__wrapped__ = raw.__func__  # type: ignore[attr-defined]
    return function
