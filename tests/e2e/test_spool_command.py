"""`respan spool`: what a killed program left is listed, and sent once somebody asks for it."""

import json
import signal
import struct
import subprocess
import sys

import pytest

PROGRAM = """
import os, signal
from respan import Respan, task

Respan(app_name="killed")

@task(name="step")
def step(number):
    return number

for number in range(20):
    step(number)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def killed(start_server):
    """A server that knows nothing yet of the 20 spans of a program that was killed."""
    server = start_server("--no-spool")
    environment = {**server.environment, "RESPAN_SPOOL": "on", "RESPAN_BASE_URL": server.base_url + "/api"}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == -signal.SIGKILL, done.stderr
    return server


def test_spans_of_a_killed_program_are_listed_and_sent_once(killed):
    (row,) = json.loads(killed.command("spool", "list", "--json").stdout)
    assert row["state"] == "waiting" and row["spans"] == 20 and row["app"] == "killed"
    assert row["base_url"] == killed.base_url + "/api"
    assert "20 spans" in killed.command("spool", "list").stdout

    sent = killed.command("spool", "send", "--base-url", killed.base_url + "/api")
    assert sent.returncode == 0 and sent.stdout.startswith("20 spans sent to "), sent
    assert len(killed.span_ids()) == 20
    assert json.loads(killed.command("spool", "list", "--json").stdout) == []
    again = killed.command("spool", "send", "--base-url", killed.base_url + "/api", "--json")
    assert again.returncode == 0 and json.loads(again.stdout)["sent"] == 0


def test_a_file_goes_to_its_own_server_only(killed):
    other = killed.command("spool", "send", "--base-url", "http://127.0.0.1:1/api")
    assert other.returncode == 0 and "1 file is for another server" in other.stderr, other
    killed.kill()
    away = killed.command("spool", "send", "--base-url", killed.base_url + "/api")
    assert away.returncode == 3 and "1 file stays in the spool: connection refused" in away.stderr, away
    assert len(json.loads(killed.command("spool", "list", "--json").stdout)) == 1


OPEN = """
import sys
from respan import Respan, task

Respan(app_name="open")

@task(name="step")
def step(number):
    return number

@task(name="outer")
def outer():
    step(1)
    print("open", flush=True)
    sys.stdin.read()

outer()
"""


def test_a_span_that_was_open_is_listed_and_sent_as_interrupted(start_server):
    server = start_server("--no-spool")
    away = "http://127.0.0.1:1/api"  # so that the span that ended stays
    environment = {**server.environment, "RESPAN_SPOOL": "on", "RESPAN_BASE_URL": away}
    with subprocess.Popen(
        [sys.executable, "-c", OPEN], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:
        try:
            assert program.stdout.readline() == "open\n"
            (row,) = json.loads(server.command("spool", "list", "--json").stdout)
            assert (row["state"], row["app"], row["spans"], row["open"], row["dropped"]) == ("in use", "open", 1, 1, 0)
            assert server.command("spool", "list").stdout.endswith("  1 open\n")
        finally:
            program.kill()
    (row,) = json.loads(server.command("spool", "list", "--json").stdout)
    assert (row["state"], row["spans"], row["open"]) == ("waiting", 1, 1)
    assert server.command("spool", "list").stdout.endswith("  1 interrupted\n")
    assert '2 spans (1 interrupted) of "open" wait in 1 file' in server.command("doctor").stdout


def test_spans_that_found_no_room_are_counted(killed):
    (file,) = (killed.home / "state" / "respan" / "spool").glob("*.spool")
    content = bytearray(file.read_bytes())
    (data_at,) = struct.unpack_from("=Q", content, 16)
    struct.pack_into("=Q", content, data_at - 4096 + 8, 7)  # as its owner counts them there
    file.write_bytes(content)
    (row,) = json.loads(killed.command("spool", "list", "--json").stdout)
    assert row["dropped"] == 7 and row["spans"] == 20
    assert "7 dropped for want of room" in killed.command("spool", "list").stdout
    assert '7 spans of "killed" for http://127.0.0.1' in killed.command("doctor").stdout


def test_usage(start_server):
    server = start_server()
    for arguments in ([], ["sent"], ["send", "now"], ["list", "--what"]):
        assert server.command("spool", *arguments).returncode == 2
    assert "usage: respan spool" in server.command("spool", "--help").stdout
    assert server.command("spool", "list").stderr == "respan: the spool is empty\n"
