"""`respan doctor`: each thing that can be wrong is found, with its remedy, and what is well is called so."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace

import pytest
from conftest import BINARY

# Not what is looked at, unless a test says so.
SWITCHES = ("TRACELOOP_", "RESPAN_", "OTEL_", "VIRTUAL_ENV", "http_proxy", "https_proxy", "all_proxy", "no_proxy")
PROGRAM = """
import os, signal
from respan import Respan, task

Respan(app_name="killed")

@task(name="step")
def step(number):
    return number

for number in range(3):
    step(number)
os.kill(os.getpid(), signal.SIGKILL)
"""


class Findings(list):
    """The checks of one answer; `about` those of one matter."""

    def about(self, check):
        return [f for f in self if f["check"] == check]

    def only(self, check, status):
        (one,) = [f for f in self.about(check) if f["status"] == status]
        return one

    def statuses(self, check):
        return {f["status"] for f in self.about(check)}


def environment_of(server, **changes):
    inherited = {k for k in os.environ if k.lower().startswith(tuple(name.lower() for name in SWITCHES))}
    kept = {k: v for k, v in server.environment.items() if k not in inherited}
    return {**kept, **changes}


def call(environment, *arguments):
    return subprocess.run(
        [str(BINARY), "doctor", *arguments], env=environment, text=True, capture_output=True, timeout=60
    )


def doctor(server, *arguments, **changes):
    done = call(environment_of(server, **changes), "--json", *arguments)
    answer = json.loads(done.stdout)
    findings = Findings(answer["checks"])
    for level in ("problem", "warning"):
        assert answer[level + "s"] == len([f for f in findings if f["status"] == level])
    assert done.returncode == (1 if answer["problems"] else 0), done
    assert done.stderr == ""
    assert server.key not in done.stdout
    return findings


@pytest.fixture(scope="module")
def server(start_server):
    return start_server("--no-spool")


@pytest.fixture
def home(tmp_path):
    """A user who has nothing yet; `key` stands for one that is never printed."""

    return SimpleNamespace(
        key="rsp_never",
        environment={
            "PATH": "/usr/bin:/bin",
            "HOME": str(tmp_path),
            **{f"XDG_{name}_HOME": str(tmp_path / name.lower()) for name in ("CONFIG", "DATA", "STATE")},
        },
        state=tmp_path / "state" / "respan" / "spool",
        config=tmp_path / "config" / "respan",
    )


def kill_a_program(server, **changes):
    environment = environment_of(server, RESPAN_SPOOL="on", **changes)
    assert subprocess.run([sys.executable, "-c", PROGRAM], env=environment).returncode == -signal.SIGKILL


# ---- all well ----------------------------------------------------------------------------------------------


def test_all_is_well(server):
    findings = doctor(server, "--python", sys.executable)
    assert {f["status"] for f in findings} == {"ok"}, findings
    (answers,) = findings.about("server")
    assert answers["message"].startswith(f"{server.base_url}/api answers: respan 0.")
    credentials = server.home / "config" / "respan" / "credentials"
    assert findings.only("key", "ok")["message"] == f"accepted; it is from {credentials}"
    assert f"open in process {server.process.pid}" in findings.only("data", "ok")["message"]
    assert findings.only("transformers", "ok")["message"][0].isdigit()
    assert server.span_ids() == set(), "it leaves nothing behind"
    text = call(environment_of(server), "--python", sys.executable).stdout
    assert f"ok       server           {server.base_url}/api answers: respan 0." in text
    assert text.endswith("\n\nNo problems.\n")


def test_a_span_is_sent_and_read_back_on_demand(start_server):
    server = start_server()
    sent = doctor(server, "--send").only("send", "ok")
    assert sent["message"].startswith("a span was sent and read back: trace ")
    (trace,) = server.get("/api/traces/list/").json["results"]
    assert trace["trace_unique_id"] == sent["message"].split()[-1] and trace["name"] == "respan doctor"


def test_nothing_at_all(home, tmp_path):
    home.environment |= {"PATH": str(tmp_path), "RESPAN_BASE_URL": "http://127.0.0.1:1/api"}
    findings = doctor(home)
    assert findings.only("server", "problem")["message"] == "nothing listens at http://127.0.0.1:1/api"
    assert "only C programs can be traced" in findings.only("python", "warning")["message"]
    assert findings.statuses("spool") == findings.statuses("data") == {"ok"}
    assert not home.state.exists() and not home.config.exists(), "looking makes nothing"


def test_usage(home):
    assert call(home.environment, "--what").returncode == 2
    assert call(home.environment, "now").returncode == 2
    assert "usage: respan doctor" in call(home.environment, "--help").stdout


# ---- the server --------------------------------------------------------------------------------------------


def test_no_server_and_how_to_start_one(home):
    home.environment["RESPAN_BASE_URL"] = "http://127.0.0.1:1/api"
    assert doctor(home).only("server", "problem")["command"] == f"{BINARY} serve --listen '127.0.0.1:1'"


def test_the_page_is_not_the_api(server):
    found = doctor(server, RESPAN_BASE_URL=server.base_url).only("server", "problem")
    assert found["command"] == f"export RESPAN_BASE_URL={server.base_url}/api"


@pytest.mark.parametrize("url", ["ftp://example.com/api", "127.0.0.1:8460", "http://me:secret@127.0.0.1:8460/api"])
def test_an_address_that_is_none(server, url):
    found = doctor(server, RESPAN_BASE_URL=url).only("server", "problem")
    assert found["message"].startswith("RESPAN_BASE_URL cannot be used: base_url must")
    assert "secret" not in found["message"]


def test_https_where_http_is_spoken(server):
    url = server.base_url.replace("http:", "https:") + "/api"
    assert "http, not https" in doctor(server, RESPAN_BASE_URL=url).only("server", "problem")["remedy"]


def test_keys_that_are_not_known(server):
    unknown = doctor(server, RESPAN_API_KEY="rsp_unknown").only("key", "problem")
    assert "the API key from RESPAN_API_KEY" in unknown["message"] and unknown["command"] == "unset RESPAN_API_KEY"
    made = json.loads(server.command("keys", "create", "--json").stdout)
    assert doctor(server, RESPAN_API_KEY=made["key"]).statuses("key") == {"ok"}
    assert server.command("keys", "revoke", str(made["id"])).returncode == 0
    deadline = time.monotonic() + 10
    while doctor(server, RESPAN_API_KEY=made["key"]).statuses("key") != {"problem"}:  # known for up to a second
        assert time.monotonic() < deadline


def test_no_key(server, tmp_path):
    found = doctor(
        server, RESPAN_BASE_URL=server.base_url + "/api", XDG_CONFIG_HOME=str(tmp_path), XDG_DATA_HOME=str(tmp_path)
    ).only("key", "problem")
    assert found["message"] == "the server wants an API key, and none is set"
    assert found["command"].endswith(" keys create")


def test_credentials_that_others_may_read(start_server):
    server = start_server()
    path = server.home / "config" / "respan" / "credentials"
    path.chmod(0o644)
    found = doctor(server).only("credentials", "warning")
    assert "mode 0644" in found["message"] and found["command"] == f"chmod 600 {path}"


class Elsewhere(BaseHTTPRequestHandler):
    """A server of another version, in another year, without room."""

    def do_GET(self):
        self.answer(200, {"version": "99.0"})

    def do_POST(self):
        self.answer(503, {"error": {"message": "no room\x1b[2J on the disk"}})

    def answer(self, status, body):
        self.send_response_only(status)
        self.send_header("Date", "Tue, 01 Jan 2030 00:00:00 GMT")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_):
        pass


def test_what_a_strange_server_says(home):
    with HTTPServer(("127.0.0.1", 0), Elsewhere) as strange:
        threading.Thread(target=strange.serve_forever, daemon=True).start()
        home.environment["RESPAN_BASE_URL"] = f"http://127.0.0.1:{strange.server_port}/api"
        findings = doctor(home)
        shown = call(home.environment).stdout
        strange.shutdown()
    assert "the server is respan 99.0, this command is 0." in findings.only("version", "warning")["message"]
    assert "s ahead of this machine's" in findings.only("clock", "warning")["message"]
    assert "takes no spans: HTTP 503: no room" in findings.only("server", "problem")["message"]
    assert "no room\\x1b[2J on the disk" in shown and "\x1b" not in shown


def test_it_ends_whatever_hangs(home, tmp_path):
    python = tmp_path / "python3"
    python.write_text("#!/bin/sh\nexec sleep 600\n")
    python.chmod(0o755)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections and never answers
        home.environment["RESPAN_BASE_URL"] = f"http://127.0.0.1:{silent.getsockname()[1]}/api"
        findings = doctor(home, "--python", str(python))
    stuck = findings.only("server", "problem")
    assert "cannot be reached" in stuck["message"] and "does not answer" in stuck["remedy"]
    assert "did not come to an end" in findings.only("python", "problem")["message"]
    assert findings.statuses("data") == {"ok"}


def test_opentelemetrys_endpoint(server, tmp_path):
    nothing_of_ours = {"XDG_CONFIG_HOME": str(tmp_path), "OTEL_EXPORTER_OTLP_ENDPOINT": server.base_url}
    wanted = doctor(server, **nothing_of_ours)
    assert wanted.only("server", "ok")["message"].endswith("the address is from OTEL_EXPORTER_OTLP_ENDPOINT")
    assert "none is set" in wanted.only("key", "problem")["message"]
    headers = {"OTEL_EXPORTER_OTLP_HEADERS": f"Authorization=Bearer%20{server.key}"}
    given = doctor(server, **nothing_of_ours, **headers)
    assert given.only("key", "ok")["message"] == "accepted; it is from OTEL_EXPORTER_OTLP_HEADERS"
    assert ": respan 0." in given.only("server", "ok")["message"]


def test_the_address_of_the_ingest_itself(server):
    findings = doctor(server, RESPAN_BASE_URL=server.base_url + "/api/v2/traces")
    assert findings.statuses("server") == findings.statuses("key") == {"ok"}


# ---- the spool ---------------------------------------------------------------------------------------------


def test_spans_that_wait(start_server):
    server = start_server("--no-spool")
    kill_a_program(server)
    kill_a_program(server, RESPAN_BASE_URL="http://127.0.0.1:1/api")
    here, there = sorted(doctor(server).about("waiting"), key=lambda f: "127.0.0.1:1/" in f["message"])
    assert here["message"] == f'3 spans of "killed" wait in 1 file for {server.base_url}/api'
    assert here["command"].endswith(" spool send")
    assert there["command"].endswith(" spool send --base-url http://127.0.0.1:1/api")
    for found in (here, there):
        subprocess.run(found["command"], shell=True, env=environment_of(server), cwd=server.home, check=False)
    assert len(server.span_ids()) == 3
    assert len(doctor(server).about("waiting")) == 1


def test_a_spool_that_is_not_as_it_should_be(home):
    home.state.mkdir(parents=True)
    home.state.chmod(0o755)
    (home.state / "1-1-a b.spool").write_bytes(b"nothing of ours")
    findings = doctor(home)
    opened, damaged = (f for f in findings.about("spool") if f["status"] == "warning")
    assert "mode 0755" in opened["message"] and opened["command"] == f"chmod 700 {home.state}"
    assert damaged["message"].startswith("1-1-a b.spool is damaged")
    for found in (opened, damaged):
        subprocess.run(found["command"], shell=True, check=True)
    assert doctor(home).statuses("spool") == {"ok"}


def test_no_folder_to_be_had(home):
    home.state.parent.parent.mkdir()
    home.state.parent.touch()
    found = doctor(home).only("spool", "problem")
    assert "spans wait in memory" in found["message"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_belongs_to_another_user(home, start_server):
    home.state.mkdir(parents=True, mode=0o700)
    (home.state / "1-1-1.spool").touch()
    os.chown(home.state / "1-1-1.spool", 12345, 12345)
    found = doctor(home).only("spool", "problem")
    assert "not this user's" in found["message"] and found["command"] == f"sudo chown -R $USER: {home.state}"
    os.chown(home.state, 12345, 12345)
    assert any("is user 12345's" in f["message"] for f in doctor(home).about("spool"))


# ---- data, Python, settings --------------------------------------------------------------------------------


def test_data_of_another_version(start_server):
    server = start_server()
    assert server.send([]).status == 200
    server.stop()
    found = doctor(server).only("data", "ok")
    assert "no server has it open" in found["message"]
    (server.data / "control.db").unlink()
    with sqlite3.connect(server.data / "control.db") as db:
        db.execute("PRAGMA user_version = 99")
    found = doctor(server).only("data", "problem")
    assert "has format 99, this respan reads " in found["message"] and "--data" in found["remedy"]


def test_data_that_is_none(home, tmp_path):
    (tmp_path / "file").touch()
    assert "is not a folder" in doctor(home, "--data", str(tmp_path / "file")).only("data", "problem")["message"]
    (tmp_path / "broken").mkdir(mode=0o700)
    (tmp_path / "broken" / "control.db").write_bytes(b"x" * 5000)
    assert "control.db" in doctor(home, "--data", str(tmp_path / "broken")).only("data", "problem")["message"]


@pytest.mark.parametrize("name", ["TRACELOOP_TRACE_CONTENT", "RESPAN_TRACE_CONTENT", "RESPAN_SPOOL"])
def test_what_is_switched_off(server, name):
    found = doctor(server, **{name: "off"}).only("settings", "warning")
    assert found["message"].startswith(f"{name}=off: ") and found["command"] == f"unset {name}"


def test_opentelemetry_switched_off(server):
    found = doctor(server, OTEL_SDK_DISABLED="true").only("settings", "warning")
    assert found["command"] == "unset OTEL_SDK_DISABLED"


def test_a_variable_that_makes_no_sense(server):
    found = doctor(server, OTEL_EXPORTER_OTLP_TIMEOUT="soon").only("settings", "warning")
    assert "OTEL_EXPORTER_OTLP_TIMEOUT" in found["message"] and "soon" in found["message"]


def test_proxies_that_catch_the_address(server):
    proxy = {"http_proxy": "http://me:secret@127.0.0.1:1"}
    assert doctor(server, **proxy).statuses("settings") == {"ok"}, "a server on this machine is asked directly"
    away = {**proxy, "RESPAN_BASE_URL": "http://traces.example.invalid:8460/api"}
    found = doctor(server, **away).only("settings", "warning")
    assert found["message"].startswith("http_proxy: spans for traces.example.invalid go through a proxy")
    assert found["command"] == 'export no_proxy="$no_proxy,traces.example.invalid"'
    assert doctor(server, **away, no_proxy="localhost,.example.invalid").statuses("settings") == {"ok"}


def fake_python(tmp_path, answer):
    """A Python whose packages are as the answer says."""
    python = tmp_path / "python3"
    facts = {"python": "3.11.2", "executable": "/x/python3", "old": False, "error": None, "place": "/x/respan"}
    facts |= {"respan": "0.1.0", "ours": True, "instrumentor": "0.1.0", "transformers": "5.0", **answer}
    python.write_text(f"#!/bin/sh\necho noise\necho '{json.dumps(facts)}'\n")
    python.chmod(0o755)
    return str(python)


@pytest.mark.parametrize(
    ("answer", "check", "status", "text"),
    [
        ({"place": None}, "respan-ai", "warning", "cannot import respan"),
        ({"error": "ImportError: wrong ELF class"}, "respan-ai", "problem", "fails: ImportError: wrong ELF class"),
        ({"respan": "9.0"}, "respan-ai", "warning", "9.0, while this command is 0."),
        ({"ours": False, "respan": "4.2"}, "respan-ai", "ok", "4.2, the package of PyPI"),
        ({"instrumentor": None}, "instrumentation", "warning", "pipelines have no spans"),
        ({"transformers": None}, "transformers", "warning", "no pipelines to trace"),
        ({"old": True, "python": "3.9.1"}, "python", "warning", "need 3.11 or later"),
    ],
)
def test_packages(server, tmp_path, answer, check, status, text):
    found = doctor(server, "--python", fake_python(tmp_path, answer)).only(check, status)
    assert text in found["message"]


def test_a_python_without_our_packages(server, tmp_path):
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)
    findings = doctor(server, VIRTUAL_ENV=str(bare))
    assert findings.only("python", "ok")["message"].startswith(str(bare / "bin" / "python3"))
    assert findings.only("respan-ai", "warning")["command"].startswith(
        f"{bare}/bin/python3 -m pip install ./python/respan"
    )


def test_a_python_that_does_not_run(server, tmp_path):
    found = doctor(server, VIRTUAL_ENV=str(tmp_path)).only("python", "problem")
    assert found["message"].startswith(f"{tmp_path}/bin/python3 does not run") and "VIRTUAL_ENV" in found["remedy"]
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    assert doctor(server, "--python", str(broken)).statuses("python") == {"problem"}


def test_modules_of_the_folder_it_is_called_in_are_not_run(server, tmp_path):
    (tmp_path / "json.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    subprocess.run(
        [str(BINARY), "doctor", "--python", sys.executable], env=environment_of(server), cwd=tmp_path, timeout=60
    )
    assert not (tmp_path / "ran").exists()
