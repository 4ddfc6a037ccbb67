"""What can go wrong around a server, done to a real one, and what became of the spans: each campaign returns its figures as a dict.

tests/e2e/test_faults.py runs a little of each in every test run, tools/run_faults a lot. `start(*options, wrapper=())` starts a
server (conftest.Server)."""

import calendar
import collections
import contextlib
import mmap
import os
import random
import shutil
import struct
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from conftest import BINARY, span

HERE = Path(__file__).parent


# ---- sending ----------------------------------------------------------------------------------------------------


class Senders:
    """Threads that post until told to stop or cut off. What was not acknowledged is sent again by the next ones, as a client does."""

    def __init__(self, server, threads=4, size=20, unsent=()):
        self.server, self.size = server, size
        self.waiting = collections.deque(unsent)
        self.acknowledged, self.open, self.statuses, self.stopping = [], [], set(), threading.Event()
        self.threads = [threading.Thread(target=self._run) for _ in range(threads)]
        for t in self.threads:
            t.start()

    def _next(self):
        try:
            return self.waiting.popleft()
        except IndexError:
            return [span() for _ in range(self.size)]

    def _run(self):
        c = self.server.connect(10)
        while not self.stopping.is_set():
            spans = self._next()
            try:
                status = self.server.send(spans, connection=c).status
            except Exception:  # cut off, in whatever way
                status = None
            if status == 200:
                self.acknowledged += [s["spanId"] for s in spans]
            else:
                self.open.append(spans)
            self.statuses.add(status)
            if status is None:
                break
        c.close()

    def stop(self):
        self.stopping.set()
        for t in self.threads:
            t.join()
        return [*self.open, *self.waiting]


def stored_ids(server) -> collections.Counter:
    """How often each span is in the list of all of them."""
    path, ids = "/api/spans/list/?page_size=1000&content=false", collections.Counter()
    while path:
        answer = server.get(path)
        assert answer.status == 200, answer
        ids.update(s["span_unique_id"] for s in answer.json["results"])
        path = answer.json["next"]
    return ids


def compare(server, acknowledged) -> dict:
    ids = stored_ids(server)
    return {
        "acknowledged": len(acknowledged),
        "lost": len(set(acknowledged) - set(ids)),
        "doubled": sum(n > 1 for n in ids.values()),
    }


def check(data) -> subprocess.CompletedProcess:
    return subprocess.run([BINARY, "check", "--data", data], text=True, capture_output=True, timeout=300)


# ---- kill -9 ----------------------------------------------------------------------------------------------------


def kill_9(start, rounds: int, seed=1) -> dict:
    """Kills the server under load at a random moment, again and again."""
    dice = random.Random(seed)
    server = start()
    acknowledged, unsent, not_whole, slowest = [], [], 0, 0.0
    for _ in range(rounds):
        senders = Senders(server, size=dice.choice([1, 20, 250]), unsent=unsent)
        time.sleep(dice.uniform(0.02, 0.4))
        server.kill()
        unsent = senders.stop()
        acknowledged += senders.acknowledged
        began = time.monotonic()
        server.start()
        slowest = max(slowest, time.monotonic() - began)
        not_whole += check(server.data).returncode != 0
    last = Senders(server, unsent=unsent)
    while last.waiting:
        time.sleep(0.01)
    last.stop()
    acknowledged += last.acknowledged
    figures = compare(server, acknowledged)
    return {"kills": rounds, **figures, "checks_not_whole": not_whole, "slowest_start_s": round(slowest, 3)}


# ---- bytes that change, files that end ---------------------------------------------------------------------------


def _what_is_read(start, data: Path, key: str):
    """All that a server says of such a folder (a copy of it); None: it does not start, or cannot answer."""
    server, said = None, []
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(data, Path(folder) / "data")
        try:
            server = start("--data", str(Path(folder) / "data"))
            server.key = key
            for path in ("/api/traces/list/?page_size=1000", "/api/spans/list/?page_size=1000"):
                while path:
                    answer = server.get(path)
                    said += answer.json["results"]
                    path = answer.json["next"]
        except (AssertionError, KeyError):
            return None
        finally:
            if server:
                server.kill()
    return said


def damage(start, trials: int, seed=1, killed=False) -> dict:
    """Flips a byte of, and cuts off, each file of a store at rest (or as a killed server left it): how often `respan check` says so, and
    where it does not, whether all is read as before."""
    dice = random.Random(seed)
    server = start()
    spans = [
        span(
            f"step {n % 7}",
            attributes={"gen_ai.request.model": f"m{n % 5}", "gen_ai.prompt.0.content": f"what is {n}? " * 9},
        )
        for n in range(2000)
    ]
    for at in range(0, len(spans), 250):
        assert server.send(spans[at : at + 250]).status == 200
        if at == 1000:  # what is there by now is sealed, and rests
            subprocess.run([BINARY, "compact"], env=server.environment, check=True, capture_output=True)
    server.kill() if killed else server.stop()
    whole = check(server.data)
    assert whole.returncode == 0, whole
    read, figures = None, {}
    for path in sorted(p for p in server.data.rglob("*") if p.is_file() and p.stat().st_size):
        content = path.read_bytes()
        flipped, torn = ({"found": 0, "harmless": 0, "missed": 0} for _ in range(2))
        for n in range(2 * trials):
            if n >= 20 and flipped["harmless"] + torn["harmless"] == n:
                break  # it is not read, or made anew
            broken = bytearray(content[: dice.randrange(len(content))] if n % 2 else content)
            if n % 2 == 0:
                broken[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
            path.write_bytes(broken)
            counts = torn if n % 2 else flipped
            if check(server.data).returncode == 1:
                counts["found"] += 1
                continue
            now = _what_is_read(start, server.data, server.key)
            path.write_bytes(content)
            read = read or _what_is_read(start, server.data, server.key)
            counts["harmless" if now == read else "missed"] += 1
        path.write_bytes(content)
        figures["/".join(path.parts[-2:]) if path.parts[-2].startswith("p") else path.name] = {
            "bytes": len(content),
            "flipped": flipped,
            "torn": torn,
        }
    assert check(server.data).returncode == 0
    return figures


# ---- a full disk --------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def small_disk(mount: Path, mib=64):
    """A file system of its own, or None where that may not be had (it takes root)."""
    mount.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={mib}m", "tmpfs", mount]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode:
        yield None
        return
    try:
        yield mount
    finally:
        subprocess.run(["umount", "-l", mount], check=True)


def full_disk(start, disk: Path, rounds: int) -> dict:
    """Fills the disk beside the server, sends until it refuses, reads, gives the room back, sends what was refused: again and again."""
    server = start("--data", str(disk / "respan"))
    acknowledged, refusals, reads, failed_reads = [], 0, 0, 0
    for _ in range(rounds):
        ballast = disk / "ballast"
        with open(ballast, "wb") as f, contextlib.suppress(OSError):
            room = shutil.disk_usage(disk).free - (200 << 10)
            f.write(bytes(max(0, room)))
        refused = []
        while len(refused) < 5:
            spans = [span(attributes={"noise": os.urandom(4000).hex()}) for _ in range(3)]
            answer = server.send(spans)
            assert answer.status in (200, 503), answer
            if answer.status == 200:
                acknowledged += [s["spanId"] for s in spans]
            else:
                assert int(answer.headers["Retry-After"]) >= 1
                refused.append(spans)
                refusals += 1
            for path in ("/api/traces/list/", "/api/spans/list/?content=false"):
                reads += 1
                failed_reads += server.get(path).status != 200
        ballast.unlink()
        for spans in refused:
            answer = server.send(spans)
            assert answer.status == 200, answer
            acknowledged += [s["spanId"] for s in spans]
    figures = compare(server, acknowledged)
    assert server.stop() == 0
    return {
        "rounds": rounds,
        "refused": refusals,
        "reads": reads,
        "failed_reads": failed_reads,
        **figures,
        "whole_at_the_end": check(disk / "respan").returncode == 0,
    }


# ---- the n-th call fails, the clock jumps -------------------------------------------------------------------------


KINDS = {"write": 1, "sync": 2, "memory": 3, "open": 4}


class Shim:
    """shim.c, built, and its control page."""

    def __init__(self, work: Path):
        compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
        library, page = work / "shim.so", work / "control"
        subprocess.run(
            [compiler, "-O1", "-Wall", "-Wextra", "-shared", "-fPIC", HERE / "shim.c", "-o", library, "-ldl"],
            check=True,
        )
        page.write_bytes(bytes(4096))
        with open(page, "r+b") as f:
            self.page = mmap.mmap(f.fileno(), 4096)
        self.wrapper = ["env", f"LD_PRELOAD={library}", f"FAULT_CONTROL={page}"]

    def _put(self, at, *numbers):
        struct.pack_into(f"={len(numbers)}q", self.page, at * 8, *numbers)

    def arm(self, kind: str, n: int, times=1, error=5):
        self._put(0, 0, n, times, error, 0)
        self._put(0, KINDS[kind])

    def disarm(self) -> int:
        """How many calls failed."""
        self._put(0, 0)
        return struct.unpack_from("=q", self.page, 4 * 8)[0]

    def slow_disk(self, seconds: float):
        """How long each sync takes."""
        self._put(6, int(seconds * 1e9))

    def shift_clock(self, seconds: float):
        self._put(5, int(seconds * 1e9))


def failing_calls(start, shim: Shim, kind: str, up_to: int, times=1) -> dict:
    """The n-th call of a kind fails, for n from 1 to up_to, while a batch is sent and a list is read; the batch is sent again if refused."""
    server = start("--durability=power", wrapper=shim.wrapper)
    acknowledged, refused, hit, cut_off = [], 0, 0, 0
    assert server.send([span()]).status == 200
    for n in range(1, up_to + 1):
        spans = [span(attributes={"text": "x" * 300}) for _ in range(3)]
        shim.arm(kind, n, times)
        status = None
        with contextlib.suppress(OSError, Exception):
            status = server.send(spans).status
        with contextlib.suppress(OSError, Exception):
            server.get("/api/traces/list/?page_size=3")
        hit += shim.disarm() > 0
        assert server.process.poll() is None, f"the server died at call {n} of {kind}: {server.stderr()}"
        assert status in (200, 500, 503, None), status
        cut_off += status is None
        if status != 200:
            refused += 1
            answer = server.send(spans)
            assert answer.status == 200, f"after call {n} of {kind}: {answer} {server.stderr()[-500:]}"
        acknowledged += [s["spanId"] for s in spans]
    figures = compare(server, acknowledged)
    assert server.stop() == 0
    whole = check(server.data)
    return {
        "kind": kind,
        "trials": up_to,
        "hit": hit,
        "refused": refused,
        "cut_off": cut_off,
        **figures,
        "whole_at_the_end": whole.returncode == 0,
    }


def clock_jumps(start, shim: Shim, jumps: int, seed=1) -> dict:
    """The server's wall clock jumps, by up to years in either direction, while spans come; their times are their own."""
    dice = random.Random(seed)
    server = start(wrapper=shim.wrapper)
    steps = [0.5, 60, 3600, 86_400, 40 * 86_400, 2 * 365 * 86_400]
    sent, wrong = {}, 0
    for n in range(jumps):
        shim.shift_clock(dice.choice(steps) * dice.choice([-1, 1]))
        trace = [span(f"jump {n}") for _ in range(2)]
        trace[1]["traceId"] = trace[0]["traceId"]
        trace[1]["parentSpanId"] = trace[0]["spanId"]
        assert server.send(trace).status == 200
        sent[trace[0]["traceId"]] = trace
        late = dice.choice(list(sent.values()))  # a span more of a trace from before
        more = {**span("late"), "traceId": late[0]["traceId"], "parentSpanId": late[0]["spanId"]}
        assert server.send([more]).status == 200
        late.append(more)
        if n % 7 == 6:
            server.kill() if n % 2 else server.stop()
            server.start()
    for trace_id, trace in sent.items():
        got = server.get(f"/api/traces/{trace_id}/?flat=true&content=false").json
        want = {s["spanId"]: int(s["startTimeUnixNano"]) for s in trace}
        wrong += {s["span_unique_id"] for s in got["spans"]} != set(want)
        wrong += got["span_count"] != len(want)
        wrong += _ns(got["start_time"]) != min(want.values())
    figures = compare(server, [s["spanId"] for t in sent.values() for s in t])
    began = time.monotonic()
    shim.shift_clock(0)
    assert server.stop() == 0
    return {
        "jumps": jumps,
        **figures,
        "wrong_traces": wrong,
        "stopped_in_s": round(time.monotonic() - began, 2),
        "whole_at_the_end": check(server.data).returncode == 0,
    }


def _ns(text: str) -> int:
    """Nanoseconds since the epoch of an RFC 3339 time in UTC."""
    seconds, fraction = text.rstrip("Z").split(".")
    whole = time.strptime(seconds, "%Y-%m-%dT%H:%M:%S")
    return calendar.timegm(whole) * 10**9 + int(fraction.ljust(9, "0"))
