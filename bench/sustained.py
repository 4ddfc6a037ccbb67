"""Four threads that make traces of ten spans for as long as it takes, for bench/table.py.

usage: sustained.py TRACER SPANS RATE       RATE: spans a second of all threads together; 0: as fast as they can

Prints one line of JSON: spans; seconds, from the first span to the server's last answer; produced_s, to the last span;
flushed; p999_us and max_us, how long the traced call took that makes a whole trace (wall time); rss_growth_mb, the most
that resident memory grew meanwhile.
"""

import json
import os
import sys
import threading
import time
from array import array

import tracers

THREADS = 4


def rss_bytes():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def work(trace, took, rate):
    now = time.perf_counter_ns
    began = now()
    for i in range(len(took)):
        if rate:
            ahead = i / rate - (now() - began) / 1e9
            if ahead > 0.001:
                time.sleep(ahead)
        start = now()
        trace(tracers.QUESTION)
        took[i] = now() - start


def main():
    name, spans, rate = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    # OpenTelemetry's queue has room for all of them: it is not to lose one either.
    traced = tracers.of_opentelemetry(queue=spans) if name == "opentelemetry" else tracers.MAKERS[name]()
    for _ in range(1000):
        traced.trace(tracers.QUESTION)
    if not traced.flush():
        sys.exit("the first flush failed")
    traces = spans // THREADS // tracers.PER_TRACE
    per_thread = [array("Q", [1]) * traces for _ in range(THREADS)]
    pace = rate / THREADS / tracers.PER_TRACE
    threads = [threading.Thread(target=work, args=(traced.trace, took, pace)) for took in per_thread]
    flushed = []
    flusher = threading.Thread(target=lambda: flushed.append(traced.flush()))
    before = most = rss_bytes()
    began = time.perf_counter()

    def wait_for(some):
        nonlocal most
        for thread in some:
            thread.start()
        while any(thread.is_alive() for thread in some):
            time.sleep(0.02)
            most = max(most, rss_bytes())
        return time.perf_counter() - began

    produced = wait_for(threads)
    seconds = wait_for([flusher])
    took = sorted(nanoseconds for one in per_thread for nanoseconds in one)
    result = {
        "spans": traces * THREADS * tracers.PER_TRACE,
        "seconds": seconds,
        "produced_s": produced,
        "flushed": flushed == [True],
        "p999_us": took[int(len(took) * 0.999)] / 1e3,
        "max_us": took[-1] / 1e3,
        "rss_growth_mb": (most - before) / 1e6,
    }
    print(json.dumps(result), flush=True)
    os._exit(0)


main()
