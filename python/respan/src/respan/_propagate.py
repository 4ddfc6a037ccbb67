"""`propagate_attributes`: attributes for every span within a scope, and how a scope's values become span attributes."""

from __future__ import annotations

from . import _core
from ._wrappers import is_coroutine_function, take_identity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from typing import Any, TypeVar

    F = TypeVar("F", bound=Callable[..., Any])

ATTRIBUTES = {
    "customer_identifier": "respan.customer_params.customer_identifier",
    "customer_email": "respan.customer_params.email",
    "customer_name": "respan.customer_params.name",
    "evaluation_identifier": "respan.evaluation_params.evaluation_identifier",
    "thread_identifier": "respan.threads.thread_identifier",
    "session_identifier": "respan.sessions.session_identifier",
    "custom_identifier": "respan.span_params.custom_identifier",
    "trace_group_identifier": "respan.trace.trace_group_identifier",
    "group_identifier": "respan.trace.trace_group_identifier",
    "metadata": "respan.metadata",
    "properties": "respan.properties",
    "prompt": "respan.prompt",
    "environment": "respan.environment",
}


def as_text(value: object) -> str:
    try:
        if isinstance(value, str):
            return value
        if isinstance(value, (dict, list, tuple, bool)):
            return _core.to_json(value)
        return str(value)
    except Exception:
        return f"<{type(value).__name__}>"


def _plain(value: object) -> str | bool | int | float:
    """What is filtered as a truth value or a number goes as one, if an attribute can be that."""
    if type(value) is bool or (type(value) is int and -(2**63) <= value < 2**63):
        return value
    if type(value) is float and value - value == 0:  # neither infinite nor not-a-number
        return value
    return as_text(value)


def span_attributes(values: Mapping[str, Any]) -> dict[str, str | bool | int | float]:
    """The span attributes that stand for `values`, whose keys are those of ATTRIBUTES."""
    attributes: dict[str, str | bool | int | float] = {}
    for key, value in values.items():
        name = ATTRIBUTES.get(key)
        if name is None or value is None:
            continue
        if key == "metadata" and isinstance(value, dict):
            for item, content in value.items():
                attributes[f"{name}.{as_text(item)}"] = _plain(content)
        else:
            attributes[name] = as_text(value)
    return attributes


def portable(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same scope values, of text, numbers and truth values alone: what may travel to another process."""
    return {
        key: {as_text(k): _plain(v) for k, v in value.items()}
        if key == "metadata" and isinstance(value, dict)
        else [as_text(item) for item in value]
        if isinstance(value, list) and key not in ATTRIBUTES
        else as_text(value)
        for key, value in values.items()
        if value is not None
    }


def scope_of(values: Mapping[str, Any]) -> _core.Scope | None:
    return _core.Scope(dict(values), span_attributes(values)) if values else None


def _merge(outer: dict[str, Any], inner: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(outer)
    for key, value in inner.items():
        if key not in ATTRIBUTES:
            import logging

            logging.getLogger("respan").warning("propagate_attributes: there is no attribute %s", key)
        elif key == "metadata" and isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = {**merged[key], **value}
        else:
            merged[key] = value
    return merged


class propagate_attributes:  # noqa: N801 (used like a function)
    """Attributes for every span that starts within this scope; with, async with, or a decorator.

    Keyword arguments: customer_identifier, customer_email, customer_name, thread_identifier, session_identifier,
    custom_identifier, group_identifier, environment, metadata (a dict; merged over that of the outer scope and of
    Respan()), prompt. An inner scope wins over an outer one. Threads and tasks see the scope that they started in.
    """

    __slots__ = ("_previous", "_values")

    def __init__(self, **attributes: Any) -> None:
        self._values = attributes
        self._previous: list[tuple[_core.Scope | None, ...]] = []

    def __enter__(self) -> None:
        try:
            outer = _core.current_scope()
            merged = _merge(outer.values if outer is not None else {}, self._values)
            self._previous.append((_core.swap_scope(scope_of(merged)),))
        except MemoryError:  # the program goes on, without them
            self._previous.append(())

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for previous in self._previous.pop():
            _core.restore_scope(previous)

    async def __aenter__(self) -> None:
        self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, traceback)

    def __call__(self, function: F) -> F:
        values = self._values
        if is_coroutine_function(function):

            async def scoped_coroutine(*args: Any, **kwargs: Any) -> Any:
                with propagate_attributes(**values):
                    return await function(*args, **kwargs)

            return take_identity(scoped_coroutine, function)

        def scoped(*args: Any, **kwargs: Any) -> Any:
            with propagate_attributes(**values):
                return function(*args, **kwargs)

        return take_identity(scoped, function)
