#!/usr/bin/env python3
"""What the repository's own build says of librespan, for the build of the extension.

usage: librespan.py version | sources

version: that of the project in the root meson.build. sources: the C files of librespan, one a line, as the lists in
src/*/meson.build have them.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
LISTS = {"src/base": "base_sources", "src/otlp": "otlp_encode_sources", "src/sdk": "sdk_sources"}


def version() -> str:
    found = re.search(r"version:\s*'([^']+)'", (ROOT / "meson.build").read_text())
    if found is None:
        sys.exit("librespan.py: no version in the root meson.build")
    return found[1]


def sources() -> list[str]:
    paths = []
    for folder, name in LISTS.items():
        text = (ROOT / folder / "meson.build").read_text()
        found = re.search(rf"^{name}\s*=\s*files\(([^)]*)\)", text, re.MULTILINE)
        if found is None:
            sys.exit(f"librespan.py: no {name} = files(…) in {folder}/meson.build")
        paths += [str(ROOT / folder / file) for file in re.findall(r"'([^']+)'", found[1])]
    return paths


if __name__ == "__main__":
    if sys.argv[1:] == ["version"]:
        print(version())
    elif sys.argv[1:] == ["sources"]:
        print("\n".join(sources()))
    else:
        sys.exit(__doc__.split("\n\n")[1])
