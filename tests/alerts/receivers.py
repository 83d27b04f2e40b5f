"""Who is told, in tests: a real HTTP server in Slack's place, and a real SMTP server."""

import json
import socketserver
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


class Webhook:
    """``url`` is the webhook's; ``texts`` what was posted there. The first ``refuse`` posts are answered with 503."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.texts: list[str] = []
        self.refuse = 0

    @property
    def subjects(self) -> list[str]:
        """The first lines, between asterisks."""
        return [text.split("*")[1] for text in self.texts]


@contextmanager
def webhook() -> Iterator[Webhook]:
    """Listen until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path != "/services/T000/B000/secret" or taken.refuse:
                taken.refuse -= 1
                self.send_error(503)
                return
            taken.texts.append(json.loads(body)["text"])
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        taken = Webhook(f"http://127.0.0.1:{server.server_port}/services/T000/B000/secret")
        with _serving(server):
            yield taken


@contextmanager
def mail_server() -> Iterator[tuple[int, list[str]]]:
    """A server that takes every mail: its port, and the mails, head and body."""
    mails: list[str] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.wfile.write(b"220 test\r\n")
            while line := self.rfile.readline():
                word = line.split()[0].upper() if line.split() else b""
                if word == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    mails.append("".join(part.decode() for part in iter(self.rfile.readline, b".\r\n")))
                self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
                if word == b"QUIT":
                    return

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server, _serving(server):
        yield server.server_address[1], mails


@contextmanager
def _serving(server: socketserver.BaseServer) -> Iterator[None]:
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
