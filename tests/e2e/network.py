"""Between a client and a server: TLS in front of it, a proxy on the way, and certificates for both."""

import contextlib
import select
import socket
import ssl
import subprocess
import threading
from pathlib import Path


class Relay:
    """Accepts on a free port of 127.0.0.1 and hands each connection to `serve(socket)` on a thread of its own."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):  # closed
            while True:
                threading.Thread(target=self._run, args=(self.listener.accept()[0],), daemon=True).start()

    def _run(self, client):
        with client, contextlib.suppress(OSError):  # a side that went away, or failed its handshake
            self.serve(client)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def pump(a, b):
    """Bytes both ways until one side has no more."""
    other = {a: b, b: a}
    while True:
        ready = [s for s in other if isinstance(s, ssl.SSLSocket) and s.pending()]
        for s in ready or select.select(list(other), [], [], 30)[0]:
            piece = s.recv(65536)
            if not piece:
                return
            other[s].sendall(piece)


class TlsFront(Relay):
    """Speaks TLS and passes what is inside to a plain port. `ca` given: clients must have a certificate of it."""

    def __init__(self, target_port: int, certificate: Path, key: Path, ca: Path | None = None):
        self.target_port = target_port
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)
        if ca:
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(ca)
        super().__init__()

    def serve(self, client):
        with self.context.wrap_socket(client, server_side=True) as inside:
            with socket.create_connection(("127.0.0.1", self.target_port)) as target:
                pump(inside, target)


class Proxy(Relay):
    """An HTTP proxy to which every name is 127.0.0.1. `asked` is the first line of each connection's first request."""

    def __init__(self):
        self.asked: list[str] = []
        super().__init__()

    def serve(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            piece = client.recv(65536)
            if not piece:
                return
            head += piece
        method, address, rest = head.split(b" ", 2)
        self.asked.append(f"{method.decode()} {address.decode()}")
        if method == b"CONNECT":
            with socket.create_connection(("127.0.0.1", int(address.rpartition(b":")[2]))) as target:
                client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
                pump(client, target)
            return
        host, _, path = address.removeprefix(b"http://").partition(b"/")
        with socket.create_connection(("127.0.0.1", int(host.rpartition(b":")[2]))) as target:
            target.sendall(method + b" /" + path + b" " + rest)
            pump(client, target)


class Certificates:
    """A CA of its own in a folder, and what it signs: pairs of PEM files (certificate, key)."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.ca, self.ca_key = folder / "ca.pem", folder / "ca.key"
        self._openssl(
            "req", "-x509", "-subj", "/CN=Test CA", "-days", "2", *self._new_key(self.ca_key), "-out", self.ca
        )

    def issue(self, name: str, *alternatives: str) -> tuple[Path, Path]:
        certificate, key, request, extensions = (self.folder / f"{name}.{end}" for end in ("pem", "key", "csr", "ext"))
        extensions.write_text(f"subjectAltName={','.join(alternatives)}\n" if alternatives else "")
        self._openssl("req", "-subj", f"/CN={name}", *self._new_key(key), "-out", request)
        signer = ("-CA", self.ca, "-CAkey", self.ca_key, "-CAcreateserial", "-days", "2")
        self._openssl("x509", "-req", "-in", request, *signer, "-extfile", extensions, "-out", certificate)
        return certificate, key

    def lock(self, key: Path) -> Path:
        """The same key, encrypted with a password."""
        locked = key.with_suffix(".locked")
        self._openssl("pkey", "-in", key, "-aes256", "-passout", "pass:secret", "-out", locked)
        return locked

    def _new_key(self, path: Path):
        return "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-keyout", path

    def _openssl(self, *arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
