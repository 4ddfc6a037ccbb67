"""The log of the control plane: who did what, in the API's pages, filtered, and taken along."""

import csv
import io
import json

from accounts import Browser, owner_of
from conftest import span


def test_the_log(start_server):
    server = start_server()
    owner = owner_of(server)
    made = owner.post("/api/keys/", {"name": "laptop"}).json
    Browser(server).sign_in("nobody@x.org", "secret password")
    for n in range(120):
        owner.post("/api/auth/account/", {"name": f"Owner {n}"})
    path, rows = "/api/audit/", []
    while path:
        page = owner.get(path).json
        assert len(page["results"]) <= 100
        rows, path = rows + page["results"], page["next"]
    assert len({r["id"] for r in rows}) == len(rows) > 122
    assert [r["id"] for r in rows] == sorted((r["id"] for r in rows), reverse=True)
    by_action = {r["action"]: r for r in rows}
    assert by_action["key.create"]["target"] in (f"key {made['id']} (laptop)", "key 1 (local)")
    failed = by_action["signin.failed"]
    assert failed["target"] == "nobody@x.org" and failed["address"] == "127.0.0.1"
    assert {r["actor"] for r in rows if r["action"] == "user.account"} == {"owner@localhost"}
    text = str(rows)
    assert made["key"] not in text and "secret password" not in text
    assert owner.get("/api/audit/?cursor=x").status == 400


def test_the_log_has_what_was_done_with_traces(start_server):
    server = start_server()
    owner = owner_of(server)
    user = {"respan.customer_params.customer_identifier": "somebody to forget"}
    spans = [span(attributes=user if n > 2 else None) for n in range(5)]
    assert server.send(spans).status == 200
    ids = [s["traceId"] for s in spans]
    path = f"/api/traces/{ids[0]}/"
    for marked in ("share", "pin"):
        for _ in range(2):
            assert owner.post(f"{path}{marked}/", {"content": False}).status == 200
        for _ in range(2):
            assert owner.request("DELETE", f"{path}{marked}/").status == 200
    assert owner.request("DELETE", path).json == {"deleted": 1}
    assert owner.request("DELETE", path).status == 404
    assert owner.post("/api/traces/delete/", {"ids": ids[:3]}).json == {"deleted": 2}
    assert owner.post("/api/users/delete/", {"customer_identifier": "somebody to forget"}).json["deleted"] == 2
    assert owner.post("/api/users/delete/", {"customer_identifier": "nobody"}).json["deleted"] == 0
    assert server.request("POST", "/api/compact/").status == 200
    rows = [
        r for r in owner.get("/api/audit/").json["results"] if r["action"].startswith(("trace.", "project.compact"))
    ]
    project = rows[0]["project"]
    assert (
        [(r["action"], r["target"]) for r in reversed(rows)]
        == [
            ("trace.share", ids[0]),
            ("trace.share", ids[0]),  # another link
            ("trace.unshare", ids[0]),
            ("trace.pin", ids[0]),
            ("trace.unpin", ids[0]),
            ("trace.delete", ids[0]),
            ("trace.delete", f"2 traces: {' '.join(ids[:3])}"),
            ("trace.delete", "2 traces of one user"),
            ("project.compact", ""),
        ]
    )
    assert rows[0]["actor"].startswith("key ") and {r["actor"] for r in rows[1:]} == {"owner@localhost"}
    assert project and {(r["project"], r["address"]) for r in rows} == {(project, "127.0.0.1")}
    assert "somebody to forget" not in str(rows)


def test_the_log_is_filtered_and_taken_along(start_server):
    server = start_server()
    owner = owner_of(server)
    for n in range(120):
        owner.post("/api/auth/account/", {"name": f"Owner {n}"})
    assert owner.post("/api/projects/", {"name": '=1+1 "quoted"'}).status == 200

    def found(query):
        path, rows = f"/api/audit/?{query}", []
        while path:
            page = owner.get(path).json
            rows, path = rows + page["results"], page["next"]
        return rows

    assert {r["action"] for r in found("action=user.")} == {"user.account"}
    assert len(found("action=user.account&actor=OWNER%40localhost")) == 120
    assert len(found("action=user.account&text=owner%40LOCAL")) == 120
    assert found("actor=nobody") == [] == found("text=%25")
    assert [r["action"] for r in found("text=quoted")] == ["project.create"]
    # The command line asks with the same names.
    told = server.command("audit", "--json", "--action", "user.", "--actor", "OWNER@localhost", "--limit", "200")
    assert json.loads(told.stdout) == found("action=user.&actor=OWNER%40localhost") != []
    assert "quoted" in server.command("audit", "--text", "QUOTED").stdout
    assert server.command("audit", "--actor", "nobody").stdout == ""
    assert server.command("audit", "--text").returncode == 2
    answer = owner.get("/api/audit/?format=jsonl&action=user.account")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="audit.jsonl"'
    assert [json.loads(line) for line in answer.body.splitlines()] == found("action=user.account")
    rows = list(csv.DictReader(io.StringIO(owner.get("/api/audit/?format=csv").body.decode(), newline="")))
    assert [int(r["id"]) for r in rows] == [r["id"] for r in found("")]
    assert [r["target"] for r in rows if "quoted" in r["target"]] == ['\'=1+1 "quoted"']
    for wrong in ("format=xlsx", "format=csv&cursor=5"):
        assert owner.get(f"/api/audit/?{wrong}").status == 400
