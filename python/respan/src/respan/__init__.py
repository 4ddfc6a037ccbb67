"""Respan: tracing for people who run Hugging Face models.

    from respan import Respan, workflow

    respan = Respan(app_name="my-app")

    @workflow(name="answer")
    def answer(question): ...

Importing this module imports nothing but respan's own small modules and its C extension.
"""

from ._client import RespanClient, get_client, respan_span_attributes
from ._core import version as __version__
from ._decorators import agent, task, tool, workflow
from ._propagate import propagate_attributes
from ._respan import Respan, flush, shutdown, stats
from ._w3c import extract, inject

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._otel_instrumentor import OTELInstrumentor
    from .plugin import Instrumentation

__all__ = [
    "Instrumentation",
    "OTELInstrumentor",
    "Respan",
    "RespanClient",
    "__version__",
    "agent",
    "extract",
    "flush",
    "get_client",
    "inject",
    "propagate_attributes",
    "respan_span_attributes",
    "shutdown",
    "stats",
    "task",
    "tool",
    "workflow",
]


def __getattr__(name: str) -> object:
    if name == "Instrumentation":  # a typing.Protocol: importing typing costs more than the rest
        from .plugin import Instrumentation

        return Instrumentation
    if name == "OTELInstrumentor":
        from ._otel_instrumentor import OTELInstrumentor

        return OTELInstrumentor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
