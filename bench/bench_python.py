#!/usr/bin/env python3
"""What tracing costs a Python program: a decorated call, importing, a pipeline call.

usage: bench_python.py [calls|import|pipeline|peers]...     (all, if none is named)

calls:    µs a decorated no-op adds, against the undecorated one; the ring is large enough that nothing is dropped.
import:   ms and MB that `import respan` + `Respan()` + the Hugging Face instrumentor add to a bare interpreter.
pipeline: µs that tracing adds to a text-generation pipeline call whose model is stubbed out.
peers:    the same decorated call, one after the other, with ours, with plain OpenTelemetry (a span without attributes, an
          exporter that does nothing) and with PyPI's respan-ai (its flush at each root off), and import and construct
          with each; needs .venv-compat (tools/make_compat_venv).
No server is needed: what is measured happens before anything is sent.
"""

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

NOWHERE = "http://127.0.0.1:9/api"
ROUNDS = 15


def per_call_us(function, count):
    """The best of ROUNDS runs, each `count` calls: whatever else the machine does only adds."""
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(count):
            function()
        took.append((time.perf_counter() - began) / count * 1e6)
    return min(took)


def bench_calls():
    import asyncio

    from respan import Respan, task, workflow

    async def plain_coroutine():
        pass

    async def per_coroutine_us(function):
        took = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            for _ in range(count):
                await function()
            took.append((time.perf_counter() - began) / count * 1e6)
        return min(took)

    count = 1_000
    document = "x" * 10_000
    traced, traced_coroutine = task(plain), task(plain_coroutine)
    respan = Respan(base_url=NOWHERE)

    @workflow
    def within():
        return per_call_us(traced, count)

    base = per_call_us(plain, count)
    print(f"decorated call, root        {per_call_us(traced, count) - base:8.3f} µs")
    print(f"decorated call, child       {within() - base:8.3f} µs")
    print(f"decorated call, 10 kB in    {per_call_us(lambda: traced(document), 100) - base:8.3f} µs")
    base = asyncio.run(per_coroutine_us(plain_coroutine))
    print(f"decorated coroutine         {asyncio.run(per_coroutine_us(traced_coroutine)) - base:8.3f} µs")
    dropped = respan.stats()["dropped"]
    respan.shutdown(0)
    print(f"dropped                     {dropped:8d}")


IMPORTS = {
    "respan": f"""
from respan import Respan
from respan_instrumentation_huggingface import HuggingFaceInstrumentor
Respan(base_url={NOWHERE!r}, instrumentations=[HuggingFaceInstrumentor()])
""",
    "opentelemetry": """
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
TracerProvider().add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
""",
    "respan-ai": f"""
from respan import Respan
from respan_instrumentation_huggingface import HuggingFaceInstrumentor
Respan(api_key="k", base_url={NOWHERE!r}, log_level="ERROR", instrumentations=[HuggingFaceInstrumentor()])
""",
}


def import_cost(python, name, runs):
    """(ms, MB) that it adds to a bare interpreter: medians."""
    code = (
        "import os, time\n"
        "def rss(): return int(open('/proc/self/statm').read().split()[1]) * os.sysconf('SC_PAGESIZE')\n"
        f"memory, began = rss(), time.perf_counter()\n{IMPORTS[name]}"
        "print((time.perf_counter() - began) * 1e3, (rss() - memory) / 1e6, flush=True)\n"
        "os._exit(0)"
    )
    lines = [
        subprocess.run([python, "-c", code], check=True, stdout=subprocess.PIPE, text=True).stdout for _ in range(runs)
    ]
    milliseconds, megabytes = zip(*(map(float, line.split()) for line in lines), strict=True)
    return median(milliseconds), median(megabytes)


def bench_import():
    milliseconds, megabytes = import_cost(sys.executable, "respan", 21)
    print(f"import and construct        {milliseconds:8.1f} ms")
    print(f"import and construct        {megabytes:8.1f} MB")


def plain(text=""):
    pass


def traced_by(name):
    if name == "opentelemetry":
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

        provider = TracerProvider()
        provider.add_span_processor(BatchSpanProcessor(SpanExporter()))
        return provider.get_tracer("bench").start_as_current_span("plain")(plain)
    from respan import Respan, task

    more = {"auto_flush": "off", "log_level": "CRITICAL"} if name == "respan-ai" else {}
    Respan(base_url=NOWHERE, api_key="k", is_auto_instrument=False, **more)
    return task(name="plain")(plain)


def peer(name):
    """Prints what a decorated call costs, in µs; in an interpreter that has `name`."""
    import os

    traced = traced_by(name)
    print(per_call_us(traced, 500) - per_call_us(plain, 500), flush=True)
    os._exit(0)  # nobody waits for a server that is not there


def bench_peers():
    python = Path(__file__).resolve().parents[1] / ".venv-compat" / "bin" / "python"
    if not python.exists():
        print("peers: there is no .venv-compat: tools/make_compat_venv makes it")
        return
    ours = None
    for name in IMPORTS:
        interpreter = sys.executable if name == "respan" else str(python)
        run = [interpreter, __file__, "--peer", name]
        call = float(subprocess.run(run, check=True, stdout=subprocess.PIPE, text=True).stdout)
        cost = (call, *import_cost(interpreter, name, 11 if name == "respan" else 5))
        ours = ours or cost
        ratios = " ".join(f"{mine / one:6.1f}x" for mine, one in zip(cost, ours, strict=True))
        print(f"{name:<16}{cost[0]:8.2f} µs a call {cost[1]:8.1f} ms {cost[2]:6.1f} MB to import   {ratios}")


def bench_pipeline():
    import torch
    from respan import Respan
    from respan_instrumentation_huggingface import HuggingFaceInstrumentor
    from transformers import TextGenerationPipeline, pipeline

    generator = pipeline("text-generation", model="sshleifer/tiny-gpt2", do_sample=False)
    prompt = "Tracing Hugging Face pipelines helps"
    ids = generator.tokenizer(prompt, return_tensors="pt")
    generated = torch.cat([ids["input_ids"], torch.full((1, 20), 5)], dim=1).reshape(1, 1, -1)
    outputs = {"generated_sequence": generated, "input_ids": ids["input_ids"], "prompt_text": prompt}
    result = [{"generated_text": prompt + " a lot of people"}]

    def forward(self, model_inputs, **_):
        return outputs

    def run_single(self, inputs, *_):
        self._forward(ids)
        return result

    TextGenerationPipeline._forward = forward
    TextGenerationPipeline.run_single = run_single

    def call():
        return generator(prompt, max_new_tokens=20)

    def rounds():
        return per_call_us(call, 1_000)

    rounds()
    base = rounds()
    respan = Respan(base_url=NOWHERE, instrumentations=[HuggingFaceInstrumentor()])
    rounds()
    traced = rounds()
    respan.shutdown(0)
    print(f"pipeline call, untraced     {base:8.1f} µs (model stubbed)")
    print(f"pipeline call, added        {traced - base:8.1f} µs")


BENCHES = {"calls": bench_calls, "import": bench_import, "pipeline": bench_pipeline, "peers": bench_peers}

if __name__ == "__main__":
    if sys.argv[1:2] == ["--peer"]:
        peer(sys.argv[2])
    for name in sys.argv[1:] or BENCHES:
        BENCHES[name]()
