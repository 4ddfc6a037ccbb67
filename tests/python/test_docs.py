"""The documentation names what is there: tests by their names, and each line of the files that docs/span-reference.md explains."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
DOCS = TESTS.parent / "docs"
GOLDEN = TESTS / "e2e" / "golden"
UNSTEADY = "respan.generation.stall_time"  # on a busy machine alone: the files leave it out


def test_every_test_that_is_named_is_there():
    there = {
        name
        for path in TESTS.rglob("test_*.py")
        for name in (path.stem, *re.findall(r"^(?:async )?def (test_\w+)", path.read_text(), re.M))
    }
    for page in DOCS.glob("*.md"):
        named = set(re.findall(r"`(?:\w+\.)?(test_\w+)`", page.read_text()))
        assert named <= there, f"{page.name}: {sorted(named - there)}"
    assert len(re.findall(r"`test_\w+`", (DOCS / "huggingface.md").read_text())) > 90


def test_every_file_that_is_named_is_there():
    for page in DOCS.glob("*.md"):
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text()):
            assert (DOCS / target).exists(), f"{page.name}: {target}"


def golden_lines():
    """(section, name) of each line of the files; numbers of messages are N."""
    for path in GOLDEN.glob("script.*.txt"):
        section = ""
        for line in path.read_text().splitlines():
            if line.startswith("== "):
                section = "As the server has it" if "the server" in line else "The request"
            elif line:
                name = line.partition(": ")[0]
                attribute = name.removeprefix("attributes.")
                if attribute != name:
                    yield "Attributes", re.sub(r"\.\d+\.", ".N.", attribute)
                else:
                    yield section, name


def explained(section):
    """The names in the first column of the section's table."""
    text = (DOCS / "span-reference.md").read_text().split(f"\n## {section}\n")[1].split("\n## ")[0]
    first_cells = [line.split(" | ")[0] for line in text.splitlines() if line.startswith("| `")]
    return [name for cell in first_cells for name in re.findall(r"`([^`]+)`", cell)]


@pytest.mark.parametrize("section", ["The request", "Attributes", "As the server has it"])
def test_every_line_of_the_golden_files_is_explained_and_nothing_else(section):
    rows = explained(section)
    assert len(rows) == len(set(rows)) > 10
    there = {name for of_section, name in golden_lines() if of_section == section}
    assert set(rows) - {UNSTEADY} == there
