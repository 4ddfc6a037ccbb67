"""Backups: under load, of a stopped server, and back."""

import shutil
import subprocess
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

from conftest import BINARY, span


def respan(server, *arguments):
    return subprocess.run(
        [str(BINARY), *arguments], env=server.environment, text=True, capture_output=True, timeout=300
    )


def served_from(start_server, tmp_path, source, how):
    """A server of its own whose data came from the backup."""
    data = tmp_path / "data" / "respan"
    if how == "restore":
        got = subprocess.run([BINARY, "restore", source, "--data", data], text=True, capture_output=True)
        assert got.returncode == 0 and got.stdout.endswith("read again, all whole\n"), got.stderr
    else:
        data.parent.mkdir(parents=True)
        shutil.copytree(source, data)
    return start_server(home=tmp_path)


def test_under_load(start_server, tmp_path):
    """While senders send, partitions are rewritten and traces deleted."""
    server = start_server()
    acknowledged, stopping = [], threading.Event()

    def send():
        connection = server.connect()
        while not stopping.is_set():
            spans = [span() for _ in range(50)]
            assert server.send(spans, connection=connection).status == 200
            acknowledged.extend(s["spanId"] for s in spans)
        connection.close()

    def rewrite():
        while not stopping.is_set():
            assert server.command("compact").returncode == 0

    def wait_for_more(than):
        while len(acknowledged) <= than and not any(thread.done() for thread in threads):
            time.sleep(0.01)

    gone = uuid.uuid4().hex
    assert server.send([span(trace_id=gone)]).status == 200
    backups = []
    with ThreadPoolExecutor(3) as pool:
        threads = [pool.submit(f) for f in (send, send, rewrite)]
        try:
            for i in range(3):
                wait_for_more(len(backups[-1]) if backups else 0)
                if i == 1:
                    assert server.request("DELETE", f"/api/traces/{gone}/").status == 200
                before = set(acknowledged)
                made = respan(server, "backup", str(tmp_path / f"backup{i}"))
                assert made.returncode == 0 and not made.stderr and made.stdout.endswith("read again, all whole\n"), (
                    made
                )
                backups.append(before)
        finally:
            stopping.set()
        for thread in threads:
            thread.result()
    assert len(backups[2]) > len(backups[0]) > 0
    for i, how in [(0, "restore"), (2, "copy")]:
        copy = served_from(start_server, tmp_path / f"home{i}", tmp_path / f"backup{i}", how)
        missing = backups[i] - copy.span_ids()
        assert not missing, f"{len(missing)} of {len(backups[i])} are missing"
        assert copy.get(f"/api/traces/{gone}/").status == (200 if i == 0 else 404)
        assert copy.get("/api/session/", key=server.key).status == 200  # keys are in it
        assert copy.send([span()]).status == 200
        assert copy.command("check").returncode == 0


def test_nothing_is_written_over(start_server, tmp_path):
    server = start_server()
    assert server.send([span()]).status == 200
    server.stop()
    backup = tmp_path / "backup"
    backup.mkdir()
    assert respan(server, "backup", str(backup)).returncode == 0  # without a server; an empty folder will do
    for arguments in [("backup", str(backup)), ("restore", str(backup))]:
        refused = respan(server, *arguments)
        assert refused.returncode == 1 and "is not empty" in refused.stderr
    assert respan(server, "restore", str(backup), "--data", str(tmp_path / "new")).returncode == 0
    (backup / "projects").rename(backup / "projects.new")  # as of a backup that did not come to its end
    broken = respan(server, "restore", str(backup), "--data", str(tmp_path / "other"))
    assert broken.returncode == 1 and "no whole backup" in broken.stderr
    assert respan(server, "backup", str(tmp_path / "x"), "--data", str(tmp_path / "nothing")).returncode == 1
    for wrong in [["backup"], ["restore"], ["backup", "a", "b"], ["backup", "a", "--nonsense"]]:
        assert respan(server, *wrong).returncode == 2


def test_a_damaged_store_is_copied_and_told(start_server, tmp_path):
    server = start_server()
    assert server.send([span() for _ in range(10)]).status == 200
    server.stop()
    [segment] = server.data.glob("projects/*/p000001/segment")
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 1
    segment.write_bytes(content)
    told = respan(server, "backup", str(tmp_path / "backup"))
    assert told.returncode == 1 and "checksum" in told.stderr and "not all of it is whole" in told.stdout
