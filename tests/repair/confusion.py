"""What became of every row and every action of the tables: the confusion table."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from include.insight_invest.checks.untraded import REPEATED
from include.insight_invest.store import ledger
from include.insight_invest.store.database import Connection
from include.insight_invest.store.load import LoadContext
from include.insight_invest.store.universe import Target
from include.insight_invest.updaters.storing import checked_answer, store_answer
from tests.repair.tables import VALUES, Table, tables

NOW = datetime(2026, 3, 20, 9, tzinfo=UTC)
SAME = 1e-4  # the mended tables are rounded


@dataclass(frozen=True)
class Confusion:
    """One table: its damage and what became of it, its clean rows and actions and what became of them."""

    table: str
    rows: int
    adjusted_only: int  # cells of the vendor's adjusted column, which nobody reads
    damaged: int  # rows and actions that differ from the mended table
    quarantined: int
    proposed: int  # of those, the proposal is what the mended table says
    missed: int
    without_price: int  # rows without a single price or a trade: none is stored or held
    clean: int
    untouched: int  # stored as they came
    without_fields: int  # stored without an open, high or low that cannot be, which is recorded
    put_right: int  # stored in the unit of the close that they repeat, which is recorded
    false_alarms: int  # held


def confusion(connection: Connection, data: Path) -> list[Confusion]:
    """Load every table into ``connection``'s database as a first load of its own ticker, and count."""
    return [_load(connection, bad, right) for bad, right in tables(data)]


def is_right(row: Confusion) -> bool:
    """Whether it is of a table that says what is true."""
    return row.table.endswith(("-fixed", "no-bad-divs"))


def total(rows: Sequence[Confusion]) -> Confusion:
    """The sum of ``rows``."""
    numbers = {f.name: sum(getattr(row, f.name) for row in rows) for f in fields(Confusion) if f.name != "table"}
    return Confusion(table="all", **numbers)


def _load(connection: Connection, table: Table, right: Table) -> Confusion:
    row = connection.execute(
        "insert into tb_meta (ticker, security_type, iso_code) values (%s, 'STOCK', 'US') returning meta_id",
        [table.name],
    ).fetchone()
    assert row is not None
    target = Target(int(str(row[0])), table.name, None, None)
    answer = table.answer(target)
    attempt = ledger.Attempt(job="us-price", shard=(1, 1), trigger="test", as_of=NOW, session_date=None, started_at=NOW)
    context = LoadContext(ledger.open_run(connection, attempt), NOW)
    checked = checked_answer(connection, answer, answer.bars)
    with connection.transaction():
        counts, _ = store_answer(
            connection, answer, checked, context, sources=["yahoo"], settled_before=date(2026, 1, 1)
        )
        ledger.add(connection, context.run_id, counts)
    ledger.close_run(
        connection, context.run_id, status="succeeded", finished_at=NOW, tickers={}, requests=0, error=None
    )
    return _count(connection, target.meta_id, table, right)


def _count(connection: Connection, meta_id: int, table: Table, right: Table) -> Confusion:
    damaged = _damaged_bars(table, right) | _damaged_actions(table, right)
    everything = {("bar", day) for day in table.bars["trade_date"].dt.date} | _keys(table.actions)
    held = {
        (str(kind), day): proposal
        for kind, day, proposal in connection.execute(
            "select kind, trade_date, proposal from tb_quarantine where meta_id = %s and status = 'held'", [meta_id]
        )
    }
    stored = {
        (str(kind), day)
        for kind, day in connection.execute(
            "select 'bar', trade_date from tb_bar where meta_id = %(id)s "
            "union all select kind, ex_date from tb_action where meta_id = %(id)s",
            {"id": meta_id},
        )
    }
    repaired = {
        ("bar", day): str(reason)
        for reason, day in connection.execute(
            "select reason, trade_date from tb_quarantine where meta_id = %s and status = 'repaired'", [meta_id]
        )
    }
    empty = table.bars[VALUES].isna().all(axis=1)
    nothing = {("bar", day) for day in table.bars["trade_date"].dt.date[empty]}
    clean = everything - damaged - nothing
    mended = {key for key in clean & stored if key in repaired}
    return Confusion(
        table=table.name,
        rows=len(table.bars),
        adjusted_only=_adjusted_only(table, right),
        damaged=len(damaged),
        quarantined=len(damaged & set(held)),
        proposed=sum(_is_right(key, held[key], right) for key in damaged & set(held)),
        missed=len(damaged - set(held)),
        without_price=len(nothing - stored - set(held)),
        clean=len(clean),
        untouched=len(clean & stored) - len(mended),
        without_fields=sum(repaired[key] != REPEATED for key in mended),
        put_right=sum(repaired[key] == REPEATED for key in mended),
        false_alarms=len(clean & set(held)),
    )


def _keys(actions: pd.DataFrame) -> set[tuple[str, date]]:
    return set(zip(actions["kind"], actions["ex_date"].dt.date, strict=True))


def _damaged_bars(table: Table, right: Table) -> set[tuple[str, date]]:
    same = pd.Series(np.isclose(table.bars[VALUES], right.bars[VALUES], rtol=SAME, equal_nan=True).all(axis=1))
    return {("bar", day) for day, is_same in zip(table.bars["trade_date"].dt.date, same, strict=True) if not is_same}


def _damaged_actions(table: Table, right: Table) -> set[tuple[str, date]]:
    """Those of the table that the mended one has not, or with another value."""
    both = table.actions.merge(right.actions, on=["ex_date", "kind"], how="left", suffixes=("", "_right"))
    return _keys(both[~np.isclose(both["value"], both["value_right"], rtol=SAME)])


def _adjusted_only(table: Table, right: Table) -> int:
    """Damaged cells of Adj Close in rows whose prices are right."""
    prices = np.isclose(table.bars[VALUES], right.bars[VALUES], rtol=SAME, equal_nan=True).all(axis=1)
    if "Adj Close" not in table.frame:
        return 0
    same = np.isclose(table.frame["Adj Close"], right.frame["Adj Close"], rtol=SAME, equal_nan=True)
    return int((prices & ~same).sum())


def _is_right(key: tuple[str, date], proposal: Any, right: Table) -> bool:
    """Whether ``proposal`` is what the mended table says of that day, or of the day that it names."""
    kind, day = key
    if proposal is None:
        return False
    if kind == "bar":
        there = (right.bars["trade_date"] == pd.Timestamp(day)).to_numpy()
        row = right.bars[VALUES].to_numpy(dtype=float)[there][0]
        proposed = np.array([proposal[name] for name in VALUES], dtype=float)
        # a restated volume is cut to whole shares
        return bool(np.isclose(proposed, row, rtol=SAME, atol=[0, 0, 0, 0, 10], equal_nan=True).all())
    on_day = right.actions["ex_date"] == pd.Timestamp(proposal.get("ex_date", day))
    paid = right.actions[on_day & (right.actions["kind"] == kind)]
    return bool(np.isclose(paid["value"], proposal["value"], rtol=SAME).any())
