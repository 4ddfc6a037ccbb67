"""langfuse: its decorator, its OpenAI client, attributes of a whole trace, a generation made by hand."""

import os

os.environ.update(
    LANGFUSE_PUBLIC_KEY="pk-lf-capture",
    LANGFUSE_SECRET_KEY="sk-lf-capture",
    LANGFUSE_HOST=os.environ["CAPTURE_URL"],
    LANGFUSE_BASE_URL=os.environ["CAPTURE_URL"],
    LANGFUSE_TRACING_ENVIRONMENT="staging",
    LANGFUSE_RELEASE="1.2.3",
)

import calls
from langfuse import get_client, observe, propagate_attributes
from langfuse.openai import OpenAI

langfuse = get_client()


@observe(as_type="tool")
def look_up(city: str) -> dict[str, bool]:
    return {"rain": True}


@observe(as_type="agent")
def answer(question: str) -> str:
    with propagate_attributes(
        user_id="user-1", session_id="session-1", metadata={"plan": "pro"}, tags=["a", "b"], trace_name="weather"
    ):
        look_up("Bern")
        text = calls.all_calls(calls.client(OpenAI))
        with langfuse.start_as_current_observation(
            as_type="generation",
            name="by hand",
            model="claude-sonnet-4",
            input=calls.MESSAGES,
            model_parameters={"temperature": 0.5},
        ) as generation:
            generation.update(
                output={"role": "assistant", "content": "Rain."},
                usage_details={"input": 10, "output": 3, "cache_read_input_tokens": 4, "total": 17},
                cost_details={"input": 0.001, "output": 0.002, "total": 0.003},
                level="WARNING",
                status_message="half of it",
            )
        return text


answer("Weather in Bern?")
langfuse.flush()
