"""respan-ai of PyPI with its OpenAI plugin."""

import os


import calls
from respan import Respan, propagate_attributes, tool, workflow
from respan_instrumentation_openai import OpenAIInstrumentor

respan = Respan(
    api_key="capture",
    base_url=os.environ["CAPTURE_URL"] + "/api",
    app_name="capture",
    environment="staging",
    instrumentations=[OpenAIInstrumentor()],
)


@tool(name="look_up")
def look_up(city: str) -> dict[str, bool]:
    return {"rain": True}


@workflow(name="weather")
def answer(question: str) -> str:
    look_up("Bern")
    return calls.all_calls(calls.client())


with propagate_attributes(customer_identifier="user-1", thread_identifier="session-1", metadata={"plan": "pro"}):
    answer("Weather in Bern?")
respan.flush()
