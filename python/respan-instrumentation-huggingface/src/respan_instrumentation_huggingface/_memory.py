"""The most memory that the process, and the model's GPUs, had while a call ran.

Nothing is reset, since others read the same counters. Where a counter of all time rose during the call, its new value is
the call's peak, exactly; where it did not, the peak is the largest of what was seen at a few moments of the call.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

try:
    from resource import RUSAGE_SELF, getrusage
except ImportError:  # not on Windows
    getrusage = None  # type: ignore[assignment]

UNIT = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss


def _highest_rss() -> int:
    return 0 if getrusage is None else getrusage(RUSAGE_SELF).ru_maxrss * UNIT


def _rss() -> int:
    try:
        with open("/proc/self/statm", "rb", 0) as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")
    except OSError:  # no /proc here
        return 0


class _Peak:
    __slots__ = ("_before", "_seen")

    def __init__(self, highest: int, now: int) -> None:
        self._before, self._seen = highest, now

    def see(self, now: int) -> None:
        self._seen = max(self._seen, now)

    def attributes(self, prefix: str, highest: int) -> dict[str, Any]:
        exact = highest > self._before
        peak = highest if exact else self._seen
        return {prefix: peak, prefix + "_source": "measured" if exact else "sampled"} if peak else {}


class Memory:
    """The memory of one call, from here to `attributes`. Bytes."""

    __slots__ = ("_devices", "_on_devices", "_process")

    def __init__(self, model: Any) -> None:
        self._process = _Peak(_highest_rss(), _rss())
        self._devices = _devices_of(model)
        self._on_devices = _Peak(*self._device_bytes()) if self._devices else None

    def see(self) -> None:
        """Reads what a process has in a few µs. A GPU's counters are dearer, and rise: they are read at the end."""
        self._process.see(_rss())

    def attributes(self) -> dict[str, Any]:
        self.see()
        attributes = self._process.attributes("respan.memory.peak_rss", _highest_rss())
        if self._on_devices is not None:
            highest, now = self._device_bytes()
            self._on_devices.see(now)
            attributes.update(self._on_devices.attributes("respan.memory.peak_device", highest))
        return attributes

    def _device_bytes(self) -> tuple[int, int]:
        """The most that torch ever had allocated on them, and what it has now."""
        statistics = [sys.modules["torch"].cuda.memory_stats(device) for device in self._devices]
        highest = sum(each.get("allocated_bytes.all.peak", 0) for each in statistics)
        return highest, sum(each.get("allocated_bytes.all.current", 0) for each in statistics)


def _devices_of(model: Any) -> list[Any]:
    """The CUDA devices that the model is on, if the program uses CUDA at all."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available() or not torch.cuda.is_initialized():
        return []
    placed = getattr(model, "hf_device_map", None)
    names = set(placed.values()) if placed else {getattr(model, "device", "cpu")}
    devices = {torch.device("cuda", name) if isinstance(name, int) else torch.device(name) for name in names}
    return [device for device in devices if device.type == "cuda"]
