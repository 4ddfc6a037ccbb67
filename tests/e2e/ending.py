"""The server as one sees it who listens to the live feed only until it is ready: an answer without an end has one here."""

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def forward(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("connection", "transfer-encoding")}
        there = http.client.HTTPConnection(self.server.to.host, self.server.to.port, timeout=20)
        try:
            there.request(self.command, self.path, body or None, headers)
            answer = there.getresponse()
            endless = self.command != "HEAD" and answer.headers.get_content_type() == "text/event-stream"
            said = self.until_ready(answer) if endless else answer.read()
        finally:
            there.close()
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in ("connection", "transfer-encoding", "content-length"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(said)

    @staticmethod
    def until_ready(answer) -> bytes:
        said = b""
        while b"event: ready\n" not in said:
            piece = answer.read1(1 << 16)
            assert piece, "it ended before it was ready"
            said += piece
        return said

    def __getattr__(self, name):
        if name.startswith("do_"):  # any method
            return self.forward
        raise AttributeError(name)


class Ending:
    """with Ending(server) as url."""

    def __init__(self, server):
        self.here = ThreadingHTTPServer((server.host, 0), Handler)
        self.here.to = server

    def __enter__(self) -> str:
        threading.Thread(target=self.here.serve_forever, daemon=True).start()
        return f"http://{self.here.server_address[0]}:{self.here.server_address[1]}"

    def __exit__(self, *_):
        self.here.shutdown()
        self.here.server_close()
