"""tools/run_example.py, which is what `make run` runs: the real script, the real server, and what it leaves behind."""

import os
import re
import signal
import socket
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from conftest import BINARY

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "tools" / "run_example.py"

ELSEWHERE = "RESPAN_API_KEY=rsp_elsewhere\nRESPAN_BASE_URL=https://elsewhere.invalid/api\n"

pytestmark = pytest.mark.skipif(BINARY != ROOT / "build" / "respan", reason="it runs build/respan alone")


@pytest.fixture
def environment(tmp_path):
    """A machine that is set up for a server elsewhere."""
    credentials = tmp_path / "config" / "respan" / "credentials"
    credentials.parent.mkdir(parents=True)
    credentials.write_text(ELSEWHERE)
    return {
        **os.environ,
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "RESPAN_BASE_URL": "https://elsewhere.invalid/api",
        "RESPAN_API_KEY": "rsp_elsewhere",
        "HF_ENDPOINT": "http://127.0.0.1:9",  # out of reach
    }


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def is_free(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) != 0


def run(environment, port, *arguments):
    command = [sys.executable, str(TOOL), "--once", "--port", str(port), *arguments]
    return subprocess.run(command, env=environment, text=True, capture_output=True, timeout=280)


def test_once(environment, tmp_path):
    port = free_port()
    answer = run(environment, port)
    assert answer.returncode == 0, answer
    text = answer.stdout
    assert text.index(f"Respan is at http://127.0.0.1:{port}\n") < text.index("Running examples/")
    assert "huggingface_text_generation  workflow" in text and "text_completion sshleifer/tiny-gpt2  text" in text
    trace_id = re.search(rf"^On the page:  http://127.0.0.1:{port}/traces/([0-9a-f]{{32}})$", text, re.M)[1]
    assert re.search(
        rf"^Sign in there: http://127.0.0.1:{port}/login\?token=\S+%2F{trace_id}  \(works once\)$", text, re.M
    )
    assert is_free(port)
    assert (tmp_path / "config" / "respan" / "credentials").read_text() == ELSEWHERE


# What the trace of each other example shows, in the terminal.
SMOLLM2 = {
    "smollm2_chat": [
        r"4 model calls",
        r"(?s)smollm2_chat  workflow.*├─ turn  task.*├─ turn  task.*└─ turn  task",
        r"│  ├─ look_up  task",
        r"│  │  └─ get_weather  tool",
        r"prompt +\(\d more before\)",
        r"assistant: <tool_call>",
    ],
    "smollm2_stream": [
        r"smollm2_stream  workflow .*\n└─ stream  task .*\n   └─ chat HuggingFaceTB/SmolLM2-135M-Instruct  chat",
        r"user: Why is the sky blue\?",
        r"parameters  .*stream=true",
    ],
    "smollm2_batch": [
        r"smollm2_batch  workflow .*\n└─ complete  task .*\n   └─ text_completion HuggingFaceTB/SmolLM2-135M-Instruct",
        r"1 model call\b",
        r"parameters  .*batch_size=8",
    ],
}


@pytest.mark.parametrize("example", SMOLLM2)
def test_an_example_with_a_model_that_answers(environment, example):
    answer = run({**environment, "COLUMNS": "200"}, free_port(), example)
    assert answer.returncode == 0, answer
    for wanted in [*SMOLLM2[example], r"tokens +\d+ in \+ \d+ out \(measured\) · [\d.]+ tokens/s · first token"]:
        assert re.search(wanted, answer.stdout), (wanted, answer.stdout)


def test_every_example_is_run_here():
    assert {*SMOLLM2, "huggingface_text_generation"} == {p.stem for p in (ROOT / "examples").glob("*.py")}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_no_server(environment, number):
    port = free_port()
    command = [sys.executable, str(TOOL), "--port", str(port)]
    with subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as tool:
        for line in tool.stdout:
            if line.startswith("Sign in"):
                break
        tool.send_signal(number)
        _, said = tool.communicate(timeout=30)
    assert tool.returncode == 1 and is_free(port)
    assert "run_example.py" not in said  # no trace of ours; the script's own is its own


def test_a_port_of_another_program(environment):
    class Other(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"hello")

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Other) as other:
        Thread(target=other.serve_forever, daemon=True).start()
        answer = run(environment, other.server_port)
        other.shutdown()
    assert answer.returncode == 1 and f"port {other.server_port} on 127.0.0.1 is taken" in answer.stderr


def test_a_server_that_runs_already(start_server, monkeypatch, capsys):
    monkeypatch.syspath_prepend(str(TOOL.parent))
    import run_example

    server = start_server()
    with run_example.a_server(server.port) as started:
        assert started is None
    assert capsys.readouterr().out == f"Using the server that is running on port {server.port}.\n"
    assert server.get("/healthz").status == 200


def test_no_such_example(environment):
    answer = run(environment, free_port(), "nope")
    assert answer.returncode == 2
    assert "there are: huggingface_text_generation, smollm2_batch, smollm2_chat, smollm2_stream" in answer.stderr
