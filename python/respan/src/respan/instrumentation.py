"""What an instrumentation package builds on.

    span = start_span("chat some-model", CLIENT)
    if span is None:
        return call()  # tracing is off
    with span:  # current inside; ends on exit, with the exception if there is one
        ...

`when_imported(name, function)` runs the function on a module once it is loaded, or now if it is.
The shape of a plugin is `respan.Instrumentation`.
"""

import sys

from ._core import Span, current_client, start_span
from ._core import veto_content as _veto
from ._import_hook import ImportHook, when_imported

INTERNAL = 1
SERVER = 2
CLIENT = 3
PRODUCER = 4
CONSUMER = 5

OK = 1
ERROR = 2

# Names of OpenTelemetry instrumentations whose spans a plugin that is switched on makes itself: a call has one span.
replaced_scopes: set[str] = set()


_vetoes: set[int] = set()  # ids of those who want none of it recorded


def veto_content(owner: object, is_vetoed: bool = True) -> None:
    """While an owner vetoes it, spans that begin, of whatever kind, record no content."""
    (_vetoes.add if is_vetoed else _vetoes.discard)(id(owner))
    _veto(bool(_vetoes))


def suppressed() -> bool:
    """Whether somebody asked OpenTelemetry's way that model calls get no spans here."""
    context = sys.modules.get("opentelemetry.context")
    if context is None:
        return False
    general = getattr(context, "_SUPPRESS_INSTRUMENTATION_KEY", "suppress_instrumentation")
    keys = ("suppress_language_model_instrumentation", "suppress_instrumentation", general)
    current = context.get_current()
    return any(current.get(key) for key in keys)


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
    "current_client",
    "replaced_scopes",
    "start_span",
    "suppressed",
    "veto_content",
    "when_imported",
]
