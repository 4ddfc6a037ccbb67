#!/usr/bin/env python3
"""Whether the time until a key is refused says how much of it is right: medians of requests with keys that are wrong in different
places, asked in turn over one connection.

    bench/key_timing.py http://127.0.0.1:8460 KEY [REQUESTS]

A key is looked up by 8 bytes of its hash and compared whole in constant time (src/store/control/secrets.c), so all refusals should take
the same; what is let in may take another time, for it is answered."""

import http.client
import random
import statistics
import sys
import time
from urllib.parse import urlsplit


def wrong_at(key: str, at: int) -> str:
    return key[:at] + ("A" if key[at] != "A" else "B") + key[at + 1 :]


def main() -> None:
    url, key = urlsplit(sys.argv[1]), sys.argv[2]
    requests = int(sys.argv[3]) if len(sys.argv) > 3 else 3000
    keys = {
        "first letter wrong": wrong_at(key, 4),
        "middle letter wrong": wrong_at(key, len(key) // 2),
        "last letter wrong": wrong_at(key, len(key) - 1),
        "nothing right": "rsp_" + "".join(random.choices("abcdefghijkl", k=len(key) - 4)),
        "one letter short": key[:-1],
    }
    took: dict[str, list[int]] = {name: [] for name in keys}
    connection = http.client.HTTPConnection(url.hostname, url.port)
    for _ in range(requests):
        for name in random.sample(list(keys), len(keys)):
            began = time.perf_counter_ns()
            connection.request("GET", "/api/session/", headers={"Authorization": f"Bearer {keys[name]}"})
            answer = connection.getresponse()
            answer.read()
            took[name].append(time.perf_counter_ns() - began)
            assert answer.status == 401, answer.status
    print(f"{requests} requests each, interleaved; microseconds")
    print(f"{'':22} median    p5   p95   standard error of the median")
    for name, times in took.items():
        cuts = statistics.quantiles(times, n=20)
        error = 1.2533 * statistics.stdev(sorted(times)[: len(times) * 95 // 100]) / len(times) ** 0.5
        print(
            f"{name:22} {statistics.median(times) / 1e3:6.1f} {cuts[0] / 1e3:5.0f} {cuts[-1] / 1e3:5.0f} {error / 1e3:6.2f}"
        )


if __name__ == "__main__":
    main()
