"""A server that speaks what inference servers speak: chat completions, TGI's generate, embeddings; whole and as events."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
TOOL_CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Bern"}'}}


def chat_reply(content: Any = "It rains.", **message: Any) -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": content, **message}}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "served/model-1",
        "system_fingerprint": "fp",
        "choices": [choice],
        "usage": USAGE,
    }


def chat_piece(delta: dict[str, Any], finish_reason: str | None = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": {"role": "assistant", **delta}, "finish_reason": finish_reason}
    return {"id": "chatcmpl-1", "created": 1, "model": "served/model-1", "choices": [choice], **more}


class InferenceServer:
    """Answers each request by `answer(path, body)`: (status, reply), where a list is sent as events, an Exception among them
    cuts the connection, and a number is a pause in seconds."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.answers: list[tuple[int, Any]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"] or 0))
                is_json = "json" in (self.headers["Content-Type"] or "")
                server.requests.append({"path": self.path, "body": json.loads(body) if is_json else body})
                status, reply = server.answers.pop(0)
                self.send_response(status)
                if isinstance(reply, list):
                    self.send_header("Content-Type", "text/event-stream")
                    self.end_headers()
                    self._send_events(reply)
                    return
                data = reply if isinstance(reply, bytes) else json.dumps(reply).encode()
                self.send_header("Content-Type", "image/png" if isinstance(reply, bytes) else "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def _send_events(self, pieces: list[Any]) -> None:
                for piece in pieces:
                    if isinstance(piece, float):
                        time.sleep(piece)
                        continue
                    text = piece if isinstance(piece, str) else json.dumps(piece)
                    try:
                        self.wfile.write(f"data: {text}\n\n".encode())
                        self.wfile.flush()
                    except OSError:  # the client went away
                        return

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def will(self, reply: Any, status: int = 200) -> None:
        """What the next request is answered."""
        self.answers.append((status, reply))

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
