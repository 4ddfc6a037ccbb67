"""What a message of several pieces holds beside text: described by type and size, never stored."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MEDIA = ("image", "image_url", "video", "video_url", "audio", "audio_url", "input_audio", "file")
SOURCES = ("url", "path", "base64", "data")  # where a piece {"type": "image", …} may say what it shows
ADDRESS_MAX = 2048  # a longer text is the thing itself, not where it is


def described(content: Any) -> Any:
    """A message's content with each image, sound and film replaced by a few words on it; the rest as it is."""
    if not isinstance(content, (list, tuple)):
        return content if isinstance(content, (str, int, float, bool, dict)) else description(content)
    return [_piece(piece) for piece in content]


def _piece(piece: Any) -> Any:
    if isinstance(piece, str):
        return {"type": "text", "text": piece}
    if not isinstance(piece, dict):
        return {"type": type(piece).__name__, **description(piece)}
    kind = piece.get("type")
    if kind not in MEDIA:
        if kind is not None or not any(name in piece for name in MEDIA):
            return piece
        kind = next(name for name in MEDIA if name in piece)
    told = {"type": kind.removesuffix("_url").removeprefix("input_")}
    for name in (kind, *SOURCES):
        if piece.get(name) is not None:
            told.update(description(piece[name]))
    return told


def description(thing: Any) -> dict[str, Any]:
    """An address, an image of PIL, an array or tensor, bytes, base64: what it is and how large."""
    if isinstance(thing, str):
        return _of_text(thing)
    if isinstance(thing, (bytes, bytearray, memoryview)):
        return {"bytes": len(thing)}
    if isinstance(thing, dict):
        for name in SOURCES:
            if thing.get(name) is not None:
                return description(thing[name])
        return {}
    if isinstance(thing, (list, tuple)):
        return {"count": len(thing), **(description(thing[0]) if thing else {})}
    shape = getattr(thing, "shape", None)
    if shape is not None:
        return {"shape": [int(n) for n in shape], "dtype": str(getattr(thing, "dtype", "")).removeprefix("torch.")}
    size = getattr(thing, "size", None)
    if isinstance(size, tuple) and len(size) == 2:
        told = {"width": size[0], "height": size[1], "mode": getattr(thing, "mode", None)}
        return {**told, "format": getattr(thing, "format", None)}
    return {"kind": type(thing).__name__}


def _of_text(text: str) -> dict[str, Any]:
    if text.startswith("data:"):
        head, _, body = text[5:].partition(",")
        media_type, _, encoding = head.partition(";")
        length = _base64_length(body) if encoding.endswith("base64") else len(body)
        return {"media_type": media_type, "bytes": length}
    if len(text) > ADDRESS_MAX:
        return {"bytes": _base64_length(text)}
    return {"url" if "://" in text else "path": text}


def _base64_length(text: str) -> int:
    return len(text) * 3 // 4 - text[-2:].count("=")
