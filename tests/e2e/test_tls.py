"""Spans over TLS: with the right certificates they arrive, without them nothing does and the reason is told."""

import pytest
from client import send_one, span_names
from network import Certificates, TlsFront


@pytest.fixture(scope="module")
def certificates(tmp_path_factory) -> Certificates:
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def front(server, certificates):
    """TLS in front of the server, with a certificate for 127.0.0.1 of a CA that no system trusts."""
    with TlsFront(server.port, *certificates.issue("server", "IP:127.0.0.1")) as front:
        yield front


@pytest.mark.parametrize("variable", ["OTEL_EXPORTER_OTLP_CERTIFICATE", "SSL_CERT_FILE"])
def test_a_ca_of_ones_own_is_trusted_where_it_is_named(server, front, certificates, variable):
    url = f"https://127.0.0.1:{front.port}/api"
    sent = send_one(server, f"tls-{variable}", RESPAN_BASE_URL=url, **{variable: str(certificates.ca)})
    assert sent.flushed and sent.stats["acknowledged"] == 1 and sent.stderr == ""
    assert span_names(server).count(f"tls-{variable}.task") == 1


def test_an_unknown_ca_is_refused_with_the_remedy(server, front):
    sent = send_one(server, "untrusted", 2, RESPAN_BASE_URL=f"https://127.0.0.1:{front.port}/api")
    assert not sent.flushed and sent.stats["acknowledged"] == 0
    assert "the server's certificate is not valid" in sent.stats["last_error"]
    assert "OTEL_EXPORTER_OTLP_CERTIFICATE names a file of CAs to trust" in sent.stats["last_error"]
    assert sent.stats["last_error"] in sent.stderr
    assert "untrusted.task" not in span_names(server)


def test_a_certificate_for_another_name_is_refused(server, front, certificates):
    url = f"https://localhost:{front.port}/api"
    sent = send_one(server, "misnamed", 2, RESPAN_BASE_URL=url, SSL_CERT_FILE=str(certificates.ca))
    assert not sent.flushed and "the server's certificate is not valid" in sent.stats["last_error"]
    assert "names a file of CAs" not in sent.stats["last_error"]
    assert "misnamed.task" not in span_names(server)


def test_a_client_certificate(server, certificates):
    certificate, key = certificates.issue("client")
    with TlsFront(server.port, *certificates.issue("strict", "IP:127.0.0.1"), ca=certificates.ca) as front:
        trusted = {
            "RESPAN_BASE_URL": f"https://127.0.0.1:{front.port}/api",
            "OTEL_EXPORTER_OTLP_CERTIFICATE": str(certificates.ca),
        }
        client = {
            "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": str(certificate),
            "OTEL_EXPORTER_OTLP_CLIENT_KEY": str(key),
        }
        assert send_one(server, "mutual", **trusted, **client).flushed
        assert not send_one(server, "anonymous", 2, **trusted).flushed
        broken = {**client, "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": str(key)}
        sent = send_one(server, "broken", 2, **trusted, **broken)
        assert not sent.flushed and "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE" in sent.stats["last_error"]
        locked = certificates.lock(key)
        sent = send_one(server, "locked", 2, **trusted, **{**client, "OTEL_EXPORTER_OTLP_CLIENT_KEY": str(locked)})
        assert not sent.flushed and "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE" in sent.stats["last_error"]
    names = span_names(server)
    assert "mutual.task" in names and "anonymous.task" not in names and "broken.task" not in names
