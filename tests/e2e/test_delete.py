"""Deleting traces and compacting, through the real server and its command."""

import json
import uuid

import pytest
from conftest import span


def trace(server, text="work", n=3):
    """Sends a trace of n spans; its id."""
    trace_id = uuid.uuid4().hex
    root = span(trace_id=trace_id, attributes={"gen_ai.prompt.0.content": text})
    spans = [root] + [span(trace_id=trace_id, parent=root["spanId"]) for _ in range(n - 1)]
    assert server.send(spans).status == 200
    return trace_id


def ids(server):
    return {t["trace_unique_id"] for t in server.get("/api/traces/list/?page_size=1000").json["results"]}


def post_ids(server, wanted, **kw):
    return server.request("POST", "/api/traces/delete/", json.dumps({"ids": wanted}).encode(), **kw)


def counts(server):
    session = server.get("/api/session/").json
    return session["traces"], session["spans"]


def test_a_deleted_trace_is_in_no_answer(start_server):
    server = start_server()
    kept, gone = trace(server), trace(server)
    assert server.request("DELETE", f"/api/traces/{gone}/").json == {"deleted": 1}
    assert server.get(f"/api/traces/{gone}/").status == 404
    assert ids(server) == {kept} and counts(server) == (1, 3)
    assert len(server.get("/api/spans/list/").json["results"]) == 3
    assert server.request("DELETE", f"/api/traces/{gone}/").status == 404
    assert server.request("DELETE", "/api/traces/nonsense/").status == 404
    server.kill()  # at once: what was answered holds
    server.start()
    assert ids(server) == {kept} and counts(server) == (1, 3)
    assert server.command("check").returncode == 0


@pytest.mark.parametrize("compacted", [False, True])
def test_a_search_finds_what_is_left(start_server, compacted):
    server = start_server()
    kept, gone = trace(server, "the zephyrword of one"), trace(server, "the zephyrword of two")
    found = server.get("/api/traces/list/?q=zephyrword").json
    assert {t["trace_unique_id"] for t in found["results"]} == {kept, gone}
    assert server.request("DELETE", f"/api/traces/{gone}/").status == 200
    if compacted:
        assert server.command("compact").returncode == 0
    for path in ["/api/traces/list/?q=zephyrword", "/api/traces/list/?q=%22zephyrword%20of%22"]:
        assert [t["trace_unique_id"] for t in server.get(path).json["results"]] == [kept]
    totals = server.get("/api/metrics/totals/?of=traces").json["totals"]
    assert totals["count"] == 1


def test_many_at_once(start_server):
    server = start_server()
    traces = [trace(server, n=1) for _ in range(20)]
    missing = uuid.uuid4().hex
    assert post_ids(server, [*traces[:15], missing, traces[0]]).json == {"deleted": 15}
    assert ids(server) == set(traces[15:])
    for body in [
        b"",
        b"{}",
        b"[]",
        b'{"ids": "x"}',
        b'{"ids": [1]}',
        b'{"ids": ["12"]}',
        b'{"ids": []} x',
        b'{"ids": [',
    ]:
        assert server.request("POST", "/api/traces/delete/", body).status == 400
    assert post_ids(server, [missing] * 1001).status == 400
    assert post_ids(server, []).json == {"deleted": 0}
    assert server.request("GET", "/api/traces/delete/").status == 405


def test_who_may(start_server):
    server, other = start_server(), start_server()
    kept = trace(server)
    assert server.request("DELETE", f"/api/traces/{kept}/", key=False).status == 401
    assert server.request("DELETE", f"/api/traces/{kept}/", key=other.key).status == 401
    cookie = {"Cookie": server.sign_in()}
    for site in ["cross-site", "same-site"]:
        for mode in ["navigate", "cors"]:
            headers = {**cookie, "Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode}
            assert server.request("DELETE", f"/api/traces/{kept}/", headers=headers, key=False).status in (401, 403)
            assert post_ids(server, [kept], headers=headers, key=False).status in (401, 403)
    assert ids(server) == {kept}
    same = {**cookie, "Sec-Fetch-Site": "same-origin"}
    assert server.request("DELETE", f"/api/traces/{kept}/", headers=same, key=False).json["error"]["code"] == "csrf"
    same["X-CSRF-Token"] = server.get("/api/session/", headers=same, key=False).json["csrf_token"]
    assert server.request("DELETE", f"/api/traces/{kept}/", headers=same, key=False).json == {"deleted": 1}


@pytest.mark.parametrize("running", [True, False])
def test_compact_makes_the_bytes_go(start_server, running):
    server = start_server()
    kept, gone = trace(server), trace(server, "a secret")
    assert server.command("traces", "delete", gone[:12]).stdout == "1 trace deleted\n"
    assert server.command("traces", "delete", gone).returncode == 1
    if not running:
        server.stop()
    compacted = server.command("compact")
    assert compacted.returncode == 0, compacted.stderr
    assert "bytes a span" in compacted.stdout or running
    [folder] = (server.data / "projects" / "1").iterdir()
    assert folder.name == "p000001.2"
    assert server.command("check").returncode == 0
    if not running:
        server.start()
    assert ids(server) == {kept}
    new = trace(server)
    assert ids(server) == {kept, new} and counts(server) == (2, 6)


def test_a_late_span_of_a_deleted_trace_begins_it_anew(start_server):
    server = start_server()
    gone = trace(server)
    assert server.request("DELETE", f"/api/traces/{gone}/").status == 200
    assert server.send([span(trace_id=gone)]).status == 200
    assert server.get(f"/api/traces/{gone}/").json["span_count"] == 1
