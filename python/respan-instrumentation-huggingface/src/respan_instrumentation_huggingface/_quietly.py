"""Where the tracing's own exceptions end: the traced program never sees one."""

from __future__ import annotations

from respan.instrumentation import current_client

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

listeners: list[Callable[[Exception], Any]] = []  # the `exception_logger` of each instrumentor that is switched on


def report(error: Exception) -> None:
    """Says what went wrong at level DEBUG, without its message where that may be content that is not to be told; and to the
    listeners. Never raises."""
    try:
        import logging

        client = current_client()
        shown = error if client is None or client.content else None
        logging.getLogger("respan").debug(
            "Tracing a Hugging Face call failed: %s", type(error).__name__, exc_info=shown
        )
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
