"""A program that traces on while its server is stopped, killed and started again: at the end every span that ended is
stored exactly once.

RESPAN_OUTAGE_S=60 makes the longest outage that long (default 1.5) and has more spans written; the figures are printed
(pytest -s).
"""

import collections
import json
import os
import subprocess
import sys
import time

from client import span_names

OUTAGE_S = float(os.environ.get("RESPAN_OUTAGE_S", "1.5"))
RATE = 200 if OUTAGE_S < 10 else 1000  # spans a second

# Writes numbered spans at a steady rate until a line comes in, and says how many there are and what became of them.
WRITER = """
import json, select, sys, time, respan
rate, content = float(sys.argv[1]), "x" * 100
r = respan.Respan(app_name="outage")

@respan.task(name=lambda n: f"{n}")
def work(n):
    return content

written, began = 0, time.monotonic()
while not select.select([sys.stdin], [], [], 0.01)[0]:
    while written < (time.monotonic() - began) * rate:
        work(written)
        written += 1
took = time.monotonic() - began
began = time.monotonic()
flushed = r.flush(60)
print(json.dumps({"written": written, "wrote_s": took, "flushed": flushed, "flush_s": time.monotonic() - began, **r.stats()}))
"""


def test_no_span_is_lost_or_stored_twice(start_server):
    server = start_server()
    environment = {**server.environment, "RESPAN_BASE_URL": server.base_url + "/api", "RESPAN_API_KEY": server.key}
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(RATE)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        cwd=server.home,
        text=True,
    )
    for end, away_s in ((server.kill, 0.2), (server.stop, 0.2), (server.kill, OUTAGE_S), (server.kill, 0)):
        time.sleep(0.5)
        end()
        time.sleep(away_s)
        server.start()
    out, errors = writer.communicate("stop\n", timeout=120)
    assert errors == "" and writer.returncode == 0, errors
    counts = json.loads(out)
    assert counts["written"] > RATE * OUTAGE_S
    assert counts["flushed"], counts
    assert counts["acknowledged"] == counts["ended"] == counts["written"], counts
    assert counts["dropped"] == counts["rejected"] == counts["pending"] == 0, counts
    stored = collections.Counter(span_names(server))
    print(f"\noutage of {OUTAGE_S} s: {json.dumps(counts)}; stored {len(stored)} names, {stored.total()} spans")
    assert stored == collections.Counter(f"{n}.task" for n in range(counts["written"]))
