"""What may not leave a process does not: with content off, masked, or where it looks like a credential."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from capture import CaptureServer
from respan import get_client, task, workflow
from respan_instrumentation_huggingface import HuggingFaceInstrumentor

HERE = Path(__file__).parent
CANARY = b"canary-7f3a"
TOKEN = "hf_abcdefghijklmnopqrstuvwxyzABCDEFGH"


def run_canary(server: CaptureServer, state: Path, *arguments: str, **environment: str) -> tuple[bytes, bytes]:
    """(all that its server was sent, all that it said)"""
    given = {
        "RESPAN_BASE_URL": server.base_url,
        "RESPAN_API_KEY": "k",
        "RESPAN_SPOOL": "on",
        "XDG_STATE_HOME": str(state),
        "PYTHONPATH": f"{HERE}:{os.environ.get('PYTHONPATH', '')}",
        **environment,
    }
    ran = subprocess.run(
        [sys.executable, HERE / "canary.py", *arguments], env={**os.environ, **given}, capture_output=True, timeout=200
    )
    assert ran.returncode == 0, ran.stderr.decode()[-3000:]
    left = b"".join(path.read_bytes() for path in state.rglob("*") if path.is_file())
    return b"".join(server.bodies), ran.stdout + ran.stderr + left


def test_the_canary_is_where_it_is_looked_for(server: CaptureServer, tmp_path: Path) -> None:
    """With content on it is in what is sent, and in the spool at each step."""
    sent, said = run_canary(server, tmp_path)
    assert sent.count(CANARY) > 30
    for step in ("inside", "coroutine", "workflow", "ended", "stream", "error", "inference"):
        assert f"LEAK {step}\n".encode() in said, step


OFF = [
    (["plugin"], {}),
    ([], {"TRACELOOP_TRACE_CONTENT": "False"}),
    ([], {"RESPAN_TRACE_CONTENT": "0", "RESPAN_DEBUG": "1"}),  # each trace is printed
    ([], {"RESPAN_TRACE_CONTENT": "NO", "TRACELOOP_TRACE_CONTENT": "true"}),
    (["pipelines"], {"TRACELOOP_TRACE_CONTENT": "off"}),
]


@pytest.mark.parametrize(("arguments", "environment"), OFF)
def test_no_byte_of_content_leaves(server, tmp_path, arguments, environment, generator) -> None:
    sent, said = run_canary(server, tmp_path, *arguments, **environment)
    assert CANARY not in sent and CANARY not in said and b"LEAK" not in said
    names = {span.name for span in server.spans}
    assert {"w.workflow", "t.tool", "g.task", "a.agent", "chat m"} <= names
    chat = next(span for span in server.spans if span.name == "chat m")
    assert chat.attributes["gen_ai.usage.input_tokens"] == 7 and chat.attributes["gen_ai.request.model"] == "m"
    failed = server.span("t.tool")
    assert (failed.status, failed.status_message) == (2, "ValueError")
    assert failed.events == [("exception", {"exception.type": "ValueError"})]


def test_the_plugins_veto_ends_with_it(server, tracing) -> None:
    respan = tracing()
    plugin = HuggingFaceInstrumentor(capture_content="off")
    work = task(name="t")(lambda text: None)
    plugin.activate()
    work("one")
    plugin.deactivate()
    work("two")
    assert respan.flush()
    inputs = [span.attributes.get("traceloop.entity.input") for span in server.spans]
    assert inputs == [None, '{"args":["two"],"kwargs":{}}']


# ---- masks ---------------------------------------------------------------------------------------------------------------


def test_a_mask_sees_all_content(server, tracing) -> None:
    seen = []

    def mask(text: str) -> str:
        seen.append(text)
        return text.replace("secret", "[…]")

    respan = tracing(mask=mask)

    @task(name="t")
    def fails(text: str) -> None:
        raise ValueError("no secret")

    @workflow(name="w")
    def run(text: str) -> str:
        with pytest.raises(ValueError, match="no secret"):
            fails(text)
        client = get_client()
        client.update_current_span(attributes={"gen_ai.input.messages": ["secret"], "other": "secret"})
        client.add_event("e", {"gen_ai.prompt": "secret"})
        return text

    assert run("my secret") == "my secret"
    assert respan.flush()
    inner, outer = server.spans
    assert inner.input == {"args": ["my […]"], "kwargs": {}} and outer.output == "my […]"
    assert inner.status_message == "no […]"
    assert inner.events[0][1]["exception.message"] == "no […]"
    assert "secret" not in inner.events[0][1]["exception.stacktrace"].replace('no secret")', "")
    assert json.loads(outer.attributes["gen_ai.input.messages"]) == ["[…]"]
    assert outer.attributes["other"] == "secret"  # that is none of content
    assert outer.events == [("e", {"gen_ai.prompt": "[…]"})]
    assert all(isinstance(text, str) for text in seen)


@pytest.mark.parametrize("answer", ["raise", None, 5])
def test_where_a_mask_fails_content_is_left_out(server, tracing, answer) -> None:
    def mask(text: str) -> object:
        if answer == "raise":
            raise RuntimeError(text)
        return answer

    respan = tracing(mask=mask)
    assert workflow(name="w")(lambda text: text)("x") == "x"
    with pytest.raises(KeyError):
        workflow(name="f")({}.__getitem__)("x")
    assert respan.flush()
    whole, failed = server.spans
    assert not {"traceloop.entity.input", "traceloop.entity.output"} & set(whole.attributes)
    assert (failed.status_message, failed.events[0][1]) == ("KeyError", {"exception.type": "KeyError"})


def test_a_mask_that_is_traced_itself(server, tracing) -> None:
    @task(name="mask")
    def mask(text: str) -> str:
        return text.upper()

    respan = tracing(mask=mask)
    workflow(name="w")(lambda text: None)("x")
    assert respan.flush()
    assert server.span("w.workflow").attributes["traceloop.entity.input"] == '{"ARGS":["X"],"KWARGS":{}}'
    assert all("traceloop.entity.input" not in span.attributes for span in server.spans if span.name == "mask.task")


def test_a_mask_before_other_reviewers(server, tracing) -> None:
    """And once, though a callback sees the span too."""
    seen = []
    respan = tracing(
        mask=lambda text: text + "!", span_postprocess_callback=lambda span: seen.append(dict(span.attributes))
    )
    workflow(name="w")(lambda: "x")()
    assert respan.flush()
    assert (
        seen[0]["traceloop.entity.output"] == server.span("w.workflow").attributes["traceloop.entity.output"] == '"x"!'
    )


def test_the_plugins_mask(server, tracing, generator) -> None:
    respan = tracing(
        mask=lambda text: text + " B",
        instrumentations=[HuggingFaceInstrumentor(mask=lambda text: text.replace("Tracing", "A"))],
    )
    workflow(name="w")(lambda: generator("Tracing", max_new_tokens=2))()
    assert respan.flush()
    call = next(span for span in server.spans if span.attributes.get("gen_ai.prompt.0.content"))
    assert call.attributes["gen_ai.prompt.0.content"] == "A B"
    assert call.attributes["gen_ai.completion.0.content"].startswith("A")
    assert "Tracing" in server.span("w.workflow").attributes["traceloop.entity.output"]  # not of the plugin


def test_a_mask_must_be_a_function() -> None:
    from respan import Respan

    with pytest.raises(TypeError, match="mask"):
        Respan(mask="x")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="mask"):
        HuggingFaceInstrumentor(mask="x")  # type: ignore[arg-type]


# ---- credentials ---------------------------------------------------------------------------------------------------------


def test_credentials_are_masked_everywhere(server, tracing) -> None:
    respan = tracing()

    @workflow(name="w")
    def run(text: str, password: str) -> str:
        get_client().add_event(text, {"x": text})
        raise ValueError(text)

    with pytest.raises(ValueError, match=TOKEN):
        run(f"ü {TOKEN}", password="hunter2")
    assert respan.flush()
    assert TOKEN.encode() not in server.bodies[0] and b"hunter2" not in server.bodies[0]
    [span] = server.spans
    assert span.input == {"args": ["ü hf_***"], "kwargs": {"password": "***"}}
    assert span.status_message == "ü hf_***"


def test_credentials_are_kept_where_the_environment_says_so(script, server) -> None:
    code = f"from respan import *\nRespan()\nworkflow(name='w')(lambda x: x)('{TOKEN}')"
    assert script(code, RESPAN_MASK_SECRETS="off").returncode == 0
    assert TOKEN in server.span("w.workflow").attributes["traceloop.entity.output"]


EVERYWHERE = f"""
from respan import Respan, get_client, workflow
seen = []
class Exporter:
    def export(self, spans): seen.extend(f"{{s.name}} {{dict(s.attributes)}} {{[(e.name, dict(e.attributes)) for e in s.events]}} "
        f"{{[dict(l.attributes) for l in s.links]}} {{s.status.description}}" for s in spans)
respan = Respan(span_postprocess_callback=lambda span: seen.append(f"{{span.name}} {{dict(span.attributes)}}"))
respan.telemetry.add_processor(Exporter())
token = "{TOKEN}"
from types import SimpleNamespace
to = SimpleNamespace(trace_id="ab" * 16, span_id="cd" * 8, attributes={{"x": token}})
@workflow(name="w", links=[to])
def run(text):
    client = get_client()
    client.add_event(token, {{"x": [token]}})
    client.update_current_span(name=f"n {{token}}", attributes={{"list": ["ä " + token]}})
    raise ValueError(text)
try: run(token)
except ValueError: pass
print(len(seen), *seen)
"""


def test_processors_callbacks_and_the_debug_tree_see_no_credentials(script, server) -> None:
    done = script(EVERYWHERE, RESPAN_DEBUG="1")
    assert done.returncode == 0 and done.stdout.startswith("2 "), done.stderr
    assert TOKEN not in done.stdout + done.stderr and TOKEN.encode() not in server.bodies[0]
    assert done.stdout.count("hf_***") > 8 and "n hf_***" in done.stderr and "ERROR hf_***" in done.stderr
    kept = script(EVERYWHERE, RESPAN_DEBUG="1", RESPAN_MASK_SECRETS="off")
    assert kept.stdout.count(TOKEN) == done.stdout.count("hf_***") and f"ERROR {TOKEN}" in kept.stderr


# ---- log lines -----------------------------------------------------------------------------------------------------------


class Fails:
    """An exporter, an instrumentation, and an argument that do not work, and say what they were given."""

    name = "fails"

    def fail(self, *_: object) -> None:
        raise ValueError(f"canary-7f3a {TOKEN}")

    export = force_flush = shutdown = activate = deactivate = keys = __str__ = fail


@pytest.mark.parametrize("content", ["on", "off"])
def test_log_lines_have_neither_content_nor_credentials(server, tracing, caplog, monkeypatch, content) -> None:
    from respan import _log
    from respan_instrumentation_huggingface import _quietly

    monkeypatch.setenv("RESPAN_TRACE_CONTENT", "false" if content == "off" else "true")
    monkeypatch.setattr(_log, "_said", set())
    caplog.set_level("DEBUG", "respan")
    respan = tracing(instrumentations=[Fails()])
    respan.telemetry.add_processor(Fails(), is_batching_enabled=False)

    @workflow(name="w", links=lambda: Fails().fail())
    def run() -> None:
        client = get_client()
        for _ in range(2):
            assert not client.update_current_span(attributes=Fails())  # type: ignore[arg-type]
            _quietly.quietly(Fails().fail)

    run()
    respan.log_batch_results([], [], trace_id=TOKEN)
    respan.flush()
    respan.telemetry.flush_processors(1)
    respan.telemetry.add_processor(f"no.such.{Fails.name}")
    respan.telemetry.shutdown_processors()
    said = caplog.text
    assert TOKEN not in said
    assert said.count("Tracing a Hugging Face call failed") == 2 and said.count("links= of a span") == 1
    for step in ("switched on", "changed", "given to the processor", "no exporter", "flushed", "shut down", "trace_id"):
        assert step in said, step
    assert said.count("canary-7f3a hf_***") >= 5 if content == "on" else "canary" not in said
