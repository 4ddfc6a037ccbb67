"""`HuggingFaceInstrumentor`: switches tracing of text-generation pipelines on and off."""

from __future__ import annotations

from respan.instrumentation import replaced_scopes, when_imported

from ._patch import Patch
from ._text_generation import traced_call, traced_forward

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

    from respan.instrumentation import ImportHook

MODULE = "transformers.pipelines.text_generation"
REPLACED = "opentelemetry.instrumentation.transformers"  # traces the same calls

_active: HuggingFaceInstrumentor | None = None  # the pipeline is wrapped once, however many instrumentors there are


class HuggingFaceInstrumentor:
    """Gives every call of a `transformers` TextGenerationPipeline a span.

    exception_logger: called with each exception of the tracing itself (the traced program never sees one).
    Other keywords are accepted for scripts written for other versions, without effect.
    """

    name = "huggingface"

    def __init__(self, *, exception_logger: Any = None, use_legacy_attributes: bool = True, **_: Any) -> None:
        self.exception_logger = exception_logger
        self._hook: ImportHook | None = None
        self._patches: list[Patch] = []

    def activate(self) -> None:
        """Wraps the pipeline now if its module is loaded, else as soon as it is."""
        global _active
        if _active is not None:
            return
        _active = self
        replaced_scopes.add(REPLACED)
        self._hook = when_imported(MODULE, self._wrap)

    def deactivate(self) -> None:
        """Puts back what was there before."""
        global _active
        if _active is not self:
            return
        _active = None
        replaced_scopes.discard(REPLACED)
        if self._hook is not None:
            self._hook.cancel()
            self._hook = None
        while self._patches:
            self._patches.pop().remove()

    instrument = activate
    uninstrument = deactivate

    def _wrap(self, module: ModuleType) -> None:
        pipeline = module.TextGenerationPipeline
        self._patches.append(Patch(pipeline, "_forward", traced_forward, self._report))
        self._patches.append(Patch(pipeline, "__call__", traced_call, self._report))

    def _report(self, error: Exception) -> None:
        import logging

        logging.getLogger("respan").debug("Tracing a Hugging Face call failed", exc_info=error)
        if self.exception_logger is not None:
            try:
                self.exception_logger(error)
            except Exception:
                pass
