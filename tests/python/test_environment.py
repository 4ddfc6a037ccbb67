"""Variables of the environment, seen from a process of its own: what docs/environment.md says of them."""

import gzip
import re

from capture import spans_of
from conftest import ROOT

TRACED = """
import respan
r = respan.Respan()
respan.task(lambda text: text)(text="x" * 3000)
print(r.flush(), r.stats())
"""


def test_environment_gives_key_and_address(server, script):
    done = script(TRACED, RESPAN_API_KEY="from-environment")
    assert done.stdout.startswith("True") and done.stderr == ""
    assert [headers["Authorization"] for headers in server.headers] == ["Bearer from-environment"]


def test_otel_sdk_disabled(server, script):
    done = script(TRACED, OTEL_SDK_DISABLED="true")
    assert done.stdout == "True None\n" and done.stderr == ""
    assert server.bodies == []


def test_otel_endpoint_is_the_last_resort(server, script, tmp_path):
    otel = {
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": server.base_url + "/v2/traces",
        "OTEL_EXPORTER_OTLP_HEADERS": "x-tenant=blue%20sky",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
        "OTEL_SERVICE_NAME": "by-variable",
        "XDG_CONFIG_HOME": str(tmp_path),
    }
    done = script(TRACED, RESPAN_BASE_URL="", RESPAN_API_KEY="", **otel)
    assert done.stdout.startswith("True") and done.stderr == ""
    [headers], [body] = server.headers, server.bodies
    assert headers["x-tenant"] == "blue sky" and "Authorization" not in headers
    assert headers["Content-Encoding"] == "gzip"
    [span] = spans_of(gzip.decompress(body))
    assert span.resource["service.name"] == "by-variable"

    script(TRACED, **{**otel, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:9/v1/traces"})
    assert "x-tenant" not in server.headers[1] and server.headers[1]["Authorization"] == "Bearer test-key"


def test_nonsense_is_one_line_and_ignored(server, script):
    done = script(TRACED, OTEL_BSP_SCHEDULE_DELAY="soon", OTEL_EXPORTER_OTLP_COMPRESSION="best")
    assert done.stdout.startswith("True") and len(server.bodies) == 1
    assert sorted(line.split("=")[0] for line in done.stderr.splitlines()) == [
        "respan: OTEL_BSP_SCHEDULE_DELAY",
        "respan: OTEL_EXPORTER_OTLP_COMPRESSION",
    ]


def test_the_page_names_every_variable_that_is_read_and_tests_that_exist():
    page = (ROOT / "docs" / "environment.md").read_text()
    sources = "".join(path.read_text() for path in (ROOT / "src" / "sdk").glob("*.c"))
    read = set(re.findall(r'"((?:OTEL|RESPAN|SSL)_[A-Z_]+)"', sources))
    assert len(read) > 20 and not {name for name in read if f"`{name}" not in page}
    tests = "".join(path.read_text() for path in (ROOT / "tests").glob("*/test_*.[cp]*"))
    files = {path.name for path in (ROOT / "tests").glob("*/test_*")}
    named = [
        name for row in re.findall(r"\|([^|\n]*)\|$", page, re.M) for name in re.findall(r"`([a-z]\w+(?:\.\w+)?)`", row)
    ]
    assert len(named) > 20 and not [name for name in named if name not in files and f"{name}(" not in tests]
