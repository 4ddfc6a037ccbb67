#!/usr/bin/env python3
"""What the server takes in, keeps and answers, and what that costs: one table of targets and figures, in Markdown.

usage: server.py [ingest|growth|idle|peers]... [--spans N] [--rounds N] [--binary PATH]      (all, if none is named)

Needs build-release (tools/run_bench makes it) and, beside the checkout, shared/bench with loadgen.c, which makes the load, and
sqlraw.c, which puts the same spans into rows of one SQLite table. Every server is a real `respan serve`, asked over HTTP on a
connection that stays open. Writes to $TMPDIR: some 2.5 GB for ten million spans. docs/performance.md says how each figure is
come by.
"""

import argparse
import http.client
import itertools
import json
import os
import random
import re
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from urllib.parse import quote

from peers import PEERS
from report import Table, environment, load

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT.parent / "shared/bench"
TICK = os.sysconf("SC_CLK_TCK")
ASKED = 100  # times, each question
PATIENCE_S = 20  # then a question was asked often enough
FIELDS = ("model", "log_type", "customer_identifier", "session_identifier", "environment", "name", "status_code")


# ---- the programs ----------------------------------------------------------------------------------------------------


class Server:
    """`respan serve` on a store that stays when it ends."""

    def __init__(self, binary, home):
        self.command = [binary, "serve", "--listen", "127.0.0.1:0"]
        self.home = Path(home)
        self.environment = environment(home)
        self.start()
        self.key = self.find_key()

    def start(self):
        began = time.perf_counter()
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
        self.process = subprocess.Popen(self.command, env=self.environment, cwd=self.home, **pipes)
        self.port = int(re.search(r":(\d+)", self.process.stdout.readline())[1])
        self.connection = None
        self.ask("/readyz")
        self.ready_ms = (time.perf_counter() - began) * 1e3

    def find_key(self):
        self.process.stdout.readline()  # the first start has written it by then
        return re.search(r"^RESPAN_API_KEY=(.*)$", (self.home / "config/respan/credentials").read_text(), re.M)[1]

    def stop(self, how="terminate"):
        getattr(self.process, how)()
        self.process.wait()
        self.process.stdout.close()

    def cpu(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def megabytes(self, which="VmRSS"):
        return int(re.search(rf"{which}:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())[1]) / 1024

    def stored_bytes(self):
        return sum(one.stat().st_size for one in (self.home / "data").rglob("*") if one.is_file())

    def ask(self, path):
        """The answer, over a connection that stays open, until the server closes it after a minute without questions."""
        headers = {"Authorization": f"Bearer {getattr(self, 'key', '')}"}
        for last in (False, True):
            self.connection = self.connection or http.client.HTTPConnection("127.0.0.1", self.port)
            try:
                self.connection.request("GET", path, headers=headers)
                answer = self.connection.getresponse()
                body = answer.read()
                break
            except (http.client.RemoteDisconnected, ConnectionError):
                self.connection = None
                if last:
                    raise
        assert answer.status == 200, (path, answer.status, body[:200])
        return body

    def json(self, path):
        return json.loads(self.ask(path))


@contextmanager
def server(options):
    with tempfile.TemporaryDirectory(prefix="respan-bench-") as home:
        one = Server(options.binary, home)
        try:
            yield one
        finally:
            one.stop("kill")


class Tools:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.loadgen = self.compile("loadgen", "-lpthread", "-lz")
        self.sqlraw = self.compile("sqlraw", "-lsqlite3")

    def compile(self, name, *libraries):
        made = self.folder / name
        subprocess.run(["gcc", "-O2", "-w", "-o", made, TOOLS / f"{name}.c", *libraries], check=True)
        return made

    def load_command(self, target, spans, *more):
        where = ["-p", str(target.port), "--path", "/api/v2/traces", "-H", f"Authorization: Bearer {target.key}"]
        return [self.loadgen, *where, "-n", str(spans), *map(str, more)]

    def load(self, target, spans, *more):
        """Its figures, with the server's CPU seconds for 100,000 spans."""
        before = target.cpu()
        done = subprocess.run(self.load_command(target, spans, *more), stdout=subprocess.PIPE, text=True, check=True)
        result = json.loads(done.stdout)
        assert result["ok_spans"] == spans, result
        result["cpu"] = (target.cpu() - before) / spans * 1e5
        return result

    def raw(self, spans):
        """Rows a second of the same spans, 1,000 a commit."""
        dump, database = self.folder / "dump", self.folder / "raw.db"
        if not dump.exists():
            subprocess.run([self.loadgen, "-b", "500", "-n", str(spans), "--dump", dump], check=True)
        command = [self.sqlraw, dump, database, "NORMAL", "1000", str(spans)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        for made in self.folder.glob("raw.db*"):
            made.unlink()
        return json.loads(done.stdout)["rows_per_s"]


# ---- taking in -------------------------------------------------------------------------------------------------------


def ingest(table, options, tools):
    """Each kind of load on an empty store, in turns."""
    spans = min(options.spans, 400_000)
    kinds = {
        "eight": ("-c", 8, "-b", 500),
        "one": ("-c", 1, "-b", 10),
        "json": ("-c", 8, "-b", 500, "--json"),
        "gzip": ("-c", 8, "-b", 500, "--gzip"),
    }
    got = {kind: [] for kind in kinds}
    raw = []
    for _ in range(options.rounds):
        for kind, arguments in kinds.items():
            with server(options) as target:
                one = tools.load(target, spans if kind != "one" else spans // 10, *arguments)
                one["rss"] = target.megabytes("VmHWM")
                target.stop("terminate")  # with its last checkpoint
                one["bytes"] = target.stored_bytes() / one["ok_spans"]
                got[kind].append(one)
        raw.append(tools.raw(spans))

    def middle(kind, what):
        return median(one[what] for one in got[kind])

    def row(what, target, figure, good, peer="", ratio=""):
        table.line(what, target, figure, peer, ratio, good)

    rate, rows = middle("eight", "spans_per_s"), median(raw)
    what = f"{spans:,} spans, 8 connections, 500 a request"
    row(f"{what}: taken in", "≥ 150,000/s", f"{rate:,.0f}/s", rate >= 150_000)
    row("the same; rows of one SQLite table, no HTTP", "≥ 1.15×", f"{rate:,.0f}/s", rate >= 1.15 * rows,
        f"{rows:,.0f}/s", f"{rate / rows:.2f}×")  # fmt: skip
    cpu, rss, p99 = middle("eight", "cpu"), middle("eight", "rss"), middle("eight", "p99_ms")
    row("the same: CPU of 100,000", "≤ 0.9 s", f"{cpu:.2f} s", cpu <= 0.9)
    row("the same: most memory", "≤ 96 MB", f"{rss:.0f} MB", rss <= 96)
    row("the same: acknowledged, p99", "≤ 120 ms", f"{p99:.0f} ms", p99 <= 120)
    size = middle("eight", "bytes")
    row("the same: on disk, a span", "≤ 280 bytes", f"{size:.0f} bytes", size <= 280)
    for kind, what, most in (
        ("one", "1 connection, 10 a request", 20_000),
        ("json", "8 connections, 500 a request, JSON", 50_000),
        ("gzip", "8 connections, 500 a request, gzip", 80_000),
    ):
        rate = middle(kind, "spans_per_s")
        told = f"{rate:,.0f}/s, p99 {middle(kind, 'p99_ms'):.1f} ms, {middle(kind, 'cpu'):.2f} s CPU of 100,000"
        row(what, f"≥ {most:,}/s", told, rate >= most)
    row("1 connection, 10 a request: on disk, a span", "", f"{middle('one', 'bytes'):.0f} bytes", None)


# ---- growth ----------------------------------------------------------------------------------------------------------


def p95_ms(target, paths, times=ASKED):
    """Of the paths in turn, so often; what is asked for the first time is not counted."""
    took = []
    end = time.perf_counter() + PATIENCE_S
    for path in paths[:3]:
        target.ask(path)
    for path in itertools.islice(itertools.cycle(paths), times):
        began = time.perf_counter()
        target.ask(path)
        took.append((time.perf_counter() - began) * 1e3)
        if time.perf_counter() > end:
            break
    return sorted(took)[len(took) * 95 // 100]


class Questions:
    """What lists and traces are asked for, of values that are in the store."""

    def __init__(self, target):
        chance = random.Random(1)
        pages = [target.json("/api/traces/list/?page_size=200")]
        span = [pages[0]["results"][0]["start_time"], self.oldest(target)]
        first, last = (self.seconds(text) for text in reversed(span))
        for _ in range(10):
            at = first + chance.random() * (last - first)
            pages.append(target.json(f"/api/traces/list/?page_size=50&end_time={at:.0f}"))
        rows = [row for page in pages for row in page["results"]]
        self.traces = [row["trace_unique_id"] for row in chance.sample(rows, min(len(rows), 200))]
        self.values = {}
        for field in FIELDS:
            known = sorted({row[field] for row in rows if row.get(field)})
            self.values[field] = chance.sample(known, min(len(known), 10))
        self.values["log_type"] = ["chat", "task", "workflow"]
        self.chance = chance

    @staticmethod
    def seconds(text):
        return time.mktime(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone

    @staticmethod
    def oldest(target):
        return target.json("/api/traces/list/?page_size=1&sort_by=start_time")["results"][0]["start_time"]

    def newest(self):
        return ["/api/traces/list/"]

    def filtered(self, *fields):
        def one():
            return "&".join(f"{field}={quote(self.chance.choice(self.values[field]))}" for field in fields)

        return [f"/api/traces/list/?{one()}" for _ in range(20)]

    def rare(self):
        """The number of a session is in the spans of five traces."""
        return [f"/api/traces/list/?q={one.removeprefix('session-')}" for one in self.values["session_identifier"]]

    def trace(self):
        return [f"/api/traces/{one}/" for one in self.traces]


def worst(target, questions, n):
    """(p95, fields) of the slowest filter by n fields."""
    each = itertools.combinations([field for field in FIELDS if questions.values[field]], n)
    return max((p95_ms(target, questions.filtered(*fields), 40), " and ".join(fields)) for fields in each)


def questions_at(target, big):
    """{question: p95} and which filter was slowest."""
    questions = Questions(target)
    one, one_field = worst(target, questions, 1)
    two, two_fields = worst(target, questions, 2)
    return {
        "list": p95_ms(target, questions.newest()),
        "one": one,
        "two": two,
        "text": p95_ms(target, questions.rare(), 40),
        "trace": p95_ms(target, questions.trace()),
        "big": p95_ms(target, [big], 10),
        "tree": p95_ms(target, [f"{big}?view=tree"], 10),
        "percentiles": p95_ms(target, ["/api/metrics/series/?bucket=hour"]),
        "models": p95_ms(target, ["/api/metrics/series/?bucket=hour&group_by=model"]),
    }, (one_field, two_fields)


def growth(table, options, tools):
    """One store, a tenth at a time; questions at each power of ten."""
    step = options.spans // 10
    began = int(time.time()) - options.spans // SPANS_A_SECOND - 60
    with server(options) as target:
        tools.load(target, 10_000, "-c", 1, "-b", 500, "--big", 10_000, "--seed", 7)
        big = f"/api/traces/{target.json('/api/traces/list/?page_size=1')['results'][0]['trace_unique_id']}/"
        rates, asked, stored = [], {}, 0
        curve = [
            "| spans | spans/s | CPU of 100,000 | p99 | memory | bytes a span |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
        for end in sorted({*(step * part for part in range(1, 11)), options.spans // 100, options.spans // 10}):
            batches = stored // 500
            got = tools.load(target, end - stored, "-c", 8, "-b", 500, "--t0", began, "--skip", batches)
            stored = end
            if end % step == 0:
                rates.append(got["spans_per_s"])
            size = target.stored_bytes() / (stored + 10_000)
            curve.append(
                f"| {stored:,} | {got['spans_per_s']:,.0f} | {got['cpu']:.2f} s | {got['p99_ms']:.0f} ms "
                f"| {target.megabytes():.0f} MB | {size:.0f} |"
            )
            if end in (options.spans // 100, options.spans // 10, options.spans):
                asked[end] = questions_at(target, big)
        kept = rates[-1] / rates[0]
        table.line(f"the last of {options.spans:,} spans, a tenth; the first tenth", "≥ 85 %", f"{100 * kept:.0f} %",
                   good=kept >= 0.85)  # fmt: skip
        lists(table, asked)
        while_taking_in(table, options, tools, target, big, asked[options.spans][0])
        restart(table, options, target)
    print("\n" + "\n".join(curve) + "\n", flush=True)


SPANS_A_SECOND = 1000  # in the time that the load generator's spans tell: 10 ms for each trace of ten

QUESTIONS = {
    "list": ("the newest 50", 5),
    "one": ("the newest 50 by one field, the slowest of them", 5),
    "two": ("the newest 50 by two fields, the slowest of them", 5),
    "text": ("full text, a rare word", 100),
    "trace": ("a trace of ten", 5),
    "big": ("a trace of 10,000", 40),
    "tree": ("a trace of 10,000, its tree alone", 15),
    "percentiles": ("counts, sums and percentiles of everything by the hour", 20),
    "models": ("the same of each model", 20),
}


def lists(table, asked):
    for question, (what, most) in QUESTIONS.items():
        for spans, (p95, (one, two)) in asked.items():
            which = {"one": f" ({one})", "two": f" ({two})"}.get(question, "")
            told = f"{p95[question]:.1f} ms{which}"
            table.line(f"{what}, {spans:,} spans: p95", f"≤ {most} ms", told, good=p95[question] <= most)


def while_taking_in(table, options, tools, target, big, quiet):
    """The same questions while spans come at half the rate that is asked of it."""
    command = tools.load_command(target, 100_000_000, "-c", 8, "-b", 500, "--rate", options.rate / 2, "--skip",
                                 options.spans // 500)  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as sender:
        time.sleep(1)
        busy, _ = questions_at(target, big)
        sender.kill()
    for question, (what, most) in QUESTIONS.items():
        told, ratio = f"{busy[question]:.1f} ms", busy[question] / quiet[question]
        good = ratio <= 2 or busy[question] <= most
        table.line(f"{what}, while taking in {options.rate / 2:,.0f}/s: p95", "≤ 2×", told,
                   f"{quiet[question]:.1f} ms", f"{ratio:.1f}×", good)  # fmt: skip


def restart(table, options, target):
    took = []
    for _ in range(3):
        target.stop("kill")
        target.start()
        took.append(target.ready_ms)
    table.line(f"{options.spans:,} spans, after `kill -9`: ready", "≤ 200 ms", f"{median(took):.0f} ms",
               good=median(took) <= 200)  # fmt: skip


# ---- idle ------------------------------------------------------------------------------------------------------------


def idle(table, options, _):
    ready = []
    with server(options) as target:
        for _ in range(max(options.rounds, 3)):
            target.stop()
            target.start()
            ready.append(target.ready_ms)
        time.sleep(3)  # past the trim that follows the first idle seconds
        rss = target.megabytes()
    table.line("empty: exec to ready", "≤ 20 ms", f"{median(ready):.0f} ms", good=median(ready) <= 20)
    table.line("idle: memory", "≤ 10 MB", f"{rss:.1f} MB", good=rss <= 10)


# ---- peers -----------------------------------------------------------------------------------------------------------

PEER_SPANS = 2000  # they take their time


def peers(table, options, tools):
    """The same few spans to each, 1 connection, 100 a request, until they are in its database."""
    with server(options) as target:
        rate = tools.load(target, PEER_SPANS, "-c", 1, "-b", 100)["spans_per_s"]
        newest, rss, ready = p95_ms(target, ["/api/traces/list/"]), target.megabytes(), target.ready_ms
    for peer in PEERS:
        if not peer.binary.exists():
            table.line(f"{peer.name}", "", "", "not installed: tools/make_peers_venv")
            continue
        with tempfile.TemporaryDirectory(prefix="respan-bench-") as home:
            other = peer(home)
            try:
                figures = other.take_in(tools.loadgen, PEER_SPANS), other.newest_ms(), other.megabytes(), other.ready_s
            finally:
                other.stop()
        for what, ours, theirs, unit in (
            (f"{PEER_SPANS:,} spans taken in and stored", rate, figures[0], "/s"),
            ("the newest 50 of them: p95", newest, figures[1], " ms"),
            ("memory after that", rss, figures[2], " MB"),
            ("exec to ready", ready, figures[3] * 1e3, " ms"),
        ):
            ratio = f"{ours / theirs:,.0f}×" if unit == "/s" else f"1/{theirs / ours:,.0f}"
            table.line(f"{what}; {peer.name}", "", f"{ours:,.1f}{unit}", f"{theirs:,.0f}{unit}", ratio)


PARTS = {"ingest": ingest, "growth": growth, "idle": idle, "peers": peers}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []])
    parser.add_argument("--spans", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--rate", type=int, default=150_000, help="spans a second, of which half come while questions are asked"
    )
    parser.add_argument("--binary", type=lambda path: Path(path).resolve(), default=ROOT / "build-release/respan")
    options = parser.parse_args()
    options.spans -= options.spans % 5000
    if not TOOLS.exists():
        print(f"server.py: there is no {TOOLS}: no load generator, so nothing is measured")
        return
    processor = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.M)[1]
    print(f"{processor}, {len(os.sched_getaffinity(0))} cores, load average {load()} at the beginning\n")
    with tempfile.TemporaryDirectory(prefix="respan-bench-") as folder:
        tools = Tools(folder)
        table = Table()
        for part in options.parts or PARTS:
            PARTS[part](table, options, tools)
    print(f"\nload average {load()} at the end; {table.missed} missed")


main()
