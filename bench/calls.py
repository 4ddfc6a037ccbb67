"""What a traced call adds to its caller, for bench/table.py, which keeps one such process per tracer and asks in turns.

usage: calls.py TRACER      reads "sync N", "coroutine N" or "long N" lines, answers each with nanoseconds per call

A burst of N calls is timed by the CPU clock of the calling thread, so that other programs and the exporter's own thread do
not count; the same burst of the function without tracing is taken off. Between bursts everything is flushed, untimed.
"""

import os
import sys
import time

import tracers


def burst(function, argument, count):
    began = time.thread_time_ns()
    for _ in range(count):
        function(argument)
    return time.thread_time_ns() - began


async def coroutine_burst(function, argument, count):
    began = time.thread_time_ns()
    for _ in range(count):
        await function(argument)
    return time.thread_time_ns() - began


def run(coroutine):
    """A coroutine that never waits, without an event loop's own work."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise RuntimeError("the coroutine waited")


def main():
    traced = tracers.MAKERS[sys.argv[1]]()

    def measure(what, count):
        if what == "coroutine":
            return run(coroutine_burst(traced.coroutine, tracers.QUESTION, count)) - run(
                coroutine_burst(tracers.plain_coroutine, tracers.QUESTION, count)
            )
        argument = tracers.LONG if what == "long" else tracers.QUESTION
        return burst(traced.function, argument, count) - burst(tracers.plain, argument, count)

    print("ready", flush=True)
    for line in sys.stdin:
        what, count = line.split()[0], int(line.split()[1])
        measure(what, count // 10 + 1)  # caches as they are in a program that does this often
        print(measure(what, count) / count, flush=True)
        if not traced.flush():
            print(f"{sys.argv[1]}: the flush failed", file=sys.stderr)
    os._exit(0)  # all is flushed


main()
