"""openinference-instrumentation-openai and -langchain, as Arize Phoenix has them."""

import os

import calls
from langchain_core.language_models import FakeListChatModel
from langchain_core.prompts import ChatPromptTemplate
from openinference.instrumentation import using_attributes
from openinference.instrumentation.langchain import LangChainInstrumentor
from openinference.instrumentation.openai import OpenAIInstrumentor
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider(resource=Resource({"service.name": "capture"}))
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=os.environ["CAPTURE_URL"] + "/v1/traces")))
trace.set_tracer_provider(provider)
OpenAIInstrumentor().instrument(tracer_provider=provider)
LangChainInstrumentor().instrument(tracer_provider=provider)

with using_attributes(session_id="session-1", user_id="user-1", metadata={"plan": "pro", "n": 2}, tags=["a"]):
    calls.all_calls(calls.client())
    prompt = ChatPromptTemplate.from_messages([("system", "Be brief."), ("user", "Weather in {city}?")])
    (prompt | FakeListChatModel(responses=["Rain."])).invoke({"city": "Bern"})
provider.shutdown()
