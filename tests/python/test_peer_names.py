"""Every public name of PyPI's respan-ai is here, and can be called as there (peer_names.json, of tools/list_peer_names.py)."""

import dataclasses
import inspect
import json
from pathlib import Path

import pytest
import respan
from respan import Respan, RespanClient, get_client

PEER = json.loads((Path(__file__).parent / "peer_names.json").read_text())
OURS_IS_ON = {"huggingface"}  # of the registry: what these packages are for


def owner_of(name, opened):
    if name == "Respan.telemetry":
        return opened.telemetry
    if name == "RespanClient.get_span_buffer()":
        return get_client().get_span_buffer("t")
    return getattr(respan, name)


def assert_takes_the_same(ours, theirs, where):
    signature = inspect.signature(ours)
    taken = [p for p in signature.parameters.values() if p.name != "self"]
    by_name = {p.name: p for p in taken}
    any_keyword = any(p.kind is p.VAR_KEYWORD for p in taken)
    any_position = any(p.kind is p.VAR_POSITIONAL for p in taken)
    for at, (name, kind, optional) in enumerate(theirs):
        if kind.startswith("VAR"):
            assert any_keyword or any_position, f"{where}: *{name}"
            continue
        ours_is = by_name.get(name)
        assert ours_is is not None or any_keyword, f"{where}: {name}"
        if ours_is is None:
            continue
        if optional:
            assert ours_is.default is not ours_is.empty, f"{where}: {name} may be left out"
        if kind == "POSITIONAL_OR_KEYWORD" and ours_is.kind is ours_is.POSITIONAL_OR_KEYWORD:
            assert taken[at].name == name, f"{where}: {name} is not in its place"
        else:
            assert kind == "KEYWORD_ONLY" or any_position or taken[at].kind is ours_is.POSITIONAL_ONLY, (
                f"{where}: {name}"
            )
    named = {name for name, *_ in theirs}
    for p in taken:
        if p.name not in named and not any(kind.startswith("VAR") for _, kind, _ in theirs):
            assert p.default is not p.empty or p.kind in (p.VAR_KEYWORD, p.VAR_POSITIONAL), (
                f"{where}: {p.name} is asked for"
            )


@pytest.mark.parametrize("name", sorted(PEER["functions"]))
def test_a_name_of_the_module(name):
    ours = getattr(respan, name)
    assert name in respan.__all__ and name in dir(respan)
    theirs = PEER["functions"][name]
    if theirs is not None:
        assert_takes_the_same(ours, theirs, name)


@pytest.mark.parametrize("name", sorted(PEER["classes"]))
def test_the_members_of_a_class(name, tracing):
    owner = owner_of(name, tracing())
    for member, theirs in PEER["classes"][name].items():
        assert hasattr(owner, member), f"{name}.{member}"
        if theirs is not None:
            assert_takes_the_same(getattr(owner, member), theirs, f"{name}.{member}")


def test_the_registry_is_the_same():
    ours = [dataclasses.asdict(spec) for spec in respan.AUTO_INSTRUMENTATION_REGISTRY]
    assert all((spec.pop("auto_disabled_reason") is None) == spec["enabled_by_default"] for spec in ours)
    theirs = [
        {**spec, "enabled_by_default": spec["enabled_by_default"] or spec["id"] in OURS_IS_ON}
        for spec in PEER["registry"]
    ]
    assert json.loads(json.dumps(ours)) == theirs
    enabled = respan.list_auto_instrumentation_specs(include_disabled=False)
    assert {spec.id for spec in enabled} == {spec["id"] for spec in theirs if spec["enabled_by_default"]}
    assert respan.list_auto_instrumentation_specs() == respan.AUTO_INSTRUMENTATION_REGISTRY


def test_instruments_are_the_same():
    assert {member.name: member.value for member in respan.Instruments} == PEER["instruments"]


def test_the_methods_of_a_span_are_opentelemetry_s(respan_spans):
    with get_client().start_span("s") as span:
        for name in (
            *("get_span_context", "is_recording", "set_attribute", "set_attributes", "add_event", "add_link"),
            *("update_name", "set_status", "record_exception", "end"),
        ):
            assert callable(getattr(span, name))
    assert isinstance(get_client(), RespanClient) and isinstance(Respan(is_enabled=False).telemetry.is_enabled, bool)
