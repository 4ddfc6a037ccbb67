"""What tests read off the span of a model call, and what they compare it with."""

from contextlib import contextmanager
from importlib.metadata import version

import pytest
from respan_instrumentation_huggingface._measure import Measured

since_5 = pytest.mark.skipif(version("transformers") < "5", reason="transformers 4.44 has no such form")


def native(generator, *args, **kwargs):
    """What the pipeline gives without tracing. An iterator's steps are to be taken within `native_steps`."""
    with native_steps(generator):
        return type(generator).__call__.__wrapped__(generator, *args, **kwargs)


@contextmanager
def native_steps(generator):
    """No span is made of generate() here."""
    elsewhere = Measured(generator.model)
    elsewhere.start()
    try:
        yield
    finally:
        elsewhere.stop()


def prompts(span, *names):
    return _numbered(span, "gen_ai.prompt.", names or ("content",))


def completions(span, *names):
    return _numbered(span, "gen_ai.completion.", names or ("content",))


def _numbered(span, prefix, names):
    """One tuple for each number, or the one value."""
    found = []
    while any(key.startswith(f"{prefix}{len(found)}.") for key in span.attributes):
        values = tuple(span.attributes.get(f"{prefix}{len(found)}.{name}") for name in names)
        found.append(values if len(names) > 1 else values[0])
    return found


def parameters(span):
    prefix = "gen_ai.request."
    return {key.removeprefix(prefix): value for key, value in span.attributes.items() if key.startswith(prefix)}


def user(text):
    return {"role": "user", "content": text}
