"""Which tokenizer belongs to a model: generate() is given token ids alone, and its span is to show text."""

from __future__ import annotations

from itertools import count
from weakref import WeakValueDictionary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_numbers = count()
_alive: WeakValueDictionary[int, Any] = WeakValueDictionary()  # in the order they were made


def begin(tokenizer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Made:
    """A call of PreTrainedTokenizerBase.__init__."""
    return Made(tokenizer)


class Made:
    __slots__ = ("tokenizer",)

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer

    def returned(self, result: Any) -> Any:
        _alive[next(_numbers)] = self.tokenizer
        return result

    def raised(self, error: BaseException) -> None:
        """Then there is none."""


def tokenizer_of(model: Any) -> Any:
    """The last one that was loaded from where the model was, or the only one there is if it fits the model. Else None."""
    names = {getattr(holder, "name_or_path", None) for holder in (model, getattr(model, "config", None))} - {None, ""}
    alive = list(_alive.values())[::-1]
    for tokenizer in alive:
        if getattr(tokenizer, "name_or_path", None) in names:
            return tokenizer
    if len(alive) == 1:
        rows = getattr(getattr(model, "config", None), "vocab_size", None)  # padded to a round number, often
        if isinstance(rows, int) and 0.9 * rows <= len(alive[0]) <= rows:
            return alive[0]
    return None
