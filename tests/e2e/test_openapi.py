"""/api/openapi.json is what the server does: every endpoint is in it, and schemathesis finds no answer that it does not promise."""

import json
import re
import subprocess

import pytest
from conftest import ROOT
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


def test_schemathesis_finds_nothing(start_server):
    venv = subprocess.run([ROOT / "tools/make_openapi_venv"], capture_output=True, text=True)
    if venv.returncode != 0:
        pytest.fail(f"no schemathesis: {venv.stderr}")
    server = start_server()
    for n in range(20):
        assert server.send(workflow(n, n)).status == 200
    checks = (
        "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
        "response_schema_conformance,unsupported_method"
    )
    found = subprocess.run(
        [
            *(venv.stdout.strip(), "-m", "schemathesis.cli", "run", f"{server.base_url}/api/openapi.json"),
            *("-H", f"Authorization: Bearer {server.key}", "--checks", checks),
            *("--phases", "examples,coverage,fuzzing", "--max-examples", "8", "--seed", "1", "--workers", "1"),
            *("--request-timeout", "20", "--exclude-path", "/api/live/", "--suppress-health-check", "all"),
            "--generation-database=none",
        ],
        capture_output=True,
        text=True,
        cwd=server.home,
        timeout=280,
    )
    assert found.returncode == 0, found.stdout[-12000:] + found.stderr[-2000:]
    assert server.get("/healthz").status == 200
