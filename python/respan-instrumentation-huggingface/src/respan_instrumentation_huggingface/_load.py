"""The span of what a program loads: a model, a tokenizer, a processor, or a whole pipeline.

One span for each call of the program's own. What such a call loads in turn (an Auto class the model's class, `pipeline()` a model
and its tokenizer) is a part of it: how long each kind of part took is in the span, and that some optional part is
missing is no failure.
"""

from __future__ import annotations

import os
import sys
from contextvars import ContextVar
from time import perf_counter

from respan.instrumentation import OK, suppressed

from ._model import PREFIX, cached_revision, model_attributes, remember_revision
from ._privacy import start_span
from ._quietly import quietly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextvars import Token
    from typing import Any

    from respan.instrumentation import Span

# Keywords that say how it is loaded; no other is told: `token` is among them.
TOLD = (
    "revision",
    "subfolder",
    "variant",
    "gguf_file",
    "dtype",
    "torch_dtype",
    "device",
    "device_map",
    "attn_implementation",
    "trust_remote_code",
    "local_files_only",
    "force_download",
    "use_fast",
)
NAME = "pretrained_model_name_or_path"

_loading: ContextVar[Load | None] = ContextVar("respan.huggingface.load", default=None)


def begin_pipeline(_: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Load | Part | None:
    """A call of transformers.pipeline()."""
    task = args[0] if args else kwargs.get("task")
    model = args[1] if len(args) > 1 else kwargs.get("model")
    return _begin("pipeline", model, task, {**(kwargs.get("model_kwargs") or {}), **kwargs})


def begin_model(cls: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Load | Part | None:
    """A call of from_pretrained of a model's class, or of an Auto class for models."""
    return _begin("model", args[0] if args else kwargs.get(NAME), cls.__name__, kwargs)


def begin_tokenizer(cls: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Load | Part | None:
    return _begin("tokenizer", args[0] if args else kwargs.get(NAME), cls.__name__, kwargs)


def begin_processor(cls: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Load | Part | None:
    """… of a processor, an image or video processor, or a feature extractor."""
    return _begin("processor", args[0] if args else kwargs.get(NAME), cls.__name__, kwargs)


def _begin(kind: str, what: Any, target: Any, kwargs: dict[str, Any]) -> Load | Part | None:
    name = os.fspath(what) if isinstance(what, (str, os.PathLike)) else ""
    load = _loading.get()
    if load is not None:
        load.watch(name, kwargs)
        return None if kind in load.open else Part(load, kind, str(name), kwargs)
    if suppressed():
        return None
    shown = str(name) or _name_of(what)
    span = start_span(f"load {shown}" if shown else "load")
    return None if span is None else Load(span, kind, str(name), shown, target, kwargs)


class Load:
    """A call of the program, and its span."""

    def __init__(self, span: Span, kind: str, name: str, shown: str, target: Any, kwargs: dict[str, Any]) -> None:
        self._span, self._kind = span, kind
        self.open = {kind}
        self._seconds: dict[str, float] = {}
        self._kwargs, self._name = kwargs, name
        self._caches: dict[str, tuple[str, int]] = {}  # name -> its folder in the cache, bytes that it had
        self._is_local = False
        quietly(self._describe, shown, target)
        self.watch(name, kwargs)
        self._token: Token[Load | None] = _loading.set(self)
        span.enter()

    def _describe(self, shown: str, target: Any) -> None:
        said = {name: self._kwargs[name] for name in TOLD if self._kwargs.get(name) is not None}
        told = {
            name.removeprefix("torch_"): value if isinstance(value, (bool, int)) else str(value).removeprefix("torch.")
            for name, value in said.items()
        }
        hub = sys.modules.get("huggingface_hub.constants")
        is_offline = bool(getattr(hub, "HF_HUB_OFFLINE", False)) or bool(told.get("local_files_only"))
        attributes: dict[str, Any] = {
            "respan.entity.log_type": "task",
            "respan.load.kind": self._kind,
            "respan.load.offline": is_offline,
            **{f"respan.load.{name}": value for name, value in told.items()},
        }
        if target:
            attributes["respan.load.target"] = str(target)
        if shown:
            attributes["gen_ai.request.model"] = shown
        if self._span.content:
            asked = {"task" if self._kind == "pipeline" else "class": str(target) if target else None, "model": shown}
            attributes["traceloop.entity.input"] = {**asked, **told}
        self._span.set_attributes(attributes)

    def watch(self, name: str, kwargs: dict[str, Any]) -> None:
        """Something of this name is about to be loaded: if it is not on this machine yet, the cache will grow."""
        if not name or name in self._caches:
            return
        if os.path.exists(name):
            self._is_local = True
            return
        folder = _cache_folder(name, kwargs.get("cache_dir"))
        if folder is not None:
            self._caches[name] = (folder, _size(folder))

    def part(self, kind: str, seconds: float) -> None:
        self._seconds[kind] = self._seconds.get(kind, 0.0) + seconds

    def returned(self, result: Any) -> Any:
        self._stop()
        quietly(self._record, result[0] if isinstance(result, tuple) and result else result)
        self._span.status(OK)
        self._span.end()
        return result

    def raised(self, error: BaseException) -> None:
        self._stop()
        self._span.fail(error)
        self._span.end()

    def _stop(self) -> None:
        self._span.stop()
        self._span.leave()
        _loading.reset(self._token)
        quietly(self._record_way)

    def _record_way(self) -> None:
        """From where it came, and how long its parts took."""
        attributes: dict[str, Any] = {f"respan.load.{kind}_seconds": s for kind, s in self._seconds.items()}
        had = sum(size for _, size in self._caches.values())
        has = sum(_size(folder) for folder, _ in self._caches.values())
        if has > had:
            attributes["respan.load.cache"] = "cold"
            attributes["respan.load.downloaded_bytes"] = has - had
        elif has:
            attributes["respan.load.cache"] = "warm"
        elif self._is_local:
            attributes["respan.load.cache"] = "local"
        self._span.set_attributes(attributes)

    def _record(self, result: Any) -> None:
        model, tokenizer = None, None
        if self._kind == "pipeline":
            model, tokenizer = getattr(result, "model", None), getattr(result, "tokenizer", None)
        elif self._kind == "model":
            model = result
        else:
            tokenizer = result
        name = _name_of(model)
        if self._kind == "model":
            _remember(model, self._name, self._kwargs)
        facts = model_attributes(model, tokenizer)
        attributes = dict(facts)
        if name:
            attributes["gen_ai.request.model"] = name
            self._span.update_name(f"load {name}")
        size = facts.get(PREFIX + "bytes")
        if size is not None:
            attributes["respan.load.bytes"] = size
        if self._span.content:
            shown = ("class", "tokenizer", "parameters", "dtype", "device", "quantization", "revision")
            outline = {key: facts[PREFIX + key] for key in shown if PREFIX + key in facts}
            attributes["traceloop.entity.output"] = outline or {"class": type(result).__name__}
        self._span.set_attributes(attributes)


class Part:
    """What a load loads in turn."""

    def __init__(self, load: Load, kind: str, name: str, kwargs: dict[str, Any]) -> None:
        self._load, self._kind = load, kind
        self._name, self._kwargs = name, kwargs
        load.open.add(kind)
        self._began = perf_counter()

    def returned(self, result: Any) -> Any:
        self._end()
        if self._kind == "model":
            quietly(_remember, result, self._name, self._kwargs)
        return result

    def raised(self, error: BaseException) -> None:
        self._end()

    def _end(self) -> None:
        self._load.part(self._kind, perf_counter() - self._began)
        self._load.open.discard(self._kind)


def _remember(model: Any, name: str, kwargs: dict[str, Any]) -> None:
    """Which commit it came from, which the model itself may not know."""
    revision = cached_revision(name, kwargs.get("revision") or "main", kwargs.get("cache_dir")) if name else None
    if revision is not None:
        remember_revision(model, revision)


def _name_of(model: Any) -> str:
    name = getattr(getattr(model, "config", None), "name_or_path", None)
    return name if isinstance(name, str) else ""


def _cache_folder(name: str, cache_dir: Any) -> str | None:
    hub = sys.modules.get("huggingface_hub.constants")
    root = cache_dir or getattr(hub, "HF_HUB_CACHE", None)
    return None if root is None else os.path.join(root, "models--" + name.replace("/", "--"))


def _size(folder: str) -> int:
    """Bytes that the cache has of a model."""
    try:
        with os.scandir(os.path.join(folder, "blobs")) as entries:
            size = sum(entry.stat(follow_symlinks=False).st_size for entry in entries)
    except OSError:
        size = 0
    return size or int(os.path.isdir(os.path.join(folder, "snapshots")))  # one made by hand has no blobs
