"""A proxy on loopback between a run and its database, which cuts connections where a test wants it."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

ANSWER_SECONDS = 10
# What a client is about to send: how many bytes of it pass before the cut; None where it is not cut there.
Cut = Callable[[bytes], int | None]


@dataclass
class Rule:
    """Where the next connections that send it are cut, ``times`` of them.

    ``answered``: what was sent is done by the server, and only its answer is lost. ``half``: the server is not told; it
    keeps session, locks and lease, as if the client's machine had lost its power.
    """

    cut: Cut
    answered: bool = False
    half: bool = False
    times: int = 1


class Proxy:
    """Listens at ``url``, which is otherwise that of the database behind it."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname
        assert parts.port
        self._behind = (parts.hostname, parts.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        port = self._listener.getsockname()[1]
        self.url = parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{port}").geturl()
        self.rule: Rule | None = None
        self.connections = 0
        self.cuts = 0
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop listening, and end what is open."""
        for one in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.connections += 1
                try:
                    server = socket.create_connection(self._behind)
                except OSError:
                    client.close()
                    continue
                self._open += [client, server]
                muted, heard = threading.Event(), threading.Event()
                threading.Thread(target=_answer, args=(server, client, muted, heard), daemon=True).start()
                threading.Thread(target=self._ask, args=(client, server, muted, heard), daemon=True).start()

    def _ask(
        self, client: socket.socket, server: socket.socket, muted: threading.Event, heard: threading.Event
    ) -> None:
        """Pass on what the client sends, until the rule cuts it."""
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                rule = self.rule
                passing = rule.cut(data) if rule else None
                if rule is None or passing is None:
                    server.sendall(data)
                    continue
                rule.times -= 1
                self.rule = rule if rule.times else None
                self.cuts += 1
                if rule.answered:
                    muted.set()
                server.sendall(data[:passing])
                if rule.answered:
                    heard.wait(ANSWER_SECONDS)
                _reset(client)
                if rule.half:
                    return
                break
            server.shutdown(socket.SHUT_RDWR)


def _answer(server: socket.socket, client: socket.socket, muted: threading.Event, heard: threading.Event) -> None:
    """Pass on what the server says, until nobody is to hear it."""
    with contextlib.suppress(OSError):
        while data := server.recv(65536):
            if muted.is_set():
                heard.set()
            else:
                client.sendall(data)
        client.shutdown(socket.SHUT_RDWR)


def _reset(client: socket.socket) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.shutdown(socket.SHUT_RD)
    client.close()


def after(pattern: bytes) -> Cut:
    """Just behind the next ``pattern``."""

    def cut(data: bytes) -> int | None:
        place = data.find(pattern)
        return None if place < 0 else place + len(pattern)

    return cut


def behind(pattern: bytes) -> Cut:
    """Behind the next message with ``pattern`` in it."""
    return lambda data: len(data) if pattern in data else None


def after_bytes(number: int) -> Cut:
    """After ``number`` more bytes."""
    left = number

    def cut(data: bytes) -> int | None:
        nonlocal left
        if len(data) < left:
            left -= len(data)
            return None
        return left

    return cut


@contextlib.contextmanager
def proxied(url: str) -> Iterator[Proxy]:
    """A proxy before the database of ``url``."""
    proxy = Proxy(url)
    try:
        yield proxy
    finally:
        proxy.close()
