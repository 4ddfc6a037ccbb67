#!/usr/bin/env python3
"""What a Hugging Face instrumentor costs a program that starts, as CPU time: instrumenting.py TRACER WHEN, a fresh process for each.

TRACER: respan (.venv) or respan-ai (.venv-compat, PyPI's). WHEN, and the milliseconds that are printed:
  before   importing the package, instrumenting, then importing the library
  after    importing the library, then instrumenting
  hook     of importing the library after instrumenting: what our import hook takes of it, alone
"""

import os
import sys
import time

tracer, when = sys.argv[1:]


def cpu_ms(function, *arguments):
    began = time.process_time()
    function(*arguments)
    return (time.process_time() - began) * 1e3


def import_package():
    import respan_instrumentation_huggingface  # noqa: F401


def import_library():
    import transformers  # noqa: F401
    from transformers import pipeline  # noqa: F401


def start_client():
    """respan-ai's instrumentor does nothing without."""
    if tracer == "respan-ai":
        from respan import Respan

        Respan(base_url="http://127.0.0.1:9/api", api_key="k", log_level="ERROR")


def instrument():
    from respan_instrumentation_huggingface import HuggingFaceInstrumentor

    HuggingFaceInstrumentor().activate()


def in_hook():
    """Its hooks as they run; and that it is asked by every import: the same questions once more, in one go."""
    from respan._import_hook import _finder as finder

    asked, spent = [], 0.0
    find, loaded = finder.find_spec, finder.loaded

    def find_noted(name, path=None, target=None):
        if name not in finder._waiting:
            asked.append(name)
        return find(name, path, target)

    def loaded_timed(name, module):
        nonlocal spent
        spent += cpu_ms(loaded, name, module)

    finder.find_spec, finder.loaded = find_noted, loaded_timed
    import_library()
    assert len(asked) > 1000 and spent > 0
    return spent + cpu_ms(lambda: [find(name) for name in asked])


if when == "before":
    figures = [cpu_ms(import_package)]
    start_client()
    figures += [cpu_ms(instrument), cpu_ms(import_library)]
elif when == "after":
    figures = [cpu_ms(import_library)]
    import_package()
    start_client()
    figures.append(cpu_ms(instrument))
else:
    import_package()
    instrument()
    figures = [in_hook()]
print(*figures, flush=True)
os._exit(0)
