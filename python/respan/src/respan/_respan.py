"""`Respan`, the entry point: one destination of spans, its defaults, and the instrumentations it switched on."""

from __future__ import annotations

import atexit
import os

from . import _core
from ._carry import install, uninstall, watch_children
from ._decorators import agent, task, tool, workflow
from ._propagate import propagate_attributes, scope_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import ModuleType
    from typing import Any

    from ._import_hook import ImportHook

FLUSH_TIMEOUT_S = 5.0
SHUTDOWN_TIMEOUT_S = 5.0
AWAY_TIMEOUT_S = 0.25  # for a shutdown after a flush that already waited in vain: one more attempt

_open: list[Respan] = []  # not shut down yet; the process's end shuts them down


def content_enabled() -> bool:
    """Whether prompts, completions, inputs, outputs and exception messages may be recorded."""
    for name in ("TRACELOOP_TRACE_CONTENT", "RESPAN_TRACE_CONTENT"):
        if os.environ.get(name, "").strip().lower() in ("false", "0", "no", "off"):
            return False
    return True


# While a test records spans: takes each at its end, and none is sent.
record: Callable[[dict[str, Any]], None] | None = None


def opened() -> list[Respan]:
    return list(_open)


def _reviewer(callback: Callable[..., Any] | None, debug: bool) -> Callable[[_core.Span], bool] | None:
    if callback is None and not debug and record is None:
        return None
    from ._review import client_reviewer

    return client_reviewer(callback, debug, record)


def _install_provider(_: ModuleType) -> None:
    from . import _otel

    _otel.install()


def _milliseconds(seconds: float) -> int:
    return max(0, min(int(seconds * 1000), 2**32 - 1))


class Respan:
    """Sends the spans of this process to a Respan server; the newest instance is the one that spans go to.

    Args:
        api_key: falls back to $RESPAN_API_KEY, then, for a server on this machine, to its credentials file.
        base_url: falls back to $RESPAN_BASE_URL, then to that of the credentials file, then to
            http://127.0.0.1:8460/api.
        app_name: what the application is called in traces; falls back to $OTEL_SERVICE_NAME, then to "respan".
        instrumentations: plugins to switch on, such as HuggingFaceInstrumentor(), and OpenTelemetry's instrumentors.
        customer_identifier, session_identifier, thread_identifier, metadata, environment: defaults of every span.
        headers: added to each request.
        resource_attributes: describe this process in every trace.
        is_enabled: False leaves tracing off; decorated functions are then just called.
        span_postprocess_callback: called with each span at its end, in the thread that ends it; it may change the name
            and the attributes (`span._attributes`), but not the status and the exception. A span for which it raises
            is not sent. It makes spans dearer: they are then kept as Python objects until they end.
        log_level: of the logger "respan"; falls back to $RESPAN_LOG_LEVEL; $RESPAN_DEBUG=true is "DEBUG".
        tracer_provider: of an OpenTelemetry SDK whose spans are to come here too. Without it, ours becomes OpenTelemetry's
            as soon as the program imports that, unless it has one.
        is_batching_enabled: False sends each span at once in a request of its own; else within half a second.
        is_context_carried: False: threads and executors are left as they are, and spans in them are roots of their own.
        auto_flush: accepted; spans are on their way within half a second whatever it says.
        is_auto_instrument, instruments, block_instruments: without effect but for a warning; only `instrumentations`
            are switched on.

    Raises ValueError for a base_url that is not one, AttributeError for a tracer_provider that takes no processors.
    """

    def __init__(
        self,
        api_key: str | None = None,
        base_url: str | None = None,
        app_name: str | None = None,
        instrumentations: Sequence[Any] | None = None,
        is_auto_instrument: bool | None = None,
        customer_identifier: str | None = None,
        session_identifier: str | None = None,
        thread_identifier: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        environment: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        resource_attributes: Mapping[str, Any] | None = None,
        is_enabled: bool = True,
        span_postprocess_callback: Callable[..., Any] | None = None,
        log_level: str | int = "INFO",
        is_batching_enabled: bool | None = None,
        tracer_provider: Any = None,
        instruments: object = None,
        block_instruments: object = None,
        auto_flush: str | None = None,
        is_context_carried: bool = True,
    ) -> None:
        debug = os.environ.get("RESPAN_DEBUG", "").strip().lower() in ("true", "1", "yes", "on")
        level = "DEBUG" if debug else os.environ.get("RESPAN_LOG_LEVEL") if log_level == "INFO" else log_level
        if level:
            from ._log import set_level

            set_level(level)
        if is_auto_instrument or instruments or block_instruments:
            from ._log import warn_once

            warn_once("is_auto_instrument, instruments and block_instruments are without effect: pass instrumentations")
        self._instrumentations: dict[str, Any] = {}
        self._client: _core.Client | None = None
        self._server_is_away = False
        self._opentelemetry: ImportHook | None = None
        self._tracer_provider = tracer_provider
        if is_enabled and tracer_provider is not None:
            from ._otel_sdk import join

            join(tracer_provider)
        if is_enabled:
            defaults = {
                "customer_identifier": customer_identifier,
                "session_identifier": session_identifier,
                "thread_identifier": thread_identifier,
                "metadata": dict(metadata) if metadata else None,
            }
            self._client = _core.Client(
                base_url=base_url or None,
                api_key=api_key or None,
                app_name=app_name or (None if os.environ.get("OTEL_SERVICE_NAME") else "respan"),
                environment=environment or None,
                headers=dict(headers) if headers else None,
                resource=_core.Scope({}, {"telemetry.sdk.language": "python", **(resource_attributes or {})}),
                defaults=scope_of({key: value for key, value in defaults.items() if value}),
                content=content_enabled(),
                batch_spans=1 if is_batching_enabled is False else 0,
                review=_reviewer(span_postprocess_callback, debug),
                spool=record is None,
            )
            self._client.use()
            _open.append(self)
            watch_children()
            if is_context_carried:
                install()
            if tracer_provider is None:
                from ._import_hook import when_imported

                self._opentelemetry = when_imported("opentelemetry.trace", _install_provider)
        for instrumentation in instrumentations or ():
            self._activate(instrumentation)

    propagate_attributes = staticmethod(propagate_attributes)
    workflow = staticmethod(workflow)
    task = staticmethod(task)
    agent = staticmethod(agent)
    tool = staticmethod(tool)

    def _activate(self, instrumentation: Any) -> None:
        if hasattr(instrumentation, "instrument") and not hasattr(instrumentation, "activate"):
            from ._otel_instrumentor import OTELInstrumentor

            instrumentation = OTELInstrumentor(instrumentation)
        name = getattr(instrumentation, "name", type(instrumentation).__name__)
        if self._client is None or name in self._instrumentations:
            return
        try:
            if self._tracer_provider is not None and hasattr(instrumentation, "tracer_provider"):
                instrumentation.tracer_provider = self._tracer_provider
            instrumentation.activate()
        except Exception as error:
            import logging

            logging.getLogger("respan").warning("Instrumentation %s could not be switched on: %s", name, error)
        else:
            self._instrumentations[name] = instrumentation

    def log_batch_results(
        self,
        requests: Sequence[Mapping[str, Any]],
        results: Sequence[Mapping[str, Any]],
        trace_id: str | None = None,
    ) -> None:
        """Makes a span of each result of a batch of chat completions (OpenAI's lines of JSON), at the time of its answer.

        They lie under the current span; without one, under a span `batch_results` in the trace `trace_id` (32 hex
        digits, from get_client().get_current_trace_id() when the batch was sent), or in a trace of their own.
        """
        from ._batch import log_batch_results

        if self._client is not None and not self._client.closed:
            log_batch_results(requests, results, trace_id)

    def flush(self, timeout: float = FLUSH_TIMEOUT_S) -> bool:
        """Sends what has ended; True if the server has all of it within `timeout` seconds.

        Where nobody listens at the address, it waits a second at most: what is unsent is tried again later.
        """
        if self._client is None or self._client.closed:
            return True
        done = self._client.flush(_milliseconds(timeout))
        self._server_is_away = not done
        return done

    def shutdown(self, timeout: float = SHUTDOWN_TIMEOUT_S) -> None:
        """Switches the instrumentations off, flushes, and stops; spans that start later go nowhere.

        Returns within about `timeout` seconds whatever the network does. A second call does nothing.
        """
        # The last first: two that wrap the same function come off only so.
        for name, instrumentation in reversed(list(self._instrumentations.items())):
            try:
                instrumentation.deactivate()
            except Exception as error:
                import logging

                logging.getLogger("respan").warning("Instrumentation %s could not be switched off: %s", name, error)
        self._instrumentations.clear()
        if self._opentelemetry is not None:
            self._opentelemetry.cancel()
        if self in _open:
            _open.remove(self)
            if not _open:
                uninstall()
        if self._client is not None:
            self._client.close(_milliseconds(min(timeout, AWAY_TIMEOUT_S) if self._server_is_away else timeout))

    def stats(self) -> _core.Stats | None:
        """How many spans started, ended, were acknowledged, rejected, dropped, are pending or kept; None once shut down."""
        return None if self._client is None else self._client.stats()


def flush(timeout: float = FLUSH_TIMEOUT_S) -> bool:
    """Flushes every Respan of this process that is open."""
    done = [respan.flush(timeout) for respan in list(_open)]  # each of them, whatever the first says
    return all(done)


def stats() -> _core.Stats:
    """Those of every Respan of this process that is open, added up; the last error of the newest that had one."""
    total: _core.Stats = {
        "started": 0,
        "ended": 0,
        "acknowledged": 0,
        "rejected": 0,
        "dropped": 0,
        "pending": 0,
        "kept": 0,
        "last_error": "",
    }
    for respan in list(_open):
        one = respan.stats()
        if one is None:
            continue
        for key in ("started", "ended", "acknowledged", "rejected", "dropped", "pending", "kept"):
            total[key] += one[key]
        total["last_error"] = one["last_error"] or total["last_error"]
    return total


def shutdown(timeout: float = SHUTDOWN_TIMEOUT_S) -> None:
    """Shuts down every Respan of this process that is open."""
    for respan in list(_open):
        respan.shutdown(timeout)


atexit.register(shutdown)
