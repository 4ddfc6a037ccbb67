"""Traces Hugging Face Transformers for Respan. Importing this imports neither transformers nor torch."""

from ._instrumentor import HuggingFaceInstrumentor

__all__ = ["HuggingFaceInstrumentor"]
