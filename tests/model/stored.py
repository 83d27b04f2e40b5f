"""The market of the model behind the replay, runs of the whole job, and what they leave in the database."""

from datetime import date, datetime, timedelta
from typing import Any, LiteralString

import pytest
from psycopg.sql import SQL, Identifier, Literal

from include.insight_invest.jobs import JOBS
from include.insight_invest.report import Report
from include.insight_invest.runner import RunOptions, run
from include.insight_invest.store.database import Connection
from include.insight_invest.store.ledger import broken_invariants
from tests.fixtures.market import Market
from tests.model.histories import Order
from tests.model.world import DAYS, LAST, Share

_TABLES: LiteralString = """
    select relname from pg_class
    where relkind = 'r' and relnamespace = 'public'::regnamespace and relname not like 'insight\\_%'
"""
_MISSING = ("open", "source_gap")  # of tb_gap.state: the bar is not there, whether it is still asked for or not


def empty_tables(connection: Connection) -> None:
    """Empty every table."""
    tables = SQL(", ").join(Identifier(str(row[0])) for row in connection.execute(_TABLES))
    connection.execute(SQL("truncate {} restart identity cascade").format(tables))


def everything(connection: Connection) -> dict[object, object]:
    """What every table but the ledger holds, one word a table."""
    rows = SQL("select {}, md5(string_agg(t::text, ' ' order by t::text)) from {} as t")
    tables = [str(row[0]) for row in connection.execute(_TABLES) if row[0] != "tb_job_run"]
    query = SQL(" union all ").join(rows.format(Literal(name), Identifier(name)) for name in tables)
    return dict(connection.execute(query).fetchall())  # type: ignore[arg-type]


class World:
    """The market of the model behind the replay, and an empty database."""

    def __init__(self, market: Market, connection: Connection, model: dict[str, Share]) -> None:
        self.market = market
        self.model = model
        self._connection = connection
        empty_tables(connection)
        market.follow(*model)

    def run(self, order: Order, *, days_later: int = 0) -> Report:
        """One run on the evening of ``order``. The invariants hold after it, and repeating it changes nothing."""
        report = self._run(order, timedelta(days=days_later))
        if order.twice:
            before = self.everything()
            self._run(order, timedelta(days=days_later))
            assert self.everything() == before
        return report

    def _run(self, order: Order, later: timedelta) -> Report:
        for ticker, share in self.model.items():
            share.write(self.market.folder, ticker, order.evening)
        self.market.replay.load(self.market.folder)
        self.market.replay.reset()
        self.market.replay.move_clock(_evening(order.evening) + later)
        if order.without:
            self.market.replay.fault(order.fault, match=f"/chart/{order.without}")
        is_range = order.kind == "range"
        options = RunOptions(
            as_of=_evening(order.session) + later,
            full_refresh=order.kind == "full",
            start=date.fromisoformat(DAYS[order.start]) if is_range else None,
            end=date.fromisoformat(DAYS[order.session]) if is_range else None,
        )
        report = run(JOBS["us-price"], options, self.market.settings())
        assert broken_invariants(self._connection, "us-price") == []
        return report

    def everything(self) -> dict[object, object]:
        """What every table but the ledger holds, one word a table."""
        return everything(self._connection)

    def final(self) -> set[tuple[str, int]]:
        """(ticker, session) of every final bar."""
        return self._sessions("select ticker, trade_date::text from tb_bar join tb_meta using (meta_id) where final")

    def missing(self) -> set[tuple[str, int]]:
        """(ticker, session) of every recorded gap that has not been closed by its bar."""
        return self._sessions(
            "select ticker, trade_date::text from tb_gap join tb_meta using (meta_id) where state = any (%s)",
            list(_MISSING),
        )

    def healed(self) -> set[tuple[str, int]]:
        """(ticker, session) of every gap that its bar has closed."""
        return self._sessions(
            "select ticker, trade_date::text from tb_gap join tb_meta using (meta_id) where state = 'healed'"
        )

    def damaged(self, *status: str) -> set[tuple[str, int]]:
        """(ticker, session) of every row in quarantine with one of these statuses."""
        return self._sessions(
            "select ticker, trade_date::text from tb_quarantine where status = any (%s)",
            list(status),
        )

    def revised(self) -> list[tuple[str, int]]:
        """(ticker, session) of every earlier bar that was kept; each is what the source said before its correction."""
        rows = self.rows("tb_bar_revision")
        for ticker, day, *values in rows:
            self._assert_says(ticker, day, 0, *values)
        return [(ticker, day) for ticker, day, *_ in rows]

    def rows(self, table: LiteralString) -> list[tuple[Any, ...]]:
        """ticker, session, open, high, low, close, volume, the session of the basis date, source."""
        rows = self._connection.execute(
            "select ticker, trade_date::text, open, high, low, close, volume, basis_date::text, source "
            f"from {table} join tb_meta using (meta_id) order by ticker, trade_date"
        ).fetchall()
        return [(one[0], DAYS.index(str(one[1])), *one[2:7], DAYS.index(str(one[7])), one[8]) for one in rows]

    def assert_is_the_models(self) -> None:
        """Bars, adjusted prices and actions are what the model says of the last evening; gaps say what it lacks."""
        there = [(ticker, day) for ticker, share in sorted(self.model.items()) for day in share.there()]
        stored = self.rows("tb_bar")
        assert [(ticker, day) for ticker, day, *_ in stored] == there
        for ticker, day, *values in stored:
            self._assert_says(ticker, day, LAST, *values)
        # released: a range that knew no split between was a wild move, until a later read confirmed it
        assert self.damaged("held", "repaired") == set()
        for ticker, share in self.model.items():
            assert self._actions(ticker) == pytest.approx(share.actions(), rel=1e-5, abs=1e-5), share.actions()
            adjusted = self._adjusted_closes(ticker)
            assert adjusted == pytest.approx(share.adjusted_closes(), rel=1e-5), share.adjusted_closes()
        every = {(ticker, day) for ticker in self.model for day in range(len(DAYS))}
        assert self.missing() == every - set(there)

    def _assert_says(self, ticker: str, day: int, evening: int, *values: Any) -> None:
        """The row is the model's of that evening, in the shares of its own basis date."""
        *prices, volume, basis, source = values
        share = self.model[ticker]
        expected = share.bar(day, evening, basis)
        said = f"{ticker} of {DAYS[day]}: {values}, expected {expected}"
        assert prices == pytest.approx(expected[:4], rel=1e-5), said
        assert volume == pytest.approx(expected[4], abs=share.volume_slack(day, basis)), said
        assert (basis >= day, source) == (True, "yahoo"), said

    def _adjusted_closes(self, ticker: str) -> dict[str, float]:
        return dict(
            self.market.rows(
                "select trade_date::text, adj_close from tb_price join tb_meta using (meta_id) where ticker = %s",
                ticker,
            )
        )

    def _actions(self, ticker: str) -> dict[tuple[str, str], float]:
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

    def _sessions(self, query: LiteralString, *parameters: Any) -> set[tuple[str, int]]:
        rows = self._connection.execute(query, parameters)
        return {(str(ticker), DAYS.index(str(day))) for ticker, day in rows}


def _evening(session: int) -> datetime:
    """When the daily run of that session looks at the world: 18:00 of the next day in Seoul."""
    return datetime.fromisoformat(f"{DAYS[session]}T09:00+00:00") + timedelta(days=1)
