"""What the program allows of content: `capture_content` and `mask` of each instrumentor that is switched on.

Every span of this package is made by start_span() here. Where content is set is no matter then: a span leaves out what it is
not to have, and its mask sees the rest (respan's _core/content.h).
"""

from __future__ import annotations

from respan.instrumentation import INTERNAL, Span, veto_content
from respan.instrumentation import start_span as start_unmasked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Mask = Callable[[str], str | None]

OFF = ("false", "0", "no", "off")

_masks: list[tuple[object, Mask]] = []


def allow(owner: object, capture_content: object, mask: Mask | None) -> None:
    """An instrumentor is switched on."""
    if not capture_content or str(capture_content).strip().lower() in OFF:
        veto_content(owner)
    if mask is not None:
        _masks.append((owner, mask))


def forget(owner: object) -> None:
    """It is switched off."""
    veto_content(owner, False)
    _masks[:] = [entry for entry in _masks if entry[0] is not owner]


def start_span(name: str, kind: int = INTERNAL) -> Span | None:
    """As respan.instrumentation's, with the masks that are in force: the plugin's first, then the Respan's own."""
    span = start_unmasked(name, kind)
    if span is not None and _masks:
        span.mask = _chain([mask for _, mask in _masks], span.mask)
    return span


def _chain(masks: list[Mask], last: Mask | None) -> Mask:
    if last is not None:
        masks.append(last)
    if len(masks) == 1:
        return masks[0]

    def all_of_them(text: str) -> str | None:
        for mask in masks:
            answer = mask(text)
            if not isinstance(answer, str):
                return None
            text = answer
        return text

    return all_of_them
