import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from capture import CaptureServer, Span

ROOT = Path(__file__).resolve().parents[2]
# .venv-oldest has its own: its transformers reads nothing that a newer one wrote.
HUGGINGFACE_CACHE = ROOT / ".run" / f"huggingface{Path(sys.prefix).name.removeprefix('.venv')}"
os.environ.update(HF_HOME=str(HUGGINGFACE_CACHE), HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
for name in [name for name in os.environ if name.startswith(("RESPAN_API", "RESPAN_BASE", "TRACELOOP_", "OTEL_"))]:
    del os.environ[name]
os.environ["RESPAN_SPOOL"] = "off"  # tests of the spool give it a folder of their own


@pytest.fixture
def server() -> Iterator[CaptureServer]:
    capture = CaptureServer()
    yield capture
    capture.close()


@pytest.fixture
def tracing(server: CaptureServer) -> Iterator[Callable[..., Any]]:
    """tracing(**options) -> a Respan that sends to `server`; shut down at the end."""
    from respan import Respan, shutdown

    def open_respan(**options: Any) -> Respan:
        return Respan(**{"base_url": server.base_url, "api_key": "test-key", "app_name": "tests", **options})

    yield open_respan
    shutdown(5)


@pytest.fixture
def traced(server: CaptureServer, tracing: Callable[..., Any]) -> Callable[[], list[Span]]:
    """Tracing with no options; traced() flushes and gives the spans."""
    respan = tracing()

    def spans() -> list[Span]:
        assert respan.flush()
        return server.spans

    return spans


@pytest.fixture
def script(server: CaptureServer) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs Python code in a process of its own, which sends to `server` unless told otherwise."""

    return lambda code, **environment: run_python(sys.executable, server, code, environment)


def run_python(
    python: str, server: CaptureServer, code: str, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    given = {**os.environ, "RESPAN_BASE_URL": server.base_url, "RESPAN_API_KEY": "test-key", **environment}
    return subprocess.run(
        [python, "-X", "faulthandler", "-c", code], env=given, capture_output=True, text=True, timeout=120
    )


@pytest.fixture(scope="session")
def generator() -> Any:
    """A real text-generation pipeline with a tiny GPT-2 that generates greedily."""
    subprocess.run([sys.executable, ROOT / "tools" / "make_tiny_model.py", HUGGINGFACE_CACHE], check=True)
    from transformers import pipeline

    made = pipeline("text-generation", model="sshleifer/tiny-gpt2", do_sample=False)
    made.tokenizer.pad_token = made.tokenizer.eos_token  # for batches
    return made


TEMPLATE = """\
{%- for tool in tools or [] %}{{ tool.function.name }}
{% endfor %}
{%- for m in messages %}{{ m.role }}:
{%- if m.content is string %}{{ m.content }}
{%- else %}{% for part in m.content or [] %}{{ part.text if part.type == 'text' else '<image>' }}{% endfor %}{% endif %}
{%- for call in m.tool_calls or [] %}{{ call.function.name }}{% endfor %}
{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}"""


@pytest.fixture
def calls(server: CaptureServer, tracing: Callable[..., Any], generator: Any) -> Callable[[], list[Span]]:
    """calls(): flushes, gives the spans of model calls. That nothing went wrong in tracing is asserted."""
    from respan_instrumentation_huggingface import HuggingFaceInstrumentor

    failures: list[Exception] = []
    respan = tracing(instrumentations=[HuggingFaceInstrumentor(exception_logger=failures.append)])

    def spans() -> list[Span]:
        assert failures == []
        assert respan.flush()
        return [span for span in server.spans if "gen_ai.system" in span.attributes]

    return spans


@pytest.fixture
def chatty(generator: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The same with a chat template, which knows tools and pieces of messages."""
    monkeypatch.setattr(generator.tokenizer, "chat_template", TEMPLATE)
    return generator


@pytest.fixture
def both_ways(tracing: Callable[..., Any], server: CaptureServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """both_ways(*ends) -> a BothWays, which makes calls untraced and traced. On one thread, so that a call costs what it needs."""
    import torch
    from both_ways import BothWays

    respan = tracing(block_instruments=["transformers"])
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with torch.random.fork_rng():
        yield lambda *ends: BothWays(monkeypatch, *ends)
    torch.set_num_threads(threads)
    assert respan.flush() and server.spans


START_WITH_OTEL = """
import asyncio, threading
from respan import Respan, workflow, task, get_client, propagate_attributes
respan = Respan(app_name="tests")
from opentelemetry import context, trace
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, Status, StatusCode, TraceFlags
tracer = trace.get_tracer("my.instrumentation", "1.2")
@task
def step(): return trace.get_current_span().get_span_context()
"""


@pytest.fixture(scope="session")
def otel_python() -> str:
    """The interpreter of .venv-otel: .venv has no OpenTelemetry, so that all other tests run without."""
    made = subprocess.run([ROOT / "tools" / "make_otel_venv"], text=True, capture_output=True, timeout=600)
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


@pytest.fixture
def run_otel(otel_python: str, server: CaptureServer) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs code after START_WITH_OTEL, which must succeed, in a process of its own, since a process has one tracer provider."""

    def run(code: str, start: str = START_WITH_OTEL, **environment: str) -> subprocess.CompletedProcess[str]:
        done = run_python(otel_python, server, start + code, environment)
        assert done.returncode == 0, done.stderr
        return done

    return run
