#!/usr/bin/env python3
"""The public names of PyPI's respan-ai, with the parameters of what can be called, as JSON: what ours is held to.

"$(tools/make_compat_venv)" tools/list_peer_names.py > tests/python/peer_names.json
"""

import dataclasses
import inspect
import json
from importlib.metadata import version

import respan
from respan_tracing import Instruments, RespanTelemetry
from respan_tracing.processors import SpanBuffer


def parameters(function):
    """[name, kind, whether it may be left out] each, without self."""
    found = inspect.signature(function).parameters.values()
    return [
        [p.name, p.kind.name, p.default is not p.empty or p.kind.name.startswith("VAR")]
        for p in found
        if p.name != "self"
    ]


def members(owner):
    found = {}
    for name, value in inspect.getmembers(owner):
        if not name.startswith("_"):
            found[name] = parameters(value) if callable(value) else None
    return found


def main():
    functions, classes = {}, {}
    for name in respan.__all__:
        value = getattr(respan, name)
        if inspect.isclass(value) and not dataclasses.is_dataclass(value):
            classes[name] = members(value)
        functions[name] = parameters(value) if callable(value) and name != "Instrumentation" else None
    # **telemetry_kwargs of Respan() are these:
    keywords = [[name, "KEYWORD_ONLY", True] for name in inspect.signature(RespanTelemetry).parameters]
    functions["Respan"] = [p for p in functions["Respan"] if p[1] != "VAR_KEYWORD"]
    functions["Respan"] += [p for p in keywords if p[0] not in {name for name, *_ in functions["Respan"]}]
    classes["Respan.telemetry"] = members(RespanTelemetry)
    classes["RespanClient.get_span_buffer()"] = members(SpanBuffer)
    peer = {
        "version": version("respan-ai"),
        "functions": functions,
        "classes": classes,
        "instruments": {member.name: member.value for member in Instruments},
        "registry": [dataclasses.asdict(spec) for spec in respan.AUTO_INSTRUMENTATION_REGISTRY],
    }
    for spec in peer["registry"]:
        del spec["auto_disabled_reason"]  # prose
    parts = []
    for key, value in peer.items():  # a line for each name: what changes is then seen
        lines = [json.dumps(item) for item in value] if isinstance(value, list) else None
        if isinstance(value, dict):
            lines = [f"{json.dumps(name)}: {json.dumps(item)}" for name, item in value.items()]
        brackets = "[]" if isinstance(value, list) else "{}"
        text = json.dumps(value) if lines is None else f"{brackets[0]}\n" + ",\n".join(lines) + f"\n{brackets[1]}"
        parts.append(f"{json.dumps(key)}: {text}")
    print("{\n" + ",\n".join(parts) + "\n}")


main()
