"""How a text-generation pipeline is asked: worked out once for calls that ask in the same way, one after the other."""

from __future__ import annotations

from weakref import ref

from ._content import tools_of
from ._known import Known
from ._parameters import name_of, parameters_of
from ._quietly import quietly
from ._tokens import TokenIds, token_ids

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PLAIN = frozenset((str, int, float, bool, type(None)))  # what is the same if it is equal
HELD = (  # attributes of a pipeline that decide it
    "_batch_size",
    "_num_workers",
    "_preprocess_params",
    "_forward_params",
    "_generate_kwargs",
    "_generation_defaults",
    "assistant_model",
)


class Asked:
    """One way of asking. The calls that ask so share it: neither it nor its dicts are changed."""

    __slots__ = ("_attributes", "_common", "ids", "model", "otherwise", "tools")

    def __init__(self, pipeline: Any, kwargs: dict[str, Any]) -> None:
        self.model = name_of(getattr(pipeline, "model", None))
        self._common = {
            "gen_ai.system": "huggingface",
            "gen_ai.request.model": self.model,
            "gen_ai.response.model": self.model,
            **(quietly(parameters_of, pipeline, kwargs) or {}),
        }
        self._attributes: dict[bool, dict[str, Any]] = {}
        stops_otherwise = kwargs.get("stop_strings") is not None or kwargs.get("stopping_criteria") is not None
        self.otherwise = "stop" if stops_otherwise else "length"  # why a sequence without an end token ended
        tools = kwargs.get("tools") or (getattr(pipeline, "_preprocess_params", None) or {}).get("tools")
        self.tools: dict[str, Any] = (quietly(tools_of, tools) or {}) if tools else {}  # content
        self.ids: TokenIds | None = quietly(_token_ids, pipeline, kwargs, stops_otherwise)

    def attributes(self, chat: bool) -> dict[str, Any]:
        attributes = self._attributes.get(chat)
        if attributes is None:
            attributes = self._attributes[chat] = {**kind_of(chat), **self._common}
        return attributes

    def span_name(self, chat: bool) -> str:
        operation = "chat" if chat else "text_completion"
        return f"{operation} {self.model}" if self.model else operation


def kind_of(chat: bool) -> dict[str, Any]:
    return {
        "respan.entity.log_type": "chat" if chat else "text",
        "llm.request.type": "chat" if chat else "completion",
        "gen_ai.operation.name": "chat" if chat else "text_completion",
    }


def asked(pipeline: Any, kwargs: dict[str, Any]) -> Asked:
    """How this call asks. One that passes objects (a streamer, a config) is looked at anew."""
    if not PLAIN.issuperset(map(type, kwargs.values())):
        return Asked(pipeline, kwargs)
    known = _known.get(pipeline)
    if known is not None and quietly(known.is_of, pipeline, kwargs):
        return known.asked  # type: ignore[no-any-return]
    new = Asked(pipeline, kwargs)
    quietly(_keep, pipeline, kwargs, new)
    return new


def _decided_by(pipeline: Any) -> list[Any]:
    """The model, and the values that decide it beside the call's own."""
    held = pipeline.__dict__
    model = held["model"]
    config, generation = getattr(model, "config", None), getattr(model, "generation_config", None)
    names = {} if config is None else object.__getattribute__(config, "__dict__")  # its own __getattribute__ is dear
    by = [model, names.get("_name_or_path"), *map(held.get, HELD)]
    by += () if generation is None else generation.__dict__.values()
    of_pipeline = held.get("generation_config")
    if of_pipeline is not None:  # transformers 4
        by += of_pipeline.__dict__.values()
    return by


class _Kept:
    """What an Asked was made of, but for the model, which it does not keep alive."""

    __slots__ = ("_by", "_kinds", "_kwargs", "_model", "asked")

    def __init__(self, kwargs: dict[str, Any], by: list[Any], made: Asked) -> None:
        self._model = ref(by[0])
        self._by = _copied(by[1:])
        self._kwargs, self._kinds = {**kwargs}, [*map(type, kwargs.values())]
        self.asked = made

    def is_of(self, pipeline: Any, kwargs: dict[str, Any]) -> bool:
        if self._kwargs != kwargs or self._kinds != [*map(type, kwargs.values())]:  # True == 1
            return False
        model, *by = _decided_by(pipeline)
        return self._model() is model and self._by == by


def _keep(pipeline: Any, kwargs: dict[str, Any], made: Asked) -> None:
    by = _decided_by(pipeline)
    if _is_plain(by[1:]):
        _known.put(pipeline, _Kept(kwargs, by, made))


def _is_plain(value: Any) -> bool:
    if type(value) is dict:
        return all(map(_is_plain, value.values()))
    if type(value) in (list, tuple):
        return all(map(_is_plain, value))
    return type(value) in PLAIN


def _copied(value: Any) -> Any:
    """Lists and dicts are changed in place."""
    if type(value) is dict:
        return {key: _copied(each) for key, each in value.items()}
    return [_copied(each) for each in value] if type(value) is list else value


def _token_ids(pipeline: Any, kwargs: dict[str, Any], stops_otherwise: bool) -> TokenIds:
    holders = (
        kwargs,
        kwargs.get("generation_config"),
        getattr(pipeline, "_generate_kwargs", None),
        getattr(pipeline.model, "generation_config", None),
        getattr(pipeline, "_generation_defaults", None),
    )
    ends, pads = token_ids(holders, "eos_token_id"), token_ids(holders, "pad_token_id")
    special = ends | pads | token_ids(holders, "bos_token_id")
    return TokenIds(ends, pads if stops_otherwise else (), special)


_known = Known()  # pipeline -> _Kept
