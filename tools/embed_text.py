#!/usr/bin/env python3
"""Writes a file as a C array of bytes and its size.

usage: embed_text.py FILE OUTPUT.c NAME      defines `const unsigned char NAME[]` and `const size_t NAME_size`
"""

import sys
from pathlib import Path

LINE = 24


def main() -> int:
    file, output, name = sys.argv[1:]
    data = Path(file).read_bytes()
    lines = [",".join(map(str, data[i : i + LINE])) for i in range(0, len(data), LINE)]
    Path(output).write_text(
        "#include <stddef.h>\n"
        f"extern const unsigned char {name}[];\nextern const size_t {name}_size;\n"
        f"const unsigned char {name}[] = {{\n" + ",\n".join(lines) + "};\n"
        f"const size_t {name}_size = sizeof {name};\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
