"""Prompts, completions and tools of a call as span attributes.

A call may hold many prompts, each of them a chat of many messages, and each with several completions. Messages and
completions are numbered through; `prompt_index` beside them says to which prompt of a batch they belong. Images, audio
and video are described (`_media.py`), never stored.
"""

from __future__ import annotations

from itertools import count, repeat

from ._media import described

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

MESSAGES_MAX = 1000  # a batch may hold millions of prompts
TOOLS_MAX = 128
MESSAGE_TEXTS = ("name", "tool_call_id", "reasoning_content", "reasoning", "thinking", "refusal")


class Keys:
    """The names of the first messages' attributes: what a batch needs most, made once."""

    def __init__(self, kind: str) -> None:
        self._prefix = f"gen_ai.{kind}."
        self.role: list[str] = []
        self.content: list[str] = []
        self.prompt_index: list[str] = []
        self.finish_reason: list[str] = []

    def reach(self, end: int) -> None:
        """From here on there are so many of each, at least."""
        if end <= len(self.finish_reason):
            return
        for number in range(len(self.finish_reason), min(end, MESSAGES_MAX)):
            for name in ("role", "content", "prompt_index", "finish_reason"):  # other threads go by the last one
                names: list[str] = getattr(self, name)
                if len(names) == number:
                    names.append(f"{self._prefix}{number}.{name}")


_prompt_keys, _completion_keys = Keys("prompt"), Keys("completion")


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


def prompts_in(inputs: Any) -> list[Any] | tuple[Any, ...] | None:
    """Each a text or a chat. None where they are not at hand: an iterator must not be advanced, nor a data set read."""
    if isinstance(inputs, str) or _chat(inputs) is not None:
        return (inputs,)
    return inputs if isinstance(inputs, (list, tuple)) else None


def records_of(result: Any) -> Iterator[dict[str, Any]]:
    """The result's {"generated_text": …} in order, for one prompt or for several."""
    if isinstance(result, dict):
        yield result
    elif isinstance(result, (list, tuple)):
        for item in result:
            yield from records_of(item)


def answers_in(result: Any, prompts: int) -> list[Any]:
    """What belongs to each of so many prompts."""
    if prompts > 1 and isinstance(result, (list, tuple)) and len(result) == prompts:
        return list(result)
    return [result]


class Transcript:
    """Numbers the prompts and completions of one call as they come; the first MESSAGES_MAX of each become attributes."""

    __slots__ = ("answered", "completions", "is_batch", "messages", "prompts")

    def __init__(self, is_batch: bool) -> None:
        self.is_batch = is_batch
        self.prompts = 0  # seen
        self.answered = 0  # of them
        self.messages = self.completions = 0  # made attributes of

    def add_prompts(self, prompts: Any, to: dict[str, Any]) -> None:
        end = self.messages + len(prompts)
        if end <= MESSAGES_MAX and set(map(type, prompts)) == {str}:
            self._add_texts(_prompt_keys, self.messages, "user", prompts, self.prompts, to)
            self.prompts += len(prompts)
            self.messages = end
            return
        for prompt in prompts:
            self.add_prompt(prompt, to)

    def _add_texts(self, keys: Keys, begin: int, role: str, texts: Any, index: int, to: dict[str, Any]) -> None:
        """One message for each prompt from `index` on: many at once, as there are in a batch."""
        end = begin + len(texts)
        keys.reach(end)
        if not self.is_batch and len(texts) == 1:
            to[keys.role[begin]] = role
            to[keys.content[begin]] = texts[0]
            return
        to.update(zip(keys.role[begin:end], repeat(role)))
        to.update(zip(keys.content[begin:end], texts, strict=True))
        if self.is_batch:
            to.update(zip(keys.prompt_index[begin:end], count(index)))

    def add_prompt(self, prompt: Any, to: dict[str, Any]) -> None:
        index = self.prompts
        self.prompts += 1
        messages = _chat(prompt)
        if messages is None:
            messages = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else []
        for message in messages:
            if self.messages == MESSAGES_MAX:
                return
            if not isinstance(message, dict):
                continue
            prefix = f"gen_ai.prompt.{self.messages}."
            _put_message(prefix, message, to)
            if self.is_batch:
                to[prefix + "prompt_index"] = index
            self.messages += 1

    def add_results(self, results: Any, to: dict[str, Any], decode: Callable[[Any], str] | None = None) -> None:
        """The records of each of the next prompts."""
        begin, end = self.completions, self.completions + len(results)
        texts = [
            answers[0].get("generated_text")
            for answers in results
            if type(answers) is list and len(answers) == 1 and type(answers[0]) is dict
        ]
        if len(texts) == len(results) and end <= MESSAGES_MAX and set(map(type, texts)) == {str}:
            self._add_texts(_completion_keys, begin, "assistant", texts, self.answered, to)
            self.answered += len(texts)
            self.completions = end
            return
        for answers in results:
            self.add_answers(answers, to, decode)

    def add_answers(self, answers: Any, to: dict[str, Any], decode: Callable[[Any], str] | None = None) -> None:
        """The records of the next prompt. decode: makes text of token ids, where a pipeline gives those."""
        index = self.answered
        self.answered += 1
        for record in records_of(answers):
            if self.completions == MESSAGES_MAX:
                return
            prefix = f"gen_ai.completion.{self.completions}."
            message = _answer(record, decode)
            if message is not None:
                _put_message(prefix, message, to)
                if self.is_batch:
                    to[prefix + "prompt_index"] = index
            self.completions += 1


def _answer(record: dict[str, Any], decode: Callable[[Any], str] | None) -> dict[str, Any] | None:
    said = record.get("generated_text")
    if said is None and decode is not None and record.get("generated_token_ids") is not None:
        said = decode(record["generated_token_ids"])
    chat = _chat(said)
    if chat is not None:
        return chat[-1] if isinstance(chat[-1], dict) else None
    return None if said is None else {"role": "assistant", "content": said}


def _put_message(prefix: str, message: dict[str, Any], to: dict[str, Any]) -> None:
    to[prefix + "role"] = str(message.get("role", ""))
    content = message.get("content")
    if content is not None:
        to[prefix + "content"] = content if isinstance(content, str) else described(content)
    for name in MESSAGE_TEXTS:
        value = message.get(name)
        if isinstance(value, str):
            to[prefix + name] = value
    calls = message.get("tool_calls")
    if isinstance(calls, (list, tuple)):
        for number, call in enumerate(calls[:TOOLS_MAX]):
            _put_tool_call(f"{prefix}tool_calls.{number}.", call, to)


def _put_tool_call(prefix: str, call: Any, to: dict[str, Any]) -> None:
    """{"type": "function", "id", "function": {"name", "arguments"}}, or the inner one alone."""
    if not isinstance(call, dict):
        return
    function = call.get("function")
    function = function if isinstance(function, dict) else call
    if isinstance(call.get("id"), str):
        to[prefix + "id"] = call["id"]
    if isinstance(function.get("name"), str):
        to[prefix + "name"] = function["name"]
    if function.get("arguments") is not None:
        to[prefix + "arguments"] = function["arguments"]


def tools_of(tools: Any) -> dict[str, Any]:
    """The definitions of `tools=`: JSON schemas, or Python functions, of which transformers makes such schemas."""
    attributes: dict[str, Any] = {}
    if not isinstance(tools, (list, tuple)):
        return attributes
    for number, tool in enumerate(tools[:TOOLS_MAX]):
        prefix = f"llm.request.functions.{number}."
        definition = tool if isinstance(tool, dict) else _schema_of(tool)
        function = definition.get("function")
        function = function if isinstance(function, dict) else definition
        for name in ("name", "description", "parameters"):
            if function.get(name) is not None:
                attributes[prefix + name] = function[name]
    return attributes


def _schema_of(function: Any) -> dict[str, Any]:
    from transformers.utils.chat_template_utils import get_json_schema

    try:
        schema: dict[str, Any] = get_json_schema(function)
    except Exception:  # without a docstring, say: the call fails for it too
        schema = {"name": getattr(function, "__name__", type(function).__name__)}
    return schema


def put_finish_reasons(reasons: list[str], first: int, end: int, to: dict[str, Any]) -> None:
    """Of completions first to end."""
    end = min(end, MESSAGES_MAX)
    _completion_keys.reach(end)
    to.update(zip(_completion_keys.finish_reason[first:end], reasons[first:end], strict=True))
