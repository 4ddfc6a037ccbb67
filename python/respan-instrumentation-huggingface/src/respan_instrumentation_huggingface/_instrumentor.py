"""`HuggingFaceInstrumentor`: switches tracing of Hugging Face's libraries on and off. `PATCHES` is all that it touches."""

from __future__ import annotations

import sys
from _thread import RLock

from respan.instrumentation import replaced_scopes, when_imported

from ._inference_tasks import TASKS
from ._patch import Patch
from ._privacy import allow, forget
from ._quietly import listeners, report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from respan.instrumentation import ImportHook

    from ._patch import Begin
    from ._privacy import Mask

INFERENCE_ASYNC = "huggingface_hub.inference._generated._async_client"
REPLACED = "opentelemetry.instrumentation.transformers"  # traces the same calls

# What is wrapped once its module is loaded. "Class.method" ("Prefix*.method": of each such class that has its own), or "function"
# of the module; then the `begin` (_patch.py) that follows its calls, as "our module:name", which is imported at the first call. What a version of the library lacks is left out.
PATCHES = (
    ("transformers.generation.utils", "GenerationMixin.generate", "_generate:begin"),
    ("transformers.generation.utils", "GenerationMixin._prepare_generated_length", "_generate:begin_lengths"),
    ("transformers.generation.utils", "GenerationMixin._prepare_attention_mask_for_generation", "_generate:begin_mask"),
    ("transformers.generation.utils", "GenerationMixin._has_unfinished_sequences", "_generate:begin_step"),
    ("transformers.generation.utils", "GenerationMixin._update_model_kwargs_for_generation", "_generate:begin_update"),
    ("transformers.generation.configuration_utils", "GenerationConfig.get_generation_mode", "_generate:begin_mode"),
    ("transformers.models.whisper.generation_whisper", "WhisperGenerationMixin.generate", "_own_generate:begin"),
    ("transformers.models.bark.modeling_bark", "BarkModel.generate", "_own_generate:begin_sound"),
    ("transformers.models.musicgen.modeling_musicgen", "Musicgen*.generate", "_own_generate:begin_sound"),
    ("transformers.models.musicgen_melody.modeling_musicgen_melody", "Musicgen*.generate", "_own_generate:begin_sound"),
    ("transformers.models.dia.generation_dia", "DiaGenerationMixin.generate", "_own_generate:begin_sound"),
    ("transformers.models.blip_2.modeling_blip_2", "Blip2*.generate", "_own_generate:begin"),
    ("transformers.models.rag.modeling_rag", "Rag*.generate", "_own_generate:begin"),
    ("transformers.pipelines.text_generation", "TextGenerationPipeline._forward", "_text_generation:begin_forward"),
    ("transformers.pipelines.text_generation", "TextGenerationPipeline.__call__", "_text_generation:begin_call"),
    ("transformers.pipelines.pt_utils", "PipelineIterator.__iter__", "_lazy:begin_iter"),
    ("transformers.pipelines.pt_utils", "PipelineIterator.__next__", "_lazy:begin_next"),
    ("transformers.pipelines.base", "Pipeline.__call__", "_pipelines:begin_call"),
    ("transformers.pipelines.base", "Pipeline.forward", "_pipelines:begin_forward"),
    ("transformers.pipelines", "pipeline", "_load:begin_pipeline"),
    ("transformers.modeling_utils", "PreTrainedModel.from_pretrained", "_load:begin_model"),
    ("transformers.models.auto.modeling_auto", "AutoModel*.from_pretrained", "_load:begin_model"),
    ("transformers.tokenization_utils_base", "PreTrainedTokenizerBase.from_pretrained", "_load:begin_tokenizer"),
    ("transformers.models.auto.tokenization_auto", "AutoTokenizer.from_pretrained", "_load:begin_tokenizer"),
    ("transformers.processing_utils", "ProcessorMixin.from_pretrained", "_load:begin_processor"),
    ("transformers.feature_extraction_utils", "FeatureExtractionMixin.from_pretrained", "_load:begin_processor"),
    ("transformers.image_processing_base", "ImageProcessingMixin.from_pretrained", "_load:begin_processor"),
    ("transformers.models.auto.processing_auto", "AutoProcessor.from_pretrained", "_load:begin_processor"),
    ("transformers.models.auto.image_processing_auto", "AutoImageProcessor.from_pretrained", "_load:begin_processor"),
    (
        "transformers.models.auto.feature_extraction_auto",
        "AutoFeatureExtractor.from_pretrained",
        "_load:begin_processor",
    ),
    ("transformers.tokenization_utils_base", "PreTrainedTokenizerBase.__init__", "_tokenizers:begin"),
    *(("huggingface_hub.inference._client", f"InferenceClient.{task}", f"_inference_client:{task}") for task in TASKS),
    *((INFERENCE_ASYNC, f"AsyncInferenceClient.{task}", f"_inference_client:{task}") for task in TASKS),
)

_lock = RLock()
_owners: list[HuggingFaceInstrumentor] = []  # everything is wrapped once, however many instrumentors are switched on
_hooks: list[ImportHook] = []
_patches: list[Patch] = []


class HuggingFaceInstrumentor:
    """Gives calls of Hugging Face models spans.

    exception_logger: called with each exception of the tracing itself (the traced program never sees one).
    capture_content: False: no span, of whatever kind, that begins while this is switched on records prompts, answers,
        arguments or messages of exceptions; as TRACELOOP_TRACE_CONTENT=false and RESPAN_TRACE_CONTENT=false do.
    mask: called with each content of this package's spans as it would be recorded, a str; what it returns is recorded in place
        of it, and nothing where that is no str or it raises.
    Other keywords are accepted for scripts written for other versions, without effect.
    """

    name = "huggingface"

    def __init__(
        self,
        *,
        exception_logger: Any = None,
        use_legacy_attributes: bool = True,
        capture_content: bool = True,
        mask: Mask | None = None,
        **_: Any,
    ) -> None:
        if mask is not None and not callable(mask):
            raise TypeError("mask must be a function of a str, or None")
        self.exception_logger = exception_logger
        self.capture_content, self.mask = capture_content, mask

    def activate(self) -> None:
        """Wraps what is loaded now, and the rest as soon as it is."""
        with _lock:
            if self in _owners:
                return
            allow(self, self.capture_content, self.mask)
            _owners.append(self)
            if callable(self.exception_logger):
                listeners.append(self.exception_logger)
            if len(_owners) == 1:
                replaced_scopes.add(REPLACED)
                _hooks.extend(when_imported(module, _wrap) for module in dict.fromkeys(row[0] for row in PATCHES))

    def deactivate(self) -> None:
        """Puts back what was there before, if no other instrumentor is switched on."""
        with _lock:
            if self not in _owners:
                return
            _owners.remove(self)
            forget(self)
            if callable(self.exception_logger):
                listeners.remove(self.exception_logger)
            if _owners:
                return
            replaced_scopes.discard(REPLACED)
            while _hooks:
                _hooks.pop().cancel()
            while _patches:
                _patches.pop().remove()
            lazy = sys.modules.get(f"{__package__}._lazy")
            if lazy is not None:
                lazy.abandon_all()

    instrument = activate
    uninstrument = deactivate


def _wrap(module: ModuleType) -> None:
    for name, target, begin in PATCHES:
        if name != module.__name__:
            continue
        made: list[Patch] = []
        try:
            owner, _, function = target.rpartition(".")
            made.extend(Patch(holder, function, _find(begin)) for holder in _holders(module, owner, function))
        except Exception as error:
            report(error)
        with _lock:
            _patches.extend(made)
            if not _owners:  # switched off meanwhile
                while _patches:
                    _patches.pop().remove()


def _find(begin: str) -> Callable[[], Begin]:
    def find() -> Begin:
        from importlib import import_module

        place, _, name = begin.partition(":")
        found: Begin = getattr(import_module(f".{place}", __package__), name)
        return found

    return find


def _holders(module: ModuleType, owner: str, function: str) -> list[Any]:
    """What a function is to be replaced in: the module, a class, or several."""
    if owner.endswith("*"):
        kinds = [kind for name, kind in vars(module).items() if name.startswith(owner[:-1]) and isinstance(kind, type)]
        return [kind for kind in kinds if function in vars(kind)]
    holder = getattr(module, owner, None) if owner else module
    return [holder] if hasattr(holder, function) else []
