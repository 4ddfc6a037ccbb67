"""The span of what a program loads: from_pretrained of models, tokenizers and processors, and pipeline()."""

import shutil

import pytest
from respan import workflow
from respan_instrumentation_huggingface import HuggingFaceInstrumentor

MODEL = "sshleifer/tiny-gpt2"
REVISION = "0" * 39 + "1"


@pytest.fixture
def loads(server, tracing, generator):
    failures = []
    respan = tracing(instrumentations=[HuggingFaceInstrumentor(exception_logger=failures.append)])

    def spans():
        assert failures == []
        assert respan.flush()
        return [span for span in server.spans if span.name.startswith("load")]

    return spans


@pytest.fixture
def folder(generator, tmp_path):
    generator.model.save_pretrained(tmp_path / "model")
    generator.tokenizer.save_pretrained(tmp_path / "model")
    return str(tmp_path / "model")


def test_a_model_of_the_cache(server, loads):
    import torch
    from transformers import AutoModelForCausalLM, __version__

    dtype = {"dtype" if __version__.startswith("5") else "torch_dtype": torch.float32}

    @workflow(name="setup")
    def setup():
        return AutoModelForCausalLM.from_pretrained(MODEL, revision="main", **dtype)

    model = setup()
    [span] = loads()
    assert span.name == f"load {MODEL}" and span.status == 1 and span.parent_id == server.span("setup.workflow").span_id
    expected = {
        "respan.entity.log_type": "task",
        "gen_ai.request.model": MODEL,
        "respan.load.kind": "model",
        "respan.load.target": "AutoModelForCausalLM",
        "respan.load.cache": "warm",
        "respan.load.offline": True,
        "respan.load.revision": "main",
        "respan.load.dtype": "float32",
        "respan.load.bytes": 4 * model.num_parameters(),
        "respan.model.class": "GPT2LMHeadModel",
        "respan.model.revision": REVISION,
        "respan.model.device": "cpu",
        "respan.model.dtype": "float32",
    }
    assert expected.items() <= span.attributes.items()
    assert span.input["model"] == MODEL and span.output["class"] == "GPT2LMHeadModel"
    assert "gen_ai.system" not in span.attributes  # it is no model call


def test_a_class_by_its_own_name(loads):
    from transformers import GPT2LMHeadModel

    model, information = GPT2LMHeadModel.from_pretrained(MODEL, output_loading_info=True)
    [span] = loads()
    assert type(model) is GPT2LMHeadModel and isinstance(information, dict)
    assert span.attributes["respan.load.target"] == "GPT2LMHeadModel"
    assert span.attributes["respan.model.parameters"] == model.num_parameters()


def test_a_tokenizer(loads):
    from transformers import AutoTokenizer, GPT2TokenizerFast

    AutoTokenizer.from_pretrained(MODEL)
    GPT2TokenizerFast.from_pretrained(MODEL)
    one, other = loads()
    assert one.name == other.name == f"load {MODEL}" and one.attributes["respan.load.kind"] == "tokenizer"
    assert one.attributes["respan.model.tokenizer_hash"] == other.attributes["respan.model.tokenizer_hash"]


def test_a_pipeline_is_one_load(loads):
    import transformers

    made = transformers.pipeline("text-generation", model=MODEL)
    [span] = loads()
    attributes = span.attributes
    assert attributes["respan.load.kind"] == "pipeline" and attributes["respan.load.target"] == "text-generation"
    assert attributes["respan.model.class"] == type(made.model).__name__
    assert attributes["respan.model.revision"] == REVISION and attributes["respan.load.cache"] == "warm"
    parts = attributes["respan.load.model_seconds"], attributes["respan.load.tokenizer_seconds"]
    assert all(0 < part <= (span.end - span.start) / 1e9 for part in parts)


def test_a_pipeline_knows_the_commit_that_it_loaded(loads, generator):
    from conftest import HUGGINGFACE_CACHE
    from transformers import pipeline

    snapshots = HUGGINGFACE_CACHE / "hub" / f"models--{MODEL.replace('/', '--')}" / "snapshots"
    other = snapshots / ("f" * 40)  # the cache has another one, so that the name alone does not tell
    other.mkdir()
    try:
        pipeline("text-generation", model=MODEL)
    finally:
        other.rmdir()
    assert loads()[0].attributes["respan.model.revision"] == REVISION


def test_a_pipeline_of_what_is_loaded(loads, generator):
    from transformers import pipeline

    made = pipeline("text-generation", model=generator.model, tokenizer=generator.tokenizer)
    [span] = loads()
    assert made.model is generator.model and span.name == f"load {MODEL}"
    assert "respan.load.model_seconds" not in span.attributes


def test_a_pipeline_function_that_was_imported_before(script, server, generator):
    made = script(
        "from transformers import pipeline\n"
        "from respan import Respan\n"
        "from respan_instrumentation_huggingface import HuggingFaceInstrumentor\n"
        "original = pipeline\n"
        "respan = Respan(instrumentations=[HuggingFaceInstrumentor()])\n"
        f"pipeline('text-generation', model='{MODEL}')\n"
        "respan.shutdown()\n"
        "assert pipeline is original\n"
    )
    assert made.returncode == 0, made.stderr
    assert [span.attributes["respan.load.kind"] for span in server.spans] == ["pipeline"]


def test_a_local_folder(loads, folder):
    from transformers import AutoModel

    AutoModel.from_pretrained(folder)
    [span] = loads()
    assert span.name == f"load {folder}" and span.attributes["respan.load.cache"] == "local"
    assert "respan.model.revision" not in span.attributes


def test_what_was_not_there_before(loads, folder, tmp_path, monkeypatch):
    from transformers import AutoModel, configuration_utils
    from transformers.utils import hub

    place, name = (hub, "cached_files") if hasattr(hub, "cached_files") else (configuration_utils, "cached_file")
    root = tmp_path / "cache"
    copied = root / "models--me--mine"
    original = getattr(place, name)

    def download(*args, **kwargs):  # as the hub would, in the middle of it all
        if not copied.exists():
            (copied / "blobs").mkdir(parents=True)
            snapshot = copied / "snapshots" / REVISION
            shutil.copytree(folder, snapshot)
            (copied / "blobs" / "weights").write_bytes(bytes(5000))
            (copied / "refs").mkdir()
            (copied / "refs" / "main").write_text(REVISION)
        return original(*args, **kwargs)

    monkeypatch.setattr(place, name, download)
    AutoModel.from_pretrained("me/mine", cache_dir=str(root))
    AutoModel.from_pretrained("me/mine", cache_dir=str(root))
    cold, warm = (span.attributes for span in loads())
    assert cold["respan.load.cache"] == "cold" and cold["respan.load.downloaded_bytes"] == 5000
    assert warm["respan.load.cache"] == "warm" and "respan.load.downloaded_bytes" not in warm
    assert cold["respan.model.revision"] == REVISION


def test_a_failing_load(loads):
    from transformers import AutoModelForCausalLM, AutoTokenizer, pipeline

    for load in (
        lambda: AutoModelForCausalLM.from_pretrained("nobody/nothing"),
        lambda: AutoTokenizer.from_pretrained("nobody/nothing"),
        lambda: pipeline("text-generation", model="nobody/nothing"),
    ):
        with pytest.raises(OSError) as caught:
            load()
        failed = loads()[-1]
        assert failed.status == 2 and failed.name == "load nobody/nothing"
        [(_, said)] = failed.events
        assert said["exception.message"] == str(caught.value)
    assert len(loads()) == 3


def test_secrets_and_content_stay_here(server, tracing, generator, monkeypatch):
    from transformers import AutoModelForCausalLM

    monkeypatch.setenv("TRACELOOP_TRACE_CONTENT", "false")
    respan = tracing(instrumentations=[HuggingFaceInstrumentor()])
    AutoModelForCausalLM.from_pretrained(MODEL, token="hf_secret")
    assert respan.flush()
    [span] = server.spans
    assert not any(b"hf_secret" in body for body in server.bodies)
    assert not {"traceloop.entity.input", "traceloop.entity.output"} & set(span.attributes)
    assert span.attributes["respan.model.class"] == "GPT2LMHeadModel"


def test_everything_is_put_back(generator):
    import transformers
    from transformers import AutoModel, AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerBase

    kinds = (AutoModel, AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerBase)
    before = [vars(kind)["from_pretrained"] for kind in kinds]
    function = transformers.pipeline
    instrumentor = HuggingFaceInstrumentor()
    instrumentor.activate()
    try:
        wrapped = transformers.pipeline, *(vars(kind)["from_pretrained"] for kind in kinds)
    finally:
        instrumentor.deactivate()
    assert transformers.pipeline is function
    assert [vars(kind)["from_pretrained"] for kind in kinds] == before
    assert all(one is not other for one, other in zip(wrapped, (function, *before), strict=True))


def test_who_imports_the_function_meanwhile_has_the_original_in_the_end(generator):
    import transformers

    vars(transformers).pop("pipeline", None)  # it is looked up again when asked for
    instrumentor = HuggingFaceInstrumentor()
    instrumentor.activate()
    wrapped = transformers.pipeline
    instrumentor.deactivate()
    assert transformers.pipeline is wrapped.__wrapped__
