"""All that the documentation's script sends, and what the server makes of it, line by line against a file (docs/span-reference.md
explains each line). RESPAN_GOLDEN=write makes the file anew.

What changes from run to run or from machine to machine stands there as <what it is>, and is checked to be that.
"""

import json
import os
import re
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import otlp_text
import pytest
from capture import CaptureServer
from conftest import ROOT

CACHE = ROOT / ".run" / f"huggingface{Path(sys.prefix).name.removeprefix('.venv')}"  # .venv-oldest has its own
PATH = Path(__file__).with_name("golden") / f"script.transformers{version('transformers').partition('.')[0]}.txt"
ATTRIBUTE = "attributes."
PROMPT, TOKENS_MAX = "Tracing Hugging Face pipelines helps", 42


def matches(pattern):
    return lambda value: isinstance(value, str) and re.fullmatch(pattern, value, re.S)


def number(least, most, kind=int):
    return lambda value: type(value) is kind and least <= value <= most


# Each placeholder, and what may stand in its place.
PLACEHOLDERS = {
    "<nanoseconds since 1970>": number(1_700_000_000 * 10**9, 2**63),
    "<RFC 3339 time>": matches(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z"),
    "<seconds>": number(0, 100, float),
    "<seconds, several>": lambda value: bool(value) and all(map(PLACEHOLDERS["<seconds>"], value)),
    "<tokens a second>": number(0.1, 1e7, float),
    "<tokens>": number(0, TOKENS_MAX),
    "<steps>": number(1, TOKENS_MAX),
    "<stalls>": number(0, TOKENS_MAX),
    "<bytes>": number(10_000, 1 << 40),
    "<measured or sampled>": matches("measured|sampled"),
    "<stop or length>": matches("stop|length"),
    "<version>": matches(r"\d+\.\d+.*"),
    "<respan-c/version>": matches(r"respan-c/\d+\.\d+.*"),
    "<port>": matches(r"127\.0\.0\.1:\d+"),
    "<length>": matches(r"\d+"),
    "<key>": matches(r"Bearer \S{20,}"),
}

# The first that is found in a line's path (which has its span's number in front) decides; any other value stands as it is.
VARIES = (
    (r"^header\.host$", "<port>"),
    (r"^header\.content-length$", "<length>"),
    (r"^header\.authorization$", "<key>"),
    (r"^header\.user-agent$", "<respan-c/version>"),
    (r"^scope\.version$", "<version>"),
    (r"_time_unix_nano$", "<nanoseconds since 1970>"),
    (r"^(start_time|end_time|timestamp)$", "<RFC 3339 time>"),
    (r"respan\.load\.\w+_seconds$", "<seconds>"),
    (r"respan\.generation\.token_gaps$", "<seconds, several>"),
    (r"respan\.generation\.(prefill|decode|token_gap_\w+)$|time_to_first_token$", "<seconds>"),
    (r"^(duration|latency)$", "<seconds>"),
    (r"tokens_per_second$", "<tokens a second>"),
    (r"respan\.generation\.steps$", "<steps>"),
    (r"respan\.generation\.stalls$", "<stalls>"),
    (r"memory\.peak_rss$", "<bytes>"),
    (r"memory\.peak_rss_source$", "<measured or sampled>"),
    (r"(output|completion)_tokens$|total_tokens$|respan\.usage\.completion_\w+_tokens$", "<tokens>"),
    (r"finish_reason$", "<stop or length>"),
    (r"_version$|telemetry\.sdk\.version$", "<version>"),
)
SOMETIMES = re.compile(r"respan\.generation\.stall_time$")  # on a busy machine


class Lines:
    """The file's lines. Ids are numbered in the order in which they come."""

    def __init__(self):
        self.lines = []
        self._ids = {}

    def title(self, text):
        self.lines += [*([""] if self.lines else []), f"== {text}"]

    def put(self, path, value, sort=""):
        if not SOMETIMES.search(path):
            self.lines.append(f"{path}: {sort and sort + ' '}{self._shown(path, value)}")

    def name_ids(self, spans):
        """spans: {trace id: [span ids]}"""
        of_spans = [span for spans_of_it in spans.values() for span in spans_of_it]
        for what, ids in (("trace", spans), ("span", of_spans)):
            self._ids.update({one: f"<id of {what} {n}>" for n, one in enumerate(ids, 1)})

    def _shown(self, path, value):
        if isinstance(value, str) and value in self._ids:
            assert re.fullmatch(r"[0-9a-f]{32}|[0-9a-f]{16}", value)
            return self._ids[value]
        for pattern, placeholder in VARIES:
            if value is not None and re.search(pattern, path):
                assert PLACEHOLDERS[placeholder](value), f"{path}: {value!r} is not {placeholder}"
                return placeholder
        return json.dumps(without_answer(value), ensure_ascii=False, sort_keys=True)


def without_answer(value):
    """What the model wrote, which is random, stands behind the prompt: as text, in JSON, and in JSON that is text."""
    if isinstance(value, list):
        return [without_answer(item) for item in value]
    if isinstance(value, dict):
        return {key: without_answer(item) for key, item in value.items()}
    if not isinstance(value, str) or PROMPT not in value or value == PROMPT:
        return value
    if value.startswith(PROMPT):
        return "<the prompt, and what followed>"
    return json.dumps(without_answer(json.loads(value)))


def add_request(lines, headers, received):
    lines.title("the request: POST /api/v2/traces")
    for name in sorted(headers):
        lines.put(f"header.{name}", headers[name])
    for part in ("resource", "scope"):
        for field in getattr(received, part):
            lines.put(f"{part}.{field.path}", field.value, field.sort)
    for number, span in enumerate(received.spans, 1):
        lines.title(f"span {number} as it was sent")
        for field in sorted(span, key=is_attribute):  # (keeps their order otherwise)
            lines.put(field.path, field.value, field.sort)


def add_answers(lines, server, received):
    """What GET /api/traces/{id}/ and /api/spans/{id}/ say, a field a line."""
    ids = [{field.path: field.value for field in span} for span in received.spans]
    for number, trace in enumerate(dict.fromkeys(span["trace_id"] for span in ids), 1):
        lines.title(f"trace {number} as the server has it")
        for name, value in server.get(f"/api/traces/{trace}/").json.items():
            if name != "span_tree":
                lines.put(name, value)
    for number, (span, sent) in enumerate(zip(ids, received.spans, strict=True), 1):
        lines.title(f"span {number} as the server has it")
        answer = server.get(f"/api/spans/{span['span_id']}/").json
        as_sent = {
            "attributes": {field.path.removeprefix(ATTRIBUTE): field.value for field in sent if is_attribute(field)},
            "resource": {field.path.removeprefix(ATTRIBUTE): field.value for field in received.resource},
            "scope": {**{field.path: field.value for field in received.scope}, "attributes": {}},
        }
        for name, value in answer.items():
            if name == "parameters":
                for parameter in sorted(value):
                    lines.put(f"{name}.{parameter}", value[parameter])
            elif name in as_sent:
                assert value == as_sent[name]
                lines.lines.append(f"{name}: <as sent>")
            else:
                lines.put(name, value)


def is_attribute(field):
    return field.path.startswith(ATTRIBUTE)


@pytest.fixture
def requests(server):
    """(headers, body) of each request that the script made: received over a socket, and handed on to the server."""
    subprocess.run([sys.executable, ROOT / "tools" / "make_tiny_model.py", CACHE], check=True)
    script = (ROOT / "examples" / "huggingface_text_generation.py").read_text()
    assert PROMPT in script and f"max_length={TOKENS_MAX}" in script
    capture = CaptureServer()
    environment = {
        **{name: value for name, value in server.environment.items() if not name.startswith("OTEL_")},
        "RESPAN_API_KEY": server.key,
        "RESPAN_BASE_URL": capture.base_url,
        "HF_HOME": str(CACHE),
        "HF_HUB_OFFLINE": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    code = f"import torch; torch.manual_seed(1)\n{script}"  # so that it does not happen to end at once
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    capture.close()
    for body in capture.bodies:
        answer = server.request("POST", "/api/v2/traces", body, {"Content-Type": "application/x-protobuf"})
        assert answer.status == 200, answer
    return list(zip(capture.headers, capture.bodies, strict=True))


def test_all_that_the_script_sends(server, requests):
    headers = [{name.lower(): value for name, value in of_one.items()} for of_one, _ in requests]
    received = [otlp_text.read(body) for _, body in requests]
    whole = received[0]
    for other in received[1:]:  # how many requests there are depends on how long it takes
        assert (other.resource, other.scope) == (whole.resource, whole.scope)
        whole.spans += other.spans
    whole.spans.sort(key=lambda span: next(field.value for field in span if field.path == "start_time_unix_nano"))
    lines, by_trace = Lines(), {}
    for span in whole.spans:
        of_it = {field.path: field.value for field in span}
        assert of_it["start_time_unix_nano"] < of_it["end_time_unix_nano"] <= time.time_ns()
        by_trace.setdefault(of_it["trace_id"], []).append(of_it["span_id"])
    lines.name_ids(by_trace)
    add_request(lines, headers[0], whole)
    add_answers(lines, server, whole)
    got = "\n".join(lines.lines) + "\n"
    if os.environ.get("RESPAN_GOLDEN") == "write":
        PATH.write_text(got)
    assert got == PATH.read_text(), f"RESPAN_GOLDEN=write makes {PATH.relative_to(ROOT)} anew"
