"""Beside an SDK of OpenTelemetry's, which Respan leaves alone or joins."""


def test_an_sdk_that_was_there_first_is_left_alone(run_otel, server):
    done = run_otel(
        """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
provider = TracerProvider()
trace.set_tracer_provider(provider)
from opentelemetry.instrumentation.urllib import URLLibInstrumentor
from respan import Respan, get_client
import os, urllib.request
for _ in range(2): respan = Respan(instrumentations=[URLLibInstrumentor()])
assert trace.get_tracer_provider() is provider
trace.get_tracer("theirs").start_span("theirs").end()
get_client().get_tracer().start_span("ours").end()
try: urllib.request.urlopen(os.environ["RESPAN_BASE_URL"] + "/nothing", timeout=5)
except OSError: pass
""",
        start="",
    )
    assert sorted(span.name for span in server.spans) == ["GET", "ours"]
    assert done.stderr.count("another OpenTelemetry tracer provider is set") == 1


def test_an_sdk_is_joined(run_otel, server):
    done = run_otel(
        """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.instrumentation.urllib import URLLibInstrumentor
import os, urllib.request
memory, provider = InMemorySpanExporter(), TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(memory))
from respan import Respan, task, workflow, propagate_attributes
for _ in range(2): respan = Respan(tracer_provider=provider, instrumentations=[URLLibInstrumentor()])
tracer = provider.get_tracer("theirs", "3")
@task
def step(): pass
@workflow
def flow():
    with propagate_attributes(thread_identifier="t"):
        span = tracer.start_span("sdk", kind=trace.SpanKind.CLIENT, attributes={"ints": [1, 2]},
                                 links=[trace.Link(trace.get_current_span().get_span_context(), {"why": "w"})])
    with trace.use_span(span, end_on_exit=True):
        span.add_event("e", {"n": 1}, 1_500)
        step()
        span.update_name("sdk span")
        tracer.start_span("child").end()
        try: urllib.request.urlopen(os.environ["RESPAN_BASE_URL"] + "/nothing", timeout=5)
        except OSError: pass
flow()
try:
    with tracer.start_as_current_span("failed"): raise ValueError("wrong")
except ValueError: pass
forgotten = tracer.start_span("forgotten")
for span in memory.get_finished_spans():
    print(span.name, format(span.context.trace_id, "032x"), format(span.context.span_id, "016x"), span.end_time)
""",
        start="",
    )
    lines = (line.rsplit(" ", 3) for line in done.stdout.splitlines())
    seen = {name: rest for name, *rest in lines}
    assert set(seen) == {"sdk span", "child", "GET", "failed"}
    for name, (trace_id, span_id, end) in seen.items():
        span = server.span(name)
        assert (span.trace_id, span.span_id, span.end) == (trace_id, span_id, int(end))
    flow, sdk, step = (server.span(name) for name in ("flow.workflow", "sdk span", "step.task"))
    assert sdk.parent_id == flow.span_id and step.parent_id == sdk.span_id == server.span("child").parent_id
    assert sdk.kind == 3 and sdk.attributes["ints"] == [1, 2] and sdk.attributes["otel.scope.name"] == "theirs"
    assert sdk.attributes["respan.threads.thread_identifier"] == "t"
    assert sdk.attributes["traceloop.workflow.name"] == step.attributes["traceloop.workflow.name"] == "flow"
    assert sdk.events == [("e", {"n": 1})] and sdk.links == [(flow.trace_id, flow.span_id, {"why": "w"})]
    failed = server.span("failed")
    assert failed.status == 2 and failed.status_message == "ValueError: wrong" and failed.parent_id == ""
    assert failed.events[0][1]["exception.message"] == "wrong"


def test_processors_of_an_sdk(run_otel, server):
    run_otel("""
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
class Exporter(SpanExporter):
    spans = []
    def export(self, spans):
        Exporter.spans += spans
        return SpanExportResult.SUCCESS
respan.telemetry.add_processor(Exporter(), name="debug")
respan.telemetry.add_processor(Exporter(), name="debug", is_batching_enabled=False)
@workflow(name="routed", processors="debug", links=[Link(SpanContext(1, 2, True))])
def routed():
    with tracer.start_as_current_span("below", attributes={"list": [1, 2]}): pass
    raise ValueError("v")
try: routed()
except ValueError: pass
step()
assert respan.flush()
assert sorted(span.name for span in Exporter.spans) == ["below"] * 2 + ["routed.workflow"] * 2
one = next(span for span in Exporter.spans if span.name == "routed.workflow")
assert isinstance(one, ReadableSpan) and one.status.status_code is StatusCode.ERROR and one.kind is SpanKind.INTERNAL
assert one.events[0].name == "exception" and one.links[0].context.span_id == 2
assert one.resource.attributes["service.name"] == "tests" and one.to_json()
""")
    assert server.span("routed.workflow").links == [(f"{1:032x}", f"{2:016x}", {})] and len(server.spans) == 3


def test_ended_spans_of_an_sdk_are_taken(run_otel, server):
    """What plugins of PyPI's respan-ai do: they make a ReadableSpan and give it to the provider's processor."""
    run_otel("""
from opentelemetry.sdk.trace import ReadableSpan, Event
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
def made(span_id, parent):
    return ReadableSpan(name=f"made{span_id}", context=SpanContext(7, span_id, False, TraceFlags(1)), parent=parent,
        attributes={"a": [1, 2]}, kind=SpanKind.CLIENT, status=Status(StatusCode.ERROR, "no"), start_time=10, end_time=20,
        events=[Event("e", {"n": 1}, 15)], links=[Link(SpanContext(1, 2, True))],
        instrumentation_scope=InstrumentationScope("plugin", "1"))
with propagate_attributes(customer_identifier="ada"):
    trace.get_tracer_provider()._active_span_processor.on_end(made(3, SpanContext(7, 2, False)))
assert get_client().process_spans([made(4, None)])
""")
    first, second = server.span("made3"), server.span("made4")
    assert (first.trace_id, first.span_id, first.parent_id) == (f"{7:032x}", f"{3:016x}", f"{2:016x}")
    assert (first.start, first.end, first.kind, first.status, first.status_message) == (10, 20, 3, 2, "no")
    assert first.attributes["a"] == [1, 2] and first.attributes["otel.scope.name"] == "plugin"
    assert first.attributes["respan.customer_params.customer_identifier"] == "ada"
    assert first.events == [("e", {"n": 1})] and first.links == [(f"{1:032x}", f"{2:016x}", {})]
    assert second.parent_id == "" and second.trace_id == first.trace_id
