"""Inputs and outputs as JSON: whatever a function takes or returns, its call is neither broken nor held up."""

import datetime
import decimal
import json
import pathlib
from dataclasses import dataclass

import pytest
from respan import _core, task


def shown(value):
    return json.loads(_core.to_json(value))


class Hostile:
    def __getattribute__(self, name):
        raise RuntimeError(name)

    def __repr__(self):
        raise RuntimeError("repr")

    __str__ = __repr__
    __hash__ = None


@dataclass
class Point:
    x: int
    label: str = "p"


class Model:
    def model_dump(self):
        return {"a": [1, {"b": 2}]}


class BadModel:
    def model_dump(self):
        raise MemoryError


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (True, True),
        (-(2**63), -(2**63)),
        (2**200, 2**200),
        (1.5, 1.5),
        (1e300, 1e300),
        (float("nan"), "<NaN>"),
        (float("-inf"), "<-Infinity>"),
        ('é\n\t"\\\x00\x1f\x7f😀', 'é\n\t"\\\x00\x1f\x7f😀'),
        ("lone \ud800 surrogate", "lone ? surrogate"),
        ((1, [2], {"k": (3,)}), [1, [2], {"k": [3]}]),
        ({1: "a", None: "b", (1, 2): "c"}, {"1": "a", "None": "b", "<tuple>": "c"}),
        ({7}, [7]),
        (b"bytes", "<bytes>"),
        (Point(1), {"x": 1, "label": "p"}),
        (Point, "Point"),
        (Model(), {"a": [1, {"b": 2}]}),
        (BadModel(), "<BadModel>"),
        (object(), "<object>"),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (decimal.Decimal("1.10"), "1.10"),
        (pathlib.PurePosixPath("/a/b"), "/a/b"),
        (lambda: 1, "<function>"),
    ],
)
def test_values(value, expected):
    if isinstance(value, type):
        expected = f"<{expected}>"
    assert shown(value) == expected


def test_values_that_cannot_be_printed():
    assert shown(10**5000) == "<int>"
    assert shown([Hostile()]) == ["<Hostile>"]


def test_values_that_contain_themselves():
    items = [1]
    items.append(items)
    mapping = {"items": items}
    mapping["self"] = mapping
    assert shown(items) == [1, "<circular>"]
    assert shown(mapping) == {"items": [1, "<circular>"], "self": "<circular>"}


def test_depth_is_bounded():
    value = "deep"
    for _ in range(100_000):
        value = [value]
    text = _core.to_json(value)
    assert len(text) < 200 and json.loads(text)


@pytest.mark.parametrize(
    "value",
    [
        "é" * 5_000_000,
        ["x"] * 5_000_000,
        {str(n): "x" * 100 for n in range(100_000)},
        [["y" * 1000] * 100] * 1000,
        {"a" * 3_000_000: 1, "b": 2},
        ["\x00" * 300_000] * 10,
    ],
    ids=["long text", "long list", "big dict", "nested", "long key", "all escapes"],
)
def test_size_is_bounded_and_stays_json(value):
    text = _core.to_json(value)
    assert len(text.encode()) < 6 * (1 << 20)
    json.loads(text)


def test_containers_that_change_while_they_are_read():
    items = []

    class Shrinks:
        def model_dump(self):
            items.clear()
            return "shrunk"

    items[:] = [Shrinks(), 1, 2, 3]
    assert shown(items) == ["shrunk"]
    mapping = {}

    class Grows:
        def model_dump(self):
            for n in range(1000):
                mapping[n] = n
            return "grown"

    mapping["g"] = Grows()
    assert shown(mapping)["g"] == "grown"


def test_calls_with_hostile_values_work(server, traced):
    @task
    def echo(*args, **kwargs):
        return args, kwargs

    hostile = Hostile()
    args, kwargs = echo(hostile, b"\xff", x=hostile, **{"\ud800": 1})
    assert args[0] is hostile and kwargs["x"] is hostile
    traced()
    assert server.span("echo.task").input == {
        "args": ["<Hostile>", "<bytes>"],
        "kwargs": {"x": "<Hostile>", "?": 1},
    }


def test_ctrl_c_while_an_argument_is_read_is_not_lost(server, traced):
    class Interrupts:
        def model_dump(self):
            raise KeyboardInterrupt

    ran = []

    @task
    def echo(x):
        ran.append(x)
        return x

    with pytest.raises(KeyboardInterrupt):
        echo(Interrupts())
    assert ran == []


@pytest.mark.parametrize("variable", ["TRACELOOP_TRACE_CONTENT", "RESPAN_TRACE_CONTENT"])
@pytest.mark.parametrize("value", ["false", "FALSE", "0", "no", "Off"])
def test_content_can_be_kept_out(server, tracing, monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    respan = tracing()

    @task
    def fail(text):
        raise ValueError(text)

    @task
    def work(text):
        return text

    work("a secret")
    with pytest.raises(ValueError, match="a secret"):
        fail("a secret")
    assert respan.flush()
    assert len(server.spans) == 2
    assert server.span("fail.task").status == 2
    assert not any(b"a secret" in body for body in server.bodies)


@pytest.mark.parametrize("special", ['"', "\\", "\n", "\x00", "\x1f", "\x7f", " ", "é", "😀", "\ud800"])
def test_every_place_in_a_text_is_looked_at(special):
    for length in range(70):
        for at in range(length):
            text = "x" * at + special + "!" * (length - at - 1)
            assert shown(text) == text.replace("\ud800", "?"), (length, at)
    assert shown(special * 40) == special.replace("\ud800", "?") * 40


def test_all_that_must_be_escaped_is_and_nothing_else():
    text = "".join(map(chr, range(1, 0x300)))
    assert _core.to_json(text) == json.dumps(text, ensure_ascii=False).replace("\\b", "\\u0008").replace(
        "\\f", "\\u000c"
    )
