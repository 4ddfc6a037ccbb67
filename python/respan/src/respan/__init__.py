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
    from ._instruments import Instruments
    from ._otel_instrumentor import OTELInstrumentor
    from ._registry import (
        AUTO_INSTRUMENTATION_REGISTRY,
        AutoInstrumentationSpec,
        AutoInstrumentationStatus,
        list_auto_instrumentation_specs,
    )
    from .plugin import Instrumentation

__all__ = [
    "AUTO_INSTRUMENTATION_REGISTRY",
    "AutoInstrumentationSpec",
    "AutoInstrumentationStatus",
    "Instrumentation",
    "Instruments",
    "OTELInstrumentor",
    "Respan",
    "RespanClient",
    "__version__",
    "agent",
    "extract",
    "flush",
    "get_client",
    "inject",
    "list_auto_instrumentation_specs",
    "propagate_attributes",
    "respan_span_attributes",
    "shutdown",
    "stats",
    "task",
    "tool",
    "workflow",
]

# What most programs never ask for, and what costs more to import than the rest: enum, dataclasses, typing.
_LATER = {
    "AUTO_INSTRUMENTATION_REGISTRY": "_registry",
    "AutoInstrumentationSpec": "_registry",
    "AutoInstrumentationStatus": "_registry",
    "Instrumentation": "plugin",
    "Instruments": "_instruments",
    "OTELInstrumentor": "_otel_instrumentor",
    "list_auto_instrumentation_specs": "_registry",
}


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found: object = getattr(import_module(f".{_LATER[name]}", __name__), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *_LATER})
