"""What `respan._core` measures for instrumentations: token ids in tensors, the process's memory."""

import os
import subprocess
import sys
import textwrap
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st
from respan._core import count_completions, count_prompts, highest_memory, resident_memory

numpy = pytest.importorskip("numpy")  # not on every build of CPython (tools/run_python_on)
TYPES = ("int64", "int32", "int16", "uint8", "bool")
SETS = st.sets(st.integers(0, 6), max_size=4)


def ids_of(ids):
    return array("q", sorted(ids))


@st.composite
def batches(draw, rows=None):
    """[row, item] of small numbers, in one of the layouts that tensors have."""
    rows = draw(st.integers(0, 4)) if rows is None else rows
    kind, length = draw(st.sampled_from(TYPES)), draw(st.integers(0, 7))
    values = [[draw(st.integers(0, 1 if kind == "bool" else 6)) for _ in range(length)] for _ in range(rows)]
    made = numpy.array(values, dtype=kind).reshape(rows, length)
    layout = draw(st.sampled_from(("rows", "columns", "every other", "backwards")))
    if layout == "columns":
        made = numpy.asfortranarray(made)
    elif layout == "every other":
        made = numpy.repeat(made, 2, axis=1)[:, ::2]
    elif layout == "backwards":
        made = numpy.ascontiguousarray(made[:, ::-1])[:, ::-1]
    return made


@st.composite
def prompts_and_masks(draw):
    prompts = draw(batches())
    return prompts, draw(st.none() | batches(rows=len(prompts)))


@given(prompts_and_masks(), SETS)
def test_prompts_are_counted_as_their_masks_say(both, special):
    prompts, mask = both
    each, specials, padding = [], 0, 0
    for row in range(len(prompts)):
        ids = prompts[row].tolist()
        through = [True] * len(ids) if mask is None else [bool(on) for on in mask[row].tolist()]
        each.append(sum(through))
        padding += max(0, len(ids) - sum(through))
        of_ids = through[-len(ids) :] if ids else []
        specials += sum(on and token in special for token, on in zip(ids, of_ids, strict=False))
    expected = (sum(each), specials, padding, each)
    assert count_prompts(prompts, mask, ids_of(special)) == expected
    if prompts.size or not len(prompts):
        lists = prompts.astype("int64").tolist()
        assert count_prompts(lists, mask, ids_of(special)) == expected
        assert (
            count_prompts(lists, None if mask is None else mask.astype("int64").tolist(), ids_of(special)) == expected
        )


@given(batches(), st.integers(0, 8), SETS, SETS, SETS)
def test_completions_go_up_to_their_end(made, prefix, ends, pads, special):
    each, ended, specials, padding = [], [], 0, 0
    for row in made[:, prefix:].tolist():
        count = next((at + 1 for at, token in enumerate(row) if token in ends), None)
        ended.append(count is not None)
        if count is None:
            count = len(row)
            while count and row[count - 1] in pads:
                count -= 1
            ended[-1] = count < len(row)
        each.append(count)
        specials += sum(token in special for token in row[:count])
        padding += len(row) - count
    expected = (sum(each), specials, padding, each, ended)
    assert count_completions(made, prefix, ids_of(ends), ids_of(pads), ids_of(special)) == expected
    lists = made.astype("int64").tolist()
    assert count_completions(lists, prefix, ids_of(ends), ids_of(pads), ids_of(special)) == expected
    if len(made) and made.size:
        deep = [[row] for row in lists]
        assert count_completions(deep, prefix, ids_of(ends), ids_of(pads), ids_of(special)) == expected


def test_sequences_of_each_prompt_are_rows():
    made = numpy.arange(12, dtype="int64").reshape(2, 2, 3)
    counted = count_completions(made, 1, ids_of({4, 11}), ids_of(()), ids_of({2, 5, 8}))
    assert counted == (7, 2, 1, [2, 1, 2, 2], [False, True, False, True])
    assert counted == count_completions(made.tolist(), 1, ids_of({4, 11}), ids_of(()), ids_of({2, 5, 8}))
    expanded = numpy.broadcast_to(made[:, :1], (2, 3, 3))
    assert count_completions(expanded, 0, ids_of({1}), ids_of(()), ids_of(()))[3] == [2, 2, 2, 3, 3, 3]


def test_many_and_large_special_ids():
    special = ids_of(range(-5, 1 << 40, 1 << 31))
    ids = numpy.array([[-5, -4, 0, (1 << 31) - 5, 1 << 62, -(1 << 63)]])
    assert count_prompts(ids, None, special) == (6, 2, 0, [6])


@pytest.mark.parametrize(
    ("ids", "mask", "error"),
    [
        (numpy.zeros((1, 2)), None, TypeError),
        (numpy.zeros(3, dtype="int64"), None, TypeError),
        (numpy.zeros((1, 1, 1, 1), dtype="int64"), None, TypeError),
        (numpy.zeros((1, 2), dtype="int64"), numpy.zeros((1, 2), dtype="float32"), TypeError),
        (numpy.zeros((1, 2), dtype=[("a", "i4")]), None, TypeError),
        (numpy.zeros((1, 2), dtype="int64"), numpy.zeros((2, 2), dtype="int64"), ValueError),
        (numpy.zeros((1, 2), dtype=">i8"), None, TypeError),
        ([1, 2], None, TypeError),
        ([[1, 2], [3]], None, TypeError),
        ([[1, 2], 3], None, TypeError),
        ([[1, None]], None, TypeError),
        ([[1, 2.0]], None, TypeError),
        ([[1, 1 << 70]], None, OverflowError),
        ([[[1], [2]], [[3]]], None, TypeError),
        ([[[1, 2]], [[3]]], None, TypeError),
        ("text", None, TypeError),
    ],
)
def test_what_cannot_be_read_raises(ids, mask, error):
    with pytest.raises(error):
        count_prompts(ids, mask, ids_of(()))
    if mask is None:
        with pytest.raises(error):
            count_completions(ids, 0, ids_of(()), ids_of(()), ids_of(()))


def test_memory_rises_with_what_is_held():
    before = resident_memory()
    held = b"x" * (64 << 20)
    assert resident_memory() > before + (48 << 20)
    assert highest_memory() >= len(held)
    del held


def test_memory_is_the_process_s_own_after_fork_and_whatever_it_closes():
    script = """
        import mmap, os
        from respan._core import resident_memory

        held = mmap.mmap(-1, 96 << 20, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)  # goes when it is closed, whatever allocates
        for at in range(0, len(held), mmap.PAGESIZE):
            held[at] = 1
        assert resident_memory() > 96 << 20
        os.closerange(3, 64)
        files = [open("/proc/self/stat") for _ in range(8)]  # in the places of those that are closed
        assert resident_memory() > 96 << 20
        if os.fork() == 0:
            held.close()
            os._exit(0 if resident_memory() < 64 << 20 else 1)
        assert os.wait()[1] == 0
        assert all(file.read() for file in files)
    """
    subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], check=True, env={**os.environ, "RESPAN_SPOOL": "off"}
    )
