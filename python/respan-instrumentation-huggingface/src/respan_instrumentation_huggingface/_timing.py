"""When tokens came: one reading of the clock for each step of a generation, made into figures at the end.

A step is one forward pass of the model: it gives each sequence one token, or several with an assistant. What is kept
while a generation runs is 8 bytes a step; what a span gets is bounded, however many tokens there were.
"""

from __future__ import annotations

from array import array
from itertools import pairwise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SERIES_MAX = 256  # values of the series of gaps; of longer ones each value is the mean of several gaps
GAPS_MAX = 131_072  # kept over all generations of a span; then each is the mean of two, of four, …
STALL = 5  # a gap this many times the median
NS = 1e9


class Timing:
    """Sums over the generations of one span. Times are perf_counter_ns's."""

    __slots__ = ("_decode", "_each", "_first", "_gaps", "_later_tokens", "_longest", "_prefill", "_shortest", "steps")

    def __init__(self) -> None:
        self.steps = 0
        self._first: int | None = None
        self._prefill = self._decode = 0
        self._later_tokens = 0  # those after each generation's first step
        self._gaps = array("q")
        self._each = 1  # gaps that one of these stands for
        self._shortest = self._longest = 0

    def add(self, began: int, steps: array[int], later_tokens: int) -> None:
        """A generation that was asked for at `began`, with the end of each of its steps."""
        if not steps:
            return
        if self._first is None:
            self._first = steps[0]
        self.steps += len(steps)
        self._prefill += steps[0] - began
        self._decode += steps[-1] - steps[0]
        self._later_tokens += later_tokens
        gaps = [later - earlier for earlier, later in pairwise(steps)]
        if not gaps:
            return
        self._shortest = min(gaps) if not self._gaps else min(self._shortest, min(gaps))
        self._longest = max(self._longest, max(gaps))
        self._gaps.extend(_means(gaps, self._each))
        while len(self._gaps) > GAPS_MAX:
            self._gaps = array("q", _means(self._gaps, 2))
            self._each *= 2

    def attributes(self, began: int) -> dict[str, Any]:
        """Seconds. began: when the span did."""
        if self._first is None:
            return {}
        prefix = "respan.generation."
        attributes: dict[str, Any] = {
            prefix + "time_to_first_token": (self._first - began) / NS,
            prefix + "prefill": self._prefill / NS,
            prefix + "decode": self._decode / NS,
            prefix + "steps": self.steps,
        }
        if self._decode > 0 and self._later_tokens > 0:
            attributes[prefix + "tokens_per_second"] = round(self._later_tokens / self._decode * NS, 3)
        if self._gaps:
            in_order = sorted(self._gaps)
            median = in_order[len(in_order) // 2]
            stalls = [gap for gap in in_order if gap > STALL * median]
            each = -(-len(self._gaps) // SERIES_MAX)
            attributes[prefix + "token_gaps"] = [round(gap / NS, 6) for gap in _means(self._gaps, each)]
            if each * self._each > 1:
                attributes[prefix + "token_gaps_per_value"] = each * self._each
            attributes[prefix + "token_gap_min"] = self._shortest / NS
            attributes[prefix + "token_gap_p50"] = median / NS
            attributes[prefix + "token_gap_p99"] = in_order[(len(in_order) * 99) // 100] / NS
            attributes[prefix + "token_gap_max"] = self._longest / NS
            attributes[prefix + "stalls"] = len(stalls)
            if stalls:
                attributes[prefix + "stall_time"] = sum(stalls) * self._each / NS
        return attributes


def _means(values: list[int] | array[int], each: int) -> list[int] | array[int]:
    """Of each so many values in a row; the last one of what is left."""
    if each == 1:
        return values
    rows = (values[at : at + each] for at in range(0, len(values), each))
    return [sum(row) // len(row) for row in rows]
