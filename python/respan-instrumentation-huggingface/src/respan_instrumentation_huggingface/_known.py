"""What is known of objects that are not ours: kept beside them, for as long as they live."""

from __future__ import annotations

from weakref import ref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Known:
    """Something for each of some objects, as long as that lives: it neither keeps the object nor asks it to be hashable."""

    def __init__(self) -> None:
        self._entries: dict[int, tuple[ref[Any], Any]] = {}

    def get(self, owner: Any) -> Any:
        entry = self._entries.get(id(owner))
        return entry[1] if entry is not None and entry[0]() is owner else None

    def put(self, owner: Any, value: Any) -> None:
        entries, key = self._entries, id(owner)

        def gone(reference: ref[Any]) -> None:
            entry = entries.get(key)
            if entry is not None and entry[0] is reference:
                del entries[key]

        try:
            self._entries[key] = (ref(owner, gone), value)
        except TypeError:  # not of a kind that has weak references: it is looked at anew each time
            pass
