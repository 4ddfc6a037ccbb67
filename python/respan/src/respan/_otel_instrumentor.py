"""OpenTelemetry's instrumentors as plugins."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class OTELInstrumentor:
    """An OpenTelemetry instrumentor (a BaseInstrumentor, or its class) as a plugin of Respan(instrumentations=[…]), which
    also takes the instrumentor as it is."""

    def __init__(self, instrumentor_class: Any) -> None:
        self._instrumentor = instrumentor_class
        kind = instrumentor_class if isinstance(instrumentor_class, type) else type(instrumentor_class)
        self.name = f"otel-{kind.__name__}"
        self.tracer_provider: Any = None  # None: ours
        self._is_instrumented = False

    def activate(self) -> None:
        provider = self.tracer_provider
        if provider is None:
            from ._otel import PROVIDER

            provider = PROVIDER
        if isinstance(self._instrumentor, type):
            self._instrumentor = self._instrumentor()
        self._instrumentor.instrument(tracer_provider=provider)
        # It says no where what it traces is not installed.
        self._is_instrumented = bool(getattr(self._instrumentor, "is_instrumented_by_opentelemetry", True))

    def deactivate(self) -> None:
        if self._is_instrumented:
            self._is_instrumented = False
            self._instrumentor.uninstrument()
