"""librespan as a C programmer gets it: installed, found by pkg-config, compiled against, its manual, its ABI, its examples."""

import json
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import BINARY

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
EXAMPLES = ROOT / "examples" / "c"
ABI = ROOT / "tests" / "abi"
STRICT = ["-Wall", "-Wextra", "-pedantic", "-Werror"]

pytestmark = pytest.mark.skipif(BINARY != BUILD / "respan", reason="it installs build/ alone")


def run(*command, **kw):
    done = subprocess.run([str(c) for c in command], text=True, capture_output=True, timeout=120, **kw)
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


class Installed:
    """`meson install` into a directory of its own."""

    def __init__(self, root: Path):
        self.root = root
        targets = [
            "respan",
            "src/sdk/librespan.a",
            "src/sdk/librespan.so.0.1.0",
            "docs/man/respan.1",
            "docs/man/librespan.3",
        ]
        run("ninja", "-C", BUILD, "-j2", *targets)
        meson = "/usr/bin/meson" if Path("/usr/bin/meson").exists() else "meson"
        run(meson, "install", "-C", BUILD, "--no-rebuild", "--destdir", root)
        self.prefix = root / "usr" / "local"
        [pc] = self.prefix.glob("lib/**/respan.pc")
        self.lib = pc.parent.parent
        self.environment = {
            **os.environ,
            "PKG_CONFIG_PATH": str(pc.parent),
            "PKG_CONFIG_SYSROOT_DIR": str(root),
            "LD_LIBRARY_PATH": str(self.lib),
        }

    def pkg_config(self, *options) -> list[str]:
        return run("pkg-config", *options, "respan", env=self.environment).split()

    def compile(self, compiler, out: Path, *sources, options=()) -> Path:
        run(compiler, *STRICT, *options, *sources, *self.pkg_config("--cflags", "--libs"), "-pthread", "-o", out)
        return out

    def link_static(self, compiler, out: Path, *sources) -> Path:
        libs = [
            self.lib / "librespan.a" if flag == "-lrespan" else flag for flag in self.pkg_config("--static", "--libs")
        ]
        run(compiler, *STRICT, *sources, *self.pkg_config("--cflags"), *libs, "-o", out)
        return out


@pytest.fixture(scope="module")
def installed(binary, tmp_path_factory):
    return Installed(tmp_path_factory.mktemp("destdir"))


def exported(library: Path, *options) -> set[str]:
    lines = [line.split() for line in run("nm", "-g", "--defined-only", *options, library).splitlines()]
    return {words[2] for words in lines if len(words) == 3}


def declared() -> set[str]:
    return set(re.findall(r"^RESPAN_API [^;(]*?\b(respan_\w+)\(", (ROOT / "include/respan.h").read_text(), re.M))


# ---- what is installed ------------------------------------------------------------------------------------------


def test_files(installed):
    there = {str(p.relative_to(installed.prefix)) for p in installed.prefix.rglob("*") if not p.is_dir()}
    lib = installed.lib.relative_to(installed.prefix)
    assert there == {
        "bin/respan",
        "include/respan.h",
        f"{lib}/librespan.a",
        f"{lib}/librespan.so",
        f"{lib}/librespan.so.0",
        f"{lib}/librespan.so.0.1.0",
        f"{lib}/pkgconfig/respan.pc",
        "share/man/man1/respan.1",
        "share/man/man3/librespan.3",
    }


def test_only_respan_is_exported(installed):
    assert len(declared()) > 20
    assert exported(installed.lib / "librespan.so", "-D") == declared()
    assert exported(installed.lib / "librespan.a") == declared()


def test_abi(installed, tmp_path):
    """A difference is a new soname, unless it is a function or a last field of respan_config that is new: then the list
    tests/abi/x86_64.abi is made anew."""
    if platform.machine() != "x86_64":
        pytest.skip("the list is of x86_64")
    program = installed.compile("cc", tmp_path / "abi", ABI / "abi.c")
    functions = "".join(f"function {name}\n" for name in sorted(exported(installed.lib / "librespan.so", "-D")))
    assert functions + run(program) == (ABI / "x86_64.abi").read_text()


def test_abi_program_knows_every_constant_and_field_of_config():
    header, program = (ROOT / "include/respan.h").read_text(), (ABI / "abi.c").read_text()
    constants = re.findall(r"^    (RESPAN_\w+) = ", header, re.M)
    assert len(constants) > 20
    assert [c for c in constants if f"VALUE({c})" not in program] == []
    for struct in ("respan_config", "respan_stats"):
        body = re.sub(r"/\*.*?\*/", "", re.search(rf"typedef struct {struct} {{(.*?)\n}}", header, re.S)[1], flags=re.S)
        fields = re.findall(r"\*?(\w+)(?:\[\d+\])?[,;]", body)
        assert len(fields) > 5
        assert [f for f in fields if f != "size" and f"FIELD({struct}, {f})" not in program] == []


# ---- how it compiles ----------------------------------------------------------------------------------------------


C = [(compiler, std) for compiler in ("gcc", "clang") for std in ("gnu11", "gnu17", "gnu2x")]
CXX = [(compiler, std) for compiler in ("g++", "clang++") for std in ("c++11", "c++17", "c++20")]


def need(compiler):
    if not shutil.which(compiler):
        pytest.skip(f"no {compiler} here")


@pytest.mark.parametrize(("compiler", "std"), C)
def test_c_examples_compile_in_silence(installed, compiler, std):
    need(compiler)
    sources = [EXAMPLES / name for name in ("minimal.c", "token_loop.c", "toy_llama.c")]
    run(compiler, *STRICT, f"-std={std}", "-fsyntax-only", *sources, *installed.pkg_config("--cflags"))


@pytest.mark.parametrize(("compiler", "std"), CXX)
def test_cxx_example_compiles_in_silence(installed, compiler, std):
    need(compiler)
    run(compiler, *STRICT, f"-std={std}", "-fsyntax-only", EXAMPLES / "raii.cc", *installed.pkg_config("--cflags"))


def test_a_strict_c11_program_needs_no_extension(installed, tmp_path):
    (tmp_path / "p.c").write_text("#include <respan.h>\nint main(void) { return respan_version()[0] == 0; }\n")
    run(installed.compile("cc", tmp_path / "p", tmp_path / "p.c", options=["-std=c11"]), env=installed.environment)


def test_static_program_may_use_any_other_name(installed, tmp_path):
    """Names that are the library's own inside."""
    (tmp_path / "p.c").write_text(
        "#include <respan.h>\nint rs_buf_put(void); int rs_log(void);\nint rs_buf_put(void) { return 0; }\n"
        "int rs_log(void) { return 0; }\n"
        "int main(void) { return rs_buf_put() + rs_log() + (respan_version()[0] == 0); }\n"
    )
    program = installed.link_static("cc", tmp_path / "p", tmp_path / "p.c")
    run(program)
    assert "librespan" not in run("ldd", program)


# ---- the manual -----------------------------------------------------------------------------------------------------


def page(installed, name) -> str:
    [path] = installed.prefix.glob(f"share/man/man*/{name}")
    text = run("groff", "-ww", "-mdoc", "-Tascii", "-P-c", path)
    return re.sub(r".\x08", "", text)


def test_every_function_and_constant_is_in_its_page(installed):
    text = page(installed, "librespan.3")
    for name in declared() | set(re.findall(r"^    (RESPAN_\w+) = ", (ROOT / "include/respan.h").read_text(), re.M)):
        assert re.search(rf"\b{name}\b", text), name
    for declaration in (
        "const char *respan_version(void);",
        "uint64_t spool_bytes;",
        "} respan_stats;",
        "int main(void) {",
    ):
        assert declaration in text


def test_every_comment_of_the_header_is_in_the_page(installed):
    words = " ".join(page(installed, "librespan.3").split()).replace("- ", "")
    header = (ROOT / "include/respan.h").read_text()
    comments = re.findall(r"^/\*(?! ----)(.*?)\*/", header, re.M | re.S)
    assert len(comments) > 30
    for comment in comments:
        text = re.sub(r"^ \* ?", "", comment, flags=re.M).split()
        first = " ".join(text[:4])
        assert first.replace("- ", "") in words, first


def test_every_command_and_option_is_in_its_page(installed):
    text = page(installed, "respan.1")
    commands = re.findall(r"^  ([a-z]+) ", run(BINARY, "help"), re.M)
    assert "serve" in commands
    for command in commands:
        assert f"respan {command}" in text
        options = set(re.findall(r"--[a-z-]+", run(BINARY, command, "--help")))
        assert options
        assert {o for o in options if o not in text} == set()


@pytest.mark.parametrize("name", ["respan.1", "librespan.3"])
def test_pages_are_clean(installed, name):
    [path] = installed.prefix.glob(f"share/man/man*/{name}")
    done = subprocess.run(["groff", "-ww", "-mdoc", "-Tutf8", str(path)], text=True, capture_output=True)
    assert (done.returncode, done.stderr) == (0, "")
    if shutil.which("mandoc"):
        said = subprocess.run(["mandoc", "-Tlint", "-Wwarning", str(path)], text=True, capture_output=True)
        assert (said.returncode, said.stdout) == (0, "")


# ---- the examples, against the server -------------------------------------------------------------------------------


@pytest.fixture
def environment(installed, server):
    return {**server.environment, "LD_LIBRARY_PATH": str(installed.lib), "RESPAN_BASE_URL": f"{server.base_url}/api"}


def newest(server, name):
    listed = server.get(f"/api/traces/list/?name={name}").json["results"]
    return server.get(f"/api/traces/{listed[0]['trace_unique_id']}/").json


def test_token_loop(installed, server, environment, tmp_path):
    sources = [EXAMPLES / "token_loop.c", EXAMPLES / "toy_llama.c"]
    out = run(installed.compile("cc", tmp_path / "token_loop", *sources), env=environment)
    first, second, hint = out.splitlines()
    assert first == "The capital of France is Paris."
    assert second == "The capital of France is … no room is left in the context"
    trace = newest(server, "geography")
    assert hint == f"respan traces get {trace['trace_unique_id']}"
    assert (trace["span_count"], trace["llm_call_count"], trace["error_count"]) == (4, 2, 1)
    [workflow] = trace["span_tree"]
    answer, task = workflow["children"]
    [failed] = task["children"]
    assert (task["log_type"], failed["span_name"], answer["log_type"]) == ("task", "chat toy-135m-q4", "chat")
    assert [m["role"] for m in answer["input"]] == ["system", "user"]
    assert answer["output"][0]["content"] == first and answer["output"][0]["finish_reason"] == "stop"
    assert (answer["prompt_tokens"], answer["completion_tokens"], answer["usage_source"]) == (6, 7, "measured")
    assert answer["parameters"] == {"max_tokens": 32, "temperature": 0.2, "top_k": 40, "seed": 7}
    assert 0 < answer["time_to_first_token"] < answer["latency"]
    assert answer["tokens_per_second"] > 0
    assert len(answer["attributes"]["respan.generation.token_gaps"]) == 6
    assert [e["name"] for e in answer["events"]] == ["first token"]
    assert (failed["status_code"], failed["error_message"]) == ("error", "no room is left in the context")
    assert [e["name"] for e in failed["events"]] == ["first token", "exception"]
    shown = server.command("traces", "get", "latest", "--content").stdout
    for text in (
        "geography",
        "ask_again",
        "6 in + 7 out (measured)",
        "temperature=0.2",
        "no room is left in the context",
    ):
        assert text in shown


def test_minimal_statically_linked(installed, server, environment, tmp_path):
    out = run(installed.link_static("cc", tmp_path / "minimal", EXAMPLES / "minimal.c"), env=environment)
    assert out == "The capital of France is Paris.\n"
    trace = newest(server, "geography")
    assert trace["span_count"] == 2
    assert trace["span_tree"][0]["children"][0]["output"][0]["content"] == out.strip()


def test_cxx_span_ends_with_its_scope(installed, server, environment, tmp_path):
    need("g++")
    run(installed.compile("g++", tmp_path / "raii", EXAMPLES / "raii.cc"), env=environment)
    [workflow] = newest(server, "measure")["span_tree"]
    [task] = workflow["children"]
    assert (task["span_name"], task["status_code"], task["error_message"]) == (
        "measure.task",
        "error",
        "the ruler is lost",
    )
    assert json.dumps(workflow).count("ruler") >= 1


def test_without_a_server_an_example_does_its_work(installed, server, environment, tmp_path):
    program = installed.compile("cc", tmp_path / "minimal", EXAMPLES / "minimal.c")
    nobody = {**environment, "RESPAN_BASE_URL": "http://127.0.0.1:1/api", "XDG_STATE_HOME": str(tmp_path)}
    done = subprocess.run([str(program)], env=nobody, text=True, capture_output=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "The capital of France is Paris.\n")
    assert done.stderr.count("\n") == 1 and "2 of 2 spans" in done.stderr
