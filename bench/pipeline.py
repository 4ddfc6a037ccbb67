"""What tracing adds to a text-generation pipeline's call, for bench/table.py, which keeps one such process per tracer.

usage: pipeline.py TRACER      reads "one N" or "batch N" lines, answers each with nanoseconds that N calls were dearer by, a call

The model is stubbed out: `generate` gives ready tensors, and what the pipeline does around it is cut down to the call of
`_forward`, so that what is left is the traced functions and what tracing does in them. "one" is a prompt, "batch" 32 of them.
Both bursts, untraced and traced, are timed by the CPU clock of the calling thread, in turns.
"""

import os
import sys
import time

import torch
from transformers import TextGenerationPipeline, pipeline
from transformers.pipelines.base import Pipeline

PROMPT = "Tracing Hugging Face pipelines helps"
BATCH = 32
NEW_TOKENS = 20
BURSTS = 5  # of each sort in a measurement


def stub(generator):
    """Everything but the functions that are traced."""
    ids = generator.tokenizer(PROMPT, return_tensors="pt")["input_ids"]

    def inputs(rows):
        tokens = ids.expand(rows, -1)
        return {"input_ids": tokens, "attention_mask": torch.ones_like(tokens)}

    def outputs(rows):
        generated = torch.cat([ids, torch.full((1, NEW_TOKENS), 5)], dim=1).expand(rows, 1, -1)
        return {"generated_sequence": generated, "input_ids": ids.expand(rows, -1), "prompt_text": PROMPT}

    given = {rows: inputs(rows) for rows in (1, BATCH)}
    made = {rows: outputs(rows) for rows in (1, BATCH)}
    record = {"generated_text": PROMPT + " a lot of people"}

    def forward(self, model_inputs, **_):
        return made[len(model_inputs["input_ids"])]

    def call(self, text_inputs, **kwargs):
        rows = 1 if isinstance(text_inputs, str) else len(text_inputs)
        self._forward(given[rows], max_new_tokens=kwargs["max_new_tokens"])
        return [record] if rows == 1 else [[record] for _ in range(rows)]

    TextGenerationPipeline._forward = forward
    Pipeline.__call__ = call


def tracer(name):
    """(instrumentor, flush)"""
    from respan import Respan
    from respan_instrumentation_huggingface import HuggingFaceInstrumentor

    more = {} if name == "respan" else {"auto_flush": "off", "is_auto_instrument": False, "log_level": "CRITICAL"}
    instrumentor = HuggingFaceInstrumentor()
    respan = Respan(app_name="bench", instrumentations=[instrumentor], **more)
    return instrumentor, (lambda: respan.flush(60)) if name == "respan" else respan.flush


def main():
    generator = pipeline("text-generation", model="sshleifer/tiny-gpt2", do_sample=False)
    stub(generator)
    untraced = {name: vars(TextGenerationPipeline)[name] for name in ("__call__", "_forward")}
    _, flush = tracer(sys.argv[1])
    traced = {name: vars(TextGenerationPipeline)[name] for name in ("__call__", "_forward")}
    assert untraced["__call__"] is not traced["__call__"]
    what = {"one": PROMPT, "batch": [PROMPT] * BATCH}

    def burst(functions, argument, count):
        for name, function in functions.items():
            setattr(TextGenerationPipeline, name, function)
        began = time.thread_time_ns()
        for _ in range(count):
            generator(argument, max_new_tokens=NEW_TOKENS)
        return time.thread_time_ns() - began

    print("ready", flush=True)
    for line in sys.stdin:
        argument, count = what[line.split()[0]], int(line.split()[1]) // BURSTS
        added = []
        for _ in range(BURSTS + 1):
            added.append(-burst(untraced, argument, count) + burst(traced, argument, count))
        print(sorted(added[1:])[BURSTS // 2] / count, flush=True)
        flush()
    os._exit(0)  # all is flushed


main()
