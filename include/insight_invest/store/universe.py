"""The definitions: which tickers and series there are (tb_meta, tb_macro)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any
from zlib import crc32

from include.insight_invest.errors import UsageError
from include.insight_invest.store.database import Connection
from include.insight_invest.store.statements import sql

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "ticker",
    "name",
    "isin",
    "security_type",
    "asset_class",
    "sector",
    "iso_code",
    "marketcap",
    "fee",
    "remark",
    "market",
)


@dataclass(frozen=True)
class Target:
    """One ticker to update.

    ``stored_until`` is its newest stored session, None where nothing is stored; ``history_loaded`` says whether its
    whole history has been; ``gap_since`` is its oldest session that is missing without a reason, or of which a row has
    been held back for at most 90 days: the source may have mended it; ``unsettled_since`` its oldest bar of those days
    that is not final.
    """

    meta_id: int
    ticker: str
    market: str | None
    stored_until: date | None
    history_loaded: bool = False
    gap_since: date | None = None
    unsettled_since: date | None = None


@dataclass(frozen=True)
class Series:
    """One macro series to update."""

    macro_id: int
    fred: str


def targets(
    connection: Connection,
    iso_code: str,
    tickers: Sequence[str] = (),
    shard: tuple[int, int] = (1, 1),
    *,
    session: date = date.max,
) -> list[Target]:
    """The country's tickers, or only ``tickers``, in the order of their meta_id; of those, shard I of N.

    Without ``tickers``, those that were delisted on ``session`` or before are left out.
    """
    values = {"iso_code": iso_code, "tickers": list(tickers), "session": session}
    rows = connection.execute(sql("targets"), values).fetchall()
    found = [Target(*row) for row in rows]  # type: ignore[arg-type]
    return [target for target in found if in_shard(target.ticker, shard)]


def mark_history_loaded(connection: Connection, meta_ids: Sequence[int]) -> None:
    """Remember that the whole history of these has landed; in the transaction that landed it."""
    connection.execute(
        "update tb_meta set history_loaded = true where meta_id = any (%s) and not history_loaded", [list(meta_ids)]
    )


def ask_history_again(connection: Connection, meta_ids: Sequence[int]) -> None:
    """Have the next run ask for the whole history of these."""
    connection.execute("update tb_meta set history_loaded = false where meta_id = any (%s)", [list(meta_ids)])


def series(connection: Connection, fred: Sequence[str] = (), shard: tuple[int, int] = (1, 1)) -> list[Series]:
    """The series of tb_macro that name a FRED id, or only those of ``fred``."""
    rows = connection.execute(
        "select macro_id, fred from tb_macro "
        "where fred is not null and (cardinality(%(fred)s::text[]) = 0 or fred = any (%(fred)s)) order by macro_id",
        {"fred": list(fred)},
    ).fetchall()
    found = [Series(*row) for row in rows]  # type: ignore[arg-type]
    return [item for item in found if in_shard(item.fred, shard)]


def require_series(connection: Connection, fred: Sequence[str]) -> None:
    """Raise UsageError naming those of ``fred`` that tb_macro lacks."""
    unknown = sorted(set(fred) - {item.fred for item in series(connection, fred)})
    if unknown:
        raise UsageError(f"not in tb_macro: {', '.join(unknown)}. To follow one, insert its id into tb_macro.fred")


def in_shard(ticker: str, shard: tuple[int, int]) -> bool:
    """Whether ``ticker`` belongs to shard I of N; the same on every machine and in every run."""
    index, count = shard
    return crc32(ticker.encode()) % count == index - 1


def upsert_definitions(
    connection: Connection, definitions: "pd.DataFrame", *, by_hand: bool = True, update: bool = True
) -> tuple[int, int]:
    """Add unknown tickers and, with ``update``, update known ones; returns (new, changed). What is missing stays.

    A listing (not ``by_hand``) does not change a security_type, asset_class or sector that is already there.

    ``definitions``: columns of tb_meta, at least ticker, name, security_type, iso_code.
    """
    rows = definitions.reindex(columns=list(COLUMNS)).astype(object)
    missing = rows.isna()
    columns: dict[str, Any] = {
        name: [None if gone else value for value, gone in zip(rows[name], missing[name], strict=True)]
        for name in COLUMNS
    }
    result = connection.execute(sql("upsert_meta"), {**columns, "by_hand": by_hand, "update": update}).fetchall()
    new = sum(bool(row[0]) for row in result)
    return new, len(result) - new


def add_series(connection: Connection, definitions: Sequence[tuple[str, str]]) -> int:
    """Add (fred, description) pairs that tb_macro lacks; returns how many. Known ones stay as they are."""
    with connection.cursor() as cursor:
        added = 0
        for fred, description in definitions:
            cursor.execute(
                "insert into tb_macro (fred, description) values (%s, %s) on conflict (fred) do nothing",
                [fred, description],
            )
            added += cursor.rowcount
    return added
