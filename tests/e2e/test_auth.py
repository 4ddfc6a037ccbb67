"""Who may ask: API keys, sign-in links, browser sessions, the credentials file, and `respan keys` and `auth`."""

import base64
import json
import os
import stat
import time

from conftest import Server


def credentials_of(server):
    return server.home / "config" / "respan" / "credentials"


def browse(server, cookie, path="/", **headers):
    return server.get(path, key=False, headers={"Cookie": cookie, **headers})


# ---- the first start, the credentials file


def test_first_start_writes_private_credentials(server):
    path = credentials_of(server)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    lines = dict(line.split("=", 1) for line in path.read_text().splitlines())
    assert lines["RESPAN_BASE_URL"] == server.base_url + "/api"
    assert lines["RESPAN_API_KEY"].startswith("rsp_")
    assert stat.S_IMODE(server.data.stat().st_mode) == 0o700


def test_credentials_survive_a_restart(start_server):
    server = start_server()
    before = credentials_of(server).read_text()
    assert server.stop() == 0
    server.start()
    assert credentials_of(server).read_text() == before


def test_a_lost_store_gets_a_new_key(start_server):
    server = start_server()
    old = server.key
    server.stop()
    server.data.rename(server.data.with_name("lost"))
    server.start()
    assert server.key != old
    assert server.get("/api/traces/list/").status == 200


def test_credentials_for_elsewhere_are_left_alone(binary, tmp_path, start_server):
    server = Server(tmp_path)
    path = credentials_of(server)
    path.parent.mkdir(parents=True)
    text = "RESPAN_API_KEY=theirs\nRESPAN_BASE_URL=https://respan.example/api\n"
    path.write_text(text)
    server.start()
    try:
        assert path.read_text() == text
        assert "respan.example" in server.stderr() and "keys create" in server.stderr()
    finally:
        assert server.stop() == 0


def test_credentials_of_a_running_local_server_are_left_alone(server, start_server):
    second = start_server("--data", str(server.home / "second"), home=server.home)
    try:
        assert second.key == server.key
        assert server.base_url in second.stderr()
    finally:
        assert second.stop() == 0


def test_credentials_of_a_local_server_that_is_gone_are_replaced(start_server):
    server = start_server()
    server.stop()
    server.listen = "127.0.0.1:0"
    server.start()
    assert f"RESPAN_BASE_URL={server.base_url}/api" in credentials_of(server).read_text()
    assert server.get("/api/traces/list/").status == 200


# ---- keys


def test_no_key_and_wrong_keys_are_refused(server):
    wrong = [
        {},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": f"Basic {server.key}"},
        {"x-api-key": ""},
        {"Authorization": f"Bearer {server.key}x"},
        {"x-api-key": "k" * 5000},
        {"Authorization": ""},
    ]
    for headers in wrong:
        for method, path in (("GET", "/api/traces/list/"), ("POST", "/v1/traces")):
            answer = server.request(method, path, b"" if method == "POST" else None, headers, key=False)
            assert answer.status == 401, (headers, answer)
            assert answer.json["error"]["code"] == "unauthorized"
            assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_both_ways_to_send_a_key(server):
    assert server.get("/api/traces/list/", key=False, headers={"x-api-key": server.key}).status == 200
    assert server.get("/api/traces/list/", key=False, headers={"Authorization": f"bearer  {server.key}"}).status == 200


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def test_a_key_as_user_or_password_of_basic(server):
    key = server.key
    for good in (basic("pk-lf-1", key), basic(key, ""), basic(key, "sk-lf-1"), basic("", key)):
        assert server.get("/api/traces/list/", key=False, headers=good).status == 200, good
        assert server.request("POST", "/v1/traces", b"", good, key=False).status != 401, good
    for bad in (basic("pk-lf-1", key + "x"), basic("", ""), basic("pk", "sk"), basic("u" * 5000, key)):
        assert server.get("/api/traces/list/", key=False, headers=bad).status == 401, bad
    for site in ("cross-site", "same-site"):
        elsewhere = {**basic("pk-lf-1", key), "Sec-Fetch-Site": site}
        assert server.get("/api/traces/list/", key=False, headers=elsewhere).status == 401
        assert server.request("POST", "/v1/traces", b"", elsewhere, key=False).status == 401


def test_keys_create_list_revoke_while_serving(server):
    made = json.loads(server.command("keys", "create", "--name", "laptop", "--json").stdout)
    assert server.get("/api/traces/list/", key=made["key"]).status == 200
    listed = json.loads(server.command("keys", "list", "--json").stdout)
    assert made["id"] in [k["id"] for k in listed] and all("key" not in k for k in listed)
    assert "laptop" in server.command("keys", "list").stdout
    assert server.command("keys", "revoke", str(made["id"])).returncode == 0
    time.sleep(1)
    assert server.get("/api/traces/list/", key=made["key"]).status == 401
    assert server.get("/api/traces/list/").status == 200


def test_exit_statuses(server):
    for arguments, status in (
        (("--help",), 0),
        (("--version",), 0),
        (("keys", "--help"), 0),
        (("serve", "-h"), 0),
        ((), 2),
        (("nonsense",), 2),
        (("keys",), 2),
        (("keys", "revoke"), 2),
        (("keys", "revoke", "x"), 2),
        (("keys", "list", "--nope"), 2),
        (("keys", "revoke", "999"), 1),
        (("auth",), 2),
        (("auth", "link", "--data", "/nonexistent/x"), 1),
        (("serve", "--listen", "nonsense:port"), 2),
        (("serve", "extra"), 2),
        (("serve", "--max-body", "0"), 2),
    ):
        done = server.command(*arguments)
        assert done.returncode == status, (arguments, done)
        assert done.stdout if status == 0 else done.stderr, arguments


def test_no_secret_on_standard_error_or_on_disk(server):
    cookie = server.sign_in()
    assert server.key not in server.stderr()
    for path in server.data.rglob("*"):
        if path.is_file():
            stored = path.read_bytes()
            assert server.key.encode() not in stored and cookie.split("=")[1].encode() not in stored, path


# ---- the browser


def test_link_works_once_and_sets_a_strict_cookie(start_server):
    server = start_server()
    path = server.link[len(server.base_url) :]
    assert server.request("HEAD", path, key=False).status == 303  # a preview does not use it up
    answer = server.get(path, key=False)
    assert answer.status == 303 and answer.headers["Location"] == "/"
    assert answer.headers["Referrer-Policy"] == "no-referrer" and answer.headers["Cache-Control"] == "no-store"
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("respan_session=") and "HttpOnly" in cookie and "SameSite=Strict" in cookie
    assert server.get(path, key=False).status == 401
    mine = cookie.split(";")[0]
    assert browse(server, mine, path).status == 303  # the same browser may click it again
    assert browse(server, mine, "/api/traces/list/").status == 200


def test_a_link_leads_to_a_path_of_this_server_only(server):
    for given, location in (
        ("/traces/abc?span=1", "/traces/abc?span=1"),
        ("//elsewhere.example/", "/"),
        ("/\\elsewhere.example", "/"),
        ("https://elsewhere.example", "/"),
        ("/a\r\nSet-Cookie: x=y", "/"),
        ("", "/"),
    ):
        link = server.command("auth", "link", "--next", given).stdout.strip()
        answer = server.get(link[len(server.base_url) :], key=False)
        assert answer.status == 303 and answer.headers["Location"] == location, (given, link)


def test_a_bad_link_gets_the_page_without_data(server):
    for path in ("/login", "/login?token=", "/login?token=nonsense", "/login?token=" + "x" * 5000):
        answer = server.get(path, key=False)
        assert answer.status == 401 and b"respan auth link" in answer.body, answer
        assert "Set-Cookie" not in answer.headers


def test_no_session_page_makes_no_request_elsewhere(server):
    for path in ("/", "/traces/00112233445566778899aabbccddeeff", "/settings"):
        answer = server.get(path, key=False)
        assert answer.status == 401 and answer.headers["Content-Type"].startswith("text/html")
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert b"http" not in answer.body and b"<script" not in answer.body and b"style=" not in answer.body


def test_cookies_that_are_no_session(server):
    for cookie in (
        "respan_session=",
        "respan_session=nonsense",
        "respan_session",
        ";;==;",
        "a=b; respan_session=" + "y" * 9000,
        "respan_session=\xff",
    ):
        assert browse(server, cookie).status == 401
        assert browse(server, cookie, "/api/traces/list/").status == 401


def test_session_reads_but_does_not_ingest(server):
    cookie = server.sign_in()
    assert browse(server, cookie).status == 200
    assert browse(server, cookie, "/api/traces/list/").status == 200
    answer = server.request(
        "POST", "/v1/traces", b"{}", {"Cookie": cookie, "Content-Type": "application/json"}, key=False
    )
    assert answer.status == 401


def test_another_site_cannot_use_the_session(server):
    cookie = server.sign_in()
    for site in ("cross-site", "same-site"):
        assert (
            browse(server, cookie, "/api/traces/list/", **{"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "cors"}).status
            == 401
        )
    assert (
        browse(
            server, cookie, "/api/traces/list/", **{"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}
        ).status
        == 200
    )
    assert browse(server, cookie, "/", **{"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate"}).status == 200


def test_logout_ends_the_session_at_once(server):
    cookie = server.sign_in()
    assert browse(server, cookie, "/api/traces/list/").status == 200
    answer = server.request("POST", "/logout", b"", {"Cookie": cookie}, key=False)
    assert answer.status == 303 and "Max-Age=0" in answer.headers["Set-Cookie"]
    assert browse(server, cookie, "/api/traces/list/").status == 401
    assert browse(server, cookie).status == 401
    assert server.request("POST", "/logout", b"", key=False).status == 303


def test_another_site_cannot_sign_out(server):
    cookie = server.sign_in()
    for site, mode in (("same-site", "navigate"), ("cross-site", "no-cors")):
        headers = {"Cookie": cookie, "Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode}
        assert server.request("POST", "/logout", b"", headers, key=False).status == 403
    assert browse(server, cookie, "/api/traces/list/").status == 200
    own = {"Cookie": cookie, "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate"}
    assert server.request("POST", "/logout", b"", own, key=False).status == 303
    assert browse(server, cookie, "/api/traces/list/").status == 401


def test_session_survives_a_restart(start_server):
    server = start_server()
    cookie = server.sign_in()
    server.stop()
    server.start()
    assert browse(server, cookie).status == 200


def test_auth_link_needs_data(tmp_path, binary):
    server = Server(tmp_path)
    done = server.command("auth", "link")
    assert done.returncode == 1 and "respan serve" in done.stderr
    assert not os.path.exists(server.data)
