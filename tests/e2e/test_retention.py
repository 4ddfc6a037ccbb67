"""How much is kept of a project: set by the command, kept by the running server."""

import json
import time
import uuid

from conftest import span


def old_trace(server, days):
    start = time.time_ns() - days * 24 * 3600 * 10**9
    trace_id = uuid.uuid4().hex
    times = {"startTimeUnixNano": str(start), "endTimeUnixNano": str(start + 10**6)}
    assert server.send([span(trace_id=trace_id, **times)]).status == 200
    return trace_id


def ids(server):
    return {t["trace_unique_id"] for t in server.get("/api/traces/list/").json["results"]}


def test_what_is_past_it_goes(start_server):
    server = start_server()
    old = old_trace(server, 3)
    assert server.command("compact").returncode == 0  # the next trace begins another partition
    new = old_trace(server, 0)
    assert server.command("compact").returncode == 0 and ids(server) == {old, new}
    assert (
        server.command("projects", "set", "default", "--keep", "2d").stdout
        == "1    default                  keeps 2d\n"
    )
    assert server.command("compact").returncode == 0  # has the server look now
    assert ids(server) == {new}
    assert server.get(f"/api/traces/{old}/").status == 404 and server.get("/api/session/").json["spans"] == 1
    assert server.command("check").returncode == 0
    assert server.command("projects", "set", "default", "--keep", "all", "--keep-bytes", "1K").returncode == 0
    server.command("compact")
    assert ids(server) == set()


def test_the_command(start_server):
    server = start_server()
    command = server.command
    assert command("projects", "list").stdout == "1    default                  keeps all\n"
    assert command("projects", "set", "default", "--keep", "36h", "--keep-bytes", "10G").returncode == 0
    assert command("projects", "list").stdout == "1    default                  keeps 36h, at most 10G\n"
    [listed] = json.loads(command("projects", "list", "--json").stdout)
    assert listed == {
        "id": 1,
        "name": "default",
        "organization": "default",
        "keep_hours": 36,
        "keep_bytes": 10 << 30,
    }
    assert command("projects", "set", "default", "--keep-bytes", "all").stdout.endswith("keeps 36h\n")
    assert command("projects", "set", "nobody", "--keep", "1d").returncode == 1
    for wrong in [
        ["--keep", "0d"],
        ["--keep", "3"],
        ["--keep", "-1d"],
        ["--keep-bytes", "10"],
        ["--keep", "9" * 19 + "d"],
        [],
    ]:
        assert command("projects", "set", "default", *wrong).returncode == 2
    for wrong in [[], ["drop"], ["list", "x"], ["set"], ["list", "--nonsense"]]:
        assert command("projects", *wrong).returncode == 2


def test_a_project_is_deleted(start_server):
    server = start_server()
    command = server.command
    assert command("projects", "create", "other").returncode == 0
    key = json.loads(command("keys", "create", "--name", "k", "--project", "other", "--json").stdout)["key"]
    assert server.send([span()], key=key).status == 200
    folder = server.data / "projects" / "2"
    assert list(folder.rglob("segment"))
    # whoever did not mean it has deleted nothing
    for typed in ("", "default\n"):
        told = command("projects", "delete", "other", typed=typed)
        assert told.returncode == 1 and "nothing was deleted" in told.stderr
    assert server.get("/api/traces/list/", key=key).json["count"] == 1
    # the running server does it; asked to rewrite something, it looks at once
    deleting = server.begin("projects", "delete", "other", "--yes")
    while deleting.poll() is None:
        command("compact")
    assert deleting.returncode == 0 and list(folder.iterdir()) == []
    assert server.get("/api/traces/list/", key=key).status == 401
    assert [p["name"] for p in json.loads(command("projects", "list", "--json").stdout)] == ["default"]
    # without one, the command does
    assert command("projects", "create", "third").returncode == 0
    key = json.loads(command("keys", "create", "--name", "k", "--project", "third", "--json").stdout)["key"]
    assert server.send([span()], key=key).status == 200
    server.stop()
    told = command("projects", "delete", "third", typed="third\n")
    assert told.returncode == 0 and told.stdout == f"third is deleted: {server.data}/projects/3 is empty\n"
    assert list((server.data / "projects" / "3").iterdir()) == []
    for name, status in (("third", 1), ("default", 1)):  # there is none any more; the only one
        assert command("projects", "delete", name, "--yes").returncode == status
    assert command("projects", "delete").returncode == 2
