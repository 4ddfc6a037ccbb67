"""A program with a canary in every place that content can come from. It writes nothing itself; at each step it looks for the canary
in the spool's files, with spans open and ended, and says where one was: `LEAK step`."""

import asyncio
import glob
import logging
import os
import sys

CANARY = "canary-7f3a-tweets"
INNER = "canary-7f3a-inside"  # in causes, notes and replies


def look(step: str) -> None:
    for path in glob.glob(os.environ["XDG_STATE_HOME"] + "/respan/spool/*"):
        with open(path, "rb") as file:
            if b"canary-7f3a" in file.read():
                print("LEAK", step)


def decorated() -> None:
    from respan import agent, get_client, task, tool, workflow

    class Thing:
        def __str__(self) -> str:
            return CANARY

        __repr__ = __str__

    @tool(name="t")
    def raises(argument: str, *, keyword: object) -> None:
        look("inside")
        try:
            raise KeyError(INNER)
        except KeyError as cause:
            error = ValueError(argument)
            if hasattr(error, "add_note"):
                error.add_note(INNER)
            raise error from cause

    @task(name="g")
    def items():
        yield CANARY
        look("generator")
        yield {"x": [CANARY]}

    @agent(name="a")
    async def later(text: str) -> str:
        look("coroutine")
        await asyncio.sleep(0)
        return text

    @workflow(name="w")
    def run(text: str, thing: object) -> dict:
        list(items())
        asyncio.run(later(text))
        try:
            raises(text, keyword=thing)
        except ValueError as error:
            get_client().record_exception(error, {"exception.message": CANARY})
        get_client().update_current_span(
            attributes={"gen_ai.prompt.0.content": CANARY, "input.value": CANARY},
            status="ERROR",
            status_description=CANARY,
        )
        get_client().add_event("gen_ai.content.prompt", {"gen_ai.prompt": CANARY})
        span = get_client().get_current_span()
        span.set_status("ERROR", CANARY)
        span.set_attribute("gen_ai.input.messages", [CANARY])
        look("workflow")
        return {CANARY: CANARY}

    run(CANARY, Thing())
    look("ended")


def pipelines() -> None:
    from threading import Thread

    from transformers import TextIteratorStreamer, pipeline

    made = pipeline("text-generation", model="sshleifer/tiny-gpt2", do_sample=False)
    made.tokenizer.pad_token = made.tokenizer.eos_token
    made.tokenizer.chat_template = "{% for m in messages %}{{ m.content }}{% endfor %}"
    limits = {"max_new_tokens": 2}
    made(CANARY, **limits)
    made([CANARY, CANARY], batch_size=2, stop_strings=[CANARY], tokenizer=made.tokenizer, **limits)
    made([{"role": "user", "content": CANARY}], **limits)
    list(made(text for text in [CANARY]))
    streamer = TextIteratorStreamer(made.tokenizer, timeout=20)
    thread = Thread(target=made, args=(CANARY,), kwargs={"streamer": streamer, **limits})
    thread.start()
    list(streamer)
    thread.join()
    for wrong in (object(), {CANARY: CANARY}):
        try:
            made(wrong)
        except Exception:
            pass
    try:
        made(CANARY, unknown_keyword=CANARY, **limits)
    except Exception:
        pass
    inputs = made.tokenizer(CANARY, return_tensors="pt")
    made.model.generate(**inputs, **limits)
    try:
        made.model.generate(**inputs, unknown_keyword=CANARY)
    except Exception:
        pass
    look("pipelines")


def inference() -> None:
    import huggingface_hub.constants
    from huggingface_hub import AsyncInferenceClient, InferenceClient
    from inference_server import TOOL_CALL, InferenceServer, chat_piece, chat_reply

    huggingface_hub.constants.HF_HUB_OFFLINE = False
    server = InferenceServer()
    call = {**TOOL_CALL, "function": {"name": "f", "arguments": CANARY}}
    tools = [{"type": "function", "function": {"name": "f", "description": CANARY, "parameters": {CANARY: 1}}}]
    messages = [
        {"role": "user", "content": [{"type": "text", "text": CANARY}]},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": CANARY},
    ]
    given = {"model": "m", "tools": tools, "stop": [CANARY], "tool_prompt": CANARY, "extra_body": {"x": CANARY}}
    pieces = [chat_piece({"content": CANARY}), chat_piece({"tool_calls": [{"index": 0, **call}]})]
    client = InferenceClient(base_url=server.url + "/v1", api_key="x")
    server.will(chat_reply(INNER, tool_calls=[call]))
    client.chat_completion(messages, **given)
    server.will([*pieces, "[DONE]"])
    for _ in client.chat_completion(messages, stream=True, **given):
        look("stream")
    server.will([*pieces, {"error": INNER, "error_type": "generation"}])
    server.will({"error": INNER}, status=422)
    for stream in (True, False):
        try:
            list(client.chat_completion(messages, stream=stream, **given))
        except Exception:
            look("error")
    plain = InferenceClient(model=server.url)
    server.will({"generated_text": INNER})
    plain.text_generation(CANARY, stop=[CANARY])
    server.will({"answer": INNER, "score": 1, "start": 0, "end": 1})
    plain.question_answering(question=CANARY, context=CANARY)
    server.will(b"\x89PNG" + INNER.encode())
    try:
        plain.text_to_image(CANARY, negative_prompt=CANARY, seed=1)
    except Exception:
        pass

    async def ask() -> None:
        client = AsyncInferenceClient(base_url=server.url + "/v1", api_key="x")
        server.will([*pieces, "[DONE]"])
        async for _ in await client.chat_completion(messages, stream=True, **given):
            look("async stream")
        await client.close()

    asyncio.run(ask())
    server.close()
    look("inference")


def main() -> None:
    logging.basicConfig(level=logging.WARNING)
    logging.getLogger("respan").setLevel(logging.DEBUG)
    from respan import Respan
    from respan_instrumentation_huggingface import HuggingFaceInstrumentor

    options = {"capture_content": False} if "plugin" in sys.argv else {}
    respan = Respan(instrumentations=[HuggingFaceInstrumentor(**options)])
    decorated()
    if "pipelines" in sys.argv:
        pipelines()
    inference()
    assert respan.flush()
    look("flushed")


if __name__ == "__main__":
    main()
