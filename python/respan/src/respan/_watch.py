"""What looks at the ended spans of every Respan of the process, beside each one's own callback."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from . import _core

    Taker = Callable[[dict[str, Any]], None]

record: Taker | None = None  # while a test records spans: takes each, and none is sent
takers: list[Taker] = []  # Respan.telemetry.add_processor()
buffered: Callable[[_core.Span], bool] | None = None  # keeps a span back for later
open_buffers = 0


def is_needed() -> bool:
    return record is not None or bool(takers) or open_buffers > 0


def refresh() -> None:
    """The above have changed: spans that start from now on are looked at, or no more."""
    from ._respan import opened

    for respan in opened():
        respan.refresh_review()
