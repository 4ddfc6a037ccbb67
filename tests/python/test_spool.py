"""Spans that ended before the process was killed arrive with the next run of the same program."""

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

from capture import CaptureServer

PROGRAM = """
import os, signal, sys
from respan import Respan, task

respan = Respan(app_name="killed")

@task(name="step")
def step(number):
    return number

for number in range({first}, {first} + 100):
    step(number)
{end}
"""
KILL = "os.kill(os.getpid(), signal.SIGKILL)"
FLUSH = "assert respan.flush(10)"

Script = Callable[..., subprocess.CompletedProcess[str]]


def inputs(server: CaptureServer) -> list[str]:
    return [span.attributes["traceloop.entity.input"] for span in server.spans]


def files(state: Path) -> list[Path]:
    return list((state / "respan" / "spool").glob("*.spool"))


def test_what_ended_before_kill_9_arrives_with_the_next_run(
    script: Script, server: CaptureServer, tmp_path: Path
) -> None:
    environment = {"RESPAN_SPOOL": "on", "XDG_STATE_HOME": str(tmp_path)}
    for first in (0, 100):
        assert script(PROGRAM.format(first=first, end=KILL), **environment).returncode == -signal.SIGKILL
    assert len(files(tmp_path)) >= 1
    last = script(PROGRAM.format(first=200, end=FLUSH), **environment)
    assert last.returncode == 0, last.stderr
    assert len({span.span_id for span in server.spans}) == 300
    assert len(set(inputs(server))) == 300
    assert files(tmp_path) == []


def test_without_batching_each_span_is_a_request(script: Script, server: CaptureServer, tmp_path: Path) -> None:
    program = PROGRAM.replace('app_name="killed"', 'app_name="killed", is_batching_enabled=False')
    environment = {"RESPAN_SPOOL": "on", "XDG_STATE_HOME": str(tmp_path)}
    last = script(program.format(first=0, end=FLUSH), **environment)
    assert last.returncode == 0, last.stderr
    assert len(server.bodies) == len(server.spans) == 100


def test_without_a_server_spans_are_kept_and_said_to_be(script: Script, server: CaptureServer, tmp_path: Path) -> None:
    environment = {"RESPAN_SPOOL": "on", "XDG_STATE_HOME": str(tmp_path)}
    away = script(PROGRAM.format(first=0, end=""), RESPAN_BASE_URL="http://127.0.0.1:1/api", **environment)
    assert away.returncode == 0
    assert "100 of 100 spans could not be delivered to http://127.0.0.1:1/api" in away.stderr
    assert "they are kept in the spool and will be sent later" in away.stderr
    assert away.stderr.count("\n") == 1
    assert len(files(tmp_path)) == 1


def test_off_keeps_nothing(script: Script, tmp_path: Path) -> None:
    away = script(
        PROGRAM.format(first=0, end=""),
        RESPAN_BASE_URL="http://127.0.0.1:1/api",
        RESPAN_SPOOL="off",
        XDG_STATE_HOME=str(tmp_path),
    )
    assert "100 of 100 spans could not be delivered" in away.stderr and "were dropped" in away.stderr
    assert list(tmp_path.iterdir()) == []
