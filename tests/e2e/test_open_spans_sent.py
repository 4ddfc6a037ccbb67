"""Open spans as real programs tell of them: seen while they run, once when they are over, and by nobody else's server."""

import signal
import subprocess
import sys
import threading
import time
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from waiting import wait_until

PROGRAM = """
import sys, respan
r = respan.Respan(app_name="long", **({} if "review" not in sys.argv else {"span_postprocess_callback": lambda span: None}))

@respan.task(name="generate")
def generate(prompt):
    print("inside", flush=True)
    sys.stdin.readline()
    return "done"

@respan.workflow(name="flow")
def flow(question):
    return generate(question + "!")

flow("what is up?")
assert r.flush(20)
"""
LONG_S = 60  # sanitizers are slow
until = partial(wait_until, of_s=LONG_S)


class Program:
    """It waits inside generate() until it is told to go on."""

    def __init__(self, server, *arguments, **environment):
        given = {**server.environment, "RESPAN_API_KEY": server.key, "RESPAN_SPOOL": "on", **environment}
        given.setdefault("RESPAN_BASE_URL", server.base_url + "/api")
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *arguments],
            env=given,
            cwd=server.home,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout.readline() == "inside\n"

    def go_on(self):
        self.process.communicate("\n", timeout=LONG_S)
        assert self.process.returncode == 0


def traces(server, q="") -> list[dict]:
    return server.get(f"/api/traces/list/?q={q}").json["results"]


def flat(server, trace) -> list[dict]:
    return server.get(f"/api/traces/{trace['trace_unique_id']}/?flat=true").json["spans"]


def test_it_is_seen_while_it_runs_and_counted_once(start_server):
    server = start_server()
    program = Program(server)
    [trace] = until(lambda: traces(server, "is:running"))
    assert (trace["name"], trace["span_count"]) == ("flow", 0) and "what is up?" in trace["input"]
    outer, inner = until(lambda: (s := flat(server, trace)) and len(s) == 2 and s)
    assert (outer["name"], outer["log_type"], outer["running"]) == ("flow", "workflow", True)
    assert (inner["name"], inner["span_parent_id"]) == ("generate", outer["span_unique_id"])
    assert inner["input"] == {"args": ["what is up?!"], "kwargs": {}} and inner["output"] is None
    assert outer["resource"]["service.name"] == "long"
    program.go_on()
    assert traces(server, "is:running") == []
    [ended] = traces(server)
    assert ended["span_count"] == 2 and "running" not in ended
    assert [(s["span_unique_id"], s["output"]) for s in flat(server, ended)] == [
        (outer["span_unique_id"], "done"),
        (inner["span_unique_id"], "done"),
    ]
    assert server.get("/api/spans/list/").json["count"] == 2


def test_a_server_that_comes_back_is_told_anew(start_server):
    server = start_server()
    program = Program(server)
    until(lambda: traces(server, "is:running"))
    server.kill()
    server.start()
    assert traces(server) == []
    until(lambda: len(traces(server, "is:running")) == 1 and len(flat(server, traces(server)[0])) == 2)
    program.go_on()
    [trace] = traces(server)
    assert trace["span_count"] == 2 and "running" not in trace


@pytest.mark.parametrize("beside", [True, False])
def test_a_killed_one_runs_no_more(start_server, beside):
    """A server beside the spool takes in what is left there; any other hears nothing for half a minute."""
    server = start_server()
    elsewhere = {} if beside else {"XDG_STATE_HOME": str(server.home / "elsewhere")}
    program = Program(server, **elsewhere)
    until(lambda: traces(server, "is:running"))
    program.process.send_signal(signal.SIGKILL)
    program.process.wait()
    until(lambda: traces(server, "is:running") == [])
    if not beside:
        assert traces(server) == []
        Program(server, **elsewhere).go_on()  # the next one sends what it left
    interrupted = until(lambda: traces(server, "is:error"))
    assert len(interrupted) == 1
    assert [s["interrupted"] for s in flat(server, interrupted[0])] == [True, True]
    assert sum(t["span_count"] for t in traces(server)) == (2 if beside else 4)


class Collector:
    """Some other OTLP server, which answers `status` to what it does not know."""

    def __init__(self, status):
        self.requests = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.requests.append((self.path, body))
                self.send_response(200 if self.path.endswith("/traces") else status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"


@pytest.mark.parametrize("status", [404, 405, 200, 301])
def test_another_server_is_asked_once_and_told_nothing(server, status):
    collector = Collector(status)
    program = Program(server, RESPAN_BASE_URL=collector.url + "/v1/traces")
    until(lambda: collector.requests)
    time.sleep(3)  # in which it would be told several times
    program.go_on()
    collector.http.shutdown()
    assert [r for r in collector.requests if not r[0].endswith("/traces")] == [("/v1/open", b"")]
    assert any(b"generate" in body for path, body in collector.requests)


@pytest.mark.parametrize(
    "arguments, environment",
    [
        ([], {"RESPAN_OPEN_SPANS": "off"}),
        ([], {"RESPAN_SPOOL": "off"}),
        ([], {"OTEL_TRACES_SAMPLER": "always_off"}),
        (["review"], {}),
    ],
)
def test_what_is_not_to_be_told(server, arguments, environment):
    collector = Collector(202)
    program = Program(server, *arguments, RESPAN_BASE_URL=collector.url + "/api", **environment)
    time.sleep(3)
    assert collector.requests == []
    program.go_on()
    collector.http.shutdown()
    assert {path for path, _ in collector.requests} <= {"/api/v2/traces"}


def test_content_is_told_as_it_would_be_sent(server):
    collector = Collector(202)
    program = Program(server, RESPAN_BASE_URL=collector.url + "/api", TRACELOOP_TRACE_CONTENT="false")
    told = until(lambda: b"".join(body for path, body in collector.requests if path == "/api/v2/open"))
    program.go_on()
    collector.http.shutdown()
    assert b"generate" in told and b"what is up" not in told


def test_a_child_of_fork_tells_of_its_own(start_server):
    server = start_server()
    code = """
import os, sys, respan
r = respan.Respan(app_name="forks")

@respan.task(name="child")
def child():
    print("inside", flush=True)
    sys.stdin.readline()

@respan.workflow(name="parent")
def parent():
    pid = os.fork()
    if pid == 0:
        child()
        r.flush(20)
        os._exit(0)
    os.waitpid(pid, 0)

parent()
r.flush(20)
"""
    environment = {**server.environment, "RESPAN_API_KEY": server.key, "RESPAN_BASE_URL": server.base_url + "/api"}
    process = subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "inside\n"

    def names():
        return sorted(s["name"] for t in traces(server) for s in flat(server, t))

    until(lambda: names() == ["child", "parent"])
    process.communicate("\n", timeout=LONG_S)
    assert process.returncode == 0
    assert names() == ["child", "parent"]
    assert not any("running" in t for t in traces(server))
