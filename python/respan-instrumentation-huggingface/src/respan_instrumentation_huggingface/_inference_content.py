"""What an inference request asks for, and what its reply says, as span attributes."""

from __future__ import annotations

from array import array

from ._media import described, description
from ._timing import Timing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

MESSAGES_MAX = 1000
KEPT_MAX = 4 << 20  # characters of a streamed reply; a span's texts are cut there anyway

# What a method is given to work on; what is not here is a parameter.
INPUTS = (
    *(
        "messages",
        "prompt",
        "negative_prompt",
        "text",
        "sentence",
        "other_sentences",
        "question",
        "context",
        "query",
        "table",
    ),
    *("image", "audio", "candidate_labels", "hypothesis_template", "targets", "tools", "tool_prompt", "extra_body"),
    *("response_format", "grammar", "word_boxes", "stop", "stop_sequences"),
)
ABOUT_THE_CALL = ("model", "stream", "details", "stream_options", "timeout")
RENAMED = {"n": "choice.count"}
# Parameters that are text and choose among what there is; any other text may be content.
CHOICES = (
    *("truncation", "truncation_direction", "padding", "function_to_apply", "aggregation_strategy", "scheduler"),
    *("src_lang", "tgt_lang", "language", "early_stopping", "prompt_name", "encoding_format", "output_type"),
)
TOOL_CHOICES = ("auto", "none", "required")


def get(thing: Any, name: str) -> Any:
    """Replies are dataclasses; requests are those or dicts."""
    return thing.get(name) if isinstance(thing, dict) and name in thing else getattr(thing, name, None)


# ---- requests ----------------------------------------------------------------------------------------------------------


def asked(task: str, client: Any, given: dict[str, Any]) -> dict[str, Any]:
    """Model, provider and parameters. No content."""
    attributes: dict[str, Any] = {}
    base = getattr(client, "model", None)
    model = given.get("model") or base
    if isinstance(model, str):
        attributes["gen_ai.request.model"] = model
    for url in (base, getattr(client, "base_url", None), model):  # before 0.26 it was kept apart
        if isinstance(url, str) and url.startswith(("http://", "https://")):
            attributes.update(_server(url))
            break
    else:
        provider = getattr(client, "provider", None)
        if task == "chat_completion" and isinstance(model, str) and ":" in model:
            provider = model.rpartition(":")[2]  # how the router is told
        if isinstance(provider, str):
            attributes["gen_ai.provider.name"] = provider
    for name, value in given.items():
        if name not in INPUTS and name not in ABOUT_THE_CALL:
            attributes.update(_parameter(name, value))
    limit = given.get("max_tokens") or given.get("max_new_tokens")
    if isinstance(limit, int):
        attributes["gen_ai.request.max_tokens"] = limit
    return attributes


def _parameter(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    key = f"gen_ai.request.{RENAMED.get(name, name)}"
    if isinstance(value, (bool, int, float)) or (isinstance(value, str) and name in CHOICES):
        yield key, value
    elif name == "tool_choice":  # one tool, by its name, is as much content as the tools are
        yield key, value if isinstance(value, str) and value in TOOL_CHOICES else "function"
    elif name == "generate_parameters" and isinstance(value, dict):
        for each, one in value.items():
            yield from _parameter(str(each), one)


def _server(url: str) -> dict[str, Any]:
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    return {
        "server.address": parts.hostname or "",
        "server.port": parts.port or (443 if parts.scheme == "https" else 80),
    }


def prompts(task: str, given: dict[str, Any]) -> dict[str, Any]:
    """Everything that the method is given to work on."""
    attributes: dict[str, Any] = {}
    if task == "chat_completion":
        messages = given.get("messages")
        for index, message in enumerate(messages if isinstance(messages, (list, tuple)) else ()):
            if index == MESSAGES_MAX:
                break
            attributes.update(_message(f"gen_ai.prompt.{index}.", message))
        for index, tool in enumerate(given.get("tools") or ()):
            attributes.update(_tool(f"llm.request.functions.{index}.", tool))
    else:
        inputs = {name: given[name] for name in INPUTS[: INPUTS.index("tools")] if given.get(name) is not None}
        attributes["gen_ai.prompt.0.role"] = "user"
        only = next(iter(inputs.values())) if len(inputs) == 1 else inputs
        attributes["gen_ai.prompt.0.content"] = only if isinstance(only, str) and _is_text(inputs) else plain(only)
    for name in ("stop", "stop_sequences"):
        if given.get(name):
            stops = given[name]
            attributes["gen_ai.request.stop_sequences"] = [stops] if isinstance(stops, str) else list(stops)
    for name in ("response_format", "grammar", "tool_prompt", "extra_body"):
        if given.get(name) is not None:
            attributes[f"gen_ai.request.{name}"] = plain(given[name])
    return attributes


def _is_text(inputs: dict[str, Any]) -> bool:
    return not ("image" in inputs or "audio" in inputs)


def _message(prefix: str, message: Any) -> Iterator[tuple[str, Any]]:
    yield prefix + "role", str(get(message, "role") or "assistant")
    content = get(message, "content")
    if content is not None:
        yield prefix + "content", described(content)
    for name in ("name", "tool_call_id", "reasoning", "reasoning_content"):
        if get(message, name):
            yield prefix + name, get(message, name)
    for index, call in enumerate(get(message, "tool_calls") or ()):
        yield from _tool_call(f"{prefix}tool_calls.{index}.", call)


def _tool_call(prefix: str, call: Any) -> Iterator[tuple[str, Any]]:
    function = get(call, "function")
    yield prefix + "id", get(call, "id")
    yield prefix + "name", get(function, "name")
    yield prefix + "arguments", get(function, "arguments")


def _tool(prefix: str, tool: Any) -> Iterator[tuple[str, Any]]:
    function = get(tool, "function") or tool
    for name in ("name", "description", "parameters"):
        if get(function, name) is not None:
            yield prefix + name, get(function, name)


def plain(value: Any) -> Any:
    """Without images, sounds and arrays, which are described."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value if not isinstance(value, str) or not value.startswith("data:") else description(value)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value[:MESSAGES_MAX]]
    return description(value)


# ---- replies -----------------------------------------------------------------------------------------------------------


class Choice:
    """One answer of a chat, put together from its pieces."""

    def __init__(self) -> None:
        self.role = "assistant"
        self.finish_reason: str | None = None
        self.texts: dict[str, list[str]] = {"content": [], "reasoning": []}
        self.calls: dict[int, dict[str, Any]] = {}

    def add(self, piece: Any, content: bool) -> None:
        delta = get(piece, "delta")
        self.role = get(delta, "role") or self.role
        self.finish_reason = get(piece, "finish_reason") or self.finish_reason
        if not content:
            return
        for name, texts in self.texts.items():
            if get(delta, name):
                texts.append(get(delta, name))
        calls = get(delta, "tool_calls") or ()
        for position, call in enumerate(calls if isinstance(calls, (list, tuple)) else (calls,)):
            function = get(call, "function")
            index = get(call, "index")
            whole = self.calls.setdefault(position if index is None else index, {"arguments": ""})
            whole["id"] = get(call, "id") or whole.get("id")
            whole["name"] = get(function, "name") or whole.get("name")
            whole["arguments"] += get(function, "arguments") or ""

    def message(self) -> dict[str, Any]:
        said = {name: "".join(texts) for name, texts in self.texts.items() if texts}
        calls = [
            {"id": call["id"], "function": {"name": call["name"], "arguments": call["arguments"]}}
            for _, call in sorted(self.calls.items())
        ]
        return {"role": self.role, **said, "tool_calls": calls}


class Reply:
    """What came back: all at once, or piece by piece. Texts are kept only if they may be recorded."""

    def __init__(self, task: str, content: bool) -> None:
        self.task, self._content = task, content
        self._attributes: dict[str, Any] = {}
        self._choices: dict[int, Choice] = {}
        self._texts: list[str] = []
        self._kept = 0
        self._steps = array("q")
        self._usage: tuple[int | None, int | None] = (None, None)

    # all at once

    def whole(self, result: Any) -> None:
        if self.task == "chat_completion":
            self._say_chat(result)
            for index, choice in enumerate(get(result, "choices") or ()):
                self._answer(index, get(choice, "message"), get(choice, "finish_reason"))
        elif self.task == "text_generation":
            details = get(result, "details")
            self._say_details(details)
            text = result if isinstance(result, str) else get(result, "generated_text")
            self._answer(0, {"content": text}, get(details, "finish_reason"))
        elif self.task == "feature_extraction":
            shape = getattr(result, "shape", None)
            if shape:
                self._attributes["gen_ai.embeddings.dimension.count"] = int(shape[-1])
        else:
            self._answer(0, {"content": result if isinstance(result, str) else plain(result)}, None)

    def _say_chat(self, reply: Any) -> None:
        for name in ("model", "id", "system_fingerprint"):
            if get(reply, name):
                self._attributes[f"gen_ai.response.{name}"] = get(reply, name)
        usage = get(reply, "usage")
        if usage:
            self._usage = (get(usage, "prompt_tokens"), get(usage, "completion_tokens"))

    def _say_details(self, details: Any) -> None:
        """TGI's: the prompt's tokens are there only if they were asked for."""
        prefill = get(details, "prefill")
        prompt_tokens = get(details, "input_length") or (len(prefill) if prefill else None)
        self._usage = (prompt_tokens, get(details, "generated_tokens"))
        if get(details, "seed") is not None:
            self._attributes["gen_ai.response.seed"] = get(details, "seed")

    def _answer(self, index: int, message: Any, finish_reason: Any) -> None:
        prefix = f"gen_ai.completion.{index}."
        if finish_reason:
            self._attributes[prefix + "finish_reason"] = str(finish_reason)
        if self._content and message is not None:
            self._attributes.update(_message(prefix, message))

    # piece by piece

    def piece(self, piece: Any, now: int) -> None:
        if self.task == "chat_completion":
            self._chat_piece(piece, now)
        elif isinstance(piece, str):
            self._text(piece, now)
        else:
            token = get(piece, "token")
            if token is not None and not get(token, "special"):
                self._text(get(token, "text") or "", now)
            elif token is not None:
                self._steps.append(now)
            details = get(piece, "details")
            if details:
                self._say_details(details)
                self._attributes["gen_ai.completion.0.finish_reason"] = str(get(details, "finish_reason"))

    def _text(self, text: str, now: int) -> None:
        self._steps.append(now)
        self._keep(text)
        if self._content and self._kept <= KEPT_MAX:
            self._texts.append(text)

    def _keep(self, text: str) -> None:
        self._kept += len(text)

    def _chat_piece(self, piece: Any, now: int) -> None:
        self._say_chat(piece)
        is_token = False
        for choice in get(piece, "choices") or ():
            delta = get(choice, "delta")
            said = get(delta, "content") or get(delta, "reasoning") or ""
            is_token = is_token or bool(said or get(delta, "tool_calls"))
            self._keep(said)
            made = self._choices.setdefault(get(choice, "index") or 0, Choice())
            made.add(choice, self._content and self._kept <= KEPT_MAX)
        if is_token:
            self._steps.append(now)

    # what a span gets

    def timing(self, began: int) -> dict[str, Any]:
        """Of the pieces that brought something: from the call to the first, and from each to the next."""
        timing = Timing()
        tokens = self._usage[1] or len(self._steps)
        timing.add(began, self._steps, max(0, tokens - 1))
        attributes = timing.attributes(began)
        for name in ("prefill", "decode", "steps"):  # the server's, and not to be seen from here
            attributes.pop(f"respan.generation.{name}", None)
        return attributes

    def attributes(self) -> dict[str, Any]:
        for index, choice in sorted(self._choices.items()):
            self._answer(index, choice.message(), choice.finish_reason)
        if self._texts:
            self._answer(0, {"content": "".join(self._texts)}, None)
        prompt_tokens, completion_tokens = self._usage
        counts = {"input_tokens": prompt_tokens, "output_tokens": completion_tokens}
        counts.update(prompt_tokens=prompt_tokens, completion_tokens=completion_tokens)
        counted = {f"gen_ai.usage.{name}": count for name, count in counts.items() if isinstance(count, int)}
        if counted:
            self._attributes.update(counted, **{"respan.usage.source": "reported"})
        if isinstance(prompt_tokens, int) and isinstance(completion_tokens, int):
            self._attributes["llm.usage.total_tokens"] = prompt_tokens + completion_tokens
        return self._attributes


def error_attributes(error: BaseException) -> dict[str, Any]:
    """HTTP's status, and the kind of error. The message is the exception's, which is content."""
    attributes: dict[str, Any] = {"error.type": type(error).__name__}
    for cause in (error, error.__cause__):
        response = getattr(cause, "response", None)
        status = getattr(response, "status_code", None) or getattr(cause, "status", None)  # httpx and requests; aiohttp
        if isinstance(status, int):
            attributes["http.response.status_code"] = status
            break
    return attributes
