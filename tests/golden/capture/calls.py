"""The calls that every captured program makes, by OpenAI's own client: what differs is who watches."""

import os
from typing import Any

from openai import NotFoundError, OpenAI

TOOLS: Any = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "The weather in a city",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        },
    }
]
MESSAGES: Any = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Weather in Bern?"},
]


def client(make: Any = OpenAI) -> Any:
    return make(base_url=os.environ["CAPTURE_URL"] + "/v1", api_key="sk-capture", max_retries=0)


def chat(openai: Any, **more: Any) -> str:
    got = openai.chat.completions.create(model="gpt-4o", messages=MESSAGES, temperature=0.2, max_tokens=64, **more)
    return str(got.choices[0].message.content)


def stream(openai: Any, **more: Any) -> str:
    got = openai.chat.completions.create(
        model="gpt-4o",
        messages=MESSAGES,
        stream=True,
        stream_options={"include_usage": True},
        **more,
    )
    return "".join(chunk.choices[0].delta.content or "" for chunk in got if chunk.choices)


def tools(openai: Any, **more: Any) -> str:
    """One call that asks for a tool, one that has its answer."""
    first = openai.chat.completions.create(model="gpt-4o", messages=MESSAGES, tools=TOOLS, **more)
    call = first.choices[0].message.tool_calls[0]
    asked = {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {
                "id": call.id,
                "type": "function",
                "function": {
                    "name": call.function.name,
                    "arguments": call.function.arguments,
                },
            }
        ],
    }
    answered = {"role": "tool", "tool_call_id": call.id, "content": '{"rain":true}'}
    got = openai.chat.completions.create(model="gpt-4o", messages=[*MESSAGES, asked, answered], tools=TOOLS, **more)
    return str(got.choices[0].message.content)


def embed(openai: Any, **more: Any) -> int:
    got = openai.embeddings.create(model="text-embedding-3-small", input=["Bern", "rain"], **more)
    return len(got.data)


def fail(openai: Any, **more: Any) -> None:
    try:
        openai.chat.completions.create(model="no-such-model", messages=MESSAGES, **more)
    except NotFoundError:
        pass


def all_calls(openai: Any, **more: Any) -> str:
    answer = chat(openai, **more)
    stream(openai, **more)
    tools(openai, **more)
    embed(openai, **more)
    fail(openai, **more)
    return answer
