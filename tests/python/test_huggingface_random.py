"""Whatever a text-generation pipeline is called with, and however its model fails: what comes of it is what comes of it untraced."""

import pytest
from both_ways import Odd, drawn_calls, errors, flags, instrumentors, numbers, stream, texts
from hypothesis import given
from hypothesis import strategies as st

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
# (makes the inputs: a generator can be read once)
inputs = st.one_of(
    (texts | chats | batches | st.lists(chats, max_size=3) | st.lists(texts | chats, max_size=3) | wrong).map(
        lambda value: lambda: value
    ),
    st.builds(lambda items, error: lambda: stream(items, error), st.lists(texts, max_size=3), errors),
)
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


@pytest.fixture
def chatty(generator, monkeypatch):
    template = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"
    monkeypatch.setattr(generator.tokenizer, "chat_template", template)
    return generator


def test_whatever_it_is_called_with(both_ways, chatty):
    ways = both_ways(".text_generation")

    def call(given):
        chatty.model.generate = given["failing"][0]
        try:
            if given["by_name"]:
                result = chatty(text_inputs=given["inputs"], **given["kwargs"])
            else:
                result = chatty(given["inputs"], **given["kwargs"])
            return result if type(result) in (list, dict, str) else [type(result).__name__, *result]
        finally:
            del chatty.model.generate

    @drawn_calls
    @given(inputs, keywords, models, st.booleans(), instrumentors)
    def compare(make_inputs, kwargs, make_model, by_name, options):
        if not ways.is_over():
            given = {"kwargs": kwargs, "by_name": by_name, "tokenizer": chatty.tokenizer}
            ways.compare(call, lambda: {**given, "inputs": make_inputs(), "failing": [make_model()]}, options)

    compare()
    assert ways.has_seen_enough()
