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
from ._respan import Respan, flush, shutdown

__all__ = [
    "Respan",
    "RespanClient",
    "__version__",
    "agent",
    "flush",
    "get_client",
    "propagate_attributes",
    "respan_span_attributes",
    "shutdown",
    "task",
    "tool",
    "workflow",
]
