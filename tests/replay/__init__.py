"""The outside world on one machine: Yahoo, Naver, the KRX cache, FRED and the listing files, from recorded data.

One local process is an HTTP proxy that answers CONNECT itself, terminates TLS with its own private CA and answers each
request from data folders, as the source would have answered at the server's clock. Code under test is unchanged: only
environment variables point it here (``Replay.env``).

    with Replay([Path("data")], now=datetime(2026, 3, 19, 21, tzinfo=UTC)) as replay:
        os.environ.update(replay.env)      # before anything imports curl_cffi (yfinance)

or, as a process: ``python -m tests.replay --data data --port 8899 --now 2026-03-19T21:00:00+00:00``.
"""

from tests.replay.faults import Fault
from tests.replay.world import Replay

__all__ = ["Fault", "Replay"]
