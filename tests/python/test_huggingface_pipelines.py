"""One span for each call of a pipeline of any task, on real pipelines with tiny models (tiny_models.py)."""

import copy
import gc
import io
import json
import math
import wave

import numpy
import pytest
import tiny_models
import transformers
from respan_instrumentation_huggingface import HuggingFaceInstrumentor

TEXT = "the cat sat on a mat"  # eight tokens, with [CLS] and [SEP]
RATE = 16000
PICTURE = {"type": "image", "width": 20, "height": 10, "mode": "RGB", "format": None}


@pytest.fixture
def calls(server, tracing):
    """calls(): the spans of model calls that ended since; what went wrong in tracing fails the test."""
    failures = []
    respan = tracing(instrumentations=[HuggingFaceInstrumentor(exception_logger=failures.append)])

    def spans():
        assert failures == []
        assert respan.flush()
        return [span for span in server.spans if "gen_ai.system" in span.attributes]

    spans.failures = failures
    return spans


@pytest.fixture(scope="module")
def embedder():
    return tiny_models.bert_pipeline("feature-extraction", "Model")


@pytest.fixture(scope="module")
def classifier():
    labels = {0: "good", 1: "bad"}
    return tiny_models.bert_pipeline("text-classification", "ForSequenceClassification", id2label=labels)


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory):
    return tiny_models.wav2vec2_pipeline(tmp_path_factory.mktemp("wav2vec2"))


@pytest.fixture(scope="module")
def image():
    return pytest.importorskip("PIL.Image").new("RGB", (20, 10))


def sides(span):
    prompt = span.attributes.get("gen_ai.prompt.0.content")
    return prompt, span.attributes.get("gen_ai.completion.0.content")


def same(one, other):
    """Equal, arrays included."""
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, (list, tuple)):
        return type(one) is type(other) and len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and bool(numpy.all(one == other))


def test_an_embedding(calls, embedder):
    result = embedder(TEXT)
    [span] = calls()
    assert (span.name, span.kind, span.status) == ("embeddings tiny/bert", 3, 1)
    first = " ".join(f"{number:.4g}" for number in result[0][0][:8])
    expected = {
        "respan.entity.log_type": "embedding",
        "gen_ai.operation.name": "embeddings",
        "respan.pipeline.task": "feature-extraction",
        "gen_ai.embeddings.dimension.count": 16,
        "gen_ai.usage.input_tokens": 8,
        "respan.usage.source": "measured",
        "respan.model.class": "BertModel",
        "respan.model.parameters": embedder.model.num_parameters(),
        "gen_ai.prompt.0.content": TEXT,
        "gen_ai.completion.0.content": f"1 × 8 × 16: {first} …",
    }
    assert expected.items() <= span.attributes.items()
    assert not any(isinstance(value, list) and len(value) > 8 for value in span.attributes.values())


def test_embeddings_as_tensors(calls, embedder):
    result = embedder(TEXT, return_tensors=True)
    [span] = calls()
    assert span.attributes["gen_ai.completion.0.content"].startswith(f"1 × 8 × 16: {result[0][0][0]:.4g} ")


def test_a_batch_of_embeddings_without_its_padding(calls, embedder):
    result = embedder([TEXT, "a cat"], batch_size=2)
    [span] = calls()
    attributes = span.attributes
    assert len(result) == 2 and attributes["respan.batch.size"] == 2
    assert attributes["gen_ai.usage.input_tokens"] == 8 + 4
    assert [attributes[f"gen_ai.prompt.{n}.content"] for n in range(2)] == [TEXT, "a cat"]
    assert attributes["gen_ai.completion.1.content"].startswith("1 × ")
    assert attributes["gen_ai.request.batch_size"] == 2


def test_text_classification(calls, classifier):
    result = classifier(TEXT, top_k=2)
    [span] = calls()
    assert span.name == "text-classification tiny/bert"
    assert span.attributes["respan.entity.log_type"] == "custom"
    assert span.attributes["gen_ai.usage.input_tokens"] == 8
    assert span.attributes["gen_ai.request.top_k"] == 2
    assert span.input == TEXT
    assert span.output == [{"label": one["label"], "score": round(one["score"], 6)} for one in result]


def test_several_texts_are_one_span(calls, classifier):
    result = classifier([TEXT, "a film"])
    [span] = calls()
    assert span.input == [TEXT, "a film"] and span.attributes["respan.batch.size"] == 2
    assert [one["label"] for one in span.output] == [one["label"] for one in result]


def test_fill_mask(calls):
    result = tiny_models.bert_pipeline("fill-mask", "ForMaskedLM")("the [MASK] sat", top_k=3)
    span = calls()[-1]
    assert span.name == "fill-mask tiny/bert" and len(span.output) == 3
    assert span.output[0]["sequence"] == result[0]["sequence"]
    assert span.output[0]["score"] == round(result[0]["score"], 6)


def test_token_classification(calls):
    tagger = tiny_models.bert_pipeline("token-classification", "ForTokenClassification", num_labels=2)
    result = tagger(TEXT, aggregation_strategy="simple")
    span = calls()[-1]
    shown = span.output[0] if isinstance(span.output[0], list) else span.output
    assert [one["word"] for one in shown] == [one["word"] for one in result]
    assert shown[0]["score"] == round(float(result[0]["score"]), 6)
    assert span.attributes["gen_ai.request.aggregation_strategy"] == "simple"


def test_zero_shot_classification_is_one_span(calls):
    labels = {"label2id": {"entailment": 0, "no": 1}, "id2label": {0: "entailment", 1: "no"}}
    pipeline = tiny_models.bert_pipeline("zero-shot-classification", "ForSequenceClassification", **labels)
    result = pipeline(TEXT, candidate_labels=["cat", "film"])
    [span] = calls()
    assert span.name == "zero-shot-classification tiny/bert"
    assert span.input == {"inputs": TEXT, "candidate_labels": ["cat", "film"]}
    assert [one["label"] for one in span.output] == result["labels"]
    assert [one["score"] for one in span.output] == [round(score, 6) for score in result["scores"]]
    assert span.attributes["gen_ai.usage.input_tokens"] > 2 * 8  # each label's hypothesis goes through the model


def test_speech_recognition_by_ctc(calls, recognizer):
    result = recognizer(numpy.zeros(RATE // 2, dtype="float32"))
    [span] = calls()
    assert span.name == "automatic-speech-recognition tiny/wav2vec2"
    assert span.attributes["respan.entity.log_type"] == "transcription"
    assert span.attributes["respan.audio.seconds"] == 0.5
    assert sides(span) == ("audio, 0.5 s, 16000 Hz", result["text"])
    assert "gen_ai.usage.input_tokens" not in span.attributes


def test_speech_in_other_forms(calls, recognizer, tmp_path, monkeypatch):
    sound = io.BytesIO()
    with wave.open(sound, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(4000))
    path = tmp_path / "sound.wav"
    path.write_bytes(sound.getvalue())
    module = __import__(type(recognizer).__module__, fromlist=["ffmpeg_read"])
    monkeypatch.setattr(module, "ffmpeg_read", lambda *_: numpy.zeros(RATE // 4, dtype="float32"))
    recognizer({"raw": numpy.zeros(8000, dtype="float32"), "sampling_rate": RATE})
    recognizer(sound.getvalue())
    recognizer(str(path))
    given, in_memory, on_disk = calls()
    assert sides(given)[0] == "audio, 0.5 s, 16000 Hz"
    assert sides(in_memory)[0] == f"audio, 0.25 s, {len(sound.getvalue())} bytes"
    assert sides(on_disk)[0] == f"audio, 0.25 s, {path}"
    assert [span.attributes["respan.audio.seconds"] for span in calls()] == [0.5, 0.25, 0.25]


@pytest.mark.skipif(transformers.__version__ < "5", reason="its tokenizer is made of files alone there")
def test_speech_recognition_by_generation(calls):
    whisper = tiny_models.whisper_pipeline()
    result = whisper(numpy.zeros(RATE // 2, dtype="float32"))
    [span] = calls()  # generate() has no span of its own
    assert span.name == "automatic-speech-recognition tiny/whisper"
    assert sides(span) == ("audio, 0.5 s, 16000 Hz", result["text"])
    assert span.attributes["gen_ai.usage.output_tokens"] == 6
    assert not any("input_tokens" in key or "prompt_tokens" in key for key in span.attributes)  # frames are no tokens
    assert span.attributes["gen_ai.completion.0.finish_reason"] == "length"
    assert span.attributes["respan.generation.time_to_first_token"] > 0
    assert span.attributes["respan.usage.source"] == "measured"


def test_text_to_speech(calls, tmp_path):
    vits = tiny_models.vits_pipeline(tmp_path)
    result = vits("abc def")
    [span] = calls()
    seconds = result["audio"].shape[-1] / 8000
    assert span.name == "text-to-audio tiny/vits" and span.attributes["respan.entity.log_type"] == "speech"
    assert sides(span) == ("abc def", f"audio, {seconds:.3g} s, 8000 Hz")
    assert math.isclose(span.attributes["respan.audio.seconds"], seconds, abs_tol=1e-6)


def test_image_classification(calls, image):
    result = tiny_models.vit_pipeline("image-classification", "ForImageClassification")(image)
    [span] = calls()
    assert span.name == "image-classification tiny/vit"
    assert span.input == {"width": 20, "height": 10, "mode": "RGB", "format": None}
    assert [one["label"] for one in span.output] == [one["label"] for one in result]


def test_image_embedding(calls, image):
    tiny_models.vit_pipeline("image-feature-extraction", "Model")(image)
    [span] = calls()
    assert span.attributes["respan.entity.log_type"] == "embedding"
    assert span.attributes["gen_ai.prompt.0.content"] == "image, 20 × 10 RGB"
    assert span.attributes["gen_ai.completion.0.content"].startswith("1 × 5 × 16: ")


@pytest.fixture(scope="module")
def seer(generator):
    pytest.importorskip("PIL.Image")
    pytest.importorskip("transformers.pipelines.image_text_to_text")
    return tiny_models.llava_pipeline(copy.deepcopy(generator.tokenizer))


def test_images_and_text_to_text(calls, seer, image):
    result = seer(image, text="<image> what is it", max_new_tokens=4, min_new_tokens=4)
    [span] = calls()
    assert span.name == "text_completion tiny/llava" and span.attributes["respan.entity.log_type"] == "text"
    prompt, completion = sides(span)
    assert json.loads(prompt) == [PICTURE, {"type": "text", "text": "<image> what is it"}]
    assert completion == result[0]["generated_text"]
    assert span.attributes["gen_ai.usage.output_tokens"] == 4
    assert span.attributes["gen_ai.request.max_new_tokens"] == 4


def test_a_chat_with_an_image(calls, seer, image):
    question = [{"type": "image", "image": image}, {"type": "text", "text": "what is it"}]
    result = seer(text=[{"role": "user", "content": question}], max_new_tokens=4, min_new_tokens=4)
    [span] = calls()
    assert span.name == "chat tiny/llava" and span.attributes["respan.entity.log_type"] == "chat"
    prompt, completion = sides(span)
    assert json.loads(prompt) == [PICTURE, {"type": "text", "text": "what is it"}]
    assert completion == result[0]["generated_text"][-1]["content"]


@pytest.mark.parametrize(
    ("task", "key"),
    [("summarization", "summary_text"), ("translation_en_to_de", "translation_text"), ("text2text-generation", None)],
)
def test_tasks_of_transformers_4(calls, generator, task, key):
    """As those pipelines work, whose classes transformers 5 no longer has."""
    from transformers import Pipeline

    class OfVersion4(Pipeline):
        _pipeline_calls_generate = True

        def _sanitize_parameters(self, **kwargs):
            return {}, kwargs, {}

        def preprocess(self, inputs):
            return self.tokenizer(inputs, return_tensors="pt")

        def _forward(self, model_inputs, **kwargs):
            return {"output_ids": self.model.generate(**model_inputs, **kwargs)}

        def postprocess(self, outputs):
            return [{key or "generated_text": self.tokenizer.decode(outputs["output_ids"][0][-3:])}]

    pipeline = OfVersion4(model=generator.model, tokenizer=generator.tokenizer, task=task)
    result = pipeline(TEXT, max_new_tokens=3, min_new_tokens=3)
    [span] = calls()
    assert span.attributes["respan.entity.log_type"] == "text" and span.name.startswith("text_completion ")
    assert sides(span) == (TEXT, result[0][key or "generated_text"])
    assert span.attributes["gen_ai.usage.output_tokens"] == 3
    assert span.attributes["gen_ai.request.max_new_tokens"] == 3


def test_a_pipeline_of_ones_own(calls):
    from transformers import Pipeline

    class Counting(Pipeline):
        def _sanitize_parameters(self, **kwargs):
            return {}, {}, kwargs

        def preprocess(self, inputs):
            return self.tokenizer(inputs, return_tensors="pt")

        def _forward(self, model_inputs):
            return {"length": model_inputs["input_ids"].shape[1]}

        def postprocess(self, outputs, unit="tokens"):
            return {"length": outputs["length"], "unit": unit}

    pipeline = Counting(model=tiny_models.bert("Model"), tokenizer=tiny_models.bert_tokenizer(), task="counting")
    assert pipeline(TEXT, unit="pieces") == {"length": 8, "unit": "pieces"}
    [span] = calls()
    assert span.name == "counting tiny/bert" and span.attributes["respan.entity.log_type"] == "custom"
    assert span.input == {"inputs": TEXT, "unit": "pieces"} and span.output == {"length": 8, "unit": "pieces"}
    assert span.attributes["gen_ai.usage.input_tokens"] == 8


def test_a_pipeline_made_without_a_task(calls):
    from transformers import FeatureExtractionPipeline

    class Mine(FeatureExtractionPipeline):
        pass

    Mine(model=tiny_models.bert("Model"), tokenizer=tiny_models.bert_tokenizer())(TEXT)
    [span] = calls()
    assert span.attributes["respan.pipeline.task"] == "feature-extraction"
    assert span.attributes["respan.entity.log_type"] == "embedding"


def test_a_pipeline_within_a_pipeline(calls, server, embedder):
    class Asks(type(embedder)):
        def postprocess(self, outputs, **kwargs):
            return embedder("a cat")

    Asks(model=embedder.model, tokenizer=embedder.tokenizer, task="feature-extraction")(TEXT)
    inner, outer = calls()
    assert inner.parent_id == outer.span_id and outer.parent_id == ""
    assert outer.attributes["gen_ai.usage.input_tokens"] == 8 and inner.attributes["gen_ai.usage.input_tokens"] == 4
    assert inner.attributes["respan.call.nested"] is True and "respan.call.nested" not in outer.attributes


def test_a_call_within_a_pipeline_of_another_task_is_in_that_ones_time(calls, classifier, embedder):
    class Asks(type(classifier)):
        def postprocess(self, outputs, **kwargs):
            return embedder("a cat")

    Asks(model=classifier.model, tokenizer=classifier.tokenizer, task="text-classification")(TEXT)
    inner, outer = calls()
    assert inner.parent_id == outer.span_id and "respan.model.device" in outer.attributes
    assert inner.attributes["respan.call.nested"] is True and "respan.call.nested" not in outer.attributes


def test_a_call_within_one_without_a_model_pays_for_its_own_time(calls, classifier, embedder):
    class Asks(type(classifier)):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.model = None

        def __call__(self, *args, **kwargs):
            return embedder("a cat")

    Asks(model=classifier.model, tokenizer=classifier.tokenizer, task="text-classification")(TEXT)
    for call in calls():
        assert "respan.call.nested" not in call.attributes


def test_a_pipeline_that_calls_itself_is_one_span(calls, embedder):
    class Again(type(embedder)):
        def postprocess(self, outputs, **kwargs):
            return super().postprocess(outputs) if self.call_count > 1 else self("a cat")

    Again(model=embedder.model, tokenizer=embedder.tokenizer, task="feature-extraction")(TEXT)
    assert len(calls()) == 1


def test_an_iterator_is_not_advanced_and_its_span_ends_with_it(calls, classifier):
    taken = []

    def source():
        for text in (TEXT, "a film", "it is good"):
            taken.append(text)
            yield text

    results = classifier(source())
    assert len(taken) <= 1 and calls() == []  # what transformers itself looks at
    first = next(iter(results))
    assert len(taken) <= 2 and calls() == []
    rest = list(results)
    [span] = calls()
    assert len(rest) == 2 and taken[-1] == "it is good"
    assert span.attributes["respan.batch.size"] == 3 and span.attributes["gen_ai.usage.input_tokens"] == 8 + 4 + 5
    labels = [one[0]["label"] if isinstance(one, list) else one["label"] for one in (first, *rest)]
    assert [one[0]["label"] if isinstance(one, list) else one["label"] for one in span.output] == labels


def test_an_iterator_that_is_abandoned(calls, classifier):
    results = classifier(text for text in (TEXT, "a film"))
    next(iter(results))
    del results
    gc.collect()
    [span] = calls()
    assert span.attributes["respan.iterator.abandoned"] is True and len(span.output) == 1


def test_a_data_set_is_not_read_early(calls, classifier):
    from torch.utils.data import Dataset

    read = []

    class Texts(Dataset):
        def __len__(self):
            return 2

        def __getitem__(self, index):
            read.append(index)
            return [TEXT, "a film"][index]

    results = classifier(Texts())
    assert read == [] and len(results) == 2
    assert len(list(results)) == 2 and read == [0, 1]
    [span] = calls()
    assert "traceloop.entity.input" not in span.attributes and span.attributes["respan.batch.size"] == 2


def test_results_are_what_they_are_untraced(calls, embedder, classifier, recognizer):
    silence = numpy.zeros(4000, dtype="float32")
    for pipeline, given in ((embedder, TEXT), (classifier, [TEXT, "a"]), (recognizer, silence)):
        traced = pipeline(given)
        instrumented = type(pipeline).__mro__
        base = next(kind for kind in instrumented if kind.__name__ == "Pipeline")
        wrapper = vars(base)["__call__"]
        base.__call__ = wrapper.__wrapped__
        try:
            bare = pipeline(given)
        finally:
            base.__call__ = wrapper
        assert same(traced, bare)
    assert len(calls()) == 3


def test_exceptions_are_the_pipelines_own(calls, classifier, monkeypatch):
    error = RuntimeError("no memory")

    def fail(*_, **__):
        raise error

    monkeypatch.setattr(classifier.model, "forward", fail)
    with pytest.raises(RuntimeError) as caught:
        classifier(TEXT)
    assert caught.value is error
    [span] = calls()
    assert span.status == 2 and span.events[0][1]["exception.message"] == "no memory"
    assert span.input == TEXT


@pytest.mark.parametrize("variable", ["TRACELOOP_TRACE_CONTENT", "RESPAN_TRACE_CONTENT"])
def test_content_can_be_kept_out(server, tracing, embedder, classifier, recognizer, monkeypatch, variable):
    monkeypatch.setenv(variable, "false")
    respan = tracing(instrumentations=[HuggingFaceInstrumentor()])
    embedder(TEXT)
    classifier([TEXT, "a film"], top_k=1)
    said = recognizer(numpy.zeros(4000, dtype="float32"))["text"]
    assert respan.flush()
    assert len(server.spans) == 3 and all(span.status == 1 for span in server.spans)
    for span in server.spans:
        for key, value in span.attributes.items():
            assert not key.startswith(("gen_ai.prompt", "gen_ai.completion", "traceloop.entity")), key
            assert value != said
    assert not any(TEXT.encode() in body for body in server.bodies)


def test_our_own_failures_stay_ours(server, tracing, classifier, monkeypatch):
    from respan_instrumentation_huggingface import _pipelines

    failures = []
    respan = tracing(instrumentations=[HuggingFaceInstrumentor(exception_logger=failures.append)])

    def fail(*_):
        raise RuntimeError("odd")

    monkeypatch.setattr(_pipelines, "readable", fail)
    assert classifier(TEXT)[0]["label"] in ("good", "bad")
    assert failures and respan.flush()
    assert server.spans[0].name == "text-classification tiny/bert"
