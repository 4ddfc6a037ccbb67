"""The seed's generation with the packages of PyPI, for a customer in a conversation.

It reads RESPAN_API_KEY and RESPAN_BASE_URL, as upstream documents.
"""

from respan import Respan, propagate_attributes, workflow
from respan_instrumentation_huggingface import HuggingFaceInstrumentor
from transformers import pipeline

respan = Respan(
    app_name="compat",
    instrumentations=[HuggingFaceInstrumentor()],
    metadata={"service": "compat"},
    environment="staging",
)
generator = pipeline("text-generation", model="sshleifer/tiny-gpt2")


@workflow(name="huggingface_text_generation")
def run_generation():
    return generator("Tracing Hugging Face pipelines helps")


with propagate_attributes(customer_identifier="user_123", thread_identifier="conv_abc_123", metadata={"plan": "pro"}):
    print(run_generation()[0]["generated_text"])
respan.flush()
respan.shutdown()
