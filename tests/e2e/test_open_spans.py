"""Open spans: what the server holds of those that have not ended yet (POST /v1/open), and how answers show them."""

import itertools
import json
import re
import time
import uuid
from urllib.parse import quote

from conftest import otlp, span
from test_live import Listener


def open_span(name="work", trace_id=None, parent=None, attributes=None, age_s=5, **fields):
    start = str(time.time_ns() - round(age_s * 1e9))
    made = span(name, trace_id, parent, attributes, startTimeUnixNano=start, endTimeUnixNano="0")
    return {**made, **fields}


def ended(s):
    return {**s, "endTimeUnixNano": str(time.time_ns())}


def still(s):
    """Says of a span only that it still runs."""
    return {k: s[k] for k in ("traceId", "spanId", "startTimeUnixNano", "parentSpanId") if k in s}


def tell(server, *spans, **kw):
    body = json.dumps(otlp(spans)).encode()
    return server.request("POST", kw.pop("path", "/v1/open"), body, {"Content-Type": "application/json"}, **kw)


def rejected(answer) -> int:
    assert answer.status == 202, answer
    return int(answer.json["partialSuccess"].get("rejectedSpans", 0))


def listed(server, query="") -> list[dict]:
    answer = server.get(f"/api/traces/list/?{query}")
    assert answer.status == 200, answer
    return answer.json["results"]


def ids(server, query="") -> list[str]:
    return [t["trace_unique_id"] for t in listed(server, query)]


def flat(server, trace_id, **kw) -> list[dict]:
    answer = server.get(f"/api/traces/{trace_id}/?flat=true", **kw)
    assert answer.status == 200, answer
    return answer.json["spans"]


def test_a_trace_of_which_nothing_has_ended(server):
    root = open_span(
        "outer.workflow", attributes={"respan.entity.log_type": "workflow", "traceloop.entity.name": "outer"}
    )
    text = "what is the capital of France?"
    call = open_span(
        "chat m", root["traceId"], root["spanId"], {"respan.entity.log_type": "chat", "traceloop.entity.input": text}
    )
    assert rejected(tell(server, root, call)) == 0
    [row] = listed(server, f"trace_unique_id={root['traceId']}")
    assert (row["name"], row["running"], row["status_code"]) == ("outer", True, "running")
    assert row["span_count"] == 0 and row["input"] == text and row["duration"] >= 5
    answer = server.get(f"/api/traces/{root['traceId']}/").json
    assert answer["running"] is True
    [top] = answer["span_tree"]
    assert (top["span_name"], top["running"], top["timestamp"], top["latency"]) == ("outer.workflow", True, None, None)
    [inner] = top["children"]
    assert (inner["input"], inner["running"]) == (text, True)
    one = server.get(f"/api/spans/{call['spanId']}/?trace_id={root['traceId']}").json
    assert one["input"] == text and one["running"] is True and one["resource"]["service.name"] == "e2e"
    assert server.get(f"/api/spans/{call['spanId']}/").json["span_name"] == "chat m"
    assert b"capital" in server.get(f"/api/spans/{call['spanId']}/?format=otlp").body

    head, *lines = server.get(f"/api/traces/{root['traceId']}/?view=columns").body.splitlines()
    assert json.loads(head)["spans"] == 2 and json.loads(lines[0])["running"] == [1, 1]

    # It ends: what is stored takes its place.
    assert server.send([ended(call)]).status == 200
    spans = flat(server, root["traceId"])
    assert [(s["span_name"], s.get("running")) for s in spans] == [("outer.workflow", True), ("chat m", None)]
    [row] = listed(server, f"trace_unique_id={root['traceId']}")
    assert (row["name"], row["running"], row["span_count"]) == ("outer", True, 1)
    since = server.get(f"/api/traces/{root['traceId']}/?view=tree").json["next_since"]
    later = server.get(f"/api/traces/{root['traceId']}/?view=tree&since={since}").json
    assert [s["name"] for s in later["spans"]] == ["outer"] and later["next_since"] == since
    assert server.send([ended(root)]).status == 200
    assert [s.get("running") for s in flat(server, root["traceId"])] == [None, None]
    [row] = listed(server, f"trace_unique_id={root['traceId']}")
    assert row["span_count"] == 2 and "running" not in row and row["status_code"] == "ok"
    found = server.get(f"/api/spans/list/?trace_unique_id={root['traceId']}").json
    assert found["count"] == 2


def test_what_has_ended_does_not_run_again(server):
    """A message may be taken after the ended span that it was sent before."""
    root, child = open_span("late"), open_span("never seen")
    child = {**child, "traceId": root["traceId"], "parentSpanId": root["spanId"]}
    assert server.send([ended(root)]).status == 200
    answer = tell(server, root, child)
    assert rejected(answer) == 1 and "has ended" in answer.json["partialSuccess"]["errorMessage"]
    assert [(s["span_name"], s.get("running")) for s in flat(server, root["traceId"])] == [
        ("late", None),
        ("never seen", True),
    ]
    assert server.send([ended(child)]).status == 200
    assert rejected(tell(server, root, child, still(root))) == 3
    [row] = listed(server, f"trace_unique_id={root['traceId']}")
    assert "running" not in row and row["status_code"] == "ok" and row["span_count"] == 2


def test_the_filter_finds_what_runs(start_server):
    server = start_server()
    done = span("done")
    half_open = open_span("half", age_s=30)
    half_done = span("child", half_open["traceId"], half_open["spanId"])
    fresh = open_span("fresh", attributes={"gen_ai.request.model": "tiny"}, age_s=2)
    server.send([done, half_done])
    tell(server, half_open, fresh)
    running = {half_open["traceId"], fresh["traceId"]}
    for q in ("running:true", "status:running", "is:running", "running:true child OR is:running"):
        assert set(ids(server, f"q={q.replace(' ', '%20')}")) == running, q
    assert ids(server, "q=NOT%20running:true") == [done["traceId"]] == ids(server, "q=is:ok")
    assert ids(server, "q=running:true%20model:tiny") == [fresh["traceId"]] == ids(server, "q=fresh")
    assert ids(server, "q=model:other") == []
    assert set(ids(server)) == running | {done["traceId"]}
    answer = server.get("/api/traces/list/").json
    assert answer["count"] == 3
    assert server.get("/api/traces/list/?q=running:true").json["count"] == 2
    assert server.get("/api/metrics/totals/?of=traces").json["totals"]["count"] == 2  # what is stored


def test_each_stands_where_it_began(start_server):
    """Page by page, in both orders, each once."""
    server = start_server()
    spans = [open_span(f"s{n}", age_s=100 - n) for n in range(30)]
    for n, s in enumerate(spans):
        assert (tell(server, s) if n % 3 == 0 else server.send([ended(s)])).status in (200, 202)
    newest_first = [s["traceId"] for s in reversed(spans)]
    for sort, expected in (("", newest_first), ("&sort_by=start_time", newest_first[::-1])):
        path, found = f"/api/traces/list/?page_size=4{sort}", []
        while path:
            answer = server.get(path).json
            found += [t["trace_unique_id"] for t in answer["results"]]
            path = answer["next"]
        assert found == expected
    path, found = "/api/traces/list/?page_size=4&q=running:true", []
    while path:
        answer = server.get(path).json
        assert len(answer["results"]) <= 4
        found += [t["trace_unique_id"] for t in answer["results"]]
        path = answer["next"]
    assert found == newest_first[2::3]


def pages(server, query, link="next"):
    """All rows, page by page, and what each page says their count is."""
    path, found, counts = f"/api/traces/list/?{query}", [], set()
    while path:
        answer = server.get(path).json
        found.append([t["trace_unique_id"] for t in answer["results"]])
        counts.add(answer["count"])
        last, path = path, answer[link]
    return found, counts, last


def whole(found):
    return list(itertools.chain.from_iterable(found))


def test_what_is_listed_is_what_is_counted(start_server):
    """Whatever a filter says of a trace as it is stored, the list takes it as it runs."""
    server = start_server()
    failed = {"code": 2, "message": "no"}
    traces = []  # (its id, its status), by start
    for n in range(40):
        kind = n % 5
        root = open_span(f"root{n}", age_s=1000 - n)
        child = ended(
            {**open_span(f"child{n}", root["traceId"], root["spanId"]), "startTimeUnixNano": root["startTimeUnixNano"]}
        )
        status = ("ok", "error", "running", "error", "running")[kind]
        if kind in (0, 2):
            assert server.send([child]).status == 200
        if kind in (1, 3):
            assert server.send([{**child, "status": failed}]).status == 200
        if kind >= 2:
            assert rejected(tell(server, root)) == 0
        traces.append((root["traceId"], status, kind))
    filters = {
        "": lambda status, kind: True,
        "status:ok": lambda status, kind: status == "ok",
        "NOT status:ok": lambda status, kind: status != "ok",
        "status:error": lambda status, kind: status == "error",
        "is:running": lambda status, kind: status == "running",
        "running:true": lambda status, kind: kind >= 2,
        "running:true status:error": lambda status, kind: kind == 3,
        "running:false": lambda status, kind: kind < 2,
        "NOT is:running": lambda status, kind: status != "running",
    }
    for q, fits in filters.items():
        expected = [t for t, status, kind in traces if fits(status, kind)]
        for size in (1, 3, 7, 50):
            for sort, order in (("start_time", expected), ("-start_time", expected[::-1])):
                query = f"q={quote(q)}&sort_by={sort}&page_size={size}"
                found, counts, last = pages(server, query)
                assert whole(found) == order, (query, found)
                assert all(len(page) == size for page in found[:-1]) and counts == {len(expected)}, (query, counts)
                back, counts, _ = pages(server, last.split("?", 1)[1], "previous")
                assert whole(reversed(back)) == order, (query, "back")
                by_number = [ids(server, f"{query}&page={n + 1}") for n in range(len(found))]
                assert by_number == found, (query, "by number")
        [facet] = server.get(f"/api/metrics/facets/?of=traces&fields=name&q={quote(q)}&limit=50").json["facets"]
        assert facet["distinct"] == len(facet["values"]) and sum(v["count"] for v in facet["values"]) == len(expected)
        stored = [t for t, status, kind in traces if fits(status, kind) and kind != 4]
        for size in (3, 50):
            found, counts, _ = pages(server, f"q={quote(q)}&sort_by=-span_count&page_size={size}")
            assert sorted(whole(found)) == sorted(stored) and counts == {len(stored)}, q


def test_facets_count_what_the_list_shows(start_server):
    server = start_server()

    def facets(query=""):
        answer = server.get(f"/api/metrics/facets/?of=traces&fields=status_code,name,metadata&{query}").json
        return [{v["value"]: v["count"] for v in f["values"]} for f in answer["facets"]]

    half, fresh = open_span("half"), open_span("fresh", attributes={"respan.metadata.plan": "pro"})
    server.send([span("done"), span("child", half["traceId"], half["spanId"])])
    assert facets() == [{"ok": 2}, {"done": 1, "child": 1}, {}]
    tell(server, half, fresh)
    assert facets() == [{"ok": 1, "running": 2}, {"done": 1, "half": 1, "fresh": 1}, {"plan": 1}]
    assert facets("q=status:running") == [{"ok": 1, "running": 2}, {"half": 1, "fresh": 1}, {"plan": 1}]
    assert facets("q=status:ok%20name:child") == [{}, {"done": 1}, {}]
    server.send([ended(half), ended(fresh)])
    assert facets() == [{"ok": 3}, {"done": 1, "half": 1, "fresh": 1}, {"plan": 1}]


def held(server) -> int:
    metrics = server.get("/metrics", key=False).body.decode()
    return int(re.search(r"^respan_open_spans (\d+)$", metrics, re.M)[1])


def test_it_goes_when_nobody_speaks_at_all(start_server):
    """Neither a message nor somebody who listens is waited for."""
    server = start_server()
    assert rejected(tell(server, open_span("a"), open_span("b"))) == 0
    assert held(server) == 2
    begun = time.monotonic()
    while held(server) > 0:
        assert time.monotonic() < begun + 100
        time.sleep(1)


def test_it_goes_when_nobody_speaks_of_it(server):
    quiet, told = open_span("quiet"), open_span("told")
    assert rejected(tell(server, quiet, told)) == 0
    begun = time.monotonic()
    listener = Listener(server, "q=quiet")
    while time.monotonic() < begun + 40 and quiet["traceId"] in ids(server, "q=running:true"):
        assert rejected(tell(server, still(told))) == 0
        time.sleep(1)
    assert 20 < time.monotonic() - begun < 40
    assert told["traceId"] in ids(server, "q=running:true")
    listener.until(lambda name, data: name == "gone" and data["trace_unique_id"] == quiet["traceId"])
    listener.close()
    assert rejected(tell(server, still(quiet))) == 1  # its program tells all of it then
    assert server.get(f"/api/traces/{quiet['traceId']}/").status == 404


def test_who_listens_is_told(start_server):
    server = start_server()
    listener = Listener(server, "q=running:true")
    listener.until(lambda name, data: name == "ready")
    root = open_span("root")
    tell(server, root)
    [*_, (_, _, row)] = listener.until(lambda name, data: name == "trace")
    assert (row["trace_unique_id"], row["running"]) == (root["traceId"], True)
    every = Listener(server)
    every.until(lambda name, data: name == "ready")
    server.send([ended(root)])
    listener.until(lambda name, data: name == "gone" and data["trace_unique_id"] == root["traceId"])
    [*_, (_, _, row)] = every.until(lambda name, data: name == "trace" and "running" not in data)
    assert row["span_count"] == 1
    listener.close()
    every.close()


def test_who_may(start_server):
    server, other = start_server(), start_server()
    root = open_span("secret")
    assert tell(server, root, key=False).status == 401
    assert tell(server, root, key=other.key).status == 401
    cookie = {"Cookie": server.sign_in(), "Sec-Fetch-Site": "same-origin"}
    cookie["X-CSRF-Token"] = server.get("/api/session/", headers=cookie, key=False).json["csrf_token"]

    def new_key(scope, project=None):
        wish = json.dumps({"name": scope, "scopes": [scope]})
        where = f"/api/keys/?project={project}" if project else "/api/keys/"
        answer = server.request("POST", where, wish, cookie, key=False)
        assert answer.status == 200, answer
        return answer.json["key"]

    assert tell(server, root, key=new_key("read")).status == 403
    assert tell(server, root, key=new_key("ingest")).status == 202
    project = server.request("POST", "/api/projects/", b'{"name": "second"}', cookie, key=False).json["id"]
    stranger = new_key("read", project)
    assert server.get("/api/traces/list/", key=stranger).json["results"] == []
    assert server.get(f"/api/traces/{root['traceId']}/", key=stranger).status == 404
    assert server.get(f"/api/spans/{root['spanId']}/", key=stranger).status == 404
    assert server.get(f"/api/traces/{root['traceId']}/", key=new_key("read")).status == 200

    # With the project its open spans go.
    into = new_key("ingest", project)
    there = open_span("there")
    assert tell(server, there, key=into).status == 202
    assert server.get(f"/api/traces/{there['traceId']}/", key=stranger).status == 200
    body = b'{"name": "second"}'
    assert server.request("DELETE", f"/api/projects/{project}/", body, cookie, key=False).status == 200
    assert server.get(f"/api/traces/{there['traceId']}/", key=stranger).status == 401


def test_deleting_forgets_it(start_server):
    server = start_server()
    one, two = open_span("one"), open_span("two")
    theirs = open_span("theirs", attributes={"respan.customer_params.customer_identifier": "ann"})
    tell(server, one, two, theirs)
    assert server.request("DELETE", f"/api/traces/{one['traceId']}/").json == {"deleted": 1}
    assert server.request("DELETE", f"/api/traces/{one['traceId']}/").status == 404
    assert set(ids(server)) == {two["traceId"], theirs["traceId"]}
    assert server.request("POST", "/api/users/delete/", b'{"customer_identifier": "ann"}').status == 200
    assert ids(server) == [two["traceId"]]

    # Its program goes on speaking of it.
    assert rejected(tell(server, still(theirs), theirs, one, still(one), open_span("new", one["traceId"]))) == 0
    assert ids(server) == [two["traceId"]]
    assert server.get(f"/api/traces/{one['traceId']}/").status == 404
    # What is stored of it is there, and so is what still runs.
    assert server.send([ended(open_span("new", one["traceId"]))]).status == 200
    assert rejected(tell(server, one)) == 0
    assert set(ids(server, "q=running:true")) == {two["traceId"], one["traceId"]}


def test_what_is_odd_is_refused(start_server):
    server = start_server()
    assert server.request("POST", "/v1/open", b"\xff\xff", {"Content-Type": "application/x-protobuf"}).status == 400
    assert server.request("POST", "/v1/open", b"{", {"Content-Type": "application/json"}).status == 400
    assert server.request("POST", "/v1/open", b"{}", {"Content-Type": "text/plain"}).status == 415
    assert server.get("/v1/open").status == 405
    assert server.request("POST", "/v1/open", b"", {"Content-Type": "application/x-protobuf"}).status == 202
    assert rejected(tell(server, span("has ended"))) == 1
    assert rejected(tell(server, open_span(traceId="0" * 32))) == 1
    assert listed(server) == []
    for path in ("/api/v1/open", "/api/v2/open"):
        assert rejected(tell(server, open_span("elsewhere"), path=path)) == 0
    assert len(listed(server)) == 2


def test_there_is_an_end_to_what_is_held(start_server):
    """Of one trace, and in bytes of one project."""
    server = start_server()
    trace = uuid.uuid4().hex
    many = [open_span(f"n{n}", trace) for n in range(1200)]
    assert rejected(tell(server, *many)) == 200
    assert len(flat(server, trace)) == 1000
    large = [open_span("large", attributes={"traceloop.entity.input": "x" * (1 << 20)}) for _ in range(20)]
    refused = sum(rejected(tell(server, s)) for s in large)
    assert 4 <= refused <= 6
    assert rejected(tell(server, *[still(s) for s in many[:1000]])) == 0
    assert held(server) == 1000 + 20 - refused
    assert server.send([ended(large[0])]).status == 200
    assert rejected(tell(server, large[-1])) == 0


def test_a_shared_trace_without_content_shows_none(start_server):
    server = start_server()
    root = open_span("root", attributes={"traceloop.entity.input": "hidden words"})
    server.send([span("child", root["traceId"], root["spanId"])])
    tell(server, root)
    made = server.request("POST", f"/api/traces/{root['traceId']}/share/", b'{"content": false}').json
    token = made["url"].rsplit("/", 1)[1]
    body = server.get(f"/api/share/{token}/?flat=true", key=False)
    assert [s.get("running") for s in body.json["spans"]] == [True, None] and b"hidden" not in body.body
    assert b"hidden" not in server.get(f"/api/share/{token}/spans/{root['spanId']}/", key=False).body


def test_in_the_terminal(start_server):
    server = start_server()
    root = open_span("outer", age_s=90)
    child = span("inner", root["traceId"], root["spanId"])
    server.send([child])
    tell(server, root)
    drawn = server.command("traces", "get", root["traceId"]).stdout
    assert re.match(r"outer +running\n", drawn), drawn
    assert re.search(r"^outer .*[━=]{10,}$", drawn, re.M) and "running: it has not ended yet" in drawn
    assert re.search(r"outer.*running", server.command("traces", "list").stdout)
    waited = server.command("traces", "wait", "--name", "outer", "--timeout", "1")
    assert waited.returncode == 1
    server.send([ended(root)])
    assert server.command("traces", "wait", "--name", "outer", "--timeout", "20").stdout.strip() == root["traceId"]
