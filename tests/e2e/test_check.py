"""`respan check`: beside a running server, without one, and where something is broken."""

import json
import subprocess

from conftest import BINARY, span


def check(server, *options):
    return subprocess.run(
        [str(BINARY), "check", *options], env=server.environment, text=True, capture_output=True, timeout=120
    )


def test_a_store_that_is_whole(start_server):
    server = start_server()
    nothing = check(server)
    assert nothing.returncode == 0 and nothing.stdout.endswith("0 partitions: all whole\n")
    assert server.send([span() for _ in range(250)]).status == 200
    beside = check(server, "--json")
    assert beside.returncode == 0 and not beside.stderr
    report = json.loads(beside.stdout)
    assert report.pop("bytes") > 1000
    assert report == {"partitions": 1, "blocks": 1, "traces": 250, "spans": 250, "problems": 0}
    server.stop()
    told = check(server, "--data", str(server.data)).stdout
    assert told.startswith("250 spans in 250 traces, 1 block of ") and told.endswith(" in 1 partition: all whole\n")


def test_what_is_broken_is_named(start_server):
    server = start_server()
    assert server.send([span() for _ in range(10)]).status == 200
    server.stop()
    [segment] = server.data.glob("projects/*/p000001/segment")
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 1
    segment.write_bytes(content)
    broken = check(server)
    assert broken.returncode == 1
    assert str(segment) in broken.stderr and "at byte 0" in broken.stderr and "checksum" in broken.stderr
    assert " problem" in broken.stdout


def test_what_it_does_not_take(start_server):
    server = start_server()
    assert check(server, "everything").returncode == 2
    assert check(server, "--nonsense").returncode == 2
    missing = check(server, "--data", "/nonexistent")
    assert missing.returncode == 1 and "there is nothing at /nonexistent" in missing.stderr
