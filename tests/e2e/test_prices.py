"""What calls cost: of payloads that packages sent, by the built-in prices and by one's own, kept as it was when it was computed."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from accounts import Browser, owner_of
from conftest import BINARY, ROOT, span

GOLDEN = ROOT / "tests" / "golden"
MINE = "provider openai\nprice gpt-4o* 10 100 1\nprice text-embedding-3-small 7\n"
WANTED = {
    "gpt-4o": (42 - 32) * 10 + 32 * 1 + 17 * 100,
    "text-embedding-3-small": 6 * 7,
}  # in dollars for a million calls


def send(server, case: str):
    body, kind = (GOLDEN / case).read_bytes(), "json" if case.endswith(".json") else "x-protobuf"
    assert server.request("POST", "/v1/traces", body, {"Content-Type": f"application/{kind}"}).status == 200


def calls(server) -> list[dict]:
    return [
        s
        for s in server.get("/api/spans/list/?page_size=100").json["results"]
        if s["log_type"] in ("chat", "embedding")
    ]


@pytest.fixture(scope="module")
def priced(start_server, tmp_path_factory):
    file = tmp_path_factory.mktemp("prices") / "mine.txt"
    file.write_text(MINE)
    server = start_server("--prices", str(file))
    send(server, "vercel/ai_6_0.json")
    return server


def test_a_call_costs_what_the_users_file_says(priced):
    costs = {c["model"]: c["cost"] for c in calls(priced)}
    assert costs.pop("no-such-model") is None
    assert costs == pytest.approx({model: cost / 1e6 for model, cost in WANTED.items()})


def test_a_trace_costs_what_its_calls_cost(priced):
    traces = priced.get("/api/traces/list/?page_size=100").json["results"]
    assert sum(t["total_cost"] or 0 for t in traces) == pytest.approx(sum(c["cost"] or 0 for c in calls(priced)))
    assert {t["total_cost"] for t in traces if t["error_count"]} == {None}
    two = max(traces, key=lambda t: t["llm_call_count"])
    assert (two["llm_call_count"], two["total_cost"]) == (2, pytest.approx(2 * WANTED["gpt-4o"] / 1e6))


def test_what_was_counted_and_offered_is_told(priced):
    call = next(c for c in calls(priced) if c["tools"])
    assert (call["prompt_tokens"], call["cached_tokens"], call["reasoning_tokens"]) == (42, 32, 8)
    assert [tool["name"] for tool in call["tools"]] == ["get_weather"]
    whole = priced.get(f"/api/traces/{call['trace_unique_id']}/?flat=true").json["spans"]
    assert {s["cost"] for s in whole if s["span_unique_id"] == call["span_unique_id"]} == {call["cost"]}
    heads = priced.get(f"/api/traces/{call['trace_unique_id']}/?flat=true&content=false").json["spans"]
    head = next(s for s in heads if s["span_unique_id"] == call["span_unique_id"])
    assert (head["cost"], head["cached_tokens"], head["reasoning_tokens"]) == (call["cost"], 32, 8)
    one = priced.get(f"/api/spans/{call['span_unique_id']}/").json
    assert (one["cost"], one["tools"]) == (call["cost"], call["tools"])


def test_a_cost_stays_what_it_was_when_prices_change(start_server):
    server = start_server()
    prices = server.home / "config" / "respan" / "prices.txt"
    attributes = {
        "respan.entity.log_type": "chat",
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "acme",
        "gen_ai.request.model": "m",
        "gen_ai.usage.input_tokens": "1000000",
        "gen_ai.usage.output_tokens": "1000000",
    }
    for prices_now, expected in (("price m 1 1", [None]), ("price m 5 5", [2, None]), ("price m 9 9", [10, 2, None])):
        server.send([span(f"s{prices_now}", attributes=attributes)])
        assert [c["cost"] for c in calls(server)] == expected
        prices.write_text(f"provider acme\n{prices_now}\n")  # found without being named
        server.stop()
        server.start()
        assert [c["cost"] for c in calls(server)] == expected


@pytest.mark.parametrize("case", ["langfuse/langfuse_5_0.pb", "mlflow/mlflow_3_17.pb", "openlit/openlit_1_45.pb"])
def test_the_built_in_prices_know_what_is_asked_most(start_server, case):
    server = start_server()
    send(server, case)
    counted = [
        s
        for s in server.get("/api/spans/list/?page_size=100").json["results"]
        if s["model"] and s["usage_source"] == "reported"
    ]
    assert counted and all(s["cost"] > 0 for s in counted)


def test_a_mistake_in_the_file_is_said_with_its_line(tmp_path):
    (tmp_path / "bad.txt").write_text("provider a\nprice m one\n")
    for file, said in (("bad.txt", "bad.txt:2: the price of input tokens"), ("none.txt", "cannot read the prices in")):
        ran = subprocess.run(
            [
                str(BINARY),
                "serve",
                "--listen",
                "127.0.0.1:0",
                "--data",
                str(tmp_path / "d"),
                "--prices",
                str(Path(tmp_path) / file),
            ],
            capture_output=True,
            text=True,
            timeout=30,
            env={"HOME": str(tmp_path)},
        )
        assert ran.returncode != 0 and said in ran.stderr, ran


# ---- what an owner sets


@pytest.fixture(scope="module")
def owner(start_server):
    return owner_of(start_server())


def told(server, *arguments, status=0):
    done = subprocess.run(
        [BINARY, "prices", *arguments], env=server.environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == status, done.stderr
    return done.stdout if status == 0 else done.stderr


def asked(server, name, model, provider="acme", **more) -> dict:
    """A call of a million tokens each way, as the server has it."""
    attributes = {
        "respan.entity.log_type": "chat",
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": model,
        "gen_ai.usage.input_tokens": "1000000",
        "gen_ai.usage.output_tokens": "1000000",
        **more,
    }
    server.send([span(name, attributes=attributes)])
    return next(s for s in server.get("/api/spans/list/?page_size=1000").json["results"] if s["span_name"] == name)


def test_a_price_that_is_set_is_in_force_at_once(owner):
    server = owner.server
    first = asked(server, "one", "brand-new")
    assert (first["cost"], first["cost_source"]) == (None, None)
    for n in range(20):  # whichever thread takes it
        assert owner.post("/api/prices/", {"model": "brand-new", "input": n, "output": 1}).status == 200
        with ThreadPoolExecutor(6) as pool:
            for call in pool.map(lambda i, n=n: asked(server, f"call {n} {i}", "brand-new"), range(3)):
                assert (call["cost"], call["cost_source"]) == (n + 1, "tokens")
    assert asked(server, "one more", "brand-new")["cost"] == 20
    one = next(s for s in server.get("/api/spans/list/?page_size=1000").json["results"] if s["span_name"] == "one")
    assert one["cost"] is None  # it is what it was
    found = owner.get("/api/prices/?q=brand-new&model=brand-new&provider=anyone").json
    assert found["count"] == 1 and found["match"] == found["results"][0]
    row = found["match"]
    assert (row["origin"], row["in_force"], row["input"], row["provider"]) == ("own", True, 19, None)
    assert owner.delete(f"/api/prices/{row['id']}/").status == 200
    assert asked(server, "last", "brand-new")["cost"] is None
    assert owner.delete(f"/api/prices/{row['id']}/").status == 404


def test_what_goes_before_what_is_told(owner):
    set_ = owner.post("/api/prices/", {"model": "gpt-4o*", "provider": "openai", "input": 7, "cached": None}).json
    assert (set_["output"], set_["cached"], set_["limit"]) == (None, None, None)
    rows = owner.get("/api/prices/?q=gpt-4o&page_size=1000").json["results"]
    openais = [r for r in rows if "openai" in r["providers"]]
    assert next(r["origin"] for r in rows if r["in_force"]) == "own"
    assert all(r["in_force"] == (r["origin"] == "own") for r in openais if r["model"].startswith("gpt-4o"))
    assert owner.get("/api/prices/?model=gpt-4o-mini&provider=openai").json["match"]["id"] == set_["id"]
    assert owner.get("/api/prices/?model=gpt-4o-mini&provider=openrouter").json["match"] is None
    assert owner.get("/api/prices/?model=claude-sonnet-4-5&provider=anthropic").json["match"]["origin"] == "built-in"
    assert owner.get("/api/prices/?origin=mine").json["error"]["field"] == "origin"
    all_ = owner.get("/api/prices/?page_size=1000").json
    assert all_["count"] > 1000 == len(all_["results"])
    second = owner.get("/api/prices/?page_size=1000&page=2").json["results"]
    assert not {json.dumps(r) for r in second} & {json.dumps(r) for r in all_["results"]}
    assert owner.get("/api/prices/?origin=own").json["count"] == 1
    owner.delete(f"/api/prices/{set_['id']}/")


@pytest.mark.parametrize(
    "body,field",
    [
        ({"input": 1}, "model"),
        ({"model": "", "input": 1}, "model"),
        ({"model": "a*b", "input": 1}, "model"),
        ({"model": "m" * 200, "input": 1}, "model"),
        ({"model": "m"}, "input"),
        ({"model": "m", "input": None}, "input"),
        ({"model": "m", "input": "1"}, "input"),
        ({"model": "m", "input": -1}, "input"),
        ({"model": "m", "input": 1, "output": 1e12}, "output"),
        ({"model": "m", "input": 1, "cached": True}, "cached"),
        ({"model": "m", "input": 1, "reasoning": []}, "reasoning"),
        ({"model": "m", "input": 1, "limit": 1.5}, "limit"),
        ({"model": "m", "input": 1, "provider": "*"}, "provider"),
        ({"model": "m", "input": 1, "currency": "EUR"}, "currency"),
    ],
)
def test_what_is_wrong_is_named(owner, body, field):
    answer = owner.post("/api/prices/", body)
    assert answer.status == 400 and answer.json["error"]["field"] == field
    assert owner.get("/api/prices/?origin=own").json["count"] == 0


@pytest.mark.parametrize(
    "body,field",
    [
        ({"per_hour": 1}, "device"),
        ({"device": "CUDA 0", "per_hour": 1}, "device"),
        ({"device": "cuda"}, "per_hour"),
        ({"device": "cuda", "per_hour": "2"}, "per_hour"),
        ({"device": "cuda", "per_hour": 1, "watts": 1, "per_kwh": 1}, "per_hour"),
        ({"device": "cuda", "watts": 350}, "per_kwh"),
        ({"device": "cuda", "per_kwh": 0.3}, "watts"),
    ],
)
def test_what_is_wrong_with_a_price_of_time_is_named(owner, body, field):
    answer = owner.post("/api/prices/time/", body)
    assert answer.status == 400 and answer.json["error"]["field"] == field


def test_a_local_call_costs_its_time(owner):
    server = owner.server
    local = {"respan.model.device": "cuda:0"}
    free = asked(server, "free", "gpt2", "huggingface", **local)
    assert (free["cost"], free["cost_source"]) == (0, "local")
    hour = owner.post("/api/prices/time/", {"device": "cuda", "per_hour": 36}).json
    call = asked(server, "timed", "gpt2", "huggingface", **local)
    assert call["cost_source"] == "time" and call["latency"] > 0
    assert call["cost"] == pytest.approx(call["latency"] * 36 / 3600)
    nested = asked(server, "nested", "gpt2", "huggingface", **local, **{"respan.call.nested": "true"})
    assert (nested["cost"], nested["cost_source"]) == (0, "outer")
    assert asked(server, "on the cpu", "gpt2", "huggingface", **{"respan.model.device": "cpu"})["cost"] == 0
    energy = owner.post("/api/prices/time/", {"device": "cuda", "watts": 350, "per_kwh": 0.3}).json
    assert energy["per_hour"] == pytest.approx(0.105) and energy["id"] != hour["id"]
    assert [t["id"] for t in owner.get("/api/prices/").json["time"]] == [energy["id"]]
    call = asked(server, "by energy", "gpt2", "huggingface", **local)
    assert call["cost"] == pytest.approx(call["latency"] * 0.105 / 3600)
    assert owner.delete(f"/api/prices/time/{energy['id']}/").status == 200
    assert asked(server, "free again", "gpt2", "huggingface", **local)["cost_source"] == "local"
    assert server.get("/api/spans/list/?cost_source=time").json["count"] == 2


def test_a_trace_pays_for_time_once(owner):
    server = owner.server
    hour = owner.post("/api/prices/time/", {"device": "*", "per_hour": 3600}).json
    local = {"respan.entity.log_type": "chat", "respan.model.device": "cuda:0", "gen_ai.request.model": "m"}
    outer = span("outer", attributes=local)
    inner = span("inner", outer["traceId"], outer["spanId"], local)
    server.send([inner, outer])
    tree = server.get(f"/api/traces/{outer['traceId']}/").json
    found = {s["span_name"]: s for s in [tree["span_tree"][0], *tree["span_tree"][0]["children"]]}
    assert (found["inner"]["cost"], found["inner"]["cost_source"]) == (0, "outer")
    assert tree["total_cost"] == found["outer"]["cost"] == pytest.approx(found["outer"]["latency"])
    owner.delete(f"/api/prices/time/{hour['id']}/")


def test_a_pipeline_of_any_task_costs_its_time(owner):
    server = owner.server
    hour = owner.post("/api/prices/time/", {"device": "cuda", "per_hour": 3600}).json
    local = {"respan.model.device": "cuda:0", "gen_ai.request.model": "org/labels"}
    sums = "/api/metrics/totals/?of=spans"
    before = server.get(sums).json["totals"]["cost"]
    outer = span("image-classification", attributes={**local, "respan.entity.log_type": "custom"})
    inner = span("chat", outer["traceId"], outer["spanId"], {**local, "respan.entity.log_type": "chat"})
    server.send([inner, outer])
    trace = server.get(f"/api/traces/{outer['traceId']}/?flat=true").json
    labels, chat = trace["spans"]
    assert (labels["cost_source"], chat["cost_source"], chat["cost"]) == ("time", "outer", 0)
    assert trace["total_cost"] == labels["cost"] == pytest.approx(labels["latency"]) and trace["llm_call_count"] == 1
    assert server.get(sums).json["totals"]["cost"] - before == pytest.approx(labels["cost"])
    owner.delete(f"/api/prices/time/{hour['id']}/")


def test_a_cost_that_was_sent_says_so(owner):
    call = asked(owner.server, "sent", "gpt2", "huggingface", **{"gen_ai.usage.cost": "0.5"})
    assert (call["cost"], call["cost_source"]) == (0.5, "sent")
    one = owner.server.get(f"/api/spans/{call['span_unique_id']}/").json
    assert (one["cost"], one["cost_source"]) == (0.5, "sent")


def test_only_an_owner_sets_prices_and_the_log_has_them(owner):
    url = owner.post("/api/invites/", {"role": "member"}).json["url"]
    member = Browser(owner.server)
    signup = {"email": "m@x.org", "password": "a long password", "name": "M", "invite": url.rsplit("/", 1)[1]}
    assert member.post("/api/auth/signup/", signup).status == 200
    member.session()
    assert member.get("/api/prices/?q=gpt-4o").status == 200
    assert member.post("/api/prices/", {"model": "m", "input": 1}).status == 403
    assert member.post("/api/prices/time/", {"device": "cuda", "per_hour": 1}).status == 403
    set_ = owner.post("/api/prices/", {"model": "logged", "provider": "acme", "input": 1.5, "output": 3}).json
    assert member.delete(f"/api/prices/{set_['id']}/").status == 403
    assert owner.delete(f"/api/prices/{set_['id']}/").status == 200
    rows = [r for r in owner.get("/api/audit/").json["results"] if "logged" in r["target"]]
    assert [r["action"] for r in rows] == ["price.unset", "price.set"]
    assert rows[1]["target"] == "logged of acme: $1.5 in, $3 out, $- cached, $- reasoning"
    assert rows[1]["actor"] == "owner@localhost"


def test_the_command_line_sets_them_while_the_server_runs(owner):
    server = owner.server
    told(server, "set", "by-hand*", "--provider", "acme", "--input", "2", "--output", "3")
    told(server, "set", "--device", "cuda", "--watts", "1000", "--per-kwh", "0.25")
    listed = json.loads(told(server, "list", "--json"))
    assert [(p["model"], p["provider"], p["input"]) for p in listed["tokens"]] == [("by-hand*", "acme", 2)]
    assert [(t["device"], t["per_hour"]) for t in listed["time"]] == [("cuda", 0.25)]
    assert "by-hand*" in told(server, "list") and "0.25 an hour  (1000 W at 0.25 a kWh)" in told(server, "list")
    costs = set()
    for n in range(600):  # it looks once a second
        costs.add(asked(server, f"by hand {n}", "by-hand-1")["cost"])
        if 5 in costs:
            break
    assert costs <= {None, 5} and 5 in costs
    told(server, "unset", "by-hand*", "--provider", "ACME")
    told(server, "unset", "--device", "cuda")
    assert json.loads(told(server, "list", "--json")) == {"tokens": [], "time": []}
    assert "no such price is set" in told(server, "unset", "by-hand*", status=1)
    assert "'input' is a number of dollars" in told(server, "set", "m", status=1)
    for wrong in (["set"], ["set", "m", "--per-hour", "1"], ["set", "--device", "cpu", "--input", "1"], ["list", "m"]):
        assert "Try: respan prices --help" in told(server, *wrong, status=2)


def test_what_is_set_outlives_the_server(start_server):
    server = start_server()
    owner_of(server).post("/api/prices/", {"model": "kept", "input": 3, "output": 4})
    server.stop()
    server.start()
    assert asked(server, "kept", "kept")["cost"] == 7
