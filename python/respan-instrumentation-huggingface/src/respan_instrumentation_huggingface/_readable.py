"""What goes into a pipeline and comes out of it, in a form that one can read and that is small.

Labels and scores as they are, numbers to six digits; an embedding by its shape and first numbers; audio by its length, images by
their size; never the thing itself. Nothing here advances an iterator, moves a tensor from its device or keeps an object.
"""

from __future__ import annotations

import os
from enum import Enum
from math import prod

from ._media import description

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ITEMS_MAX = 100  # of a list, or of a dict
DEPTH_MAX = 8
NUMBERS_MAX = 16  # a longer list of numbers is told by its shape and its first ones
FIRST = 8
WAV_HEADER = 44


def readable(value: Any, depth: int = 0) -> Any:
    """A value that JSON can hold."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return round(value, 6)
    if depth == DEPTH_MAX:
        return f"<{type(value).__name__}>"
    if isinstance(value, dict):
        told = {str(key): readable(item, depth + 1) for key, item in _first(value.items())}
        return told if len(value) <= ITEMS_MAX else {**told, "…": f"{len(value) - ITEMS_MAX} more"}
    if isinstance(value, (list, tuple)):
        if is_long_numbers(value):
            return numbers_in_words(value)
        listed = [readable(item, depth + 1) for item in _first(value)]
        return listed if len(value) <= ITEMS_MAX else [*listed, f"… {len(value) - ITEMS_MAX} more"]
    if isinstance(value, Enum):
        return value.name
    if type(value).__name__ == "Chat":
        return readable(value.messages, depth + 1)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    shape = getattr(value, "shape", None)
    if shape is not None:
        if len(shape) == 0 and hasattr(value, "item") and not getattr(value, "is_meta", False):
            return readable(value.item(), depth + 1)
        if prod(shape) <= NUMBERS_MAX and hasattr(value, "tolist") and not getattr(value, "is_meta", False):
            return readable(value.tolist(), depth + 1)
    if hasattr(value, "question_text"):  # a SquadExample of transformers 4
        return {"question": value.question_text, "context": getattr(value, "context_text", None)}
    return description(value)


def _first(items: Any) -> Any:
    return (item for _, item in zip(range(ITEMS_MAX), items, strict=False))


# ---- numbers ----------------------------------------------------------------------------------------------------------


def is_long_numbers(value: Any) -> bool:
    shape = shape_of(value)
    return shape is not None and prod(shape) > NUMBERS_MAX


def shape_of(value: Any) -> tuple[int, ...] | None:
    """Of an array, a tensor, or lists in lists of numbers, by the first of each; None: it is something else."""
    shape = getattr(value, "shape", None)
    if shape is not None:
        return tuple(int(size) for size in shape)
    sizes: list[int] = []
    while isinstance(value, (list, tuple)):
        if not value or len(sizes) == DEPTH_MAX:
            return None
        sizes.append(len(value))
        value = value[0]
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return tuple(sizes) if sizes and is_number else None


def numbers_in_words(value: Any) -> str:
    """As "1 × 5 × 768: 0.1234 -0.5678 …"."""
    shape = shape_of(value) or ()
    size = " × ".join(str(n) for n in shape)
    first = _first_numbers(value)
    if not first:
        return size
    more = " …" if prod(shape) > len(first) else ""
    return f"{size}: {' '.join(f'{number:.4g}' for number in first)}{more}"


def _first_numbers(value: Any) -> list[float]:
    if getattr(value, "is_meta", False):
        return []
    while len(getattr(value, "shape", ())) > 1 and value.shape[0] > 0:
        value = value[0]
    while isinstance(value, (list, tuple)) and value and isinstance(value[0], (list, tuple)):
        value = value[0]
    first = value[:FIRST]
    listed = first.tolist() if hasattr(first, "tolist") else first
    return [float(number) for number in listed]


# ---- audio ------------------------------------------------------------------------------------------------------------


def audio_seconds(audio: Any, rate: Any = None) -> float | None:
    """How long a recording is. rate: samples a second, where the recording does not say; None: it cannot be told."""
    if isinstance(audio, dict):
        rate = audio.get("sampling_rate", rate)
        audio = next((audio[name] for name in ("raw", "array", "audio") if audio.get(name) is not None), None)
    if isinstance(audio, (bytes, bytearray, str, os.PathLike)):
        return _wav_seconds(audio)
    shape = shape_of(audio)
    if not shape or not isinstance(rate, (int, float)) or rate <= 0:
        return None
    return round(float(max(shape) / rate), 6)  # channels are few, samples many


def _wav_seconds(audio: Any) -> float | None:
    """By the header of a WAV file, on this machine or in memory."""
    if isinstance(audio, (bytes, bytearray)):
        head, size = bytes(audio[:WAV_HEADER]), len(audio)
    else:
        try:
            with open(audio, "rb") as file:
                head, size = file.read(WAV_HEADER), os.fstat(file.fileno()).st_size
        except (OSError, ValueError):
            return None
    if head[:4] != b"RIFF" or head[8:16] != b"WAVEfmt ":
        return None
    bytes_a_second = int.from_bytes(head[28:32], "little")
    return round((size - WAV_HEADER) / bytes_a_second, 6) if bytes_a_second > 0 else None


def audio_in_words(audio: Any, rate: Any = None) -> str:
    seconds = audio_seconds(audio, rate)
    words = ["audio" if seconds is None else f"audio, {seconds:.3g} s"]
    if isinstance(audio, dict):
        rate = audio.get("sampling_rate", rate)
    if isinstance(audio, (bytes, bytearray)):
        words.append(f"{len(audio)} bytes")
    elif isinstance(audio, (str, os.PathLike)):
        told = description(os.fspath(audio))
        words.append(str(told.get("url") or told.get("path") or f"{told.get('bytes')} bytes"))
    elif isinstance(rate, (int, float)):
        words.append(f"{rate} Hz")
    return ", ".join(words)
