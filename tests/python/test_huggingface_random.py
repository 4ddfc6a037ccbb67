"""Whatever a pipeline is called with, and however its model fails: what comes of it is what comes of it untraced."""

import os
import time
import traceback

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from respan_instrumentation_huggingface import HuggingFaceInstrumentor, _instrumentor

BUDGET_S = 15  # of one run of the test, whatever the machine
EXAMPLES = int(os.environ.get("RESPAN_EXAMPLES", "200"))


class Halt(BaseException):
    """What is no Exception, as KeyboardInterrupt."""


class Odd:
    """Raises at whatever it is asked."""

    def __getattribute__(self, name):
        if name == "__class__":  # which Hypothesis wants to know
            return Odd
        raise RuntimeError(f"odd: {name}")

    def __repr__(self):
        raise RuntimeError("odd: repr")

    def __len__(self):
        raise RuntimeError("odd: len")

    def __iter__(self):
        raise RuntimeError("odd: iter")


class Text(str):
    """Text that says of itself that it is something else."""

    def __eq__(self, other):
        raise RuntimeError("text: eq")

    __hash__ = str.__hash__


def stream(texts, error):
    yield from texts
    if error is not None:
        raise error("of the generator")


texts = st.text(max_size=30) | st.text(st.characters(), max_size=5) | st.builds(Text, st.text(max_size=5))
contents = texts | st.none() | st.integers() | st.lists(st.just({"type": "text", "text": "t"}), max_size=2)
messages = st.fixed_dictionaries(
    {"role": st.sampled_from(["system", "user", "assistant", "tool", 7]), "content": contents},
    optional={"tool_calls": st.just([{"type": "function", "function": {"name": "f", "arguments": {}}}])},
)
chats = st.lists(messages, min_size=1, max_size=4)
wrong = st.sampled_from(
    [None, 7, b"bytes", {}, {"role": "user"}, [None], [[]], [7, "x"], (), float("nan"), Odd(), [Odd()]]
)
batches = st.lists(texts, max_size=5) | st.lists(texts, max_size=5).map(tuple) | st.just(["x"] * 300)
errors = st.sampled_from([None, None, RuntimeError, KeyError, Halt, StopIteration])
# (makes the inputs: a generator can be read once)
inputs = st.one_of(
    (texts | chats | batches | st.lists(chats, max_size=3) | st.lists(texts | chats, max_size=3) | wrong).map(
        lambda value: lambda: value
    ),
    st.builds(lambda items, error: lambda: stream(items, error), st.lists(texts, max_size=3), errors),
)
numbers = st.sampled_from([0, 1, 3, -1, 2**70, 0.5, float("inf"), None, "3", True, Odd()])
flags = st.sampled_from([True, False, None, "yes", Odd()])
keywords = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("max_new_tokens", "max_length", "min_length", "temperature", "top_k", "top_p"), numbers),
        **dict.fromkeys(("num_return_sequences", "num_beams", "batch_size", "eos_token_id", "seed"), numbers),
        **dict.fromkeys(("do_sample", "return_full_text", "return_tensors", "return_text", "truncation"), flags),
        **{name: texts | st.lists(texts, max_size=2) for name in ("stop_sequence", "stop_strings", "prefix")},
        "handle_long_generation": st.sampled_from(["hole", "other"]),
        "generation_config": st.sampled_from([None, {}, {"max_new_tokens": 2}, Odd(), "config"]),
        "no_such_parameter": numbers,
        "tools": st.just([{"type": "function", "function": {"name": "f"}}]),
        "streamer": st.just(Odd()),
        "original": numbers,  # names that the tracing itself uses
        "instance": numbers,
        "kwargs": numbers,
    },
)


class Model:
    """generate() without a model: appends tokens, or fails at the n-th batch."""

    def __init__(self, error, at, wrong):
        self.error = None if error is None else error("of the model")
        self.at, self.wrong, self.calls = at, wrong, 0

    def __call__(self, input_ids=None, attention_mask=None, **kwargs):
        import torch

        self.calls += 1
        if self.error is not None and self.calls > self.at:
            raise self.error
        if self.wrong is not None:
            return self.wrong
        rows = 1 if input_ids is None else input_ids.shape[0]
        generated = torch.full((rows, 3), 5)
        return generated if input_ids is None else torch.cat([input_ids, generated], dim=1)


models = st.builds(
    lambda error, at, wrong: lambda: Model(error, at, wrong),
    errors,
    st.integers(0, 2),
    st.sampled_from([None, None, None, "no tensor", Odd()]),
)


def outcome(generator, args, kwargs):
    """What the call gave or raised, in a form that can be compared, and the error itself."""
    try:
        result = generator(*args, **kwargs)
        if type(result) not in (list, dict, str):
            result = [type(result).__name__, *result]
        return repr(result), None
    except (Exception, Halt) as error:
        chain, cause = [], error
        while cause is not None:
            frames = traceback.extract_tb(cause.__traceback__)
            places = [(frame.filename, frame.name) for frame in frames if not frame.filename.endswith("/_patch.py")]
            chain.append((type(cause), str(cause), places))
            cause = cause.__cause__ or cause.__context__
        return chain, error


@pytest.fixture
def chatty(generator, monkeypatch):
    template = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"
    monkeypatch.setattr(generator.tokenizer, "chat_template", template)
    return generator


def test_whatever_it_is_called_with(tracing, server, chatty, monkeypatch):
    respan = tracing(block_instruments=["transformers"])
    rows = [row for row in _instrumentor.PATCHES if row[0].endswith(".text_generation")]
    monkeypatch.setattr(_instrumentor, "PATCHES", rows)  # the others take their time, twice an example
    instrumentor = HuggingFaceInstrumentor()
    end = time.monotonic() + BUDGET_S
    seen = {"results": 0, "errors": 0}

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(inputs, keywords, models, st.booleans())
    def compare(make_inputs, kwargs, make_model, by_name):
        if time.monotonic() > end:
            return
        outcomes = []
        for traced in (False, True):
            chatty.model.generate = model = make_model()
            if traced:
                instrumentor.instrument()
            try:
                args = () if by_name else (make_inputs(),)
                named = {**kwargs, "text_inputs": make_inputs()} if by_name else dict(kwargs)
                outcomes.append(outcome(chatty, args, named))
            finally:
                instrumentor.uninstrument()
                del chatty.model.generate
        (bare, error), (traced, same) = outcomes
        assert traced == bare
        assert same is model.error or str(same) != str(model.error)  # the model's own, not its like
        seen["results" if error is None else "errors"] += 1

    compare()
    assert seen["results"] > 5 and seen["errors"] > 5, seen
    assert respan.flush() and server.spans
