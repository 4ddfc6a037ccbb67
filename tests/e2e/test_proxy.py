"""Spans through a proxy, as curl's variables say. The server's name resolves nowhere: the proxy alone knows it."""

import pytest
from client import send_one, span_names
from network import Certificates, Proxy, TlsFront


@pytest.fixture(scope="module")
def server(start_server):
    return start_server("--host", "respan.invalid")


@pytest.fixture
def proxy():
    with Proxy() as proxy:
        yield proxy


NOBODY = "http://127.0.0.1:9"  # a proxy that is not there


@pytest.mark.parametrize("variable", ["http_proxy", "all_proxy", "ALL_PROXY"])
def test_http_goes_through_the_proxy(server, proxy, variable):
    url = f"http://respan.invalid:{server.port}/api"
    sent = send_one(server, variable, RESPAN_BASE_URL=url, **{variable: f"http://127.0.0.1:{proxy.port}"})
    assert sent.flushed and sent.stderr == ""
    assert proxy.asked == [f"POST {url}/v2/traces"]
    assert f"{variable}.task" in span_names(server)


def test_http_proxy_in_capitals_is_not_read(server, proxy):
    """A CGI program gets a request's Proxy header under that name."""
    url = f"http://respan.invalid:{server.port}/api"
    sent = send_one(server, "capitals", 1, RESPAN_BASE_URL=url, HTTP_PROXY=f"http://127.0.0.1:{proxy.port}")
    assert not sent.flushed and "respan.invalid" in sent.stats["last_error"]
    assert proxy.asked == []


@pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY"])
def test_https_is_tunnelled_and_verified(server, proxy, tmp_path, variable):
    certificates = Certificates(tmp_path)
    with TlsFront(server.port, *certificates.issue("server", "DNS:respan.invalid")) as front:
        sent = send_one(
            server,
            f"tunnelled-{variable}",
            RESPAN_BASE_URL=f"https://respan.invalid:{front.port}/api",
            OTEL_EXPORTER_OTLP_CERTIFICATE=str(certificates.ca),
            **{variable: f"http://127.0.0.1:{proxy.port}"},
        )
        assert sent.flushed and sent.stderr == ""
        assert proxy.asked == [f"CONNECT respan.invalid:{front.port}"]
        assert f"tunnelled-{variable}.task" in span_names(server)


@pytest.mark.parametrize("variable", ["no_proxy", "NO_PROXY"])
def test_no_proxy(server, proxy, variable):
    given = {"http_proxy": f"http://127.0.0.1:{proxy.port}", variable: "example.org,respan.invalid"}
    sent = send_one(server, "direct", 1, RESPAN_BASE_URL=f"http://respan.invalid:{server.port}/api", **given)
    assert not sent.flushed and "respan.invalid" in sent.stats["last_error"]
    assert proxy.asked == []


def test_loopback_goes_past_any_proxy(server):
    given = {"http_proxy": NOBODY, "ALL_PROXY": NOBODY, "RESPAN_BASE_URL": server.base_url + "/api"}
    assert send_one(server, "past", **given).flushed
    assert "past.task" in span_names(server)
