"""What an instrumentation package builds on.

    span = start_span("chat some-model", CLIENT)
    if span is None:
        return call()  # tracing is off
    with span:  # current inside; ends on exit, with the exception if there is one
        ...

`when_imported(name, function)` runs the function on a module once it is loaded, or now if it is.
The shape of a plugin is `respan.Instrumentation`.
"""

from ._core import Span, start_span
from ._import_hook import ImportHook, when_imported

INTERNAL = 1
SERVER = 2
CLIENT = 3
PRODUCER = 4
CONSUMER = 5

OK = 1
ERROR = 2

__all__ = [
    "CLIENT",
    "CONSUMER",
    "ERROR",
    "INTERNAL",
    "OK",
    "PRODUCER",
    "SERVER",
    "ImportHook",
    "Span",
    "start_span",
    "when_imported",
]
