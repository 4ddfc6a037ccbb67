"""One call made untraced and traced, from the same seeds, and all that can be seen of it from outside: what it gave or raised, the
random numbers that it used up, its warnings, what it did to the objects that it was given.

Tests draw calls by Hypothesis: the same ones each time, as many as fit in BUDGET_S. RESPAN_EXAMPLES=20000 draws so many, other ones each
time, however long they take.
"""

import logging
import os
import random
import time
import traceback
import warnings
from itertools import pairwise
from types import GeneratorType

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from respan_instrumentation_huggingface import HuggingFaceInstrumentor, _instrumentor

CAMPAIGN = "RESPAN_EXAMPLES" in os.environ
BUDGET_S = float("inf") if CAMPAIGN else 11  # of one test, whatever the machine
EXAMPLES = int(os.environ.get("RESPAN_EXAMPLES", "200"))
drawn_calls = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=not CAMPAIGN,
    suppress_health_check=list(HealthCheck),
)
ODD = "odd: "  # begins what an Odd raises, and what reading one raises within tracing


class Halt(BaseException):
    """What is no Exception, as KeyboardInterrupt."""


class Odd:
    """Raises at whatever it is asked."""

    def __getattribute__(self, name):
        if name == "__class__":  # which Hypothesis wants to know
            return Odd
        raise RuntimeError(f"{ODD}{name}")

    def __repr__(self):
        raise RuntimeError(f"{ODD}repr")

    def __len__(self):
        raise RuntimeError(f"{ODD}len")

    def __iter__(self):
        raise RuntimeError(f"{ODD}iter")


class Text(str):
    """Text that says of itself that it is something else."""

    def __eq__(self, other):
        raise RuntimeError(f"{ODD}eq")

    __hash__ = str.__hash__


class Failing:
    """Calls a function, and raises at the n-th call of it (from 1) and later ones; with no error, never."""

    def __init__(self, function, error, at):
        self.function, self.at, self.calls = function, at, 0
        self.error = None if error is None else error("at call", at)

    def __call__(self, *args, **kwargs):
        self.calls += 1
        if self.error is not None and self.calls >= self.at:
            raise self.error
        return self.function(*args, **kwargs)


def stream(texts, error):
    yield from texts
    if error is not None:
        raise error("of the generator")


texts = st.text(max_size=30) | st.text(st.characters(), max_size=5) | st.builds(Text, st.text(max_size=5))
errors = st.sampled_from([None, None, RuntimeError, KeyError, Halt, StopIteration])
numbers = st.sampled_from([0, 1, 3, -1, 2**70, 0.5, float("inf"), None, "3", True, Odd()])
flags = st.sampled_from([True, False, None, "yes", Odd()])


def failing_mask(text):
    raise Halt(text) if len(text) % 7 == 6 else RuntimeError("of the mask")


def shouting_mask(text):
    return text.upper()


instrumentors = st.fixed_dictionaries(
    {},
    optional={
        "capture_content": st.booleans(),
        "mask": st.sampled_from([failing_mask, shouting_mask, lambda text: None, lambda text: 7]),
    },
)


def frozen(value, depth=0):
    """A value by all that can be compared of it."""
    if type(value) in (Odd, Text) or depth > 12:
        return type(value).__name__
    if value is None or isinstance(value, (bool, int, str, bytes)):
        return value
    if isinstance(value, float):
        return repr(value)
    kind = type(value).__name__
    if isinstance(value, dict):  # a model's output among them
        return kind, [(frozen(key, depth + 1), frozen(item, depth + 1)) for key, item in value.items()]
    if isinstance(value, (list, tuple, set)):
        return kind, [frozen(item, depth + 1) for item in value]
    if hasattr(value, "tolist") and hasattr(value, "shape"):
        return kind, str(value.dtype), tuple(value.shape), repr(value.tolist())
    if callable(value) or isinstance(value, (type, GeneratorType)):
        return kind
    return kind, frozen({k: v for k, v in getattr(value, "__dict__", {}).items() if not k.startswith("_")}, depth + 1)


class Lines(logging.Handler):
    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append((record.levelname, record.getMessage()))


def seeds():
    import numpy
    import torch

    return repr(random.getstate()), repr(numpy.random.get_state()), torch.get_rng_state().tolist()


def observed(call, given):
    """(what `call` gave or raised and left behind, the exception). given: objects whose change is told, too; given["tokenizer"] says
    again what it says but once."""
    import torch
    from transformers.utils import logging as library

    random.seed(7)
    torch.manual_seed(7)
    library.warning_once.cache_clear()
    if given.get("tokenizer") is not None:
        given["tokenizer"].deprecation_warnings = {}
    said = Lines()
    logging.getLogger("transformers").addHandler(said)
    error = None
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            try:
                came = frozen(call())
            except (Exception, Halt) as raised:
                error, came = raised, chain_of(raised)
    finally:
        logging.getLogger("transformers").removeHandler(said)
    warned = [(one.category.__name__, str(one.message)) for one in warned]
    return {"came": came, "seeds": seeds(), "warned": warned, "said": said.lines, "given": frozen(given)}, error


def chain_of(error):
    """An exception and those that it came from: type, arguments, notes, where they were raised but for the one frame that is ours."""
    chain = []
    while error is not None and len(chain) < 20:
        frames = traceback.extract_tb(error.__traceback__)
        ours = [one.filename.endswith("/_patch.py") for one in frames]
        assert not any(both == (True, True) for both in pairwise(ours)), "more than one frame of ours a function"
        places = [
            (one.filename, one.name, one.lineno) for one, is_ours in zip(frames, ours, strict=True) if not is_ours
        ]
        notes = getattr(error, "__notes__", [])
        chain.append((type(error).__name__, frozen(error.args), notes, places, error.__suppress_context__))
        error = error.__cause__ or error.__context__
    return chain


class BothWays:
    """Makes calls untraced and traced, and compares; of what is wrapped, only rows whose module ends so (all take their time)."""

    def __init__(self, monkeypatch, *ends):
        rows = [row for row in _instrumentor.PATCHES if row[0].endswith(ends)]
        monkeypatch.setattr(_instrumentor, "PATCHES", rows)
        self.end = time.monotonic() + BUDGET_S
        self.results = self.errors = 0
        self._failed = False

    def is_over(self):
        """Not while the smallest call that goes wrong is looked for."""
        return time.monotonic() > self.end and not self._failed

    def compare(self, call, make_given, options):
        """call(given) -> a result; given: a dict that make_given makes for each of the two, of which "failing" are Failing ones;
        options: of the instrumentor."""
        outcomes, failures = [], []
        instrumentor = HuggingFaceInstrumentor(exception_logger=failures.append, **options)
        for traced in (False, True):
            given = make_given()
            if traced:
                instrumentor.instrument()
            try:
                outcomes.append((*observed(lambda given=given: call(given), given), given))
            finally:
                instrumentor.uninstrument()
        (bare, error, of_bare), (seen, same, of_traced) = outcomes
        for name in bare:
            self._failed = self._failed or seen[name] != bare[name]
            assert seen[name] == bare[name], name
        for theirs, ours in zip(of_bare["failing"], of_traced["failing"], strict=True):
            assert error is None or (error is theirs.error) == (same is ours.error)  # the very object
        for failure in failures:  # of tracing itself: what it read raised, or the mask did
            if ODD not in str(failure) and str(failure) != "of the mask":
                self._failed = True
                raise failure
        self.results += error is None
        self.errors += error is not None

    def has_seen_enough(self):
        return self.results > 5 and self.errors > 5
