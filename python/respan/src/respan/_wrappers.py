"""Coroutine functions and generators inside spans. (Plain functions are `_core.Entity`, in C, and their steps too.)

What each wrapper returns is of the same sort as what the function returns, so inspect and frameworks see no difference.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from typing import Any, TypeVar

    from . import _core

    F = TypeVar("F")

# inspect.CO_*: importing inspect costs more than all of respan
CO_GENERATOR = 0x20
CO_COROUTINE = 0x80
CO_ITERABLE_COROUTINE = 0x100
CO_ASYNC_GENERATOR = 0x200


def code_flags(function: Any) -> int:
    """The CO_* flags of what runs when `function` is called; 0 if that is not Python code."""
    for _ in range(100):  # a partial of a partial of …
        inner = getattr(function, "__func__", None) or getattr(function, "func", None)
        if inner is None or hasattr(function, "__code__"):
            break
        function = inner
    code = getattr(function, "__code__", None)
    if code is None and not isinstance(function, type):
        code = getattr(getattr(type(function), "__call__", None), "__code__", None)  # noqa: B004
    flags = getattr(code, "co_flags", 0)
    return flags if isinstance(flags, int) else 0


def is_coroutine_function(function: Any) -> bool:
    return bool(code_flags(function) & CO_COROUTINE)


def take_identity(wrapper: Any, function: F) -> F:
    """functools.wraps without functools."""
    for name in ("__module__", "__name__", "__qualname__", "__doc__", "__annotations__", "__type_params__"):
        try:
            setattr(wrapper, name, getattr(function, name))
        except (AttributeError, TypeError):
            pass
    wrapper.__dict__.update(getattr(function, "__dict__", {}))
    wrapper.__wrapped__ = function
    looks_alike: F = wrapper
    return looks_alike


def wrap_coroutine(entity: _core.Entity) -> Callable[..., Any]:
    run = entity.coroutine

    async def traced(*args: Any, **kwargs: Any) -> Any:
        return await run(args, kwargs)

    return traced


def wrap_generator(entity: _core.Entity) -> Callable[..., Any]:
    run = entity.generator

    def traced(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        return (yield from run(args, kwargs))

    return traced


def wrap_async_generator(entity: _core.Entity, function: Callable[..., Any]) -> Callable[..., Any]:
    start = entity.start  # once: binding it needs memory

    async def traced(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        span = start(args, kwargs)
        generator = function(*args, **kwargs)
        sent: Any = None
        thrown: BaseException | None = None
        try:
            while True:
                if span is not None:
                    span.enter()
                try:
                    item = await (generator.asend(sent) if thrown is None else generator.athrow(thrown))
                except StopAsyncIteration:
                    return
                finally:
                    if span is not None:
                        span.leave()
                thrown = None
                try:
                    sent = yield item
                except GeneratorExit:
                    await generator.aclose()
                    raise
                except BaseException as error:
                    thrown = error
        except BaseException as error:
            if span is not None:
                span.fail(error)
            raise
        finally:
            if span is not None:
                span.end()

    return traced
