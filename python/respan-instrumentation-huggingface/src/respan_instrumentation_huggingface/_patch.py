"""One method of a class, replaced by a wrapper, and put back."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    # (the original, its self, args, kwargs, where to report the tracing's own exceptions) -> the original's result
    Around = Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any], Callable[[Exception], None]], Any]


class Patch:
    """`owner.name` goes through `around` until remove().

    Whoever wrapped our wrapper meanwhile keeps it: it then just calls through.
    """

    def __init__(self, owner: type, name: str, around: Around, report: Callable[[Exception], None]) -> None:
        self._owner, self._name = owner, name
        self._inherited = name not in vars(owner)
        self._original = original = getattr(owner, name)
        self._on = True

        def wrapper(instance: Any, *args: Any, **kwargs: Any) -> Any:
            if not self._on:
                return original(instance, *args, **kwargs)
            return around(original, instance, args, kwargs, report)

        for attribute in ("__module__", "__name__", "__qualname__", "__doc__", "__annotations__"):
            setattr(wrapper, attribute, getattr(original, attribute, None))
        wrapper.__wrapped__ = original  # type: ignore[attr-defined]
        self._wrapper = wrapper
        setattr(owner, name, wrapper)

    def remove(self) -> None:
        self._on = False
        if vars(self._owner).get(self._name) is not self._wrapper:
            return
        if self._inherited:
            delattr(self._owner, self._name)
        else:
            setattr(self._owner, self._name, self._original)
