"""What an instrumentation package builds on.

    span = start_span("chat some-model", CLIENT)
    if span is None:
        return call()  # tracing is off
    with span:  # current inside; ends on exit, with the exception if there is one
        ...

The shape of a plugin is `respan.Instrumentation`.
"""

from ._core import Span, start_span

INTERNAL = 1
SERVER = 2
CLIENT = 3
PRODUCER = 4
CONSUMER = 5

OK = 1
ERROR = 2

__all__ = ["CLIENT", "CONSUMER", "ERROR", "INTERNAL", "OK", "PRODUCER", "SERVER", "Span", "start_span"]
