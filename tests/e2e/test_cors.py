"""Pages of other sites may send spans where that was configured, and may do nothing else."""

import json

import pytest
from conftest import otlp, span

PAGE = "https://app.example"
INGEST = ["/v1/traces", "/api/v1/traces", "/api/v2/traces", "/v1/logs"]


def preflight(server, path, origin=PAGE, **headers):
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST", **headers}
    return server.request("OPTIONS", path, headers=asked, key=False)


def send(server, origin, path="/v1/traces", key=True):
    body = json.dumps(otlp([span()])).encode()
    return server.request("POST", path, body, {"Content-Type": "application/json", "Origin": origin}, key=key)


def allowed(answer):
    assert answer.headers["Access-Control-Allow-Credentials"] is None
    return answer.headers["Access-Control-Allow-Origin"]


@pytest.fixture(scope="module")
def opened(start_server):
    return start_server("--cors-origin", PAGE, "--cors-origin=http://localhost:5173")


@pytest.mark.parametrize("path", INGEST)
def test_off_unless_configured(server, path):
    assert preflight(server, path).status == 405
    assert allowed(send(server, PAGE)) is None


@pytest.mark.parametrize("path", INGEST)
def test_a_browser_may_ask(opened, path):
    answer = preflight(opened, path)
    assert answer.status == 204 and answer.body == b""
    assert allowed(answer) == PAGE and answer.headers["Vary"] == "Origin"
    assert answer.headers["Access-Control-Allow-Methods"] == "POST"
    assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
    assert answer.headers["Access-Control-Allow-Private-Network"] is None
    private = preflight(opened, path, **{"Access-Control-Request-Private-Network": "true"})
    assert private.headers["Access-Control-Allow-Private-Network"] == "true"


def test_a_page_may_send_and_read_the_answer(opened):
    for origin in (PAGE, "http://localhost:5173"):
        answer = send(opened, origin)
        assert answer.status == 200 and allowed(answer) == origin
    refused = send(opened, PAGE, key=False)
    assert refused.status == 401 and allowed(refused) == PAGE


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://app.example", "https://app.example.evil.example", "null"]
)
def test_other_origins_may_not(opened, origin):
    answer = preflight(opened, "/v1/traces", origin)
    assert answer.status == 405 and allowed(answer) is None
    assert allowed(send(opened, origin)) is None


@pytest.mark.parametrize("path", ["/api/traces/list/", "/api/session/", "/logout", "/login", "/", "/healthz"])
def test_never_for_what_a_session_opens(opened, path):
    assert preflight(opened, path).status == 405
    assert allowed(opened.request("GET", path, headers={"Origin": PAGE}, key=False)) is None
    cookie = opened.sign_in()
    elsewhere = {"Origin": PAGE, "Cookie": cookie, "Sec-Fetch-Site": "cross-site"}
    assert allowed(opened.request("GET", path, headers=elsewhere, key=False)) is None


def test_all_origins_only_when_said(start_server):
    answer = send(start_server("--cors-origin=*"), "https://any.example")
    assert answer.status == 200 and allowed(answer) == "*"


@pytest.mark.parametrize(
    "origin", ["app.example", "https://app.example/", "https://app.example/x", "https://*.example", ""]
)
def test_what_is_no_origin(server, origin):
    done = server.command("serve", "--listen=127.0.0.1:0", f"--cors-origin={origin}")
    assert done.returncode == 2 and "--cors-origin" in done.stderr
