"""/metrics, /readyz and /healthz of the real server."""

import re

import pytest
from conftest import span


def metrics(server):
    answer = server.get("/metrics", key=False)
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    text = answer.body.decode()
    sample = re.compile(r"^([a-z_]+(?:\{[a-z]+=\"[^\"]*\"\})?) (\S+)$")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    values = dict(sample.match(line).groups() for line in lines)
    for name in {re.sub(r"(_sum|_count)?(\{.*)?$", "", name) for name in values if "commit" in name or "{" in name}:
        assert f"# TYPE {name} " in text and f"# HELP {name} " in text
    return {name: float(value) for name, value in values.items()}


def test_what_came_in_is_counted(start_server):
    server = start_server()
    before = metrics(server)
    assert before["respan_spans_total"] == 0 and before['respan_build_info{version="0.1.0"}'] == 1
    assert server.send([span() for _ in range(30)]).status == 200
    assert server.send([span(), {**span(), "traceId": "0" * 32}]).status == 200
    assert server.get("/api/traces/list/", key="wrong").status == 401
    after = metrics(server)
    while after["respan_commit_seconds_count"] < 2:  # a commit is counted when all that waited for it have their answer
        after = metrics(server)
    assert after["respan_spans_total"] == 31 and after["respan_rejected_spans_total"] == 1
    assert after["respan_ingest_body_bytes_total"] > 30 * 100
    assert after['respan_http_responses_total{status="4xx"}'] == 1
    assert after['respan_http_responses_total{status="2xx"}'] >= 3
    assert after["respan_commit_seconds_count"] == 2 and after["respan_commit_seconds_sum"] > 0
    assert after["respan_queue_bytes"] == 0 and after["respan_queue_limit_bytes"] > 1 << 20
    assert after["process_resident_memory_bytes"] > 1 << 20 and after["process_cpu_seconds_total"] > 0


def test_metrics_are_this_machines_alone(start_server):
    server = start_server()
    server.stop()
    server.listen = "0.0.0.0:0"
    server.start()
    assert server.get("/metrics", key=False).status == 401
    assert server.get("/metrics").status == 200
    assert server.get("/readyz", key=False).status == 200


def test_ready(start_server):
    server = start_server()
    assert server.get("/readyz", key=False).body == b"ready\n"


@pytest.mark.parametrize("path", ["/metrics", "/readyz"])
def test_they_are_read_only(start_server, path):
    server = start_server()
    assert server.request("POST", path, b"").status == 405
