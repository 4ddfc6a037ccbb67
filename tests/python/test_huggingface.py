"""HuggingFaceInstrumentor on real pipelines with a tiny GPT-2: a call's span, and that calls stay what they were."""

import threading

import pytest
from respan import workflow
from respan_instrumentation_huggingface import HuggingFaceInstrumentor

MODEL = "sshleifer/tiny-gpt2"
NAME = f"text_completion {MODEL}"
PROMPT = "Tracing Hugging Face pipelines helps"


@pytest.fixture
def instrumented(server, tracing, generator):
    """instrumented(): flushes, gives the spans of model calls."""
    failures = []
    respan = tracing(instrumentations=[HuggingFaceInstrumentor(exception_logger=failures.append)])

    def spans():
        assert failures == []
        assert respan.flush()
        return [span for span in server.spans if "gen_ai.system" in span.attributes]

    spans.failures = failures
    spans.respan = respan
    return spans


def tokens(generator, text):
    return len(generator.tokenizer(text)["input_ids"])


def completions(span):
    count = sum(key.startswith("gen_ai.completion.") and key.endswith(".content") for key in span.attributes)
    return [span.attributes[f"gen_ai.completion.{n}.content"] for n in range(count)]


def prompts(span):
    count = sum(key.startswith("gen_ai.prompt.") and key.endswith(".content") for key in span.attributes)
    return [
        (span.attributes[f"gen_ai.prompt.{n}.role"], span.attributes[f"gen_ai.prompt.{n}.content"])
        for n in range(count)
    ]


def usage(span):
    assert span.attributes["gen_ai.usage.prompt_tokens"] == span.attributes["gen_ai.usage.input_tokens"]
    assert span.attributes["gen_ai.usage.completion_tokens"] == span.attributes["gen_ai.usage.output_tokens"]
    return (
        span.attributes["gen_ai.usage.input_tokens"],
        span.attributes["gen_ai.usage.output_tokens"],
        span.attributes["respan.usage.source"],
    )


def test_one_prompt(server, instrumented, generator):
    @workflow(name="generation")
    def run():
        sampling = {"temperature": 0.35, "top_p": 0.9, "repetition_penalty": 1.1, "do_sample": True}
        # so it does not happen to end early, and no default of the pipeline's wins over max_length, as with some versions
        return generator(PROMPT, min_length=42, max_length=42, max_new_tokens=None, **sampling)

    result = run()
    [span] = instrumented()
    outer = server.span("generation.workflow")
    assert (span.name, span.kind, span.status, span.parent_id) == (NAME, 3, 1, outer.span_id)
    assert outer.start <= span.start < span.end <= outer.end
    expected = {
        "respan.entity.log_type": "text",
        "gen_ai.operation.name": "text_completion",
        "gen_ai.system": "huggingface",
        "gen_ai.request.model": MODEL,
        "gen_ai.request.temperature": 0.35,
        "gen_ai.request.top_p": 0.9,
        "gen_ai.request.max_length": 42,
        "gen_ai.request.max_tokens": 42,
        "gen_ai.request.repetition_penalty": 1.1,
        "gen_ai.request.do_sample": True,
        "traceloop.workflow.name": "generation",
    }
    assert {key: span.attributes.get(key) for key in expected} == expected
    assert "gen_ai.request.max_new_tokens" not in span.attributes  # the pipeline's default gave way to max_length
    assert prompts(span) == [("user", PROMPT)]
    assert completions(span) == [result[0]["generated_text"]]
    assert usage(span) == (tokens(generator, PROMPT), 42 - tokens(generator, PROMPT), "measured")


def test_a_list_of_prompts_is_one_span(instrumented, generator):
    texts = ["Hello", "The quick brown fox jumps", "Tracing"]
    result = generator(texts, max_new_tokens=5)
    [span] = instrumented()
    assert prompts(span) == [("user", text) for text in texts]
    assert completions(span) == [records[0]["generated_text"] for records in result]
    assert usage(span) == (sum(tokens(generator, text) for text in texts), 15, "measured")
    assert span.attributes["gen_ai.completion.2.finish_reason"] == "length"


def test_padding_is_not_counted(instrumented, generator):
    texts = ["Hello", "The quick brown fox jumps over the lazy dog and on", "Tracing helps"]
    generator(texts, min_new_tokens=4, max_new_tokens=4, batch_size=3)
    [span] = instrumented()
    assert usage(span) == (sum(tokens(generator, text) for text in texts), 12, "measured")


def test_a_completion_that_ends_early(instrumented, generator):
    first = generator(PROMPT, max_new_tokens=3, return_tensors=True)[0]["generated_token_ids"]
    prompt_tokens = tokens(generator, PROMPT)
    end = first[prompt_tokens + 1]  # the second token that it generates: make that one the end
    expected = 1 if first[prompt_tokens] == end else 2
    generator(PROMPT, max_new_tokens=20, eos_token_id=end)
    span = instrumented()[-1]
    assert usage(span) == (prompt_tokens, expected, "measured")
    assert span.attributes["gen_ai.completion.0.finish_reason"] == "stop"


def test_several_sequences_of_one_prompt(instrumented, generator):
    result = generator(PROMPT, max_new_tokens=4, min_new_tokens=4, num_return_sequences=3, do_sample=True)
    [span] = instrumented()
    assert completions(span) == [record["generated_text"] for record in result]
    assert usage(span) == (tokens(generator, PROMPT), 12, "measured")


def test_parameters_of_the_call_win_over_those_of_the_pipeline(instrumented, generator):
    from transformers import GenerationConfig, pipeline

    other = pipeline(
        "text-generation",
        model=generator.model,
        tokenizer=generator.tokenizer,
        temperature=0.5,
        top_k=7,
        do_sample=True,
    )
    other(PROMPT, max_new_tokens=2, temperature=0.9)
    other(PROMPT, generation_config=GenerationConfig(max_new_tokens=3, do_sample=False))
    first, second = (span.attributes for span in instrumented())
    assert first["gen_ai.request.temperature"] == 0.9 and first["gen_ai.request.top_k"] == 7
    assert first["gen_ai.request.max_new_tokens"] == 2
    names = [key.removeprefix("gen_ai.request.") for key in first if key.startswith("gen_ai.request.")]
    assert names[1:3] == ["max_new_tokens", "temperature"] and "top_k" in names[3:5]  # as they rank
    assert second["gen_ai.request.max_new_tokens"] == 3
    if (
        "temperature" not in other._forward_params
    ):  # since 4.5x: the call's config replaces what the pipeline was made with
        assert second["gen_ai.request.do_sample"] is False
        assert second.get("gen_ai.request.temperature", 1.0) == 1.0 and second.get("gen_ai.request.top_k") != 7
    else:
        assert second["gen_ai.request.do_sample"] is True and second["gen_ai.request.temperature"] == 0.5


def test_chats(instrumented, generator, monkeypatch):
    template = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"
    monkeypatch.setattr(generator.tokenizer, "chat_template", template)
    chat = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello?"}]
    result = generator(chat, max_new_tokens=3)
    generator([chat, chat[1:]], max_new_tokens=2)
    one, two = instrumented()
    assert one.name == f"chat {MODEL}" and one.attributes["respan.entity.log_type"] == "chat"
    assert one.attributes["gen_ai.operation.name"] == "chat"
    assert prompts(one) == [("system", "Be brief."), ("user", "Hello?")]
    assert completions(one) == [result[0]["generated_text"][-1]["content"]]
    assert one.attributes["gen_ai.completion.0.role"] == "assistant"
    assert usage(one)[1:] == (3, "measured")
    assert len(prompts(two)) == 3 and len(completions(two)) == 2 and usage(two)[1] == 4


def test_content_can_be_kept_out(server, tracing, generator, monkeypatch):
    monkeypatch.setenv("TRACELOOP_TRACE_CONTENT", "false")
    respan = tracing(instrumentations=[HuggingFaceInstrumentor()])
    generated = generator(PROMPT, max_new_tokens=8)[0]["generated_text"]
    with pytest.raises(ValueError):
        generator(PROMPT, max_new_tokens=8, handle_long_generation=PROMPT)
    assert respan.flush()
    done, failed = server.spans
    assert usage(done)[1] == 8 and done.attributes["gen_ai.request.max_new_tokens"] == 8
    assert failed.status == 2
    for secret in (PROMPT, generated):
        assert not any(secret.encode() in body for body in server.bodies)


@pytest.mark.parametrize("variable", ["TRACELOOP_TRACE_CONTENT", "RESPAN_TRACE_CONTENT"])
def test_no_way_leads_content_out(server, tracing, generator, monkeypatch, variable):
    monkeypatch.setenv(variable, "false")
    monkeypatch.setattr(generator.tokenizer, "chat_template", "{% for m in messages %}{{ m.content }}{% endfor %}")
    respan = tracing(instrumentations=[HuggingFaceInstrumentor()])
    chat = [{"role": "user", "content": PROMPT}]

    @workflow(name="ask")
    def ask(prompt):
        return generator(prompt, max_new_tokens=8, return_full_text=False)

    def fail(**_):
        raise RuntimeError(PROMPT) from ValueError(PROMPT)

    said = [
        record["generated_text"] for answers in (ask(PROMPT), *ask([PROMPT, PROMPT]), ask(chat)) for record in answers
    ]
    monkeypatch.setattr(generator.model, "generate", fail)
    for prompt in (PROMPT, [PROMPT, PROMPT], chat):
        with pytest.raises(RuntimeError, match=PROMPT):
            ask(prompt)
    assert respan.flush()
    assert len(server.spans) == 12
    assert [span.status for span in server.spans if span.name == "ask.workflow"] == [0, 0, 0, 2, 2, 2]
    sent = b"".join(server.bodies)
    assert len(said) == 4 and all(len(text) >= 4 for text in said)
    for secret in (PROMPT, *said):
        assert secret.encode() not in sent


def test_the_result_and_the_exception_are_the_pipelines_own(instrumented, generator, monkeypatch):
    from transformers import TextGenerationPipeline

    given = object()
    monkeypatch.setattr(TextGenerationPipeline, "run_single", lambda *args: given)
    assert generator("x") is given
    monkeypatch.undo()
    error = RuntimeError("out of memory")

    def fail(*args, **kwargs):
        raise error

    monkeypatch.setattr(generator.model, "generate", fail)
    with pytest.raises(RuntimeError) as caught:
        generator(PROMPT)
    assert caught.value is error
    failed = instrumented()[-1]
    assert failed.status == 2 and failed.events[0][1]["exception.message"] == "out of memory"
    assert "gen_ai.usage.input_tokens" not in failed.attributes


def test_a_generator_of_prompts_is_not_consumed(instrumented, generator):
    seen = []

    def source():
        for text in ("one", "two"):
            seen.append(text)
            yield text

    result = generator(source(), max_new_tokens=2)
    assert seen in ([], ["one"])  # what transformers itself looks at
    assert len(list(result)) == 2 and seen == ["one", "two"]
    [span] = instrumented()
    assert span.name == NAME and prompts(span) == [("user", "one"), ("user", "two")]


def test_wrong_inputs_fail_as_they_do_untraced(instrumented, generator):
    for wrong in (None, [], 7, [None]):
        with pytest.raises(Exception) as traced:
            generator(wrong)
        with pytest.raises(Exception) as untraced:
            type(generator).__call__.__wrapped__(generator, wrong)
        assert type(traced.value) is type(untraced.value)


def test_without_tensors_tokens_are_estimated(instrumented, generator, monkeypatch):
    text = f"{PROMPT} a lot"
    monkeypatch.setattr(type(generator), "run_single", lambda *args: [{"generated_text": text}])
    generator(PROMPT)
    [span] = instrumented()
    assert usage(span) == (tokens(generator, PROMPT), tokens(generator, " a lot"), "estimated")


def test_our_own_failures_stay_ours(server, tracing, generator, monkeypatch):
    failures = []
    respan = tracing(instrumentations=[HuggingFaceInstrumentor(exception_logger=failures.append)])

    class Odd(dict):
        def get(self, *_):
            raise RuntimeError("odd")

    monkeypatch.setattr(type(generator), "run_single", lambda *args: [Odd()])
    assert type(generator("x")[0]) is Odd
    assert [str(failure) for failure in failures] == ["odd"]
    assert respan.flush() and server.span(NAME).status == 1


def test_threads_do_not_mix_their_counts(instrumented, generator):
    def call(n):
        generator(PROMPT, max_new_tokens=n)

    threads = [threading.Thread(target=call, args=(n,)) for n in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(usage(span)[1] for span in instrumented()) == [1, 2, 3, 4, 5, 6]


def test_wrapped_once_and_put_back(generator):
    from transformers import TextGenerationPipeline

    call, forward = TextGenerationPipeline.__call__, TextGenerationPipeline._forward
    first, second = HuggingFaceInstrumentor(), HuggingFaceInstrumentor()
    first.activate()
    wrapped = TextGenerationPipeline.__call__
    first.activate()
    second.activate()
    assert wrapped is not call and TextGenerationPipeline.__call__ is wrapped
    second.deactivate()
    assert TextGenerationPipeline.__call__ is wrapped
    first.deactivate()
    first.deactivate()
    assert TextGenerationPipeline.__call__ is call and TextGenerationPipeline._forward is forward


def test_someone_elses_wrapper_stays(generator):
    from transformers import TextGenerationPipeline

    call = TextGenerationPipeline.__call__
    instrumentor = HuggingFaceInstrumentor()
    instrumentor.activate()
    ours = TextGenerationPipeline.__call__

    def theirs(self, *args, **kwargs):
        return ours(self, *args, **kwargs)

    TextGenerationPipeline.__call__ = theirs
    try:
        instrumentor.deactivate()
        assert TextGenerationPipeline.__call__ is theirs
        assert generator("x", max_new_tokens=1)
    finally:
        TextGenerationPipeline.__call__ = call


def test_shutdown_unwraps(server, tracing, generator):
    call = type(generator).__call__
    respan = tracing(instrumentations=[HuggingFaceInstrumentor()])
    assert type(generator).__call__ is not call
    respan.shutdown()
    assert type(generator).__call__ is call


@pytest.mark.parametrize("order", ["before", "after"])
def test_the_script_of_the_documentation(server, script, generator, order):
    imports = ["from transformers import pipeline", "respan = Respan(instrumentations=[HuggingFaceInstrumentor()])"]
    lines = [
        "from respan import Respan, workflow",
        "from respan_instrumentation_huggingface import HuggingFaceInstrumentor",
        *(imports if order == "before" else reversed(imports)),
        f"generator = pipeline('text-generation', model='{MODEL}')",
        "@workflow(name='huggingface_text_generation')",
        f"def run(): return generator('{PROMPT}', max_length=42)",
        "print(len(run()))",
        "respan.flush(); respan.shutdown()",
    ]
    result = script("\n".join(lines))
    assert (result.returncode, result.stdout) == (0, "1\n"), result.stderr
    assert server.span(NAME).parent_id == server.span("huggingface_text_generation.workflow").span_id
