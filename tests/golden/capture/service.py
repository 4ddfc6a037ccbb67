"""What a traced program talks to while its payloads are captured: a model service in the shape of OpenAI's, and a sink for traces and logs.

Both are one HTTP server on a free port of 127.0.0.1. Whatever is posted to a path that ends in `/traces` or `/logs` is kept, decompressed, as it came; a JSON
body is told by its first byte. Answers are the same for the same request, so that a second capture differs from the first in ids and times alone.
"""

import gzip
import json
import threading
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

USAGE = {
    "prompt_tokens": 42,
    "completion_tokens": 17,
    "total_tokens": 59,
    "prompt_tokens_details": {"cached_tokens": 32, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 8, "audio_tokens": 0},
}
CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "get_weather", "arguments": '{"city":"Bern"}'},
}


def reply_to(request: dict[str, Any]) -> dict[str, Any]:
    """The assistant's message: a tool's call where tools are offered and none has answered."""
    said = request["messages"]
    if request.get("tools") and said[-1]["role"] != "tool":
        return {"role": "assistant", "content": None, "tool_calls": [CALL]}
    return {"role": "assistant", "content": "Rain ☔ in Bern."}


def completion(request: dict[str, Any]) -> dict[str, Any]:
    message = reply_to(request)
    reason = "tool_calls" if message.get("tool_calls") else "stop"
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1767225600,
        "model": request["model"] + "-2024-08-06",
        "choices": [{"index": 0, "message": message, "finish_reason": reason}],
        "usage": USAGE,
        "system_fingerprint": "fp_1",
    }


def chunks(request: dict[str, Any]) -> Iterator[dict[str, Any]]:
    whole = completion(request)
    head = {key: whole[key] for key in ("id", "created", "model", "system_fingerprint")}
    head["object"] = "chat.completion.chunk"
    message = whole["choices"][0]["message"]
    pieces: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    if message.get("tool_calls"):
        pieces.append({"tool_calls": [{"index": 0, **CALL}]})
    else:
        pieces += [{"content": word} for word in ("Rain ☔", " in", " Bern.")]
    for piece in pieces:
        yield {
            **head,
            "choices": [{"index": 0, "delta": piece, "finish_reason": None}],
            "usage": None,
        }
    yield {
        **head,
        "choices": [{**whole["choices"][0], "message": None, "delta": {}}],
        "usage": None,
    }
    yield {**head, "choices": [], "usage": USAGE}


def response(request: dict[str, Any]) -> dict[str, Any]:
    """OpenAI's /responses."""
    text = {"type": "output_text", "text": "Rain ☔ in Bern.", "annotations": []}
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1767225600,
        "status": "completed",
        "model": request["model"] + "-2024-08-06",
        "output": [
            {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "status": "completed",
                "content": [text],
            }
        ],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": request.get("tools", []),
        "usage": {
            "input_tokens": 42,
            "input_tokens_details": {"cached_tokens": 32},
            "output_tokens": 17,
            "output_tokens_details": {"reasoning_tokens": 8},
            "total_tokens": 59,
        },
    }


def embeddings(request: dict[str, Any]) -> dict[str, Any]:
    inputs = request["input"] if isinstance(request["input"], list) else [request["input"]]
    return {
        "object": "list",
        "model": request["model"],
        "data": [{"object": "embedding", "index": i, "embedding": [0.5, -0.25, 0.125]} for i in range(len(inputs))],
        "usage": {"prompt_tokens": 6, "total_tokens": 6},
    }


class Handler(BaseHTTPRequestHandler):
    server: "Service"
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            body = b"".join(parts)
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        coding = self.headers.get("Content-Encoding")
        return gzip.decompress(body) if coding == "gzip" else zlib.decompress(body) if coding == "deflate" else body

    def answer(self, status: int, value: object) -> None:
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def stream(self, request: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        for chunk in chunks(request):
            self.wfile.write(b"data: " + json.dumps(chunk).encode() + b"\n\n")
            self.wfile.flush()
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def do_GET(self) -> None:
        # langfuse asks whose project a key is
        self.answer(
            200,
            {
                "data": [{"id": "p", "name": "capture", "metadata": {}}],
                "status": "OK",
                "version": "3",
            },
        )

    def do_POST(self) -> None:
        body = self.body()
        path = self.path.split("?")[0].rstrip("/")
        if path.endswith(("/traces", "/logs")):
            self.server.keep(path, dict(self.headers), body)
            self.answer(200, {"partialSuccess": {}})
        elif path.endswith(("/chat/completions", "/embeddings", "/responses")):
            self.model(path, json.loads(body))
        else:
            self.answer(200, {})

    def model(self, path: str, request: dict[str, Any]) -> None:
        if request["model"] == "no-such-model":
            error = {
                "message": "The model `no-such-model` does not exist",
                "type": "invalid_request_error",
                "param": "model",
                "code": "model_not_found",
            }
            self.answer(404, {"error": error})
        elif path.endswith("/embeddings"):
            self.answer(200, embeddings(request))
        elif path.endswith("/responses"):
            self.answer(200, response(request))
        elif request.get("stream"):
            self.stream(request)
        else:
            self.answer(200, completion(request))


class Service(ThreadingHTTPServer):
    """Serves until closed; `bodies` has what came of traces, `logs` of logs, in order."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.bodies: list[bytes] = []
        self.logs: list[bytes] = []
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def keep(self, path: str, headers: dict[str, str], body: bytes) -> None:
        with self.lock:
            (self.logs if path.endswith("/logs") else self.bodies).append(body)
            self.requests.append((path, headers))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"
