"""The real binary on a free port with directories of its own, and what tests need to talk to it.

RESPAN_BINARY names the binary (default build/respan). A test takes `server` (one per module), or `start_server` to start
its own ones with options, stop them, kill them and start them again on the same data.
"""

import http.client
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("RESPAN_BINARY", ROOT / "build" / "respan")).resolve()
START_S = 30  # sanitizers are slow
os.environ.pop("COLUMNS", None)  # set where tests run in several processes; the command line would fit its tables to it
sys.path.append(str(ROOT / "tests" / "python"))  # capture.py


class Answer:
    """A response read whole: status, headers (case-insensitive), body, and `json`."""

    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"


class Server:
    """A running `respan serve`. base_url, host, port, key (API key), link (unused sign-in link), environment, data."""

    def __init__(self, home: Path, *options: str, wrapper=()):
        self.home = home
        self.options = options
        self.wrapper = list(wrapper)
        self.listen = "127.0.0.1:0"
        self.data = home / "data" / "respan"
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("RESPAN_API", "RESPAN_BASE", "XDG_"))},
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / "config"),
            "XDG_DATA_HOME": str(home / "data"),
            "XDG_STATE_HOME": str(home / "state"),
        }
        self.process = None

    def start(self):
        self.errors = open(self.home / "stderr.txt", "ab")
        self.process = subprocess.Popen(
            [*self.wrapper, str(BINARY), "serve", "--listen", self.listen, *self.options],
            stdout=subprocess.PIPE,
            stderr=self.errors,
            env=self.environment,
            cwd=self.home,
        )
        text = self._read_until(b"/login?token=")
        self.base_url = re.search(r"^Respan is at (\S+)$", text, re.M)[1]
        self.link = re.search(r"(http\S+/login\?token=\S+)", text)[1]
        self.host, self.port = urlsplit(self.base_url).hostname, urlsplit(self.base_url).port
        self.listen = f"{self.host}:{self.port}"  # a restart stays where clients look for it
        credentials = (self.home / "config" / "respan" / "credentials").read_text()
        self.key = re.search(r"^RESPAN_API_KEY=(.*)$", credentials, re.M)[1]
        return self

    def _read_until(self, mark: bytes) -> str:
        deadline, text = time.monotonic() + START_S, b""
        while mark not in text or not text.endswith(b"\n"):
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))
            piece = os.read(self.process.stdout.fileno(), 4096) if ready else b""
            if not piece:
                self.kill()
                raise AssertionError(f"the server did not start: {text!r} {self.stderr()}")
            text += piece
        return text.decode()

    def stderr(self) -> str:
        return (self.home / "stderr.txt").read_text(errors="replace")

    def stop(self) -> int:
        """SIGTERM; the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(START_S)
        self._close()
        return status

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._close()

    def _close(self):
        self.process.stdout.close()
        self.errors.close()

    def memory_kb(self, which="VmRSS") -> int:
        """Resident memory now, or at its highest (VmHWM); 0 under a sanitizer, whose own memory it would be."""
        if b"__asan_init" in BINARY.read_bytes() or b"__tsan_init" in BINARY.read_bytes():
            return 0
        return int(re.search(which + r":\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())[1])

    def connect(self, timeout=120) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout)

    def request(self, method, path, body=None, headers=None, key=True, connection=None) -> Answer:
        """One request. key=True sends the local key, False none, a string that key."""
        headers = dict(headers or {})
        if key:
            headers.setdefault("Authorization", f"Bearer {self.key if key is True else key}")
        c = connection or self.connect()
        try:
            c.request(method, path, body=body, headers=headers)
            return Answer(c.getresponse())
        finally:
            if connection is None:
                c.close()

    def get(self, path, **kw) -> Answer:
        return self.request("GET", path, **kw)

    def send(self, spans, **kw) -> Answer:
        """Posts spans (see `span`) as OTLP/JSON."""
        body = json.dumps(otlp(spans)).encode()
        return self.request("POST", "/v1/traces", body, {"Content-Type": "application/json"}, **kw)

    def sign_in(self) -> str:
        """Redeems a fresh link; the Cookie header's value."""
        link = self.command("auth", "link").stdout.strip()
        answer = self.get(link[len(self.base_url) :], key=False)
        assert answer.status == 303, answer
        return answer.headers["Set-Cookie"].split(";")[0]

    def command(self, *arguments, typed=None) -> subprocess.CompletedProcess:
        """Runs `respan ARGUMENTS` as the same user, who types that."""
        return subprocess.run(
            [str(BINARY), *arguments],
            env=self.environment,
            cwd=self.home,
            text=True,
            input=typed,
            capture_output=True,
            timeout=300,
        )

    def begin(self, *arguments) -> subprocess.Popen:
        """The same, which goes on meanwhile."""
        return subprocess.Popen(
            [str(BINARY), *arguments],
            env=self.environment,
            cwd=self.home,
            text=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def span_ids(self) -> set[str]:
        """The ids of all stored spans, over all pages."""
        path, ids = "/api/spans/list/?page_size=1000", set()
        while path:
            answer = self.get(path)
            assert answer.status == 200, answer
            ids |= {s["span_unique_id"] for s in answer.json["results"]}
            path = answer.json["next"]
        return ids


def span(name="work", trace_id=None, parent=None, attributes=None, **fields) -> dict:
    """One OTLP/JSON span that ended now."""
    now = time.time_ns()
    attributes = {"respan.entity.log_type": "text", **(attributes or {})}
    made = {
        "traceId": trace_id or uuid.uuid4().hex,
        "spanId": uuid.uuid4().hex[:16],
        "name": name,
        "kind": 1,
        "startTimeUnixNano": str(now - 1_000_000),
        "endTimeUnixNano": str(now),
        "attributes": [{"key": k, "value": {"stringValue": v}} for k, v in attributes.items()],
        **fields,
    }
    return {**made, "parentSpanId": parent} if parent else made


def otlp(spans) -> dict:
    """An ExportTraceServiceRequest around them."""
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "e2e"}}]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "e2e"}, "spans": list(spans)}]}]}


@pytest.fixture(scope="session")
def binary() -> Path:
    if not BINARY.is_file():
        pytest.fail(f"{BINARY} is missing: build it, or set RESPAN_BINARY")
    return BINARY


@pytest.fixture(scope="module")
def start_server(binary, tmp_path_factory):
    """start_server(*options, home=None) starts a server; all are stopped when the module is done, and must stop well."""
    servers = []

    def start(*options, home=None, **kw) -> Server:
        server = Server(home or tmp_path_factory.mktemp("server"), *options, **kw)
        servers.append(server)
        return server.start()

    yield start
    for server in servers:
        if server.process.poll() is None:
            assert server.stop() == 0, server.stderr()
        assert "Sanitizer" not in server.stderr(), server.stderr()


@pytest.fixture(scope="module")
def server(start_server) -> Server:
    return start_server()


@pytest.fixture(scope="module")
def full(start_server) -> Server:
    """A server with traces.N traces, flow_0 … flow_39, newest last."""
    from traces import N, workflow

    server = start_server()
    server.traces = [workflow(n, n) for n in range(N)]
    answer = server.send([s for t in server.traces for s in t])
    assert answer.status == 200, answer
    return server
