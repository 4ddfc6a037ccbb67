"""A traced Python program in a process of its own, sending to a real server."""

import json
import subprocess
import sys
from dataclasses import dataclass

CODE = """
import json, sys, respan
r = respan.Respan(app_name="client")
respan.task(lambda text: text, name=sys.argv[1])(text="some text " * 300)
flushed = r.flush(float(sys.argv[2]))
print(json.dumps([flushed, r.stats()]))
r.shutdown(1)
"""


@dataclass
class Sent:
    flushed: bool
    stats: dict
    stderr: str


def send_one(server, name: str, flush_s: float = 10, **environment: str) -> Sent:
    """Ends one span called NAME.task and flushes; the environment is the server's user's, plus `environment`."""
    given = {**server.environment, "RESPAN_API_KEY": server.key, "RESPAN_SPOOL": "off", **environment}
    command = [sys.executable, "-c", CODE, name, str(flush_s)]
    done = subprocess.run(command, env=given, cwd=server.home, text=True, capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr
    flushed, stats = json.loads(done.stdout)
    return Sent(flushed, stats, done.stderr)


def span_names(server) -> list[str]:
    """Names of all stored spans, over all pages: a span that is stored twice is there twice."""
    path, names = "/api/spans/list/?page_size=1000", []
    while path:
        answer = server.get(path)
        assert answer.status == 200, answer
        names += [s["span_name"] for s in answer.json["results"]]
        path = answer.json["next"]
    return names
