"""What a model was: enough to run the same call again, and to tell the calls of different models apart.

`model_attributes` is the one way in, for every span of a model. What takes time (counting parameters, hashing the
tokenizer) is done once an object; later calls compare a few fields by which the object would have changed. It reads shapes,
dtypes and devices, never a weight, so meta, offloaded and quantized models stay as they are; no network; of files, only
what lies in Hugging Face's cache. Any thread: of two that come first at once, both do the work.
"""

from __future__ import annotations

import json
import os
import re
import sys
from hashlib import sha256
from weakref import ref

from ._known import Known

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Facts = dict[str, Any]

PREFIX = "respan.model."
HASH_DIGITS = 16
CONFIG_CHARACTERS_MAX = 2000  # of a quantization config or device map written out
SEEDS = 1 << 32  # torch's own first seed has 53 random bits: one below this was set by somebody
WRAPPERS = ("_orig_mod", "module")  # what torch.compile and data parallelism call the model inside them
COMMIT = re.compile(r"[0-9a-f]{40}")
SNAPSHOT = re.compile(r"[/\\]snapshots[/\\]([0-9a-f]{40})([/\\]|$)")


_NOTHING: Facts = {}
_last: tuple[Facts, Facts, int | None, Facts] = ({}, {}, None, {})  # most programs have one model, and one seed


def model_attributes(model: Any, tokenizer: Any = None) -> Facts:
    """`respan.model.*` of a model and of the tokenizer (or processor) that it is used with; either may be None.

    About a microsecond for objects that were seen before; some milliseconds for a new model and up to a tenth of a second for a
    new tokenizer, so call it where a span's time has been stopped. The dict may be shared: do not change it.
    """
    global _last
    facts = _models.facts_of(model) if model is not None else _NOTHING
    of_tokenizer = _tokenizers.facts_of(tokenizer) if tokenizer is not None else _NOTHING
    seed = _seed()
    if seed is None and not of_tokenizer:
        return facts
    last = _last
    if last[0] is facts and last[1] is of_tokenizer and last[2] == seed:
        return last[3]
    together = {**facts, **of_tokenizer, **({} if seed is None else {PREFIX + "seed": seed})}
    _last = (facts, of_tokenizer, seed, together)
    return together


def remember_revision(model: Any, revision: str) -> None:
    """Says which commit a model was loaded from; what loads it knows that better than the model."""
    _revisions.put(model, revision)


def unwrapped(model: Any) -> Any:
    """The model inside the wrappers of torch.compile and of data parallelism."""
    for _ in range(len(WRAPPERS) + 1):
        modules = getattr(model, "__dict__", {}).get("_modules") or {}
        if len(modules) != 1:  # what is wrapped is all that a wrapper has
            break
        for name in WRAPPERS:
            if name in modules:
                model = modules[name]
                break
    return model


class _Cache:
    """Facts of objects, made once and again when their mark has changed."""

    def __init__(self, facts: Callable[[Any], tuple[Facts, Any]], mark: Callable[[Any, Any], Any]) -> None:
        self._facts, self._mark = facts, mark
        self._known = Known()

    def facts_of(self, owner: Any) -> Facts:
        known = self._known.get(owner)
        if known is not None:
            facts, witness, mark = known
            if mark is not None and self._mark(owner, witness) == mark:
                return facts  # type: ignore[no-any-return]
        facts, witness = self._facts(owner)
        self._known.put(owner, (facts, witness, self._mark(owner, witness)))
        return facts


_revisions = Known()


# ---- models -----------------------------------------------------------------------------------------------------------


def _mark_of_model(model: Any, parameters: tuple[ref[Any], ref[Any]] | None) -> Any:
    """What differs once a model was moved, cast, adapted, resized or put together anew; None: look again next time.

    `parameters` are its first and its last one: modules that are replaced take theirs along, and a parameter that is cast, moved
    or resized stays the same object.
    """
    if parameters is None:
        return None
    first, last = parameters[0](), parameters[1]()
    if first is None or last is None:
        return None
    values = unwrapped(model).__dict__
    return (
        model.__dict__.get("training"),
        id(values.get("hf_device_map")),
        len(values.get("peft_config") or ()),
        values.get("active_adapter"),
        first.dtype,
        first.device,
        first.shape,
        last.dtype,
        last.device,
        last.shape,
    )


def _facts_of_model(model: Any) -> tuple[Facts, tuple[ref[Any], ref[Any]] | None]:
    inner = unwrapped(model)
    config = getattr(inner, "config", None)
    adapters = getattr(inner, "peft_config", None)
    parameters = _parameters(inner)
    facts: Facts = {
        "class": type(inner).__name__,
        "type": _text(getattr(config, "model_type", None)),
        "revision": _revision(model, inner, config),
        **_dtype_and_device(inner, parameters),
        "quantization": _quantization(config),
        "quantization_config": _written(getattr(config, "quantization_config", None)),
        "attention": _text(getattr(config, "_attn_implementation", None)),
        "adapters": [str(name) for name in adapters] if isinstance(adapters, dict) else None,
        "adapter": _text(getattr(inner, "__dict__", {}).get("active_adapter")),
        "compiled": True if "_orig_mod" in getattr(model, "__dict__", {}).get("_modules", ()) else None,
        "training": True if getattr(inner, "training", None) is True else None,
        "transformers_version": _version("transformers"),
        "torch_version": _version("torch"),
    }
    witness = (ref(parameters[0]), ref(parameters[-1])) if parameters else None
    return {PREFIX + name: value for name, value in facts.items() if value not in (None, "", [])}, witness


def _parameters(model: Any) -> list[Any]:
    try:
        return list(model.parameters())
    except Exception:  # not a torch model, or one that says no
        return []


def _dtype_and_device(model: Any, parameters: list[Any]) -> Facts:
    facts: Facts = {}
    dtypes: dict[str, int] = {}
    devices: dict[str, int] = {}
    elements = size = 0
    for parameter in parameters:
        try:
            count = int(parameter.numel()) * _packed(parameter)
            size += int(parameter.numel()) * int(parameter.element_size())
        except Exception:  # a lazy parameter has no shape yet
            continue
        elements += count
        dtype = str(parameter.dtype).removeprefix("torch.")
        dtypes[dtype] = dtypes.get(dtype, 0) + count
        device = str(parameter.device)
        devices[device] = devices.get(device, 0) + count
    if elements:
        facts["parameters"], facts["bytes"] = elements, size
    try:
        of_module = model.dtype  # what it computes in, where weights are packed
    except Exception:
        of_module = None
    if type(of_module).__name__ == "dtype":
        facts["dtype"] = str(of_module).removeprefix("torch.")
    elif dtypes:
        facts["dtype"] = max(dtypes, key=dtypes.__getitem__)
    if len(dtypes) > 1:
        facts["dtypes"] = sorted(dtypes)
    device_map = getattr(model, "hf_device_map", None)
    if isinstance(device_map, dict) and len(device_map) > 1:
        facts["device_map"] = _written({str(name): str(device) for name, device in device_map.items()})
        placed = {str(device) if not isinstance(device, int) else f"cuda:{device}" for device in device_map.values()}
        facts["device"] = ", ".join(sorted(placed))
    elif devices:
        facts["device"] = ", ".join(sorted(devices))
    return facts


def _packed(parameter: Any) -> int:
    """How many weights one element holds: bitsandbytes packs two of four bits into each byte."""
    if type(parameter).__name__ != "Params4bit":
        return 1
    return 2 * int(parameter.element_size())


def _quantization(config: Any) -> str | None:
    """Method, bits and type in a few words, as `gptq 4-bit` or `bitsandbytes 4-bit nf4`."""
    values = _as_dict(getattr(config, "quantization_config", None))
    if not values:
        return None
    method = values.get("quant_method") or values.get("quant_type") or "unknown"
    words = [str(getattr(method, "value", method))]
    bits = values.get("bits") or values.get("w_bit") or values.get("nbits")
    if values.get("load_in_4bit") or values.get("_load_in_4bit"):
        bits, kind = 4, values.get("bnb_4bit_quant_type")
    elif values.get("load_in_8bit") or values.get("_load_in_8bit"):
        bits, kind = 8, None
    else:
        kind = values.get("fmt") or values.get("weights")
    if isinstance(bits, int):
        words.append(f"{bits}-bit")
    if isinstance(kind, str):
        words.append(kind)
    return " ".join(words)


def _as_dict(config: Any) -> dict[str, Any]:
    if isinstance(config, dict):
        return config
    for name in ("to_dict", "dict"):
        method = getattr(config, name, None)
        if callable(method):
            try:
                values = method()
            except Exception:
                continue
            if isinstance(values, dict):
                return values
    return {}


def _written(config: Any) -> str | None:
    values = _as_dict(config)
    return json.dumps(values, default=str, sort_keys=True)[:CONFIG_CHARACTERS_MAX] if values else None


def _revision(model: Any, inner: Any, config: Any) -> str | None:
    """The commit that the weights came from: as it was loaded, as its config says (transformers 4), or as the cache has it."""
    for owner in (model, inner):
        revision = _revisions.get(owner)
        if revision:
            return str(revision)
    said = getattr(config, "_commit_hash", None)
    if isinstance(said, str) and said:
        return said
    name = getattr(config, "name_or_path", None) or getattr(inner, "name_or_path", None)
    return cached_revision(name) if isinstance(name, str) and name else None


def cached_revision(name: str, revision: str | None = None, cache_dir: str | None = None) -> str | None:
    """The commit of what Hugging Face's cache has under this name; None if there are several that it may have been."""
    if revision is not None and COMMIT.fullmatch(revision):
        return revision
    found = SNAPSHOT.search(name)
    if found:
        return found[1]
    hub = sys.modules.get("huggingface_hub.constants")
    root = cache_dir or getattr(hub, "HF_HUB_CACHE", None)
    if root is None or os.path.exists(name):
        return None
    folder = os.path.join(root, "models--" + name.replace("/", "--"))
    try:
        if revision is not None:
            with open(os.path.join(folder, "refs", *revision.split("/")), encoding="ascii") as file:
                return file.read(64).strip() or None
        snapshots = os.listdir(os.path.join(folder, "snapshots"))
    except (OSError, ValueError):
        return None
    return snapshots[0] if len(snapshots) == 1 else None


# ---- tokenizers -------------------------------------------------------------------------------------------------------


def _mark_of_tokenizer(tokenizer: Any, _: Any) -> Any:
    try:
        held = tokenizer.__dict__  # asking for what is not there is dear
        inner = held.get("tokenizer", tokenizer)  # a processor's
        return len(inner), inner.__dict__.get("chat_template"), held.get("chat_template")
    except Exception:
        return type(tokenizer)


def _facts_of_tokenizer(tokenizer: Any) -> tuple[Facts, Any]:
    inner = getattr(tokenizer, "tokenizer", tokenizer)
    facts: Facts = {PREFIX + "tokenizer": type(inner).__name__}
    vocabulary = _vocabulary(inner)
    if vocabulary is not None:
        facts[PREFIX + "tokenizer_hash"] = _hash(vocabulary)
    template = getattr(tokenizer, "chat_template", None) or getattr(inner, "chat_template", None)
    if template:
        text = template if isinstance(template, str) else json.dumps(template, default=str, sort_keys=True)
        facts[PREFIX + "chat_template_hash"] = _hash(text)
    return facts, None


def _vocabulary(tokenizer: Any) -> str | None:
    """All that decides which tokens a text becomes, but for the padding and truncation that a call may have set."""
    try:
        backend = getattr(tokenizer, "backend_tokenizer", None) or getattr(tokenizer, "_tokenizer", None)
        if backend is not None and hasattr(backend, "to_str"):
            text = str(backend.to_str())
            return text[max(0, text.find('"added_tokens"')) :]
        return json.dumps(sorted(tokenizer.get_vocab().items()), default=str)
    except Exception:  # a feature extractor has none
        return None


def _hash(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:HASH_DIGITS]


# ---- the process ------------------------------------------------------------------------------------------------------


def _seed() -> int | None:
    torch = sys.modules.get("torch")
    try:
        seed = torch.initial_seed()  # type: ignore[union-attr]
    except Exception:
        return None
    return seed if 0 <= seed < SEEDS else None


def _version(module: str) -> str | None:
    return _text(getattr(sys.modules.get(module), "__version__", None))


def _text(value: Any) -> str | None:
    return str(value) if isinstance(value, str) and value else None


_models = _Cache(_facts_of_model, _mark_of_model)
_tokenizers = _Cache(_facts_of_tokenizer, _mark_of_tokenizer)
