"""Organizations: what is another's does not exist, whichever endpoint is asked, and whoever is let out is out at once."""

import json
import subprocess

import pytest
from accounts import Browser, owner_of
from conftest import span
from test_attacks import hear_the_end
from test_live import Listener
from test_security import CLOSED, PASSWORD, ROLES, names

EVERYBODYS = {"SELF", "SELF_CHANGE"}  # of the user alone


def invited(by, role, email, **where) -> Browser:
    """Somebody new, in the organization that `by` asks about."""
    query = "&".join(f"{k}={v}" for k, v in where.items())
    made = by.post(f"/api/invites/?{query}", {"role": role, "email": email}).json
    browser = Browser(by.server)
    person = {"email": email, "password": PASSWORD, "name": email, "invite": made["url"].rsplit("/", 1)[1]}
    assert browser.post("/api/auth/signup/", person).status == 200
    browser.session()
    return browser


class Two:
    """A server with an organization beside its own, an owner in each, and one of everything in both."""

    def __init__(self, server):
        self.server = server
        self.owner = owner_of(server)
        made = self.owner.post("/api/organizations/", {"name": "acme"}).json
        assert made["role"] == "owner"
        self.acme = made["id"]
        self.ann = invited(self.owner, "owner", "ann@x.org", organization=self.acme)
        ids = {m["email"]: m["id"] for m in self.ann.get("/api/members/").json["results"]}
        # who made it leaves it, so that each sees one
        assert self.owner.delete(f"/api/members/{ids['owner@localhost']}/?organization={self.acme}").status == 200
        self.owner.session()
        [project] = self.ann.session()["projects"]
        self.theirs = project["id"]
        self.trace = span("of default", attributes={"respan.threads.thread_identifier": "thread of default"})
        self.their_trace = span("of acme")
        assert server.send([self.trace]).status == 200
        self.their_key = self.ann.post("/api/keys/", {"name": "k"}).json["key"]
        assert server.send([self.their_trace], key=self.their_key).status == 200
        self.key = self.owner.post("/api/keys/", {"name": "of default"}).json
        self.view = self.owner.post("/api/views/", {"name": "of default", "q": "", "shared": True}).json["id"]
        self.invite = self.owner.post("/api/invites/", {"role": "viewer", "email": "of.default@x.org"}).json
        self.price = self.owner.post("/api/prices/", {"model": "m", "input": 1}).json["id"]
        self.time_price = self.owner.post("/api/prices/time/", {"device": "cuda", "per_hour": 1}).json["id"]
        share = self.owner.post(f"/api/traces/{self.trace['traceId']}/share/").json["url"]
        self.share = share.rsplit("/", 1)[1]

    def all_of_default(self):
        """What an owner of the server's organization sees of it."""
        told = {
            path: self.owner.get(path).json
            for path in (
                *("/api/members/", "/api/invites/", "/api/projects/", "/api/keys/", "/api/views/", "/api/prices/"),
                *("/api/organizations/", "/api/traces/list/", "/api/audit/"),
                f"/api/traces/{self.trace['traceId']}/share/",
                f"/api/traces/{self.trace['traceId']}/pin/",
            )
        }
        for member in told["/api/members/"]["results"]:
            del member["last_seen_at"]
        return told


@pytest.fixture(scope="module")
def two(start_server) -> Two:
    return Two(start_server())


SECRETS = (b"of default", b"owner@localhost", b"of.default@x.org", b"default@")
ASKED = [route for route in CLOSED if route[2] in ROLES and route[2] not in EVERYBODYS]
BODIES = {
    "/api/projects/": {"name": "new"},
    "/api/projects/{id}/": {"name": "default"},
    "/api/organizations/": {"name": "new"},
    "/api/organizations/{id}/": {"name": "default"},
    "/api/members/{id}/": {"role": "viewer"},
    "/api/invites/": {"role": "owner"},
    "/api/keys/": {"name": "new"},
    "/api/views/": {"name": "new", "q": "", "shared": True},
    "/api/views/{id}/": {"name": "new"},
    "/api/prices/": {"model": "m", "input": 2},
    "/api/prices/time/": {"device": "cuda", "per_hour": 2},
    "/api/traces/{id}/share/": {"content": True},
    "/api/users/delete/": {"customer_identifier": "x"},
}


def path_of(two, pattern):
    """With what there is in the server's organization in place of the ids."""
    trace = two.trace
    of = {
        "/api/traces/": trace["traceId"],
        "/api/spans/": trace["spanId"],
        "/api/threads/": "thread%20of%20default",
        "/api/views/": two.view,
        "/api/keys/": two.key["id"],
        "/api/projects/": 1,
        "/api/organizations/": 1,
        "/api/members/": two.owner.session()["user"]["id"],
        "/api/invites/": two.invite["id"],
        "/api/prices/time/": two.time_price,
        "/api/prices/": two.price,
    }
    for prefix, value in of.items():
        if pattern.startswith(prefix):
            return pattern.replace("{id}", str(value)).replace("*", str(value))
    assert "{id}" not in pattern and "*" not in pattern, pattern
    return pattern


def ask(person, method, path, pattern, trace):
    body = None
    if method in ("POST", "DELETE"):
        body = BODIES.get(pattern, {})
        if pattern == "/api/traces/delete/":
            body = {"ids": [trace["traceId"]]}
    return person.request(method, path, body)


@pytest.mark.parametrize(("method", "pattern", "auth"), ASKED, ids=names(ASKED))
def test_what_is_anothers_does_not_exist(two, method, pattern, auth):
    before = two.all_of_default()
    path = path_of(two, pattern)

    def asked(query):
        answer = ask(two.ann, method, path + query, pattern, two.trace)
        for secret in SECRETS:
            assert secret not in answer.body
        return answer

    foreign, unknown = asked("?project=1"), asked("?project=99")
    assert foreign.status == unknown.status == 404 and foreign.body == unknown.body
    foreign, unknown = asked("?organization=1"), asked("?organization=99")
    assert foreign.status == unknown.status == 404 and foreign.body == unknown.body
    if auth not in ("PROJECT_CHANGE", "ORG_CHANGE"):
        assert asked(f"?project={two.theirs}&organization=1").status == 404
        assert asked(f"?project=1&organization={two.acme}").status == 404
    if auth == "SERVER_CHANGE":
        assert asked("").status == 403
    # its ids, from where she is
    if pattern == "/api/live/":
        return  # an answer without end: below
    if "{id}" in pattern or "*" in pattern or pattern == "/api/traces/delete/":
        answer = asked("")
        told = answer.json if answer.status == 200 else None
        assert (
            answer.status in (403, 404)
            or told in ({"deleted": 0}, {"shared": False}, {"pinned": False})
            or told.get("results", told.get("count")) in ([], 0)
        ), answer
    assert two.all_of_default() == before


def test_what_is_hers_alone_is_listed(two):
    """Lists, sums, exports, the log: nothing of the other one is in them, and the other way round."""
    ann, owner = two.ann, two.owner
    for path in (
        "/api/session/",
        "/api/traces/list/",
        "/api/traces/export/?format=jsonl",
        "/api/spans/list/",
        "/api/spans/export/?format=jsonl",
        "/api/metrics/facets/?fields=name",
        "/api/metrics/totals/?group_by=name",
        "/api/views/",
        "/api/keys/",
        "/api/members/",
        "/api/invites/",
        "/api/projects/",
        "/api/organizations/",
        "/api/audit/",
        "/api/audit/?format=csv",
        "/api/audit/?format=jsonl",
    ):
        mine, theirs = ann.get(path), owner.get(path)
        assert mine.status == theirs.status == 200, (path, mine, theirs)
        for secret in SECRETS[:1] + SECRETS[2:]:
            assert secret not in mine.body, path
        assert b"of acme" not in theirs.body, path
    assert [p["id"] for p in ann.session()["projects"]] == [two.theirs]
    assert ann.session()["organizations"] == [{"id": two.acme, "name": "acme", "role": "owner"}]
    assert ann.session()["server_owner"] is False and owner.session()["server_owner"] is True
    assert [m["email"] for m in ann.get("/api/members/").json["results"]] == ["ann@x.org"]
    assert "ann@x.org" not in str(owner.get("/api/members/").json)
    logged = {r["organization"] for r in ann.get("/api/audit/").json["results"]}
    assert logged == {two.acme}
    logged = {r["organization"] for r in owner.get("/api/audit/").json["results"]}
    assert logged == {1, None}  # what is of none is the server's owners'
    two.server.request("POST", "/api/auth/signin/", b'{"email":"ann@x.org","password":"no no no no"}', key=False)
    assert "signin.failed" not in str(ann.get("/api/audit/").json)
    assert "signin.failed" in str(owner.get("/api/audit/").json)


def test_she_hears_of_her_own_alone(two):
    with_cookie = f"Cookie: {two.ann.cookie}\r\n"
    live = Listener(two.server, headers=with_cookie)
    assert live.next()[0] == "ready"
    for query in ("project=1", "organization=1"):
        assert b" 404 " in Listener(two.server, query, headers=with_cookie).head.split(b"\r\n")[0]
    assert two.server.send([span("of default, later")]).status == 200
    assert two.server.send([span("of acme, later")], key=two.their_key).status == 200
    events = live.until(lambda event, data: event == "trace")
    assert [data["name"] for event, _, data in events if event == "trace"] == ["of acme, later"]
    live.close()


def test_a_link_is_for_whoever_has_it(two):
    assert two.server.get(f"/api/share/{two.share}/", key=False).status == 200
    assert two.ann.get(f"/api/share/{two.share}/").status == 200


def test_a_key_of_one_is_none_of_another(two):
    for query in ("?project=1", "?organization=1"):
        answer = two.server.get(f"/api/traces/list/{query}", key=two.their_key)
        assert answer.status == 403 and answer.json["error"]["field"] == query[1:].split("=")[0]
    said = two.server.get(f"/api/session/?organization={two.acme}", key=two.their_key).json
    assert said["organizations"] == [{"id": two.acme, "name": "acme", "role": None}]
    assert [p["id"] for p in said["projects"]] == [two.theirs] and said["server_owner"] is False


def test_what_is_of_the_server_is_its_owners(start_server):
    server = start_server()
    server.stop()
    server.listen = "0.0.0.0:0"  # where /metrics asks who reads it
    server.start()
    two = Two(server)
    assert two.ann.get("/api/prices/").status == 200
    for path, body in (
        ("/api/prices/", {"model": "m", "input": 5}),
        ("/api/prices/time/", {"device": "cpu", "per_hour": 1}),
        ("/api/organizations/", {"name": "another"}),
    ):
        assert two.ann.post(path, body).status == 403
        assert two.owner.post(path, body).status == 200
    assert two.ann.delete(f"/api/prices/{two.price}/").status == 403
    member = invited(two.owner, "member", "member@x.org")
    for who, status in ((two.owner, 200), (member, 403), (two.ann, 403)):
        assert who.get("/metrics").status == status
    assert server.get("/metrics").status == 200
    assert server.get("/metrics", key=two.their_key).status == 403


def test_who_is_in_both(two):
    """A role is the one in the organization that is asked about; removed from one, he is in the other still."""
    server, owner, ann = two.server, two.owner, two.ann
    bo = invited(owner, "member", "bo@x.org")
    token = ann.post("/api/invites/", {"role": "viewer"}).json["url"].rsplit("/", 1)[1]
    assert bo.post("/api/auth/invite/", {"invite": "x"}).json["error"]["field"] == "invite"
    assert bo.request("POST", "/api/auth/invite/", {"invite": token}, X_CSRF_Token="").json["error"]["code"] == "csrf"
    assert bo.post("/api/auth/invite/", {"invite": token}).status == 200
    assert bo.post("/api/auth/invite/", {"invite": token}).status == 403  # once
    assert {o["name"]: o["role"] for o in bo.session()["organizations"]} == {"default": "member", "acme": "viewer"}
    assert {p["id"]: p["role"] for p in bo.session()["projects"]} == {1: "member", two.theirs: "viewer"}
    assert bo.get(f"/api/session/?project={two.theirs}").json["role"] == "viewer"
    assert bo.get(f"/api/session/?organization={two.acme}").json["project_id"] == two.theirs
    assert bo.get("/api/session/").json["role"] == "member"
    for query, status in (("", 200), (f"?project={two.theirs}", 403)):
        assert bo.post(f"/api/keys/{query}", {"name": "k"}).status == status
    # each owner changes what he is in his own
    him = bo.session()["user"]["id"]
    assert ann.post(f"/api/members/{him}/", {"role": "member"}).status == 200
    assert bo.post(f"/api/keys/?project={two.theirs}", {"name": "k"}).status == 200
    assert bo.get("/api/session/").json["role"] == "member"
    assert ann.post(f"/api/members/{him}/", {"role": "viewer"}).status == 200
    assert bo.post(f"/api/keys/?project={two.theirs}", {"name": "k"}).status == 403  # at once
    # out of the first: at once, also where he listens to his first project without naming it
    headers = f"Cookie: {bo.cookie}\r\n"
    first, named, other = [Listener(server, q, headers=headers) for q in ("", "project=1", f"project={two.theirs}")]
    assert all(live.next()[0] == "ready" for live in (first, named, other))
    assert owner.delete(f"/api/members/{him}/").status == 200
    assert bo.get("/api/session/?project=1").status == 404
    assert bo.get("/api/session/").json["project_id"] == two.theirs
    for live in (first, named):
        hear_the_end(live)
    assert server.send([span("after he left")]).status == 200
    assert server.send([span("of acme, still")], key=two.their_key).status == 200
    events = other.until(lambda event, data: event == "trace")
    assert events[-1][2]["name"] == "of acme, still"
    for live in (first, named, other):
        assert b"after he left" not in live.text
        live.close()
    # out of the last: there is no such account
    assert ann.delete(f"/api/members/{him}/").status == 200
    assert bo.get("/api/session/").status == 401
    assert bo.sign_in("bo@x.org", PASSWORD).status == 401


def test_nothing_is_heard_once_it_is_answered(two):
    """What happens after the answer is not told to whoever was let out by it, right as he was a moment before."""
    eve = invited(two.ann, "member", "eve@x.org")
    him = eve.session()["user"]["id"]
    listeners = [Listener(two.server, headers=f"Cookie: {eve.cookie}\r\n") for _ in range(3)]
    assert all(live.next()[0] == "ready" for live in listeners)  # each has just been let in
    assert two.ann.delete(f"/api/members/{him}/").status == 200
    assert two.server.send([span("not for eve")], key=two.their_key).status == 200
    for live in listeners:
        hear_the_end(live)
        assert b"not for eve" not in live.text
        live.close()
    # another process says it to the server's file
    eve = invited(two.ann, "viewer", "eve@x.org")
    live = Listener(two.server, headers=f"Cookie: {eve.cookie}\r\n")
    assert live.next()[0] == "ready"
    assert two.server.command("users", "remove", "eve@x.org").returncode == 0
    hear_the_end(live)
    live.close()


def test_an_owner_does_not_come_back_by_his_own_invite(two):
    person = {"password": PASSWORD, "name": "Cy"}
    for email, let_out in (("cy1@x.org", "DELETE"), ("cy2@x.org", "POST")):
        cy = invited(two.ann, "owner", email)
        him = cy.session()["user"]["id"]
        token = cy.post("/api/invites/", {"role": "owner"}).json["url"].rsplit("/", 1)[1]
        made = [i for i in two.ann.get("/api/invites/").json["results"] if i["role"] == "owner"]
        assert len(made) == 1
        body = {"role": "viewer"} if let_out == "POST" else None
        assert two.ann.request(let_out, f"/api/members/{him}/", body).status == 200
        refused = Browser(two.server).post("/api/auth/signup/", {**person, "email": email, "invite": token})
        assert refused.status == 403 and refused.json["error"]["field"] == "invite"
        assert [i for i in two.ann.get("/api/invites/").json["results"] if i["role"] == "owner"] == []
        log = two.ann.get("/api/audit/?action=invite.delete").json["results"]
        assert (log[0]["actor"], log[0]["target"]) == ("ann@x.org", "owner")
    assert cy.session()["role"] == "viewer"
    assert two.ann.delete(f"/api/members/{him}/").status == 200


def test_one_with_an_account_joins_by_his_password(two):
    cy = invited(two.owner, "viewer", "cy@x.org")
    token = two.ann.post("/api/invites/", {"role": "member", "email": "cy@x.org"}).json["url"].rsplit("/", 1)[1]
    person = {"email": "cy@x.org", "name": "whatever", "invite": token}
    refused = Browser(two.server).post("/api/auth/signup/", {**person, "password": "not his password"})
    assert refused.status == 400 and refused.json["error"]["field"] == "email"
    assert "respan_session" not in str(refused.headers)
    assert len(cy.session()["organizations"]) == 1
    # nor without an invite, right as the password may be
    person = {**person, "password": PASSWORD}
    assert Browser(two.server).post("/api/auth/signup/", {**person, "invite": "x"}).status == 403
    joined = Browser(two.server)
    assert joined.post("/api/auth/signup/", person).status == 200
    assert {o["name"]: o["role"] for o in joined.session()["organizations"]} == {"default": "viewer", "acme": "member"}
    again = two.ann.post("/api/invites/", {"role": "owner"}).json["url"].rsplit("/", 1)[1]
    assert joined.post("/api/auth/invite/", {"invite": again}).status == 400  # he is in it: an invite raises nobody
    assert joined.session()["organizations"][1]["role"] == "member"


def test_an_invite_does_not_tell_who_has_an_account(two):
    """For whoever has it, it does so to one who would use it up by asking: there can be one account of an address."""
    one = two.ann.post("/api/invites/", {"role": "viewer", "email": "new@x.org"}).json["url"].rsplit("/", 1)[1]
    anybodys = two.ann.post("/api/invites/", {"role": "viewer"}).json["url"].rsplit("/", 1)[1]
    for wrong, field in (
        ({"invite": one}, "invite"),
        ({"invite": anybodys, "password": "short"}, "password"),
        ({"invite": anybodys, "name": ""}, "name"),
        ({"invite": "x"}, "invite"),
    ):
        person = {"name": "X", "password": "not the password", **wrong}
        known, unknown = (
            Browser(two.server).post("/api/auth/signup/", {**person, "email": email})
            for email in ("owner@localhost", "nobody@x.org")
        )
        assert known.json["error"]["field"] == field
        assert (known.status, known.body) == (unknown.status, unknown.body)


def test_somebody_is_to_be_an_owner(two):
    her = two.ann.session()["user"]["id"]
    assert two.ann.post(f"/api/members/{her}/", {"role": "viewer"}).status == 400
    assert two.ann.delete(f"/api/members/{her}/").status == 400
    # the server's owner is nobody in it
    assert two.owner.post(f"/api/members/{her}/?organization={two.acme}", {"role": "viewer"}).status == 404
    assert two.owner.post(f"/api/members/{her}/", {"role": "viewer"}).status == 404
    assert two.owner.delete(f"/api/organizations/{two.acme}/", {"name": "acme"}).status == 404


def test_who_wants_to_leave_does(two):
    """A viewer, too, but nobody else by it; from where he says, and not the last owner (above)."""
    fay = invited(two.ann, "viewer", "fay@x.org")
    him, her = fay.session()["user"]["id"], two.ann.session()["user"]["id"]
    token = two.owner.post("/api/invites/", {"role": "member"}).json["url"].rsplit("/", 1)[1]
    assert fay.post("/api/auth/invite/", {"invite": token}).status == 200
    assert fay.delete(f"/api/members/{her}/?organization={two.acme}").status == 403
    assert fay.delete(f"/api/members/{him}x/?organization={two.acme}").status == 403
    assert fay.post(f"/api/members/{him}/?organization={two.acme}", {"role": "owner"}).status == 403
    refused = fay.request("DELETE", f"/api/members/{him}/?organization={two.acme}", X_CSRF_Token="")
    assert refused.json["error"]["code"] == "csrf"
    assert fay.delete(f"/api/members/{him}/?organization={two.acme}").status == 200
    assert [o["name"] for o in fay.session()["organizations"]] == ["default"]
    [left] = [r for r in two.ann.get("/api/audit/?action=user.remove").json["results"] if r["target"] == "fay@x.org"]
    assert left["actor"] == "fay@x.org"
    # the last one that he was in: his account goes
    assert fay.delete(f"/api/members/{him}/").status == 200
    assert fay.get("/api/session/").status == 401


def test_projects_of_each(two):
    owner, ann = two.owner, two.ann
    made = ann.post("/api/projects/", {"name": "support"}).json
    assert made["organization"] == two.acme
    assert owner.post("/api/projects/", {"name": "support"}).json["organization"] == 1
    assert ann.post("/api/projects/", {"name": "support"}).json["error"]["field"] == "name"
    assert [p["name"] for p in ann.get("/api/projects/").json["results"]] == ["acme", "support"]
    assert ann.delete(f"/api/projects/{made['id']}/", {"name": "support"}).status == 200
    # the last one stays
    refused = ann.delete(f"/api/projects/{two.theirs}/", {"name": "acme"})
    assert refused.status == 400 and "only project" in refused.json["error"]["message"]


def test_an_organization_is_renamed_and_deleted(start_server):
    server = start_server()
    two = Two(server)
    owner, ann = two.owner, two.ann
    dee = invited(ann, "member", "dee@x.org")
    both = invited(ann, "viewer", "both@x.org")
    token = owner.post("/api/invites/", {"role": "viewer"}).json["url"].rsplit("/", 1)[1]
    assert both.post("/api/auth/invite/", {"invite": token}).status == 200
    path = f"/api/organizations/{two.acme}/"
    for wrong in ("", "a/b", "default", "x" * 64):
        assert ann.post(path, {"name": wrong}).json["error"]["field"] == "name"
    assert ann.post(path, {"name": "acme inc"}).json["name"] == "acme inc"
    assert dee.post(path, {"name": "mine"}).status == 403
    assert dee.delete(path, {"name": "acme inc"}).status == 403
    assert ann.request("DELETE", path, {"name": "acme inc"}, X_CSRF_Token="x").json["error"]["code"] == "csrf"
    ann.post("/api/projects/", {"name": "second"})
    shared = ann.post(f"/api/traces/{two.their_trace['traceId']}/share/").json["url"].rsplit("/", 1)[1]
    kept = list((server.data / "projects" / str(two.theirs)).rglob("segment"))
    assert len(kept) == 1
    for wrong in ({}, {"name": "acme"}, {"name": "default"}):
        assert ann.delete(path, wrong).json["error"]["field"] == "name"
    live = Listener(server, headers=f"Cookie: {dee.cookie}\r\n")
    assert live.next()[0] == "ready"
    assert ann.delete(path, {"name": "acme inc"}).status == 200
    assert not kept[0].exists()
    hear_the_end(live)
    live.close()
    for gone in (ann, dee):
        assert gone.get("/api/session/").status == 401
    assert [o["name"] for o in both.session()["organizations"]] == ["default"]
    assert server.get("/api/traces/list/", key=two.their_key).status == 401
    assert server.send([span()], key=two.their_key).status == 401
    assert server.get(f"/api/share/{shared}/", key=False).status == 404
    deleted = [r for r in owner.get("/api/audit/").json["results"] if r["action"] == "organization.delete"]
    assert [(r["actor"], r["target"]) for r in deleted] == [("ann@x.org", "acme inc")]
    # the server's own stays
    assert owner.delete("/api/organizations/1/", {"name": "default"}).status == 400
    assert server.get("/api/traces/list/").json["count"] == 1
    assert owner.post("/api/organizations/", {"name": "acme"}).json["id"] > two.acme


def test_signing_up_lets_into_the_first(start_server):
    server = start_server("--allow-signup")
    Two(server)
    browser = Browser(server)
    person = {"email": "a@b.c", "password": PASSWORD, "name": "A"}
    assert browser.post("/api/auth/signup/", person).status == 200
    assert browser.session()["organizations"] == [{"id": 1, "name": "default", "role": "member"}]


def test_the_command_line(start_server):
    server = start_server()

    def told(*arguments):
        done = server.command(*arguments, "--json")
        assert done.returncode == 0, done
        return json.loads(done.stdout)

    def fails(*arguments, status=1):
        done = server.command(*arguments)
        assert done.returncode == status, done
        return done.stderr

    assert told("orgs", "create", "acme")["id"] == 2
    assert told("orgs", "create", "beta", "--owner", "owner@localhost")["name"] == "beta"
    assert [o["name"] for o in told("orgs", "list")] == ["default", "acme", "beta"]
    assert told("orgs", "rename", "beta", "better")["name"] == "better"
    assert "exists already" in fails("orgs", "create", "acme")
    assert "no such" in fails("orgs", "rename", "nothing", "x")
    assert "no such" in fails("projects", "create", "x", "--org", "nothing")
    for org in ("acme", "better"):
        assert told("projects", "create", "support", "--org", org)["organization"] == org
    assert "acme/support, better/support" in fails("keys", "list", "--project", "support")
    assert "several projects" in fails("projects", "delete", "support", "--yes")
    key = server.command("keys", "create", "--project", "acme/support").stdout.strip()
    assert server.send([span()], key=key).status == 200
    assert told("projects", "create", "support")["organization"] == "default"
    assert server.command("keys", "list", "--project", "support").stdout == ""  # the first one's goes before
    assert len(told("keys", "list", "--project", "acme/support")) == 1
    assert {p["name"] for p in told("projects", "list", "--org", "acme")} == {"acme", "support"}
    assert "better/support" in server.command("projects", "list").stdout
    # without a project of that name in the first organization, none of another's is taken
    assert server.command("projects", "rename", "default/default", "main").returncode == 0
    assert "no such project" in fails("keys", "create")
    assert server.command("projects", "rename", "main", "default").returncode == 0

    link = server.command("users", "add", "ann@x.org", "--org", "acme", "--role", "owner").stdout.strip()
    answer = server.get(link[len(server.base_url) :], key=False)
    ann = Browser(server, answer.headers["Set-Cookie"].split(";")[0])
    assert ann.session()["organizations"] == [{"id": 2, "name": "acme", "role": "owner"}]
    assert server.command("users", "add", "ann@x.org", "--org", "better").returncode == 0
    assert [(u["organization"], u["role"]) for u in told("users", "list") if u["email"] == "ann@x.org"] == [
        ("acme", "owner"),
        ("better", "member"),
    ]
    assert "is in this organization already" in fails("users", "add", "ann@x.org", "--org", "better")
    assert "say which, with --org" in fails("users", "role", "ann@x.org", "viewer")
    assert "say which, with --org" in fails("users", "remove", "ann@x.org")
    assert "only owner" in fails("users", "role", "ann@x.org", "viewer", "--org", "acme")
    assert server.command("users", "role", "ann@x.org", "viewer", "--org", "better").returncode == 0
    assert [u["role"] for u in told("users", "list", "--org", "better") if u["email"] == "ann@x.org"] == ["viewer"]
    assert server.command("users", "remove", "ann@x.org", "--org", "better").returncode == 0
    made = told("users", "invite", "--org", "acme", "--role", "viewer")["url"].rsplit("/", 1)[1]
    person = {"email": "bo@x.org", "password": PASSWORD, "name": "Bo", "invite": made}
    bo = Browser(server)
    assert bo.post("/api/auth/signup/", person).status == 200
    assert [o["name"] for o in bo.session()["organizations"]] == ["acme"]

    assert {r["organization"] for r in told("audit", "--org", "acme")} == {2}
    assert {r["organization"] for r in told("audit", "--org", "default")} == {1, None}
    assert len(told("audit")) == sum(len(told("audit", "--org", o)) for o in ("default", "acme", "better"))
    assert "no such" in fails("audit", "--org", "nothing")

    refused = server.command("orgs", "delete", "acme", typed="better\n")
    assert refused.returncode == 1 and "nothing was deleted" in refused.stderr
    assert server.get("/api/traces/list/", key=key).json["count"] == 1
    deleting: subprocess.CompletedProcess = server.command("orgs", "delete", "acme", typed="acme\n")
    assert deleting.returncode == 0, deleting
    assert [o["name"] for o in told("orgs", "list")] == ["default", "better"]
    assert "the server's own" in fails("orgs", "delete", "default", "--yes")
    for wrong in (("orgs",), ("orgs", "create"), ("orgs", "list", "x"), ("orgs", "nothing"), ("orgs", "list", "--x")):
        fails(*wrong, status=2)
