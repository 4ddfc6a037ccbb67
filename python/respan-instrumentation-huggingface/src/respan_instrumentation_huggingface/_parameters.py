"""Model name and generation parameters of a pipeline call, as span attributes.

In force, from strongest to weakest: the call's keywords; the call's generation_config; what the pipeline was made with;
the model's generation config; the pipeline's own defaults. The first three are the user's: `respan.request.set_parameters`
names those.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

REQUEST = "gen_ai.request."
SET = "respan.request.set_parameters"

# Told wherever they come from: generation parameter -> name behind gen_ai.request.
PARAMETERS = {
    name: name
    for name in (
        "temperature",
        "top_p",
        "top_k",
        "min_p",
        "typical_p",
        "max_length",
        "max_new_tokens",
        "min_length",
        "min_new_tokens",
        "repetition_penalty",
        "no_repeat_ngram_size",
        "do_sample",
        "num_beams",
        "penalty_alpha",
        "length_penalty",
        "early_stopping",
        "seed",
    )
}
PARAMETERS["num_return_sequences"] = "choice.count"
PARAMETERS["stop_strings"] = "stop_sequences"

# Told where the user set them.
OF_USER = {
    **PARAMETERS,
    "stop_sequence": "stop_sequences",
    **{
        name: name
        for name in (
            "top_h",
            "epsilon_cutoff",
            "eta_cutoff",
            "encoder_repetition_penalty",
            "encoder_no_repeat_ngram_size",
            "diversity_penalty",
            "num_beam_groups",
            "guidance_scale",
            "max_time",
            "use_cache",
            "cache_implementation",
            "renormalize_logits",
            "remove_invalid_values",
            "token_healing",
            "prompt_lookup_num_tokens",
            "num_assistant_tokens",
            "assistant_confidence_threshold",
            "eos_token_id",
            "pad_token_id",
            "bos_token_id",
            "batch_size",
            "num_workers",
            "return_full_text",
            "return_tensors",
            "truncation",
            "padding",
            "add_special_tokens",
            "skip_special_tokens",
            "continue_final_message",
            "clean_up_tokenization_spaces",
        )
    },
}
TEXTS = ("stop_strings", "stop_sequence", "early_stopping", "cache_implementation")  # any other text may be content
SAMPLING = ("temperature", "top_k", "top_p", "min_p", "typical_p")
SHOWN = {"choice.count": "n"}  # what the server's list of parameters calls it, where that is something else

_unset: dict[type, Mapping[str, Any]] = {}  # class of generation config -> what one has that nobody set


def model_name(pipeline: Any) -> str:
    return name_of(getattr(pipeline, "model", None))


def name_of(model: Any) -> str:
    for holder in (getattr(model, "config", None), model):
        name = getattr(holder, "name_or_path", None)
        if isinstance(name, str) and name:
            return name
    return type(model).__name__ if model is not None else ""


def _values(config: Any) -> Mapping[str, Any]:
    """Of a GenerationConfig or a dict."""
    if config is None:
        return {}
    return config if isinstance(config, dict) else getattr(config, "__dict__", {})


def _set_in(config: Any) -> dict[str, Any]:
    """What somebody set in a GenerationConfig: old versions fill the rest with their defaults, new ones with None."""
    values = _values(config)
    if isinstance(config, dict):
        return dict(values)
    unset = _unset.get(type(config))
    if unset is None:
        try:
            unset = dict(vars(type(config)()))
        except Exception:  # a class of the program's own
            unset = {}
        _unset[type(config)] = unset
    return {name: value for name, value in values.items() if name in OF_USER and value != unset.get(name)}


def _add(names: Iterable[str], values: Mapping[str, Any], to: dict[str, Any]) -> None:
    """Adds the parameters that nothing stronger has set."""
    for name in names:
        value = values.get(name)
        if value is not None and name in OF_USER:
            to.setdefault("stop_strings" if name == "stop_sequence" else name, value)


def _add_config(config: Any, to: dict[str, Any]) -> None:
    if config is not None:
        given = _set_in(config)
        _add(given, given, to)


def _of_user(pipeline: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Strongest first, so that what the call itself says is what one reads first."""
    params: dict[str, Any] = {}
    made_with_too = getattr(pipeline, "_forward_params", None) or {}  # transformers 4: beside the call's keywords
    _add(kwargs, kwargs, params)
    _add(made_with_too, made_with_too, params)
    _add_config(kwargs.get("generation_config", made_with_too.get("generation_config")), params)
    if "generation_config" not in kwargs:  # transformers 5: a call's config replaces what the pipeline was made with
        made_with = getattr(pipeline, "_generate_kwargs", None) or {}
        _add(made_with, made_with, params)
        _add_config(made_with.get("generation_config"), params)
        kept = _kept_in_config(pipeline)
        _add(kept, kept, params)
    for name in ("batch_size", "num_workers"):
        value = getattr(pipeline, f"_{name}", None)
        if value is not None:
            params.setdefault(name, value)
    return params


def _kept_in_config(pipeline: Any) -> dict[str, Any]:
    """transformers 4.52 and later, but for the newest, keep what pipeline() was given in the pipeline's generation config alone: what is
    there and nobody else's."""
    of_class = getattr(pipeline, "_default_generation_config", None)
    if of_class is None or hasattr(pipeline, "_generation_defaults"):
        return {}
    config = getattr(pipeline, "generation_config", None)
    filled_in: dict[str, Any] = getattr(config, "_get_default_generation_params", dict)()
    of_model = _values(getattr(getattr(pipeline, "model", None), "generation_config", None))
    of_tokenizer = {"pad_token_id": getattr(getattr(pipeline, "tokenizer", None), "pad_token_id", None)}
    others = (_values(of_class), filled_in, of_model, of_tokenizer)
    return {
        name: value for name, value in _set_in(config).items() if not any(value == other.get(name) for other in others)
    }


def _completes(of_model: Any) -> bool:
    """Whether the model's config says what a call's leaves open: since transformers 5, and 4.50 for models saved by it."""
    library = _version(sys.modules.get("transformers"), "__version__")
    return library >= (5, 0) or (library >= (4, 50) and _version(of_model, "transformers_version") >= (4, 50))


def _version(holder: Any, name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in str(getattr(holder, name)).split(".")[:2])


def _defaults(pipeline: Any, kwargs: dict[str, Any], params: dict[str, Any]) -> None:
    """Adds what the user left to the model and the pipeline."""
    of_call = kwargs.get("generation_config")
    of_model = getattr(getattr(pipeline, "model", None), "generation_config", None)
    of_pipeline = getattr(pipeline, "_generation_defaults", None)  # the newest
    if of_pipeline is None and of_call is None:  # since 4.52: what it was made with, the model's and its own in one
        _add(PARAMETERS, _set_in(getattr(pipeline, "generation_config", None)), params)
    if of_call is None or _completes(of_model):
        _add(PARAMETERS, _set_in(of_model), params)
    _add(PARAMETERS, _values(of_call), params)  # in full: it stands in for the others
    defaults: dict[str, Any] = {}
    _add(of_pipeline or (), of_pipeline or {}, defaults)
    sampling = params.get("do_sample", defaults.get("do_sample"))
    for name, value in defaults.items():
        beside_max_length = name == "max_new_tokens" and "max_length" in params
        if (
            name in PARAMETERS
            and name not in {**params, **kwargs}
            and not beside_max_length
            and (sampling or name not in SAMPLING)
        ):
            params[name] = value


def _attribute(name: str, value: Any) -> Any:
    """The value as it is told; None: it is not."""
    if name == "stop_strings" and isinstance(value, str):
        return [value]
    if isinstance(value, (bool, int, float)) or (isinstance(value, str) and name in TEXTS):
        return value
    if isinstance(value, (list, tuple)) and all(isinstance(v, str if name in TEXTS else int) for v in value):
        return list(value)
    return None


def _assistant(pipeline: Any, kwargs: dict[str, Any]) -> str:
    assistant = kwargs.get("assistant_model")
    return name_of(getattr(pipeline, "assistant_model", None) if assistant is None else assistant)


def parameters_of(pipeline: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    params = _of_user(pipeline, kwargs)
    of_user = set(params)
    _defaults(pipeline, kwargs, params)
    for name in [name for name in params if kwargs.get(name, name) is None]:
        del params[name]  # the call itself says so, and nobody else's counts
    attributes: dict[str, Any] = {}
    is_set: list[str] = []
    for name, value in params.items():
        told = _attribute(name, value)
        if told is None:
            continue
        attribute = OF_USER[name]
        attributes[REQUEST + attribute] = told
        if name in of_user:
            is_set.append(SHOWN.get(attribute, attribute))
    limit = "max_new_tokens" if "max_new_tokens" in params else "max_length"
    if isinstance(params.get(limit), int):
        attributes[REQUEST + "max_tokens"] = params[limit]
        if limit in of_user:
            is_set.append("max_tokens")
    assistant = _assistant(pipeline, kwargs)
    if assistant:
        attributes[REQUEST + "assistant_model"] = assistant
        is_set.append("assistant_model")
    if kwargs.get("streamer") is not None:
        attributes["gen_ai.is_streaming"] = True
        is_set.append("stream")
    if is_set:
        attributes[SET] = is_set
    return attributes
