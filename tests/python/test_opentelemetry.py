"""OpenTelemetry on our spans. Each script runs in a process of its own, since a process has one tracer provider, with the
interpreter of .venv-otel: .venv has no OpenTelemetry, so that all other tests run without."""

import subprocess

import pytest
from conftest import ROOT, run_python

START = """
import asyncio, threading
from respan import Respan, workflow, task, get_client, propagate_attributes
respan = Respan(app_name="tests")
from opentelemetry import context, trace
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags
tracer = trace.get_tracer("my.instrumentation", "1.2")
@task
def step(): return trace.get_current_span().get_span_context()
"""


@pytest.fixture(scope="session")
def python() -> str:
    made = subprocess.run([ROOT / "tools" / "make_otel_venv"], text=True, capture_output=True, timeout=600)
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


@pytest.fixture
def run(python, server):
    """Runs code after START; it must succeed. -> the finished process"""

    def run_code(code, start=START, **environment):
        done = run_python(python, server, start + code, environment)
        assert done.returncode == 0, done.stderr
        return done

    return run_code


def test_a_span_arrives_whole(run, server):
    run("""
with tracer.start_as_current_span("target") as target: pass
span = tracer.start_span("work", kind=SpanKind.CLIENT, start_time=1_000, attributes={"first": "a"},
                         links=[Link(target.get_span_context(), {"why": ["x", "y"]})])
span.add_link(target.get_span_context())
assert span.is_recording() and not span.get_span_context().is_remote
assert span.get_span_context().trace_flags.sampled
span.set_attribute("text", "t")
span.set_attributes({"yes": True, "n": -3, "x": 0.5, "words": ["a", "b"], "flags": (True, False), "ints": [1, 2],
                     "floats": [0.5], "none": [], "odd": {"a": [1, "b"]}, "mixed": [1, "a"], "big": [2**70]})
span.set_attribute("first", "b")
span.add_event("thought", {"n": 1, "list": [1, 2], "odd": {"a": 1}}, timestamp=1_500)
try: raise ValueError("wrong")
except ValueError as error: span.record_exception(error, {"extra": 1})
span.set_status(Status(StatusCode.ERROR, "no good"))
span.set_status(StatusCode.UNSET)
span.update_name("renamed")
span.end(2_000)
assert not span.is_recording()
span.set_attribute("late", 1)
span.end(3_000)
good = tracer.start_span("good")
good.set_status(StatusCode.OK)
good.set_status(StatusCode.ERROR, "too late")
good.end()
""")
    span, target = server.span("renamed"), server.span("target")
    assert (span.kind, span.start, span.end, span.status, span.status_message) == (3, 1_000, 2_000, 2, "no good")
    assert span.attributes == {
        "otel.scope.name": "my.instrumentation",
        "otel.scope.version": "1.2",
        "first": "b",
        "text": "t",
        "yes": True,
        "n": -3,
        "x": 0.5,
        "words": ["a", "b"],
        "flags": [True, False],
        "ints": [1, 2],
        "floats": [0.5],
        "none": [],
        "odd": '{"a":[1,"b"]}',
        "mixed": '[1,"a"]',
        "big": f"[{2**70}]",
    }
    assert span.links == [
        (target.trace_id, target.span_id, {"why": ["x", "y"]}),
        (target.trace_id, target.span_id, {}),
    ]
    assert span.events[0] == ("thought", {"n": 1, "list": [1, 2], "odd": '{"a":1}'})
    name, exception = span.events[1]
    assert name == "exception" and exception.pop("exception.stacktrace").rstrip().endswith("ValueError: wrong")
    assert exception == {
        "exception.type": "ValueError",
        "exception.message": "wrong",
        "exception.escaped": "False",
        "extra": 1,
    }
    assert server.span("good").status == 1


def test_parents_in_both_directions(run, server):
    run("""
@workflow
def flow():
    with tracer.start_as_current_span("otel") as span:
        assert trace.get_current_span() is span
        assert get_client().get_current_span_id() == format(span.get_span_context().span_id, "016x")
        step()
        with trace.use_span(tracer.start_span("used"), end_on_exit=True): step()
        token = context.attach(context.set_value("key", 1))
        step()
        context.detach(token)
        assert trace.get_current_span() is span
    seen = step()
    assert trace.get_current_span().get_span_context().span_id == int(get_client().get_current_span_id(), 16)
    tracer.start_span("after").end()
    with propagate_attributes(thread_identifier="t"): tracer.start_span("scoped").end()
    tracer.start_span("root", context=context.Context()).end()
with tracer.start_as_current_span("outer"): flow()
assert trace.get_current_span() is trace.INVALID_SPAN and get_client().get_current_span() is None
""")
    names = {span.span_id: span.name for span in server.spans}
    tree = [(span.name, names.get(span.parent_id)) for span in sorted(server.spans, key=lambda span: span.start)]
    assert sorted(tree, key=str) == sorted(
        [
            ("outer", None),
            ("flow.workflow", "outer"),
            ("otel", "flow.workflow"),
            ("step.task", "otel"),
            ("used", "otel"),
            ("step.task", "used"),
            ("step.task", "otel"),
            ("step.task", "flow.workflow"),
            ("after", "flow.workflow"),
            ("scoped", "flow.workflow"),
            ("root", None),
        ],
        key=str,
    )
    assert server.span("otel").attributes["traceloop.workflow.name"] == "flow"
    assert server.span("scoped").attributes["respan.threads.thread_identifier"] == "t"
    assert len({span.trace_id for span in server.spans}) == 2


def test_threads_and_tasks(run, server):
    run("""
async def child(name):
    with tracer.start_as_current_span(name):
        await asyncio.sleep(0.01)
        step()
        await asyncio.sleep(0)
@workflow
async def flow(): await asyncio.gather(*(child(f"child {n}") for n in range(5)))
asyncio.run(flow())

def in_thread(ctx):
    tracer.start_span("carried").end()
    nothing = context.attach(context.Context())
    tracer.start_span("thread root").end()
    assert get_client().get_current_span() is None
    context.detach(nothing)
    token = context.attach(ctx)
    step()
    context.detach(token)
@workflow
def threaded():
    thread = threading.Thread(target=in_thread, args=[context.get_current()])
    thread.start()
    thread.join()
threaded()

async def abandoned():
    with tracer.start_as_current_span("abandoned"): yield 1
async def leave(): await abandoned().__anext__()
asyncio.run(leave())
""")
    by_id = {span.span_id: span for span in server.spans}
    children = [span for span in server.spans if span.name.startswith("child")]
    assert len(children) == 5 and {by_id[span.parent_id].name for span in children} == {"flow.workflow"}
    steps = [by_id[span.parent_id].name for span in server.spans if span.name == "step.task"]
    assert sorted(steps) == [*(f"child {n}" for n in range(5)), "threaded.workflow"]
    assert server.span("thread root").parent_id == ""
    assert by_id[server.span("carried").parent_id].name == "threaded.workflow"
    assert server.span("abandoned").parent_id == ""


def test_a_parent_in_another_process(run, server):
    """W3C traceparent in and out, by OpenTelemetry's own propagator."""
    done = run("""
from opentelemetry.propagate import extract, inject
carrier = {"traceparent": "00-" + "a1" * 16 + "-" + "b2" * 8 + "-01", "tracestate": "vendor=1"}
token = context.attach(extract(carrier))
step()
with tracer.start_as_current_span("served") as span: assert span.get_span_context().trace_state["vendor"] == "1"
context.detach(token)
carrier["traceparent"] = carrier["traceparent"][:-1] + "0"
tracer.start_span("not sampled", context=extract(carrier)).end()
@workflow
def out():
    headers = {}
    inject(headers)
    print(headers["traceparent"])
out()
""")
    assert {span.name for span in server.spans} == {"step.task", "served", "out.workflow"}
    for name in ("step.task", "served"):
        assert (server.span(name).trace_id, server.span(name).parent_id) == ("a1" * 16, "b2" * 8)
    out = server.span("out.workflow")
    assert done.stdout == f"00-{out.trace_id}-{out.span_id}-01\n"


def test_exceptions(run, server):
    code = """
def fail(**options):
    try:
        with tracer.start_as_current_span("failed", **options): raise ValueError("a secret")
    except ValueError: pass
fail()
fail(record_exception=False, set_status_on_exception=False)
try:
    with tracer.start_span("left"): raise ValueError("a secret")
except ValueError: pass
@tracer.start_as_current_span("decorated")
def decorated(): return 1
assert decorated() == 1
"""
    run(code)
    first, second, left, decorated = server.spans
    assert (first.status, first.status_message) == (2, "ValueError: a secret") == (left.status, left.status_message)
    assert [name for name, _ in first.events] == ["exception"] == [name for name, _ in left.events]
    assert second.status == 0 and second.events == [] and decorated.name == "decorated"
    server.bodies.clear()
    run(code, TRACELOOP_TRACE_CONTENT="false")
    assert len(server.spans) == 4 and not any(b"a secret" in body for body in server.bodies)
    assert server.spans[0].events[0][1] == {"exception.type": "ValueError", "exception.escaped": "False"}


def test_suppression_and_tracing_off(run, server):
    run("""
from opentelemetry.instrumentation.utils import suppress_instrumentation
with suppress_instrumentation():
    with tracer.start_as_current_span("suppressed") as span:
        assert not span.is_recording()
        span.set_attribute("a", 1)
        step()
with tracer.start_as_current_span("parent"):
    with suppress_instrumentation(), tracer.start_as_current_span("suppressed"): step()
assert trace.get_tracer_provider().force_flush()
respan.shutdown()
with tracer.start_as_current_span("off") as span: assert not span.is_recording()
again = Respan()
tracer.start_span("on again").end()
""")
    assert sorted(span.name for span in server.spans) == ["on again", "parent", "step.task", "step.task"]
    assert [span.name for span in server.spans if span.span_id in {s.parent_id for s in server.spans}] == ["parent"]


def test_an_instrumentor_is_switched_on_and_off(run, server):
    run(
        """
from opentelemetry.instrumentation.urllib import URLLibInstrumentor
from respan import OTELInstrumentor, Respan, workflow
import os, urllib.request
def get():
    try: urllib.request.urlopen(os.environ["RESPAN_BASE_URL"] + "/nothing", timeout=5)
    except OSError: pass
first = Respan(instrumentations=[URLLibInstrumentor()])
workflow(name="fetch")(get)()
first.shutdown()
second = Respan()
get()
second.shutdown()
Respan(instrumentations=[OTELInstrumentor(URLLibInstrumentor)])
get()
""",
        start="",
    )
    workflow, requests = server.span("fetch.workflow"), [span for span in server.spans if span.name == "GET"]
    assert len(requests) == 2
    assert requests[0].parent_id == workflow.span_id and requests[1].parent_id == ""
    assert requests[0].kind == 3 and requests[0].attributes["http.method"] == "GET"
    assert requests[0].attributes["otel.scope.name"] == "opentelemetry.instrumentation.urllib"


def test_openai_by_its_instrumentor(run, server):
    run(
        """
import json, threading, openai
from http.server import BaseHTTPRequestHandler, HTTPServer
from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor
from respan import Respan, workflow
class Model(BaseHTTPRequestHandler):
    def do_POST(self):
        answer = json.dumps({"id": "1", "object": "chat.completion", "created": 1, "model": "tiny-1", "choices": [
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hi."}}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
    def log_message(self, *_): pass
model = HTTPServer(("127.0.0.1", 0), Model)
threading.Thread(target=model.serve_forever, daemon=True).start()
Respan(instrumentations=[OpenAIInstrumentor()])
client = openai.OpenAI(api_key="k", base_url=f"http://127.0.0.1:{model.server_port}/v1")
@workflow
def ask(): return client.chat.completions.create(model="tiny", messages=[{"role": "user", "content": "Hello"}]).id
ask()
""",
        start="",
    )
    span = server.span("chat tiny")
    assert span.parent_id == server.span("ask.workflow").span_id
    assert span.attributes["gen_ai.request.model"] == "tiny" and span.attributes["gen_ai.usage.input_tokens"] == 3


def test_a_pipeline_call_has_one_span(run, server, generator):
    """Ours, with ours and upstream's instrumentor switched on in either order; upstream's without ours."""
    code = """
import warnings; warnings.simplefilter("ignore")
from transformers import pipeline
from opentelemetry import context
from opentelemetry.instrumentation.transformers import TransformersInstrumentor
from respan_instrumentation_huggingface import HuggingFaceInstrumentor
from respan import Respan
generate = pipeline("text-generation", model="sshleifer/tiny-gpt2", do_sample=False)
for plugins in ([HuggingFaceInstrumentor(), TransformersInstrumentor()],
                [TransformersInstrumentor(), HuggingFaceInstrumentor()], [TransformersInstrumentor()]):
    respan = Respan(instrumentations=plugins)
    generate("Hello", max_new_tokens=2)
    token = context.attach(context.set_value("suppress_language_model_instrumentation", True))
    generate("Hello", max_new_tokens=2)
    context.detach(token)
    respan.shutdown()
"""
    run(code, start="")
    ours, upstream = "text_completion sshleifer/tiny-gpt2", "transformers_text_generation_pipeline.call"
    assert [span.name for span in server.spans] == [ours, ours, upstream]
    assert "otel.scope.name" not in server.spans[0].attributes and server.spans[0].parent_id == ""
    assert server.spans[2].attributes["gen_ai.completion.0.content"].startswith("Hello")


def test_a_pipeline_call_has_one_span_with_a_joined_sdk(run, server, generator):
    """Upstream's instrumentor feeds the program's own SDK, which Respan joins: still one span, below what is current."""
    code = """
import warnings; warnings.simplefilter("ignore")
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
memory, provider = InMemorySpanExporter(), TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(memory))
trace.set_tracer_provider(provider)
from transformers import pipeline
from opentelemetry.instrumentation.transformers import TransformersInstrumentor
from respan_instrumentation_huggingface import HuggingFaceInstrumentor
from respan import Respan, workflow
generate = pipeline("text-generation", model="sshleifer/tiny-gpt2", do_sample=False)
upstream, ours = TransformersInstrumentor(), HuggingFaceInstrumentor()
respan = Respan(tracer_provider=provider, block_instruments=["transformers"])
@workflow
def flow(): return generate("Hello", max_new_tokens=2)
for first, second in ((upstream, ours), (ours, upstream)):
    first.instrument(); second.instrument()
    generate("Hello", max_new_tokens=2)
    flow()
    second.uninstrument(); first.uninstrument()
upstream.instrument()
flow()
assert [span.name for span in memory.get_finished_spans()] == ["transformers_text_generation_pipeline.call"] * 5
"""
    run(code, start="")
    ours, flow = "text_completion sshleifer/tiny-gpt2", "flow.workflow"
    upstream = "transformers_text_generation_pipeline.call"
    by_id = {span.span_id: span.name for span in server.spans}
    tree = [(span.name, by_id.get(span.parent_id)) for span in server.spans]
    assert tree == [*[(ours, None), (ours, flow), (flow, None)] * 2, (upstream, flow), (flow, None)]


def test_instrumentors_come_and_go(run, generator):
    """In any order but one: upstream's cannot be taken out from inside another wrapper."""
    code = """
import warnings; warnings.simplefilter("ignore")
from transformers import TextGenerationPipeline
from opentelemetry.instrumentation.transformers import TransformersInstrumentor
from respan_instrumentation_huggingface import HuggingFaceInstrumentor
upstream, ours = TransformersInstrumentor(), HuggingFaceInstrumentor()
before = dict(vars(TextGenerationPipeline))
for first, second, last in ((ours, upstream, ours), (ours, upstream, upstream), (upstream, ours, upstream)) * 2:
    first.instrument(); second.instrument()
    (second if last is first else first).uninstrument(); last.uninstrument()
    after = dict(vars(TextGenerationPipeline))
    assert before.keys() == after.keys() and all(before[name] is after[name] for name in before)
"""
    run(code, start="")


def test_an_sdk_that_was_there_first_is_left_alone(run, server):
    done = run(
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


def test_an_sdk_is_joined(run, server):
    done = run(
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


def test_span_postprocess_callback_sees_them(run, server):
    run(
        """
from respan import Respan
def review(span):
    if span.name == "drop": raise ValueError
    span._attributes["seen"] = str(span.attributes["ints"])
respan = Respan(span_postprocess_callback=review)
from opentelemetry import trace
for name in ("keep", "drop"): trace.get_tracer("t").start_span(name, attributes={"ints": [1, 2]}).end()
""",
        start="",
    )
    assert server.span("keep").attributes["seen"] == "[1, 2]" and len(server.spans) == 1


def test_nothing_of_it_is_imported_until_the_program_does(run, script):
    code = """
import sys
from respan import Respan, workflow
respan = Respan(is_auto_instrument=False)
workflow(lambda: 1)()
assert not [name for name in sys.modules if name.startswith(("opentelemetry", "respan._otel"))]
"""
    assert script(code).returncode == 0  # where it is not installed
    run(
        code
        + """
from opentelemetry import trace
assert type(trace.get_tracer_provider()).__module__ == "respan._otel"
respan.shutdown()
""",
        start="",
    )
    run(
        """
from respan import Respan
Respan(is_auto_instrument=False).shutdown()
Respan(is_enabled=False)
from opentelemetry import trace
assert isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
""",
        start="",
    )


def test_no_leak(run):
    """A span, its context and the current one's stand-in are gone once it has ended."""
    run("""
import gc, resource
@workflow
def flow():
    with tracer.start_as_current_span("otel", attributes={"ints": [1, 2]}) as span:
        span.add_event("e", {"words": ["a", "b"]})
        trace.get_current_span()
def rounds(n):
    for _ in range(n): flow()
    assert respan.flush(30)
rounds(2000)
import tracemalloc
tracemalloc.start()
rounds(500)
gc.collect()
before = tracemalloc.get_traced_memory()[0]
rounds(5000)
gc.collect()
assert tracemalloc.get_traced_memory()[0] - before < 50_000, tracemalloc.get_traced_memory()[0] - before
""")


def test_the_client_s_spans_are_opentelemetry_s_too(run, server):
    run("""
client = get_client()
with client.start_span("mine") as span:
    assert isinstance(span, trace.Span) and isinstance(client.get_current_span(), trace.Span)
    assert span.get_span_context() == trace.get_current_span().get_span_context()
    span.set_status(Status(StatusCode.ERROR, "bad"))
    assert client.get_context_value("k") is None
    assert client.set_context_value("k", 1)
    assert client.get_context_value("k") == context.get_value("k") == 1
    with client.start_span("inner") as inner:
        assert context.get_value("k") == 1 and trace.get_current_span().get_span_context() == inner.get_span_context()
    assert trace.get_current_span().get_span_context() == span.get_span_context()
assert trace.get_current_span() is trace.INVALID_SPAN
token = context.attach(context.set_value("k", 2))
assert client.get_context_value("k") == 2
context.detach(token)
""")
    assert (server.span("mine.task").status, server.span("mine.task").status_message) == (2, "bad")


def test_processors_of_an_sdk(run, server):
    run("""
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


def test_ended_spans_of_an_sdk_are_taken(run, server):
    """What plugins of PyPI's respan-ai do: they make a ReadableSpan and give it to the provider's processor."""
    run("""
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


def test_opentelemetry_s_instrumentors_are_switched_on_by_themselves(run):
    run(
        """
from respan import Instruments, Respan
respan = Respan()
found = {one["id"]: one for one in respan.get_auto_instrumentation_status()}
assert found["openai"]["status"] == "enabled" and found["openai"]["name"] == "otel-OpenAIInstrumentor", found["openai"]
assert found["huggingface"]["name"] == "huggingface" and "urllib" not in found
from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor
assert OpenAIInstrumentor().is_instrumented_by_opentelemetry
respan.shutdown()
assert not OpenAIInstrumentor().is_instrumented_by_opentelemetry
respan = Respan(instruments=["urllib"])
on = [one["name"] for one in respan.get_auto_instrumentation_status() if one["status"] == "enabled"]
assert on == ["otel-URLLibInstrumentor"], on
respan.shutdown()
OpenAIInstrumentor().instrument()
again = {one["id"]: one for one in Respan().get_auto_instrumentation_status()}["openai"]
assert (again["status"], again["reason"]) == ("missing", "the program has switched it on itself"), again
""",
        start="",
    )
