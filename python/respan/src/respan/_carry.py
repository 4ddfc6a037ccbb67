"""The current span and attributes go with work that is handed to a thread or to a process pool.

asyncio carries them by itself, and so does fork. Threads do so only where sys.flags.thread_inherit_context says it (the
default of free-threaded Python 3.14), pools and processes that are not forked do not: while a Respan is open, the two
`start` methods and the `submit` of both executors do it. Only respan's own two context variables travel. Modules that the program never imports are never
imported for this.
"""

from __future__ import annotations

from . import _core
from ._import_hook import when_imported
from ._propagate import portable, scope_of
from ._wrappers import take_identity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from ._import_hook import ImportHook

    Ids = tuple[str, str, str | None, str | None]
    Surroundings = tuple[_core.Span | None, _core.Scope | None]

_hooks: list[ImportHook] = []
_patches: list[_Patch] = []


class _Patch:
    """A method replaced, and put back unless somebody else has replaced it since."""

    def __init__(self, owner: type, name: str, around: Callable[[Any], Any]) -> None:
        self._owner, self._name, self._original = owner, name, owner.__dict__[name]
        self._ours = take_identity(around(self._original), self._original)
        setattr(owner, name, self._ours)

    def undo(self) -> None:
        if self._owner.__dict__.get(self._name) is self._ours:
            setattr(self._owner, self._name, self._original)


# ---- what never fails: work that cannot be traced for want of memory is done all the same ---------------------


_is_left_behind = False  # what one piece of work had may still be current in a thread that does others


def _surroundings() -> Surroundings | None:
    try:
        return _core.surroundings()
    except MemoryError:
        return None


def _swap(surroundings: Surroundings) -> Surroundings | None:
    """Those that were, to be put back; None if they stay."""
    try:
        return _core.swap_surroundings(*surroundings)
    except MemoryError:
        return None


def _put_back(surroundings: Surroundings | None) -> None:
    global _is_left_behind
    if surroundings is not None and _swap(surroundings) is None:
        _is_left_behind = True


class _Carried:
    """A function that runs where `span` and `scope` are current. Pickled, it takes along what they stand for."""

    __slots__ = ("_function", "_scope", "_span")

    def __init__(self, function: Callable[..., Any], span: _core.Span | None, scope: _core.Scope | None) -> None:
        self._function, self._span, self._scope = function, span, scope

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        previous = _swap((self._span, self._scope))
        try:
            return self._function(*args, **kwargs)
        finally:
            _put_back(previous)

    def __reduce__(self) -> tuple[Any, ...]:
        span, scope = self._span, self._scope
        try:
            ids = None if span is None else (span.trace_id, span.span_id, *span.inherited)
            return _unpickle, (self._function, ids, {} if scope is None else portable(scope.values))
        except MemoryError:
            return _unpickle, (self._function, None, {})


def _unpickle(function: Callable[..., Any], ids: Ids | None, values: dict[str, Any]) -> _Carried:
    try:
        return _Carried(function, None if ids is None else _core.remote_span(*ids), scope_of(values))
    except MemoryError:
        return _Carried(function, None, None)


# ---- threads -----------------------------------------------------------------------------------------------


def _works_for_a_pool(thread: Any) -> bool:
    """Such a thread outlives the work that it was started for; each piece of its work brings its own surroundings."""
    return getattr(getattr(thread, "_target", None), "__module__", None) == "concurrent.futures.thread"


def _start_of_threads(start: Callable[[Any], None]) -> Callable[[Any], None]:
    def start_within(thread: Any) -> None:
        global _is_left_behind
        carried = _surroundings()
        if carried is None:
            return start(thread)
        if _works_for_a_pool(thread):
            previous = _swap((None, None))  # where threads inherit the context, it would never forget ours
            if previous is None:
                _is_left_behind = True
            try:
                return start(thread)
            finally:
                _put_back(previous)
        run = thread.run
        own = thread.__dict__.get("run")  # rarely: of the object rather than of its class

        def put_back() -> None:
            if own is None:
                thread.__dict__.pop("run", None)
            else:
                thread.run = own

        def run_within() -> None:
            put_back()
            _swap(carried)
            run()

        thread.run = run_within
        try:
            start(thread)
        except BaseException:
            put_back()
            raise

    return start_within


def _submit_to_threads(submit: Callable[..., Any]) -> Callable[..., Any]:
    def submit_within(executor: Any, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        carried = _surroundings()
        if carried is None and not _is_left_behind:
            return submit(executor, function, *args, **kwargs)
        return submit(executor, _Carried(function, *(carried or (None, None))), *args, **kwargs)

    return submit_within


# ---- processes ---------------------------------------------------------------------------------------------


def _submit_to_processes(submit: Callable[..., Any]) -> Callable[..., Any]:
    def submit_within(executor: Any, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        # Wrapped also where nothing is current: a forked worker still has what was current when it was made.
        carried = _surroundings() or (None, None)
        return submit(executor, _Carried(function, *carried), *args, **kwargs)

    return submit_within


def _start_of_processes(start: Callable[[Any], None]) -> Callable[[Any], None]:
    """One that is spawned is pickled: with its `run`, which takes along what is current."""

    def start_within(process: Any) -> None:
        carried = _surroundings()
        if carried is None:
            return start(process)
        own = process.__dict__.get("run")
        process.run = _Carried(process.run, *carried)
        try:
            start(process)
        finally:
            if own is None:
                process.__dict__.pop("run", None)
            else:
                process.run = own

    return start_within


def _shut_down(_: object = None) -> None:
    from ._respan import shutdown

    shutdown()


def _before_children_end(util: Any) -> None:
    """A child of multiprocessing ends without atexit; what it runs instead is told to send the child's spans."""

    def in_child(_: object) -> None:
        util.Finalize(None, _shut_down, exitpriority=0)

    util.register_after_fork(_shut_down, in_child)  # runs in spawned children too
    from multiprocessing.process import parent_process

    if parent_process() is not None:
        in_child(None)


# ---- on and off --------------------------------------------------------------------------------------------


def install() -> None:
    if _hooks:
        return

    def patch(module: str, owner: str, name: str, around: Callable[[Any], Any]) -> None:
        def apply(loaded: ModuleType) -> None:
            _patches.append(_Patch(getattr(loaded, owner), name, around))

        _hooks.append(when_imported(module, apply))

    patch("threading", "Thread", "start", _start_of_threads)
    patch("multiprocessing.process", "BaseProcess", "start", _start_of_processes)
    patch("concurrent.futures.thread", "ThreadPoolExecutor", "submit", _submit_to_threads)
    patch("concurrent.futures.process", "ProcessPoolExecutor", "submit", _submit_to_processes)


def uninstall() -> None:
    while _hooks:
        _hooks.pop().cancel()
    while _patches:
        _patches.pop().undo()


_watching = False


def watch_children() -> None:
    """Children of multiprocessing send what they have before they end. Once a process, and harmless without a Respan."""
    global _watching
    if not _watching:
        _watching = True
        when_imported("multiprocessing.util", _before_children_end)
