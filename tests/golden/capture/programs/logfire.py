"""logfire with its OpenAI instrumentation and a pydantic-ai agent, exported over OTLP to a server of one's own."""

import os

os.environ.update(
    OTEL_EXPORTER_OTLP_ENDPOINT=os.environ["CAPTURE_URL"],
    OTEL_SERVICE_NAME="capture",
    OTEL_RESOURCE_ATTRIBUTES="deployment.environment.name=staging",
    OTEL_METRICS_EXPORTER="none",
    LOGFIRE_SEND_TO_LOGFIRE="false",
)

import calls
import logfire
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

logfire.configure(send_to_logfire=False, metrics=False, console=False, inspect_arguments=False)
openai = calls.client()
logfire.instrument_openai(openai)

with logfire.span("weather for {city}", city="Bern", plan={"name": "pro"}):
    logfire.info("looking up {city}", city="Bern")
    calls.all_calls(openai)

logfire.instrument_pydantic_ai()
model = OpenAIChatModel(
    "gpt-4o", provider=OpenAIProvider(base_url=os.environ["CAPTURE_URL"] + "/v1", api_key="sk-capture")
)
agent = Agent(model, name="weather_agent", system_prompt="Be brief.", metadata={"plan": "pro"})


@agent.tool_plain
def get_weather(city: str) -> str:
    """The weather in a city"""
    return "rain"


agent.run_sync("Weather in Bern?")
logfire.force_flush()
