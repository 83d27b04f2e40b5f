"""Korea's base prices against the stored bars, and the splits that are inferred where the two do not meet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from psycopg.types.json import Jsonb

from include.insight_invest.store.actions import load_actions
from include.insight_invest.store.database import Connection
from include.insight_invest.store.load import Counts, LoadContext
from include.insight_invest.store.statements import sql

if TYPE_CHECKING:
    import pandas as pd

# Whose bars are as traded, to the won; the others have restated theirs.
_AS_TRADED = "krx"
_FLOATS = ("open", "high", "low", "close", "volume", "stored_close", "stored_error")


@dataclass(frozen=True)
class BaseMove:
    """A session whose base price was not the stored close before; prices in won, ``stocks`` are numbers of shares."""

    meta_id: int
    ticker: str
    ex_date: date
    base: float
    stored_close: float
    stocks_before: float | None
    stocks: float | None
    found_now: bool  # by this run
    sessions_traded: int  # since, and with the ex-date


def bars_before(
    connection: Connection,
    meta_ids: Sequence[int],
    days: Sequence[date],
    since: Sequence[date],
    bases: Sequence[date],
) -> "pd.DataFrame":
    """For each asked row, by its place, the newest bar of the ticker in [since, day).

    stored_day, open, high, low, close and volume as stored; stored_close and the bound of its error, stored_error, in
    the shares of ``bases``; halted_on, the last of those sessions without a trade. NaN and NaT where there is none.
    """
    import pandas as pd

    rows = connection.execute(
        sql("before_bar"),
        {
            "meta_ids": list(meta_ids),
            "days": list(days),
            "since": list(since),
            "bases": list(bases),
            "as_traded": _AS_TRADED,
        },
    ).fetchall()
    columns = ["place", "stored_day", *_FLOATS, "halted_on"]
    frame = pd.DataFrame.from_records(rows, columns=columns).set_index("place").reindex(range(len(meta_ids)))
    types: dict[Any, Any] = dict.fromkeys(_FLOATS, float) | dict.fromkeys(["stored_day", "halted_on"], "datetime64[ns]")
    return frame.astype(types)


def record_base_moves(connection: Connection, moves: "pd.DataFrame", context: LoadContext) -> None:
    """Add those of ``moves`` (meta_id, trade_date, base, stored_close, stocks_before, stocks) that are not known."""
    columns = ["meta_id", "trade_date", "base", "stored_close", "stocks_before", "stocks"]
    rows = moves[columns].astype({"stocks_before": object, "stocks": object})
    rows = rows.mask(rows.isna(), None)
    connection.execute(
        """
        insert into tb_base_move (meta_id, ex_date, state, base, stored_close, stocks_before, stocks, run_id, found_at)
        select q.meta_id, q.ex_date, 'open', q.base, q.stored_close, q.stocks_before, q.stocks, %(run_id)s, %(as_of)s
        from unnest(%(meta_id)s::integer[], %(trade_date)s::date[], %(base)s::float8[], %(stored_close)s::float8[],
                    %(stocks_before)s::float8[], %(stocks)s::float8[])
            as q (meta_id, ex_date, base, stored_close, stocks_before, stocks)
        on conflict (meta_id, ex_date) do nothing
        """,
        {name: rows[name].tolist() for name in columns} | {"run_id": context.run_id, "as_of": context.as_of},
    )


def open_base_moves(
    connection: Connection, meta_ids: Sequence[int], until: date, context: LoadContext
) -> list[BaseMove]:
    """The unexplained moves of ``meta_ids`` up to the session ``until``, the newest first."""
    rows = connection.execute(
        sql("open_base_move"), {"meta_ids": list(meta_ids), "until": until, "run_id": context.run_id}
    ).fetchall()
    return [BaseMove(*row) for row in rows]  # type: ignore[arg-type]


def settle_base_move(
    connection: Connection, move: BaseMove, state: str, evidence: Mapping[str, Any], context: LoadContext
) -> None:
    """End an open move: ``state`` is action, no_action or unexplained."""
    connection.execute(
        "update tb_base_move set state = %s, evidence = %s, settled_at = %s where meta_id = %s and ex_date = %s",
        [state, Jsonb(dict(evidence)), context.as_of, move.meta_id, move.ex_date],
    )


def overlap(connection: Connection, meta_id: int, since: date, until: date, basis: date) -> "pd.DataFrame":
    """The stored bars of one ticker: trade_date, and close and the bound of its error, in won per share of ``basis`` by
    the splits that are known.
    """
    import pandas as pd

    rows = connection.execute(
        sql("overlap_bar"),
        {"meta_id": meta_id, "since": since, "until": until, "basis": basis, "as_traded": _AS_TRADED},
    ).fetchall()
    frame = pd.DataFrame.from_records(rows, columns=["trade_date", "stored", "error"])
    return frame.astype({"trade_date": "datetime64[ns]", "stored": float, "error": float})


def known_split(connection: Connection, meta_id: int, ex_date: date) -> float | None:
    """The split that is stored of that day, new shares per old share."""
    row = connection.execute(
        "select value from tb_action where meta_id = %s and ex_date = %s and kind = 'split'", [meta_id, ex_date]
    ).fetchone()
    return float(row[0]) if row else None  # type: ignore[arg-type]


def load_inferred_split(
    connection: Connection, move: BaseMove, value: float, evidence: Mapping[str, Any], context: LoadContext, source: str
) -> Counts:
    """Store the split of ``value`` new shares per old share on the move's ex-date, with what it was inferred from."""
    import pandas as pd

    day = pd.Timestamp(move.ex_date)
    split = pd.DataFrame(
        {"meta_id": [move.meta_id], "ex_date": [day], "kind": ["split"], "value": [value], "basis_date": [day]}
    )
    counts = load_actions(connection, split, context, source=source, currency="KRW")
    connection.execute(
        "update tb_action set evidence = %s where meta_id = %s and ex_date = %s and kind = 'split'",
        [Jsonb(dict(evidence)), move.meta_id, move.ex_date],
    )
    return counts


def restated_days(connection: Connection, meta_id: int) -> set[date]:
    """The sessions whose stored bar is another source's than KRX's."""
    rows = connection.execute(
        "select trade_date from tb_bar "
        "where insight_block(meta_id) = insight_block(%s) and meta_id = %s and source <> %s",
        [meta_id, meta_id, _AS_TRADED],
    ).fetchall()
    return {day for (day,) in rows if isinstance(day, date)}
