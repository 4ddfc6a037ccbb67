"""The most memory that the process, and the model's GPUs, had while a call ran.

Nothing is reset, since others read the same counters. Where a counter of all time rose during the call, its new value is
the call's peak, exactly; where it did not, the peak is the largest of what was seen at a few moments of the call.
"""

from __future__ import annotations

import sys

from respan._core import highest_memory, resident_memory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Memory:
    """The memory of one call, from here to `attributes`. Bytes."""

    __slots__ = ("_before", "_devices", "_devices_before", "_seen")

    def __init__(self, model: Any) -> None:
        self._seen = 0
        self._before = highest_memory()
        self._devices = _devices_of(model)
        self._devices_before = self._device_bytes() if self._devices else (0, 0)

    def see(self) -> None:
        """Reads what a process has, in a microsecond or two. A GPU's counters are dearer, and rise: they are read at the end."""
        now = resident_memory()
        if now > self._seen:
            self._seen = now

    def attributes(self) -> dict[str, Any]:
        self.see()
        attributes: dict[str, Any] = {}
        _tell("respan.memory.peak_rss", self._before, highest_memory(), self._seen, attributes)
        if self._devices:
            before, seen = self._devices_before
            highest, now = self._device_bytes()
            _tell("respan.memory.peak_device", before, highest, max(seen, now), attributes)
        return attributes

    def _device_bytes(self) -> tuple[int, int]:
        """The most that torch ever had allocated on them, and what it has now."""
        statistics = [sys.modules["torch"].cuda.memory_stats(device) for device in self._devices]
        highest = sum(each.get("allocated_bytes.all.peak", 0) for each in statistics)
        return highest, sum(each.get("allocated_bytes.all.current", 0) for each in statistics)


def _tell(name: str, before: int, highest: int, seen: int, to: dict[str, Any]) -> None:
    is_exact = highest > before
    peak = highest if is_exact else seen
    if peak:
        to[name] = peak
        to[name + "_source"] = "measured" if is_exact else "sampled"


def _devices_of(model: Any) -> list[Any]:
    """The CUDA devices that the model is on, if the program uses CUDA at all."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return []
    placed = getattr(model, "hf_device_map", None)
    names = set(placed.values()) if placed else {getattr(model, "device", "cpu")}
    devices = {torch.device("cuda", name) if isinstance(name, int) else torch.device(name) for name in names}
    return [device for device in devices if device.type == "cuda"]
