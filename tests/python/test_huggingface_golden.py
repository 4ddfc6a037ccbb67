"""The spans of the documentation's script, attribute by attribute, against a file (docs/huggingface.md explains it).

RESPAN_GOLDEN=write makes the file anew; what changes from run to run or from machine to machine stands there as <its sort>.
"""

import json
import os
import re
from importlib.metadata import version
from pathlib import Path

import pytest
from conftest import ROOT

GOLDEN = Path(__file__).with_name("golden")
SOMETIMES = re.compile(r"^respan\.generation\.stall")  # on a busy machine
VOLATILE = (
    (re.compile(r"\.(seconds|.*_seconds|bytes|memory.*|.*_version)$"), None),
    (re.compile(r"^respan\.(generation|memory|load)\..*(time|second|prefill|decode|gap|bytes|per_|peak)"), None),
    (re.compile(r"^respan\.usage\.completion_"), None),
    (re.compile(r"^gen_ai\.completion\.\d+\.(content|finish_reason)$"), None),
    (re.compile(r"^(gen_ai\.usage\.(output|completion)_tokens|llm\.usage\.total_tokens)$"), None),
    (re.compile(r"^respan\.generation\.(tokens|steps|forwards)"), None),
    (re.compile(r"^traceloop\.entity\.(input|output)$"), "load"),
    (re.compile(r"^(traceloop\.entity\.output|respan\.model\.seed|process\.pid|host\.name)$"), None),
)


def shown(span, key, value):
    for names, of in VOLATILE:
        if names.search(key) and (of is None or span.name.startswith(of)):
            return f"<{type(value).__name__}>"
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def described(server):
    """One paragraph a span, in the order of their starts."""
    names = {span.span_id: span.name for span in server.spans}
    for span in sorted(server.spans, key=lambda span: span.start):
        yield f"span: {span.name}"
        yield f"kind: {span.kind}   status: {span.status}   below: {names.get(span.parent_id, 'nothing')}"
        yield from (f"event: {name} {sorted(attributes)}" for name, attributes in span.events)
        keys = [key for key in sorted(span.attributes) if not SOMETIMES.search(key)]
        yield from (f"{key}: {shown(span, key, span.attributes[key])}" for key in keys)
        yield ""


@pytest.fixture
def documented():
    """The script, from the documentation that it is in."""
    text = (ROOT / "examples" / "huggingface_text_generation.py").read_text()
    assert "max_length=42" in text and "repetition_penalty=1.1" in text
    return f"import torch; torch.manual_seed(1)\n{text}"  # so that it does not happen to end at once


def test_the_spans_of_the_script(server, script, generator, documented):
    done = script(documented)
    assert done.returncode == 0, done.stderr
    got = "\n".join(described(server))
    path = GOLDEN / f"script.transformers{version('transformers').partition('.')[0]}.txt"
    if os.environ.get("RESPAN_GOLDEN") == "write":
        path.write_text(got)
    assert got == path.read_text(), f"RESPAN_GOLDEN=write makes {path.relative_to(ROOT)} anew"
