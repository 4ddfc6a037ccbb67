"""/api/openapi.json is what the server does: every endpoint is in it, and schemathesis finds no answer that it does not promise."""

import json
import re
import subprocess

import pytest
from accounts import Browser, owner_of
from conftest import ROOT
from ending import Ending
from traces import workflow

# Addresses of the page, of its files, and of what leads there.
NOT_OF_THE_API = re.compile(r"rs_static_(file|page|file_or_page|open_page)|rs_share_page|rs_langfuse_trace_page")


def document(server):
    answer = server.get("/api/openapi.json", key=False)
    assert answer.status == 200 and answer.headers["Content-Type"] == "application/json"
    return answer.json


def test_every_endpoint_is_in_the_document(server):
    table = re.findall(r'^    \{"([^"]+)", ([^,]+),[^}]*?, (\w+)\},$', (ROOT / "src/server/routes.c").read_text(), re.M)
    assert len(table) > 30
    served = {
        (method.removeprefix("RS_").lower(), path)
        for path, methods, handler in table
        if not NOT_OF_THE_API.fullmatch(handler)
        for method in methods.split(" | ")
    }
    described = {
        (method, re.sub(r"\{\w+\}", "{id}", path))
        for path, item in document(server)["paths"].items()
        for method in item
        if method != "parameters"
    }
    assert described == served


def test_what_is_referred_to_is_there(server):
    said = document(server)
    referred = set(re.findall(r'"#/components/(\w+/\w+)"', json.dumps(said)))
    there = {f"{kind}/{name}" for kind, all_of in said["components"].items() for name in all_of}
    assert referred <= there
    assert there - referred == {"securitySchemes/key", "securitySchemes/apiKey", "securitySchemes/cookie"}


LIVE = "/api/live/"  # an answer without an end
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,unsupported_method"
)


def schemathesis(python, server, headers, phases, examples, *options, url=None):
    """Asks every operation of the document, as whoever has these headers; the process."""
    given = [option for name, value in headers.items() for option in ("-H", f"{name}: {value}")]
    return subprocess.Popen(
        [
            *(python, "-m", "schemathesis.cli", "run", f"{url or server.base_url}/api/openapi.json", *given),
            *("--checks", CHECKS, "--phases", phases, "--max-examples", examples, "--seed", "1", "--workers", "1"),
            *("--request-timeout", "20", "--suppress-health-check", "all"),
            *(("--include-path", LIVE) if url else ("--exclude-path", LIVE)),
            *("--generation-database=none", *options),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=server.home,
    )


def by_session(browser):
    return {"Cookie": browser.cookie, "X-CSRF-Token": browser.token}


def test_schemathesis_finds_nothing(start_server):
    """By key, and as an owner and a member of servers of their own, who take away what the others would need."""
    venv = subprocess.run([ROOT / "tools/make_openapi_venv"], capture_output=True, text=True)
    if venv.returncode != 0:
        pytest.fail(f"no schemathesis: {venv.stderr}")
    python = venv.stdout.strip()
    servers = [start_server() for _ in range(3)]
    for server in servers:
        for n in range(20):
            assert server.send(workflow(n, n)).status == 200
    owner, of_member = owner_of(servers[1]), owner_of(servers[2])
    token = of_member.post("/api/invites/", {"role": "member"}).json["url"].rsplit("/", 1)[1]
    member = Browser(servers[2])
    person = {"email": "member@x.org", "password": "correct horse battery", "name": "member", "invite": token}
    assert member.post("/api/auth/signup/", person).status == 200
    member.session()
    stay = ("--exclude-path", "/api/auth/signout/", "--exclude-path", "/logout")
    leave = ("--include-path", "/api/auth/signout/", "--include-path", "/logout")
    key = {"Authorization": f"Bearer {servers[0].key}"}
    running = [
        schemathesis(python, servers[0], key, "examples,coverage,fuzzing", "8"),
        schemathesis(python, servers[1], by_session(owner), "examples,fuzzing", "4", *stay),
        schemathesis(python, servers[2], by_session(member), "examples,fuzzing", "4", *stay),
    ]
    said = [process.communicate(timeout=280)[0] for process in running]
    # who leaves is asked for last
    running.append(schemathesis(python, servers[2], by_session(member), "examples,coverage", "1", *leave))
    said.append(running[-1].communicate(timeout=100)[0])
    with Ending(servers[0]) as url:
        running.append(schemathesis(python, servers[0], key, "examples,coverage,fuzzing", "30", url=url))
        said.append(running[-1].communicate(timeout=200)[0])
    for process, text in zip(running, said, strict=True):
        assert process.returncode == 0, text[-12000:]
    for server in servers:
        assert server.get("/healthz").status == 200
