"""What Langfuse's SDK (5.0 of PyPI) asks of LANGFUSE_HOST, with its two keys as user and password."""

import base64
from pathlib import Path

import pytest

SENT = Path(__file__).parents[1] / "golden" / "langfuse" / "langfuse_5_0.pb"  # by the SDK itself


def keys(secret):
    return {"Authorization": "Basic " + base64.b64encode(f"pk-lf-mine:{secret}".encode()).decode()}


def post(server, secret):
    headers = {**keys(secret), "Content-Type": "application/x-protobuf", "x-langfuse-public-key": "pk-lf-mine"}
    return server.request("POST", "/api/public/otel/v1/traces", SENT.read_bytes(), headers, key=False)


def test_traces(start_server):
    server = start_server()
    assert post(server, server.key).status == 200
    assert post(server, "sk-lf-other").status == 401
    [trace] = server.get("/api/traces/list/").json["results"]
    assert (trace["customer_identifier"], trace["session_identifier"]) == ("user-1", "session-1")


def test_whose_the_keys_are(server):
    answer = server.get("/api/public/projects", key=False, headers=keys(server.key))
    [project] = answer.json["data"]
    assert project["name"] == server.get("/api/session/").json["project"]
    assert project["id"].isdecimal() and project["metadata"] == {}
    assert project["organization"] == {"id": "1", "name": "default"}
    assert server.command("orgs", "create", "acme").returncode == 0
    key = server.command("keys", "create", "--project", "acme/acme").stdout.split()[-1]
    [project] = server.get("/api/public/projects", key=False, headers=keys(key)).json["data"]
    assert project["organization"] == {"id": "2", "name": "acme"} and project["id"] != "1"
    assert server.get("/api/public/projects", key=False, headers=keys("sk-lf-other")).status == 401


def test_the_page_of_a_trace(server):
    trace = "0af7651916cd43dd8448eb211c80319c"
    answer = server.get(f"/project/1/traces/{trace}", key=False)
    assert (answer.status, answer.headers["Location"]) == (303, f"/traces/{trace}")


@pytest.mark.parametrize("trace", ["0af7", "x" * 32, "%0d%0aa" * 5, "%2f%2fevil.example"])
def test_no_page(server, trace):
    answer = server.get(f"/project/1/traces/{trace}", key=False)
    assert answer.status == 404 and "Location" not in answer.headers
