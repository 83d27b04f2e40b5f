"""The transport: an HTTP/1.1 proxy that answers CONNECT itself and terminates TLS. It knows nothing of sources."""

import contextlib
import logging
import select
import socket
import socketserver
import ssl
import threading
import time
import traceback
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import override
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.replay.certificates import is_known
from tests.replay.messages import Answer, Delivery, Request

IDLE_SECONDS = 60.0  # a kept-alive connection with no request for that long is closed
HOLD_SECONDS = 35.0  # longer than any client's time-out here: the product's is 30 s, yfinance's own 10 s
LOG = logging.getLogger(__name__)


class ProxyServer(socketserver.ThreadingMixIn, socketserver.TCPServer):
    """Listens on 127.0.0.1, one thread a connection; ``stop`` ends every one of them."""

    allow_reuse_address = True
    daemon_threads = True  # a test run that dies must not wait for a client
    request_queue_size = 128

    def __init__(self, port: int, context: ssl.SSLContext, answer: Callable[[Request], Answer]) -> None:
        self.context = context
        self.answer = answer
        self.stopping = threading.Event()
        self._open: dict[threading.Thread, socket.socket] = {}
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", port), _Handler)
        self._listener = threading.Thread(target=self.serve_forever, args=(0.05,), name="replay", daemon=True)

    @property
    def port(self) -> int:
        """The port that was bound."""
        return int(self.server_address[1])

    def start(self) -> None:
        """Serve on a thread of this process."""
        self._listener.start()

    def stop(self) -> None:
        """Close the listener and every connection, and wait for their threads."""
        self.stopping.set()
        self.shutdown()
        self._listener.join()
        self.server_close()
        with self._lock:
            threads = dict(self._open)
        for thread, connection in threads.items():
            with contextlib.suppress(OSError):  # it closed by itself meanwhile
                # not SSLSocket.shutdown, which would take the TLS state away under the reading thread
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
            thread.join(5)

    def using(self, connection: socket.socket | None) -> None:
        """Remember which socket this thread serves, so that ``stop`` can close it; None forgets the thread."""
        with self._lock:
            if connection is None:
                self._open.pop(threading.current_thread(), None)
            else:
                self._open[threading.current_thread()] = connection


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "replay"
    sys_version = ""
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True
    server: ProxyServer
    connection: socket.socket
    tunnel = ""  # the host of the TLS tunnel this connection became

    @override
    def setup(self) -> None:
        super().setup()
        self.server.using(self.connection)

    @override
    def handle(self) -> None:
        with contextlib.suppress(OSError):  # a client that goes away, or does not trust the CA, is its own affair
            super().handle()

    @override
    def finish(self) -> None:
        with contextlib.suppress(OSError):
            super().finish()
        self.server.using(None)
        self.connection.close()

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Nothing: a FRED key travels in the URL."""

    def do_CONNECT(self) -> None:
        host = self.path.rpartition(":")[0].lower()
        if not is_known(host):
            self._send(Answer.text(f"{host} is not replayed\n", status=502))
            self.close_connection = True
            return
        self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self.wfile.flush()
        self.rfile.close()
        tls = self.server.context.wrap_socket(self.connection, server_side=True, do_handshake_on_connect=False)
        self.connection = tls
        self.server.using(tls)  # before the handshake: a client may never finish it
        tls.do_handshake()
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb")
        self.tunnel = host
        self.close_connection = False

    def do_GET(self) -> None:
        request = self._request()
        try:
            answer = self.server.answer(request)
        except Exception:  # a bug in the stand-in must be seen by who asked, not end the connection
            LOG.exception("replay could not answer %s%s", request.host, request.path)
            answer = Answer.text(traceback.format_exc(), status=500)
        self._send(answer)

    do_POST = do_HEAD = do_DELETE = do_GET  # noqa: N815

    def _request(self) -> Request:
        url = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        return Request(
            method=self.command,
            host=(self.tunnel or url.hostname or "").lower(),
            path=unquote(url.path),
            query=dict(parse_qsl(url.query, keep_blank_values=True)),
            target=url.path + (f"?{url.query}" if url.query else ""),
            body=self.rfile.read(length) if length else b"",
        )

    def _send(self, answer: Answer) -> None:
        if answer.delivery is Delivery.HOLD:
            self._hold()
            return
        head = [
            f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}",
            f"Content-Type: {answer.content_type}",
            f"Content-Length: {len(answer.body)}",
            *(f"{name}: {value}" for name, value in answer.headers.items()),
        ]
        body = b"" if self.command == "HEAD" else answer.body
        if answer.delivery is Delivery.DROP:
            body = body[: len(body) // 2]
            self.close_connection = True
        if self.close_connection:
            head.append("Connection: close")
        self.wfile.write("\r\n".join([*head, "", ""]).encode("latin-1") + body)
        self.wfile.flush()

    def _hold(self) -> None:
        """Say nothing until the client hangs up, the server stops, or HOLD_SECONDS have passed."""
        self.close_connection = True
        until = time.monotonic() + HOLD_SECONDS
        while time.monotonic() < until and not self.server.stopping.wait(0.05):
            if select.select([self.connection], [], [], 0)[0]:
                return
