"""What is measured of the generations within one span: a pipeline's call may make many, a call of generate() makes one.

A feature whose span covers calls of generate() makes a Measured, starts it before the call and stops it after, in the
thread of the call; generate() finds it there and makes no span of its own (_generate.py).
"""

from __future__ import annotations

from contextvars import ContextVar
from time import perf_counter_ns

from ._memory import Memory
from ._quietly import quietly
from ._timing import Timing
from ._tokens import Usage

TYPE_CHECKING = False
if TYPE_CHECKING:
    from array import array
    from contextvars import Token
    from typing import Any

_current: ContextVar[Measured | None] = ContextVar("respan.huggingface.measured", default=None)


class Measured:
    """Belongs to one span, which begins as this is made. Not shared between threads."""

    __slots__ = (
        "_accepted",
        "_began",
        "_drafted",
        "_memory",
        "_model",
        "_nested",
        "_timing",
        "_token",
        "generations",
        "inside",
        "is_composed",
        "is_lazy",
        "open",
        "pays",
        "strategy",
        "tokenizer",
        "usage",
    )

    def __init__(self, model: Any, tokenizer: Any = None) -> None:
        self._began = perf_counter_ns()
        self._model = model
        self.is_composed = False  # the model is at work, by way of models that it is made of
        self.is_lazy = False  # code of the program's own, which gives the inputs, runs in between …
        self.inside = False  # … but not here: a batch is on its way through the model
        self.tokenizer = tokenizer  # the model's, where that is known
        self.usage = Usage()
        self.generations = 0  # calls of generate() that were seen to their end
        self.strategy: str | None = None
        self.open = False  # copies of the context may outlive the call
        self.pays = True  # its span has the cost of its time
        around = current()
        self._nested: bool = around is not None and (around.pays or around._nested)
        self._timing: Timing | None = None  # of a call that generates nothing
        self._memory: Memory | None = quietly(Memory, model)
        self._drafted = self._accepted = 0
        self._token: Token[Measured | None] | None = None

    def start(self) -> None:
        self._token = _current.set(self)
        self.open = True

    def stop(self) -> None:
        if self._token is not None:
            _current.reset(self._token)
        self.open = False

    def takes(self, model: Any) -> bool:
        """Whether what this model generates here is a part of this span, and not a call of the program's own."""
        return self.is_composed or (self._model is model and (self.inside or not self.is_lazy))

    def see_memory(self) -> None:
        if self._memory is not None:
            self._memory.see()

    def add_steps(self, began: int, steps: array[int], later_tokens: int, drafted: int, accepted: int) -> None:
        """Of one generation. later_tokens: those of all sequences after the first step."""
        if self._timing is None:
            self._timing = Timing()
        self._timing.add(began, steps, later_tokens)
        self._drafted += drafted
        self._accepted += accepted

    def attributes(self) -> dict[str, Any]:
        attributes = self.usage.attributes()
        if self._timing is not None:
            attributes.update(self._timing.attributes(self._began))
        if self.strategy is not None:
            attributes["respan.generation.strategy"] = self.strategy
        if self._drafted:
            attributes["respan.generation.draft_tokens"] = self._drafted
        if self._drafted or self._accepted:
            attributes["respan.generation.draft_tokens_accepted"] = self._accepted
        if self._memory is not None:
            attributes.update(quietly(self._memory.attributes) or {})
        if self._nested:
            attributes["respan.call.nested"] = True
        return attributes


def current() -> Measured | None:
    """That of the span around, which takes what is measured here."""
    measured = _current.get()
    return measured if measured is not None and measured.open else None
