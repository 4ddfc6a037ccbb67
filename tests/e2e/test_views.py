"""Saved views: kept by project, seen and changed by whoever may, refused where they could not be opened."""

import json

import pytest
from accounts import Browser, owner_of
from traces import assert_refused

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def place(start_server):
    """A server, and its owner, a member and a viewer."""
    server = start_server()
    owner = owner_of(server)
    people = {"owner": owner}
    for role in ("member", "viewer"):
        token = owner.post("/api/invites/", {"role": role}).json["url"].rsplit("/", 1)[1]
        people[role] = Browser(server)
        person = {"email": f"{role}@x.org", "password": PASSWORD, "name": role, "invite": token}
        assert people[role].post("/api/auth/signup/", person).status == 200
        people[role].session()
    return server, people


def names(of, **query):
    return [v["name"] for v in of.get("/api/views/", **query).json["results"]]


SLOW = {
    "name": "slow",
    "q": "latency:>2s NOT status:error",
    "from": "-24h",
    "to": "",
    "sort": "-duration",
    "columns": [{"id": "time"}, {"id": "metadata.plan", "width": 120}, {"id": "latency", "width": None}],
}


def test_a_view_is_kept_as_it_was_saved(place):
    _, people = place
    made = people["member"].post("/api/views/", SLOW).json
    assert {k: made[k] for k in ("name", "q", "from", "to", "sort")} == {
        k: SLOW[k] for k in ("name", "q", "from", "to", "sort")
    }
    assert made["columns"] == [{"id": "time"}, {"id": "metadata.plan", "width": 120}, {"id": "latency"}]
    assert (made["page"], made["shared"], made["mine"], made["default"]) == ("traces", False, True, False)
    assert made["created_by"] == "member" and made["changed_at"] == made["created_at"]
    assert made in people["member"].get("/api/views/").json["results"]
    # what is not said stays
    path = f"/api/views/{made['id']}/"
    changed = people["member"].post(path, {"name": "very slow", "columns": []}).json
    assert changed["name"] == "very slow" and changed["columns"] == [] and changed["q"] == SLOW["q"]
    assert changed["changed_at"] > made["changed_at"]
    # it is his own until he shares it
    assert people["owner"].post(path, {"name": "x"}).status == 404
    assert people["member"].post(path, {"shared": True}).json["shared"]
    seen = people["viewer"].get("/api/views/").json["results"]
    assert [(v["name"], v["mine"], v["created_by"]) for v in seen] == [("very slow", False, "member")]
    assert people["owner"].post(path, {"shared": False}).status == 403
    # a viewer looks
    assert people["viewer"].post(path, {"name": "x"}).status == 403
    assert people["viewer"].post("/api/views/", {"name": "x"}).status == 403
    assert people["viewer"].delete(path).status == 403
    assert people["owner"].delete(path).json == {"ok": True}
    assert people["member"].delete(path).status == 404
    actions = [r["action"] for r in people["owner"].get("/api/audit/").json["results"]]
    assert [a for a in actions if a.startswith("view.")] == ["view.delete", "view.change", "view.change", "view.create"]


def test_keys_share_what_they_save(place):
    server, people = place

    def ask(method, path, body=None):
        return server.request(method, path, None if body is None else json.dumps(body))

    made = ask("POST", "/api/views/", {"name": "from a script", "q": "status:error", "default": True}).json
    assert made["shared"] and made["default"] and not made["mine"] and made["created_by"] is None
    assert "from a script" in names(people["viewer"])
    assert ask("POST", "/api/views/", {"name": "own", "shared": False}).status == 400
    second = ask("POST", "/api/views/", {"name": "second", "position": 1, "default": True}).json
    assert [(v["name"], v["default"]) for v in ask("GET", "/api/views/").json["results"]] == [
        ("second", True),
        ("from a script", False),
    ]
    assert_refused(ask("POST", "/api/views/", {"name": "second"}), "name", "exists already")
    other = people["owner"].post("/api/projects/", {"name": "other"}).json["id"]
    people["owner"].project = other
    assert names(people["owner"]) == []
    assert people["owner"].delete(f"/api/views/{second['id']}/").status == 404
    people["owner"].project = None
    for view in (made, second):
        assert ask("DELETE", f"/api/views/{view['id']}/").status == 200


@pytest.mark.parametrize(
    ("body", "field", "says"),
    [
        ({}, "name", "needed"),
        ({"name": ""}, "name", "empty"),
        ({"name": "x" * 101}, "name", "100 bytes"),
        ({"name": "x", "q": "status:ok modle:x"}, "q", "at byte 10"),
        ({"name": "x", "q": "x" * 5000}, "name", "4096 bytes"),
        ({"name": "x", "sort": "colour"}, "sort", "sort_by"),
        ({"name": "x", "from": "yesterday"}, "from", "-15m"),
        ({"name": "x", "to": "-5"}, "to", "-15m"),
        ({"name": "x", "columns": {}}, "columns", "array"),
        ({"name": "x", "columns": [{"id": "time", "width": 5}]}, "columns", "2000"),
        ({"name": "x", "columns": [{"id": ""}]}, "columns", "id"),
        ({"name": "x", "columns": [{"id": "time", "colour": 1}]}, "columns", "id"),
        ({"name": "x", "columns": [{"id": "time"}] * 65}, "columns", "64"),
        ({"name": "x", "shared": "yes"}, "shared", "true or false"),
        ({"name": "x", "position": -1}, "position", "whole number"),
        ({"name": "x", "page": "users"}, "page", "dashboard"),
        ({"name": "x", "page": "dashboard", "sort": "-duration"}, "sort", "no order"),
        ({"name": "x", "colour": "red"}, "colour", "no such member"),
    ],
)
def test_what_could_not_be_opened_is_refused(place, body, field, says):
    assert_refused(place[1]["owner"].post("/api/views/", body), field, says)


def test_a_dashboard_takes_the_filter_of_what_it_counts(place):
    owner = place[1]["owner"]
    for q in ("provider:x", "error_count:>2"):  # of spans alone, and of traces alone
        body = {"name": q, "page": "dashboard", "q": q, "options": "of=traces&by=model"}
        made = owner.post("/api/views/", body).json
        assert (made["page"], made["options"]) == ("dashboard", "of=traces&by=model")
        assert owner.delete(f"/api/views/{made['id']}/").status == 200
