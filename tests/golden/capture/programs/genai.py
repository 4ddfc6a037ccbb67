"""opentelemetry-instrumentation-openai-v2 or its successor, -genai-openai, whichever is installed: OpenTelemetry's own, with content.

CAPTURE_CONTENT says where content goes: `true` (up to 2.3, whose messages are log records), or `span_only`, `event_only`, `span_and_event`
(from 2.4 on, and the successor; current names).
"""

import os

CONTENT = os.environ.get("CAPTURE_CONTENT", "true")
os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = CONTENT
if CONTENT != "true":
    os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "gen_ai_latest_experimental"

import calls
from opentelemetry import _logs, trace
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

try:
    from opentelemetry.instrumentation.genai.openai import OpenAIInstrumentor
except ImportError:
    from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor

resource = Resource({"service.name": "capture", "deployment.environment.name": "staging"})
provider, logs = TracerProvider(resource=resource), LoggerProvider(resource=resource)
exporter = OTLPSpanExporter(endpoint=os.environ["CAPTURE_URL"] + "/v1/traces", compression=Compression.Gzip)
provider.add_span_processor(BatchSpanProcessor(exporter))
log_exporter = OTLPLogExporter(endpoint=os.environ["CAPTURE_URL"] + "/v1/logs", compression=Compression.Gzip)
logs.add_log_record_processor(BatchLogRecordProcessor(log_exporter))
trace.set_tracer_provider(provider)
_logs.set_logger_provider(logs)
OpenAIInstrumentor().instrument()

calls.all_calls(calls.client())
provider.shutdown()
logs.shutdown()
