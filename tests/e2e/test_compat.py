"""SDKs that are not ours, unmodified from PyPI, against the real server: what they send reads as what ours sends.

They live in .venv-compat (tools/make_compat_venv makes it at the first run).
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MODEL = "sshleifer/tiny-gpt2"
PROMPT = "Tracing Hugging Face pipelines helps"


@pytest.fixture(scope="module")
def python() -> str:
    made = subprocess.run([ROOT / "tools" / "make_compat_venv"], text=True, capture_output=True, timeout=1500)
    assert made.returncode == 0, made.stderr
    return made.stdout.split()[-1]


@pytest.fixture(scope="module")
def hf_home(tmp_path_factory) -> Path:
    """A Hugging Face cache that holds the tiny model, made by .venv's transformers."""
    home = tmp_path_factory.mktemp("hf")
    subprocess.run([sys.executable, ROOT / "tools" / "make_tiny_model.py", home], check=True, timeout=300)
    return home


@pytest.fixture(scope="module")
def run(python, server, hf_home):
    """Runs a script as a stranger's process would: its own interpreter, nothing of ours on its path."""

    def run(script: Path, **environment):
        kept = {k: os.environ[k] for k in ("PATH", "LANG", "TMPDIR") if k in os.environ}
        done = subprocess.run(
            [python, "-I", script],
            capture_output=True,
            timeout=280,
            cwd=server.home,
            env={
                **kept,
                "HOME": str(server.home),
                "HF_HOME": str(hf_home),
                "HF_HUB_OFFLINE": "1",
                "TOKENIZERS_PARALLELISM": "false",
                **environment,
            },
        )
        stderr = done.stderr.decode()
        assert done.returncode == 0, stderr[-3000:]
        assert "Failed to export" not in stderr, stderr[-3000:]
        return done.stdout.decode()  # as written: text mode would change a carriage return that the model came up with

    return run


def newest_trace(server) -> dict:
    listed = server.get("/api/traces/list/?page_size=1")
    assert listed.status == 200 and listed.json["results"], listed
    return server.get(f"/api/traces/{listed.json['results'][0]['trace_unique_id']}/").json


def respan_ai(run, server, script, **environment) -> tuple[str, dict, dict]:
    """Runs a script with PyPI's respan-ai; what it printed, its workflow span and the one child of that."""
    printed = run(script, RESPAN_API_KEY=server.key, RESPAN_BASE_URL=f"{server.base_url}/api", **environment)
    (root,) = newest_trace(server)["span_tree"]
    assert (root["log_type"], root["name"]) == ("workflow", "huggingface_text_generation")
    assert root["span_workflow_name"] == "huggingface_text_generation"
    (child,) = root["children"]
    assert (child["log_type"], child["model"], child["provider"]) == ("text", MODEL, "huggingface")
    assert 0 < child["latency"] <= root["latency"]
    return printed, root, child


def test_the_seed_script_with_respan_ai_of_pypi(run, server):
    printed, root, child = respan_ai(run, server, ROOT / "examples" / "huggingface_text_generation.py")
    assert child["input"] == PROMPT
    assert child["output"].startswith(PROMPT) and child["output"].strip() in printed
    # Upstream counts no tokens: what is shown is an estimate, and says so. With transformers 5 it
    # sends no parameters either.
    assert child["usage_source"] == "estimated"
    assert child["prompt_tokens"] > 0 and child["completion_tokens"] > 0
    assert root["output"][0]["generated_text"] == child["output"]


def test_respan_ai_propagates_attributes_and_keeps_content_out(run, server):
    printed, root, child = respan_ai(
        run, server, HERE / "compat" / "respan_ai_generation.py", TRACELOOP_TRACE_CONTENT="false"
    )
    for span in (root, child):
        assert (span["customer_identifier"], span["thread_identifier"]) == ("user_123", "conv_abc_123")
        assert span["environment"] == "staging"
        assert span["metadata"] == {"service": "compat", "plan": "pro"}
    assert PROMPT in printed
    assert not child["input"] and not child["output"]
    assert (child["prompt_tokens"], child["usage_source"]) == (None, None)


def test_an_opentelemetry_sdk(run, server):
    run(
        HERE / "compat" / "otel_genai.py",
        OTEL_EXPORTER_OTLP_ENDPOINT=server.base_url,
        OTEL_EXPORTER_OTLP_HEADERS=f"Authorization=Bearer {server.key}",
    )
    (root,) = newest_trace(server)["span_tree"]
    assert (root["log_type"], root["name"], root["environment"]) == ("workflow", "answer", "staging")
    text, chat = root["children"]
    assert (text["log_type"], text["model"], text["provider"]) == ("text", MODEL, "huggingface")
    assert (text["input"], text["output"]) == ("Tracing pipelines helps", "find slow steps")
    assert text["parameters"] == {
        "max_tokens": 42,
        "temperature": 0.35,
        "top_p": 0.9,
        "stop_sequences": ["\n\n", "END"],
    }
    assert (text["prompt_tokens"], text["completion_tokens"], text["usage_source"]) == (6, 4, "reported")
    assert (text["customer_identifier"], text["thread_identifier"]) == ("user-42", "conv-7")
    assert chat["log_type"] == "chat" and chat["total_tokens"] == 14
    assert chat["input"] == [
        {"role": "system", "content": "You answer briefly."},
        {"role": "user", "content": "What is a span?"},
    ]
    assert chat["output"] == [{"role": "assistant", "content": "Ein Stück Zeit.", "finish_reason": "stop"}]


@pytest.mark.parametrize("compression", ["gzip", "deflate", "none"])
def test_opentelemetry_compressions(run, server, compression):
    before = len(server.span_ids())
    run(
        HERE / "compat" / "otel_genai.py",
        OTEL_EXPORTER_OTLP_COMPRESSION=compression,
        OTEL_EXPORTER_OTLP_ENDPOINT=server.base_url,
        OTEL_EXPORTER_OTLP_HEADERS=f"x-api-key={server.key}",
    )
    assert len(server.span_ids()) == before + 3
