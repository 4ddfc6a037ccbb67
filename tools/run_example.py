#!/usr/bin/env python3
"""make run: serves, runs one example, shows its trace in the terminal and says where the page is.

usage: run_example.py [--once] [--port PORT] [EXAMPLE]

EXAMPLE is a file of examples/ without .py; its workflow has the same name. A server that is already running on the
port is used as it is. With --once everything stops after the trace was shown, and the exit status is 0 only if it was.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESPAN = ROOT / "build" / "respan"
HUGGINGFACE_CACHE = ROOT / ".run" / "huggingface"
PATIENCE_S = 20  # for the server to be ready, and for a trace to be there after its script has ended


def answers(url: str, timeout: float = 3.0) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=timeout):
            return True
    except OSError:
        return False


def start_server(port: int) -> subprocess.Popen[bytes] | None:
    """Starts `respan serve` and returns when it answers; None if one is already there."""
    health = f"http://127.0.0.1:{port}/healthz"
    if answers(health):
        print(f"Using the server that is running on port {port}.", flush=True)
        return None
    server = subprocess.Popen([RESPAN, "serve", "--listen", f"127.0.0.1:{port}"])
    deadline = time.monotonic() + PATIENCE_S
    while not answers(health):
        if server.poll() is not None:
            sys.exit(server.returncode or 1)  # it has said why
        if time.monotonic() > deadline:
            server.kill()
            sys.exit(f"run: no answer from {health} within {PATIENCE_S} s")
        time.sleep(0.02)
    return server


def model_environment(script: Path) -> dict[str, str]:
    """Where the script's model comes from: the hub, or, out of its reach, a tiny one made here."""
    environment = dict(os.environ, TOKENIZERS_PARALLELISM="false", HF_HUB_DISABLE_PROGRESS_BARS="1")
    hub = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    if "sshleifer/tiny-gpt2" in script.read_text() and not answers(
        f"{hub}/sshleifer/tiny-gpt2/resolve/main/config.json"
    ):
        print("The Hugging Face hub is out of reach. ", end="", flush=True)
        subprocess.run([sys.executable, ROOT / "tools" / "make_tiny_model.py", HUGGINGFACE_CACHE], check=True)
        environment |= {"HF_HOME": str(HUGGINGFACE_CACHE), "HF_HUB_OFFLINE": "1"}
    return environment


def show_trace(name: str, since: datetime) -> str | None:
    """Prints the trace named `name` that began after `since`; its id, or None if it did not come or holds no model call."""
    wait = [RESPAN, "traces", "wait", "--name", name, "--since", since.isoformat(), "--timeout", str(PATIENCE_S)]
    found = subprocess.run(wait, stdout=subprocess.PIPE, text=True)
    trace_id = found.stdout.strip()
    if found.returncode != 0 or not trace_id:
        return None
    print(flush=True)
    shown = subprocess.run([RESPAN, "traces", "get", trace_id])
    trace = json.loads(subprocess.run([RESPAN, "traces", "get", trace_id, "--json"], stdout=subprocess.PIPE).stdout)
    return trace_id if shown.returncode == 0 and trace["llm_call_count"] > 0 else None


def main() -> int:
    arguments = argparse.ArgumentParser(usage=__doc__.strip().splitlines()[2].removeprefix("usage: "))
    arguments.add_argument("--once", action="store_true")
    arguments.add_argument("--port", type=int, default=8460)
    arguments.add_argument("example", nargs="?", default="huggingface_text_generation")
    options = arguments.parse_args()
    script = ROOT / "examples" / f"{options.example}.py"
    if not script.is_file():
        known = ", ".join(sorted(p.stem for p in script.parent.glob("*.py")))
        arguments.error(f"there is no {script.relative_to(ROOT)}; there are: {known}")

    server = start_server(options.port)
    trace_id = None
    try:
        environment = model_environment(script)
        print(f"Running examples/{script.name} ...", flush=True)
        began = datetime.now(UTC)
        subprocess.run([sys.executable, script], env=environment, check=True)
        trace_id = show_trace(options.example, began)
        if trace_id is None:
            print(f"run: the trace of {options.example} did not arrive", file=sys.stderr)
        else:
            page = f"/traces/{trace_id}"
            link = subprocess.run(
                [RESPAN, "auth", "link", "--next", page], stdout=subprocess.PIPE, text=True
            ).stdout.strip()
            print(
                f"\nOn the page:  http://127.0.0.1:{options.port}{page}\nSign in there: {link}  (works once)",
                flush=True,
            )
        if server and not options.once:
            print("Serving until Ctrl-C.", flush=True)
            server.wait()
    except subprocess.CalledProcessError as failure:
        print(f"run: examples/{script.name} ended with status {failure.returncode}", file=sys.stderr)
    except KeyboardInterrupt:
        pass
    finally:
        if server and server.poll() is None:
            server.send_signal(signal.SIGTERM)
            server.wait()
    return 0 if trace_id else 1


if __name__ == "__main__":
    sys.exit(main())
