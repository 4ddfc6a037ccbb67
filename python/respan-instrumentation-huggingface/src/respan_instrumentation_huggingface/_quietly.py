"""Where the tracing's own exceptions end: the traced program never sees one."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

listeners: list[Callable[[Exception], Any]] = []  # the `exception_logger` of each instrumentor that is switched on


def report(error: Exception) -> None:
    """Says what went wrong at level DEBUG, and to the listeners. Never raises."""
    try:
        from respan._log import logger, said_of

        if logger.isEnabledFor(10):  # DEBUG
            logger.debug("Tracing a Hugging Face call failed: %s", said_of(error, with_traceback=True))
    except Exception:
        pass
    for listener in tuple(listeners):
        try:
            listener(error)
        except Exception:
            pass


def quietly(function: Callable[..., Any], *args: Any) -> Any:
    """function(*args), or None if that raised, which is reported."""
    try:
        return function(*args)
    except Exception as error:
        report(error)
        return None
