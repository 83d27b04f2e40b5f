"""How much is measured."""

from dataclasses import dataclass

PEERS = ("to_sql", "execute_values", "sqlalchemy", "adbc", "dlt")


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Rows are tickers × sessions throughout."""

    rounds: int
    # a first load, of the fast and, in a part of it, of everybody
    load_tickers: int
    slice_tickers: int
    load_sessions: int
    # the market that is stored while a day is added, and read; the first ``long_tickers`` have ten years
    market_tickers: int
    market_sessions: int
    long_tickers: int
    ten_years: int = 2520
    # macro series, observations of each, and how often each was revised
    series: int
    observations: int
    revisions: int
    # whole runs of the updater: tickers × ten years
    updater_tickers: tuple[int, ...]
    job_tickers: int
    job_rounds: int
    peers: tuple[str, ...] = PEERS


FULL = Sizes(
    rounds=5,
    load_tickers=800,
    slice_tickers=40,
    load_sessions=2500,
    market_tickers=10_000,
    market_sessions=2000,
    long_tickers=200,
    series=15,
    observations=600,
    revisions=60,
    updater_tickers=(100, 1000, 10_000),
    job_tickers=500,
    job_rounds=5,
)
QUICK = Sizes(
    rounds=3,
    load_tickers=80,
    slice_tickers=4,
    load_sessions=2500,
    market_tickers=10_000,
    market_sessions=50,
    long_tickers=20,
    series=3,
    observations=300,
    revisions=20,
    updater_tickers=(50, 100),
    job_tickers=50,
    job_rounds=1,
)
