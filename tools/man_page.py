#!/usr/bin/env python3
"""Manual pages from what the program and the header say, so that they say the same.

usage: man_page.py command TEMPLATE BINARY OUT    respan.1: from `respan help` and each command's --help
       man_page.py library TEMPLATE HEADER EXAMPLE OUT    librespan.3: from include/respan.h and an example

A template is mdoc(7) with lines @NAME@ that are replaced. Text of help: lines of two columns become a list, indented ones
stay as they are, others are paragraphs. The header: its comments are the text, `----` lines the sections, what
follows a comment up to an empty line or the next comment is what it describes.
"""

import re
import subprocess
import sys
import textwrap
from pathlib import Path

COLUMNS = re.compile(r" *(\S.*?)(?:  +| *\n +)(\S.*)")  # a name and what it is, on its line or the next


def escape(text: str) -> str:
    """Text as roff shows it; a line must not begin with a control character."""
    text = (
        text.replace("\\", "\\e").replace("-", "\\-").replace("`", "\\(ga").replace("^", "\\(ha").replace("~", "\\(ti")
    )
    text = text.replace("…", "...").replace("→", "\\(->")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.MULTILINE)


def literal(text: str) -> str:
    return f".Bd -literal -offset indent\n{escape(text)}\n.Ed"


def wrapped(text: str) -> str:
    """Source lines of the usual length."""
    return escape(textwrap.fill(text, 70, break_long_words=False, break_on_hyphens=False))


def paragraph(text: str) -> str:
    """One sentence a line, as mdoc wants it."""
    sentences = re.split(r"(?<=[^ .][.?!:]) (?=[^a-z])", " ".join(text.split()))
    return ".Pp\n" + "\n".join(wrapped(s) for s in sentences)


# ---- respan.1 ---------------------------------------------------------------------------------------------------


def list_item(name: str, text: str) -> str:
    """`--limit N` as an option with its argument, `list` as a command."""
    words = [f"Fl \\-{escape(w[2:])}" if w.startswith("--") else f"Ar {escape(w)}" for w in name.split()]
    if not name.startswith("--"):
        words = [f"Cm {escape(name)}"]
    return f".It {' '.join(words)}\n{wrapped(text)}"


def help_page(text: str) -> str:
    """The mdoc of a command's help."""
    out, blocks = [], text.strip("\n").split("\n\n")
    for block in blocks:
        lines = block.split("\n")
        if lines[0].startswith("usage: "):
            out.append(literal("\n".join(line[7:] for line in lines)))
            continue
        items: list[list[str]] = []
        indent = 0
        for line in lines:
            found = re.match(r"( *)(\S.*?)(\s{2,})(\S.*)", line)
            if items and line[:indent].isspace():
                items[-1][1] += " " + line.strip()
            elif found:
                indent = found.start(4)
                items.append([found[2], found[4]])
            elif items and line.startswith(" ") and line.strip():
                items.append([line.strip(), ""])
            else:
                items = []
                break
        if items:
            out += [".Bl -tag -width Ds", *(list_item(*item) for item in items), ".El"]
        elif all(line.startswith("    ") for line in lines):
            out.append(literal("\n".join(line[4:] for line in lines)))
        else:
            out.append(paragraph(block))
    return "\n".join(out)


def command_page(template: str, binary: str) -> str:
    def run(*arguments: str) -> str:
        return subprocess.run([binary, *arguments], text=True, check=True, capture_output=True).stdout

    commands = re.findall(r"^  ([a-z]+) +(\S.*)", run("help"), re.MULTILINE)
    synopsis = "\n".join(f".Nm\n.Cm {name}\n.Op Ar argument ..." for name, _ in commands)
    sections = [f".Ss respan {name}: {escape(summary)}\n{help_page(run(name, '--help'))}" for name, summary in commands]
    return fill(template, SYNOPSIS=synopsis, COMMANDS="\n".join(sections))


# ---- librespan.3 ------------------------------------------------------------------------------------------------


def comment_text(comment: str) -> str:
    return "\n".join(re.sub(r"^ \* ?| \*$", "", line) for line in comment[2:-2].split("\n")).strip()


def prose(comment: str) -> str:
    """Paragraphs, and indented lines as they are."""
    out: list[str] = []
    for block in comment_text(comment).split("\n\n"):
        lines = block.split("\n")
        out.append(
            literal(textwrap.dedent(block)) if all(line.startswith("   ") for line in lines) else paragraph(block)
        )
    return "\n".join(out).replace(".Ed\n.Bd -literal -offset indent\n", "\n")


def items(section: str) -> list[tuple[str, str]]:
    """(comment, code) of each declaration or group of them; what is inside braces belongs to its declaration."""
    found, comment, code, depth, in_comment = [], "", "", 0, False
    for line in [*section.split("\n"), ""]:
        ends = depth == 0 and not in_comment and (not line or (line.startswith("/*") and code))
        if ends:
            found += [(comment, code)] if code else []
            comment = code = ""
        if not code and depth == 0 and (in_comment or line.startswith("/*")):
            comment += line + "\n"
            in_comment = not line.endswith("*/")
        elif line or depth:
            code += line.removeprefix("RESPAN_API ") + "\n"
            depth += line.count("{") - line.count("}")
    return found


def library_page(template: str, header: str, example: str) -> str:
    head, body = re.match(r"(/\*.*?\*/)(.*)", header, re.DOTALL).groups()
    body = body[body.index("#endif", body.index("#define RESPAN_API\n")) + 6 : body.index("#ifdef __cplusplus\n}")]
    out = []
    for section in re.split(r"^(?=/\* ----)", body, flags=re.MULTILINE):
        title = re.match(r"/\* ---- (.*?) -+ \*/\n", section)
        if title:
            out.append(f".Ss {title[1].capitalize()}")
        for comment, code in items(section[title.end() :] if title else section):
            out.append(literal(code.rstrip()))
            out += [prose(comment.strip())] if comment else []
    names = re.findall(r"\b(respan_\w+)\(", "\n".join(re.findall(r"^RESPAN_API [^;]*;", body, re.MULTILINE)))
    listed = " ,\n".join(f".Nm {name}" for name in names)
    return fill(
        template, NAMES=listed, DESCRIPTION=prose(head), FUNCTIONS="\n".join(out), EXAMPLE=literal(example.strip())
    )


def fill(template: str, **parts: str) -> str:
    for name, text in parts.items():
        template = template.replace(f"@{name}@\n", text + "\n")
    return re.sub(r"^(\.S[sh] .*\n)\.Pp\n", r"\1", template, flags=re.MULTILINE)


def main() -> None:
    mode, template, *inputs, out = sys.argv[1:]
    text = Path(template).read_text()
    if mode == "command":
        page = command_page(text, *inputs)
    else:
        page = library_page(text, *(Path(i).read_text() for i in inputs))
    Path(out).write_text(page)


if __name__ == "__main__":
    main()
