"""The logger "respan". Importing logging costs more than all of respan: this module is imported when there is something
to say."""

from __future__ import annotations

import logging

logger = logging.getLogger("respan")
_said: set[str] = set()


def warn_once(message: str, *values: object) -> None:
    text = message % values
    if text not in _said:
        _said.add(text)
        logger.warning("%s", text)


def set_level(level: str | int) -> None:
    """Of what is written to standard error, unless the program has handlers of its own. Unknown names are left alone."""
    number = logging.getLevelName(level.upper()) if isinstance(level, str) else level
    if not isinstance(number, int):
        warn_once("there is no log level %r", level)
        return
    logger.setLevel(number)
    if not logger.hasHandlers():
        logger.addHandler(logging.StreamHandler())
