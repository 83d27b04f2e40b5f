"""The stand-in itself: a clock, data folders, counts and faults behind one proxy."""

import json
import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.replay import certificates, fred, krx, listings, naver, yahoo
from tests.replay.data import Library
from tests.replay.faults import Fault, FaultPlan, Source, spoil
from tests.replay.messages import JSON, Answer, Request
from tests.replay.server import ProxyServer

_CONTROL = "/__replay__/"
_HOSTS = {
    "fchart.stock.naver.com": Source.NAVER,
    "data.krx.co.kr": Source.KRX,
    "api.stlouisfed.org": Source.FRED,
    "fred.stlouisfed.org": Source.FRED,
}
_RAW = "raw.githubusercontent.com"
_OURSELVES = ("", "127.0.0.1", "localhost")

type Mutate = Callable[[Source, Request, Answer], Answer]


class Replay:
    """Serves ``data`` (folders laid out alike, the first preferred) as of ``now``, on 127.0.0.1 until stopped.

    A context manager, or ``start`` and ``stop``. Everything but the port may change while it serves.
    """

    def __init__(self, data: Sequence[Path], now: datetime, port: int = 0) -> None:
        self.counts: Counter[str] = Counter()
        self.arrivals: list[tuple[str, float]] = []  # (source, monotonic clock) of each request, in their order
        self._faults = FaultPlan()
        self._mutate: Mutate | None = None
        self._lock = threading.Lock()
        self.load(*data)
        self.move_clock(now)
        self._folder = Path(tempfile.mkdtemp(prefix="replay-"))
        context, self._ca_file = certificates.create(self._folder)
        try:
            self._server = ProxyServer(port, context, self._answer)
        except OSError:  # the port is taken
            shutil.rmtree(self._folder)
            raise

    @property
    def port(self) -> int:
        """The port of 127.0.0.1 that the proxy listens on."""
        return self._server.port

    @property
    def env(self) -> dict[str, str]:
        """What a process must have in its environment, before it imports curl_cffi, to see this world and no other.

        This machine itself is not proxied: the sources are elsewhere, and Airflow's own components talk to each other.
        """
        proxy = f"http://127.0.0.1:{self.port}"
        trusted = dict.fromkeys(("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE"), str(self._ca_file))
        direct = dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost")
        return dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), proxy) | direct | trusted

    @property
    def now(self) -> datetime:
        """The server's clock."""
        return self._now

    def start(self) -> Self:
        """Begin to serve, on threads of this process."""
        self._server.start()
        return self

    def stop(self) -> None:
        """Close every connection and remove the CA."""
        self._server.stop()
        shutil.rmtree(self._folder)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def move_clock(self, now: datetime) -> None:
        """Set the clock; nothing later than ``now`` (aware) is served. Raises ValueError for a naive ``now``."""
        if now.tzinfo is None:
            raise ValueError(f"the replay's clock needs a time zone: {now}")
        self._now = now.astimezone(UTC)

    def load(self, *folders: Path) -> None:
        """Serve these folders from now on, and no others. Raises FileNotFoundError for one that is not there."""
        for folder in folders:
            if not folder.is_dir():
                raise FileNotFoundError(folder)
        self.serve(Library(folders))

    def serve(self, library: Library) -> None:
        """Serve this library from now on: one that makes its recordings, perhaps."""
        self._library = library

    def reset(self) -> None:
        """Forget counts, faults and the mutation; clock and folders stay."""
        self._faults.clear()
        self.mutate(None)
        with self._lock:
            self.counts.clear()
            self.arrivals.clear()

    def fault(self, kind: Fault | str, *, source: str | None = None, match: str = "", times: int | None = None) -> None:
        """Let the next ``times`` requests (None: all) meet ``kind``.

        ``source`` is a key of ``counts`` (None: any) and ``match`` a part of host, path and query; without a ``match``,
        Yahoo's cookie and crumb are spared. Raises ValueError for an unknown kind or source.
        """
        self._faults.add(Fault(kind), None if source is None else Source(source), match, times)

    def mutate(self, function: Mutate | None) -> None:
        """Let ``function(source, request, answer)`` say what is sent instead of each answer; None sends the answers.

        It is called on the threads of the connections, in no order.
        """
        self._mutate = function

    def _answer(self, request: Request) -> Answer:
        if request.host in _OURSELVES:
            return self._control(request)
        source = _source(request)
        with self._lock:
            self.counts[source.value] += 1
            self.arrivals.append((source.value, time.monotonic()))
        fault = self._faults.take(source, request)
        answer = self._from_source(source, request, fault)
        if fault is not None:
            answer = spoil(answer, fault, source)
        return answer if self._mutate is None else self._mutate(source, request, answer)

    def _from_source(self, source: Source, request: Request, fault: Fault | None) -> Answer:
        library, now = self._library, self._now
        match source:
            case Source.YAHOO:
                return yahoo.respond(library, now, request, fault)
            case Source.NAVER:
                return naver.respond(library, now, request)
            case Source.KRX if request.host == _RAW:
                return krx.respond_cache(library, now, request)
            case Source.KRX:
                return krx.respond(library, now, request)
            case Source.FRED:
                return fred.respond(library, now, request)
            case Source.LISTING:
                return listings.respond(library, now, request)
            case Source.OTHER:
                return Answer.text(f"{request.host} is not replayed\n", status=502)

    def _control(self, request: Request) -> Answer:
        """GET health, GET counts, POST clock {"now"}, POST faults {"kind", "source", "match", "times"}, POST reset."""
        asked = (request.method, request.path.removeprefix(_CONTROL))
        try:
            given = json.loads(request.body or b"{}")
            match asked:
                case ("GET", "health"):
                    return _json({"status": "ok", "now": self._now.isoformat()})
                case ("GET", "counts"):
                    with self._lock:
                        return _json(dict(self.counts))
                case ("POST", "clock"):
                    self.move_clock(datetime.fromisoformat(given["now"]))
                case ("POST", "faults"):
                    self.fault(**given)
                case ("POST", "reset"):
                    self.reset()
                case _:
                    return _json({"error": f"no {request.method} {request.path}"}, 404)
        except (KeyError, TypeError, ValueError) as problem:
            return _json({"error": str(problem)}, 400)
        return _json({"status": "ok"})


def _json(answer: dict[str, object] | dict[str, int] | dict[str, str], status: int = 200) -> Answer:
    return Answer.text(json.dumps(answer), JSON, status)


def _source(request: Request) -> Source:
    if request.host.endswith("yahoo.com"):
        return Source.YAHOO
    if request.host == _RAW:
        if request.path.startswith(krx.CACHE):
            return Source.KRX
        return Source.LISTING if request.path.startswith(listings.REPOSITORY) else Source.OTHER
    return _HOSTS.get(request.host, Source.OTHER)
