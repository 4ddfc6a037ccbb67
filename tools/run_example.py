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
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESPAN = ROOT / "build" / "respan"
HUGGINGFACE_CACHE = ROOT / ".run" / "huggingface"
PATIENCE_S = 20  # for a trace to be there after its script has ended


def answers(url: str, with_text: bytes = b"", timeout: float = 3) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=timeout) as response:
            return response.read(len(with_text)) == with_text
    except (OSError, HTTPException):
        return False


@contextmanager
def a_server(port: int) -> Iterator[subprocess.Popen[bytes] | None]:
    """`respan serve` from when it is ready to the end of the block; None, and left alone, if one is there already."""
    if answers(f"http://127.0.0.1:{port}/healthz", b"ok\n"):
        print(f"Using the server that is running on port {port}.", flush=True)
        yield None
        return
    listen = ["--listen", f"127.0.0.1:{port}"]
    with subprocess.Popen([RESPAN, "serve", *listen], stdout=subprocess.PIPE, text=True) as server:
        try:
            for line in server.stdout or ():
                print(line, end="", flush=True)
                if line.startswith("Sign in"):  # its last word: it listens, and its key is where the script finds it
                    break
            else:
                sys.exit(server.wait() or 1)  # it has said why
            yield server
        finally:
            server.terminate()


def model_environment(script: Path) -> dict[str, str]:
    """Where the script's model comes from: the hub, or, out of its reach, a tiny one made here."""
    environment = dict(os.environ, TOKENIZERS_PARALLELISM="false", HF_HUB_DISABLE_PROGRESS_BARS="1")
    hub = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    if "sshleifer/tiny-gpt2" in script.read_text() and not answers(
        f"{hub}/sshleifer/tiny-gpt2/resolve/main/config.json"
    ):
        print("The Hugging Face hub is out of reach. ", end="", flush=True)
        made = subprocess.run([sys.executable, ROOT / "tools" / "make_tiny_model.py", HUGGINGFACE_CACHE])
        if made.returncode != 0:
            sys.exit("run: without the hub, a tiny model has to be made, and that failed")
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


def use_its_key() -> None:
    """RESPAN_API_KEY is for a server elsewhere, and the credentials file may be, too: then this one makes a key."""
    os.environ.pop("RESPAN_API_KEY", None)
    if subprocess.run([RESPAN, "traces", "list"], capture_output=True).returncode == 0:
        return
    made = subprocess.run([RESPAN, "keys", "create", "--name", "make run"], stdout=subprocess.PIPE, text=True)
    os.environ["RESPAN_API_KEY"] = made.stdout.strip()


def run_and_show(script: Path, port: int) -> bool:
    """Runs the script and shows its trace; whether there is one."""
    environment = model_environment(script)
    print(f"Running examples/{script.name} ...", flush=True)
    began = datetime.now(UTC)
    status = subprocess.run([sys.executable, script], env=environment).returncode
    if status != 0:
        print(f"run: examples/{script.name} ended with status {status}", file=sys.stderr)
        return False
    trace_id = show_trace(script.stem, began)
    if trace_id is None:
        print(f"run: the trace of {script.stem} did not arrive", file=sys.stderr)
        return False
    page = f"/traces/{trace_id}"
    print(f"\nOn the page:  http://127.0.0.1:{port}{page}", flush=True)
    where = ["--url", f"http://127.0.0.1:{port}", "--next", page]
    link = subprocess.run([RESPAN, "auth", "link", *where], stdout=subprocess.PIPE, text=True).stdout.strip()
    if link:
        print(f"Sign in there: {link}  (works once)", flush=True)
    return True


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

    for number in (signal.SIGINT, signal.SIGTERM):  # either, also in a background job: the server does not outlive this
        signal.signal(number, signal.default_int_handler)
    os.environ["RESPAN_BASE_URL"] = f"http://127.0.0.1:{options.port}/api"
    shown = False
    try:
        with a_server(options.port) as server:
            if server:
                use_its_key()
            shown = run_and_show(script, options.port)
            if server and not options.once:
                print("Serving until Ctrl-C.", flush=True)
                server.wait()
    except KeyboardInterrupt:
        pass
    return 0 if shown else 1


if __name__ == "__main__":
    sys.exit(main())
