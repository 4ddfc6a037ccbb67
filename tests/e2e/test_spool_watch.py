"""A server beside the spool takes in what killed programs left for it, with nobody asking."""

import os
import shutil
import signal
import subprocess
import sys

import pytest
from conftest import span
from waiting import wait_until

PROGRAM = """
import os, signal, sys
from respan import Respan, task

respan = Respan(app_name="live" if "live" in sys.argv else "killed")

@task(name="step")
def step(number):
    return number

for number in range(10):
    step(number)
if "flush" in sys.argv:
    assert respan.flush(20)
for number in range(10, 20):
    step(number)
if "live" in sys.argv:
    print("ready", flush=True)
    sys.stdin.read()
if "inside" in sys.argv:

    @task(name="outer")
    def outer():
        os.kill(os.getpid(), signal.SIGKILL)

    outer()
os.kill(os.getpid(), signal.SIGKILL)
"""


def start(server, *arguments, base_url=None):
    environment = {
        **server.environment,
        "RESPAN_SPOOL": "on",
        "RESPAN_BASE_URL": base_url or server.base_url + "/api",
    }
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run_killed(server, *arguments, **kw):
    program = start(server, *arguments, **kw)
    errors = program.communicate(timeout=60)[1]
    assert program.returncode == -signal.SIGKILL, errors


def spool(server):
    return server.home / "state" / "respan" / "spool"


def files(server):
    return sorted(spool(server).glob("*"))


def wait_for_spans(server, count):
    wait_until(lambda: len(server.span_ids()) >= count)
    wait_until(lambda: not files(server))
    assert len(server.span_ids()) == count


def test_spans_of_a_killed_program_appear_by_themselves(start_server):
    server = start_server()
    os.kill(server.process.pid, signal.SIGSTOP)  # so that the program cannot have sent any
    try:
        run_killed(server)
        assert len(files(server)) == 1
    finally:
        os.kill(server.process.pid, signal.SIGCONT)
    wait_for_spans(server, 20)
    for _ in range(2):  # and of those after it
        run_killed(server)
    wait_for_spans(server, 60)


def test_what_was_sent_already_is_there_once(start_server):
    server = start_server()
    run_killed(server, "flush")
    wait_for_spans(server, 20)


def test_a_span_that_was_open_is_there_as_interrupted(start_server):
    server = start_server()
    run_killed(server, "inside")
    wait_for_spans(server, 21)
    spans = server.get("/api/spans/list/?page_size=100").json["results"]
    assert [s["span_name"] for s in spans if s["interrupted"]] == ["outer.task"]


def test_a_server_that_starts_takes_what_waits(start_server):
    server = start_server()
    server.stop()
    run_killed(server)
    run_killed(server, base_url=server.base_url.replace("127.0.0.1", "localhost") + "/api")
    assert len(files(server)) == 2
    server.start()
    wait_for_spans(server, 40)


def test_a_folder_that_was_removed_is_watched_again(start_server):
    server = start_server()
    wait_until(spool(server).is_dir)
    spool(server).rmdir()
    wait_until(spool(server).is_dir)
    run_killed(server)
    wait_for_spans(server, 20)


def test_what_cannot_be_stored_stays_and_is_tried_again(start_server):
    server = start_server()
    assert server.send([span()]).status == 200
    shutil.rmtree(server.data)
    run_killed(server)
    wait_until(lambda: "spool are not taken in: " in server.stderr())
    assert len(files(server)) == 1
    assert server.stderr().count("not taken in") == 1
    assert server.stop() == 0  # nothing holds it up
    server.start()
    wait_for_spans(server, 20)


@pytest.fixture
def strange(start_server, tmp_path):
    """A server whose spool holds a living program's file, one for another server, and files that nobody wrote well."""
    server = start_server("--no-spool")
    run_killed(server)
    (dead,) = files(server)
    run_killed(server, base_url="http://127.0.0.1:1/api")
    (foreign,) = set(files(server)) - {dead}
    content = dead.read_bytes()
    outside = tmp_path / "outside.spool"
    outside.write_bytes(content)
    (spool(server) / "0-1-link.spool").symlink_to(outside)
    (spool(server) / "0-1-garbage.spool").write_bytes(b"respspl1" + bytes(100_000))
    (spool(server) / "0-1-cut.spool").write_bytes(content[:100])
    (spool(server) / "0-1-empty.spool").touch()
    (spool(server) / "0-1-folder.spool").mkdir()
    os.mkfifo(spool(server) / "0-1-pipe.spool")
    server.foreign, server.dead, server.outside = foreign, dead, outside
    return server


def test_only_its_own_dead_files_are_taken(strange):
    server = strange
    assert server.stop() == 0
    with start(server, "live") as living:  # finds no server: its spans stay in its file
        try:
            assert living.stdout.readline() == "ready\n"
            before = {path.name for path in files(server)}
            assert server.dead.name in before and len(before) == 9
            server.options = ()
            server.start()
            wait_until(lambda: not server.dead.exists())
            assert before - {path.name for path in files(server)} == {server.dead.name}
            assert len(server.outside.read_bytes()) > 10_000
        finally:
            living.kill()
    wait_until(lambda: len(server.span_ids()) == 40)
    assert server.foreign.exists()
    assert server.stop() == 0  # nothing holds it up


def test_it_can_be_switched_off(strange):
    assert strange.dead.exists() and strange.span_ids() == set()
    assert "--no-spool" in strange.command("serve", "--help").stdout
