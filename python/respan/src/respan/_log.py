"""The logger "respan". Importing logging costs more than all of respan: this module is imported when there is something
to say.

What is said has no content and no credentials: of an exception its message only where content is recorded, masked.
"""

from __future__ import annotations

import logging

from . import _core

logger = logging.getLogger("respan")
_said: set[str] = set()


def said_of(error: BaseException, with_traceback: bool = False) -> str:
    """An exception, as a log line may show it."""
    kind = type(error).__name__
    try:
        client = _core.current_client()
        if client is None or not client.content:
            return kind
        text = f"{kind}: {error}"
        if with_traceback:
            from traceback import format_exception

            text = "".join(format_exception(type(error), error, error.__traceback__))
        return _core.mask_secrets(text.encode("utf-8", "replace").decode())
    except Exception:  # its own __str__'s
        return kind


def warn_of(error: BaseException, message: str, *values: object) -> None:
    """That something failed, and with what."""
    logger.warning("%s: %s", message % values, said_of(error))


def warn_once(message: str, *values: object) -> None:
    """values: none that differ from span to span."""
    text = message % values
    if text not in _said:
        _said.add(text)
        logger.warning("%s", text)


def warn_of_once(error: BaseException, message: str, *values: object) -> None:
    """The same for each type of exception alone: messages may have no end."""
    text = f"{message % values}: {type(error).__name__}"
    if text not in _said:
        _said.add(text)
        warn_of(error, message, *values)


def set_level(level: str | int) -> None:
    """Of what is written to standard error, unless the program has handlers of its own. Unknown names are left alone."""
    number = logging.getLevelName(level.upper()) if isinstance(level, str) else level
    if not isinstance(number, int):
        warn_once("there is no log level %r", level)
        return
    logger.setLevel(number)
    if not logger.hasHandlers():
        logger.addHandler(logging.StreamHandler())
