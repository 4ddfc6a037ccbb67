"""The span of one call of huggingface_hub's InferenceClient or AsyncInferenceClient: what goes into it, and when.

The caller gets what it would get untraced. A stream is followed by a generator of the same kind, which hands on each piece as it
comes; its span ends when the stream does, fails, is closed or is forgotten. A method that calls another one has one span.
"""

from __future__ import annotations

from contextvars import ContextVar
from functools import partial
from time import perf_counter_ns
from types import AsyncGeneratorType, GeneratorType

from respan.instrumentation import CLIENT, OK, suppressed

from ._inference_content import Reply, asked, error_attributes, prompts
from ._inference_tasks import REQUEST_TYPES, TASKS
from ._privacy import start_span
from ._quietly import quietly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator
    from typing import Any

    from respan.instrumentation import Span

_inside: ContextVar[bool] = ContextVar("respan.huggingface.inference", default=False)


def __getattr__(task: str) -> Any:
    """What begins a call of the method of that name (_patch.py)."""
    if task not in TASKS:
        raise AttributeError(task)
    return partial(_begin, task)


def _begin(task: str, client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call | None:
    if _inside.get() or suppressed():
        return None
    operation, log_type = TASKS[task]
    given = quietly(_named, task, client, args, kwargs) or kwargs
    about = quietly(asked, task, client, given) or {}
    model = about.get("gen_ai.request.model")
    span = start_span(f"{operation} {model}" if model else operation, CLIENT)
    if span is None:
        return None
    attributes: dict[str, Any] = {
        "respan.entity.log_type": log_type,
        "gen_ai.operation.name": operation,
        "gen_ai.system": "huggingface",
    }
    if operation in REQUEST_TYPES:
        attributes["llm.request.type"] = REQUEST_TYPES[operation]
    attributes.update(about)
    if span.content:
        attributes.update(quietly(prompts, task, given) or {})
    span.set_attributes(attributes)
    return Call(span, Reply(task, span.content))


def _named(task: str, client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments by their names."""
    if not args:
        return kwargs
    function = getattr(type(client), task)
    code = getattr(function, "__wrapped__", function).__code__
    return {**dict(zip(code.co_varnames[1 : code.co_argcount], args, strict=False)), **kwargs}


class Call:
    """A call of a client's method inside its span."""

    def __init__(self, span: Span, reply: Reply) -> None:
        self.span, self.reply = span, reply
        self._began = perf_counter_ns()
        self._token = _inside.set(True)
        span.__enter__()

    def returned(self, result: Any) -> Any:
        _inside.reset(self._token)
        if isinstance(result, (GeneratorType, AsyncGeneratorType)):
            self.span.leave()
            self.span.set_attribute("gen_ai.is_streaming", True)
            return _followed_by(Stream(self.span, self.reply, self._began), result)
        self.span.stop()
        quietly(self.reply.whole, result)
        _finish(self.span, self.reply)
        self.span.__exit__(None, None, None)
        return result

    def raised(self, error: BaseException) -> None:
        _inside.reset(self._token)
        quietly(_say_why, self.span, error)
        self.span.__exit__(type(error), error, error.__traceback__)


class Stream:
    """A reply that comes in pieces. Exactly one of ended(), failed() and closed() is called, once, or none if the program
    forgets a stream that it has not begun to read: then the span ends with it."""

    def __init__(self, span: Span, reply: Reply, began: int) -> None:
        self.span, self.reply, self.began = span, reply, began

    def piece(self, piece: Any) -> None:
        self.reply.piece(piece, perf_counter_ns())

    def ended(self) -> None:
        self._end()

    def failed(self, error: BaseException) -> None:
        self.span.fail(error)
        _say_why(self.span, error)
        self._end(is_ok=False)

    def closed(self) -> None:
        self.span.set_attribute("respan.generation.closed_early", True)
        self._end()

    def _end(self, is_ok: bool = True) -> None:
        self.span.stop()
        quietly(self.span.set_attributes, quietly(self.reply.timing, self.began) or {})
        _finish(self.span, self.reply, is_ok)
        self.span.end()


def _finish(span: Span, reply: Reply, is_ok: bool = True) -> None:
    if is_ok:
        span.status(OK)
    span.set_attributes(quietly(reply.attributes) or {})


def _say_why(span: Span, error: BaseException) -> None:
    span.set_attributes(error_attributes(error))


# ---- streams -----------------------------------------------------------------------------------------------------------


def _followed_by(stream: Stream, pieces: Any) -> Any:
    is_async = isinstance(pieces, AsyncGeneratorType)
    followed: Any = _follow_async(stream, pieces) if is_async else _follow(stream, pieces)
    followed.__name__, followed.__qualname__ = pieces.__name__, pieces.__qualname__
    return followed


def _follow(stream: Stream, pieces: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    try:
        piece = next(pieces)
        while True:
            quietly(stream.piece, piece)
            try:
                sent = yield piece
            except GeneratorExit:
                raise
            except BaseException as thrown:
                piece = pieces.throw(thrown)
            else:
                piece = pieces.send(sent)
    except StopIteration as stop:
        quietly(stream.ended)
        return stop.value
    except GeneratorExit:
        quietly(stream.closed)
        pieces.close()
        raise
    except BaseException as error:
        quietly(stream.failed, error)
        raise


async def _follow_async(stream: Stream, pieces: AsyncGenerator[Any, Any]) -> AsyncGenerator[Any, Any]:
    try:
        piece = await pieces.__anext__()
        while True:
            quietly(stream.piece, piece)
            try:
                sent = yield piece
            except GeneratorExit:
                raise
            except BaseException as thrown:
                piece = await pieces.athrow(thrown)
            else:
                piece = await pieces.asend(sent)
    except StopAsyncIteration:
        quietly(stream.ended)
    except GeneratorExit:
        quietly(stream.closed)
        await pieces.aclose()
        raise
    except BaseException as error:
        quietly(stream.failed, error)
        raise
