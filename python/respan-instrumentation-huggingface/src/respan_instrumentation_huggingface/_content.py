"""Prompts and completions of a pipeline call as span attributes."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

MESSAGES_MAX = 1000  # a batch may hold millions of prompts


def _is_message(value: Any) -> bool:
    return isinstance(value, dict) and "role" in value and "content" in value


def _chat(value: Any) -> list[Any] | None:
    """The messages of a chat: a list of {"role", "content"}, or the Chat object that transformers makes of one."""
    messages = getattr(value, "messages", None) if type(value).__name__ == "Chat" else value
    if isinstance(messages, (list, tuple)) and messages and _is_message(messages[0]):
        return list(messages)
    return None


def is_chat(inputs: Any) -> bool:
    if _chat(inputs) is not None:
        return True
    return isinstance(inputs, (list, tuple)) and len(inputs) > 0 and _chat(inputs[0]) is not None


def _messages(inputs: Any) -> Iterator[tuple[str, Any]]:
    """(role, content) of each prompt. Nothing of what is neither text nor a chat: a generator must not be consumed."""
    if isinstance(inputs, str):
        yield "user", inputs
        return
    chat = _chat(inputs)
    if chat is not None:
        for message in chat:
            if _is_message(message):
                yield str(message["role"]), message["content"]
        return
    if isinstance(inputs, (list, tuple)):
        for item in inputs:
            if isinstance(item, str):
                yield "user", item
            elif _chat(item) is not None:
                yield from _messages(item)


def prompts_of(inputs: Any) -> dict[str, Any]:
    attributes = {}
    for index, (role, content) in enumerate(_messages(inputs)):
        if index == MESSAGES_MAX:
            break
        attributes[f"gen_ai.prompt.{index}.role"] = role
        attributes[f"gen_ai.prompt.{index}.content"] = content
    return attributes


def records_of(result: Any) -> Iterator[dict[str, Any]]:
    """The result's {"generated_text": …} in order, for one prompt or for several."""
    if isinstance(result, dict):
        yield result
    elif isinstance(result, (list, tuple)):
        for item in result:
            yield from records_of(item)


def completions_of(result: Any) -> dict[str, Any]:
    attributes = {}
    for index, record in enumerate(records_of(result)):
        if index == MESSAGES_MAX:
            break
        role, content = "assistant", record.get("generated_text")
        chat = _chat(content)
        if chat is not None and _is_message(chat[-1]):
            role, content = str(chat[-1]["role"]), chat[-1]["content"]
        if content is None:
            continue
        attributes[f"gen_ai.completion.{index}.role"] = role
        attributes[f"gen_ai.completion.{index}.content"] = content
    return attributes


def finish_reason_key(index: int) -> str:
    return f"gen_ai.completion.{index}.finish_reason"
