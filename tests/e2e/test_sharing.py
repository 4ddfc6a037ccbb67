"""A trace's public link: what it shows, to whom, and what ends it."""

import json
import uuid

import pytest
from conftest import span

SECRETS = ["the prompt", "the answer", "it broke", "somebody", "the thread", "the note", "attached"]


def failing(server):
    """Sends a trace of two spans that says all of SECRETS; its id and its spans' ids."""
    trace_id = uuid.uuid4().hex
    root = span(
        "flow",
        trace_id,
        attributes={
            "gen_ai.prompt.0.content": "the prompt",
            "gen_ai.completion.0.content": "the answer",
            "gen_ai.request.model": "tiny",
            "respan.customer_params.customer_identifier": "somebody",
            "respan.threads.thread_identifier": "the thread",
            "respan.metadata.note": "the note",
            "own.key": "attached",
        },
        status={"code": 2, "message": "it broke"},
    )
    child = span("step", trace_id, root["spanId"], {"own.key": "attached"})
    assert server.send([root, child]).status == 200
    return trace_id, root["spanId"], child["spanId"]


def share(server, trace_id, content=None, **kw):
    body = b"" if content is None else json.dumps({"content": content}).encode()
    return server.request("POST", f"/api/traces/{trace_id}/share/", body, **kw)


def token_of(answer):
    assert answer.status == 200, answer
    return answer.json["url"].rsplit("/share/", 1)[1]


def open_link(server, token, rest="", **kw):
    return server.get(f"/api/share/{token}/{rest}", key=False, **kw)


def test_nothing_is_shared_until_it_is(server):
    trace_id, root, child = failing(server)
    path = f"/api/traces/{trace_id}/share/"
    assert server.get(path).json == {"shared": False}
    answer = share(server, trace_id, True)
    token = token_of(answer)
    assert answer.json["url"] == f"{server.base_url}/share/{token}" and len(token) == 43
    shown = open_link(server, token)
    assert shown.json["span_tree"] == server.get(f"/api/traces/{trace_id}/").json["span_tree"]
    assert shown.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert shown.headers["Referrer-Policy"] == "no-referrer"
    assert shown.headers["Cache-Control"] == "no-store"
    tree = open_link(server, token, "?view=tree").json
    assert [s["span_unique_id"] for s in tree["spans"]] == [root, child]
    assert open_link(server, token, f"?view=tree&since={tree['next_since']}").json["spans"] == []
    assert open_link(server, token, f"spans/{child}/").json == server.get(f"/api/spans/{child}/").json
    said = server.get(path).json
    assert said.pop("created_at").endswith("Z") and said == {"shared": True, "content": True}
    assert server.request("DELETE", path).json == {"shared": False}
    for rest in ["", "?view=tree", f"spans/{child}/"]:
        assert open_link(server, token, rest).status == 404
    assert server.request("DELETE", path).json == {"shared": False}


def test_without_content_nothing_that_was_said_is_shown(server):
    trace_id, root, child = failing(server)
    token = token_of(share(server, trace_id, False))
    whole = json.dumps(server.get(f"/api/traces/{trace_id}/").json)
    assert all(secret in whole for secret in SECRETS)
    for rest in ["", "?view=tree", "?view=columns", "?flat=true", "?content=true", f"spans/{root}/", f"spans/{child}/"]:
        answer = open_link(server, token, rest)
        assert answer.status == 200
        for secret in SECRETS:
            assert secret.encode() not in answer.body, (rest, secret)
    assert open_link(server, token, f"spans/{root}/").json["model"] == "tiny"
    assert (
        token_of(share(server, trace_id)) != token
    )  # another link ends the first; content is what one says nothing of
    assert open_link(server, token).status == 404


def test_nothing_else_is_reached_with_a_link(server):
    trace_id, root, _ = failing(server)
    other, other_root, _ = failing(server)
    token = token_of(share(server, trace_id, True))
    assert open_link(server, token, f"spans/{other_root}/").status == 404
    assert open_link(server, token, f"spans/{root}/?trace_id={other}").json["trace_unique_id"] == trace_id
    for path in ["/api/traces/list/", f"/api/traces/{trace_id}/", f"/api/traces/{other}/", "/api/session/"]:
        assert server.get(path, key=False, headers={"Authorization": f"Bearer {token}"}).status == 401
        assert server.get(path, key=False, headers={"Cookie": f"respan_session={token}"}).status == 401
        assert server.get(f"{path}?token={token}", key=False).status == 401
    for method in ["POST", "DELETE"]:
        assert server.request(method, f"/api/share/{token}/", b"", key=False).status == 405
    for wrong in [token[:-1], token + "A", "x", "..", "a" * 3000, "%27%20OR%201=1"]:
        assert open_link(server, wrong).status in (400, 404)


def test_who_may_share(start_server):
    server = start_server()
    trace_id, _, _ = failing(server)
    assert share(server, trace_id, True, key=False).status == 401
    assert share(server, uuid.uuid4().hex, True).status == 404
    assert share(server, "nonsense", True).status == 404
    cookie = {"Cookie": server.sign_in(), "Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "navigate"}
    assert share(server, trace_id, True, key=False, headers=cookie).status in (401, 403)
    for body in [b"[]", b"{}", b'{"content": 1}', b'{"content"', b"true"]:
        assert server.request("POST", f"/api/traces/{trace_id}/share/", body).status == 400
    assert server.get(f"/api/traces/{trace_id}/share/").json == {"shared": False}


@pytest.mark.parametrize("many", [False, True])
def test_a_link_ends_with_its_trace(server, many):
    trace_id, _, _ = failing(server)
    token = token_of(share(server, trace_id, True))
    if many:
        body = json.dumps({"ids": [trace_id]}).encode()
        assert server.request("POST", "/api/traces/delete/", body).status == 200
    else:
        assert server.request("DELETE", f"/api/traces/{trace_id}/").status == 200
    assert open_link(server, token).status == 404
    assert server.send([span(trace_id=trace_id)]).status == 200  # the id comes again
    assert open_link(server, token).status == 404
    assert server.get(f"/api/traces/{trace_id}/share/").json == {"shared": False}


def test_links_outlive_the_server_and_are_in_backups(start_server, tmp_path):
    server = start_server()
    trace_id, _, _ = failing(server)
    token = token_of(share(server, trace_id, True))
    server.kill()
    for path in server.data.rglob("control.db*"):
        assert token.encode() not in path.read_bytes()
    assert server.command("check").returncode == 0
    server.start()
    assert open_link(server, token).json["trace_unique_id"] == trace_id
    assert token not in server.stderr()


def test_the_page_is_there_without_a_session(server):
    page = server.get("/share/anything", key=False)
    assert page.status == 200 and page.headers["Content-Type"].startswith("text/html")
    assert page.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert server.get("/traces/" + "0" * 32, key=False).status == 401
