"""What a span says of the model that it used: `model_attributes` on real models, small and with random weights."""

import copy
import gc
import json
from importlib.metadata import PackageNotFoundError

import pytest
from respan_instrumentation_huggingface import _model
from respan_instrumentation_huggingface._model import model_attributes, remember_revision

torch = pytest.importorskip("torch")
REVISION = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def model():
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(n_embd=8, n_head=2, n_layer=1, vocab_size=10, n_positions=16, bos_token_id=0, eos_token_id=0)
    return GPT2LMHeadModel(config).eval()


@pytest.fixture
def tokenizer(generator):
    return copy.deepcopy(generator.tokenizer)


def facts(*args):
    return {key.removeprefix("respan.model."): value for key, value in model_attributes(*args).items()}


def test_a_model(model):
    import transformers

    said = facts(model)
    assert said["class"] == "GPT2LMHeadModel" and said["type"] == "gpt2"
    assert said["parameters"] == model.num_parameters()
    assert said["bytes"] == 4 * model.num_parameters()
    assert (said["dtype"], said["device"]) == ("float32", "cpu")
    assert said["transformers_version"] == transformers.__version__
    assert said["torch_version"] == torch.__version__
    assert not {"quantization", "adapter", "device_map", "training", "compiled", "revision"} & set(said)


def test_facts_are_made_once_for_a_model(model, monkeypatch):
    made = []
    original = type(model).parameters
    monkeypatch.setattr(type(model), "parameters", lambda self: made.append(self) or original(self))
    first = model_attributes(model)
    times = len(made)
    assert times > 0 and model_attributes(model) is first and len(made) == times


@pytest.mark.parametrize(
    ("change", "fact", "value"),
    [
        (lambda model: model.half(), "dtype", "float16"),
        (lambda model: model.to("meta"), "device", "meta"),
        (lambda model: model.train(), "training", True),
        (lambda model: model.resize_token_embeddings(12), "parameters", None),
        (lambda model: setattr(model, "hf_device_map", {"a": 0, "b": "disk"}), "device", "cuda:0, disk"),
        (lambda model: setattr(model, "active_adapter", "mine"), "adapter", "mine"),
    ],
)
def test_a_model_that_changed_is_looked_at_again(model, change, fact, value):
    model_attributes(model)
    change(model)
    assert facts(model)[fact] == (value or model.num_parameters())


def test_a_model_on_meta_stays_there():
    from transformers import GPT2Config, GPT2LMHeadModel

    with torch.device("meta"):
        model = GPT2LMHeadModel(GPT2Config())
    said = facts(model)
    assert said["device"] == "meta" and said["parameters"] == 124_439_808
    assert all(parameter.is_meta for parameter in model.parameters())


def test_models_are_not_kept(model):
    gc.collect()
    before = set(_model._models._known._entries)
    model_attributes(model)
    other = copy.deepcopy(model)
    model_attributes(other)
    key = id(other)
    assert {id(model), key} <= set(_model._models._known._entries)
    del other
    gc.collect()
    assert set(_model._models._known._entries) - before == {id(model)}


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"quant_method": "gptq", "bits": 4}, "gptq 4-bit"),
        (
            {"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": "nf4"},
            "bitsandbytes 4-bit nf4",
        ),
        ({"quant_method": "bitsandbytes", "_load_in_8bit": True}, "bitsandbytes 8-bit"),
        ({"quant_method": "fp8"}, "fp8"),
    ],
)
def test_quantization(model, config, text):
    model.config.quantization_config = config
    said = facts(model)
    assert said["quantization"] == text and json.loads(said["quantization_config"]) == config


def test_a_quantization_config_of_transformers(model):
    from transformers import BitsAndBytesConfig

    try:
        config = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4")
    except PackageNotFoundError:  # transformers 4 asks for the package's version
        pytest.skip("bitsandbytes is not installed")
    model.config.quantization_config = config
    assert facts(model)["quantization"] == "bitsandbytes 4-bit nf4"


def test_an_adapter_around_a_model(model):
    class Adapted(torch.nn.Module):  # as PEFT's: base_model, and what is not found is asked of it
        def __init__(self, inner):
            super().__init__()
            self.base_model = inner
            self.peft_config = {"default": object()}
            self.active_adapter = "default"

        def __getattr__(self, name):
            try:
                return super().__getattr__(name)
            except AttributeError:
                return getattr(self._modules["base_model"], name)

    said = facts(Adapted(model))
    assert said["adapter"] == "default" and said["adapters"] == ["default"]
    assert said["class"] == "Adapted" and said["type"] == "gpt2" and said["parameters"] == model.num_parameters()


def test_wrappers_are_seen_through(model):
    compiled = facts(torch.compile(model))
    assert compiled.pop("compiled") is True and compiled == facts(model)
    parallel = torch.nn.DataParallel(model)
    assert facts(parallel)["class"] == "GPT2LMHeadModel"


def test_revision_as_loaded_as_configured_and_as_cached(model, generator, tmp_path, monkeypatch):
    monkeypatch.delitem(generator.model.config.__dict__, "_commit_hash", raising=False)
    assert facts(generator.model)["revision"] == "0" * 39 + "1"  # the one in the cache
    model.config._commit_hash = REVISION
    assert facts(model)["revision"] == REVISION
    other = copy.deepcopy(model)
    remember_revision(other, "f" * 40)
    assert facts(other)["revision"] == "f" * 40


def test_a_cache_with_several_commits_is_asked_by_name(tmp_path):
    folder = tmp_path / "models--me--mine"
    for commit in (REVISION, "f" * 40):
        (folder / "snapshots" / commit).mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text(REVISION)
    cached = _model.cached_revision
    assert cached("me/mine", None, str(tmp_path)) is None
    assert cached("me/mine", "main", str(tmp_path)) == REVISION
    assert cached("me/mine", "f" * 40, str(tmp_path)) == "f" * 40
    assert cached("me/mine", "none", str(tmp_path)) is None and cached("me/other", "main", str(tmp_path)) is None
    assert cached(str(folder / "snapshots" / REVISION)) == REVISION


def test_a_tokenizer_by_what_it_does(tokenizer):
    first = facts(None, tokenizer)
    assert len(first["tokenizer_hash"]) == 16 and first["tokenizer"] == type(tokenizer).__name__
    tokenizer.pad_token = tokenizer.eos_token
    tokenizer(["one", "and two"], padding=True, truncation=True, max_length=8)
    assert facts(None, copy.deepcopy(tokenizer))["tokenizer_hash"] == first["tokenizer_hash"]
    tokenizer.add_tokens(["<new>"])
    assert facts(None, tokenizer)["tokenizer_hash"] != first["tokenizer_hash"]


def test_a_chat_template_by_its_hash(tokenizer):
    assert "chat_template_hash" not in facts(None, tokenizer)
    tokenizer.chat_template = "{{ messages }}"
    first = facts(None, tokenizer)["chat_template_hash"]
    tokenizer.chat_template = "{{ messages }}!"
    assert len(first) == 16 and facts(None, tokenizer)["chat_template_hash"] != first


def test_a_seed_that_was_set(model):
    state = torch.random.get_rng_state()
    try:
        torch.manual_seed(1234)
        assert facts(model)["seed"] == 1234
        torch.seed()
        assert "seed" not in facts(model)
    finally:
        torch.random.set_rng_state(state)


@pytest.mark.parametrize("odd", [None, 7, "model", object(), {}, type, torch.nn.Identity()])
def test_what_is_no_model_gives_what_can_be_told(odd):
    said = facts(odd, odd)
    assert "parameters" not in said and "tokenizer_hash" not in said
