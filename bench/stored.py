"""Databases to measure in: definitions alone, or a market of years that is kept for later runs."""

from datetime import datetime

import numpy as np
import pandas as pd
import psycopg

from bench.bars import Shape, actions, observed_at, symbol
from bench.child import Child
from bench.race import Bench
from bench.server import Server
from include.insight_invest.sources.yahoo import HISTORY_TICKERS
from include.insight_invest.store.actions import load_actions
from include.insight_invest.store.database import Connection, connect
from include.insight_invest.store.load import LoadContext
from include.insight_invest.store.vintages import load_vintages

END = "2025-11-28"  # of what is stored at first: the daily case adds to it
PART_TICKERS = 500  # whose bars are made and loaded at once


def define(server: Server, name: str, tickers: int, *, ledger: bool = True) -> str:
    """A fresh database with ``tickers`` US tickers, ids from 1, and a ``ledger`` row to load in the name of."""
    url = server.fresh(name)
    with psycopg.connect(url) as connection:
        connection.execute(
            "insert into tb_meta (ticker, name, security_type, iso_code, market, history_loaded) "
            "select t, 'Ticker ' || t, 'STOCK', 'US', 'NASDAQ', false "
            "from unnest(%s::text[]) with ordinality as u (t, n) order by n",
            [[symbol(meta_id) for meta_id in range(1, tickers + 1)]],
        )
        if ledger:
            connection.execute(
                "insert into tb_job_run (job, status, trigger, version, as_of, started_at) "
                "values ('us-price', 'running', 'manual', 'bench', now(), now())"
            )
    return url


def market(bench: Bench) -> Shape:
    """The stored market as it is now, made where there is none of this size and schema."""
    server, sizes = bench.server, bench.sizes
    first = Shape(sizes.market_tickers, sizes.market_sessions, END)
    made_of = f"{first}, {sizes.long_tickers} × {sizes.ten_years}"
    made_of += f", macro {sizes.series} × {sizes.observations} × {sizes.revisions}"
    if not server.kept(bench.market, made_of):
        _make(bench, first)
        server.keep(bench.market, made_of)
    with psycopg.connect(server.url(bench.market)) as connection:
        row = connection.execute("select max(trade_date)::text from tb_bar where meta_id = 1").fetchone()
    assert row is not None
    return Shape(first.tickers, first.sessions, str(row[0]))


def _make(bench: Bench, shape: Shape) -> None:
    server, sizes = bench.server, bench.sizes
    url = define(server, bench.market, shape.tickers)
    with Child("ours", "first_load", url) as loader:
        for number, part in enumerate(_parts(bench, shape)):
            bench.tell(f"making the market: {number * PART_TICKERS:,} of {shape.tickers:,} tickers")
            loader.prepare(part)
            loader.go()
    with connect(url, application="bench") as connection:
        for number, part in enumerate(shape.batches(HISTORY_TICKERS)):
            if number % 20 == 0:
                bench.tell(f"making the market: dividends of {number * HISTORY_TICKERS:,} of {shape.tickers:,} tickers")
            mine = Shape(part.tickers, _sessions(bench, part), part.end, part.first_id)
            with connection.transaction():
                load_actions(connection, actions(mine), _context(mine), source="yahoo", currency="USD")
        for number in range(sizes.series):
            bench.tell(f"making the market: macro series {number + 1} of {sizes.series}")
            _make_series(bench, connection, number)
    bench.tell("making the market: vacuum")
    server.vacuum(bench.market)


def _parts(bench: Bench, shape: Shape) -> list[Shape]:
    """``shape`` in parts, the first tickers with ten years."""
    long = bench.sizes.long_tickers
    rest = Shape(shape.tickers - long, shape.sessions, shape.end, shape.first_id + long)
    return [Shape(long, bench.sizes.ten_years, shape.end), *rest.batches(PART_TICKERS)]


def _sessions(bench: Bench, part: Shape) -> int:
    return bench.sizes.ten_years if part.first_id <= bench.sizes.long_tickers else part.sessions


def _make_series(bench: Bench, connection: Connection, number: int) -> None:
    """A monthly series whose every observation is revised each month, as often as ``sizes`` says."""
    sizes = bench.sizes
    base = np.datetime64("1975-01", "M") + np.arange(sizes.observations)
    known = base[:, None] + np.arange(1, sizes.revisions + 1)[None, :]
    vintages = pd.DataFrame(
        {
            "base_date": np.repeat(base, sizes.revisions).astype("datetime64[ns]"),
            "realtime_start": known.ravel().astype("datetime64[ns]"),
            "value": 100.0 + number + np.arange(known.size) / 7,
        }
    )
    with connection.transaction():
        row = connection.execute(
            "insert into tb_macro (fred, description) values (%s, 'generated') returning macro_id", [f"SERIES{number}"]
        ).fetchone()
        assert row is not None
        context = LoadContext(1, datetime.fromisoformat(f"{END}T22:00+00:00"))
        load_vintages(connection, vintages, context, macro_id=int(str(row[0])), source="fred")


def _context(shape: Shape) -> LoadContext:
    return LoadContext(1, observed_at(shape).to_pydatetime())
