"""`Respan.telemetry`: further destinations of spans, beside the server, and which spans go there."""

from __future__ import annotations

from importlib import import_module

from . import _core, _watch
from ._client import RespanClient, get_client
from ._decorators import agent, task, tool, workflow
from ._log import logger, said_of, warn_of, warn_of_once
from ._readable import readable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ._respan import Respan


class _Direct:
    """Exports each span as it ends: what stands for OpenTelemetry's processors where its SDK is not installed."""

    def __init__(self, exporter: Any) -> None:
        self._exporter = exporter

    def on_end(self, span: Any) -> None:
        self._exporter.export([span])

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        flush = getattr(self._exporter, "force_flush", None)
        return flush is None or bool(flush(timeout_millis))

    def shutdown(self) -> None:
        shutdown = getattr(self._exporter, "shutdown", None)
        if shutdown is not None:
            shutdown()


def _processor(exporter: Any, is_batching_enabled: bool) -> Any:
    try:
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
    except ImportError:
        return _Direct(exporter)
    return BatchSpanProcessor(exporter) if is_batching_enabled else SimpleSpanProcessor(exporter)


class _Route:
    """Which spans a processor gets. It takes each at its end."""

    def __init__(
        self, processor: Any, name: str | None, wanted: Callable[[Any], bool] | None, resource: Mapping[str, Any]
    ) -> None:
        self.processor, self._name, self._wanted, self._resource = processor, name, wanted, resource

    def __call__(self, facts: dict[str, Any]) -> None:
        names = str(facts["attributes"].get("respan.processors") or "").split(",")
        if self._name is not None and self._name not in names:
            return
        try:
            span = readable(facts, self._resource)
            if self._wanted is None or self._wanted(span):
                self.processor.on_end(span)
        except Exception as error:  # of the exporter's, which is the program's
            warn_of_once(error, "a span could not be given to the processor %s", self._name)


class RespanTelemetry:
    """The pipeline below a Respan. `tracer` is the same object: other versions have two."""

    def __init__(self, respan: Respan, app_name: str, resource: Mapping[str, Any], auto_flush: str | None) -> None:
        self._respan = respan
        self._resource = {**resource, "service.name": app_name}
        self._routes: list[_Route] = []
        self.auto_flush = auto_flush or "root"

    @property
    def tracer(self) -> RespanTelemetry:
        return self

    @property
    def is_enabled(self) -> bool:
        return self._respan.is_enabled

    @property
    def tracer_provider(self) -> Any:
        """OpenTelemetry's, which is ours. ImportError where opentelemetry-api is not installed."""
        from ._otel import PROVIDER

        return PROVIDER

    def add_processor(
        self,
        exporter: Any,
        name: str | None = None,
        filter_fn: Callable[[Any], bool] | None = None,
        is_batching_enabled: bool | None = None,
    ) -> None:
        """Ended spans go to `exporter` too: an OpenTelemetry SpanExporter, its import path, or what has export(spans).

        name: only those that `processors=` routes to it, and what is below them. filter_fn: only those for which it says
        True. Spans are dearer from now on: they are kept as Python objects until they end.
        """
        if not self.is_enabled:
            logger.warning("tracing is off: no processor was added")
            return
        if isinstance(exporter, str):
            module, _, attribute = exporter.replace(":", ".").rpartition(".")
            try:
                exporter = getattr(import_module(module), attribute)()
            except Exception as error:
                logger.error("there is no exporter %s: %s", exporter, said_of(error))
                return
        self._routes.append(
            _Route(_processor(exporter, is_batching_enabled is not False), name, filter_fn, self._resource)
        )
        _watch.takers.append(self._routes[-1])
        _watch.refresh()

    def flush(self) -> None:
        self._respan.flush()

    def flush_processors(self, timeout_s: float) -> None:
        for route in self._routes:
            try:
                route.processor.force_flush(int(timeout_s * 1000))
            except Exception as error:
                warn_of(error, "a processor could not be flushed")

    def shutdown_processors(self) -> None:
        for route in self._routes:
            _watch.takers.remove(route)
            try:
                route.processor.shutdown()
            except Exception as error:
                warn_of(error, "a processor could not be shut down")
        self._routes.clear()

    def is_initialized(self) -> bool:
        return True

    def get_client(self) -> RespanClient:
        return get_client()

    def get_tracer(self, name: str = "respan") -> Any:
        return self.tracer_provider.get_tracer(name, _core.version)

    workflow = staticmethod(workflow)
    task = staticmethod(task)
    agent = staticmethod(agent)
    tool = staticmethod(tool)
