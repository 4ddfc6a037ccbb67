"""HTTP itself: methods, hosts, limits, broken and slow peers. After each the server goes on."""

import gzip
import os
import re
import socket
import subprocess
import threading
import time

import pytest
from conftest import span


@pytest.fixture(autouse=True)
def lives_on(server):
    yield
    answer = server.get("/healthz", key=False)
    assert (answer.status, answer.body) == (200, b"ok\n"), server.stderr()


def raw(server, data: bytes, half_close=False, timeout=20) -> bytes:
    """Sends bytes as they are; what comes back until the server closes or is done with one response.

    Half-closed after an unfinished request, a socket may be kept until its idle timeout: then nothing comes back in time."""
    with socket.create_connection((server.host, server.port), timeout=timeout) as s:
        s.sendall(data)
        if half_close:
            s.shutdown(socket.SHUT_WR)
            s.settimeout(0.5)
        return read_response(s)


def read_response(s) -> bytes:
    answer = b""
    while True:
        try:
            piece = s.recv(65536)
        except (ConnectionResetError, TimeoutError):
            return answer
        if not piece:
            return answer
        answer += piece
        head, mark, body = answer.partition(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d+)", head)
        if mark and length and len(body) >= int(length[1]):
            return answer


def test_health_needs_nothing(server):
    answer = server.get("/healthz", key=False)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_unknown_paths(server):
    for path in (
        "/api/nothing/",
        "/api/",
        "/v1/nothing",
        "/assets/nothing.js",
        "/nothing.txt",
        "/a/b/c",
        "/index.html",
        "/builtin/not-built.html",
        "/..%2f..%2fetc/passwd",
        "/assets/../../etc/passwd",
        "/traces/",
    ):
        answer = server.get(path)
        assert answer.status in (401, 404), (path, answer)
        assert b"root:" not in answer.body
    error = server.get("/api/nothing/").json["error"]
    assert error["code"] == "not_found" and error["field"] is None and error["message"]


def test_wrong_methods_say_which(server):
    for method, path, allow in (
        ("GET", "/v1/traces", "POST"),
        ("PUT", "/api/v2/traces", "POST"),
        ("DELETE", "/healthz", "GET, HEAD"),
        ("POST", "/", "GET, HEAD"),
        ("GET", "/logout", "POST"),
        ("POST", "/login", "GET, HEAD"),
        ("PATCH", "/api/traces/list/", "GET, HEAD, POST"),
        ("OPTIONS", "/api/spans/list/", None),
        ("BREW", "/healthz", "GET, HEAD"),
    ):
        answer = server.request(method, path)
        assert answer.status == 405, (method, path, answer)
        assert allow is None or answer.headers["Allow"] == allow
        assert answer.json["error"]["code"] == "method_not_allowed"


def test_head_is_get_without_body(server):
    for path in ("/healthz", "/", "/api/traces/list/"):
        whole, head = server.get(path), server.request("HEAD", path)
        assert head.status == whole.status and head.body == b""
        assert head.headers["Content-Length"] == whole.headers["Content-Length"]


def test_a_last_slash_makes_no_difference(server):
    assert server.get("/api/traces/list").status == 200
    assert server.get("/healthz/").status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8460", "127.0.0.1.evil.example", "localhost.evil.example", "x" * 300]
)
def test_rebound_names_are_refused(server, host):
    for path in ("/", "/api/traces/list/", "/healthz", "/login?token=x"):
        answer = server.get(path, headers={"Host": host})
        assert answer.status == 403 and answer.json["error"]["field"] == "Host"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:8460", "192.168.0.7:80"])
def test_own_names_are_served(server, host):
    assert server.get("/healthz", headers={"Host": host}).status == 200


def test_a_further_name_can_be_allowed(start_server):
    server = start_server("--host", "traces.example")
    assert server.get("/healthz", headers={"Host": "traces.example:80"}).status == 200
    assert server.get("/healthz", headers={"Host": "other.example"}).status == 403


def test_one_connection_goes_on_after_refusals(server):
    c = server.connect()
    c.connect()
    own_port = c.sock.getsockname()[1]
    json_type = {"Content-Type": "application/json"}
    for method, path, body, headers, key, status in (
        ("GET", "/api/nothing/", None, {}, True, 404),
        ("DELETE", "/v1/traces", None, {}, True, 405),
        ("POST", "/v1/traces", b"x" * 300000, json_type, False, 401),
        ("POST", "/v1/traces", b"{" * 1000, json_type, True, 400),
        ("POST", "/v1/traces", b"hello", {"Content-Type": "text/plain"}, True, 415),
        ("POST", "/api/traces/list/", b"x" * (2 << 20), json_type, True, 413),
        ("POST", "/v1/traces", b"{}", {**json_type, "Host": "evil.example"}, True, 403),
        ("GET", "/healthz", None, {}, False, 200),
    ):
        answer = server.request(method, path, body, headers, key=key, connection=c)
        assert answer.status == status, (method, path, answer)
        assert c.sock and c.sock.getsockname()[1] == own_port, (method, path)
    c.close()


def test_chunked_bodies(server):
    pieces = [b'{"resource', b'Spans":', b"[]}"]
    headers = {"Content-Type": "application/json"}
    c = server.connect()
    c.request(
        "POST", "/v1/traces", iter(pieces), {**headers, "Authorization": f"Bearer {server.key}"}, encode_chunked=True
    )
    assert c.getresponse().status == 200
    c.close()


def test_too_long_a_chunked_body(start_server):
    server = start_server("--max-body", "1")
    for total, status in ((3 << 20, b"413"), (64 << 20, b"")):  # discarded and answered; or not worth it: closed
        with socket.create_connection((server.host, server.port), timeout=20) as s:
            s.sendall(
                (
                    f"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.key}\r\n"
                    "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
                ).encode()
            )
            try:
                for _ in range(total >> 16):
                    s.sendall(b"10000\r\n" + b" " * 65536 + b"\r\n")
                s.sendall(b"0\r\n\r\n")
            except (BrokenPipeError, ConnectionResetError):
                assert status == b""
            assert status in read_response(s)


def test_a_declared_giant_is_refused_at_once(server):
    head = (
        f"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.key}\r\n"
        "Content-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n"
    ).encode()
    started = time.monotonic()
    assert b" 413 " in raw(server, head)
    assert time.monotonic() - started < 5


def test_whoever_asks_first_is_told_before_he_sends(server):
    for length, key, status in ((100 << 20, server.key, b" 413 "), (10, "wrong", b" 401 ")):
        head = (
            f"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {length}\r\nExpect: 100-continue\r\n\r\n"
        ).encode()
        assert status in raw(server, head)
    head = (
        f"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.key}\r\nContent-Type: application/json\r\n"
        "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    ).encode()
    with socket.create_connection((server.host, server.port), timeout=20) as s:
        s.sendall(head)
        assert b"100 Continue" in s.recv(1000)
        s.sendall(b"{}")
        assert b" 200 " in read_response(s)


def test_huge_headers(server):
    for data in (
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n" + b"".join(b"X%d: y\r\n" % i for i in range(20_000)) + b"\r\n",
        b"GET /healthz?" + b"&".join(b"a%d=b" % i for i in range(3000)) + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ):
        try:
            answer = raw(server, data, timeout=1)
        except (BrokenPipeError, ConnectionResetError):
            continue
        assert b" 200 " not in answer[:20], answer[:200]


def test_garbage(server):
    for data in (
        b"\x00" * 1000,
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(500),
        b"GET\r\n\r\n",
        b"\r\n" * 100,
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET  HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
        b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Length: 18446744073709551617\r\n\r\n",
        b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n\r\n",
        b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n\r\n",
    ):
        answer = raw(server, data, half_close=True)
        assert b" 200 " not in answer[:20], (data[:60], answer[:200])


@pytest.mark.parametrize(
    "headers",
    [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Content-Length: 5\r\nContent-Length: 5",
        "Content-Length: 5\r\nContent-Length: 0",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Content-Length: 5\r\nHost: elsewhere",
    ],
)
def test_no_request_is_smuggled_behind_a_body(server, headers):
    """What two readers could take for different requests is refused, and what follows is not read as a request."""
    data = (
        f"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.key}\r\nContent-Type: application/json\r\n"
        f"{headers}\r\n\r\n0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    ).encode()
    with socket.create_connection((server.host, server.port), timeout=5) as s:
        s.sendall(data)
        answer = b""
        try:
            while piece := s.recv(65536):
                answer += piece
        except ConnectionResetError:  # closed with input unread
            pass
    assert b" 400 " in answer and answer.count(b"HTTP/1.1 ") == 1


def test_half_closed_sockets(server):
    request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    raw(server, request, half_close=True)  # an answer is welcome, not owed
    for cut in (1, 10, len(request) - 2):
        raw(server, request[:cut], half_close=True)
    body = (
        f"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.key}\r\n"
        "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
    ).encode()
    assert b" 200 " not in raw(server, body, half_close=True)


def test_peers_that_hang_up_while_answered(server):
    for _ in range(50):
        s = socket.create_connection((server.host, server.port))
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" * 20)
        s.close()


def test_pipelined_requests_are_answered_in_order(server):
    request = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with socket.create_connection((server.host, server.port), timeout=10) as s:
        s.sendall(request * 10 + request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        answer = b""
        while piece := s.recv(65536):
            answer += piece
    assert answer.count(b"ok\n") == 11


def test_slow_clients_do_not_keep_others_out(server):
    slow = [socket.create_connection((server.host, server.port)) for _ in range(100)]
    try:
        for i, s in enumerate(slow):
            s.sendall(
                b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{"
                if i % 2
                else b"GET /hea"
            )
        started = time.monotonic()
        for _ in range(20):
            assert server.get("/healthz", key=False).status == 200
        assert time.monotonic() - started < 5
    finally:
        for s in slow:
            s.close()


def test_readers_that_never_read_hold_only_so_much(start_server):
    server = start_server()
    large = span(attributes={"gen_ai.prompt.0.content": "y" * (20 << 20)})
    assert server.send([large]).status == 200
    request = (
        f"GET /api/spans/{large['spanId']}/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.key}\r\n\r\n"
    )
    readers = [socket.create_connection((server.host, server.port), timeout=60) for _ in range(14)]
    try:
        for s in readers:
            s.sendall(request.encode())
        statuses = [s.recv(12)[-3:] for s in readers]  # each has its answer, and none has taken it
        assert set(statuses) == {b"200", b"503"}
        assert server.get("/api/session/").status == 200 and server.send([span()]).status == 200
    finally:
        for s in readers:
            s.close()


def test_more_connections_than_are_let_in(server):
    held = []
    try:
        for _ in range(600):
            try:
                held.append(socket.create_connection((server.host, server.port), timeout=2))
            except OSError:
                break
    finally:
        for s in held:
            s.close()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:  # the server notices closed peers on its own time
        try:
            if server.get("/healthz", key=False).status == 200:
                return
        except OSError:
            time.sleep(0.05)
    pytest.fail("no connection is let in any more")


def test_many_clients_at_once(server):
    failures = []

    def work():
        c = server.connect()
        try:
            for _ in range(50):
                answer = server.get("/api/traces/list/", connection=c)
                if answer.status != 200:
                    failures.append(answer)
        finally:
            c.close()

    threads = [threading.Thread(target=work) for _ in range(16)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failures


# ---- the embedded page


def test_builtin_style_is_served_to_anyone(server):
    answer = server.get("/builtin.css", key=False)
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/css")


def test_static_files_are_packed_and_revalidated(server):
    plain = server.get("/builtin.css", key=False)
    packed = server.get("/builtin.css", key=False, headers={"Accept-Encoding": "br, gzip"})
    assert packed.headers["Content-Encoding"] == "gzip" and gzip.decompress(packed.body) == plain.body
    assert packed.headers["Vary"] == "Accept-Encoding"
    again = server.get("/builtin.css", key=False, headers={"If-None-Match": plain.headers["ETag"]})
    assert again.status == 304 and again.body == b""
    assert plain.headers["Cache-Control"] == "no-cache"


def test_the_page_is_for_the_signed_in(server):
    cookie = server.sign_in()
    for path in ("/", "/traces/0123", "/settings"):
        answer = server.get(path, key=False, headers={"Cookie": cookie})
        assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/html")
        assert answer.headers["Content-Security-Policy"] == (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
            "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        )
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert b"respan auth link" not in answer.body


# ---- start and stop


def test_a_taken_port_is_one_clear_line(server, tmp_path):
    done = server.command("serve", "--listen", f"127.0.0.1:{server.port}", "--data", str(tmp_path / "d"))
    assert done.returncode == 1 and done.stdout == ""
    assert len(done.stderr.splitlines()) == 1 and "taken" in done.stderr and "--listen" in done.stderr
    assert not (tmp_path / "d").exists()


def test_data_in_use_is_one_clear_line(server):
    done = server.command("serve", "--listen", "127.0.0.1:0", "--data", str(server.data))
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1, done


def test_a_network_address_is_warned_about(start_server):
    server = start_server()
    server.stop()
    server.listen = "0.0.0.0:0"
    server.start()
    assert "without TLS" in server.stderr()
    assert server.get("/healthz").status == 200


def test_ipv6(start_server, tmp_path):
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("no IPv6 here")
    server = start_server()
    server.stop()
    server.listen = "[::1]:0"
    server.start()
    assert server.base_url.startswith("http://[::1]:")
    assert server.get("/healthz").status == 200


def test_stops_in_time_whatever_clients_do(start_server):
    server = start_server()
    held = [socket.create_connection((server.host, server.port)) for _ in range(20)]
    for i, s in enumerate(held):
        s.sendall(
            b"POST /v1/traces HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{" if i % 2 else b"GET /"
        )
    started = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - started < 10
    for s in held:
        s.close()


def test_stop_while_idle_is_quick(start_server):
    server = start_server()
    c = server.connect()
    assert server.get("/healthz", connection=c).status == 200
    started = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - started < 2
    c.close()


def test_otlp_port(start_server):
    with socket.socket() as s:
        if s.connect_ex(("127.0.0.1", 4318)) == 0:
            pytest.skip("something listens on 4318 already")
    server = start_server("--otlp")
    code = subprocess.run(
        [
            "curl",
            "-s",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code}",
            "-d",
            "{}",
            "-H",
            "Content-Type: application/json",
            "-H",
            f"x-api-key: {server.key}",
            "http://127.0.0.1:4318/v1/traces",
        ],
        capture_output=True,
        text=True,
    )
    assert code.stdout == "200"
