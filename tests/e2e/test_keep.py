"""What is kept against retention, and what goes when a user of the traced programs wants it to."""

import json
import time
import uuid

import pytest
from conftest import span


def trace(server, customer=None, text="work"):
    trace_id = uuid.uuid4().hex
    said = {"gen_ai.prompt.0.content": text}
    if customer:
        said["respan.customer_params.customer_identifier"] = customer
    assert server.send([span(trace_id=trace_id, attributes=said)]).status == 200
    return trace_id


def ids(server):
    return {t["trace_unique_id"] for t in server.get("/api/traces/list/?page_size=1000").json["results"]}


def delete_user(server, customer, **kw):
    body = json.dumps({"customer_identifier": customer}).encode()
    return server.request("POST", "/api/users/delete/", body, **kw)


def is_on_disk(server, text):
    """Whether a file of the store has these bytes. Blocks are compressed: text that does not compress is found as it is."""
    return any(text.encode() in path.read_bytes() for path in server.data.rglob("*") if path.is_file())


def test_a_trace_is_pinned_and_unpinned(server):
    one = trace(server)
    path = f"/api/traces/{one}/pin/"
    assert server.get(path).json == {"pinned": False}
    for _ in range(2):
        assert server.request("POST", path).json == {"pinned": True}
    assert server.get(path).json == {"pinned": True}
    assert server.request("DELETE", path).json == {"pinned": False}
    assert server.request("POST", path).json == {"pinned": True}
    assert server.request("DELETE", f"/api/traces/{one}/").status == 200  # it ends with its trace
    assert server.get(path).json == {"pinned": False}
    assert server.request("POST", path).status == 404
    assert server.request("POST", "/api/traces/nonsense/pin/").status == 404
    assert server.request("POST", path, key=False).status == 401


def test_all_of_a_user_goes(start_server):
    server = start_server()
    gone = [trace(server, "ann", f"{i} of ann") for i in range(3)]
    kept = {trace(server, "bob"), trace(server, "ann2"), trace(server)}
    # one whose root names somebody else, and a span of which names her
    shared = uuid.uuid4().hex
    root = span(trace_id=shared, attributes={"respan.customer_params.customer_identifier": "bob"})
    child = span(
        trace_id=shared, parent=root["spanId"], attributes={"respan.customer_params.customer_identifier": "ann"}
    )
    assert server.send([root, child]).status == 200
    for path in ["pin", "share"]:
        assert server.request("POST", f"/api/traces/{gone[0]}/{path}/").status == 200
    answer = delete_user(server, "ann").json
    assert answer["deleted"] == 4 and answer["more"] is False
    assert ids(server) == kept
    assert server.get("/api/traces/list/?customer_identifier=ann").json["results"] == []
    assert server.get(f"/api/traces/{gone[0]}/pin/").json == {"pinned": False}
    assert server.get(f"/api/traces/{gone[0]}/share/").json == {"shared": False}
    assert delete_user(server, "ann").json["deleted"] == 0
    assert server.command("check").returncode == 0


def test_more_than_one_deletion_takes(start_server):
    server = start_server()
    spans = [
        span(attributes={"respan.customer_params.customer_identifier": "ann" if i % 2 else "bob"}) for i in range(2400)
    ]
    assert server.send(spans).status == 200
    assert delete_user(server, "ann").json["deleted"] == 1200
    assert server.get("/api/session/").json["traces"] == 1200


def test_it_is_gone_from_the_disk(start_server):
    server = start_server()
    secret = "customer-" + uuid.uuid4().hex
    kept = trace(server, "bob")
    gone = trace(server, secret)
    assert is_on_disk(server, secret)
    done = server.command("traces", "delete", "--user", secret)
    assert (done.returncode, done.stdout) == (0, "1 trace deleted, and gone from the disk\n"), done.stderr
    assert not is_on_disk(server, secret)
    for path in server.data.rglob("index.db*"):
        assert bytes.fromhex(gone) not in path.read_bytes()
    assert ids(server) == {kept}
    nobody = server.command("traces", "delete", "--user", secret)
    assert (nobody.returncode, nobody.stdout) == (1, "0 traces deleted, and gone from the disk\n")


def test_it_says_so_where_the_disk_is_not_rid_of_it(start_server):
    server = start_server()
    secret = "customer-" + uuid.uuid4().hex
    trace(server, "bob")  # else its folder is dropped whole
    trace(server, secret)
    [partition] = server.data.glob("projects/*/p*")
    in_the_way = partition.with_name(f"{partition.name}.2.new")  # where it is to be written anew
    in_the_way.write_text("no folder")
    done = server.command("traces", "delete", "--user", secret)
    assert (done.returncode, done.stdout) == (1, "1 trace deleted, and not yet gone from the disk\n")
    assert "could not be written anew: " in done.stderr and in_the_way.name in done.stderr
    said = server.get("/api/compact/").json
    assert said["erased"] is False and in_the_way.name in said["error"] and is_on_disk(server, secret)
    assert not in_the_way.exists()  # it was put aside
    server.request("POST", "/api/compact/")
    while server.get("/api/compact/").json["compacting"]:
        time.sleep(0.05)
    assert server.get("/api/compact/").json == {"compacting": False, "erased": True, "error": None}
    assert not is_on_disk(server, secret)


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"customer_identifier": ""}', b'{"customer_identifier": 7}', b"[", b"x"]
)
def test_nobody_in_particular(server, body):
    kept = trace(server)
    assert server.request("POST", "/api/users/delete/", body).status == 400
    assert kept in ids(server)


def test_who_may(server):
    kept = trace(server, "ann")
    assert delete_user(server, "ann", key=False).status == 401
    headers = {"Cookie": server.sign_in(), "Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate"}
    assert delete_user(server, "ann", key=False, headers=headers).status in (401, 403)
    assert server.request("GET", "/api/users/delete/").status == 405
    assert kept in ids(server)
