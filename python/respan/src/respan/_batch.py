"""`Respan.log_batch_results`: a batch API's answers, which came hours after the questions, as spans of their own times."""

from __future__ import annotations

from . import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

ERROR = 2
INTERNAL = 1
TIME_MAX_S = 2**33  # in the year 2242: what is beyond it is no time


def _dict(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _nanoseconds(seconds: object) -> int:
    """0, which is now, for what is no time."""
    if isinstance(seconds, (int, float)) and 0 < seconds < TIME_MAX_S:
        return int(seconds) * 1_000_000_000
    return 0


def _log_one(request: Mapping[str, Any], result: Mapping[str, Any], parent: _core.Span) -> None:
    response = _dict(result.get("response"))
    body = _dict(response.get("body"))
    at = _nanoseconds(body.get("created"))
    span = _core.start_span(f"batch:{result.get('custom_id', '')}", INTERNAL, parent, at)
    if span is None:
        return
    usage = _dict(body.get("usage"))
    span.set_attributes(
        {
            "llm.request.type": "chat",
            "gen_ai.request.model": body.get("model") or request.get("model"),
            "gen_ai.usage.prompt_tokens": usage.get("prompt_tokens"),
            "gen_ai.usage.completion_tokens": usage.get("completion_tokens"),
            "traceloop.entity.path": "batch_results",
            "traceloop.span.kind": "task",
            "respan.entity.log_type": "chat",
        }
    )
    if span.content:
        choices = body.get("choices")
        first = _dict(choices[0]) if isinstance(choices, list) and choices else {}
        span.set_attribute("traceloop.entity.input", _core.to_json(request.get("messages") or []))
        span.set_attribute("traceloop.entity.output", _core.to_json(first.get("message") or {}))
    code = response.get("status_code", 200)
    error = _dict(result.get("error")) or _dict(body.get("error"))
    if error or (isinstance(code, int) and code >= 400):
        message = str(error.get("message") or f"status {code}") if span.content else f"status {code}"
        span.status(ERROR, message.encode("utf-8", "replace").decode())
    span.end(at)


def _group(trace_id: str | None, times: list[int]) -> _core.Span | None:
    span = _core.start_span("batch_results.task", INTERNAL, None, min(times, default=0))
    if span is not None:
        if trace_id:
            try:
                span.adopt(trace_id, span.span_id)
            except (TypeError, ValueError):
                from ._log import warn_once

                warn_once("log_batch_results: trace_id is no 32 hex digits, so it makes a trace of its own")
        span.set_attributes(
            {
                "traceloop.span.kind": "task",
                "traceloop.entity.name": "batch_results",
                "respan.entity.log_type": "task",
            }
        )
    return span


def log_batch_results(requests: Iterable[Any], results: Iterable[Any], trace_id: str | None) -> None:
    asked = {str(entry.get("custom_id")): _dict(entry.get("body")) for entry in map(_dict, requests)}
    answers = [_dict(result) for result in results]
    parent, group = _core.current_span(), None
    times = [_nanoseconds(_dict(_dict(answer.get("response")).get("body")).get("created")) for answer in answers]
    times = [time for time in times if time]
    if parent is None:
        parent = group = _group(trace_id, times)
    if parent is None:
        return  # tracing is off
    for answer in answers:
        _log_one(asked.get(str(answer.get("custom_id")), {}), answer, parent)
    if group is not None:
        group.end(max(times, default=0))
