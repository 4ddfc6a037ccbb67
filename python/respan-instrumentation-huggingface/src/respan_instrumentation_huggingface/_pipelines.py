"""The span of one call of a pipeline, whatever its task; text generation alone has a feature of its own (_text_generation.py).

`Pipeline.__call__` is what the `__call__` of every pipeline comes to, `Pipeline.forward` the place where each batch goes
through the model. What the tasks take and give is in `_tasks.py`. An iterator of inputs is never advanced: the span then goes
with the iterator of results (`_lazy.py`).
"""

from __future__ import annotations

from contextvars import ContextVar

from respan._core import to_json
from respan.instrumentation import CLIENT, suppressed

from ._content import MESSAGES_MAX, Transcript, is_chat, put_finish_reasons
from ._lazy import Ending, follow, is_lazy
from ._measure import Measured
from ._model import model_attributes
from ._parameters import model_name, parameters_of
from ._privacy import start_span
from ._quietly import quietly
from ._readable import audio_seconds, readable, shape_of
from ._tasks import OTHER, TASKS, Row, task_of
from ._text_generation import current as text_generation
from ._tokens import TokenIds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextvars import Token
    from typing import Any

    from respan.instrumentation import Span

RESULTS_MAX = 100  # that are told as one output
# Parameters that are text and choose among what there is; any other text may be content.
CHOICES = (
    "aggregation_strategy",
    "function_to_apply",
    "truncation",
    "padding",
    "return_timestamps",
    "src_lang",
    "tgt_lang",
    "language",
    "task",
)
PARAMETERS = ("_preprocess_params", "_forward_params", "_postprocess_params")  # what a pipeline was made with
TOTALS = ("llm.usage.total_tokens",)
NESTED = ("generate_kwargs", "tokenize_kwargs", "tokenizer_kwargs", "forward_params", "preprocess_params")

_current: ContextVar[Call | None] = ContextVar("respan.huggingface.pipeline", default=None)


def begin_call(pipeline: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call | None:
    """A call of Pipeline.__call__."""
    task = getattr(pipeline, "task", None)
    if task != "text-generation":
        task = task_of(pipeline)
    if task == "text-generation":
        return None
    around = _current.get()
    if around is not None and around.pipeline is pipeline and around.open:
        return None  # it calls itself, or its base class again
    call = _open(pipeline, task, args[0] if args else kwargs.get("inputs"), kwargs)
    if call is not None:
        call.start()
    return call


def begin_forward(pipeline: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Inside | None:
    """A call of Pipeline.forward: before its inputs are moved to the model's device."""
    call = _current.get()
    if call is None or call.pipeline is not pipeline or not call.open:
        of_text = text_generation.get()
        if of_text is not None and of_text.pipeline is pipeline and of_text.measured.is_lazy:
            return Inside(of_text.measured)
        return None
    return Forward(call.measured, args[0] if args else kwargs.get("model_inputs"))


class Inside:
    """One batch, on its way through the model."""

    __slots__ = ("_measured",)

    def __init__(self, measured: Measured) -> None:
        self._measured = measured
        measured.inside = True

    def returned(self, outputs: Any) -> Any:
        self._measured.inside = False
        return outputs

    def raised(self, error: BaseException) -> None:
        """The call that this is a part of says so."""
        self._measured.inside = False


class Forward(Inside):
    """Tokens are counted here if generate() does not count them."""

    __slots__ = ("_generations", "_ids", "_mask")

    def __init__(self, measured: Measured, model_inputs: Any) -> None:
        super().__init__(measured)
        self._generations = measured.generations
        has = hasattr(model_inputs, "get")
        self._ids: Any = model_inputs.get("input_ids") if has else None
        self._mask: Any = model_inputs.get("attention_mask") if has else None

    def returned(self, outputs: Any) -> Any:
        self._measured.inside = False
        ids, mask = self._ids, self._mask
        shape = shape_of(ids)
        if self._measured.generations == self._generations and shape is not None:
            mask = mask if shape_of(mask) == shape else None
            if len(shape) == 1:
                ids, mask = ids[None], None if mask is None else mask[None]
            special = getattr(self._measured.tokenizer, "all_special_ids", ())
            self._measured.usage.add_prompts(ids, mask, TokenIds((), (), special))
        return outputs


class Call(Ending):
    """A call of a pipeline, and its span. It is told of the call's end (`_patch.Call`) or of its steps (`_lazy.Followed`)."""

    def __init__(self, span: Span, pipeline: Any, task: str, inputs: Any, kwargs: dict[str, Any]) -> None:
        self.span, self.pipeline = span, pipeline
        self.open = False
        model = getattr(pipeline, "model", None)
        self.measured = Measured(model, getattr(pipeline, "tokenizer", None))
        self.measured.is_lazy = not self._is_at_hand(inputs)
        self._task, self._row = task, TASKS.get(task, OTHER)
        # What is no model call costs the time of the model that it has.
        self.measured.pays = self._row.log_type != "custom" or callable(getattr(model, "parameters", None))
        self._kwargs = kwargs
        self._is_batch = isinstance(inputs, list) and not is_chat([inputs])
        self._count = len(inputs) if self._is_batch else 0
        self._transcript = Transcript(is_batch=self._count > 1)
        self._results: list[Any] = []
        self._seen = 0
        self._token: Token[Call | None] | None = None

    def set_up(self, inputs: Any) -> None:
        """What is known before the call."""
        chat = self._row.log_type == "text" and is_chat(inputs)
        model = model_name(self.pipeline)
        attributes: dict[str, Any] = {
            "respan.entity.log_type": "chat" if chat else self._row.log_type,
            "gen_ai.operation.name": _operation(self._row, self._task, chat),
            "gen_ai.system": "huggingface",
            "gen_ai.request.model": model,
            "gen_ai.response.model": model,
            "respan.pipeline.task": self._task or type(self.pipeline).__name__,
        }
        told, texts = quietly(self._parameters) or ({}, {})
        attributes.update(told)
        if self._row.log_type == "transcription":
            attributes.update(quietly(self._audio, inputs) or {})
        if self.span.content:
            quietly(self._add_inputs, inputs, texts, attributes)
        self.span.set_attributes(attributes)

    def _parameters(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """As attributes; and those that may be content, by their names."""
        given: dict[str, Any] = {}
        for made_with in PARAMETERS:
            given.update(getattr(self.pipeline, made_with, None) or {})
        given.update(self._kwargs)
        for name in NESTED:
            if isinstance(given.get(name), dict):
                given.update(given[name])
        model = getattr(self.pipeline, "model", None)
        generates = getattr(self.pipeline, "_pipeline_calls_generate", False) and getattr(model, "can_generate", bool)()
        attributes = parameters_of(self.pipeline, {**given, **self._kwargs}) if generates else {}
        texts: dict[str, Any] = {}
        for name, value in given.items():
            if name in NESTED or name == "inputs" or value is None:
                continue
            told = readable(value)
            if isinstance(told, (bool, int, float)) or name in CHOICES:
                attributes.setdefault(f"gen_ai.request.{name}", told)
            elif name in self._kwargs and isinstance(told, (str, list)):
                texts[name] = told
        return attributes, texts

    def _audio(self, inputs: Any) -> dict[str, Any]:
        rate = getattr(getattr(self.pipeline, "feature_extractor", None), "sampling_rate", None)
        lengths = [audio_seconds(audio, rate) for audio in (inputs if self._is_batch else [inputs])]
        known = [seconds for seconds in lengths if seconds is not None]
        return {"respan.audio.seconds": round(sum(known), 6)} if known else {}

    def _add_inputs(self, inputs: Any, texts: dict[str, Any], to: dict[str, Any]) -> None:
        if not self._is_at_hand(inputs):
            return
        if self._row.prompt is None:
            shown = readable(inputs)
            to["traceloop.entity.input"] = to_json({"inputs": shown, **texts} if texts else shown)
            return
        for prompt in inputs if self._is_batch else [inputs]:
            self._transcript.add_prompt(self._row.prompt(self.pipeline, prompt), to)

    def _is_at_hand(self, inputs: Any) -> bool:
        """Neither an iterator, which must not be advanced, nor a data set, which must not be read."""
        is_data_set = any(kind.__name__ == "Dataset" for kind in type(inputs).__mro__)
        return inputs is not None and not hasattr(inputs, "__next__") and not is_data_set

    # ---- as a call ---------------------------------------------------------------------------------------

    def start(self) -> None:
        self._token = self.enter()

    def returned(self, result: Any) -> Any:
        self.leave(self._token)
        if is_lazy(result):
            quietly(self._follow, result)
            return result
        fits = self._is_batch and isinstance(result, (list, tuple)) and len(result) == self._count
        for one in result if fits else [result]:
            self.item(one)
        self.finish()
        return result

    def raised(self, error: BaseException) -> None:
        self.leave(self._token)
        self.fail(error)

    def _follow(self, iterator: Any) -> None:
        pipeline, task, kwargs = self.pipeline, self._task, {**self._kwargs}
        kwargs.pop("inputs", None)  # it may know the iterator, which would then never be let go
        self._kwargs = kwargs
        self._is_batch, self._transcript = True, Transcript(is_batch=True)
        follow(iterator, self, lambda: _open(pipeline, task, None, kwargs))

    # ---- as what follows an iterator ---------------------------------------------------------------------

    def enter(self) -> Token[Call | None]:
        self.open = True
        self.span.enter()
        self.measured.start()
        return _current.set(self)

    def leave(self, token: Any) -> None:
        self.span.stop()  # what is still to be recorded is not its time
        _current.reset(token)
        self.measured.stop()
        self.span.leave()
        self.open = False

    def item(self, result: Any) -> None:
        """What there is for one input."""
        self._seen += 1
        if self._seen <= (RESULTS_MAX if self._row.prompt is None else MESSAGES_MAX):
            quietly(self._add_result, result)

    def _add_result(self, result: Any) -> None:
        row = self._row
        if row.log_type == "embedding":
            shape = shape_of(result)
            if shape:
                self.span.set_attribute("gen_ai.embeddings.dimension.count", shape[-1])
        elif row.log_type == "speech" and self._seen == 1:
            seconds = audio_seconds(result)
            if seconds is not None:
                self.span.set_attribute("respan.audio.seconds", seconds)
        if not self.span.content:
            return
        completion = row.completion(result)
        if row.prompt is None:
            self._results.append(completion)
            return
        attributes: dict[str, Any] = {}
        self._transcript.add_answers({"generated_text": completion}, attributes)
        self.span.set_attributes(attributes)

    def _record(self) -> None:
        pipeline = self.pipeline
        attributes = dict(quietly(self.measured.attributes) or {})
        if self._row.log_type == "transcription":  # frames of sound are no tokens
            for name in [name for name in attributes if name in TOTALS or "prompt" in name or "input_tokens" in name]:
                del attributes[name]
        reasons = self.measured.usage.finish_reasons
        if self._row.prompt is not None and len(reasons) == self._transcript.completions:
            put_finish_reasons(reasons, 0, len(reasons), attributes)
        if self._transcript.is_batch:
            attributes["respan.batch.size"] = max(self._seen, self._count)
        if self._results:
            attributes["traceloop.entity.output"] = to_json(self._results if self._is_batch else self._results[0])
        tokenizer = getattr(pipeline, "tokenizer", None) or getattr(pipeline, "processor", None)
        attributes.update(quietly(model_attributes, getattr(pipeline, "model", None), tokenizer) or {})
        self.span.set_attributes(attributes)


def _operation(row: Row, task: str, chat: bool) -> str:
    return "chat" if chat else row.operation or task or "pipeline"


def _open(pipeline: Any, task: str, inputs: Any, kwargs: dict[str, Any]) -> Call | None:
    if suppressed():
        return None
    row = TASKS.get(task, OTHER)
    operation = _operation(row, task, row.log_type == "text" and is_chat(inputs))
    model = model_name(pipeline)
    span = start_span(f"{operation} {model}" if model else operation, CLIENT)
    if span is None:
        return None
    call = Call(span, pipeline, task, inputs, kwargs)
    quietly(call.set_up, inputs)
    return call
