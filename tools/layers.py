#!/usr/bin/env python3
"""House rules of the C code, run by the build: includes point only down, and banned functions stay out.

usage: layers.py [--stamp FILE] ROOT      exits 1 and names file and line for every breach
"""

import re
import sys
from pathlib import Path

# Who may include whom (besides itself); the direction of flow of HACKING.md.
LAYERS = {
    "base": set(),
    "otlp": {"base"},
    "sdk": {"otlp", "base"},
    "normalize": {"otlp", "base"},
    "store": {"otlp", "base"},
    "query": {"store", "otlp", "base"},
    "gateway": {"otlp", "base"},
    "server": {"gateway", "query", "store", "normalize", "otlp", "base"},
    "cli": {"server", "sdk", "store", "base"},
}
BANNED = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|strtok|gets|alloca)\s*\(")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
PYTHON_EXTENSION = "python/respan/src/respan/_core"


def breaches(root: Path):
    files = sorted((root / "src").rglob("*.[ch]")) + sorted((root / PYTHON_EXTENSION).rglob("*.[ch]"))
    for path in files:
        relative = path.relative_to(root)
        layer = relative.parts[1] if relative.parts[0] == "src" else "python"
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if match := BANNED.search(line):
                yield path, number, f"{match[1]}() is banned: use snprintf, rs_buf or rs_str"
            if not (match := INCLUDE.match(line)):
                continue
            target = match[1]
            top = target.split("/")[0] if "/" in target else layer
            if layer == "python":
                if target != "respan.h" and "/" in target:
                    yield path, number, f"the extension includes only respan.h, not {target}"
            elif target == "respan.h":
                if layer != "sdk":
                    yield path, number, "only sdk/ includes respan.h"
            elif layer not in LAYERS:
                yield path, number, f"folder src/{layer} is not in the layers of tools/layers.py"
            elif top != layer and top in LAYERS and top not in LAYERS[layer]:
                yield path, number, f"{layer}/ must not include {top}/ ({target})"
    return files


def main() -> int:
    arguments = sys.argv[1:]
    stamp = None
    if arguments[:1] == ["--stamp"]:
        stamp, arguments = Path(arguments[1]), arguments[2:]
    root = Path(arguments[0]).resolve()
    found = list(breaches(root))
    for path, number, message in found:
        print(f"{path}:{number}: {message}", file=sys.stderr)
    if stamp and not found:
        stamp.touch()
        sources = " ".join(
            str(p) for p in [*(root / "src").rglob("*.[ch]"), *(root / PYTHON_EXTENSION).rglob("*.[ch]")]
        )
        stamp.with_suffix(".d").write_text(f"{stamp}: {sources}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
