"""Model name and generation parameters of a pipeline call, as span attributes.

In force, from strongest to weakest: the call's keywords; the call's generation_config; what the pipeline was made with;
the model's generation config; the pipeline's own defaults.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

# generation parameter -> attribute
PARAMETERS = {
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "top_k": "gen_ai.request.top_k",
    "min_p": "gen_ai.request.min_p",
    "typical_p": "gen_ai.request.typical_p",
    "max_length": "gen_ai.request.max_length",
    "max_new_tokens": "gen_ai.request.max_new_tokens",
    "min_length": "gen_ai.request.min_length",
    "min_new_tokens": "gen_ai.request.min_new_tokens",
    "repetition_penalty": "gen_ai.request.repetition_penalty",
    "no_repeat_ngram_size": "gen_ai.request.no_repeat_ngram_size",
    "do_sample": "gen_ai.request.do_sample",
    "num_beams": "gen_ai.request.num_beams",
    "num_return_sequences": "gen_ai.request.choice.count",
    "penalty_alpha": "gen_ai.request.penalty_alpha",
    "length_penalty": "gen_ai.request.length_penalty",
    "early_stopping": "gen_ai.request.early_stopping",
    "stop_strings": "gen_ai.request.stop_sequences",
    "seed": "gen_ai.request.seed",
}
SAMPLING = ("temperature", "top_k", "top_p", "min_p", "typical_p")


def model_name(pipeline: Any) -> str:
    model = getattr(pipeline, "model", None)
    for holder in (getattr(model, "config", None), model):
        name = getattr(holder, "name_or_path", None)
        if isinstance(name, str) and name:
            return name
    return type(model).__name__ if model is not None else ""


def _add(config: Any, to: dict[str, Any]) -> None:
    """Adds the parameters that a GenerationConfig (or a dict) sets and that nothing stronger has set."""
    if config is None:
        return
    values: Mapping[str, Any] = config if isinstance(config, dict) else getattr(config, "__dict__", {})
    for name in PARAMETERS:
        value = values.get(name)
        if value is not None:
            to.setdefault(name, value)


def _in_force(pipeline: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Strongest first, so that what the call itself says is what one reads first."""
    params: dict[str, Any] = {}
    made_with_too = getattr(pipeline, "_forward_params", None) or {}  # transformers 4: beside the call's keywords
    called = {**made_with_too, **kwargs}
    if called.get("stop_sequence") is not None:
        params["stop_strings"] = called["stop_sequence"]
    _add(kwargs, params)
    _add(made_with_too, params)
    _add(called.get("generation_config"), params)
    if "generation_config" not in kwargs:  # a call's config replaces what the pipeline was made with
        made_with = getattr(pipeline, "_generate_kwargs", None) or {}
        _add(made_with, params)
        _add(made_with.get("generation_config"), params)
    _add(getattr(getattr(pipeline, "model", None), "generation_config", None), params)
    defaults: dict[str, Any] = {}
    _add(getattr(pipeline, "_generation_defaults", None), defaults)  # transformers 5
    if not defaults:
        _add(getattr(pipeline, "generation_config", None), defaults)  # transformers 4
    sampling = params.get("do_sample", defaults.get("do_sample"))
    for name, value in defaults.items():
        beside_max_length = name == "max_new_tokens" and "max_length" in params
        if name not in params and not beside_max_length and (sampling or name not in SAMPLING):
            params[name] = value
    return params


def parameters_of(pipeline: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    params = _in_force(pipeline, kwargs)
    attributes = {}
    for name, value in params.items():
        if name == "stop_strings" and isinstance(value, str):
            value = [value]
        if isinstance(value, (bool, int, float, str, list)):
            attributes[PARAMETERS[name]] = value
    limit = params.get("max_new_tokens", params.get("max_length"))
    if isinstance(limit, int):
        attributes["gen_ai.request.max_tokens"] = limit
    return attributes
