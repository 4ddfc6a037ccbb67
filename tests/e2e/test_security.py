"""Every endpoint of the routes table, asked by whoever should not; the rows are read from src/server/routes.c, so that a new one
is asked, too."""

import datetime
import re
import time

import pytest
from accounts import Browser, owner_of
from conftest import ROOT, Server, span

ROW = re.compile(
    r'\{\s*"(?P<pattern>[^"]+)",\s*(?P<methods>[A-Z_| \n]+?),\s*(?P<auth>RS_AUTH_\w+),\s*RS_BODY_\w+,\s*\w+\s*\}'
)
ROUTES = [
    (method.strip().removeprefix("RS_"), row["pattern"], row["auth"].removeprefix("RS_AUTH_"))
    for row in ROW.finditer((ROOT / "src/server/routes.c").read_text())
    for method in row["methods"].split("|")
]
KEYS = {"KEY": {"ingest"}, "ANY": {"read"}, "CHANGE": {"ingest", "read"}}  # what a key must have
VIEWERS = ("ANY", "USER", "USER_CHANGE", "SELF", "SELF_CHANGE")
OWNERS = ("OWNER", "OWNER_CHANGE", "LEAVE_CHANGE", "PROJECT_CHANGE", "ORG_CHANGE", "SERVER_CHANGE")
ROLES = dict.fromkeys(VIEWERS, 1) | dict.fromkeys(("CHANGE", "MEMBER_CHANGE"), 2) | dict.fromkeys(OWNERS, 3)
OPEN = {"NONE", "OWN_PAGE"}
CLOSED = [route for route in ROUTES if route[2] not in OPEN]
PASSWORD = "correct horse battery"


def test_the_table_is_read_whole():
    source = (ROOT / "src/server/routes.c").read_text()
    assert len({(p, a) for _, p, a in ROUTES}) <= source.count("RS_AUTH_") == len(ROW.findall(source))
    assert {auth for _, _, auth in ROUTES} <= OPEN | set(KEYS) | set(ROLES)
    # what is for anyone: the page, health, signing in, and what a token in the path opens
    for method, pattern, auth in ROUTES:
        if auth == "NONE" and pattern.startswith("/api/"):
            known = ("/api/openapi.json", "/api/auth/", "/api/share/{id}/", "/api/share/{id}/spans/{id}/")
            assert pattern in known or pattern.endswith("/metrics"), (method, pattern)


class Place:
    """A server with one of each who might ask."""

    def __init__(self, server: Server):
        self.server = server
        owner = self.owner = owner_of(server)
        self.trace = span()
        server.send([self.trace])
        self.keys = {
            scope: owner.post("/api/keys/", {"name": scope, "scopes": [scope]}).json["key"]
            for scope in ("ingest", "read", "gateway")
        }
        owner.project = owner.post("/api/projects/", {"name": "other"}).json["id"]
        self.foreign = owner.post("/api/keys/", {"name": "foreign"}).json["key"]
        owner.project = None
        revoked = owner.post("/api/keys/", {"name": "revoked"}).json
        owner.delete(f"/api/keys/{revoked['id']}/")
        self.revoked = revoked["key"]
        soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=1)
        self.expired = owner.post("/api/keys/", {"name": "short", "expires_at": soon.isoformat()}).json["key"]
        self.people = {3: owner}
        for level, role in ((1, "viewer"), (2, "member")):
            token = owner.post("/api/invites/", {"role": role}).json["url"].rsplit("/", 1)[1]
            person = {"email": f"{role}@x.org", "password": PASSWORD, "name": role, "invite": token}
            self.people[level] = Browser(server)
            assert self.people[level].post("/api/auth/signup/", person).status == 200
            self.people[level].session()
        self.over = Browser(server, server.sign_in())
        self.over.post("/api/auth/signout/")
        self.over.cookie = "respan_session=" + "x" * 43
        time.sleep(2)

    def ask(self, method, pattern, key=None, headers=None):
        # Ids that are not there, so that nothing is changed where somebody is let in; but what is asked whether he may, is.
        of_one = pattern.startswith(("/api/projects/{id}", "/api/organizations/{id}"))
        path = pattern.replace("*", "x").replace("{id}", "1" if of_one else "f" * 32)
        body = b"?" if method == "POST" else None
        return self.server.request(method, path, body, headers, key=key or False)


@pytest.fixture(scope="module")
def place(start_server):
    return Place(start_server())


def names(routes):
    return [f"{m} {p}" for m, p, _ in routes]


@pytest.mark.parametrize(("method", "pattern", "auth"), CLOSED, ids=names(CLOSED))
def test_who_is_refused(place, method, pattern, auth):
    ask = place.ask
    # nobody, and what is no longer or never was good
    for key in (None, place.revoked, place.expired, "rsp_" + "a" * 43):
        assert ask(method, pattern, key).status == 401, key
    for headers in ({"Cookie": place.over.cookie}, {"Cookie": "respan_session="}):
        assert ask(method, pattern, headers=headers).status == 401
    # keys
    for scope, key in place.keys.items():
        allowed = auth in KEYS and KEYS[auth] <= {scope}
        if allowed and pattern == "/api/live/":
            continue  # an answer without end
        assert (ask(method, pattern, key).status == 403) != allowed, scope
        assert ask(method, pattern + "?project=2", key).status == 403
    if auth not in KEYS:
        assert ask(method, pattern, place.server.key).status == 403
    # sessions
    changes = auth.endswith("CHANGE")
    for level, person in place.people.items():
        if person is not place.owner and pattern == "/api/auth/signout/":
            continue
        headers = {"Cookie": person.cookie}
        if auth not in ROLES:
            assert ask(method, pattern, headers={**headers, "X-CSRF-Token": person.token}).status == 401
            continue
        if changes:
            for token in (
                {},
                {"X-CSRF-Token": ""},
                {"X-CSRF-Token": place.people[4 - level if level != 2 else 1].token},
            ):
                assert ask(method, pattern, headers={**headers, **token}).json["error"]["code"] == "csrf"
        for site in ("cross-site", "same-site"):
            elsewhere = {**headers, "X-CSRF-Token": person.token, "Sec-Fetch-Site": site}
            assert ask(method, pattern, headers=elsewhere).status in (401, 403)
        if level < ROLES[auth]:
            answer = ask(method, pattern, headers={**headers, "X-CSRF-Token": person.token})
            assert answer.status == 403 and answer.json["error"]["code"] == "forbidden"


def test_each_of_them_got_what_is_theirs(place):
    """That what was refused above is let in where it should be."""
    path = f"/api/traces/{place.trace['traceId']}/"
    server = place.server
    assert server.get(path, key=place.keys["read"]).status == 200
    assert server.send([span()], key=place.keys["ingest"]).status == 200
    for person in place.people.values():
        assert person.get(path).status == 200
    # another project's key sees nothing of this one
    assert server.get(path, key=place.foreign).status == 404
    assert server.get("/api/traces/list/", key=place.foreign).json["results"] == []
    assert server.request("DELETE", path, key=place.foreign).status == 404
    span_path = f"/api/spans/{place.trace['spanId']}/"
    assert server.get(span_path, key=place.foreign).status == 404
    assert server.get(span_path, key=place.keys["read"]).status == 200
    # a key's id of another project cannot be revoked from here
    place.owner.project = 2
    foreign = place.owner.get("/api/keys/").json["results"][0]["id"]
    place.owner.project = None
    assert place.owner.delete(f"/api/keys/{foreign}/").status == 404
    assert server.get("/api/traces/list/", key=place.foreign).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../index.html",
        "/assets/..%2findex.html",
        "/assets/%2e%2e/index.html",
        "/assets/....//index.html",
        "/assets//etc/passwd",
        "/assets/../../../../etc/passwd",
        "/assets/..\\..\\etc\\passwd",
        "/assets/%00",
        "/assets/builtin/../../control.db",
        "/index.html",
        "/builtin/no-session.html",
        "/control.db",
        "/assets/%252e%252e/%252e%252e/etc/passwd",
        "/assets/%c0%ae%c0%ae/%c0%ae%c0%ae/etc/passwd",
        "/assets/%e0%80%ae%e0%80%ae/etc/passwd",
        "/assets/..;/..;/etc/passwd",
        "/assets/..%5c..%5cetc%5cpasswd",
        "/assets/index.html%00.js",
        "/assets/" + "../" * 300 + "etc/passwd",
        "/../control.db",
        "/%2e%2e/%2e%2e/etc/passwd.",
        "//etc/passwd.",
        "/etc%2fpasswd.",
        "/share/../control.db",
        "/api/share/..%2f..%2fcontrol.db/",
        "/api/share/%2e%2e/spans/%2e%2e/",
        "/traces/../../control.db",
        "/share/..%2f..%2fetc%2fpasswd",
        "/invite/..%2f..%2fcontrol.db",
        "/share/%00",
    ],
)
def test_no_way_out_of_the_assets(server, path):
    answer = server.get(path, key=False)
    assert answer.status in (400, 401, 404) and b"root:" not in answer.body and b"SQLite" not in answer.body


# ---- what every answer says


def asked(person, method, pattern):
    """An answer's status and headers alone: one of them never ends."""
    connection = person.server.connect()
    path = pattern.replace("*", "x").replace("{id}", "ffffffffffffffffffffffffffffffff")
    headers = {"Cookie": person.cookie, "X-CSRF-Token": person.token} if person.cookie else {}
    try:
        connection.request(method, path, b"?" if method == "POST" else None, headers)
        answer = connection.getresponse()
        return answer.status, answer.headers
    finally:
        connection.close()


@pytest.mark.parametrize(("method", "pattern"), [r[:2] for r in ROUTES], ids=names(ROUTES))
def test_every_answer_is_safe_to_hold(place, method, pattern):
    for person in (Browser(place.server), place.people[1]):
        if person.cookie and "out" in pattern:
            continue
        status, headers = asked(person, method, pattern)
        assert status < 500 or pattern == "/readyz"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        kind = headers["Content-Type"] or ""
        if kind.startswith("text/html"):
            policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
            assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
            assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
            assert policy["form-action"] == "'self'" and "unsafe" not in headers["Content-Security-Policy"]
        else:
            assert not kind or kind.split(";")[0] in {
                *("application/json", "text/plain", "text/event-stream", "application/x-ndjson"),
            }
        if pattern.startswith("/api/") and pattern != "/api/openapi.json":
            assert headers["Cache-Control"] == "no-store"


def test_no_get_changes_anything():
    for method, pattern, auth in ROUTES:
        if auth.endswith("CHANGE") or auth == "OWN_PAGE" or (auth == "KEY" and pattern != "/api/public/projects"):
            assert method != "GET", pattern


@pytest.mark.parametrize("pattern", ["/api/auth/signin/", "/api/auth/signup/", "/logout"])
def test_the_door_is_opened_by_its_own_page_alone(server, pattern):
    """There is no token before there is a session: another site must not sign somebody in as somebody else."""
    own = server.base_url
    for headers in (
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": own + ".evil.example"},
        {"Origin": own.rsplit(":", 1)[0] + ":1"},
        {"Sec-Fetch-Site": "cross-site", "Origin": own},
        {"Sec-Fetch-Site": "same-site"},
    ):
        answer = server.request("POST", pattern, b"{}", headers, key=False)
        assert answer.status == 403 and answer.json["error"]["code"] == "forbidden", headers
    for headers in ({}, {"Origin": own}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}):
        assert server.request("POST", pattern, b"{}", headers, key=False).status in (303, 400), headers


def test_no_secret_in_what_is_logged(place):
    said = place.server.stderr()
    for secret in (*place.keys.values(), place.foreign, PASSWORD, place.owner.cookie, place.owner.token):
        assert secret not in said
    for file in place.server.data.rglob("*"):
        if file.is_file():
            data = file.read_bytes()
            for secret in (*place.keys.values(), PASSWORD, place.owner.cookie.split("=")[1]):
                assert secret.encode() not in data, file


def test_secrets_are_compared_in_constant_time():
    """By the path that a compare takes, not by the clock: a secret is found by 8 bytes of its hash, and what is found is compared
    whole by sodium_memcmp. A measurement is bench/key_timing.py."""
    for file, times in (
        ("src/store/control/secrets.c", 1),  # keys, sessions, links, invites, links to traces
        ("src/server/auth.c", 2),  # what was asked a moment ago; CSRF tokens
    ):
        assert (ROOT / file).read_text().count("sodium_memcmp(") >= times, file
    compares = re.compile(
        r"(?<!sodium_)\b(?:mem|str|strn|strcase|strncase)cmp\s*\(([^;]*?)\)\s*[=!<>)&|;]|\brs_str_eq\w*\s*\(([^;]*?)\)\s*[)&|;]"
    )
    secret = re.compile(r"hash|token(?!_)|secret|cookie|session|password|csrf|digest|authorization|api_key")
    for path in sorted([*(ROOT / "src/server").glob("*.c"), *(ROOT / "src/store/control").glob("*.c")]):
        file = str(path.relative_to(ROOT))
        for found in compares.finditer(path.read_text()):
            arguments = re.sub(r'"[^"]*"', "", found[1] or found[2])
            assert not secret.search(arguments), f"{file}: {found[0]}"
    # whoever looks a secret up does so in one of the places above
    for path in (ROOT / "src").rglob("*.c"):
        text = path.read_text()
        if re.search(r"SELECT[^;]*WHERE [\w.]*prefix = \?1", text):
            assert "rs_control_find_secret(" in text or "sodium_memcmp(" in text, path
