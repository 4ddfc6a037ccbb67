"""OpenTelemetry's API on our spans. (test_opentelemetry_instrumentors.py: its instrumentors; test_opentelemetry_sdk.py: beside an SDK.)"""


def test_a_span_arrives_whole(run_otel, server):
    run_otel("""
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


def test_parents_in_both_directions(run_otel, server):
    run_otel("""
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


def test_threads_and_tasks(run_otel, server):
    run_otel("""
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


def test_a_parent_in_another_process(run_otel, server):
    """W3C traceparent in and out, by OpenTelemetry's own propagator."""
    done = run_otel("""
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


def test_exceptions(run_otel, server):
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
    run_otel(code)
    first, second, left, decorated = server.spans
    assert (first.status, first.status_message) == (2, "ValueError: a secret") == (left.status, left.status_message)
    assert [name for name, _ in first.events] == ["exception"] == [name for name, _ in left.events]
    assert second.status == 0 and second.events == [] and decorated.name == "decorated"
    server.bodies.clear()
    run_otel(code, TRACELOOP_TRACE_CONTENT="false")
    assert len(server.spans) == 4 and not any(b"a secret" in body for body in server.bodies)
    assert server.spans[0].events[0][1] == {"exception.type": "ValueError", "exception.escaped": "False"}


def test_suppression_and_tracing_off(run_otel, server):
    run_otel("""
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


def test_span_postprocess_callback_sees_them(run_otel, server):
    run_otel(
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


def test_nothing_of_it_is_imported_until_the_program_does(run_otel, script):
    code = """
import sys
from respan import Respan, workflow
respan = Respan(is_auto_instrument=False)
workflow(lambda: 1)()
assert not [name for name in sys.modules if name.startswith(("opentelemetry", "respan._otel"))]
"""
    assert script(code).returncode == 0  # where it is not installed
    run_otel(
        code
        + """
from opentelemetry import trace
assert type(trace.get_tracer_provider()).__module__ == "respan._otel"
respan.shutdown()
""",
        start="",
    )
    run_otel(
        """
from respan import Respan
Respan(is_auto_instrument=False).shutdown()
Respan(is_enabled=False)
from opentelemetry import trace
assert isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)
""",
        start="",
    )


def test_no_leak(run_otel):
    """A span, its context and the current one's stand-in are gone once it has ended."""
    run_otel("""
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


def test_the_client_s_spans_are_opentelemetry_s_too(run_otel, server):
    run_otel("""
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
