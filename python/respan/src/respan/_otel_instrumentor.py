"""OpenTelemetry's instrumentors as plugins."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class OTELInstrumentor:
    """An OpenTelemetry instrumentor (a BaseInstrumentor, or its class) as a plugin of Respan(instrumentations=[…]), which
    also takes the instrumentor as it is."""

    def __init__(self, instrumentor: Any) -> None:
        self._instrumentor = instrumentor
        kind = instrumentor if isinstance(instrumentor, type) else type(instrumentor)
        self.name = f"otel-{kind.__name__}"
        self.tracer_provider: Any = None  # None: ours

    def activate(self) -> None:
        provider = self.tracer_provider
        if provider is None:
            from ._otel import PROVIDER

            provider = PROVIDER
        if isinstance(self._instrumentor, type):
            self._instrumentor = self._instrumentor()
        self._instrumentor.instrument(tracer_provider=provider)

    def deactivate(self) -> None:
        self._instrumentor.uninstrument()
