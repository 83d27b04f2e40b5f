"""Any order of runs, repeats, gaps, corrections and actions ends in the same database: the one that the model says.

Whole jobs, with yfinance, against a source that answers as the model says; the longer campaign is
``HYPOTHESIS_PROFILE=campaign pytest tests/model/test_any_order.py``.
"""

import os
from datetime import date, datetime, timedelta
from typing import LiteralString

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from psycopg.sql import SQL, Identifier, Literal

from include.insight_invest.jobs import JOBS
from include.insight_invest.report import Report
from include.insight_invest.runner import RunOptions, run
from include.insight_invest.store.database import Connection
from include.insight_invest.store.ledger import broken_invariants
from tests.fixtures.market import Market
from tests.model.world import DAYS, LAST, Order, Share, orders, shares
from tests.replay import Fault

TICKERS = ("ACME", "BOLT")
_TABLES: LiteralString = """
    select relname from pg_class
    where relkind = 'r' and relnamespace = 'public'::regnamespace and relname <> 'insight_schema_version'
"""
CAMPAIGN = os.environ.get("HYPOTHESIS_PROFILE") == "campaign"

settings.register_profile(
    "model",
    max_examples=1_500 if CAMPAIGN else 30,
    derandomize=not CAMPAIGN,
    deadline=None,
    database=None,
    # a run of a whole job takes too long to shrink in CI: a failing history is short enough to read
    phases=[Phase.explicit, Phase.generate] + [Phase.shrink] * CAMPAIGN,
    suppress_health_check=list(HealthCheck),
)


class World:
    """The market of the model behind the replay, and an empty database."""

    def __init__(self, market: Market, connection: Connection, model: dict[str, Share]) -> None:
        self.market = market
        self.model = model
        tables = [str(row[0]) for row in connection.execute(_TABLES)]
        connection.execute(SQL("truncate {} restart identity cascade").format(SQL(", ").join(map(Identifier, tables))))
        rows = SQL("select {}, md5(string_agg(t::text, ' ' order by t::text)) from {} as t")
        self._connection = connection
        self._everything = SQL(" union all ").join(
            rows.format(Literal(name), Identifier(name)) for name in tables if name != "tb_job_run"
        )
        market.follow(*TICKERS)

    def run(self, order: Order) -> Report:
        """One run on the evening of ``order``."""
        for ticker, share in self.model.items():
            share.write(self.market.folder, ticker, order.evening)
        self.market.replay.load(self.market.folder)
        self.market.replay.reset()
        self.market.replay.move_clock(evening_of(order.evening))
        for ticker in order.without:
            self.market.replay.fault(Fault.EMPTY, match=f"/chart/{ticker}")
        is_range = order.kind == "range"
        options = RunOptions(
            as_of=evening_of(order.session),
            full_refresh=order.kind == "full",
            start=date.fromisoformat(DAYS[order.start]) if is_range else None,
            end=date.fromisoformat(DAYS[order.session]) if is_range else None,
        )
        return run(JOBS["us-price"], options, self.market.settings())

    def everything(self) -> dict[object, object]:
        """What every table but the ledger holds, one word a table."""
        return dict(self._connection.execute(self._everything).fetchall())  # type: ignore[arg-type]

    def prices(self, ticker: str) -> list[tuple[object, ...]]:
        return self.market.rows(
            "select trade_date::text, open, high, low, close, volume, adj_close "
            "from tb_price join tb_meta using (meta_id) where ticker = %s order by 1",
            ticker,
        )

    def actions(self, ticker: str) -> dict[tuple[str, str], float]:
        """As the model's: amounts in the shares of the last session."""
        rows = self.market.rows(
            """
            select a.ex_date::text, a.kind, a.value / case when a.kind = 'split' then 1 else (
                select insight_product(s.value) from tb_action as s
                where s.meta_id = a.meta_id and s.kind = 'split' and s.ex_date > a.basis_date) end
            from tb_action as a join tb_meta using (meta_id) where ticker = %s
            """,
            ticker,
        )
        return {(day, kind): value for day, kind, value in rows}

    def assert_is_the_models(self) -> None:
        for ticker, share in self.model.items():
            stored, expected = self.prices(ticker), share.prices()
            assert [row[0] for row in stored] == [row[0] for row in expected]
            for day, (mine, theirs) in enumerate(zip(stored, expected, strict=True)):
                assert mine[5] == pytest.approx(theirs[5], abs=share.volume_slack(day)), (ticker, theirs)
                assert (*mine[1:5], mine[6]) == pytest.approx((*theirs[1:5], theirs[6]), rel=1e-5), (ticker, theirs)
            assert self.actions(ticker) == pytest.approx(share.actions(), rel=1e-5, abs=1e-5)

    def assert_invariants(self) -> None:
        assert broken_invariants(self._connection, "us-price") == []


def evening_of(session: int) -> datetime:
    """When the daily run of that session looks at the world: 18:00 of the next day in Seoul."""
    return datetime.fromisoformat(f"{DAYS[session]}T09:00+00:00") + timedelta(days=1)


@settings(settings.get_profile("model"))
@given(model=st.fixed_dictionaries({ticker: shares() for ticker in TICKERS}), history=orders(TICKERS))
def test_any_order_of_runs_ends_as_the_model_says(
    market: Market, connection: Connection, model: dict[str, Share], history: list[Order]
) -> None:
    world = World(market, connection, model)
    for order in history:
        world.run(order)
        world.assert_invariants()
        if order.twice:
            before = world.everything()
            world.run(order)
            assert world.everything() == before
            world.assert_invariants()
    final = Order(evening=LAST, session=LAST, kind="full")
    # what was provisional on the last evening is corrected on the next
    settled = {ticker: settle(share) for ticker, share in model.items()}
    world.model = settled
    report = world.run(final)
    assert report.exit_code == 0, report.error
    world.assert_is_the_models()
    world.assert_invariants()
    before = world.everything()
    assert world.run(final).rows.changed == 0
    assert world.everything() == before


def settle(share: Share) -> Share:
    """The share on a later evening: everything is there, nothing is provisional."""
    return Share(share.bars, share.splits, share.dividends)
