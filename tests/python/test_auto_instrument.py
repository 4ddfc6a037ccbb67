"""is_auto_instrument, instruments, block_instruments: what is installed is switched on, what is not is a status."""

import sys
import types

import pytest
from respan import Instruments, _auto

FAKES = {
    "openai": "fake_plugin_openai:Plugin",
    "anthropic": "fake_plugin_anthropic:Broken",
    "cohere": "fake_plugin_cohere:Plugin",
    "together": "fake_plugin_together:Absent",
}


class Plugin:
    def __init__(self, **options):
        self.options, self.is_on = options, 0

    def activate(self):
        self.is_on += 1

    def deactivate(self):
        self.is_on -= 1


class Broken(Plugin):
    def activate(self):
        raise RuntimeError("broken")


class Absent(Plugin):
    _is_instrumented = False

    def activate(self):
        pass


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Fakes of four plugins, as pip would install them."""
    folder = tmp_path / "respan_instrumentation_fakes-1.0.dist-info"
    folder.mkdir()
    lines = [
        "[respan.instrumentations]",
        *(f"{name} = {target}" for name, target in FAKES.items()),
        "",
        "[other]",
        "x=y:z",
    ]
    (folder / "entry_points.txt").write_text("\n".join(lines))
    (tmp_path / "opentelemetry_instrumentation_nothing-1.dist-info").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    made = {}
    for target in FAKES.values():
        module, _, name = target.partition(":")
        key = module.rpartition("_")[2]
        kind = type(key, ({"Plugin": Plugin, "Broken": Broken, "Absent": Absent}[name],), {"name": key})
        fake = types.ModuleType(module)
        setattr(fake, name, lambda kind=kind, **options: made.setdefault(kind.name, kind(**options)))
        monkeypatch.setitem(sys.modules, module, fake)
    return made


def statuses(respan):
    return {one["id"]: one for one in respan.get_auto_instrumentation_status()}


def test_what_is_installed_is_switched_on_and_off(tracing, installed, caplog):
    respan = tracing()
    found = statuses(respan)
    assert found["openai"]["status"] == "enabled" and installed["openai"].is_on == 1
    assert found["huggingface"]["status"] == "enabled"
    assert found["anthropic"] == {
        "id": "anthropic",
        "name": "anthropic",
        "status": "failed",
        "provider": "Anthropic",
        "sdk_package": "anthropic",
        "instrumentation_package": "respan-instrumentation-anthropic",
        "reason": "RuntimeError: broken",
    }
    assert "anthropic could not be switched on: RuntimeError: broken" in caplog.text
    assert found["together"]["status"] == "missing" and found["vertexai"]["status"] == "missing"
    assert found["cohere"]["status"] == "disabled" and "cohere" not in installed
    assert [vars(status) for status in respan.auto_instrumentation_status] == list(found.values())
    respan.shutdown()
    assert installed["openai"].is_on == 0


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        ({}, {"openai", "huggingface"}),
        ({"instrumentations": []}, set()),
        ({"instrumentations": [], "is_auto_instrument": True}, {"openai", "huggingface"}),
        ({"is_auto_instrument": False}, set()),
        ({"is_auto_instrument": False, "instruments": ["openai"]}, set()),
        ({"instruments": {Instruments.COHERE}}, {"cohere"}),
        ({"instruments": ["cohere", "openai", "no-such-thing"], "block_instruments": {Instruments.OPENAI}}, {"cohere"}),
        ({"block_instruments": {Instruments.TRANSFORMERS}}, {"openai"}),
        ({"is_enabled": False}, set()),
    ],
)
def test_what_is_chosen(tracing, installed, options, ids):
    respan = tracing(**options)
    assert {one["id"] for one in respan.get_auto_instrumentation_status() if one["status"] == "enabled"} == ids
    assert {name for name, plugin in installed.items() if plugin.is_on} == ids - {"huggingface"}


def test_a_plugin_that_was_given_is_not_switched_on_twice(tracing, installed):
    given = type("Given", (Plugin,), {"name": "openai"})()
    respan = tracing(instrumentations=[given], is_auto_instrument=True)
    assert given.is_on == 1 and "openai" not in installed
    assert statuses(respan)["openai"]["reason"] == "already activated explicitly"


def test_a_plugin_that_conflicts_is_left_off(tracing, installed):
    found = statuses(tracing(instruments=["openai", "openrouter"]))
    assert found["openai"]["status"] == "enabled"
    assert (found["openrouter"]["status"], found["openrouter"]["reason"]) == ("disabled", "conflicts with openai")


def test_blocking_threading_leaves_threads_alone(tracing):
    import threading

    before = threading.Thread.start
    respan = tracing(block_instruments={Instruments.THREADING})
    assert threading.Thread.start is before
    respan.shutdown()
    tracing()
    assert threading.Thread.start is not before


def test_names_of_every_instrument():
    ids = _auto.ids_of(Instruments)
    assert len(ids) == len(Instruments)
    assert {"huggingface", "aws-bedrock", "google-genai", "mistralai", "crewai", "llama-index", "django"} <= ids
