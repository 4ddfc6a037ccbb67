"""The decorators `workflow`, `task`, `agent` and `tool`: each call of the decorated function becomes a span."""

from __future__ import annotations

from . import _core
from ._wrappers import (
    CO_ASYNC_GENERATOR,
    CO_COROUTINE,
    CO_GENERATOR,
    CO_ITERABLE_COROUTINE,
    code_flags,
    is_coroutine_function,
    take_identity,
    wrap_async_generator,
    wrap_coroutine,
    wrap_generator,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Protocol, TypeVar, overload

    F = TypeVar("F", bound=Callable[..., Any])
    Hooks = tuple[Any, Any]  # see review_of() and opened_of()

    class Decorator(Protocol):
        @overload
        def __call__(self, function: F, /) -> F: ...
        @overload
        def __call__(
            self,
            name: str | None = None,
            /,
            version: int | str | None = None,
            method_name: str | None = None,
            processors: str | list[str] | None = None,
            export_filter: dict[str, Any] | None = None,
            links: Iterable[Any] | Callable[[], Iterable[Any]] | None = None,
            sample_rate: float | None = None,
        ) -> Callable[[F], F]: ...
        @overload
        def __call__(
            self,
            *,
            name: str | Callable[..., str] | None = None,
            version: int | str | None = None,
            method_name: str | None = None,
            processors: str | list[str] | None = None,
            export_filter: dict[str, Any] | None = None,
            links: Iterable[Any] | Callable[[], Iterable[Any]] | None = None,
            sample_rate: float | None = None,
        ) -> Callable[[F], F]: ...


def _name_of(function: Any) -> str:
    name = getattr(function, "__name__", None)
    return name if isinstance(name, str) else type(function).__name__


def _trace(function: Any, name: str | None, kind: str, version: int | str | None, hooks: Hooks) -> Any:
    entity = _core.Entity(function, name or _name_of(function), kind, version, *hooks)
    flags = code_flags(function)
    if flags & CO_COROUTINE:
        through = wrap_coroutine(entity)
    elif flags & CO_ASYNC_GENERATOR:
        through = wrap_async_generator(entity, function)
    elif flags & CO_GENERATOR and not flags & CO_ITERABLE_COROUTINE:
        through = wrap_generator(entity)
    else:
        return take_identity(entity, function)
    take_identity(through, function)
    if not hasattr(function, "__code__"):  # a partial: what it is, inspect would not see through the entity
        return through
    entity._through = through  # with tracing off the entity calls the function, and the wrapper costs nothing
    return take_identity(entity, function)


def _trace_named_at_call(
    function: Any, name: Callable[..., object], kind: str, version: int | str | None, hooks: Hooks
) -> Any:
    """The span's name is what `name` makes of the arguments; the function's own if that fails."""

    def choose(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            chosen = name(*args, **kwargs)
        except Exception:
            chosen = None
        return _trace(function, chosen if isinstance(chosen, str) else None, kind, version, hooks)

    if is_coroutine_function(function):

        async def traced_coroutine(*args: Any, **kwargs: Any) -> Any:
            return await choose(args, kwargs)(*args, **kwargs)

        return take_identity(traced_coroutine, function)

    def traced(*args: Any, **kwargs: Any) -> Any:
        return choose(args, kwargs)(*args, **kwargs)

    return take_identity(traced, function)


def _decorate(
    target: Any, name: Any, kind: str, version: int | str | None, method_name: str | None, hooks: Hooks
) -> Any:
    if method_name is not None:  # a class: its method is traced, under the class's name
        method = next((vars(c)[method_name] for c in target.__mro__ if method_name in vars(c)), None)
        if method is None:
            raise AttributeError(f"class {target.__name__} has no method {method_name}")
        setattr(target, method_name, _decorate(method, name or _name_of(target), kind, version, None, hooks))
        return target
    if isinstance(target, (staticmethod, classmethod)):
        return type(target)(_decorate(target.__func__, name, kind, version, None, hooks))
    if isinstance(target, property):
        return target.getter(_decorate(target.fget, name, kind, version, None, hooks))
    if callable(name):
        return _trace_named_at_call(target, name, kind, version, hooks)
    return _trace(target, name, kind, version, hooks)


def review_of(export_filter: object, sample_rate: object) -> Any:
    """What decides whether to record a span with these; None: it is recorded."""
    if not export_filter and sample_rate is None:
        return None
    from ._review import entity_reviewer

    return entity_reviewer(export_filter, sample_rate)


def opened_of(processors: Any, links: Any) -> Any:
    """What is done to each span at its start; None: nothing."""
    if not processors and not links:
        return None
    names = "" if not processors else processors if isinstance(processors, str) else ",".join(processors)

    def opened(span: _core.Span) -> None:
        if names:
            span.route(names)
        if links:
            from ._span import link_all

            link_all(span, links)

    return opened


def _decorator(kind: str) -> Decorator:
    def decorator(
        first: Any = None,
        /,
        version: int | str | None = None,
        method_name: str | None = None,
        processors: str | list[str] | None = None,
        export_filter: dict[str, Any] | None = None,
        links: Iterable[Any] | Callable[[], Iterable[Any]] | None = None,
        sample_rate: float | None = None,
        *,
        name: Any = None,
    ) -> Any:
        review, opened = review_of(export_filter, sample_rate), opened_of(processors, links)
        if callable(first) or isinstance(first, (classmethod, property)):  # @workflow, without parentheses
            return _decorate(first, name, kind, version, method_name, (review, opened))
        return lambda target: _decorate(target, name or first, kind, version, method_name, (review, opened))

    decorator.__name__ = decorator.__qualname__ = kind
    decorator.__doc__ = f"""Makes each call of the decorated function a {kind} span; with or without parentheses.

    name: of the span; a callable gets the call's arguments and returns it. Default: the function's name.
    version: a number or text kept with the span.
    method_name: on a class, the method to trace.
    sample_rate: the fraction of its spans to record, 0.0 to 1.0; not of what is below them.
    export_filter: {{attribute, "name" or "status_code": {{"operator": …, "value": …}}}}; a span that does not meet all of
        it is not recorded.
    processors: names of those of Respan.telemetry.add_processor() that get the span and what is below it.
    links: SpanLinks or OpenTelemetry's Links, or a function that returns them when the call starts.
    """
    return decorator


workflow = _decorator("workflow")
task = _decorator("task")
agent = _decorator("agent")
tool = _decorator("tool")
