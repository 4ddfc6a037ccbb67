#!/usr/bin/env python3
"""What tracing costs, beside OpenTelemetry and PyPI's respan-ai: one table of targets, figures and ratios, in Markdown.

usage: table.py [calls|pipeline|generation|c|sustained|import]... [--rounds N] [--spans N]      (all, if none is named)

Needs build-release (tools/run_bench makes it), .venv and .venv-compat (tools/make_compat_venv). Each server here is a real
`respan serve` on an empty store; whatever is written goes to a temporary folder. docs/performance.md says how each figure is
come by.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.request
from contextlib import ExitStack, contextmanager
from importlib import metadata
from pathlib import Path
from statistics import median

from report import Table, environment, load

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build-release"
OURS, PEERS = ROOT / ".venv/bin/python", ROOT / ".venv-compat/bin/python"
PYTHON = {"respan": OURS, "off": OURS, "opentelemetry": PEERS, "respan-ai": PEERS}
NOWHERE = "http://127.0.0.1:9/api"


class Server:
    """A `respan serve` with an empty store, and the environment of a program that sends to it."""

    def __init__(self, home):
        command = [BUILD / "respan", "serve", "--listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment(home), cwd=home)
        self.url = re.search(r"http\S+", self.process.stdout.readline())[0] + "/api"
        credentials = (Path(home) / "config/respan/credentials").read_text()
        self.key = re.search(r"^RESPAN_API_KEY=(.*)$", credentials, re.M)[1]
        self.environment = environment(home, RESPAN_BASE_URL=self.url, RESPAN_API_KEY=self.key)

    def spans(self):
        headers = {"Authorization": f"Bearer {self.key}"}
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}/session/", headers=headers)) as answer:
            return json.load(answer)["spans"]


@contextmanager
def server():
    with tempfile.TemporaryDirectory(prefix="respan-bench-") as home:
        one = Server(home)
        try:
            yield one
        finally:
            one.process.terminate()
            one.process.wait()


# ---- a call ----------------------------------------------------------------------------------------------------------

BURST = {"respan": 5000, "off": 20_000, "opentelemetry": 500, "respan-ai": 200}


class Caller:
    """A process of bench/calls.py, or of another script that answers in the same way."""

    def __init__(self, stack, name, env, script="calls.py", *arguments, burst=None):
        command = [PYTHON[name], ROOT / "bench" / script, name, *arguments]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = stack.enter_context(subprocess.Popen(command, text=True, env=env, **pipes))
        stack.callback(self.process.stdin.close)
        self.burst = burst or BURST.get(name)
        assert self.process.stdout.readline() == "ready\n"

    def ask(self, what):
        count = self.burst if what != "long" else self.burst // 10
        return self.numbers(f"{what} {count}")[0]

    def numbers(self, line):
        print(line, file=self.process.stdin, flush=True)
        return [float(number) for number in self.process.stdout.readline().split()]


def measure_calls(rounds):
    """{(tracer, what): median ns}, all of them in turns."""
    with server() as target, ExitStack() as stack:
        callers = {name: Caller(stack, name, target.environment) for name in BURST}
        got = {(name, what): [] for name in callers for what in ("sync", "coroutine", "long")}
        for _ in range(rounds):
            for (name, what), values in got.items():
                values.append(callers[name].ask(what))
    return {which: median(values) for which, values in got.items()}


def calls(table, options):
    ns = measure_calls(options.rounds)

    def compare(what, tracer, kind, at_least=None):
        peer, ours = ns[tracer, kind], ns["respan", kind]
        target, good = ("", None) if at_least is None else (f"≥ {at_least}×", peer / ours >= at_least)
        table.line(f"{what}; {tracer}", target, f"{ours:.0f} ns", f"{peer:,.0f} ns", f"{peer / ours:.1f}×", good)

    sync, coroutine = ns["respan", "sync"], ns["respan", "coroutine"]
    table.line("`@workflow`, a short string in and out", "≤ 500 ns", f"{sync:.0f} ns", good=sync <= 500)
    compare("the same", "opentelemetry", "sync", 35)
    compare("the same", "respan-ai", "sync", 100)
    table.line("a coroutine", "≤ 1000 ns", f"{coroutine:.0f} ns", good=coroutine <= 1000)
    compare("the same", "opentelemetry", "coroutine")
    compare("the same", "respan-ai", "coroutine")
    compare("10 kB in", "opentelemetry", "long")
    compare("10 kB in", "respan-ai", "long")
    for what, kind in (("tracing off", "sync"), ("tracing off, a coroutine", "coroutine")):
        off = ns["off", kind]
        table.line(what, "≤ 60 ns", f"{off:.0f} ns", good=off <= 60)


# ---- a pipeline call -------------------------------------------------------------------------------------------------


def measure_pipeline(rounds):
    """{(tracer, what): median ns}"""
    model = ROOT / ".run/huggingface"
    subprocess.run([OURS, ROOT / "tools/make_tiny_model.py", model], check=True, stdout=subprocess.DEVNULL)
    offline = {"HF_HOME": str(model), "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    quiet = {"TRANSFORMERS_VERBOSITY": "error", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    bursts = {"respan": 1000, "respan-ai": 100}
    with server() as target, ExitStack() as stack:
        env = {**target.environment, **offline, **quiet}
        callers = {name: Caller(stack, name, env, "pipeline.py", burst=burst) for name, burst in bursts.items()}
        got = {(name, what): [] for name in callers for what in ("one", "batch")}
        for _ in range(rounds):
            for (name, what), values in got.items():
                values.append(callers[name].ask(what))
    return {which: median(values) for which, values in got.items()}


def pipelines(table, options):
    ns = measure_pipeline(max(options.rounds // 3, 3))
    for kind, what, most in (("one", "one prompt", 25), ("batch", "a batch of 32", 60)):
        ours, peer = ns["respan", kind] / 1e3, ns["respan-ai", kind] / 1e3
        told = f"{ours:.1f} µs", f"{peer:,.0f} µs"
        table.line(f"a pipeline call, {what}; respan-ai", f"≤ {most} µs", *told, f"1/{peer / ours:.0f}", ours <= most)


# ---- generating with a real model --------------------------------------------------------------------------------------


def measure_generation(rounds):
    """{(tracer, what): [numbers of a round]}, all of them in turns."""
    model = ROOT / ".run/smollm2"
    if not (model / "model.safetensors").exists():
        subprocess.run([OURS, ROOT / "bench/generation.py", "save", model], check=True, stdout=subprocess.DEVNULL)
    quiet = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
    asked = {"respan": ("pipeline", "generate", "times", "added"), "respan-ai": ("pipeline",)}
    with server() as target, ExitStack() as stack:
        env = {**target.environment, **quiet, "TOKENIZERS_PARALLELISM": "false"}
        callers = {name: Caller(stack, name, env, "generation.py", model) for name in asked}
        got = {(name, what): [] for name in asked for what in asked[name]}
        for _ in range(rounds):
            for (name, what), values in got.items():
                values.append(callers[name].numbers(what))
    return got


def generation(table, options):
    got = measure_generation(max(options.rounds // 3, 5))

    def percent_added(tracer, what):
        """Of each round, which is an untraced and a traced call: its median; how far rounds are apart."""
        each = sorted(100 * (traced / untraced - 1) for untraced, traced in got[tracer, what])
        return f"{median(each):+.2f} % ({each[len(each) // 4]:+.1f} to {each[-1 - len(each) // 4]:+.1f})"

    call = min(untraced for untraced, _ in got["respan", "generate"])
    added = median(one for [one] in got["respan", "added"])
    share = 100 * added / call
    table.line(
        "SmolLM2-135M, `generate()` of 40 tokens: what tracing adds",
        "≤ 1 %",
        f"{share:.3f} % ({added * 1e6:.0f} µs of {call:.2f} s)",
        good=share <= 1,
    )
    table.line("the same, calls in turns (middle half of the rounds)", "", percent_added("respan", "generate"))
    ours, peer = percent_added("respan", "pipeline"), percent_added("respan-ai", "pipeline")
    table.line("the same, a pipeline's; respan-ai", "", ours, peer)
    for at, what in enumerate(("time to first token", "tokens per second")):
        off = [numbers[at] for numbers in got["respan", "times"]]
        told = f"{median(off):.2f} %, at worst {max(off):.2f} %"
        table.line(f"{what}, off a streamer timed by hand", "≤ 2 %", told, good=median(off) <= 2)


# ---- a span in C -----------------------------------------------------------------------------------------------------


def in_c(table, _):
    with tempfile.TemporaryDirectory(prefix="respan-bench-") as home:
        command = [BUILD / "bench/bench_sdk"]
        printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment(home)).stdout
    one, four, floor = (dict(part.split("=") for part in line.split()) for line in printed.splitlines()[:3])
    cpu, ratio = int(one["cpu_ns"]), float(floor["ratio"])
    table.line("a span in C, six attributes", "≤ 150 ns", f"{cpu} ns", good=cpu <= 150)
    at_least = f"{floor['floor_ns']} ns"
    what = f"the same; two clock reads and copying its {floor['bytes']} bytes"
    table.line(what, "≤ 3×", f"{cpu} ns", at_least, f"{ratio:.1f}×", ratio <= 3)
    table.line("the same, four threads at once", "", f"{four['cpu_ns']} ns")


# ---- sustained -------------------------------------------------------------------------------------------------------


def run_sustained(command, spans, rate):
    with server() as target:
        whole = [*command, str(spans), str(rate)]
        printed = subprocess.run(whole, check=True, stdout=subprocess.PIPE, text=True, env=target.environment).stdout
        result = json.loads(printed)
        result["delivered"] = target.spans() - 10_000  # the program's warm-up
        result["per_s"] = result["delivered"] / result["seconds"]
        return result


def sustained(table, options):
    script = ROOT / "bench/sustained.py"
    otel = [PEERS, script, "opentelemetry"]
    programs = {"C": [BUILD / "bench/bench_sustained"], "Python": [OURS, script, "respan"]}
    # The peer before and after ours; a tenth of the spans, since it takes that much longer.
    peer = [run_sustained(otel, options.spans // 10, 0)]
    rate = 25 * peer[0]["per_s"]
    ours = {name: run_sustained(command, options.spans, rate) for name, command in programs.items()}
    peer.append(run_sustained(otel, options.spans // 10, 0))
    peer_rate = sum(one["delivered"] for one in peer) / sum(one["seconds"] for one in peer)
    peer_p999, peer_rss = max(one["p999_us"] for one in peer), max(one["rss_growth_mb"] for one in peer)
    for name, one in ours.items():
        what = f"{one['spans']:,} spans, four {name} threads"
        lost, ratio = one["spans"] - one["delivered"], one["per_s"] / peer_rate
        table.line(f"{what}: lost", "0", f"{lost:,}", good=lost == 0)
        rates = f"{one['per_s']:,.0f}/s", f"{peer_rate:,.0f}/s"
        table.line(f"{what}: delivered", "≥ 20×", *rates, f"{ratio:.1f}×", ratio >= 20)
        p999 = f"{one['p999_us']:.0f} µs", f"{peer_p999:,.0f} µs"
        table.line(f"{what}: ten of them took, p99.9", "≤ 1000 µs", *p999, good=one["p999_us"] <= 1000)
        grown = f"{one['rss_growth_mb']:.1f} MB", f"{peer_rss:.1f} MB"
        table.line(f"{what}: memory grew by", "≤ 16 MB", *grown, good=one["rss_growth_mb"] <= 16)
    for name, command in programs.items():
        one = run_sustained(command, options.spans, 0)
        what = f"the same, {name}, as fast as it can: delivered"
        lost = f"{one['spans'] - one['delivered']:,} lost"
        table.line(what, "", f"{one['per_s']:,.0f}/s, {lost}", "", f"{one['per_s'] / peer_rate:.1f}×")


# ---- import ----------------------------------------------------------------------------------------------------------

IMPORTS = {
    "respan": f"""
from respan import Respan
from respan_instrumentation_huggingface import HuggingFaceInstrumentor
Respan(base_url={NOWHERE!r}, api_key="k", instrumentations=[HuggingFaceInstrumentor()])
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
Respan(base_url={NOWHERE!r}, api_key="k", log_level="ERROR", instrumentations=[HuggingFaceInstrumentor()])
""",
}
AROUND_IMPORT = """
import os, time
def rss(): return int(open('/proc/self/statm').read().split()[1]) * os.sysconf('SC_PAGESIZE')
memory, began = rss(), time.process_time()
{}
print((time.process_time() - began) * 1e3, (rss() - memory) / 1e6, flush=True)
os._exit(0)
"""


def import_cost(name, home):
    command = [PYTHON[name], "-c", AROUND_IMPORT.format(IMPORTS[name])]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment(home))
    return tuple(map(float, done.stdout.split()))


def measure_instrumenting(rounds):
    """{(tracer, when): [the milliseconds of each round]}; a process each (bench/instrumenting.py), in turns."""
    whens = [
        ("respan", "before"),
        ("respan", "after"),
        ("respan-ai", "before"),
        ("respan-ai", "after"),
        ("respan", "hook"),
    ]
    got = {which: [] for which in whens}
    with tempfile.TemporaryDirectory(prefix="respan-bench-") as home:
        for _ in range(rounds):
            for (name, when), values in got.items():
                command = [PYTHON[name], ROOT / "bench/instrumenting.py", name, when]
                pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
                done = subprocess.run(command, check=True, text=True, env=environment(home), **pipes)
                values.append([float(number) for number in done.stdout.split()])
    return got


def instrumenting(table, rounds):
    got = measure_instrumenting(rounds)

    def middle(tracer, when, at):
        return median(numbers[at] for numbers in got[tracer, when])

    def row(what, when, at, most=None):
        ours, peer = middle("respan", when, at), middle("respan-ai", when, at)
        target, good = ("", None) if most is None else (f"≤ {most} ms", ours <= most)
        table.line(what, target, f"{ours:.1f} ms", f"{peer:,.0f} ms", f"1/{peer / ours:.0f}", good)

    def added(tracer, loads):
        """loads: which figures of "before" are of loading the library."""
        rounds = zip(got[tracer, "before"], got[tracer, "after"], strict=True)
        each = sorted(sum(before[at] for at in loads) - after[0] for before, after in rounds)
        return f"{median(each):+,.0f} ms ({each[0]:+,.0f} to {each[-1]:+,.0f})"

    row("`import respan_instrumentation_huggingface`; respan-ai", "before", 0)
    row("`instrument()` before transformers is loaded; respan-ai, which loads it", "before", 1, 5)
    hook, whole = middle("respan", "hook", 0), middle("respan", "after", 0)
    what = "`import transformers`, `from transformers import pipeline`"
    table.line(f"{what}: the import hook", "≤ 5 ms", f"{hook:.1f} ms of {whole:,.0f} ms", good=hook <= 5)
    table.line(
        "the same, what instrumenting adds, in turns; respan-ai", "", added("respan", [2]), added("respan-ai", [1, 2])
    )
    row("`instrument()` after transformers is loaded; respan-ai", "after", 1)


def imports(table, options):
    with tempfile.TemporaryDirectory(prefix="respan-bench-") as home:
        got = {name: [] for name in IMPORTS}
        for _ in range(max(options.rounds // 2, 3)):
            for name, values in got.items():
                values.append(import_cost(name, home))
    cost = {name: [median(column) for column in zip(*values, strict=True)] for name, values in got.items()}
    (ms, mb), (peer_ms, peer_mb), (otel_ms, otel_mb) = cost["respan"], cost["respan-ai"], cost["opentelemetry"]
    what = "import, `Respan()`, the Hugging Face instrumentor"
    times = f"{ms:.1f} ms", f"{peer_ms:.0f} ms"
    table.line(f"{what}; respan-ai: CPU", "≤ 1/40", *times, f"1/{peer_ms / ms:.0f}", peer_ms / ms >= 40)
    sizes = f"{mb:.1f} MB", f"{peer_mb:.1f} MB"
    table.line(f"{what}; respan-ai: memory", "≤ 1/10", *sizes, f"1/{peer_mb / mb:.0f}", peer_mb / mb >= 10)
    table.line("import and construct; opentelemetry: CPU", "", times[0], f"{otel_ms:.0f} ms", f"1/{otel_ms / ms:.0f}")
    table.line("the same: memory", "", sizes[0], f"{otel_mb:.1f} MB", f"1/{otel_mb / mb:.0f}")
    instrumenting(table, max(options.rounds // 3, 3))
    packages = "respan-ai", "respan-instrumentation-huggingface"
    required = {one for package in packages for one in metadata.requires(package) or () if "extra ==" not in one}
    required -= {one for one in required if one.startswith("respan-ai")}  # ours
    named = ", ".join(sorted(required)) or "none"
    table.line("packages that it requires", "none", named, good=not required)


PARTS = {
    "calls": calls,
    "pipeline": pipelines,
    "generation": generation,
    "c": in_c,
    "sustained": sustained,
    "import": imports,
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--spans", type=int, default=1_000_000)
    options = parser.parse_args()
    for needed in (PEERS, BUILD / "bench/bench_sustained"):
        if not needed.exists():
            sys.exit(f"table.py: there is no {needed}: run tools/make_compat_venv and tools/run_bench")
    processor = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.M)[1]
    cores = len(os.sched_getaffinity(0))
    print(f"{processor}, {cores} cores, load average {load()} at the beginning, Python {sys.version.split()[0]}\n")
    table = Table()
    for part in options.parts or PARTS:
        PARTS[part](table, options)
    print(f"\nload average {load()} at the end; {table.missed} missed")


main()
