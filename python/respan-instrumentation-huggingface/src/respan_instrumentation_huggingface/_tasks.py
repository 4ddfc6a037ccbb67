"""What the tasks of `transformers` pipelines take and give: one row a task. A task without a row, or of one's own, has OTHER's.

Pipelines that turn words, images or sound into words, vectors or sound have prompts and completions; the others (labels,
boxes, masks) an input and an output.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from weakref import WeakKeyDictionary

from ._content import is_chat
from ._media import description
from ._readable import audio_in_words, is_long_numbers, numbers_in_words, readable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Row(NamedTuple):
    log_type: str
    operation: str = ""  # default: the task's name
    # (pipeline, one of its inputs) -> the prompt: a text, or a chat
    prompt: Callable[[Any, Any], Any] | None = None
    # what the pipeline gives for one input -> the completion
    completion: Callable[[Any], Any] = readable


def _as_it_is(_: Any, given: Any) -> Any:
    return given if isinstance(given, str) or is_chat(given) else str(readable(given))


def _with_media(_: Any, given: Any) -> Any:
    """A text, a chat, or {"images": …, "text": …}, of which a chat is made."""
    if isinstance(given, str) or is_chat(given):
        return given
    if not isinstance(given, dict):
        return [{"role": "user", "content": [{"type": "image", "image": given}]}]
    pieces: list[dict[str, Any]] = []
    for name, value in given.items():
        if value is None:
            continue
        kind = name.rstrip("s")
        if kind == "text":
            pieces.append({"type": "text", "text": value if isinstance(value, str) else str(readable(value))})
        else:
            pieces += [{"type": kind, kind: item} for item in (value if isinstance(value, (list, tuple)) else [value])]
    return [{"role": "user", "content": pieces}]


def _sound(pipeline: Any, given: Any) -> str:
    return audio_in_words(given, getattr(getattr(pipeline, "feature_extractor", None), "sampling_rate", None))


def _picture(_: Any, given: Any) -> str:
    told = description(given)
    if "width" in told:
        words = [f"image, {told['width']} × {told['height']}", told.get("mode"), told.get("format")]
        return " ".join(word for word in words if word)
    return ", ".join(["image", *(str(value) for value in told.values())])


def _written(result: Any) -> Any:
    """The text of {"generated_text": …}, {"summary_text": …} and their like, or the last message of a chat."""
    if isinstance(result, (list, tuple)) and len(result) == 1:
        return _written(result[0])
    if isinstance(result, dict):
        for name in ("generated_text", "summary_text", "translation_text"):
            said = result.get(name)
            if isinstance(said, str):
                return said
            if said is not None:
                messages = getattr(said, "messages", said)
                last = messages[-1] if isinstance(messages, (list, tuple)) and messages else messages
                return last.get("content") if isinstance(last, dict) else readable(last)
    return readable(result)


def _transcript(result: Any) -> Any:
    said = result.get("text") if isinstance(result, dict) else None
    return said if isinstance(said, str) else readable(result)


def _vector(result: Any) -> Any:
    return numbers_in_words(result) if is_long_numbers(result) else readable(result)


def _spoken(result: Any) -> Any:
    return audio_in_words(result) if isinstance(result, dict) and "audio" in result else readable(result)


def _ranked(result: Any) -> Any:
    """Zero-shot's labels and scores in two lists are one list here; the sequence is the input."""
    if isinstance(result, dict) and {"labels", "scores"} <= set(result):
        pairs = zip(result["labels"], result["scores"], strict=False)
        return readable([{"label": label, "score": score} for label, score in pairs])
    return readable(result)


OTHER = Row("custom")

TASKS: dict[str, Row] = {
    "text2text-generation": Row("text", "text_completion", _as_it_is, _written),
    "summarization": Row("text", "text_completion", _as_it_is, _written),
    "translation": Row("text", "text_completion", _as_it_is, _written),
    "image-text-to-text": Row("text", "text_completion", _with_media, _written),
    "image-to-text": Row("text", "text_completion", _with_media, _written),
    "any-to-any": Row("text", "text_completion", _with_media, _written),
    "feature-extraction": Row("embedding", "embeddings", _as_it_is, _vector),
    "image-feature-extraction": Row("embedding", "embeddings", _picture, _vector),
    "automatic-speech-recognition": Row("transcription", "", _sound, _transcript),
    "text-to-audio": Row("speech", "", _as_it_is, _spoken),
    "zero-shot-classification": OTHER._replace(completion=_ranked),
    "zero-shot-audio-classification": OTHER._replace(completion=_ranked),
}

_by_class: WeakKeyDictionary[type, str] = WeakKeyDictionary()


def task_of(pipeline: Any) -> str:
    """What it does: as it says, else as its class, or one that it is derived from, is called."""
    said = str(getattr(pipeline, "task", None) or "").partition("_")[0]  # translation_en_to_fr
    of_class = _task_of_class(type(pipeline))
    if said in TASKS or of_class == "":
        return said
    return of_class if of_class in TASKS or not said else said


def _task_of_class(kind: type) -> str:
    """AutomaticSpeechRecognitionPipeline does automatic-speech-recognition."""
    known = _by_class.get(kind)
    if known is None:
        known = ""
        for name, module in ((one.__name__, one.__module__) for one in kind.__mro__):
            if module.startswith("transformers.pipelines.") and name.endswith("Pipeline"):
                words = re.sub(r"(?<=.)(?=[A-Z])", "-", name.removesuffix("Pipeline")).lower()
                known = words.replace("text2-", "text2") if words not in ("", "chunk") else ""
                break
        _by_class[kind] = known
    return known
