"""Phoenix and MLflow as they come from PyPI, each with a store of its own (SQLite), for bench/server.py."""

import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

from report import environment

ROOT = Path(__file__).resolve().parents[1]
START_S, STORE_S = 300, 120


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


class Peer:
    """A server in a session of its own, with all that it starts. Not asked to tell its makers anything."""

    def __init__(self, home):
        self.home = Path(home)
        self.port = free_port()
        began = time.perf_counter()
        self.process = subprocess.Popen(
            self.command(),
            cwd=home,
            env=environment(home, **self.settings()),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        while not self.answers():
            if time.perf_counter() - began > START_S or self.process.poll() is not None:
                self.stop()
                raise RuntimeError(f"{self.name} does not start")
            time.sleep(0.1)
        self.ready_s = time.perf_counter() - began

    def request(self, method, path, body=None):
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as connection:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read()

    def answers(self):
        try:
            return self.request("GET", self.health)[0] == 200
        except OSError:
            return False

    def stored(self):
        with closing(sqlite3.connect(f"file:{self.home / self.database}?mode=ro", uri=True, timeout=60)) as db:
            return db.execute("SELECT count(*) FROM spans").fetchone()[0]

    def take_in(self, loadgen, spans):
        """Spans a second until all of them are in its database."""
        before, began = self.stored(), time.perf_counter()
        where = ["-p", str(self.port), "-c", "1", "-b", "100", "-n", str(spans)]
        subprocess.run([loadgen, *where, *self.headers], check=True, stdout=subprocess.DEVNULL)
        while self.stored() < before + spans and time.perf_counter() - began < STORE_S:
            time.sleep(0.02)
        return (self.stored() - before) / (time.perf_counter() - began)

    def newest_ms(self):
        took = []
        for _ in range(20):
            began = time.perf_counter()
            status, _ = self.request(*self.newest)
            took.append((time.perf_counter() - began) * 1e3)
            assert status == 200, self.newest
        return sorted(took)[len(took) * 95 // 100]

    def megabytes(self):
        total = 0
        for status in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = status.read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            if int(fields[3]) == self.process.pid:  # its session
                total += int(fields[21]) * os.sysconf("SC_PAGESIZE")
        return total / 1e6

    def stop(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()


class Phoenix(Peer):
    name, health, database, headers = "Phoenix", "/healthz", "phoenix.db", ()
    newest = "GET", "/v1/projects/default/traces?limit=50&sort=start_time&order=desc"
    binary = ROOT / ".venv-phoenix/bin/phoenix"

    def command(self):
        return [self.binary, "serve"]

    def settings(self):
        ports = {"PHOENIX_PORT": str(self.port), "PHOENIX_GRPC_PORT": str(free_port()), "PHOENIX_HOST": "127.0.0.1"}
        return {**ports, "PHOENIX_WORKING_DIR": str(self.home), "PHOENIX_TELEMETRY_ENABLED": "false"}


class MLflow(Peer):
    name, health, database = "MLflow", "/health", "mlflow.db"
    headers = "-H", "x-mlflow-experiment-id: 0"
    newest = (
        "POST",
        "/api/3.0/mlflow/traces/search",
        json.dumps(
            {
                "locations": [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}}],
                "max_results": 50,
                "order_by": ["timestamp_ms DESC"],
            }
        ),
    )
    binary = ROOT / ".venv-mlflow/bin/mlflow"

    def command(self):
        store = ["--backend-store-uri", f"sqlite:///{self.home / self.database}", "--workers", "1"]
        where = ["--host", "127.0.0.1", "--port", str(self.port)]
        return [self.binary, "server", *where, *store, "--default-artifact-root", str(self.home / "artifacts")]

    def settings(self):
        return {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}


PEERS = (Phoenix, MLflow)
