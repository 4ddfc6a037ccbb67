"""traceloop-sdk: decorators, association properties, its OpenAI instrumentation."""

import os

os.environ.update(TRACELOOP_TELEMETRY="FALSE", TRACELOOP_TRACE_CONTENT="true")

import calls
from traceloop.sdk import Traceloop
from traceloop.sdk.decorators import tool, workflow

Traceloop.init(
    app_name="capture",
    api_endpoint=os.environ["CAPTURE_URL"],
    api_key="capture",
    disable_batch=True,
    telemetry_enabled=False,
    traceloop_sync_enabled=False,
)


@tool(name="look_up")
def look_up(city: str) -> dict[str, bool]:
    return {"rain": True}


@workflow(name="weather")
def answer(question: str) -> str:
    Traceloop.set_association_properties({"user_id": "user-1", "session_id": "session-1", "plan": "pro"})
    look_up("Bern")
    return calls.all_calls(calls.client())


answer("Weather in Bern?")
