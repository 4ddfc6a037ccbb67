"""Whatever a program calls it, the id of a conversation leads to its thread."""

import re
from pathlib import Path
from urllib.parse import quote

import pytest
from traces import ask, names, workflow

COMPATIBILITY = Path(__file__).parents[2] / "docs" / "compatibility.md"


def documented():
    """The attributes of the document's table; `.name` stands for the one before it with another end."""
    section = COMPATIBILITY.read_text().split("### Threads, conversations, sessions")[1].split("\n\n")[1]
    found = []
    for line in section.splitlines()[2:]:
        for name in re.findall(r"`([^`]+)`", line):
            found.append(found[-1].rsplit(".", 1)[0] + name if name.startswith(".") else name)
    return found


NAMES = documented()


@pytest.fixture(scope="module")
def threads(start_server):
    server = start_server()
    spans = []
    for n, name in enumerate(NAMES):
        trace = workflow(n, n)
        for span in trace:
            span["attributes"] = [
                a for a in span["attributes"] if "thread" not in a["key"] and "session" not in a["key"]
            ]
        trace[-1]["attributes"].append({"key": name, "value": {"stringValue": f"talk {name}"}})
        spans += trace
    assert server.send(spans).status == 200
    return server


def test_the_document_has_a_name_of_every_dialect():
    for dialect in ("respan.", "traceloop.", "gen_ai.", "session.id", "langfuse.", "ai.telemetry.", "mlflow."):
        assert any(name.startswith(dialect) for name in NAMES), dialect


@pytest.mark.parametrize("name", NAMES)
def test_its_id_is_a_filter_under_every_name(threads, name):
    n = NAMES.index(name)
    thread = f"talk {name}"
    assert names(ask(threads, session_identifier=thread)) == [f"flow_{n}"]
    for field in ("thread", "session", "session_identifier", "thread_identifier"):
        q = quote(f'{field}:"{thread}"')
        found = threads.get(f"/api/traces/list/?q={q}").json["results"]
        assert [t["name"] for t in found] == [f"flow_{n}"], field
    spans = threads.get(f"/api/spans/list/?thread_identifier={quote(thread)}").json["results"]
    assert [s["thread_identifier"] for s in spans] == [thread]


def test_threads_are_listed_by_it(threads):
    answer = threads.get("/api/metrics/totals/?of=traces&group_by=session_identifier&limit=100").json
    assert {g["value"] for g in answer["groups"]} >= {f"talk {name}" for name in NAMES}
