"""Whatever allocation of the extension fails, the program runs as untraced, and each span is counted."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ASAN = "libasan" in Path("/proc/self/maps").read_text()  # it has a malloc of its own
UNLOCKED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))  # objects have a memory of their own


def is_stripped():
    """Without the interpreter's symbols, nothing tells Python's allocations from those on the extension's behalf."""
    at = Path(sysconfig.get_config_var("LIBDIR") or "/") / (sysconfig.get_config_var("INSTSONAME") or "")
    tables = [
        subprocess.run(["nm", path], capture_output=True, text=True).stdout
        for path in (Path(sys.executable).resolve(), at)
        if path.is_file()
    ]
    return not any("_PyEval_Vector" in table for table in tables)


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    path = tmp_path_factory.mktemp("shim") / "failing_allocations.so"
    headers = sysconfig.get_paths()["include"]
    command = [compiler, "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", f"-I{headers}", "-Wl,-z,lazy"]
    subprocess.run([*command, HERE / "failing_allocations.c", "-o", path], check=True)
    return path


@pytest.mark.skipif(ASAN or UNLOCKED or is_stripped(), reason="allocations cannot be told apart")
@pytest.mark.parametrize("allocator", ["pymalloc", "debug"])
def test_every_allocation_fails_in_turn(shim, server, allocator):
    given = {"LD_PRELOAD": str(shim), "FAILING_ALLOCATIONS": str(shim), "PYTHONMALLOC": allocator}
    environment = {**os.environ, **given, "RESPAN_BASE_URL": server.base_url, "RESPAN_API_KEY": "k"}
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", HERE / "failing_allocations_script.py"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    assert done.stdout.endswith("survived\n")
    names = {span.name for span in server.spans}
    assert {
        "add.task",
        "nested.workflow",
        "numbers.task",
        "later.agent",
        "stream.task",
        "text_completion tiny",
    } <= names
