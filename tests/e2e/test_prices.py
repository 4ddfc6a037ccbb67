"""What calls cost: of payloads that packages sent, by the built-in prices and by one's own, kept as it was when it was computed."""

import subprocess
from pathlib import Path

import pytest
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
