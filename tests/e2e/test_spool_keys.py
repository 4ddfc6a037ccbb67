"""What a killed program left is delivered with the key that it had, or with none: never into another's project."""

import ctypes
import json
import os
import signal
import struct
import subprocess
import sys

import pytest
from waiting import wait_until

PROGRAM = """
import os, signal, sys
from respan import Respan, task

respan = Respan(app_name="shared")

@task(name=sys.argv[1])
def step():
    if "dies" in sys.argv:
        os.kill(os.getpid(), signal.SIGKILL)

step()
assert respan.flush(20)
"""


def run(server, name, key, *arguments):
    """A program of that name and key; it is the same application each time."""
    environment = {**server.environment, "RESPAN_SPOOL": "on", "RESPAN_BASE_URL": server.base_url + "/api"}
    if key:
        environment["RESPAN_API_KEY"] = key
    command = [sys.executable, "-c", PROGRAM, name, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == (-signal.SIGKILL if "dies" in arguments else 0), done.stderr


def files(server):
    return sorted((server.home / "state" / "respan" / "spool").glob("*"))


def names(server, key):
    return sorted(span["span_name"].removesuffix(".task") for span in spans(server, key))


def spans(server, key):
    answer = server.get("/api/spans/list/", key=key)
    assert answer.status == 200, answer
    return answer.json["results"]


def told(server, *arguments):
    done = server.command(*arguments, "--json")
    assert done.returncode == 0, done
    return json.loads(done.stdout)


def send(server, *arguments, key=None):
    if key:
        server.environment["RESPAN_API_KEY"] = key
    try:
        return server.command("spool", "send", "--base-url", server.base_url + "/api", *arguments)
    finally:
        server.environment.pop("RESPAN_API_KEY", None)


@pytest.fixture
def tenants(start_server):
    """A server that leaves the spool alone, with keys of the organizations acme and beta besides its own."""
    server = start_server("--no-spool")
    for name in ("acme", "beta"):
        assert server.command("orgs", "create", name).returncode == 0
        made = told(server, "keys", "create", "--project", f"{name}/{name}", "--environment", f"{name}s")
        setattr(server, name, made["key"])
        setattr(server, f"{name}_id", made["id"])
    return server


def watch(server):
    assert server.stop() == 0
    server.options = ()
    server.start()


def test_the_server_puts_them_where_their_key_would_have(tenants):
    server = tenants
    run(server, "of acme", server.acme, "dies")
    run(server, "of beta", server.beta, "dies")
    run(server, "of none", None, "dies")
    assert len(files(server)) == 3
    watch(server)
    wait_until(lambda: not files(server))
    assert names(server, server.acme) == ["of acme"]
    assert names(server, server.beta) == ["of beta"]
    assert names(server, server.key) == ["of none"]
    assert [span["environment"] for span in spans(server, server.acme)] == ["acmes"]


def test_without_a_key_they_go_where_that_of_the_credentials_file_would_have_put_them(tenants):
    server = tenants
    own, (path,) = server.key, (server.home / "config").rglob("credentials")
    path.write_text(path.read_text().replace(own, server.beta))
    run(server, "of the file", None, "dies")
    watch(server)
    wait_until(lambda: not files(server))
    assert names(server, server.beta) == ["of the file"] and names(server, own) == []


def test_the_next_program_sends_what_its_own_key_left(tenants):
    server = tenants
    run(server, "first of acme", server.acme, "dies")
    run(server, "of beta", server.beta)
    run(server, "of none", None)
    assert names(server, server.beta) == ["of beta"] and names(server, server.key) == ["of none"]
    assert len(files(server)) == 1 and names(server, server.acme) == []
    run(server, "second of acme", server.acme)
    assert names(server, server.acme) == ["first of acme", "second of acme"]
    assert not files(server)


def test_what_a_revoked_key_left_stays_until_somebody_says_whose_it_is(tenants):
    server = tenants
    run(server, "of acme", server.acme, "dies")
    revoked = server.command("keys", "revoke", "--project", "acme/acme", str(server.acme_id))
    assert revoked.returncode == 0, revoked
    watch(server)
    run(server, "of none", None, "dies")
    wait_until(lambda: names(server, server.key) == ["of none"])  # the folder was looked through
    wait_until(lambda: len(files(server)) == 1)
    (row,) = told(server, "spool", "list", "--base-url", server.base_url + "/api")
    assert row["other_key"] is True and row["state"] == "waiting" and row["open"] == 1
    listed = server.command("spool", "list", "--base-url", server.base_url + "/api").stdout
    assert "  for another API key  1 interrupted" in listed

    server.environment["RESPAN_BASE_URL"] = server.base_url + "/api"
    assert "next run with the same API key sends them" in server.command("doctor").stdout
    done = send(server)
    assert done.returncode == 0 and done.stdout.startswith("0 spans sent"), done
    assert "1 file is for another API key" in done.stderr and "--any-key" in done.stderr
    assert json.loads(send(server, "--json", key=server.beta).stdout)["files_for_other_keys"] == 1
    refused = send(server, key=server.acme)
    assert refused.returncode == 3 and "1 file stays in the spool" in refused.stderr, refused
    assert names(server, server.beta) == [] and len(files(server)) == 1
    done = send(server, "--any-key", key=server.beta)
    assert done.stdout.startswith("1 spans sent"), done
    assert names(server, server.beta) == ["of acme"] and not files(server)
    assert names(server, server.key) == ["of none"]


def test_a_key_that_may_not_send_delivers_nothing(tenants):
    server = tenants
    reader = told(server, "keys", "create", "--project", "acme/acme", "--scope", "read")["key"]
    run(server, "of acme", reader, "dies")
    watch(server)
    run(server, "of none", None, "dies")
    wait_until(lambda: names(server, server.key) == ["of none"])
    wait_until(lambda: len(files(server)) == 1)
    assert names(server, reader) == []


def make_older(path):
    """As version 2 wrote it, which had nothing behind the texts."""
    xxh = ctypes.CDLL("libxxhash.so.0").XXH3_64bits_withSeed
    xxh.restype, xxh.argtypes = ctypes.c_uint64, [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint64]
    content = bytearray(path.read_bytes())
    (data_at,) = struct.unpack_from("=Q", content, 16)
    count = sum(struct.unpack_from("=4I", content, 48))
    assert struct.unpack_from("=I", content, 8) == (3,)
    for at in (0, (data_at - 4096) // 2):
        struct.pack_into("=I", content, at + 8, 2)
        texts = bytes(content[at + 72 : at + 72 + count])
        check = xxh(bytes(content[at : at + 64]), 64, xxh(texts, count, 0))
        struct.pack_into("=Q", content, at + 64, check)
        content[at + 72 + count : at + 72 + count + 16] = bytes(16)
    path.write_bytes(content)


@pytest.mark.parametrize("how", ["watch", "send"])
def test_an_older_file_does_not_say_whose_it_is_and_is_delivered_as_before(tenants, how):
    server = tenants
    run(server, "older", server.acme, "dies")
    (path,) = files(server)
    make_older(path)
    if how == "watch":
        watch(server)
        wait_until(lambda: not files(server))
    else:
        assert send(server).stdout.startswith("1 spans sent")
    assert names(server, server.key) == ["older"] and not files(server)
    assert os.listdir(path.parent) == []
