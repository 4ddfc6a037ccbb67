"""openlit with its OpenAI instrumentation."""

import os


import calls
import openlit

openlit.init(
    otlp_endpoint=os.environ["CAPTURE_URL"],
    application_name="capture",
    environment="staging",
    disable_metrics=True,
    capture_message_content=True,
)


@openlit.trace
def answer(question: str) -> str:
    return calls.all_calls(calls.client(), user="user-1")


answer("Weather in Bern?")
from opentelemetry import trace

trace.get_tracer_provider().force_flush()
