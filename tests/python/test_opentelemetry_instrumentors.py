"""OpenTelemetry's instrumentors switched on and off by Respan, and beside ours."""


def test_an_instrumentor_is_switched_on_and_off(run_otel, server):
    run_otel(
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


def test_openai_by_its_instrumentor(run_otel, server):
    run_otel(
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


def test_a_pipeline_call_has_one_span(run_otel, server, generator):
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
    run_otel(code, start="")
    ours, upstream = "text_completion sshleifer/tiny-gpt2", "transformers_text_generation_pipeline.call"
    assert [span.name for span in server.spans] == [ours, ours, upstream]
    assert "otel.scope.name" not in server.spans[0].attributes and server.spans[0].parent_id == ""
    assert server.spans[2].attributes["gen_ai.completion.0.content"].startswith("Hello")


def test_a_pipeline_call_has_one_span_with_a_joined_sdk(run_otel, server, generator):
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
    run_otel(code, start="")
    ours, flow = "text_completion sshleifer/tiny-gpt2", "flow.workflow"
    upstream = "transformers_text_generation_pipeline.call"
    by_id = {span.span_id: span.name for span in server.spans}
    tree = [(span.name, by_id.get(span.parent_id)) for span in server.spans]
    assert tree == [*[(ours, None), (ours, flow), (flow, None)] * 2, (upstream, flow), (flow, None)]


def test_instrumentors_come_and_go(run_otel, generator):
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
    run_otel(code, start="")


def test_opentelemetry_s_instrumentors_are_switched_on_by_themselves(run_otel):
    run_otel(
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
