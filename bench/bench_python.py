#!/usr/bin/env python3
"""What tracing costs a Python program: a decorated call, importing, a pipeline call.

usage: bench_python.py [calls|import|pipeline]...     (all, if none is named)

calls:    µs a decorated no-op adds, against the undecorated one; the ring is large enough that nothing is dropped.
import:   ms and MB that `import respan` + `Respan()` + the Hugging Face instrumentor add to a bare interpreter.
pipeline: µs that tracing adds to a text-generation pipeline call whose model is stubbed out.
No server is needed: what is measured happens before anything is sent.
"""

import subprocess
import sys
import time
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

    def plain(text=""):
        pass

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


def bench_import():
    code = (
        "import time\n"
        "def rss(): return int(open('/proc/self/statm').read().split()[1]) * 4096\n"
        "memory, began = rss(), time.perf_counter()\n"
        "from respan import Respan\n"
        "from respan_instrumentation_huggingface import HuggingFaceInstrumentor\n"
        f"Respan(base_url={NOWHERE!r}, instrumentations=[HuggingFaceInstrumentor()])\n"
        "print((time.perf_counter() - began) * 1e3, (rss() - memory) / 1e6)"
    )
    runs = [subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout for _ in range(11)]
    milliseconds, megabytes = zip(*(map(float, run.split()) for run in runs), strict=True)
    print(f"import and construct        {median(milliseconds):8.1f} ms")
    print(f"import and construct        {median(megabytes):8.1f} MB")


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


BENCHES = {"calls": bench_calls, "import": bench_import, "pipeline": bench_pipeline}

if __name__ == "__main__":
    for name in sys.argv[1:] or BENCHES:
        BENCHES[name]()
