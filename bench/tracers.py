"""The same traced functions with each tracer: ours, plain OpenTelemetry, PyPI's respan-ai; and ours switched off.

Each call of `function` and of `coroutine` is one span with a name and six attributes, of which the last two are the input
and the output. OpenTelemetry is given both as finished text, so that its figures are the span's alone: ours includes
making JSON of the argument and of the result. `trace` makes a root with nine such spans below it. All send to
$RESPAN_BASE_URL with $RESPAN_API_KEY.
"""

import json
import os
from collections import namedtuple

PER_TRACE = 10
QUESTION, ANSWER = "What is the capital of France?", "The capital of France is Paris."
LONG = "".join(chr(32 + i % 95) for i in range(10_000))  # with quotes and backslashes in it, as text has
INPUTS = {text: json.dumps({"args": [text], "kwargs": {}}) for text in (QUESTION, LONG)}
OUTPUT = json.dumps(ANSWER)

Traced = namedtuple("Traced", "function coroutine trace flush")


def plain(question):
    return ANSWER


async def plain_coroutine(question):
    return ANSWER


def decorated(flush):
    from respan import task, workflow

    step = task(name="step")(plain)

    @workflow(name="answer")
    def trace(question):
        for _ in range(PER_TRACE - 1):
            step(question)
        return ANSWER

    decorate = workflow(name="answer")
    return Traced(decorate(plain), decorate(plain_coroutine), trace, flush)


def of_respan():
    from respan import Respan

    respan = Respan(app_name="bench")
    return decorated(lambda: respan.flush(60))


def of_nothing():
    return decorated(lambda: True)


def of_respan_ai():
    from respan import Respan

    respan = Respan(app_name="bench", auto_flush="off", is_auto_instrument=False, log_level="CRITICAL")
    return decorated(lambda: respan.flush() is not False)


def of_opentelemetry(queue=20_000):
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    exporter = OTLPSpanExporter(
        f"{os.environ['RESPAN_BASE_URL']}/v2/traces",
        headers={"Authorization": f"Bearer {os.environ['RESPAN_API_KEY']}"},
        timeout=60,
    )
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=queue))
    tracer = provider.get_tracer("bench")

    def record(span, kind, name, question):
        span.set_attribute("traceloop.span.kind", kind)
        span.set_attribute("respan.entity.log_type", kind)
        span.set_attribute("traceloop.entity.name", name)
        span.set_attribute("traceloop.workflow.name", "answer")
        span.set_attribute("traceloop.entity.input", INPUTS[question])
        span.set_attribute("traceloop.entity.output", OUTPUT)

    def function(question):
        with tracer.start_as_current_span("answer.workflow") as span:
            record(span, "workflow", "answer", question)
            return ANSWER

    async def coroutine(question):
        with tracer.start_as_current_span("answer.workflow") as span:
            record(span, "workflow", "answer", question)
            return ANSWER

    def step(question):
        with tracer.start_as_current_span("step.task") as span:
            record(span, "task", "step", question)
            return ANSWER

    def trace(question):
        with tracer.start_as_current_span("answer.workflow") as span:
            record(span, "workflow", "answer", question)
            for _ in range(PER_TRACE - 1):
                step(question)
            return ANSWER

    return Traced(function, coroutine, trace, lambda: provider.force_flush(60_000))


MAKERS = {"respan": of_respan, "off": of_nothing, "opentelemetry": of_opentelemetry, "respan-ai": of_respan_ai}
