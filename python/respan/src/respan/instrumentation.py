"""What an instrumentation package builds on: `start_span`, and the shape of a plugin for Respan(instrumentations=[…]).

    span = start_span("chat some-model", CLIENT)
    if span is None:
        return call()  # tracing is off
    with span:  # current inside; ends on exit, with the exception if there is one
        ...

A plugin has a `name`, `activate()` and `deactivate()`.
"""

from ._core import Span, start_span

INTERNAL = 1
SERVER = 2
CLIENT = 3
PRODUCER = 4
CONSUMER = 5

__all__ = ["CLIENT", "CONSUMER", "INTERNAL", "PRODUCER", "SERVER", "Span", "start_span"]
