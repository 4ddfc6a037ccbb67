"""`Respan`, the entry point: one destination of spans, its defaults, and the instrumentations it switched on."""

from __future__ import annotations

import atexit
import os

from . import _core, _watch
from ._carry import install, uninstall, watch_children
from ._decorators import agent, task, tool, workflow
from ._propagate import propagate_attributes, scope_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from types import ModuleType
    from typing import Any

    from ._import_hook import ImportHook
    from ._registry import AutoInstrumentationStatus
    from ._telemetry import RespanTelemetry

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


def opened() -> list[Respan]:
    return list(_open)


def _reviewer(callback: Callable[..., Any] | None, debug: bool) -> Callable[[_core.Span], bool] | None:
    if callback is None and not debug and not _watch.is_needed():
        return None
    from ._review import client_reviewer

    return client_reviewer(callback, debug)


def _install_provider(_: ModuleType) -> None:
    from . import _otel

    _otel.install()


def _blocks_threads(blocked: Iterable[Any] | None) -> bool:
    return any(getattr(item, "value", item) == "threading" for item in blocked or ())


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
        mask: called with each content (prompts, answers, arguments, messages of exceptions) as it would be recorded, and
            before it stands anywhere; what it returns is recorded instead, and nothing where that is no str or it raises.
        is_context_carried: False: threads and executors are left as they are, and spans in them are roots of their own.
        auto_flush: "off", "root" or "always"; spans are on their way within half a second whatever it says.
        is_auto_instrument: also switches on what is installed of AUTO_INSTRUMENTATION_REGISTRY, Hugging Face's and those
            of LLM SDKs; default: if no `instrumentations` are given.
        instruments: what is switched on so instead: members of Instruments, their values, or the registry's ids.
        block_instruments: what is not. Instruments.THREADING: as is_context_carried=False.

    Raises ValueError for a base_url or auto_flush that is not one, AttributeError for a tracer_provider that takes no processors.
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
        instruments: Iterable[Any] | None = None,
        block_instruments: Iterable[Any] | None = None,
        auto_flush: str | None = None,
        is_context_carried: bool = True,
        max_content_bytes: int | None = None,
        mask: Callable[[str], str | None] | None = None,
    ) -> None:
        debug = os.environ.get("RESPAN_DEBUG", "").strip().lower() in ("true", "1", "yes", "on")
        level = "DEBUG" if debug else os.environ.get("RESPAN_LOG_LEVEL") if log_level == "INFO" else log_level
        if level:
            from ._log import set_level

            set_level(level)
        if auto_flush not in (None, "off", "root", "always"):
            raise ValueError(f"auto_flush must be 'off', 'root' or 'always', not {auto_flush!r}")
        if is_batching_enabled is None:
            is_batching_enabled = os.environ.get("RESPAN_BATCHING_ENABLED", "true").lower() == "true"
        self._instrumentations: dict[str, Any] = {}
        self._client: _core.Client | None = None
        self._server_is_away = False
        self._opentelemetry: ImportHook | None = None
        self._tracer_provider = tracer_provider
        self._review_options = (span_postprocess_callback, debug)
        self._telemetry: RespanTelemetry | None = None
        self._auto_status: list[dict[str, str | None]] = []
        self._telemetry_options = (app_name or "respan", dict(resource_attributes or {}), auto_flush)
        is_enabled = is_enabled and os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() != "true"
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
                batch_spans=0 if is_batching_enabled else 1,
                review=_reviewer(*self._review_options),
                spool=_watch.record is None,
                max_content_bytes=max_content_bytes or 0,
                mask=mask,
            )
            self._client.use()
            _open.append(self)
            watch_children()
            if is_context_carried and not _blocks_threads(block_instruments):
                install()
            if tracer_provider is None:
                from ._import_hook import when_imported

                self._opentelemetry = when_imported("opentelemetry.trace", _install_provider)
        for instrumentation in instrumentations or ():
            self._activate(instrumentation)
        if is_auto_instrument is None:
            is_auto_instrument = instrumentations is None or instruments is not None
        if is_enabled and is_auto_instrument:
            self._activate_installed(instruments, block_instruments)

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
            self._switch_on(instrumentation)
        except Exception as error:
            from ._log import warn_of

            warn_of(error, "Instrumentation %s could not be switched on", name)
        else:
            self._instrumentations[name] = instrumentation

    def _switch_on(self, instrumentation: Any) -> None:
        if self._tracer_provider is not None and hasattr(instrumentation, "tracer_provider"):
            instrumentation.tracer_provider = self._tracer_provider
        instrumentation.activate()

    def _activate_installed(self, chosen: Iterable[Any] | None, blocked: Iterable[Any] | None) -> None:
        from ._auto import ids_of, switch_on

        self._auto_status = switch_on(
            None if chosen is None else ids_of(chosen), ids_of(blocked), self._instrumentations, self._switch_on
        )

    @property
    def is_enabled(self) -> bool:
        """False where it was made so, and after shutdown()."""
        return self._client is not None and not self._client.closed

    @property
    def auto_instrumentation_status(self) -> tuple[AutoInstrumentationStatus, ...]:
        """What became of each entry of the registry; empty if nothing was to be switched on."""
        from ._registry import statuses

        return statuses(self._auto_status)

    def get_auto_instrumentation_status(self) -> list[dict[str, str | None]]:
        """The same as dicts."""
        return [dict(status) for status in self._auto_status]

    @property
    def telemetry(self) -> RespanTelemetry:
        """Further destinations of spans: telemetry.add_processor(exporter, name)."""
        if self._telemetry is None:
            from ._telemetry import RespanTelemetry

            self._telemetry = RespanTelemetry(self, *self._telemetry_options)
        return self._telemetry

    def refresh_review(self) -> None:
        """Who looks at ended spans has changed."""
        if self._client is not None:
            self._client.review = _reviewer(*self._review_options)

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
        if self._telemetry is not None:
            self._telemetry.flush_processors(timeout)
        done = self._client.flush(_milliseconds(timeout))
        self._server_is_away = not done
        return done

    def shutdown(self, timeout: float = SHUTDOWN_TIMEOUT_S) -> bool:
        """Switches the instrumentations off, flushes, and stops; spans that start later go nowhere.

        Returns within about `timeout` seconds whatever the network does: True if the server has every span that ended.
        A second call does nothing.
        """
        # The last first: two that wrap the same function come off only so.
        for name, instrumentation in reversed(list(self._instrumentations.items())):
            try:
                instrumentation.deactivate()
            except Exception as error:
                from ._log import warn_of

                warn_of(error, "Instrumentation %s could not be switched off", name)
        self._instrumentations.clear()
        if self._opentelemetry is not None:
            self._opentelemetry.cancel()
        if self._telemetry is not None:
            self._telemetry.shutdown_processors()
        try:
            _open.remove(self)
        except ValueError:
            pass  # another call was first
        else:
            if not _open:
                uninstall()
        if self._client is None or self._client.closed:
            return True
        stats = self._client.close(_milliseconds(min(timeout, AWAY_TIMEOUT_S) if self._server_is_away else timeout))
        return stats is not None and stats["acknowledged"] == stats["ended"]

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


def shutdown(timeout: float = SHUTDOWN_TIMEOUT_S) -> bool:
    """Shuts down every Respan of this process that is open: True if the server has every span of theirs that ended."""
    delivered = [respan.shutdown(timeout) for respan in list(_open)]
    return all(delivered)


atexit.register(shutdown)
