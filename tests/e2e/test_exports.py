"""Exports of docs/http-api.md: each format has the rows of the lists, whatever their number, and whoever reads or leaves."""

import csv
import io
import json
import random
import socket
import subprocess
import time
import uuid
from datetime import datetime
from pathlib import Path

import pytest
from conftest import span
from traces import BASE_S, N, assert_refused, filtered, made

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
ODD = ["=1+1", "+1", "-1", "@SUM(A1)", "\ttab", "a,b", 'say "hi"', "two\nlines", "", "naïve 🙂", "'quoted", "7"]


def export(server, what, query=""):
    answer = server.get(f"/api/{what}/export/?{query}")
    assert answer.status == 200, answer
    return answer


def listed(server, what, query=""):
    path, rows = f"/api/{what}/list/?page_size=1000&{query}", []
    while path:
        answer = server.get(path)
        assert answer.status == 200, answer
        rows += answer.json["results"]
        path = answer.json["next"]
    return rows


def lines(answer):
    return [json.loads(line) for line in answer.body.splitlines()]


@pytest.mark.parametrize("what", ["traces", "spans"])
@pytest.mark.parametrize("query", ["", "content=false", "environment=staging", f"start_time={BASE_S + 30}", "model=no"])
def test_json_lines_are_the_objects_of_the_list(full, what, query):
    answer = export(full, what, query)
    assert lines(answer) == listed(full, what, query)
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    disposition = answer.headers["Content-Disposition"]
    assert disposition.startswith(f'attachment; filename="{what}-20') and disposition.endswith('.jsonl"')


def test_a_sample_is_of_whole_traces_and_the_same_each_time(full):
    def ids(what, query):
        return [row["trace_unique_id"] for row in lines(export(full, what, query))]

    everything = ids("traces", "")
    half, fifth = ids("traces", "sample=0.5"), ids("traces", "sample=0.2")
    assert half == [i for i in everything if i in set(half)] and half == ids("traces", "sample=0.5")
    assert set(fifth) < set(half) < set(everything) and N * 0.2 < len(half) < N * 0.8
    spans = [row["trace_unique_id"] for row in listed(full, "spans")]
    assert ids("spans", "sample=0.5") == [i for i in spans if i in set(half)]
    assert ids("traces", "sample=1") == everything
    assert [row[0] for row in csv.reader(io.StringIO(export(full, "traces", "format=csv&sample=0.5").body.decode()))][
        1:
    ] == half


def test_no_more_rows_than_asked_for(full):
    everything = listed(full, "traces")
    assert lines(export(full, "traces", "limit=7")) == everything[:7]
    assert lines(export(full, "traces", "limit=1000000")) == everything
    half = lines(export(full, "traces", "sample=0.5"))
    assert lines(export(full, "traces", "sample=0.5&limit=3")) == half[:3]


@pytest.mark.parametrize(
    "query", ["sample=0", "sample=1.1", "sample=-1", "sample=nan", "sample=x", "limit=0", "limit=x"]
)
def test_a_part_that_is_none_is_refused(full, query):
    assert_refused(full.get(f"/api/traces/export/?{query}"), query.split("=")[0])


def test_oldest_first_and_a_body(full):
    assert lines(export(full, "traces", "sort_by=start_time")) == listed(full, "traces", "sort_by=start_time")
    wanted = filtered(full, "name", "contains", ["w_1"]).json["results"]
    body = {"filters": {"name": {"operator": "contains", "value": ["w_1"]}}, "format": "jsonl"}
    assert lines(full.request("POST", "/api/traces/export/", json.dumps(body))) == wanted


@pytest.fixture(scope="module")
def odd(start_server):
    """A server whose traces have texts that formats stumble over."""
    server = start_server()
    spans = [
        made(
            f"odd {n}",
            n,
            1.5,
            {
                "respan.entity.log_type": "chat",
                "gen_ai.request.model": text,
                "respan.metadata.text": text,
                "gen_ai.prompt.0.role": "user",
                "gen_ai.prompt.0.content": text,
                "respan.customer_params.customer_identifier": text,
                **({"gen_ai.usage.input_tokens": n, "respan.usage.source": "reported"} if n % 2 else {}),
            },
            trace_id=uuid.uuid4().hex,
        )
        for n, text in enumerate(ODD)
    ]
    assert server.send(spans).status == 200
    return server


def flat(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return json.dumps(value)
    return value


def same(cell, value, is_json=False):
    """Whether a CSV cell says what the list says."""
    if is_json and cell:
        return json.loads(cell) == value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(cell) == value
    text = flat(value)
    return cell == ("'" + text if text and text[0] in "=+-@\t\r" else text)


@pytest.mark.parametrize("what", ["traces", "spans"])
def test_csv(odd, what):
    answer = export(odd, what, "format=csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    text = answer.body.decode()
    assert text.count("\r\n") == len(ODD) + 1
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    wanted = listed(odd, what)
    assert len(rows) == len(wanted) == len(ODD)
    for row, w in zip(rows, wanted, strict=True):
        for name, cell in row.items():
            is_json = isinstance(w[name], dict | list)
            assert same(cell, w[name], is_json), (name, cell, w[name])
    assert {r["model"] for r in rows} >= {"'=1+1", "'@SUM(A1)", "a,b", 'say "hi"', "two\nlines", "naïve 🙂"}


@pytest.fixture(scope="module")
def read_parquet(tmp_path_factory):
    made = subprocess.run([ROOT / "tools" / "make_parquet_venv"], text=True, capture_output=True, timeout=600)
    assert made.returncode == 0, made.stderr
    python = made.stdout.split()[-1]

    def read(answer, *columns):
        path = tmp_path_factory.mktemp("parquet") / "export.parquet"
        path.write_bytes(answer.body)
        done = subprocess.run([python, HERE / "read_parquet.py", path, *columns], capture_output=True, timeout=120)
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)

    return read


def nanoseconds(text):
    whole = datetime.fromisoformat(text[:19] + "+00:00")
    return int(whole.timestamp()) * 10**9 + int(text[20:29])


@pytest.mark.parametrize("what", ["traces", "spans"])
@pytest.mark.parametrize("query", ["", "content=false", "name=nobody"])
def test_parquet_as_pyarrow_and_duckdb_read_it(odd, read_parquet, what, query):
    answer = export(odd, what, f"format=parquet&{query}")
    assert answer.headers["Content-Type"] == "application/vnd.apache.parquet"
    got, wanted = read_parquet(answer), listed(odd, what, query)
    assert got["types"]["start_time"] == "timestamp[ns, tz=UTC]"
    assert got["types"]["total_tokens"] == "int64" and got["types"]["model"] == "string"
    assert ("input" in got["types"]) == (query != "content=false")
    assert got["codec"] == ("ZSTD" if wanted else None)
    for reader in "arrow", "duckdb":
        assert len(got[reader]) == len(wanted)
        for row, w in zip(got[reader], wanted, strict=True):
            for name, value in row.items():
                if got["types"][name].startswith("timestamp"):
                    assert value == (w[name] and nanoseconds(w[name])), name
                elif isinstance(w[name], dict | list):
                    assert json.loads(value) == w[name], name
                else:
                    assert value == w[name], (reader, name)


# ---- many


SPANS = 8000


@pytest.fixture(scope="module")
def many(start_server):
    """A server with SPANS spans of 4 kB that do not compress."""
    server = start_server()
    rng = random.Random(3)
    for i in range(0, SPANS, 1000):
        spans = [span(f"s{i + k}", attributes={"noise": rng.randbytes(2000).hex()}) for k in range(1000)]
        assert server.send(spans).status == 200
    return server


def test_every_row_once_in_little_memory(many, read_parquet):
    before = many.memory_kb()
    names = [json.loads(line)["name"] for line in export(many, "spans").body.splitlines()]
    assert names == [f"s{i}" for i in range(SPANS - 1, -1, -1)]
    parquet = export(many, "spans", "format=parquet")
    if before:
        assert many.memory_kb("VmHWM") < before + 80_000
    got = read_parquet(parquet, "name")
    assert got["groups"] > 3
    assert [r["name"] for r in got["arrow"]] == [r["name"] for r in got["duckdb"]] == names


def test_what_arrives_meanwhile(many):
    """Who reads slowly sees each span that was there once, and the server goes on taking in."""
    with socket.create_connection((many.host, many.port)) as s:
        s.sendall(f"GET /api/spans/export/ HTTP/1.0\r\nx-api-key: {many.key}\r\n\r\n".encode())
        first = s.recv(5000)
        for i in range(5):
            assert many.send([span(f"later{i}")]).status == 200
        body = (first + b"".join(iter(lambda: s.recv(1 << 20), b""))).partition(b"\r\n\r\n")[2]
    names = [json.loads(line)["name"] for line in body.splitlines()]
    assert [n for n in names if not n.startswith("later")] == [f"s{i}" for i in range(SPANS - 1, -1, -1)]


@pytest.mark.parametrize("format", ["jsonl", "parquet"])
def test_readers_that_leave(many, format):
    sockets = []
    for i in range(40):
        s = socket.create_connection((many.host, many.port))
        path = f"/api/spans/export/?format={format}"
        s.sendall(f"GET {path} HTTP/1.1\r\nHost: {many.host}\r\nx-api-key: {many.key}\r\n\r\n".encode())
        if i % 2:
            s.recv(1000)
        sockets.append(s)
    assert many.get("/api/traces/list/?page_size=1").status == 200
    for s in sockets:
        s.close()
    deadline = time.monotonic() + 20
    while many.get(f"/api/traces/export/?format={format}&name=none").status != 200:  # what they held is given back
        assert time.monotonic() < deadline
        time.sleep(0.1)


# ---- refusals, the command


def test_what_is_refused(full):
    assert_refused(full.get("/api/traces/export/?format=xlsx"), "format", "parquet")
    assert_refused(full.get("/api/traces/export/?sort_by=-duration"), "sort_by")
    assert_refused(full.get("/api/traces/export/?page=2"), "page")
    assert_refused(full.get("/api/spans/export/?nonsense=1"), "nonsense")
    assert full.get("/api/traces/export/", key=False).status == 401


def test_the_command(full, tmp_path):
    traces = listed(full, "traces")
    done = full.command("traces", "export")
    assert done.returncode == 0, done.stderr
    assert [json.loads(line) for line in done.stdout.splitlines()] == traces
    path = tmp_path / "traces.csv"
    done = full.command("traces", "export", "--format", "csv", "--filter", "environment=staging", "--output", str(path))
    assert done.returncode == 0 and done.stdout == "", done.stderr
    assert len(path.read_text().splitlines()) == N / 2 + 1
    since = f"{BASE_S + 35}"
    done = full.command("traces", "export", "--spans", "--since", since)
    assert len(done.stdout.splitlines()) == 2 * (N - 35)
    assert full.command("traces", "export", "--format", "xlsx").returncode == 2
    assert full.command("traces", "export", "--filter", "nonsense=1").returncode == 2
    assert full.command("traces", "export", "--output", str(tmp_path / "no" / "file")).returncode == 1
    assert not (tmp_path / "no").exists()
