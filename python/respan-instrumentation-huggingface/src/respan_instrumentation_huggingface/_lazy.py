"""Results that a pipeline gives one by one.

The iterator that the caller is given stays the library's own object: what follows it stands beside it, in a table that
does not keep it alive, and is told of each step. Nothing is taken from it that the caller did not ask for. One pass over it
is one span: from the call (a later pass: from its first step) to the step at which it ends or raises; if it is
abandoned, to the end of its last step. The span is current within steps alone, in the thread that takes them.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

from respan.instrumentation import OK

from ._quietly import quietly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from respan.instrumentation import Span

    class Followed(Protocol):
        """A call whose results come later. One of the last four is called, once."""

        def enter(self) -> Any:
            """A step begins; gives what leave() takes."""

        def leave(self, token: Any) -> None: ...
        def item(self, result: Any) -> None:
            """What a step gave."""

        def finish(self) -> None: ...
        def fail(self, error: BaseException) -> None: ...
        def abandon(self) -> None:
            """The iterator is gone before its end; any thread."""

        def discard(self) -> None:
            """There was nothing more to give."""


class Ending:
    """The ends of a Followed call that has a span."""

    span: Span

    def _record(self) -> None:
        """Sets what is known at the end, however it came."""
        raise NotImplementedError

    def finish(self) -> None:
        quietly(self._record)
        self.span.status(OK)
        self.span.end()

    def fail(self, error: BaseException) -> None:
        quietly(self._record)
        self.span.fail(error)
        self.span.end()

    def abandon(self) -> None:
        quietly(self._record)
        self.span.set_attribute("respan.iterator.abandoned", True)
        self.span.end()

    def discard(self) -> None:
        self.span.discard()


class Follower:
    """What stands beside one iterator."""

    __slots__ = ("__weakref__", "_again", "_call", "_may_go_on", "_took")

    def __init__(self, call: Followed, again: Callable[[], Followed | None]) -> None:
        self._call: Followed | None = call
        self._again = again
        self._took = True  # the first pass is told of even if it gives nothing
        self._may_go_on = False

    def rewind(self) -> Step | None:
        """iter(): after its end, another pass may follow."""
        if self._call is None:
            self._may_go_on = True
            return None
        return Step(self, self._call, is_item=False)

    def step(self) -> Step | None:
        if self._call is None:
            if not self._may_go_on:
                return None
            self._took = False
            self._call = self._again()
        return None if self._call is None else Step(self, self._call, is_item=True)

    def took(self) -> None:
        self._took = True

    def ended(self, error: BaseException | None) -> None:
        call, self._call = self._call, None
        if call is None:
            return
        if isinstance(error, StopIteration):
            self._may_go_on = False
            (call.finish if self._took else call.discard)()
        else:
            self._may_go_on = True  # the library can: only one item may be at fault
            call.abandon() if error is None else call.fail(error)

    def __del__(self) -> None:
        try:
            self.ended(None)
        except Exception:  # at the end of the process, of which modules may be gone
            pass


class Step:
    """One iter() or next() on its way."""

    __slots__ = ("_call", "_follower", "_is_item", "_token")

    def __init__(self, follower: Follower, call: Followed, is_item: bool) -> None:
        self._follower, self._call, self._is_item = follower, call, is_item
        self._token = call.enter()

    def returned(self, result: Any) -> Any:
        self._call.leave(self._token)
        if self._is_item:
            self._follower.took()
            quietly(self._call.item, result)
        return result

    def raised(self, error: BaseException) -> None:
        self._call.leave(self._token)
        self._follower.ended(error)


_followers: WeakKeyDictionary[Any, Follower] = WeakKeyDictionary()


def is_lazy(result: Any) -> bool:
    """Whether a pipeline's result is an iterator that can be followed."""
    return hasattr(result, "__next__") and any(kind.__name__ == "PipelineIterator" for kind in type(result).__mro__)


def follow(iterator: Any, call: Followed, again: Callable[[], Followed | None]) -> None:
    """The call's span goes with the iterator from now on. again: opens the call of another pass, or gives None."""
    _followers[iterator] = Follower(call, again)


def abandon_all() -> None:
    """Tracing is switched off: iterators that are still in use go on untraced."""
    while _followers:
        quietly(_followers.popitem()[1].ended, None)


def begin_iter(iterator: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Step | None:
    """A call of PipelineIterator.__iter__."""
    follower = _followers.get(iterator) if _followers else None
    return None if follower is None else follower.rewind()


def begin_next(iterator: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Step | None:
    """A call of PipelineIterator.__next__."""
    follower = _followers.get(iterator) if _followers else None
    return None if follower is None else follower.step()
