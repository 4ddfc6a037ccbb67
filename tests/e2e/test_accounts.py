"""Users and what they may: signing in by link and by password, keys with scopes, and what a page needs to change something."""

import base64
import datetime
import json
import subprocess
import time

from accounts import Browser, owner_of
from conftest import BINARY, span

PASSWORD = "correct horse battery"


def in_hours(hours):
    return (datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=hours)).isoformat()


# ---- the session


def test_who_asks(server):
    session = owner_of(server).session()
    assert session["user"]["email"] == "owner@localhost" and session["role"] == "owner"
    assert session["project"] == "default" and session["project_id"] == 1
    assert session["projects"] == [{"id": 1, "name": "default", "organization": 1, "role": "owner"}]
    assert session["organizations"] == [{"id": 1, "name": "default", "role": "owner"}]
    assert session["organization_id"] == 1 and session["server_owner"] is True
    assert len(session["csrf_token"]) == 43


def test_the_project_that_a_page_names(server):
    browser = owner_of(server)
    assert browser.get("/api/session/?project=1").status == 200
    assert browser.get("/api/traces/list/?project=1").status == 200
    assert browser.get("/api/session/?project=77").status == 404
    assert browser.get("/api/session/?project=x").status == 400
    assert server.get("/api/session/?project=1").status == 200
    for other in ("2", "x", ""):
        answer = server.get(f"/api/traces/list/?project={other}")
        assert answer.status == 403 and answer.json["error"]["field"] == "project"


def test_the_next_page_is_of_the_same_project(full):
    browser = owner_of(full)
    path, n = "/api/traces/list/?page_size=15&project=1", 0
    while path:
        assert path.count("project=1") == 1
        answer = browser.get(path + "&project=1").json
        n, path = n + len(answer["results"]), answer["next"]
    assert n == 40


# ---- what changes something


def test_a_change_by_cookie_needs_the_token(server):
    browser = owner_of(server)
    token, other = browser.token, owner_of(server).token
    wish = {"name": "k", "scopes": ["read"]}
    for wrong in ("", "x", other, token + "x", token[:-1], token.swapcase()):
        answer = browser.post("/api/keys/", wish, X_CSRF_Token=wrong)
        assert answer.status == 403 and answer.json["error"]["code"] == "csrf"
    browser.token = None
    assert browser.post("/api/keys/", wish).json["error"]["code"] == "csrf"
    browser.token = token
    for site in ("cross-site", "same-site"):
        answer = browser.post("/api/keys/", wish, Sec_Fetch_Site=site)
        assert answer.status == 403 and answer.json["error"]["field"] == "Sec-Fetch-Site"
    assert browser.post("/api/keys/", wish, Sec_Fetch_Site="same-origin").status == 200


def test_the_token_outlives_a_restart(start_server):
    server = start_server()
    browser = owner_of(server)
    before = browser.token
    server.stop()
    server.start()
    browser.session()
    assert browser.token == before


# ---- passwords


def test_from_the_link_to_a_password(start_server):
    server = start_server()
    browser, other = owner_of(server), owner_of(server)
    assert browser.get("/api/auth/").json == {"signup_allowed": False, "signed_in": True}
    stranger = Browser(server)
    assert stranger.get("/api/auth/").json == {"signup_allowed": False, "signed_in": False}
    assert stranger.get("/").status == 401  # nobody could sign in there
    assert stranger.sign_in("owner@localhost", "").status == 401
    assert stranger.sign_in("owner@localhost", PASSWORD).status == 401
    assert browser.post("/api/auth/password/", {"new": "short"}).json["error"]["field"] == "new"
    assert browser.post("/api/auth/password/", {"new": "x" * 600}).status == 400
    assert browser.post("/api/auth/account/", {"email": "nonsense"}).status == 400
    assert browser.post("/api/auth/account/", {"email": "Ann@example.org", "name": "Ann"}).status == 200
    assert browser.post("/api/auth/password/", {"new": PASSWORD}).status == 200
    # the others are out, at once
    assert browser.get("/api/session/").status == 200
    assert other.get("/api/session/").status == 401
    # there is a place to sign in now
    answer = stranger.get("/traces/abc?a=b%20c")
    assert answer.status == 303 and answer.headers["Location"] == "/signin?next=%2Ftraces%2Fabc%3Fa%3Db%2520c"
    assert stranger.get("/signin").status == 200
    assert stranger.sign_in("ann@example.org", PASSWORD + "x").status == 401
    assert stranger.sign_in("ANN@example.org", PASSWORD).status == 200
    assert stranger.session()["user"]["name"] == "Ann"
    # a new one needs the old one
    wrong = {"current": PASSWORD + "x", "new": PASSWORD + "y"}
    assert browser.post("/api/auth/password/", {"new": PASSWORD + "y"}).status == 403
    assert browser.post("/api/auth/password/", wrong).json["error"]["field"] == "current"
    assert browser.post("/api/auth/password/", {"current": PASSWORD, "new": PASSWORD + "y"}).status == 200
    assert stranger.get("/api/session/").status == 401
    assert Browser(server).sign_in("ann@example.org", PASSWORD).status == 401
    assert browser.post("/api/auth/signout/").status == 200
    assert browser.get("/api/session/").status == 401


def test_unknown_and_wrong_are_one_answer(server):
    answers = [Browser(server).sign_in(email, PASSWORD) for email in ("owner@localhost", "nobody@localhost")]
    assert answers[0].status == answers[1].status == 401
    assert answers[0].json == answers[1].json


def test_each_sign_in_has_a_new_secret(start_server):
    server = start_server()
    browser = owner_of(server)
    browser.post("/api/auth/password/", {"new": PASSWORD})
    mine = "respan_session=" + "a" * 43
    fixed = Browser(server)
    fixed.cookie = mine
    assert fixed.sign_in("owner@localhost", PASSWORD).status == 200
    assert fixed.cookie != mine and len(fixed.cookie) == len(mine)
    planted = Browser(server)
    planted.cookie = mine
    assert planted.get("/api/session/").status == 401
    # who signs in again leaves no session behind
    old = fixed.cookie
    assert fixed.sign_in("owner@localhost", PASSWORD).status == 200
    planted.cookie = old
    assert planted.get("/api/session/").status == 401
    # by link, too
    link = server.command("auth", "link").stdout.strip()[len(server.base_url) :]
    answer = server.get(link, key=False, headers={"Cookie": fixed.cookie})
    planted.cookie = answer.headers["Set-Cookie"].split(";")[0]
    assert planted.get("/api/session/").status == 200 and fixed.get("/api/session/").status == 401


def test_the_cookie(start_server):
    for options, secure in (((), False), (("--host", "https://traces.example:8443/"), True)):
        server = start_server(*options)
        link = server.command("auth", "link").stdout.strip()
        cookie = server.get(link[len(server.base_url) :], key=False).headers["Set-Cookie"]
        assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "Path=/" in cookie
        assert ("Secure" in cookie) == secure
        assert server.link.startswith("https://traces.example:8443/login?" if secure else server.base_url)
        assert server.get("/healthz", headers={"Host": "traces.example:8443"}).status == (200 if secure else 403)


def test_too_many_tries(start_server):
    server = start_server()
    statuses = [Browser(server).sign_in("owner@localhost", f"wrong password {n}").status for n in range(12)]
    assert statuses == [401] * 10 + [429] * 2
    answer = Browser(server).sign_in("owner@localhost", PASSWORD)
    assert answer.status == 429 and 0 < int(answer.headers["Retry-After"]) <= 301
    assert answer.json["error"]["code"] == "too_many"
    # from here no other account either, in the end
    statuses = [Browser(server).sign_in(f"n{n}@x", PASSWORD).status for n in range(30)]
    assert 429 in statuses and statuses[0] == 401
    # who has a session goes on
    assert owner_of(server).session()["role"] == "owner"


def test_bodies_that_are_not_what_they_should_be(server):
    browser = owner_of(server)
    for body in (
        "[]",
        "{",
        "1",
        '{"name":1}',
        '{"name":"a","x":1}',
        '{"name":"a"} {}',
        '{"name":"a\\u0000b"}',
        "{}",
        "",
    ):
        answer = server.request(
            "POST", "/api/keys/", body, {"Cookie": browser.cookie, "X-CSRF-Token": browser.token}, key=False
        )
        assert answer.status == 400, (body, answer)
    for field, value in (
        ("scopes", []),
        ("scopes", ["all"]),
        ("scopes", "read"),
        ("scopes", {"read": 1}),
        ("expires_at", "tomorrow"),
        ("expires_at", "2001-01-01T00:00:00Z"),
        ("environment", "x" * 100),
        ("name", "x" * 100),
        ("name", ""),
        ("name", "a\nb"),
    ):
        assert browser.post("/api/keys/", {"name": "k", field: value}).status == 400, (field, value)


def test_signing_up_is_off(server):
    person = {"email": "a@b.c", "password": PASSWORD, "name": "A"}
    assert Browser(server).post("/api/auth/signup/", person).status == 403
    assert Browser(server).post("/api/auth/signup/", {**person, "invite": "x"}).json["error"]["field"] == "invite"


def test_signing_up_where_it_is_allowed(start_server):
    server = start_server("--allow-signup")
    person = {"email": "a@b.c", "password": PASSWORD, "name": "A"}
    browser = Browser(server)
    assert browser.get("/").headers["Location"].startswith("/signin")
    assert browser.get("/api/auth/").json["signup_allowed"] is True
    assert browser.post("/api/auth/signup/", {**person, "email": "x"}).json["error"]["field"] == "email"
    assert browser.post("/api/auth/signup/", {**person, "password": "x"}).json["error"]["field"] == "password"
    assert browser.post("/api/auth/signup/", person, Sec_Fetch_Site="cross-site").status == 403
    assert browser.post("/api/auth/signup/", person).status == 200
    session = browser.session()
    assert session["role"] == "member" and session["user"]["email"] == "a@b.c"
    assert Browser(server).post("/api/auth/signup/", person).status == 400
    assert browser.get("/").status == 200


# ---- keys


def test_keys(server):
    browser = owner_of(server)
    wish = {"name": "ci", "scopes": ["ingest"], "environment": "staging", "expires_at": in_hours(1)}
    made = browser.post("/api/keys/", wish).json
    key = made.pop("key")
    assert key.startswith("rsp_") and key.startswith(made["hint"])
    assert made["scopes"] == ["ingest"] and made["environment"] == "staging" and made["revoked_at"] is None
    assert made in browser.get("/api/keys/").json["results"]
    assert server.send([span()], key=key).status == 200
    assert server.get("/api/traces/list/", key=key).json["error"]["field"] == "scopes"
    basic = {"Authorization": "Basic " + base64.b64encode(f"pk:{key}".encode()).decode()}
    assert server.get("/api/traces/list/", key=False, headers=basic).status == 403
    listed = {k["id"]: k for k in browser.get("/api/keys/").json["results"]}
    assert listed[made["id"]]["last_used_at"]
    assert browser.delete(f"/api/keys/{made['id']}/").status == 200
    assert server.send([span()], key=key).status == 401  # at once
    assert browser.delete("/api/keys/999/").status == 404
    assert browser.delete("/api/keys/x/").status == 404


def test_what_a_key_may(server):
    browser = owner_of(server)
    keys = {
        scope: browser.post("/api/keys/", {"name": scope, "scopes": [scope]}).json["key"]
        for scope in ("ingest", "read", "gateway")
    }
    trace = span()
    assert server.send([trace], key=keys["read"]).status == 403
    assert server.send([trace], key=keys["gateway"]).status == 403
    assert server.send([trace], key=keys["ingest"]).status == 200
    path = f"/api/traces/{trace['traceId']}/"
    assert server.get(path, key=keys["read"]).status == 200
    assert server.get(path, key=keys["ingest"]).status == 403
    for key in keys.values():
        assert server.request("DELETE", path, key=key).status == 403
        assert server.get("/api/keys/", key=key).status == 403
    assert server.get("/api/keys/").status == 403
    assert server.request("DELETE", path).status == 200


def test_a_key_that_expires(server):
    browser = owner_of(server)
    ends = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=3)
    key = browser.post("/api/keys/", {"name": "short", "expires_at": ends.isoformat()}).json["key"]
    answer = server.get("/api/traces/list/", key=key)
    assert answer.status == 200 or datetime.datetime.now(datetime.UTC) > ends
    while answer.status == 200:
        time.sleep(0.1)
        answer = server.get("/api/traces/list/", key=key)
    assert answer.status == 401 and "expired" in answer.json["error"]["message"]
    assert datetime.datetime.now(datetime.UTC) > ends


def test_the_environment_of_a_key(start_server):
    server = start_server()
    wish = {"name": "k", "environment": "staging"}
    key = owner_of(server).post("/api/keys/", wish).json["key"]
    silent, own = span(name="silent"), span(name="own", attributes={"respan.environment": "test"})
    assert server.send([silent, own], key=key).status == 200

    def environments():
        listed = {t["name"]: t["environment"] for t in server.get("/api/traces/list/").json["results"]}
        found = [t["name"] for t in server.get("/api/traces/list/?environment=staging").json["results"]]
        one = server.get(f"/api/spans/{silent['spanId']}/").json["environment"]
        return listed, found, one

    expected = ({"silent": "staging", "own": "test"}, ["silent"], "staging")
    assert environments() == expected
    assert server.command("compact").returncode == 0
    assert environments() == expected


# ---- others


def invited(owner, role, email) -> Browser:
    made = owner.post("/api/invites/", {"role": role, "email": email}).json
    browser = Browser(owner.server)
    person = {"email": email, "password": PASSWORD, "name": email, "invite": made["url"].rsplit("/", 1)[1]}
    assert browser.post("/api/auth/signup/", person).status == 200
    browser.session()
    return browser


def test_invites(server):
    owner = owner_of(server)
    made = owner.post("/api/invites/", {"role": "member", "email": "ann@example.org"}).json
    assert made["url"].startswith(f"{server.base_url}/invite/") and made["role"] == "member"
    listed = owner.get("/api/invites/").json["results"]
    assert [i["id"] for i in listed] == [made["id"]] and "url" not in listed[0]
    token = made["url"].rsplit("/", 1)[1]
    browser = Browser(server)
    assert browser.get(f"/invite/{token}").status == 200
    person = {"email": "bob@example.org", "password": PASSWORD, "name": "Bob", "invite": token}
    assert browser.post("/api/auth/signup/", person).json["error"]["field"] == "invite"
    person["email"] = "ann@example.org"
    assert browser.post("/api/auth/signup/", person).status == 200
    assert browser.session()["role"] == "member"
    assert Browser(server).post("/api/auth/signup/", {**person, "email": "c@d.e"}).status == 403  # once
    gone = owner.post("/api/invites/", {"role": "viewer"}).json
    assert owner.delete(f"/api/invites/{gone['id']}/").status == 200
    person = {**person, "email": "x@y.z", "invite": gone["url"].rsplit("/", 1)[1]}
    assert Browser(server).post("/api/auth/signup/", person).status == 403
    assert owner.delete(f"/api/invites/{gone['id']}/").status == 404
    assert owner.post("/api/invites/", {"role": "king"}).json["error"]["field"] == "role"
    assert owner.post("/api/invites/", {"role": "viewer", "email": "x"}).json["error"]["field"] == "email"


def test_what_roles_may(start_server):
    server = start_server()
    owner = owner_of(server)
    viewer, member = invited(owner, "viewer", "v@x.org"), invited(owner, "member", "m@x.org")
    kept = span()
    server.send([kept])
    wish, path = {"name": "k"}, f"/api/traces/{kept['traceId']}/"
    for browser, made, seen in ((viewer, 403, 403), (member, 200, 403), (owner, 200, 200)):
        assert browser.get(path).status == 200
        assert browser.get("/api/keys/").status == 200 and browser.get("/api/members/").status == 200
        assert browser.post("/api/keys/", wish).status == made
        for closed in ("/api/invites/", "/api/audit/"):
            assert browser.get(closed).status == seen, closed
        assert browser.post("/api/projects/", {"name": f"of {made} {seen}"}).status == seen
        assert browser.post("/api/projects/1/", {"retention_days": 30}).status == seen
        assert browser.post("/api/invites/", {"role": "viewer"}).status == seen
    assert viewer.delete(path).status == 403
    ids = {m["email"]: m["id"] for m in owner.get("/api/members/").json["results"]}
    assert member.post(f"/api/members/{ids['m@x.org']}/", {"role": "owner"}).status == 403
    # at once
    assert owner.post(f"/api/members/{ids['v@x.org']}/", {"role": "member"}).json["role"] == "member"
    assert viewer.post("/api/keys/", wish).status == 200
    assert owner.post(f"/api/members/{ids['v@x.org']}/", {"role": "viewer"}).status == 200
    assert viewer.post("/api/keys/", wish).status == 403
    assert member.delete(path).status == 200
    assert owner.delete(f"/api/members/{ids['m@x.org']}/").status == 200
    assert member.get("/api/session/").status == 401
    assert member.sign_in("m@x.org", PASSWORD).status == 401
    # somebody is to be an owner
    assert owner.post(f"/api/members/{ids['owner@localhost']}/", {"role": "viewer"}).status == 400
    assert owner.delete(f"/api/members/{ids['owner@localhost']}/").status == 400
    assert owner.post("/api/members/999/", {"role": "viewer"}).status == 404


def test_projects(start_server):
    server = start_server()
    owner = owner_of(server)
    other = owner.post("/api/projects/", {"name": "other"}).json
    assert other["id"] == 2 and other["retention_days"] is None and other["spans"] == 0
    assert owner.post("/api/projects/", {"name": "other"}).json["error"]["field"] == "name"
    kept = {"retention_days": 30, "retention_bytes": 1 << 30}
    changed = owner.post("/api/projects/2/", {"name": "better", **kept}).json
    assert changed["name"] == "better" and {k: changed[k] for k in kept} == kept
    changed = owner.post("/api/projects/2/", {"retention_days": None}).json
    assert changed["retention_days"] is None and changed["retention_bytes"] == 1 << 30
    for field, value in (("retention_days", -1), ("retention_days", 1 << 40), ("retention_bytes", "x"), ("name", "")):
        assert owner.post("/api/projects/2/", {field: value}).json["error"]["field"] == field
    assert owner.post("/api/projects/9/", {"name": "x"}).status == 404
    assert [p["name"] for p in owner.session()["projects"]] == ["default", "better"]
    # each has keys and traces of its own
    owner.project = 2
    key = owner.post("/api/keys/", {"name": "k"}).json["key"]
    assert server.send([span()], key=key).status == 200
    assert owner.get("/api/session/").json["traces"] == 1
    assert len(owner.get("/api/traces/list/").json["results"]) == 1
    owner.project = None
    assert owner.get("/api/session/").json["traces"] == 0
    mine = owner.get("/api/keys/").json["results"]
    assert key[:10] not in [k["hint"] for k in mine]
    assert {p["id"]: p["spans"] for p in owner.get("/api/projects/").json["results"]} == {1: 0, 2: 1}


def test_a_project_is_deleted(start_server):
    server = start_server()
    owner = owner_of(server)
    owner.post("/api/projects/", {"name": "other"})
    owner.project = 2
    key = owner.post("/api/keys/", {"name": "k"}).json["key"]
    assert server.send([span()], key=key).status == 200
    owner.project = None
    assert server.send([span()]).status == 200
    kept = list((server.data / "projects" / "2").rglob("segment"))
    assert len(kept) == 1
    for wrong in ({}, {"name": "default"}, {"name": "Other"}):
        assert owner.delete("/api/projects/2/", wrong).json["error"]["field"] == "name"
    assert server.get("/api/traces/list/", key=key).json["count"] == 1
    assert owner.delete("/api/projects/2/", {"name": "other"}).status == 200
    assert server.get("/api/traces/list/", key=key).status == 401
    assert owner.get("/api/session/?project=2").status == 404
    assert not kept[0].exists()
    assert [p["name"] for p in owner.session()["projects"]] == ["default"]
    assert owner.delete("/api/projects/2/", {"name": "other"}).status == 404
    assert owner.delete("/api/projects/1/", {"name": "default"}).status == 400  # the only one
    assert server.get("/api/traces/list/").json["count"] == 1
    assert owner.post("/api/projects/", {"name": "other"}).json["id"] == 3


# ---- the command line


def told(server, *arguments):
    done = server.command(*arguments, "--json")
    assert done.returncode == 0, done
    return json.loads(done.stdout)


def test_users_by_command(start_server):
    server = start_server()
    link = server.command("users", "add", "ann@x.org", "--name", "Ann", "--role", "viewer").stdout.strip()
    assert link.startswith(f"{server.base_url}/login?token=")
    answer = server.get(link[len(server.base_url) :], key=False)
    ann = Browser(server, answer.headers["Set-Cookie"].split(";")[0])
    assert ann.session()["user"]["email"] == "ann@x.org" and ann.session()["role"] == "viewer"
    assert server.command("users", "role", "ann@x.org", "member").returncode == 0
    time.sleep(1)
    assert ann.session()["role"] == "member"
    done = subprocess.run(
        [str(BINARY), "users", "password", "ann@x.org"],
        env=server.environment,
        input=PASSWORD + "\n",
        text=True,
        timeout=60,
    )
    assert done.returncode == 0
    time.sleep(1)
    assert ann.get("/api/session/").status == 401
    assert ann.sign_in("ann@x.org", PASSWORD).status == 200
    assert {u["email"]: u["role"] for u in told(server, "users", "list")} == {
        "owner@localhost": "owner",
        "ann@x.org": "member",
    }
    made = told(server, "users", "invite", "bob@x.org", "--role", "owner", "--url", "https://t.example/")
    assert made["url"].startswith("https://t.example/invite/")
    person = {"email": "bob@x.org", "password": PASSWORD, "name": "Bob", "invite": made["url"].rsplit("/", 1)[1]}
    assert Browser(server).post("/api/auth/signup/", person).status == 200
    assert server.command("users", "remove", "ann@x.org").returncode == 0
    time.sleep(1)
    assert ann.get("/api/session/").status == 401
    assert "ann@x.org" not in server.command("users", "list").stdout
    for wrong, status in (
        (("users",), 2),
        (("users", "add"), 2),
        (("users", "add", "nonsense"), 1),
        (("users", "add", "x@y.z", "--role", "king"), 2),
        (("users", "role", "bob@x.org", "king"), 2),
        (("users", "role", "nobody@x.org", "owner"), 1),
        (("users", "remove", "nobody@x.org"), 1),
        (("users", "list", "x"), 2),
        (("audit", "x"), 2),
        (("audit", "--limit", "0"), 2),
        (("keys", "create", "--scope", "all"), 2),
        (("keys", "create", "--expires", "soon"), 2),
        (("projects", "create"), 2),
        (("projects", "rename", "none", "x"), 1),
        (("auth", "link", "--user", "nobody@x.org"), 1),
    ):
        assert server.command(*wrong).returncode == status, wrong
    actions = [r["action"] for r in told(server, "audit")]
    assert actions[0] == "user.remove" and "user.role" in actions and "invite.accept" in actions
    assert "command line" in server.command("audit", "--limit", "1").stdout


def test_keys_and_projects_by_command(start_server):
    server = start_server()
    assert told(server, "projects", "create", "other")["id"] == 2
    assert told(server, "projects", "rename", "other", "better")["name"] == "better"
    wish = ("--scope", "read", "--expires", "90d", "--environment", "ci", "--project", "better")
    made = told(server, "keys", "create", *wish)
    assert made["scopes"] == ["read"] and made["environment"] == "ci" and made["expires"]
    assert server.get("/api/session/", key=made["key"]).json["project"] == "better"
    assert server.send([span()], key=made["key"]).status == 403
    listed = server.command("keys", "list", "--project", "better").stdout
    assert "read" in listed and "in ci" in listed and "until" in listed
    link = server.command("auth", "link", "--project", "better").stdout.strip()
    assert link.endswith("&next=%2F%3Fproject%3D2")


# ---- where one is signed in


def test_own_sessions(start_server):
    server = start_server()
    owner = owner_of(server)
    other = Browser(server)
    other.cookie = server.sign_in()
    rows = owner.get("/api/auth/sessions/").json["results"]
    assert [r["current"] for r in rows].count(True) == 1 and len(rows) == 2
    assert all(r["address"] == "127.0.0.1" and r["last_used_at"] and r["expires_at"] > r["created_at"] for r in rows)
    (there,) = (r["id"] for r in rows if not r["current"])
    # another's session is none of one's own
    made = owner.post("/api/invites/", {"role": "viewer"}).json["url"].rsplit("/", 1)[1]
    ann = Browser(server)
    who = {"email": "ann@example.org", "name": "Ann", "password": PASSWORD, "invite": made}
    assert ann.post("/api/auth/signup/", who, User_Agent="Ann's browser").status == 200
    ann.session()
    (only,) = ann.get("/api/auth/sessions/").json["results"]
    assert only["agent"] == "Ann's browser" and only["current"]
    assert ann.delete(f"/api/auth/sessions/{there}/").status == 404
    assert other.get("/api/session/").status == 200
    assert owner.delete(f"/api/auth/sessions/{there}/").status == 200
    assert other.get("/api/session/").status == 401
    assert owner.delete(f"/api/auth/sessions/{there}/").status == 404
    assert owner.delete("/api/auth/sessions/x/").status == 404
    other.cookie = server.sign_in()
    assert owner.delete("/api/auth/sessions/").json == {"ended": 1}
    assert other.get("/api/session/").status == 401
    assert owner.get("/api/session/").status == 200
    assert ann.get("/api/session/").status == 200
    seen = {m["email"]: m["last_seen_at"] for m in owner.get("/api/members/").json["results"]}
    assert all(seen.values())
    assert "session.end" in [r["action"] for r in owner.get("/api/audit/").json["results"]]
    assert [r["agent"] for r in told(server, "users", "sessions", "ann@example.org")] == ["Ann's browser"]
    assert "Ann's browser" in server.command("users", "sessions", "ann@example.org").stdout
    assert server.command("users", "sessions", "nobody@x.org").returncode == 1
