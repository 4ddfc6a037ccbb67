"""Many clients, slow ones and greedy ones: each gets its turn, and nobody keeps the others out."""

import json
import re
import signal
import socket
import sys
import threading
import time
from pathlib import Path

import pytest
from conftest import BINARY, ROOT, otlp, span

sys.path.append(str(ROOT / "tests" / "fault"))
import faults

SANITIZED = any(mark in BINARY.read_bytes() for mark in (b"__asan_init", b"__tsan_init")) if BINARY.is_file() else False
GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


def connect(server) -> socket.socket:
    return socket.create_connection((server.host, server.port), timeout=20)


def ask(s: socket.socket, request=GET) -> bytes:
    """What comes back until the peer pauses: the status line at least, or nothing if it hung up."""
    try:
        s.sendall(request)
        return s.recv(65536)
    except OSError:
        return b""


def metric(server, name) -> int:
    return int(re.search(rf"^{name} (\d+)$", server.get("/metrics").body.decode(), re.M)[1])


@pytest.fixture(scope="module")
def narrow(start_server):
    """At most 64 connections."""
    return start_server("--connections=64")


def test_idle_clients_make_room(narrow):
    idle = [connect(narrow) for _ in range(200)]
    assert narrow.get("/healthz").status == 200
    assert metric(narrow, "respan_connections_limit") == 64
    assert metric(narrow, "respan_connections") <= 64 + 3  # each HTTP thread may let one in at the same moment
    assert metric(narrow, "respan_evicted_connections_total") >= 136
    assert ask(idle[0]) == b"" and ask(idle[-1]).startswith(b"HTTP/1.1 200")  # the longest idle ones went
    for s in idle:
        s.close()


def test_one_at_work_is_not_idle(narrow):
    worker = connect(narrow)
    head = f"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {narrow.key}\r\nContent-Type: application/json\r\n"
    body = json.dumps(otlp([span("slow")])).encode()
    worker.sendall(head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body[:50])
    time.sleep(0.2)
    idle = [connect(narrow) for _ in range(150)]
    assert narrow.get("/healthz").status == 200
    assert ask(worker, body[50:]).startswith(b"HTTP/1.1 200")
    for s in [worker, *idle]:
        s.close()


def test_headers_byte_by_byte(narrow):
    """As many as there may be send headers that never end; others are served."""
    slow = [connect(narrow) for _ in range(100)]
    stopping = threading.Event()

    def trickle():
        while not stopping.wait(0.02):
            for s in slow:
                try:
                    s.send(b"a")
                except OSError:
                    pass

    for s in slow:
        ask_nothing = b"GET /healthz HTTP/1.1\r\nX-Long: "
        try:
            s.sendall(ask_nothing)
        except OSError:
            pass
    t = threading.Thread(target=trickle)
    t.start()
    try:
        for _ in range(30):
            assert narrow.send([span()]).status == 200
    finally:
        stopping.set()
        t.join()
        for s in slow:
            s.close()


def test_a_client_that_has_no_more_to_say_is_answered(server):
    with connect(server) as s:
        s.sendall(GET)
        s.shutdown(socket.SHUT_WR)
        assert s.recv(65536).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("n", [399, 401, 500, 5000, 15000])
def test_many_query_parameters_are_answered(server, n):
    answer = server.get("/api/traces/list/?" + "&".join(["a"] * n))
    assert answer.status == 400, answer
    assert ("parameters" in answer.json["error"]["message"]) == (n > 400)
    with connect(server) as s:  # and the connection goes on
        request = f"GET /healthz?{'&' * n} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        assert ask(s, request).startswith(b"HTTP/1.1 400" if n > 400 else b"HTTP/1.1 200")
        assert ask(s).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("what", [b"a: b\r\n", b"Cookie: a=b; c=d; e=f\r\n"])
def test_many_headers_are_answered(server, what):
    for n in (1, 10, 100, 300, 1000, 5000):
        if n * len(what) > 200_000:  # it hangs up before it has read as much
            break
        with connect(server) as s:
            got = ask(s, b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + what * n + b"\r\n")
            assert re.match(rb"HTTP/1.[01] (200|400|413|431) ", got), (n, got[:60])


def test_slow_readers_keep_nobody_out(start_server):
    server = start_server()
    text = "some words of a long answer " * 400
    for _ in range(20):
        assert server.send([span(attributes={"text": text}) for _ in range(50)]).status == 200
    request = (
        f"GET /api/spans/list/?page_size=1000 HTTP/1.1\r\nHost: localhost\r\nx-api-key: {server.key}\r\n\r\n".encode()
    )
    slow = [connect(server) for _ in range(12)]
    for s in slow:
        s.sendall(request)
        assert s.recv(100).startswith(b"HTTP/1.1 200")
    for _ in range(20):
        assert server.get("/api/traces/list/").status == 200
        assert server.send([span()]).status == 200
    rest = 0
    while piece := slow[0].recv(1 << 16):
        rest += len(piece)
        if rest > 11_000_000:
            break
    assert rest > 11_000_000
    for s in slow:
        s.close()


def test_stuck_clients_do_not_hold_up_the_end(start_server):
    server = start_server()
    assert server.send([span(attributes={"text": "long " * 2000}) for _ in range(400)]).status == 200
    key = f"Host: localhost\r\nx-api-key: {server.key}\r\n"
    stuck = [connect(server) for _ in range(6)]
    stuck[0].sendall(b"GET /heal")
    stuck[1].sendall(
        f"POST /v1/traces HTTP/1.1\r\n{key}Content-Type: application/json\r\nContent-Length: 900\r\n\r\n{{".encode()
    )
    stuck[2].sendall(f"GET /api/spans/list/?page_size=1000 HTTP/1.1\r\n{key}\r\n".encode())
    stuck[3].shutdown(socket.SHUT_WR)
    stuck[4].sendall(f"GET /api/live/ HTTP/1.1\r\n{key}\r\n".encode())
    time.sleep(0.3)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(120) == 0, server.stderr()
    for s in stuck:
        s.close()


@pytest.mark.skipif(SANITIZED, reason="a sanitizer has a malloc and clock of its own")
def test_a_full_queue_is_a_503(start_server, tmp_path):
    shim = faults.Shim(tmp_path)
    server = start_server("--durability=power", wrapper=shim.wrapper)
    assert server.send([span()]).status == 200
    shim.slow_disk(2)
    texts = ["x" * 9_000_000 + str(n) for n in range(10)]
    batches = [[span(attributes={"text": t})] for t in texts]
    answers = [None] * len(batches)

    def send(n):
        answers[n] = server.send(batches[n])

    threads = [threading.Thread(target=send, args=(n,)) for n in range(len(batches))]
    for t in threads:
        t.start()
    while any(t.is_alive() for t in threads) and not any(a and a.status == 503 for a in answers):
        time.sleep(0.05)
    shim.slow_disk(0)
    for t in threads:
        t.join()
    assert {a.status for a in answers} == {200, 503}, answers
    for batch, answer in zip(batches, answers, strict=True):
        if answer.status == 503:
            assert int(answer.headers["Retry-After"]) >= 1 and "retry" in answer.json["error"]["message"]
            assert server.send(batch).status == 200
    assert {s["spanId"] for b in batches for s in b} <= server.span_ids()


def test_big_bodies_beside_small_ones(server):
    """One client with bodies near the limit, and others with small ones: all are taken."""
    big = json.dumps(otlp([span(attributes={"text": "word " * 4000}) for _ in range(1500)])).encode()
    assert len(big) > 25 << 20
    statuses = []

    def send_big():
        for _ in range(2):
            headers = {"Content-Type": "application/json"}
            statuses.append(server.request("POST", "/v1/traces", big, headers).status)

    def send_small():
        c = server.connect()
        for _ in range(20):
            statuses.append(server.send([span()], connection=c).status)
        c.close()

    threads = [threading.Thread(target=send_big), *(threading.Thread(target=send_small) for _ in range(8))]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert statuses.count(200) == len(statuses) == 162


def test_bodies_are_taken_in_by_threads_of_their_own(server):
    """An HTTP thread, which answers questions as well, is held up by none of some size."""

    def nanoseconds():
        tasks = list(Path(f"/proc/{server.process.pid}/task").iterdir())
        nice = {one: int((one / "stat").read_text().rsplit(")", 1)[1].split()[16]) for one in tasks}
        least = nice[Path(f"/proc/{server.process.pid}/task/{server.process.pid}")]
        apart = [one for one in tasks if nice[one] == least + 3]
        assert len(apart) == 6  # four for bodies, two for passwords
        return sum(int((one / "schedstat").read_text().split()[0]) for one in apart)

    server.send([span()])
    before = nanoseconds()
    assert server.send([span()]).status == 200
    assert nanoseconds() == before
    assert server.send([span() for _ in range(2000)]).status == 200
    assert nanoseconds() > before


def test_lines_as_json(start_server, tmp_path):
    (tmp_path / "credentials").mkdir()
    server = start_server("--log-format=json", "--listen=0.0.0.0:0")
    assert server.send([span(attributes={"secret": "a word that no log has"})]).status == 200
    [line] = server.stderr().splitlines()
    said = json.loads(line)
    assert set(said) == {"time", "message"} and "without TLS" in said["message"]
    assert server.key not in server.stderr() and "a word" not in server.stderr()
