"""`respan traces` against the real server: what is printed, and what it says when it cannot."""

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios
import threading
import time
import unicodedata
import uuid
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise

import pytest
from conftest import BINARY
from traces import chat, made, workflow

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def full(start_server):
    server = start_server()
    server.traces = [workflow(n, n) for n in range(30)]
    assert server.send([s for t in server.traces for s in t]).status == 200
    return server


def run(server, *arguments, **environment):
    return subprocess.run(
        [str(BINARY), "traces", *arguments],
        env={**server.environment, "TZ": "UTC", **environment},
        text=True,
        capture_output=True,
        timeout=60,
    )


def run_on_terminal(server, *arguments, columns=90, **environment):
    """The same on a pseudo-terminal; what it wrote."""
    main, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    env = {k: v for k, v in server.environment.items() if k not in ("COLUMNS", "NO_COLOR")}
    process = subprocess.Popen(
        [str(BINARY), "traces", *arguments],
        stdout=terminal,
        stderr=subprocess.DEVNULL,
        env={**env, "TZ": "UTC", "TERM": "xterm", **environment},
    )
    os.close(terminal)
    text = b""
    try:
        while piece := os.read(main, 65536):
            text += piece
    except OSError:  # the other end is closed
        pass
    os.close(main)
    assert process.wait(60) == 0
    return text.decode().replace("\r\n", "\n")


def tree(server, trace_id, *options, **environment):
    answer = run(server, "get", trace_id, *options, **environment)
    assert answer.returncode == 0, answer
    return answer.stdout


# ---- list


def test_list(full):
    answer = run(full, "list", "--limit", "3")
    assert answer.returncode == 0 and answer.stderr == "", answer
    head, *rows = answer.stdout.splitlines()
    assert head.split() == ["TIME", "NAME", "MODEL", "TOKENS", "LATENCY", "STATUS", "OUTPUT", "ID"]
    assert rows[0].split() == [
        "2026-09-21",
        "14:13:49",
        "flow_29",
        "model-2",
        "39",
        "→",
        "58",
        "30.0",
        "s",
        "error",
        "Answer",
        "29",
        "—",
        "naïve",
        full.traces[29][0]["traceId"],
    ]
    assert [r.index("flow_") for r in rows] == [head.index("NAME")] * 3
    assert len({r.index("model-") for r in rows}) == 1


def test_list_filters(full):
    rows = run(full, "list", "--filter", "environment=staging", "--filter", "model=model-1").stdout.splitlines()[1:]
    assert [r.split()[2] for r in rows] == ["flow_28", "flow_22", "flow_16", "flow_10", "flow_4"]
    assert run(full, "list", "--filter", "metadata__run=7").stdout.count("flow_7") == 1


def test_an_empty_list_says_what_was_likely_meant_otherwise(full):
    answer = run(full, "list", "--filter", "q=flow foo:\x1b[31mbar")
    assert answer.returncode == 0 and answer.stdout.count("\n") == 1
    assert "was looked for as text: a trace has no field 'foo'" in answer.stderr and "\x1b" not in answer.stderr
    assert run(full, "list", "--filter", "q=-metadata.kind:k1 NOT http://x").stderr == ""


def test_list_takes_a_saved_view(full):
    wanted = {"name": "slow ones", "q": "environment:staging model:model-1", "from": "-100w", "sort": "duration"}
    view = full.request("POST", "/api/views/", json.dumps(wanted)).json
    rows = run(full, "list", "--view", "slow ones", "--limit", "100").stdout.splitlines()[1:]
    query = "environment=staging&model=model-1&sort_by=duration&page_size=100"
    answer = full.get(f"/api/traces/list/?{query}").json["results"]
    assert len(answer) > 1 and [t["name"] in row for t, row in zip(answer, rows, strict=True)] == [True] * len(answer)
    missing = run(full, "list", "--view", "nothing")
    assert missing.returncode == 1 and "no view of the list is called 'nothing'" in missing.stderr
    assert "slow ones" in missing.stderr
    assert full.request("DELETE", f"/api/views/{view['id']}/").status == 200


def test_list_filters_by_a_fact_of_the_model(server):
    spans = [made(d, attributes={"gen_ai.request.model": "m", "respan.model.dtype": d}) for d in ("float32", "int8")]
    assert server.send(spans).status == 200
    _, *rows = run(server, "list", "--filter", "respan.model.dtype=int8").stdout.splitlines()
    assert [r.split()[2] for r in rows] == ["int8"]


def test_list_says_what_came_out(server):
    call = {"role": "assistant", "tool_calls.0.name": "get_weather", "tool_calls.0.arguments": '{"city":"Bern"}'}
    tool = generation("chat", ["Weather?"], [], **{f"gen_ai.completion.0.{k}": v for k, v in call.items()})
    text = generation("text", ["Once upon"], ["Once upon a time"])
    assert server.send([tool, text]).status == 200
    rows = run(server, "list").stdout.splitlines()
    assert any('  get_weather({"city":"Bern"})  ' in r and r.endswith(tool["traceId"]) for r in rows)
    assert any("  … a time  " in r and r.endswith(text["traceId"]) for r in rows)
    rows = run(server, "list", COLUMNS="120").stdout.splitlines()
    assert any('get_weather({"city"' in r for r in rows) and max(map(len, rows)) <= 120
    assert "OUTPUT" not in run(server, "list", COLUMNS="80").stdout
    assert 'completion  assistant: get_weather({"city":"Bern"})' in tree(server, tool["traceId"])


def test_list_json(full):
    answer = json.loads(run(full, "list", "--json", "--limit", "2").stdout)
    assert answer["count"] == 30 and [t["name"] for t in answer["results"]] == ["flow_29", "flow_28"]


def test_list_over_many_pages(start_server):
    server = start_server()
    assert server.send([made(f"t{i}", i) for i in range(1203)]).status == 200
    answer = json.loads(run(server, "list", "--json", "--limit", "1100").stdout)
    assert [t["name"] for t in answer["results"]] == [f"t{i}" for i in range(1202, 102, -1)]
    assert len(run(server, "list", "--limit", "5000").stdout.splitlines()) == 1204


def test_a_folder_that_was_loaded_is_its_last_part_on_a_terminal(server):
    assert server.send([made("load /home/me/models/tiny")]).status == 200
    assert "  load tiny  " in run(server, "list", COLUMNS="120").stdout
    assert "  load /home/me/models/tiny  " in run(server, "list").stdout


def test_list_fits_the_terminal(full):
    for columns in (40, 50, 60, 80, 120):
        lines = run(full, "list", COLUMNS=str(columns)).stdout.splitlines()
        assert max(map(len, lines)) <= columns


# ---- get


def test_get(full):
    root, _ = full.traces[7]
    text = tree(full, root["traceId"])
    lines = text.splitlines()
    assert lines[0].split() == ["flow_7", "ok"] and lines[1] == root["traceId"]
    assert lines[2] == "2026-09-21 14:13:27 · 8.00 s · 2 spans · 1 model call · 31 tokens"
    assert "user user_2 · thread thread_0 · environment production" in lines[3]
    assert re.match(r"^flow_7  workflow +8\.00 s  ━+$", lines[5])
    assert re.match(r"^└─ chat model-1  chat +570 ms +─?━+$", lines[6])
    below = {line.split()[0]: " ".join(line.split()[1:]) for line in lines[7:]}
    assert below["model"] == "model-1" and below["prompt"] == "user: question 7"
    assert below["completion"] == "assistant: Answer 7 — naïve" and "temperature=0.35" in below["parameters"]
    assert below["tokens"].startswith("17 in + 14 out (measured)") and "first token 125 ms" in below["tokens"]
    assert below["latency"] == "570 ms"
    assert max(map(len, lines)) <= 100 and "\x1b" not in text


def test_get_latest_and_by_prefix(full):
    assert tree(full, "latest").startswith("flow_29")
    trace_id = full.traces[5][0]["traceId"]
    for n in (8, 12, 31, 32):
        assert tree(full, trace_id[:n].upper()).startswith("flow_5")


def test_get_json(full):
    trace_id = full.traces[5][0]["traceId"]
    assert json.loads(tree(full, trace_id, "--json")) == full.get(f"/api/traces/{trace_id}/").json


def test_a_prefix_of_several(server):
    assert server.send([made("x", trace_id="abcdef0" + str(i) + uuid.uuid4().hex[:24]) for i in range(2)]).status == 200
    answer = run(server, "get", "abcdef")
    assert answer.returncode == 1 and answer.stderr.count("abcdef0") == 2 and answer.stdout == ""
    assert run(server, "get", "abcdef01").returncode == 0


def test_content_is_cut_unless_asked_for(server):
    trace_id = uuid.uuid4().hex
    long = "\n".join(f"line {i}" for i in range(50))
    root = made(
        "w.workflow",
        trace_id=trace_id,
        attributes={"respan.entity.log_type": "workflow", "traceloop.entity.input": '{"q": "what"}'},
    )
    call = chat(
        trace_id, root["spanId"], 0, **{"gen_ai.prompt.0.content": long, "gen_ai.completion.0.content": "x" * 5000}
    )
    assert server.send([root, call]).status == 200
    short, whole = tree(server, trace_id), tree(server, trace_id, "--content")
    assert short.count("line ") == 4 and "…" in short and short.count("x") < 500 and "what" not in short
    assert whole.count("line ") == 50 and whole.count("x") >= 5000 and "what" in whole
    assert max(map(len, whole.splitlines())) <= 100


def generation(log_type, prompts, completions, **attributes):
    """One model call of these prompts and completions, as the Hugging Face instrumentor writes it."""
    content = {"respan.entity.log_type": log_type, **attributes}
    for side, role, texts in (("prompt", "user", prompts), ("completion", "assistant", completions)):
        for i, text in enumerate(texts):
            content |= {f"gen_ai.{side}.{i}.role": role, f"gen_ai.{side}.{i}.content": text}
    return made(log_type, attributes=content)


@pytest.mark.parametrize(
    "prompts,completions,shown",
    [
        (["One two"], ["One two three"], ["… three"]),
        (["One two"], ["three"], ["three"]),
        (["One two"], ["One two"], ["One two"]),
        (["A", "B"], ["A 1", "B 2"], ["assistant: … 1", "assistant: … 2"]),
        (["A"], ["A 1", "A 2"], ["assistant: … 1", "assistant: … 2"]),
        (["A", "B"], ["A 1", "A 2", "B 3", "B 4"], [f"assistant: … {n}" for n in (1, 2, 3, 4)]),
        (["A", "B", "C"], ["A 1"], ["A 1"]),
    ],
)
def test_a_completion_is_set_off_from_its_prompt(server, prompts, completions, shown):
    span = generation("text", prompts, completions)
    assert server.send([span]).status == 200
    lines = tree(server, span["traceId"]).splitlines()
    first = next(i for i, line in enumerate(lines) if line.split()[:1] == ["completion"])
    lines[first] = lines[first].replace("completion", "")
    assert [line.strip() for line in lines[first : first + len(shown)]] == shown
    whole = tree(server, span["traceId"], "--content")
    assert all(text in whole for text in completions) and "…" not in whole


def test_a_short_name_has_its_type_beside_it(server):
    span = made("w.workflow", attributes={"respan.entity.log_type": "workflow", "traceloop.entity.name": "w"})
    assert server.send([span]).status == 200
    assert re.search(r"^w  workflow +1\.00 s", tree(server, span["traceId"]), re.M)


def test_of_a_chat_the_last_messages_are_shown(server):
    asked = ["You are brief.", "What is Bern?", "A city.", "And Rome?"]
    span = generation("chat", asked, ["Another city."])
    assert server.send([span]).status == 200
    text = tree(server, span["traceId"])
    assert "prompt      (2 more before)" in text and "user: A city." in text and "user: And Rome?" in text
    assert "You are brief." not in text and "You are brief." in tree(server, span["traceId"], "--content")


def test_a_chat_answer_is_shown_whole(server):
    span = generation("chat", ["Paris"], ["Paris is a city."])
    assert server.send([span]).status == 200
    assert "assistant: Paris is a city." in tree(server, span["traceId"])


@pytest.mark.parametrize(
    "log_type,given,made_of_it",
    [
        ("embedding", "the cat sat", "1 × 5 × 16: 0.1 0.2 …"),
        ("transcription", "audio, 0.5 s, 16000 Hz", "the cat sat"),
        ("speech", "the cat sat", "audio, 0.5 s, 16000 Hz"),
    ],
)
def test_calls_that_are_no_generation_have_an_input_and_an_output(server, log_type, given, made_of_it):
    span = generation(log_type, [given], [made_of_it])
    assert server.send([span]).status == 200
    lines = [line.split(None, 1) for line in tree(server, span["traceId"]).splitlines()]
    assert ["input", given] in lines and ["output", made_of_it] in lines


def test_a_classifier_is_shown_as_the_model_call_that_it_is(server):
    content = {"traceloop.entity.input": '"the cat sat"', "traceloop.entity.output": '[{"label":"good","score":0.75}]'}
    span = made("classify", attributes={"respan.entity.log_type": "custom", "gen_ai.request.model": "m", **content})
    assert server.send([span]).status == 200
    text = tree(server, span["traceId"])
    assert re.search(r"model +m$", text, re.M) and re.search(r"input +the cat sat$", text, re.M)
    assert re.search(r'output +\[\{"label": "good", "score": 0.75\}\]$', text, re.M)


@pytest.mark.parametrize(
    "parameters,shown",
    [
        ({"max_new_tokens": 40, "top_k": 7, "max_tokens": 40}, "max_new_tokens=40  top_k=7"),
        ({"max_length": 42, "max_tokens": 42}, "max_length=42"),
        ({"max_length": 42, "max_tokens": 20}, "max_length=42  max_tokens=20"),
        ({"max_tokens": 20}, "max_tokens=20"),
    ],
)
def test_a_limit_is_said_once(server, parameters, shown):
    span = generation("text", ["a"], ["b"], **{f"gen_ai.request.{k}": v for k, v in parameters.items()})
    assert server.send([span]).status == 200
    line = next(x for x in tree(server, span["traceId"]).splitlines() if x.split()[:1] == ["parameters"])
    assert line.split(None, 1)[1] == shown


def test_stored_text_cannot_command_the_terminal(server):
    trace_id = uuid.uuid4().hex
    evil = "a\x1b[2J\x07\x9b31m\u202e\rb\x7f"
    root = made(
        evil,
        trace_id=trace_id,
        status={"code": 2, "message": evil},
        attributes={"respan.entity.log_type": "workflow", "respan.metadata.k": evil, "respan.environment": evil},
    )
    call = chat(
        trace_id,
        root["spanId"],
        0,
        **{"gen_ai.prompt.0.content": evil, "gen_ai.request.model": evil, "gen_ai.request.stop": evil},
    )
    assert server.send([root, call]).status == 200
    for text in (tree(server, trace_id), tree(server, trace_id, "--content"), run(server, "list").stdout):
        assert not CONTROL.search(text), repr(text)
        assert "\\x1b[2J" in text
    assert not CONTROL.search(run(server, "wait", "--name", evil.replace("\x00", ""), "--timeout", "5").stderr)


def test_text_may_have_a_nul(server):
    s = made("a\x00b", attributes={"respan.entity.log_type": "text", "gen_ai.prompt.0.content": "c\x00d"})
    assert server.send([s]).status == 200
    text = tree(server, s["traceId"])
    assert "a\\x00b" in text and "c\\x00d" in text
    assert "a\\x00b" in run(server, "list").stdout


def test_wide_characters_stay_in_columns(server):
    trace_id = uuid.uuid4().hex
    spans = [made("日本語の名前" * 10, trace_id=trace_id), made("e\u0301" * 20, 1, trace_id=trace_id)]
    assert server.send(spans).status == 200
    lines = tree(server, trace_id, COLUMNS="80").splitlines()[-2:]
    width = [
        sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)
        for line in lines
    ]
    assert max(width) <= 80 and "…" in lines[0]


def test_deep_and_odd_trees(server):
    trace_id = uuid.uuid4().hex
    spans = [made(f"s{i}", i / 1000, trace_id=trace_id) for i in range(3000)]
    for above, below in pairwise(spans):
        below["parentSpanId"] = above["spanId"]
    spans[0]["parentSpanId"] = spans[-1]["spanId"]
    assert server.send(spans).status == 200
    lines = tree(server, trace_id).splitlines()
    assert sum(" s" in line for line in lines) >= 3000 and max(map(len, lines)) <= 100
    assert len(json.loads(server.get(f"/api/traces/{trace_id}/?flat=true").body)["spans"]) == 3000


def test_branches(server):
    trace_id = uuid.uuid4().hex
    ids = {}

    def add(name, parent, start):
        s = made(name, start, trace_id=trace_id, parent=ids.get(parent))
        ids[name] = s["spanId"]
        return s

    spans = [
        add("a", None, 0),
        add("b", "a", 1),
        add("c", "b", 2),
        add("d", "b", 3),
        add("e", "a", 4),
        add("f", None, 5),
    ]
    assert server.send(spans).status == 200
    drawn = [re.sub(r"  +.*", "", line) for line in tree(server, trace_id).splitlines()[-6:]]
    assert [line[:9] for line in tree(server, trace_id).splitlines()[-6:]] == [
        "a        ",
        "├─ b     ",
        "│  ├─ c  ",
        "│  └─ d  ",
        "└─ e     ",
        "f        ",
    ], drawn
    plain = tree(server, trace_id, TERM="dumb")
    assert plain.isascii() and "`- e" in plain and "|  |- c" in plain


def test_colours_only_on_a_terminal(full):
    trace_id = full.traces[9][0]["traceId"]
    shown = run_on_terminal(full, "get", trace_id)
    assert "\x1b[31m" in shown
    assert max(len(re.sub(r"\x1b\[\d+m", "", line)) for line in shown.splitlines()) <= 90
    assert "\x1b" not in run_on_terminal(full, "get", trace_id, NO_COLOR="1")
    assert "\x1b" not in run_on_terminal(full, "get", trace_id, TERM="dumb")
    assert "\x1b" not in tree(full, trace_id)
    assert max(map(len, run_on_terminal(full, "list", NO_COLOR="1").splitlines())) <= 90


# ---- wait


def test_wait(server):
    late = subprocess.Popen(
        [str(BINARY), "traces", "wait", "--name", "awaited", "--timeout", "200"],
        env=server.environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    time.sleep(0.5)
    assert late.poll() is None
    sent = made("awaited")
    assert server.send([sent]).status == 200
    assert late.communicate(timeout=200)[0].strip() == sent["traceId"] and late.returncode == 0
    answer = run(server, "wait", "--name", "awaited", "--count", "2", "--timeout", "1")
    assert answer.returncode == 1 and "awaited" in answer.stderr
    assert run(server, "wait", "--name", "awaited", "--since", "2030-01-01", "--timeout", "1").returncode == 1


def test_wait_for_a_server_that_is_away(server):
    answer = run(server, "wait", "--timeout", "1", RESPAN_BASE_URL="http://127.0.0.1:9/api")
    assert answer.returncode == 3 and answer.stderr.count("cannot reach") == 1


# ---- when it cannot


def test_a_server_that_is_away(server):
    answer = run(server, "list", RESPAN_BASE_URL="http://127.0.0.1:9/api")
    assert answer.returncode == 3 and answer.stdout == ""
    assert "http://127.0.0.1:9/api" in answer.stderr and "respan serve" in answer.stderr


def test_a_key_that_is_refused(server):
    answer = run(server, "list", RESPAN_API_KEY="rsp_wrong")
    assert answer.returncode == 3 and "respan keys create" in answer.stderr and "rsp_wrong" not in answer.stderr


def test_an_address_without_its_path(server):
    answer = run(server, "list", RESPAN_BASE_URL=server.base_url)
    assert answer.returncode == 3 and "/api" in answer.stderr and "API key" not in answer.stderr


def test_the_local_key_stays_at_home(server):
    """The credentials file's key goes to this machine and to the address it was written for, to no other."""
    seen = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append(self.headers.get("Authorization"))
            self.send_error(401)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Listener) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        for host in ("127.0.0.1", "localhost", "0.0.0.0"):  # the last reaches it too, but does not say loopback
            answer = run(server, "list", RESPAN_BASE_URL=f"http://{host}:{other.server_port}/api")
            assert answer.returncode == 3 and "respan keys create" in answer.stderr
        other.shutdown()
    assert seen == [f"Bearer {server.key}", f"Bearer {server.key}", None]


@pytest.mark.parametrize(
    "arguments,status",
    [
        (["get", "f" * 32], 1),
        (["get", "abc123456789"], 1),
        (["get", "abc"], 2),
        (["get", "not-an-id"], 2),
        (["get"], 2),
        (["get", "latest", "latest"], 2),
        ([], 2),
        (["drop"], 2),
        (["list", "--limit", "0"], 2),
        (["list", "--limit"], 2),
        (["list", "--filter", "model"], 2),
        (["list", "--filter", "colour=red"], 2),
        (["list", "--nope"], 2),
        (["list", "x"], 2),
        (["list", "--content"], 2),
        (["list", "--since", "yesterday"], 2),
        (["wait", "--since", "yesterday", "--timeout", "1"], 2),
        (["--help"], 0),
    ],
)
def test_exit_status(full, arguments, status):
    answer = run(full, *arguments)
    assert answer.returncode == status, answer
    if status:
        assert answer.stdout == "" and answer.stderr.startswith("respan: "), answer
