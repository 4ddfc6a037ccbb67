"""What was acknowledged is there, whatever happens: kill -9, a stop under load, a full disk."""

import os
import shutil
import subprocess
import threading
import time

import pytest
from conftest import BINARY, Server, span


class Senders:
    """Threads that post until told to stop or refused; `acknowledged` holds the ids of spans answered with 200."""

    def __init__(self, server, threads=4, size=20):
        self.server, self.size = server, size
        self.acknowledged, self.statuses, self.stopping = [], set(), threading.Event()
        self.threads = [threading.Thread(target=self._run) for _ in range(threads)]
        for t in self.threads:
            t.start()

    def _run(self):
        c = self.server.connect()
        while not self.stopping.is_set():
            spans = [span() for _ in range(self.size)]
            try:
                answer = self.server.send(spans, connection=c)
            except OSError:
                break
            except Exception:  # http.client: the answer was cut off
                break
            self.statuses.add(answer.status)
            if answer.status != 200:
                break
            self.acknowledged.extend(s["spanId"] for s in spans)
        c.close()

    def wait_for(self, count):
        while len(self.acknowledged) < count and any(t.is_alive() for t in self.threads):
            time.sleep(0.01)
        assert len(self.acknowledged) >= count, f"the senders ended: {self.statuses}"

    def stop(self):
        self.stopping.set()
        for t in self.threads:
            t.join()


@pytest.mark.parametrize("size", [20, 250])
def test_kill_9_keeps_what_was_acknowledged(start_server, size):
    server = start_server()
    acknowledged = []
    for round_ in range(3):
        senders = Senders(server, size=size)
        senders.wait_for((1 + 20 * round_) * size)
        server.kill()
        senders.stop()
        acknowledged += senders.acknowledged
        server.start()
        missing = set(acknowledged) - server.span_ids()
        assert not missing, f"{len(missing)} of {len(acknowledged)} lost"
        whole = subprocess.run([BINARY, "check"], env=server.environment, text=True, capture_output=True)
        assert whole.returncode == 0, whole.stderr


def test_stop_under_load_loses_nothing(start_server):
    server = start_server()
    senders = Senders(server)
    senders.wait_for(1000)
    assert server.stop() == 0, server.stderr()
    senders.stop()
    assert senders.statuses <= {200, 503}
    server.start()
    assert set(senders.acknowledged) <= server.span_ids()


def test_nothing_is_acknowledged_into_a_removed_folder(start_server):
    server = start_server()
    assert server.send([span()]).status == 200
    shutil.rmtree(server.data)
    answer = server.send([span()])
    assert answer.status == 503 and "removed" in answer.json["error"]["message"]
    assert server.get("/healthz").status == 200


@pytest.fixture
def small_disk(tmp_path):
    """A 16 MB file system of its own; needs root."""
    mount = tmp_path / "disk"
    mount.mkdir()
    if (
        os.geteuid() != 0
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", mount], capture_output=True).returncode
    ):
        pytest.skip("cannot mount a small file system here")
    yield mount
    subprocess.run(["umount", "-l", mount], check=True)


def test_full_disk(small_disk, tmp_path, binary):
    server = Server(tmp_path, "--data", str(small_disk / "respan")).start()
    try:
        first = span()
        assert server.send([first]).status == 200
        ballast = small_disk / "ballast"
        room = shutil.disk_usage(small_disk).free - (256 << 10)
        ballast.write_bytes(os.urandom(room))
        for _ in range(200):
            answer = server.send([span(attributes={"noise": os.urandom(20_000).hex()})])
            if answer.status != 200:
                break
        assert answer.status == 503 and int(answer.headers["Retry-After"]) >= 1, answer
        assert answer.json["error"]["code"] == "unavailable"
        assert "no room" in answer.json["error"]["message"] or "No space" in answer.json["error"]["message"]
        assert server.get(f"/api/traces/{first['traceId']}/").status == 200
        assert server.get("/api/traces/list/").status == 200
        refused = span(attributes={"noise": os.urandom(300_000).hex()})
        assert server.send([refused]).status == 503
        not_ready = server.get("/readyz", key=False)
        assert not_ready.status == 503 and "disk is full" in not_ready.json["error"]["message"]
        ballast.unlink()
        last = span()
        assert server.send([last]).status == 200
        assert server.get("/readyz", key=False).status == 200
        ids = server.span_ids()
        assert first["spanId"] in ids and last["spanId"] in ids and refused["spanId"] not in ids
    finally:
        assert server.stop() == 0, server.stderr()
    server.start()
    try:
        assert {first["spanId"], last["spanId"]} <= server.span_ids()
    finally:
        server.stop()
