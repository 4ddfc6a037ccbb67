"""What the benches share: the table they print, and the surroundings of the programs they start."""

import os
from pathlib import Path


def load():
    return Path("/proc/loadavg").read_text().split()[0]


class Table:
    """One line a target. `good` is None where there is none to meet."""

    def __init__(self):
        self.missed = 0
        print("| what | target | ours | peer | ratio | |\n| --- | --- | --- | --- | --- | --- |", flush=True)

    def line(self, what, target, ours, peer="", ratio="", good=None):
        self.missed += good is False
        verdict = "" if good is None else "met" if good else "**missed**"
        print(f"| {what} | {target} | {ours} | {peer} | {ratio} | {verdict} |", flush=True)


def environment(home, **more):
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("RESPAN_", "OTEL_", "TRACELOOP_", "XDG_"))}
    folders = {f"XDG_{kind}_HOME": f"{home}/{kind.lower()}" for kind in ("CONFIG", "DATA", "STATE")}
    return {**kept, **folders, "HOME": str(home), **more}
