"""Text-generation calls that give results one by one: the iterator stays the library's own, its pass is one span."""

import gc
import threading
import time
import weakref

import pytest
from model_calls import completions, native, native_steps, prompts, since_5, user
from respan import workflow
from respan_instrumentation_huggingface import HuggingFaceInstrumentor, _lazy

MODEL = "sshleifer/tiny-gpt2"
TEXTS = ["Hello", "The quick brown fox", "Tracing", "helps"]
OPTIONS = {"max_new_tokens": 2, "min_new_tokens": 2}


@pytest.fixture
def texts():
    """A torch Dataset that says which items were read."""
    from torch.utils.data import Dataset

    class Texts(Dataset):
        def __init__(self):
            self.read = []

        def __len__(self):
            return len(TEXTS)

        def __getitem__(self, index):
            self.read.append(index)
            if TEXTS[index] is None:
                raise ValueError("no text")
            return TEXTS[index]

    return Texts()


def said(results):
    return [records[0]["generated_text"] for records in results]


@pytest.mark.parametrize("batch_size", [1, 3])
def test_a_generator(calls, generator, batch_size):
    pulled = []

    def source():
        for text in TEXTS:
            pulled.append(text)
            yield text

    at_native = []
    untraced = native(generator, source(), batch_size=batch_size, **OPTIONS)
    with native_steps(generator):
        for _ in untraced:
            at_native.append(len(pulled))
    pulled.clear()
    at, results = [], []
    iterator = generator(source(), batch_size=batch_size, **OPTIONS)
    assert type(iterator) is type(untraced) and vars(iterator).keys() == {"loader", "infer", "params"} | {
        "loader_batch_size",
        "_loader_batch_index",
        "_loader_batch_data",
    }
    for result in iterator:
        at.append(len(pulled))
        results.append(result)
    assert at == at_native
    assert results == generator(TEXTS, batch_size=batch_size, **OPTIONS)
    span, _ = calls()
    assert (span.name, span.status) == (f"text_completion {MODEL}", 1)
    assert prompts(span, "content", "prompt_index") == [(text, n) for n, text in enumerate(TEXTS)]
    assert completions(span, "content", "prompt_index") == [(text, n) for n, text in enumerate(said(results))]
    assert completions(span, "finish_reason") == ["length"] * 4
    assert span.attributes["gen_ai.usage.output_tokens"] == 8 and span.attributes["respan.batch.size"] == 4
    assert "respan.iterator.abandoned" not in span.attributes


@since_5
def test_an_empty_generator(calls, generator):
    assert generator((text for text in ()), **OPTIONS) == native(generator, (text for text in ()), **OPTIONS) == []
    [span] = calls()
    assert span.status == 1 and prompts(span) == []


@pytest.mark.parametrize("workers", [0, 2])
def test_a_data_set(calls, generator, texts, workers):
    iterator = generator(texts, num_workers=workers, batch_size=2, **OPTIONS)
    untraced = native(generator, texts, num_workers=workers, batch_size=2, **OPTIONS)
    assert texts.read == [] and len(iterator) == len(untraced)
    results = list(iterator)
    with native_steps(generator):
        assert results == list(untraced)
    [span] = calls()
    assert prompts(span) == TEXTS and completions(span) == said(results)


def test_key_data_sets_and_progress_bars(calls, generator):
    from tqdm import tqdm
    from transformers.pipelines.pt_utils import KeyDataset

    rows = [{"text": text, "other": 1} for text in TEXTS]
    bar = tqdm(generator(KeyDataset(rows, "text"), **OPTIONS), disable=None, file=open("/dev/null", "w"))
    assert bar.total == 4
    results = list(bar)
    [span] = calls()
    assert prompts(span) == TEXTS and completions(span) == said(results)


def test_rows_of_a_data_set_are_read_as_they_are_asked_for(calls, generator):
    """As those of the package `datasets`: columns by their names, rows as dicts. (With pyarrow and pandas it would be 270 MB here.)"""
    from transformers.pipelines.pt_utils import KeyDataset

    class Rows:
        def __init__(self):
            self.read = []

        def __len__(self):
            return len(TEXTS)

        def __getitem__(self, at):
            if isinstance(at, str):
                raise AssertionError("a whole column was read")
            self.read.append(at)
            return {"text": TEXTS[at], "label": at}

    def taken(call, rows):
        """What was said, and how much was read after the call and after each step (transformers looks at the first row itself)."""
        iterator = call(KeyDataset(rows, "text"), num_workers=0, **OPTIONS)
        reads, results = [list(rows.read)], []
        for result in iterator:
            reads.append(list(rows.read))
            results.append(result)
        return said(results), reads

    answers, reads = taken(generator, Rows())
    [span] = calls()
    with native_steps(generator):
        assert (answers, reads) == taken(lambda *args, **kwargs: native(generator, *args, **kwargs), Rows())
    assert prompts(span) == TEXTS and completions(span) == answers


@since_5
def test_chats_one_by_one(calls, chatty):
    chats = [[user("One?"), {"role": "assistant", "content": "1"}, user("Two?")], [user("Three?")]]
    results = list(chatty((chat for chat in chats), **OPTIONS))
    [span] = calls()
    assert span.name == f"chat {MODEL}" and span.attributes["respan.entity.log_type"] == "chat"
    assert prompts(span, "content", "prompt_index") == [("One?", 0), ("1", 0), ("Two?", 0), ("Three?", 1)]
    assert completions(span, "content", "prompt_index") == [
        (records[0]["generated_text"][-1]["content"], n) for n, records in enumerate(results)
    ]


def test_it_is_handed_to_a_loader(calls, generator, texts):
    from torch.utils.data import DataLoader

    loaded = list(DataLoader(generator(texts, **OPTIONS), batch_size=None))
    assert loaded == generator(TEXTS, **OPTIONS)
    span, _ = calls()
    assert completions(span) == said(loaded)


def test_an_abandoned_iterator_ends_with_its_last_step(calls, generator):
    iterator = iter(generator((text for text in TEXTS), **OPTIONS))
    next(iterator), next(iterator)
    stepped = time.time_ns()
    assert calls() == []
    reference = weakref.ref(iterator)
    del iterator
    gc.collect()
    assert reference() is None
    [span] = calls()
    assert span.status == 0 and span.attributes["respan.iterator.abandoned"] is True and span.end <= stepped
    assert prompts(span) == TEXTS[:2] and len(completions(span)) == 2
    assert span.attributes["gen_ai.usage.output_tokens"] == 4


def test_an_iterator_that_is_never_begun(calls, generator, texts):
    generator(texts, **OPTIONS)
    gc.collect()
    [span] = calls()
    assert texts.read == [] and span.attributes["respan.iterator.abandoned"] is True and prompts(span) == []


def test_the_source_may_know_the_iterator(calls, generator):
    def source(known):
        yield from TEXTS
        known.clear()

    known = []
    iterator = generator(source(known), **OPTIONS)
    known.append(iterator)
    next(iter(iterator))
    reference = weakref.ref(iterator)
    del iterator, known
    gc.collect()
    assert reference() is None and len(calls()) == 1


def test_a_source_that_raises_midway(calls, generator):
    error = ValueError("no more")

    def source():
        yield from TEXTS[:2]
        raise error

    iterator = generator(source(), **OPTIONS)
    results = []
    with pytest.raises(ValueError, match="no more") as caught:
        for result in iterator:
            results.append(result)
    assert caught.value is error and len(results) == 2
    assert next(iterator, None) is None
    [span] = calls()  # the step after it gave nothing, and there is nothing to tell of it
    assert span.status == 2 and span.events[0][1]["exception.message"] == "no more"
    assert prompts(span) == TEXTS[:2] and completions(span) == said(results)


def test_a_model_that_raises_midway_can_go_on(calls, generator, monkeypatch):
    generate = generator.model.generate
    errors = [None, RuntimeError("out of memory")]

    def failing(**kwargs):
        error = errors.pop(0) if errors else None
        if error is not None:
            raise error
        return generate(**kwargs)

    monkeypatch.setattr(generator.model, "generate", failing)
    iterator = iter(generator((text for text in TEXTS), **OPTIONS))
    first = next(iterator)
    with pytest.raises(RuntimeError, match="out of memory"):
        next(iterator)
    rest = list(iterator)
    assert len(rest) == 2
    failed, later = calls()
    assert failed.status == 2 and prompts(failed) == TEXTS[:2] and completions(failed) == said([first])
    assert later.status == 1 and prompts(later) == TEXTS[2:] and completions(later) == said(rest)


def test_a_second_pass_is_a_second_span(calls, generator, texts):
    iterator = generator(texts, **OPTIONS)
    assert list(iterator) == list(iterator)
    first, second = calls()
    assert prompts(first) == prompts(second) == TEXTS and completions(first) == completions(second)
    assert second.start >= first.end
    assert next(iterator, None) is None and len(calls()) == 2
    once = generator((text for text in TEXTS), **OPTIONS)
    assert len(list(once)) == 4 and list(once) == []
    assert len(calls()) == 3


def test_taken_in_another_thread(server, calls, generator):
    results = []

    @workflow(name="outer")
    def start():
        return generator((text for text in TEXTS), **OPTIONS)

    iterator = start()
    thread = threading.Thread(target=lambda: results.extend(iterator))
    thread.start()
    thread.join()
    [span] = calls()
    assert span.parent_id == server.span("outer.workflow").span_id
    assert prompts(span) == TEXTS and completions(span) == said(results)


def test_taken_by_turns_in_two_threads(calls, generator):
    iterator = iter(generator((text for text in TEXTS), **OPTIONS))
    results = []
    for turn in range(4):
        if turn % 2:
            thread = threading.Thread(target=lambda: results.append(next(iterator)))
            thread.start()
            thread.join()
        else:
            results.append(next(iterator))
    assert next(iterator, None) is None
    [span] = calls()
    assert prompts(span) == TEXTS and completions(span) == said(results)


def test_nested(server, calls, generator):
    """The source of one call is another, and asks the model itself."""

    def source():
        for records in generator((text for text in TEXTS[:2]), return_full_text=False, **OPTIONS):
            yield records[0]["generated_text"] + generator("Tracing", max_new_tokens=1)[0]["generated_text"]

    @workflow(name="nest")
    def run():
        with_current = []
        for records in generator(source(), max_new_tokens=3):
            with_current.append(records)
            inner(records)
        return with_current

    @workflow(name="between")
    def inner(_):
        pass

    results = run()
    of_two = [span for span in calls() if len(prompts(span)) == 2]
    [outer] = [span for span in of_two if completions(span) == said(results)]
    [within] = [span for span in of_two if span.span_id != outer.span_id]
    root = server.span("nest.workflow")
    assert outer.parent_id == root.span_id
    assert prompts(within) == TEXTS[:2] and within.attributes["gen_ai.usage.output_tokens"] == 4
    assert outer.attributes["gen_ai.usage.output_tokens"] == 6
    singles = [span for span in calls() if prompts(span) == ["Tracing"]]
    assert len(singles) == 2 and all(span.attributes["gen_ai.usage.output_tokens"] == 1 for span in singles)
    between = [span for span in server.spans if span.name == "between.workflow"]
    assert {span.parent_id for span in between} == {root.span_id}  # the call's span is current within its steps alone


def test_two_that_alternate(calls, generator):
    one = iter(generator((text for text in TEXTS[:2]), max_new_tokens=1))
    two = iter(generator((text for text in TEXTS[2:]), max_new_tokens=3))
    for iterator in (one, two, one, two):
        next(iterator)
    assert next(one, None) is next(two, None) is None
    first, second = calls()
    assert prompts(first) == TEXTS[:2] and first.attributes["gen_ai.usage.output_tokens"] == 2
    assert prompts(second) == TEXTS[2:] and second.attributes["gen_ai.usage.output_tokens"] == 6


def test_switched_off_midway(server, tracing, generator):
    respan = tracing(instrumentations=[HuggingFaceInstrumentor()])
    iterator = iter(generator((text for text in TEXTS), **OPTIONS))
    next(iterator)
    respan.shutdown()
    assert len(list(iterator)) == 3
    [span] = server.spans
    assert prompts(span) == TEXTS[:1] and span.attributes["respan.iterator.abandoned"] is True
    assert not _lazy._followers


def test_content_stays_out(server, tracing, generator, monkeypatch):
    monkeypatch.setenv("RESPAN_TRACE_CONTENT", "false")
    respan = tracing(instrumentations=[HuggingFaceInstrumentor()])
    results = list(generator((text for text in ["a secret prompt"] * 2), max_new_tokens=8, return_full_text=False))
    assert respan.flush()
    [span] = server.spans
    assert completions(span, "finish_reason") == ["length"] * 2 and span.attributes["respan.batch.size"] == 2
    for secret in ("a secret prompt", *said(results)):
        assert not any(secret.encode() in body for body in server.bodies)


def test_while_tracing_is_off(generator, server):
    instrumentor = HuggingFaceInstrumentor()
    instrumentor.activate()
    try:
        assert len(list(generator((text for text in TEXTS), **OPTIONS))) == 4
    finally:
        instrumentor.deactivate()
    assert server.spans == []


@pytest.mark.parametrize("task", ["text-generation", "feature-extraction"])
def test_what_the_source_generates_itself_is_not_the_pipelines(calls, generator, task):
    from transformers import pipeline

    other = pipeline(task, model=generator.model, tokenizer=generator.tokenizer)
    ids = generator.tokenizer("one two three", return_tensors="pt")["input_ids"]

    def source():
        for text in TEXTS[:2]:
            generator.model.generate(ids, max_new_tokens=7, min_new_tokens=7, do_sample=False)
            yield text

    options = OPTIONS if task == "text-generation" else {}
    assert len(list(other(source(), **options))) == 2
    spans = calls()
    own = [span for span in spans if span.attributes.get("gen_ai.usage.output_tokens") == 7]
    assert len(own) == 2
    [whole] = [span for span in spans if span not in own]
    assert all(span.parent_id == whole.span_id for span in own)
    assert whole.attributes.get("gen_ai.usage.output_tokens", 0) == (4 if options else 0)
