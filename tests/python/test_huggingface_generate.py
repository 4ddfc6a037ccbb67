"""model.generate() on a real tiny GPT-2, called directly, in threads and by pipelines: its span, exact tokens, times of
tokens, memory; and that what it makes is bit for bit what it makes untraced, in every strategy."""

import functools
import threading
import types
from array import array
from importlib.metadata import version

import pytest
from respan import workflow
from respan_instrumentation_huggingface import HuggingFaceInstrumentor

MODEL = "sshleifer/tiny-gpt2"
NAME = f"text_completion {MODEL}"
PROMPT = "Tracing Hugging Face pipelines helps"


@pytest.fixture(autouse=True)
def seeds_stay_here():
    import torch

    with torch.random.fork_rng():
        yield


@pytest.fixture
def model(generator):
    return generator.model


@pytest.fixture
def tokenizer(calls):
    """Made while tracing is on, as a program would."""
    from transformers import AutoTokenizer

    made = AutoTokenizer.from_pretrained(MODEL, padding_side="left")
    made.pad_token = made.eos_token
    return made


@pytest.fixture
def assistant():
    """Another model, which agrees with the first one at times."""
    import torch
    from transformers import AutoModelForCausalLM

    made = AutoModelForCausalLM.from_pretrained(MODEL)
    torch.manual_seed(1)
    with torch.no_grad():
        made.lm_head.weight.add_(torch.randn_like(made.lm_head.weight) * 0.01)
    made.generation_config.num_assistant_tokens_schedule = "constant"  # another call would draft more or less otherwise
    return made


def encode(generator, *texts):
    generator.tokenizer.padding_side = "left"
    return generator.tokenizer(list(texts), return_tensors="pt", padding=True)


def usage(span):
    names = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "respan.usage.source")
    return tuple(span.attributes[name] for name in names)


def generation(span, name):
    return span.attributes.get(f"respan.generation.{name}")


def sampling_loop(model, input_ids, **kwargs):
    """A strategy of the caller's own."""
    return model._sample(input_ids, **kwargs)


TRANSFORMERS_5 = int(version("transformers").partition(".")[0]) >= 5
STRATEGIES = {
    "greedy": ({}, "greedy_search"),
    "sampling": ({"do_sample": True, "temperature": 0.9, "top_k": 40, "top_p": 0.95}, "sample"),
    "several": ({"do_sample": True, "num_return_sequences": 3}, "sample"),
    "beams": ({"num_beams": 3, "num_return_sequences": 2}, "beam_search"),
    "sampled beams": ({"num_beams": 3, "do_sample": True}, "beam_sample"),
    "an assistant": ({"assistant_model": "assistant"}, "assisted_generation"),
    "a sampling assistant": ({"assistant_model": "assistant", "do_sample": True}, "assisted_generation"),
    "prompt lookup": ({"prompt_lookup_num_tokens": 3}, "assisted_generation"),
    "no cache": ({"use_cache": False}, "greedy_search"),
    "penalties": ({"repetition_penalty": 1.3, "no_repeat_ngram_size": 2}, "greedy_search"),
}
if TRANSFORMERS_5:
    STRATEGIES |= {
        "static cache": ({"cache_implementation": "static"}, "greedy_search"),
        "chunks": ({"prefill_chunk_size": 4}, "greedy_search"),
        "the caller's own": ({"custom_generate": sampling_loop}, "greedy_search"),
    }
else:
    STRATEGIES |= {
        "contrastive": ({"penalty_alpha": 0.6, "top_k": 4}, "contrastive_search"),
        "groups of beams": ({"num_beams": 4, "num_beam_groups": 2, "diversity_penalty": 0.5}, "group_beam_search"),
        "constrained beams": ({"num_beams": 3, "force_words_ids": [[300]]}, "constrained_beam_search"),
        "layers against each other": ({"dola_layers": "low"}, "dola_generation"),
    }


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_makes_bit_for_bit_what_it_makes_untraced(server, tracing, generator, assistant, strategy):
    import torch

    parameters, mode = STRATEGIES[strategy]
    parameters = {name: assistant if value == "assistant" else value for name, value in parameters.items()}
    inputs = encode(generator, PROMPT)

    def run():
        torch.manual_seed(7)
        made = generator.model.generate(
            **inputs, max_new_tokens=9, return_dict_in_generate=True, output_scores=True, **parameters
        )
        return made.sequences, made.scores, torch.get_rng_state()

    untraced = run()
    failures = []
    respan = tracing(instrumentations=[HuggingFaceInstrumentor(exception_logger=failures.append)])
    traced = run()
    assert failures == [] and respan.flush()
    assert torch.equal(traced[0], untraced[0]) and torch.equal(traced[2], untraced[2])
    assert len(traced[1]) == len(untraced[1])
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(traced[1], untraced[1], strict=True))
    [span] = server.spans
    assert (span.name, span.status, generation(span, "strategy")) == (NAME, 1, mode)
    made = traced[0][:, inputs["input_ids"].shape[1] :]
    ends = (made == generator.tokenizer.eos_token_id).tolist()
    counts = [row.index(True) + 1 if True in row else len(row) for row in ends]
    assert usage(span) == (inputs["input_ids"].shape[1], sum(counts), "measured")
    steps, accepted = generation(span, "steps"), generation(span, "draft_tokens_accepted") or 0
    if "beam" in mode:
        assert steps >= max(counts)
    else:
        assert steps + accepted == max(counts)
    assert len(generation(span, "token_gaps")) == steps - 1
    assert 0 < generation(span, "prefill") <= generation(span, "time_to_first_token")
    assert generation(span, "decode") <= (span.end - span.start) / 1e9
    assert sum(generation(span, "token_gaps")) == pytest.approx(generation(span, "decode"), abs=1e-5 * steps)
    if "assistant" in strategy:
        assert 0 <= accepted <= generation(span, "draft_tokens")


def test_a_compiled_forward_is_compiled_as_often_as_untraced(server, tracing, generator, monkeypatch):
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    model = GPT2LMHeadModel(GPT2Config(vocab_size=1000, n_positions=64, n_embd=8, n_layer=1, n_head=1)).eval()
    graphs = []

    def backend(graph, _):
        graphs.append(graph)
        return graph.forward

    inputs, forward = encode(generator, PROMPT), model.forward

    def run():
        torch._dynamo.reset()
        graphs.clear()
        monkeypatch.setattr(model, "forward", torch.compile(forward, backend=backend, fullgraph=True))
        return model.generate(**inputs, max_new_tokens=3), len(graphs)

    untraced, expected = run()
    respan = tracing(instrumentations=[HuggingFaceInstrumentor()])
    traced, compiled = run()
    assert respan.flush()
    [span] = server.spans
    assert generation(span, "steps") == 3
    assert torch.equal(traced, untraced) and compiled == expected > 0
    torch._dynamo.reset()


def test_a_call_in_a_workflow(server, calls, generator, model, tokenizer):
    @workflow(name="direct")
    def run():
        inputs = tokenizer(PROMPT, return_tensors="pt")
        return model.generate(**inputs, max_new_tokens=6, do_sample=True, temperature=0.7, eos_token_id=None)

    made = run()
    [span] = calls()
    outer = server.span("direct.workflow")
    assert (span.name, span.kind, span.status, span.parent_id) == (NAME, 3, 1, outer.span_id)
    expected = {
        "respan.entity.log_type": "text",
        "gen_ai.operation.name": "text_completion",
        "gen_ai.request.model": MODEL,
        "gen_ai.request.temperature": 0.7,
        "gen_ai.request.do_sample": True,
        "gen_ai.request.max_tokens": 6,
        "traceloop.workflow.name": "direct",
        "gen_ai.prompt.0.role": "user",
        "gen_ai.prompt.0.content": PROMPT,
        "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.content": tokenizer.decode(made[0, -6:], skip_special_tokens=True),
        "gen_ai.completion.0.finish_reason": "length",
    }
    assert expected.items() <= span.attributes.items()


def test_arguments_by_position(calls, generator, model):
    from transformers import GenerationConfig

    ids = encode(generator, PROMPT)["input_ids"]
    model.generate(ids, GenerationConfig(max_new_tokens=3, do_sample=True, temperature=0.6, eos_token_id=None))
    [span] = calls()
    assert usage(span) == (ids.shape[1], 3, "measured")
    assert span.attributes["gen_ai.request.temperature"] == 0.6


def test_a_streamer_in_a_thread(server, calls, generator, model, tokenizer):
    from transformers import TextIteratorStreamer

    said = []

    @workflow(name="streaming")
    def run():
        streamer = TextIteratorStreamer(tokenizer, skip_prompt=True, timeout=60)
        inputs = tokenizer(PROMPT, return_tensors="pt")
        arguments = {**inputs, "streamer": streamer, "max_new_tokens": 8}
        thread = threading.Thread(target=model.generate, kwargs=arguments)
        thread.start()
        said.extend(streamer)
        thread.join()
        assert set(arguments) == {*inputs, "streamer", "max_new_tokens"} and arguments["streamer"] is streamer

    run()
    [span] = calls()
    assert span.parent_id == server.span("streaming.workflow").span_id
    assert span.attributes["gen_ai.completion.0.content"] == "".join(said)
    assert generation(span, "steps") == 8 and usage(span)[1:] == (8, "measured")


def test_the_streamer_is_handed_what_it_would_be_untraced(server, tracing, generator, model):
    class Streamer:
        def __init__(self):
            self.seen = []

        def put(self, value):
            self.seen.append(value.tolist())

        def end(self):
            self.seen.append("end")

    def run():
        streamer = Streamer()
        model.generate(**encode(generator, PROMPT), max_new_tokens=5, streamer=streamer)
        return streamer.seen

    untraced = run()
    tracing(instrumentations=[HuggingFaceInstrumentor()])
    assert run() == untraced and untraced[-1] == "end"


def test_a_pipeline_and_its_generate_are_one_span(calls, generator):
    generator(PROMPT, max_new_tokens=5, eos_token_id=None)
    generator([PROMPT, "Hello", "Tracing"], max_new_tokens=4, eos_token_id=None)
    one, batches = calls()
    assert generation(one, "steps") == 5 and generation(one, "strategy") == "greedy_search"
    assert len(generation(one, "token_gaps")) == 4
    assert generation(one, "prefill") < generation(one, "time_to_first_token") <= (one.end - one.start) / 1e9
    assert generation(batches, "steps") == 12 and len(generation(batches, "token_gaps")) == 9
    assert batches.attributes["respan.usage.completion_tokens_each"] == [4, 4, 4]


@pytest.mark.skipif(not TRANSFORMERS_5, reason="transformers 4.44 refuses such a call")
def test_the_library_warns_as_often_as_untraced(calls, generator, monkeypatch):
    import logging

    said = []
    library = logging.getLogger("transformers")
    monkeypatch.setattr(library, "handlers", [logging.Handler()])
    library.handlers[0].emit = lambda record: said.append(record.getMessage())
    generator.model.generate(**encode(generator, PROMPT), max_new_tokens=2, num_beams=2, prompt_lookup_num_tokens=2)
    assert len([line for line in said if "triggers assisted generate" in line]) == 1
    [span] = calls()
    assert generation(span, "strategy") == "beam_search"


def test_padding_and_special_tokens_are_told_apart(calls, generator, model):
    texts = ("Hello", "The quick brown fox jumps over the lazy dog", "<|endoftext|>Tracing")
    inputs = encode(generator, *texts)
    lengths = [len(generator.tokenizer(text)["input_ids"]) for text in texts]
    made = model.generate(**inputs, max_new_tokens=4, eos_token_id=None)
    [span] = calls()
    assert usage(span) == (sum(lengths), 12, "measured")
    assert span.attributes["respan.usage.prompt_tokens_each"] == lengths
    assert span.attributes["respan.usage.completion_tokens_each"] == [4, 4, 4]
    assert span.attributes["respan.usage.prompt_padding_tokens"] == inputs["input_ids"].numel() - sum(lengths) > 0
    assert span.attributes["respan.usage.prompt_special_tokens"] == 1
    assert span.attributes["respan.usage.completion_padding_tokens"] == 0
    assert len(made) == 3


def test_sequences_of_a_batch_that_end_at_different_times(calls, generator, model):
    inputs = encode(generator, PROMPT, "Hello")
    free = model.generate(**inputs, max_new_tokens=12, eos_token_id=None)[:, inputs["input_ids"].shape[1] :].tolist()
    end = next(token for token in free[0] if token not in free[1])
    made = model.generate(**inputs, max_new_tokens=12, eos_token_id=end, pad_token_id=0)
    span = calls()[-1]
    first = free[0].index(end) + 1
    assert span.attributes["respan.usage.completion_tokens_each"] == [first, 12]
    assert span.attributes["respan.usage.completion_padding_tokens"] == 12 - first
    assert span.attributes["gen_ai.completion.0.finish_reason"] == "stop"
    assert span.attributes["gen_ai.completion.1.finish_reason"] == "length"
    assert made.shape[1] == inputs["input_ids"].shape[1] + 12


def test_a_pad_token_that_the_model_made_is_a_token(calls, generator, model):
    inputs = encode(generator, PROMPT)
    made = model.generate(**inputs, max_new_tokens=4, eos_token_id=None)
    model.generate(**inputs, max_new_tokens=4, eos_token_id=None, pad_token_id=int(made[0, -1]))
    model.generate(**inputs, max_new_tokens=4, eos_token_id=0, pad_token_id=int(made[0, -1]))
    assert [usage(span)[1] for span in calls()] == [4, 4, 4]


def test_a_mask_that_generate_makes_itself(calls, generator, model):
    """Where padding can be told from the ids, generate() leaves it out, and so does the count."""
    import torch

    model.generate(torch.tensor([[5, 5, 300, 301], [302, 303, 304, 305]]), max_new_tokens=2, pad_token_id=5)
    [span] = calls()
    assert span.attributes["respan.usage.prompt_tokens_each"] == [2, 4]
    assert span.attributes["respan.usage.prompt_padding_tokens"] == 2


def test_a_prompt_of_embeddings(calls, generator, model):
    inputs = encode(generator, PROMPT)
    embeddings = model.get_input_embeddings()(inputs["input_ids"])
    model.generate(inputs_embeds=embeddings, attention_mask=inputs["attention_mask"], max_new_tokens=3)
    [span] = calls()
    assert usage(span) == (embeddings.shape[1], 3, "measured")
    assert span.attributes["gen_ai.completion.0.finish_reason"] == "length"


def test_no_prompt_at_all(calls, model):
    model.generate(max_new_tokens=3, min_new_tokens=3)
    [span] = calls()
    assert usage(span) == (1, 3, "measured") and span.attributes["respan.usage.prompt_special_tokens"] == 1


def test_a_conversation_goes_on_with_its_cache(calls, generator, model):
    inputs = encode(generator, PROMPT)
    first = model.generate(**inputs, max_new_tokens=3, return_dict_in_generate=True, eos_token_id=None)
    name = "cache" if "cache" in first else "past_key_values"
    model.generate(first.sequences, **{name: first[name]}, max_new_tokens=2, eos_token_id=None)
    span = calls()[-1]
    assert span.attributes["gen_ai.usage.cache_read.input_tokens"] == inputs["input_ids"].shape[1] + 2
    assert usage(span) == (inputs["input_ids"].shape[1] + 3, 2, "measured")


def test_stop_strings_and_the_reason(calls, generator, model, tokenizer):
    inputs = tokenizer(PROMPT, return_tensors="pt")
    word = tokenizer.decode(model.generate(**inputs, max_new_tokens=1)[0, -1:])
    model.generate(**inputs, max_new_tokens=9, stop_strings=[word], tokenizer=tokenizer)
    span = calls()[-1]
    assert usage(span)[1] == 1 and span.attributes["gen_ai.completion.0.finish_reason"] == "stop"


def test_an_encoder_and_a_decoder(calls):
    from transformers import T5Config, T5ForConditionalGeneration

    config = T5Config(
        vocab_size=64, d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2, decoder_start_token_id=0, pad_token_id=0
    )
    import torch

    model = T5ForConditionalGeneration(config)
    ids = torch.tensor([[5, 6, 7, 1], [8, 1, 0, 0]])
    model.generate(ids, attention_mask=(ids != 0).long(), max_new_tokens=5, min_new_tokens=5)
    [span] = calls()
    assert usage(span) == (6, 10, "measured")
    assert span.attributes["respan.usage.prompt_padding_tokens"] == 2
    assert span.attributes["respan.usage.prompt_special_tokens"] == 2
    assert generation(span, "steps") == 5
    assert span.name == "text_completion T5ForConditionalGeneration"


def test_the_models_exception_is_the_callers(calls, generator, model, monkeypatch):
    error, forward, seen = RuntimeError("out of memory"), model.forward, []

    @functools.wraps(forward)
    def fail(*args, **kwargs):
        seen.append(1)
        if len(seen) == 3:
            raise error
        return forward(*args, **kwargs)

    monkeypatch.setattr(model, "forward", fail)
    with pytest.raises(RuntimeError) as caught:
        model.generate(**encode(generator, PROMPT), max_new_tokens=8)
    assert caught.value is error
    assert caught.traceback[-1].name == "fail" and any(entry.name == "_sample" for entry in caught.traceback)
    [span] = calls()
    assert span.status == 2 and span.events[0][1]["exception.message"] == "out of memory"
    assert generation(span, "steps") == 2 and "gen_ai.usage.input_tokens" not in span.attributes


def test_wrong_arguments_fail_as_they_do_untraced(calls, generator, model):
    inputs = encode(generator, PROMPT)
    for wrong in ({"num_beams": 0}, {"nonsense": 1}, {"max_new_tokens": -1}):
        with pytest.raises(Exception) as traced:
            model.generate(**inputs, **wrong)
        with pytest.raises(Exception) as untraced:
            type(model).generate.__wrapped__(model, **inputs, **wrong)
        assert type(traced.value) is type(untraced.value) and str(traced.value) == str(untraced.value)


def test_our_own_failures_stay_ours(server, tracing, generator, model, monkeypatch):
    failures = []
    respan = tracing(instrumentations=[HuggingFaceInstrumentor(exception_logger=failures.append)])

    def fail(*_):
        raise RuntimeError("odd")

    for target in (
        "_generate.Steps.returned",
        "_generate.Sequences",
        "_memory.Memory.see",
        "_timing.Timing.attributes",
    ):
        monkeypatch.setattr(f"respan_instrumentation_huggingface.{target}", fail)
    made = model.generate(**encode(generator, PROMPT), max_new_tokens=3, eos_token_id=None)
    assert made.shape == (1, encode(generator, PROMPT)["input_ids"].shape[1] + 3)
    assert {str(failure) for failure in failures} == {"odd"}
    assert respan.flush() and server.span(NAME).status == 1


def test_content_can_be_kept_out(server, tracing, generator, monkeypatch):
    from transformers import AutoTokenizer

    monkeypatch.setenv("RESPAN_TRACE_CONTENT", "false")
    respan = tracing(instrumentations=[HuggingFaceInstrumentor()])
    tokenizer = AutoTokenizer.from_pretrained(MODEL)
    made = generator.model.generate(**tokenizer(PROMPT, return_tensors="pt"), max_new_tokens=8)
    assert respan.flush()
    [span] = [span for span in server.spans if span.name == NAME]
    assert usage(span)[1] == 8
    sent = b"".join(server.bodies)
    for secret in (PROMPT, tokenizer.decode(made[0, -8:])):
        assert secret.encode() not in sent


def test_threads_do_not_mix_their_figures(calls, generator, model):
    inputs = encode(generator, PROMPT)

    def call(count):
        model.generate(**inputs, max_new_tokens=count, eos_token_id=None)

    threads = [threading.Thread(target=call, args=(count,)) for count in range(1, 6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spans = calls()
    assert sorted(usage(span)[1] for span in spans) == [1, 2, 3, 4, 5]
    assert all(generation(span, "steps") == usage(span)[1] for span in spans)


def test_memory_is_the_calls_own(calls, generator, model, monkeypatch):
    from respan._core import highest_memory, resident_memory

    forward = model.forward
    more = highest_memory() - resident_memory() + (64 << 20)  # than the process ever had

    @functools.wraps(forward)
    def hungry(*args, **kwargs):
        bytearray(b"x") * more
        return forward(*args, **kwargs)

    inputs = encode(generator, PROMPT)
    with monkeypatch.context() as patched:
        patched.setattr(model, "forward", hungry)
        model.generate(**inputs, max_new_tokens=2)
    model.generate(**inputs, max_new_tokens=2)
    high, low = (span.attributes for span in calls())
    assert high["respan.memory.peak_rss_source"] == "measured"
    assert low["respan.memory.peak_rss_source"] == "sampled"
    assert 0 < low["respan.memory.peak_rss"] < high["respan.memory.peak_rss"] - (32 << 20)
    assert "respan.memory.peak_device" not in low


def test_memory_of_a_gpu(monkeypatch):
    """torch's counters, as they are where there is a GPU."""
    import torch
    from respan_instrumentation_huggingface._memory import Memory

    model = types.SimpleNamespace(hf_device_map={"a": 0, "b": 1, "c": "cpu"}, device=torch.device("cuda:0"))
    counters = {0: [50, 20], 1: [70, 30]}

    def statistics(device):
        peak, current = counters[device.index]
        return {"allocated_bytes.all.peak": peak, "allocated_bytes.all.current": current}

    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "memory_stats", statistics)
    memory = Memory(model)
    counters[0][1] = 40  # no new peak
    assert memory.attributes()["respan.memory.peak_device"] == 70
    assert memory.attributes()["respan.memory.peak_device_source"] == "sampled"
    counters[1][0] = 90
    assert memory.attributes()["respan.memory.peak_device"] == 140
    assert memory.attributes()["respan.memory.peak_device_source"] == "measured"


def test_a_long_series_is_bounded_and_adds_up():
    from respan_instrumentation_huggingface._timing import Timing

    timing, now, steps = Timing(), 1_000, array("q")
    for step in range(100_001):
        steps.append(now)
        now += 50_000_000 if step == 40_000 else 1_000_000
    timing.add(0, steps, 100_000)
    timing.add(now, array("q", [now + 5_000_000]), 0)  # another generation; what lay between is no gap
    attributes = timing.attributes(0)
    gaps, each = attributes["respan.generation.token_gaps"], attributes["respan.generation.token_gaps_per_value"]
    assert len(gaps) <= 256 and len(gaps) * each >= 100_000 > (len(gaps) - 1) * each
    assert sum(gaps) * each == pytest.approx(attributes["respan.generation.decode"], rel=0.01)
    assert attributes["respan.generation.decode"] == pytest.approx(100.049)
    assert attributes["respan.generation.token_gap_min"] == attributes["respan.generation.token_gap_p50"] == 0.001
    assert attributes["respan.generation.token_gap_max"] == 0.05
    assert attributes["respan.generation.stalls"] == 1 and attributes["respan.generation.stall_time"] == 0.05
    assert attributes["respan.generation.steps"] == 100_002
    assert attributes["respan.generation.tokens_per_second"] == pytest.approx(100_000 / 100.049, rel=1e-3)
    assert attributes["respan.generation.prefill"] == pytest.approx(0.005001)


def test_more_generations_than_are_kept(monkeypatch):
    from respan_instrumentation_huggingface import _timing

    monkeypatch.setattr(_timing, "GAPS_MAX", 64)
    timing = _timing.Timing()
    for at in range(50):
        timing.add(at, array("q", range(at, at + 11)), 10)
    attributes = timing.attributes(0)
    assert len(timing._gaps) <= 64 and set(timing._gaps) == {1}
    assert attributes["respan.generation.token_gaps_per_value"] >= 8


def test_which_tokenizer_is_the_models(calls, generator, model, tokenizer, monkeypatch):
    from respan_instrumentation_huggingface import _tokenizers

    assert _tokenizers.tokenizer_of(model) is tokenizer
    newer = type(tokenizer).from_pretrained(MODEL)
    assert _tokenizers.tokenizer_of(model) is newer
    other = type(tokenizer).from_pretrained(MODEL)
    other.name_or_path = "another"
    assert _tokenizers.tokenizer_of(model) is newer
    monkeypatch.setattr(_tokenizers, "_alive", {1: other})
    assert _tokenizers.tokenizer_of(model) is other  # the only one, and it fits
    monkeypatch.setattr(model.config, "vocab_size", 50_000)
    assert _tokenizers.tokenizer_of(model) is None


def test_a_model_that_a_criterion_asks_has_a_span_of_its_own(calls, generator, model):
    from transformers import AutoModelForCausalLM, StoppingCriteria, StoppingCriteriaList

    judge = AutoModelForCausalLM.from_pretrained(MODEL)
    asked = []

    class Judge(StoppingCriteria):
        def __call__(self, input_ids, scores, **kwargs):
            asked.append(judge.generate(input_ids[:, :2], max_new_tokens=3, min_new_tokens=3, do_sample=False))
            return input_ids.new_zeros(len(input_ids), dtype=bool)

    inputs = encode(generator, PROMPT)
    model.generate(**inputs, max_new_tokens=2, min_new_tokens=2, stopping_criteria=StoppingCriteriaList([Judge()]))
    generator(PROMPT, max_new_tokens=2, min_new_tokens=2, stopping_criteria=StoppingCriteriaList([Judge()]))
    spans = [span for span in calls() if not span.name.startswith("load")]
    judged = [span for span in spans if usage(span)[1] == 3]
    rest = [span for span in spans if span not in judged]
    assert len(judged) == len(asked) == 4 and [usage(span)[1] for span in rest] == [2, 2]
    assert {span.parent_id for span in judged} == {span.span_id for span in rest}
    assert all(generation(span, "steps") == 2 for span in rest)
