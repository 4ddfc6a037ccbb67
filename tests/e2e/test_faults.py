"""A little of each campaign of tests/fault/faults.py; tools/run_faults does the long ones."""

import sys

import pytest
from conftest import BINARY, ROOT

sys.path.append(str(ROOT / "tests" / "fault"))
import faults

SANITIZED = any(mark in BINARY.read_bytes() for mark in (b"__asan_init", b"__tsan_init")) if BINARY.is_file() else False
needs_shim = pytest.mark.skipif(SANITIZED, reason="a sanitizer has a malloc and clock of its own")


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    return faults.Shim(tmp_path_factory.mktemp("shim"))


def holds(figures):
    assert figures["acknowledged"] > 0, figures
    assert (figures["lost"], figures["doubled"]) == (0, 0), figures
    assert figures.get("whole_at_the_end", True), figures


def test_kill_9(start_server):
    figures = faults.kill_9(start_server, 3)
    holds(figures)
    assert figures["checks_not_whole"] == 0


@pytest.mark.parametrize("killed", [False, True])
def test_damage(start_server, killed):
    figures = faults.damage(start_server, 4, killed=killed)
    sealed, live = "p000001.2", "p000002"
    kept = [f"{sealed}/{name}" for name in ("segment", "index.db", "traces.filter")] + [f"{live}/segment"]
    kept += [] if killed else ["control.db", f"{live}/index.db"]
    all_found = {"found": 4, "harmless": 0, "missed": 0}
    for name in kept:
        assert (figures[name]["flipped"], figures[name]["torn"]) == (all_found, all_found), (name, figures)
    for name, of in figures.items():
        assert (of["flipped"]["missed"], of["torn"]["missed"]) == (0, 0), (name, figures)


def test_full_disk(start_server, tmp_path):
    with faults.small_disk(tmp_path / "disk") as disk:
        if disk is None:
            pytest.skip("cannot mount a small file system here")
        figures = faults.full_disk(start_server, disk, 2)
        holds(figures)
        assert figures["refused"] == 10 and figures["failed_reads"] == 0


@needs_shim
@pytest.mark.parametrize("kind, up_to", [("write", 12), ("sync", 6), ("memory", 40), ("open", 6)])
def test_failing_calls(start_server, shim, kind, up_to):
    figures = faults.failing_calls(start_server, shim, kind, up_to)
    holds(figures)
    assert figures["hit"] > 0, figures


@needs_shim
def test_clock_jumps(start_server, shim):
    figures = faults.clock_jumps(start_server, shim, 15)
    holds(figures)
    assert figures["wrong_traces"] == 0 and figures["stopped_in_s"] < 10, figures
