"""The live feed of docs/http-api.md against the real server: who listens is told, whoever does not read is no burden."""

import json
import re
import socket
import time
import uuid
from pathlib import Path

import pytest
from conftest import span
from traces import assert_refused

WAIT_S = 20


class Listener:
    """A connection to /api/live/ and the events that came."""

    def __init__(self, server, query="", last=None, receive=None, key=None, headers=""):
        self.socket = socket.socket()
        if receive:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        self.socket.connect((server.host, server.port))
        self.socket.settimeout(WAIT_S)
        if last is not None:
            headers += f"Last-Event-ID: {last}\r\n"
        if "Cookie" not in headers:
            headers += f"x-api-key: {key or server.key}\r\n"
        self.socket.sendall(f"GET /api/live/?{query} HTTP/1.0\r\nHost: {server.host}\r\n{headers}\r\n".encode())
        self.text, self.ended = b"", False
        while b"\r\n\r\n" not in self.text:
            self.receive()
        self.head, _, self.text = self.text.partition(b"\r\n\r\n")

    def receive(self):
        piece = self.socket.recv(1 << 20)
        self.ended = not piece
        self.text += piece

    def next(self):
        """The next event: (name, id, data)."""
        while True:
            while b"\n\n" not in self.text:
                assert not self.ended
                self.receive()
            event, _, self.text = self.text.partition(b"\n\n")
            fields = dict(line.split(": ", 1) for line in event.decode().splitlines() if not line.startswith(":"))
            if "event" in fields:
                return fields["event"], int(fields.get("id", -1)), json.loads(fields["data"])

    def until(self, wanted):
        """Events up to the first that wanted(name, data) holds for."""
        events = []
        while not events or not wanted(events[-1][0], events[-1][2]):
            events.append(self.next())
        return events

    def close(self):
        self.socket.close()


@pytest.fixture
def listen(server):
    made = []

    def listen(*a, **kw):
        made.append(Listener(server, *a, **kw))
        return made[-1]

    yield listen
    for each in made:
        each.close()


def row(server, name):
    return server.get(f"/api/traces/list/?name={name}").json["results"][0]


def test_new_and_growing_traces(server, listen):
    live = listen()
    assert b"200" in live.head and b"text/event-stream" in live.head
    assert live.next()[0] == "ready"
    root = span("first")
    assert server.send([root]).status == 200
    assert live.next()[2] == row(server, "first")
    child = span("child", root["traceId"], root["spanId"])
    assert server.send([child]).status == 200
    name, _, data = live.next()
    assert name == "trace" and data["span_count"] == 2 and data == row(server, "first")


def test_filters_and_content(server, listen):
    chosen = listen("environment=blue&content=false")
    by_span = listen("q=span(name:inner)")
    everything = listen()
    for live in chosen, by_span, everything:
        assert live.next()[0] == "ready"
    red, blue = (
        span("red", attributes={"respan.environment": "red"}),
        span("blue", attributes={"respan.environment": "blue"}),
    )
    assert server.send([red]).status == 200
    assert server.send([blue, span("inner", blue["traceId"], blue["spanId"])]).status == 200
    data = chosen.next()[2]
    assert data["name"] == "blue" and "input" not in data
    assert by_span.next()[2]["name"] == "blue"
    assert {e[2]["name"] for e in (everything.next(), everything.next())} == {"red", "blue"}


def test_what_was_deleted_is_told_after_what_was_said_of_it(server, listen):
    live = listen("name=one")
    live.next()
    one, two = span("one"), span("two", attributes={"respan.customer_params.customer_identifier": "leaves"})
    assert server.send([one]).status == 200
    assert server.send([two]).status == 200
    assert live.next()[2]["name"] == "one"
    assert server.request("DELETE", f"/api/traces/{one['traceId']}/").status == 200
    name, _, data = live.next()
    assert (name, data) == ("gone", {"trace_unique_id": one["traceId"]})
    # Several at once; one that was never there is not.
    body = json.dumps({"ids": [two["traceId"], "0" * 32]}).encode()
    assert server.request("POST", "/api/traces/delete/", body).status == 200
    gone = {live.next()[2]["trace_unique_id"] for _ in range(2)}
    assert gone == {two["traceId"], "0" * 32}


def test_a_trace_that_grows_fast_is_told_of_now_and_then(server, listen):
    live = listen()
    live.next()
    root = span("busy")
    began = time.monotonic()
    assert server.send([root]).status == 200
    for i in range(100):
        assert server.send([span(f"b{i}", root["traceId"], root["spanId"])]).status == 200
    took = time.monotonic() - began
    events = live.until(lambda name, data: data.get("span_count") == 101)
    assert len(events) <= took / 0.25 + 3


def test_who_comes_back_is_told_what_it_missed(server, listen):
    live = listen()
    live.next()
    assert server.send([span("before")]).status == 200
    _, last, _ = live.next()
    live.close()
    names = [f"missed{i}" for i in range(5)]
    for name in names:
        assert server.send([span(name)]).status == 200
    again = listen(last=last)
    events = again.until(lambda name, data: name == "ready")
    told = [data["name"] for name, _, data in events if name == "trace"]
    assert told[-5:] == names and set(told) <= {"before", *names}
    assert events[-1][1] > last
    assert server.send([span("after")]).status == 200
    assert again.until(lambda name, data: data.get("name") == "after")


def test_too_much_to_tell(server, listen):
    live = listen()
    _, last, _ = live.next()
    assert server.send([span(f"flood{i}") for i in range(600)]).status == 200
    assert live.until(lambda name, data: name == "reset")
    assert server.send([span("dry")]).status == 200
    assert live.until(lambda name, data: data.get("name") == "dry")
    assert listen(last=last).next()[0] == "reset"  # of these 600, too
    assert listen(last=10**15).next()[0] == "reset"  # of a store that is no more


def test_too_much_to_tell_is_so_in_its_own_project(start_server):
    server = start_server()
    cookie = {"Cookie": server.sign_in(), "Sec-Fetch-Site": "same-origin"}
    cookie["X-CSRF-Token"] = server.get("/api/session/", headers=cookie, key=False).json["csrf_token"]
    loud = server.request("POST", "/api/projects/", b'{"name": "loud"}', cookie, key=False).json["id"]
    wish = json.dumps({"name": "loud", "scopes": ["ingest", "read"]})
    key = server.request("POST", f"/api/keys/?project={loud}", wish, cookie, key=False).json["key"]
    quiet, there = Listener(server), Listener(server, key=key)
    for listener in (quiet, there):
        listener.until(lambda name, data: name == "ready")
    for mine in ("mine1", "mine2", "mine3"):
        assert server.send([span(f"flood{i}") for i in range(600)], key=key).status == 200
        assert there.until(lambda name, data: name == "reset")
        assert server.send([span(mine)]).status == 200
        name, _, data = quiet.next()
        assert (name, data.get("name")) == ("trace", mine)
    quiet.close()
    there.close()


def test_who_does_not_read(server, listen):
    slow, live = listen(receive=4096), listen()
    live.next()
    metadata = {f"respan.metadata.k{i}": uuid.uuid4().hex * 30 for i in range(15)}
    before = server.memory_kb()
    for batch in range(16):
        assert server.send([span(f"large{batch}-{i}", attributes=metadata) for i in range(40)]).status == 200
        live.until(lambda name, data, batch=batch: data.get("name", "").startswith(f"large{batch}-"))
    if before:
        assert server.memory_kb() < before + 60_000
    assert server.send([span("last")]).status == 200
    live.until(lambda name, data: data.get("name") == "last")
    assert slow.until(lambda name, data: name == "reset")


def test_hundreds_of_listeners(start_server):
    server = start_server()
    threads = int(re.search(r"Threads:\s+(\d+)", Path(f"/proc/{server.process.pid}/status").read_text())[1])
    listeners = [Listener(server) for _ in range(300)]
    assert server.send([span("all")]).status == 200
    for live in listeners:
        assert live.until(lambda name, data: name == "trace")[-1][2]["name"] == "all"
    now = int(re.search(r"Threads:\s+(\d+)", Path(f"/proc/{server.process.pid}/status").read_text())[1])
    assert now < threads + 10
    for live in listeners[:100]:
        live.close()
    slow = [Listener(server, receive=4096) for _ in range(5)]
    for i in range(10):
        metadata = {"respan.metadata.much": "x" * 15_000}
        assert server.send([span(f"much{i}-{k}", attributes=metadata) for k in range(20)]).status == 200
        time.sleep(0.1)
    assert server.send([span("some")]).status == 200
    assert listeners[150].until(lambda name, data: data.get("name") == "some")
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < 2.5  # the server's patience with answers under way is 3 s
    for live in listeners[100:]:
        while not live.ended:
            live.receive()
    for live in slow:
        live.close()


def test_what_is_refused(server):
    assert_refused(server.get("/api/live/?sort_by=-duration"), "sort_by")
    assert_refused(server.get("/api/live/?nonsense=1"), "nonsense")
    assert server.get("/api/live/", key=False).status == 401
    assert server.request("POST", "/api/live/").status == 405
    assert server.request("HEAD", "/api/live/").status == 200
