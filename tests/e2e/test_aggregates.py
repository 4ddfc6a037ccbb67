"""/api/metrics/… of docs/http-api.md against the real server: each answer is what the lists' rows add up to."""

import json
import math
import time
from collections import Counter
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from conftest import span
from traces import BASE_S, N, assert_refused, made


def rows(server, what, query=""):
    answer = server.get(f"/api/{what}/list/?page_size=1000&content=false&{query}")
    assert answer.status == 200, answer
    return answer.json["results"]


def asked(server, path, query=""):
    answer = server.get(f"/api/metrics/{path}/?{query}")
    assert answer.status == 200, answer
    return answer.json


def quantile(values, q):
    values = sorted(values)
    return values[math.floor(q * (len(values) - 1))]


def assert_sums(got, spans):
    calls = [s for s in spans if s["log_type"] == "chat"]
    assert got["count"] == len(spans)
    assert got["error_count"] == sum(s["status_code"] == "error" for s in spans)
    assert got["llm_call_count"] == len(calls)
    assert got["prompt_tokens"] == sum(s["prompt_tokens"] or 0 for s in calls)
    assert got["total_tokens"] == sum(s["total_tokens"] or 0 for s in calls)
    assert got["cached_tokens"] == sum(s["cached_tokens"] or 0 for s in calls)
    assert got["reasoning_tokens"] == sum(s["reasoning_tokens"] or 0 for s in calls)
    for field in "latency", "time_to_first_token":
        known = [s[field] for s in spans if s[field] is not None]
        if not known:
            assert got[field] is None
            continue
        assert got[field]["mean"] == pytest.approx(sum(known) / len(known))
        for name, q in ("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99):
            assert got[field][name] == pytest.approx(quantile(known, q), rel=1 / 32), (field, name)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "log_type=chat",
        "model=model-1&environment=staging",
        "customer_identifier=user_2",
        f"start_time={BASE_S + 3}&end_time={BASE_S + 17}",
        f"log_type=chat&start_time={BASE_S + 3}",
        "status_code=error",
        "model=nobody",
    ],
)
def test_totals_of_spans(full, query):
    answer = asked(full, "totals", query)
    assert answer["of"] == "spans" and answer["is_estimate"] is False
    assert_sums(answer["totals"], rows(full, "spans", query))


@pytest.mark.parametrize("field", ["model", "log_type", "environment", "customer_identifier", "name", "status_code"])
@pytest.mark.parametrize("query", ["", "log_type=chat"])
def test_groups_of_spans(full, field, query):
    answer = asked(full, "totals", f"group_by={field}&limit=1000&{query}")
    spans = rows(full, "spans", query)
    assert_sums(answer["totals"], spans)
    assert {g["value"] for g in answer["groups"]} == {s[field] for s in spans}
    for group in answer["groups"]:
        assert_sums(group, [s for s in spans if s[field] == group["value"]])
    counts = [g["count"] for g in answer["groups"]]
    assert counts == sorted(counts, reverse=True)


def test_traces_by_metadata(full):
    answer = asked(full, "totals", "of=traces&group_by=metadata__kind&environment=production")
    traces = rows(full, "traces", "environment=production")
    assert {g["value"]: g["count"] for g in answer["groups"]} == Counter(t["metadata"]["kind"] for t in traces)
    assert answer["totals"]["llm_call_count"] == sum(t["llm_call_count"] for t in traces)
    assert answer["totals"]["latency"]["p50"] == pytest.approx(
        quantile([t["duration"] for t in traces], 0.5), rel=1 / 32
    )
    numbers = asked(full, "totals", "of=traces&group_by=metadata__run&limit=3")
    assert [g["count"] for g in numbers["groups"]] == [1, 1, 1, N - 3]
    assert [g["is_others"] for g in numbers["groups"]] == [False] * 3 + [True]


def test_groups_say_when_they_were_seen(full):
    traces = rows(full, "traces")
    answer = asked(full, "totals", "of=traces&group_by=customer_identifier&limit=1000")
    for group in [*answer["groups"], answer["totals"]]:
        starts = [t["start_time"] for t in traces if "value" not in group or t["customer_identifier"] == group["value"]]
        assert (group["first_time"], group["last_time"]) == (min(starts), max(starts))
    spans = asked(full, "totals", "group_by=customer_identifier")
    assert spans["totals"]["first_time"] == min(s["start_time"] for s in rows(full, "spans"))
    assert asked(full, "totals", "of=traces")["totals"]["last_time"] is None  # from sums by the hour


MEDIANS = "latency", "time_to_first_token", "tokens_per_second"


@pytest.mark.parametrize("of", ["traces", "spans"])
@pytest.mark.parametrize(
    "sort",
    [
        *("count", "error_count", "llm_call_count", "prompt_tokens", "completion_tokens", "total_tokens", "cost"),
        *MEDIANS,
        *("first_time", "last_time", "value"),
    ],
)
def test_groups_are_sorted_by_any_sum(full, of, sort):
    def keys(query):
        groups = asked(full, "totals", f"of={of}&group_by=customer_identifier&limit=1000&{query}")["groups"]
        assert len(groups) > 2
        if sort in MEDIANS:
            return [(g[sort] or {"p50": -1})["p50"] for g in groups]
        return [(g[sort] or "") if sort == "value" else g[sort] for g in groups]

    default = asked(full, "totals", f"of={of}&group_by=customer_identifier")["groups"]
    assert [g["count"] for g in default] == sorted((g["count"] for g in default), reverse=True)
    assert keys(f"sort_by={sort}") == sorted(keys(f"sort_by={sort}"))
    assert keys(f"sort_by=-{sort}") == sorted(keys(f"sort_by={sort}"), reverse=True)


def test_groups_come_in_pages(full):
    query = "of=traces&group_by=metadata__run&sort_by=last_time"
    whole = asked(full, "totals", f"{query}&limit=1000")
    assert whole["group_count"] == len(whole["groups"]) == N
    paged, page = [], 1
    while True:
        answer = asked(full, "totals", f"{query}&limit=7&page={page}")
        assert answer["totals"] == whole["totals"] and answer["group_count"] == N
        paged += [g for g in answer["groups"] if not g["is_others"]]
        behind = [g["count"] for g in answer["groups"] if g["is_others"]]
        assert behind == ([N - len(paged)] if len(paged) < N else [])
        if not behind:
            break
        page += 1
    assert paged == whole["groups"]
    assert asked(full, "totals", f"{query}&limit=7&page=100")["groups"] == []


def test_a_group_with_its_newest_trace(full):
    traces = rows(full, "traces")
    answer = asked(full, "totals", "of=traces&group_by=session_identifier&limit=3&sort_by=-last_time&latest=true")
    assert [g["is_others"] for g in answer["groups"]] == [False] * 3 + [True]
    for group in answer["groups"][:3]:
        own = [t for t in traces if t["session_identifier"] == group["value"]]
        newest = max(own, key=lambda t: t["start_time"])
        assert newest.items() <= group["latest"].items() and "output" in group["latest"]
    assert answer["groups"][3]["latest"] is None
    plain = asked(full, "totals", "of=traces&group_by=session_identifier&latest=true&content=false")
    assert "output" not in plain["groups"][0]["latest"]
    assert "latest" not in asked(full, "totals", "of=traces&group_by=session_identifier")["groups"][0]


def test_more_groups_than_one_answer_has(start_server):
    """All of some thousands of users are reached, each once."""
    server = start_server()
    user = "respan.customer_params.customer_identifier"
    assert server.send([made("ask", n / 1000, attributes={user: f"u{n}"}) for n in range(2500)]).status == 200
    found = []
    for page in 1, 2, 3:
        answer = asked(server, "totals", f"of=traces&group_by=customer_identifier&limit=1000&page={page}")
        assert answer["group_count"] == 2500
        found += [g["value"] for g in answer["groups"] if not g["is_others"]]
    assert sorted(found) == sorted(f"u{n}" for n in range(2500))


def test_a_group_of_a_long_name_leads_to_its_traces(start_server):
    server = start_server()
    names = ["u" * 2000, "u" * 1999 + "v", "ü" * 1000]
    user = "respan.customer_params.customer_identifier"
    assert server.send([made("ask", n, attributes={user: name}) for n, name in enumerate(names)]).status == 200
    groups = asked(server, "totals", "of=traces&group_by=customer_identifier")["groups"]
    (facet,) = asked(server, "facets", "of=traces&fields=customer_identifier")["facets"]
    for found in groups, facet["values"]:
        assert sorted(g["value"] for g in found) == sorted(names)
    for name in names:
        mine = asked(server, "totals", f"of=traces&customer_identifier={quote(name)}")
        assert mine["totals"]["count"] == 1
        assert asked(server, "totals", f"of=traces&q={quote(f'user:{name}')}")["totals"]["count"] == 1


def seconds(text):
    return datetime.fromisoformat(text[:26]).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize("bucket,length", [("minute", 60), ("hour", 3600), ("day", 86400), ("7", 7), ("week", 604800)])
def test_series(full, bucket, length):
    answer = asked(full, "series", f"bucket={bucket}&group_by=model")
    spans = rows(full, "spans")
    assert answer["bucket_seconds"] == length
    for group in answer["groups"]:
        of_group = [s for s in spans if s["model"] == group["value"]]
        times = [seconds(p["time"]) for p in group["points"]]
        assert times == sorted(set(times)) and all(t % length == 0 for t in times)
        for point, at in zip(group["points"], times):
            assert_sums(point, [s for s in of_group if at <= seconds(s["start_time"]) < at + length])
        assert sum(p["count"] for p in group["points"]) == len(of_group)
    limited = asked(full, "series", f"bucket={bucket}&group_by=customer_identifier&limit=2")
    assert [g["is_others"] for g in limited["groups"]] == [False, False, True]
    for group in limited["groups"]:
        assert sum(p["count"] for p in group["points"]) == group["count"]


def test_the_strip_above_a_list(full):
    answer = asked(full, "histogram", f"environment=production&start_time={BASE_S}&end_time={BASE_S + 40}&points=10")
    traces = rows(full, "traces", "environment=production")
    assert answer["of"] == "traces" and answer["bucket_seconds"] == 5
    assert answer["count"] == len(traces) == sum(b["count"] for b in answer["buckets"])
    assert answer["error_count"] == sum(b["error_count"] for b in answer["buckets"]) == N / 10
    times = [seconds(b["time"]) for b in answer["buckets"]]
    assert times == [times[0] + 5 * i for i in range(len(times))]  # empty ones, too
    assert times[0] <= BASE_S and times[-1] + 5 >= BASE_S + 40
    for bucket, at in zip(answer["buckets"], times):
        assert bucket["count"] == sum(at <= seconds(t["start_time"]) < at + 5 for t in traces)
    everything = asked(full, "histogram")
    assert everything["count"] == N and len(everything["buckets"]) <= 61


def test_facets(full):
    answer = asked(full, "facets", "environment=staging&limit=4")
    traces = rows(full, "traces", "environment=staging")
    assert [f["field"] for f in answer["facets"]] == [
        "log_type",
        "model",
        "environment",
        "customer_identifier",
        "session_identifier",
        "name",
        "status_code",
    ]
    everything = rows(full, "traces")
    for facet in answer["facets"]:
        own_field = facet["field"] == "environment"
        wanted = Counter(t[facet["field"]] for t in (everything if own_field else traces))
        assert facet["distinct"] == len(wanted)
        own = [v for v in facet["values"] if not v["is_others"]]
        assert len(own) == min(4, len(wanted))
        assert {v["value"]: v["count"] for v in own}.items() <= wanted.items()
        assert sum(v["count"] for v in facet["values"]) == len(everything if own_field else traces)
    answer = asked(full, "facets", "of=spans&fields=status_code,metadata__no".replace(",metadata__no", ",provider"))
    assert [(f["field"], len(f["values"])) for f in answer["facets"]] == [("status_code", 2), ("provider", 2)]
    assert full.get("/api/metrics/facets/?fields=metadata__kind").json["facets"][0]["distinct"] == 4


def test_keys_of_metadata_are_counted(full):
    """Which keys there are to ask for, among all that fits, and how many traces have each."""
    for query, keep in (("", lambda t: True), ("&environment=staging", lambda t: t["environment"] == "staging")):
        answer = asked(full, "facets", f"fields=metadata,model&limit=100{query}")
        wanted = Counter(key for t in rows(full, "traces") if keep(t) for key in t["metadata"])
        assert {v["value"]: v["count"] for v in answer["facets"][0]["values"]} == wanted and len(wanted) > 0
        assert [f["field"] for f in answer["facets"]] == ["metadata", "model"]
    assert_refused(full.get("/api/metrics/facets/?of=spans&fields=metadata"), "fields", "of traces alone")
    assert_refused(full.get("/api/metrics/totals/?of=traces&group_by=metadata"), "group_by", "not grouped by")


def facets_of(server, query):
    got = asked(server, "facets", query)["facets"]
    return {f["field"]: {v["value"]: v["count"] for v in f["values"]} for f in got}


@pytest.mark.parametrize("of", ["traces", "spans"])
def test_a_facet_leaves_its_own_conditions_out(full, of):
    """As with a filter that was chosen in it: the other values can still be chosen, and the other facets heed it."""

    def counts(field, keep):
        return dict(Counter(r[field] for r in rows(full, of) if keep(r)))

    fields = "fields=model,environment&limit=100&of=" + of
    one = facets_of(full, f"{fields}&model=model-1")
    assert one["model"] == counts("model", lambda r: True)
    if of == "spans":
        assert one["environment"] == counts("environment", lambda r: r["model"] == "model-1")
    for query in (
        "q=model:model-1 environment:staging",
        "q=(model:model-1 OR model:model-2) AND NOT environment:production",
        "q=model in (model-1,model-2) model!=model-0&environment=staging",
    ):
        both = facets_of(full, f"{fields}&{quote(query, safe='=&')}")
        assert both["model"] == counts("model", lambda r: r["environment"] == "staging"), query
        assert set(both["environment"]) == {"staging", "production"}, query
    mixed = facets_of(full, f"{fields}&q={quote('model:model-1 OR environment:staging')}")  # both, or neither
    assert mixed["model"] != counts("model", lambda r: True)


def test_spans_by_metadata(full):
    spans = rows(full, "spans").copy()
    kinds = {t["trace_unique_id"]: t["metadata"]["kind"] for t in rows(full, "traces")}
    roots = [s for s in spans if s["span_parent_id"] is None]
    wanted = Counter(kinds[s["trace_unique_id"]] for s in roots) | Counter({None: len(spans) - len(roots)})
    groups = asked(full, "totals", "group_by=metadata__kind")["groups"]
    assert {g["value"]: g["count"] for g in groups} == wanted
    assert facets_of(full, "of=spans&fields=metadata__kind&metadata__kind=k1")["metadata__kind"] == wanted
    numbers = facets_of(full, "of=spans&fields=metadata__run&metadata__kind=k1&limit=100")["metadata__run"]
    assert numbers == {str(n): 1 for n in range(1, N, 4)}
    series = asked(full, "series", "group_by=metadata__kind&bucket=hour")
    assert {g["value"]: sum(p["count"] for p in g["points"]) for g in series["groups"]} == wanted
    assert_refused(full.get("/api/metrics/totals/?group_by=metadata__"), "group_by")


def test_a_facet_of_metadata_leaves_its_own_conditions_out(full):
    got = facets_of(full, "fields=metadata__kind,environment&metadata__kind=k1&q=flow_1")
    kept = [t for t in rows(full, "traces") if "flow_1" in t["name"]]
    assert got["metadata__kind"] == dict(Counter(t["metadata"]["kind"] for t in kept))
    assert got["environment"] == dict(Counter(t["environment"] for t in kept if t["metadata"]["kind"] == "k1"))


def test_a_body_asks_the_same(full):
    body = {"filters": {"name": {"operator": "startswith", "value": ["flow_1"]}}, "group_by": "environment"}
    answer = full.request("POST", "/api/metrics/totals/?of=traces", json.dumps(body))
    assert answer.status == 200, answer
    assert {g["value"]: g["count"] for g in answer.json["groups"]} == {"production": 6, "staging": 5}


def test_what_is_refused(full):
    for query, field in [
        ("group_by=latency", "group_by"),
        ("group_by=input", "group_by"),
        ("group_by=nothing", "group_by"),
        ("of=logs", "of"),
        ("limit=0", "limit"),
        ("limit=many", "limit"),
        ("page=0", "page"),
        ("sort_by=nothing", "sort_by"),
        ("latest=true", "latest"),
        ("of=traces&latest=perhaps", "latest"),
        ("bucket=hour", "bucket"),
        ("nonsense=1", "nonsense"),
        ("start_time=yesterday", "start_time"),
    ]:
        assert_refused(full.get(f"/api/metrics/totals/?{query}"), field)
    assert_refused(full.get(f"/api/metrics/series/?bucket=1&start_time={BASE_S}&end_time={BASE_S + 9999}"), "bucket")
    assert_refused(full.get("/api/metrics/series/?bucket=fortnight"), "bucket")
    assert_refused(full.get("/api/metrics/facets/?fields="), "fields")
    assert_refused(full.get("/api/metrics/facets/?fields=name,,model"), "fields")
    assert full.get("/api/metrics/totals/", key=False).status == 401
    assert full.get("/api/metrics/nothing/").status == 404


def test_nothing_stored(start_server):
    server = start_server()
    assert asked(server, "totals")["totals"]["count"] == 0
    assert asked(server, "histogram")["buckets"] == []
    assert asked(server, "series", "group_by=model")["groups"] == []
    assert asked(server, "facets")["facets"][0]["values"] == []


@pytest.mark.parametrize("path", ["totals", "series", "histogram", "facets"])
def test_sums_have_no_pages(full, path):
    for parameter in "page=2", "cursor=f" + "0" * 35 + "1", "sort_by=-duration":
        if path == "totals" and parameter == "page=2":
            continue  # of groups there are
        assert_refused(full.get(f"/api/metrics/{path}/?of=traces&{parameter}"), parameter.split("=")[0])


def test_times_far_off(start_server):
    """A span without times, or of a clock gone wrong, is counted and makes no window; bounds may be any year."""
    server = start_server()
    now = time.time_ns()
    for start in 0, 1000, 2**64 - 2, now:
        assert server.send([span(startTimeUnixNano=str(start), endTimeUnixNano=str(start))]).status == 200
    for of in "spans", "traces":
        totals = asked(server, "totals", f"of={of}")
        assert totals["totals"]["count"] == 4
        histogram = asked(server, "histogram", f"of={of}")
        assert histogram["count"] == sum(b["count"] for b in histogram["buckets"]) == 1
        for answer in totals, histogram:
            assert answer["start_time"] == datetime.fromtimestamp(now // 3600e9 * 3600, UTC).strftime(
                "%Y-%m-%dT%H:%M:%S.000000000Z"
            )
        forever = asked(server, "histogram", f"of={of}&start_time=0001-01-01&end_time=9999-12-31T23:59:59.999999Z")
        assert forever["count"] == 4
        assert asked(server, "histogram", f"of={of}&end_time=1999-12-31")["count"] == 2  # there are no others
    for query, n in (
        ("start_time=2262-01-01", 1),
        ("end_time=9999-12-31", 4),
        ("end_time=0001-01-01", 1),  # of a span without times it is not known
        ("q=start_time<9999-12-31", 3),  # of one it is not known
        ("q=start_time<1000-01-01", 0),
        ("q=end_time>2262-04-12", 1),
        ("q=start_time>now%2B9000d", 1),
    ):
        listed = server.get(f"/api/traces/list/?{query}")
        assert listed.status == 200 and len(listed.json["results"]) == n, (query, listed)
    assert_refused(server.get("/api/traces/list/?start_time=1795523921000"), "start_time", "not milliseconds")
    assert server.get("/api/traces/export/?format=parquet").status == 200
