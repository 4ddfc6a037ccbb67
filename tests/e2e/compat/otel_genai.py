"""An unmodified OpenTelemetry SDK with attributes by the GenAI semantic conventions, set by hand.

Where it sends is OpenTelemetry's own configuration: OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS.
"""

import json

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind

provider = TracerProvider(
    resource=Resource.create({"service.name": "otel-compat", "deployment.environment.name": "staging"})
)
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
tracer = provider.get_tracer("compat.otel_genai", "1.0")


def message(role, text, **more):
    return {"role": role, "parts": [{"type": "text", "content": text}], **more}


with tracer.start_as_current_span(
    "invoke_workflow answer", attributes={"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "answer"}
):
    with tracer.start_as_current_span(
        "text_completion sshleifer/tiny-gpt2",
        kind=SpanKind.CLIENT,
        attributes={
            "gen_ai.operation.name": "text_completion",
            "gen_ai.provider.name": "huggingface",
            "gen_ai.request.model": "sshleifer/tiny-gpt2",
            "gen_ai.request.max_tokens": 42,
            "gen_ai.request.temperature": 0.35,
            "gen_ai.request.top_p": 0.9,
            "gen_ai.request.stop_sequences": ["\n\n", "END"],
            "gen_ai.conversation.id": "conv-7",
            "user.id": "user-42",
            "gen_ai.input.messages": json.dumps([message("user", "Tracing pipelines helps")]),
            "gen_ai.output.messages": json.dumps([message("assistant", "find slow steps", finish_reason="stop")]),
            "gen_ai.usage.input_tokens": 6,
            "gen_ai.usage.output_tokens": 4,
        },
    ):
        pass
    with tracer.start_as_current_span(
        "chat sshleifer/tiny-gpt2",
        kind=SpanKind.CLIENT,
        attributes={
            "gen_ai.operation.name": "chat",
            "gen_ai.system": "huggingface",
            "gen_ai.request.model": "sshleifer/tiny-gpt2",
            "gen_ai.usage.prompt_tokens": 11,
            "gen_ai.usage.completion_tokens": 3,
        },
    ) as span:
        span.add_event("gen_ai.system.message", {"content": "You answer briefly."})
        span.add_event("gen_ai.user.message", {"content": "What is a span?"})
        span.add_event(
            "gen_ai.choice",
            {"index": 0, "finish_reason": "stop", "message": json.dumps({"content": "Ein Stück Zeit."})},
        )

provider.shutdown()
