"""Whatever pipelines of other tasks are called with, and wherever something fails in them: what comes of it is what comes of it untraced."""

from itertools import islice

import pytest
from both_ways import Failing, Odd, drawn_calls, errors, flags, instrumentors, numbers, texts
from hypothesis import given
from hypothesis import strategies as st
from tiny_models import bert_pipeline, wav2vec2_pipeline

places = st.sampled_from(["preprocess", "_forward", "postprocess", "source", "nowhere"])
failures = st.tuples(places, errors, st.integers(1, 4))
words = st.lists(st.sampled_from(["a", "cat", "sat", "on", "mat", "[MASK]", "nobody"]), max_size=6).map(" ".join)
wrong = st.sampled_from([None, 7, b"bytes", {}, [None], [[]], [7, "x"], (), float("nan"), Odd(), {"text": 7}])
pairs = st.fixed_dictionaries({"text": words}, optional={"text_pair": words})
of_text = {
    "text-classification": words | pairs | texts,
    "token-classification": words | texts,
    "fill-mask": words.map(lambda said: said + " [MASK]") | words,
    "feature-extraction": words | texts,
    "zero-shot-classification": words | texts,
}
sounds = st.sampled_from([0, 1, 400, 800]).map(lambda length: ("sound", length))
labels = st.sampled_from(["cat", "cat,mat", ["good", "bad"]])
parameters = {
    "batch_size": numbers,
    "num_workers": st.sampled_from([0, None, "x"]),
    "top_k": numbers,
    "truncation": flags,
    "padding": flags,
    "return_tensors": flags,
    "return_all_scores": flags,
    "function_to_apply": st.sampled_from(["sigmoid", "softmax", "none", "other", Odd()]),
    "targets": st.sampled_from(["cat", ["mat", "on"], ["nobody"], [], 7]),
    "candidate_labels": labels | st.sampled_from([[], None, Odd()]),
    "hypothesis_template": st.sampled_from(["this is {}", "no place", 7]),
    "multi_label": flags,
    "aggregation_strategy": st.sampled_from(["none", "simple", "other"]),
    "ignore_labels": st.just(["LABEL_0"]),
    "return_timestamps": st.sampled_from(["char", "word", True, "other"]),
    "no_such_parameter": numbers,
    "original": numbers,  # names that the tracing itself uses
    "kwargs": numbers,
}
keywords = st.fixed_dictionaries({}, optional=parameters)
fitting = {
    "text-classification": {
        "top_k": st.sampled_from([1, None]),
        "function_to_apply": st.sampled_from(["sigmoid", "none"]),
    },
    "token-classification": {"aggregation_strategy": st.sampled_from(["none", "simple"])},
    "fill-mask": {"top_k": st.sampled_from([1, 3]), "targets": st.sampled_from(["cat", ["mat", "on"]])},
    "feature-extraction": {"return_tensors": st.booleans()},
    "zero-shot-classification": {"multi_label": st.booleans()},
    "automatic-speech-recognition": {"return_timestamps": st.just("char")},
}


def fitting_keywords(task):
    always = {"candidate_labels": labels} if task == "zero-shot-classification" else {}
    return st.fixed_dictionaries(always, optional={"batch_size": st.sampled_from([1, 2]), **fitting[task]})


@st.composite
def calls(draw):
    task = draw(st.sampled_from([*of_text, "automatic-speech-recognition"]))
    one = of_text.get(task, sounds)
    items = draw(st.lists(one, max_size=4))
    form = draw(st.sampled_from(["one", "one", "list", "tuple", "generator", "iterator", "data set", "wrong"]))
    return {
        "task": task,
        "form": form,
        "items": draw(st.lists(wrong, min_size=1, max_size=1)) if form == "wrong" else items or [draw(one)],
        "taken": draw(st.sampled_from([None, None, 0, 1, 2])),
        "kwargs": draw(keywords if draw(st.integers(0, 2)) == 2 else fitting_keywords(task)),
    }


class Source:
    """A torch Dataset, an iterator, or what feeds a generator, that counts what was taken from it."""

    def __init__(self, items, failing):
        self.items, self.failing, self.pulled = items, failing, 0

    def __len__(self):
        return len(self.items)

    def __getitem__(self, at):
        if at >= len(self.items):
            raise IndexError(at)
        self.pulled += 1
        self.failing()
        return self.items[at]

    def __next__(self):
        if self.pulled == len(self.items):
            raise StopIteration
        return self[self.pulled]

    def __iter__(self):
        return self


def inputs_of(call, failing):
    """-> the pipeline's inputs, and the Source that they come from"""
    import numpy
    from torch.utils.data import Dataset

    made = [numpy.sin(numpy.arange(item[1])) if isinstance(item, tuple) and item else item for item in call["items"]]
    source = Source(made, failing if call["failure"][0] == "source" else lambda: None)
    if call["form"] == "generator":
        return (item for item in source), source
    if call["form"] == "iterator":
        return source, source
    if call["form"] == "data set":
        kind = type(
            "Data", (Dataset,), {"__len__": lambda self: len(source), "__getitem__": lambda self, at: source[at]}
        )
        return kind(), source
    return {"list": list, "tuple": tuple}.get(call["form"], lambda items: items[0])(made), source


@pytest.fixture(scope="module")
def pipelines(tmp_path_factory):
    names = {0: "contradiction", 1: "neutral", 2: "entailment"}
    return {
        "text-classification": bert_pipeline("text-classification", "ForSequenceClassification", num_labels=3),
        "token-classification": bert_pipeline("token-classification", "ForTokenClassification", num_labels=3),
        "fill-mask": bert_pipeline("fill-mask", "ForMaskedLM"),
        "feature-extraction": bert_pipeline("feature-extraction", "Model"),
        "zero-shot-classification": bert_pipeline(
            "zero-shot-classification",
            "ForSequenceClassification",
            id2label=names,
            label2id={name: number for number, name in names.items()},
        ),
        "automatic-speech-recognition": wav2vec2_pipeline(tmp_path_factory.mktemp("wav2vec2")),
    }


def test_whatever_pipelines_of_other_tasks_are_called_with(both_ways, pipelines):
    ways = both_ways("pipelines.base", "pipelines.pt_utils")

    def make_given(call):
        place, error, at = call["failure"]
        pipeline = pipelines[call["task"]]
        failing = Failing(getattr(pipeline, place, lambda *args: None), error, at)
        inputs, source = inputs_of(call, failing)
        made = {"kwargs": dict(call["kwargs"]), "failing": [failing], "inputs": inputs, "source": source}
        return {**call, **made, "tokenizer": pipeline.tokenizer}

    def make_call(given):
        pipeline, place = pipelines[given["task"]], given["failure"][0]
        if hasattr(pipeline, place) and given["failure"][1] is not None:
            setattr(pipeline, place, given["failing"][0])
        try:
            result = pipeline(given["inputs"], **given["kwargs"])
            if hasattr(result, "__next__"):
                return [type(result).__name__, *islice(result, given["taken"])]
            return result
        finally:
            vars(pipeline).pop(place, None)

    @drawn_calls
    @given(calls(), failures, instrumentors)
    def compare(call, failure, options):
        if not ways.is_over():
            call = {**call, "failure": failure}
            ways.compare(make_call, lambda: make_given(call), options)

    compare()
    assert ways.has_seen_enough()
