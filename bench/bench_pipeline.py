#!/usr/bin/env python3
"""µs that tracing adds to a text-generation pipeline call whose model is stubbed out; what decorated calls cost is bench/table.py's.

No server is needed: what is measured happens before anything is sent.
"""

import os
import tempfile
import time

import torch
from respan import Respan
from respan_instrumentation_huggingface import HuggingFaceInstrumentor
from transformers import TextGenerationPipeline, pipeline

NOWHERE = "http://127.0.0.1:9/api"
ROUNDS = 15


def per_call_us(function, count):
    """The best of ROUNDS runs, each `count` calls: whatever else the machine does only adds."""
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for _ in range(count):
            function()
        took.append((time.perf_counter() - began) / count * 1e6)
    return min(took)


def main():
    generator = pipeline("text-generation", model="sshleifer/tiny-gpt2", do_sample=False)
    prompt = "Tracing Hugging Face pipelines helps"
    ids = generator.tokenizer(prompt, return_tensors="pt")
    generated = torch.cat([ids["input_ids"], torch.full((1, 20), 5)], dim=1).reshape(1, 1, -1)
    outputs = {"generated_sequence": generated, "input_ids": ids["input_ids"], "prompt_text": prompt}
    result = [{"generated_text": prompt + " a lot of people"}]

    def forward(self, model_inputs, **_):
        return outputs

    def run_single(self, inputs, *_):
        self._forward(ids)
        return result

    TextGenerationPipeline._forward = forward
    TextGenerationPipeline.run_single = run_single

    def call():
        return generator(prompt, max_new_tokens=20)

    def rounds():
        return per_call_us(call, 1_000)

    rounds()
    base = rounds()
    respan = Respan(base_url=NOWHERE, instrumentations=[HuggingFaceInstrumentor()])
    rounds()
    traced = rounds()
    respan.shutdown(0)
    print(f"pipeline call, untraced     {base:8.1f} µs (model stubbed)")
    print(f"pipeline call, added        {traced - base:8.1f} µs")


with tempfile.TemporaryDirectory() as state:  # what is spooled here is not the user's to send
    os.environ["XDG_STATE_HOME"] = state
    main()
