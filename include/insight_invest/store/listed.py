"""Who was listed when: what the listings that were read say about new listings and delistings.

One absence is no evidence, listings flap: five sessions' listings in a row that lack a ticker are. Call inside a
transaction.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from include.insight_invest.store import symbols
from include.insight_invest.store.database import Connection
from include.insight_invest.store.load import LoadContext
from include.insight_invest.store.statements import sql
from include.insight_invest.store.universe import upsert_definitions

if TYPE_CHECKING:
    import pandas as pd

# A week of sessions: US listings lose about 44 symbols a day, and have many of them back within days.
SESSIONS_OF_EVIDENCE = 5
# A listing that lacks more of those that earlier ones had is half a file, not news. 0.6 % of US symbols change in a
# day, and who left stays absent for five sessions before it is delisted; each day since the last listing adds to that.
PLAUSIBLE_SHARE_GONE = 0.05
PLAUSIBLE_SHARE_PER_DAY = 0.01
LARGEST_SHARE_GONE = 0.3
# Below this count the share says nothing: three of ten may leave.
PLAUSIBLE_GONE = 10
SHOWN = 10


@dataclass(frozen=True)
class Taken:
    """What a listing changed: how many definitions, and in sentences who was renamed."""

    new: int
    changed: int
    notes: list[str]


def define_listing(
    connection: Connection,
    definitions: "pd.DataFrame",
    *,
    iso_code: str,
    session: date,
    context: LoadContext,
    update: bool = True,
) -> Taken:
    """Take over what the whole listing of ``session`` says: renames by ISIN, codes given to another share, definitions.

    ``definitions``: as ``universe.upsert_definitions`` takes them, the tickers as they were written that day. Without
    ``update``, of a session before those that are stored, known tickers stay as they are.
    """
    notes: list[str] = []
    if update and "isin" in definitions.columns:
        notes += symbols.retire_reused(connection, iso_code, definitions, on=session, run_id=context.run_id)
        notes += symbols.rename_by_isin(connection, iso_code, definitions, on=session, run_id=context.run_id)
    then = symbols.present_symbols(connection, iso_code, session)
    rows = definitions.assign(ticker=definitions["ticker"].replace(then)) if then else definitions
    new, changed = upsert_definitions(connection, rows, by_hand=False, update=update)
    return Taken(new, changed, notes)


def record_listing(
    connection: Connection, iso_code: str, session: date, listed: Collection[str], source: str, context: LoadContext
) -> list[str]:
    """Take the listing of ``session`` as evidence; returns what an operator should know, a sentence each.

    ``listed``: every ticker in it, as it was written that day. A ticker that some earlier listing had, and this one
    lacks, gets a row in tb_absence, once a session however often its listing is read; a later reading that has it takes
    the row back. Sets tb_meta.first_listed, listed_from and delisted_on.
    """
    values = {
        "iso_code": iso_code,
        "session": session,
        "listed": sorted(listed),
        "source": source,
        "run_id": context.run_id,
    }
    row = connection.execute(sql("count_absent"), values).fetchone()
    assert row is not None  # noqa: S101 (counts)
    followed, absent, days = (int(str(value)) for value in row)
    share = min(LARGEST_SHARE_GONE, PLAUSIBLE_SHARE_GONE + PLAUSIBLE_SHARE_PER_DAY * days)
    if absent > max(PLAUSIBLE_GONE, share * followed):
        return [f"the listing of {session} lacks {absent} of {followed} tickers that earlier ones had: no evidence"]
    is_new = connection.execute(sql("insert_listing"), values | {"count": len(listed)}).rowcount == 1
    connection.execute(sql("insert_absence" if is_new else "delete_absence"), values)
    connection.execute(sql("set_first_listed"), values)
    connection.execute(sql("set_listed_from"), values)
    back = connection.execute(sql("relist"), values).fetchall()
    gone = connection.execute(sql("delist"), values | {"sessions": SESSIONS_OF_EVIDENCE}).fetchall()
    why = f"{SESSIONS_OF_EVIDENCE} sessions' listings lack it"
    return [*_sentences(gone, f"{{}} was delisted on {{}}: {why}"), *_sentences(back, "{} is listed again, on {}")]


def last_listing(connection: Connection, iso_code: str) -> date | None:
    """The newest session whose listing was recorded; None where none was."""
    row = connection.execute("select max(session_date) from tb_listing where iso_code = %s", [iso_code]).fetchone()
    return row[0] if row else None  # type: ignore[return-value]


def ever_listed(connection: Connection, meta_ids: Collection[int], session: date) -> set[int]:
    """Those of ``meta_ids`` that a recorded listing of ``session`` or before had: only theirs an absence is news."""
    rows = connection.execute(
        "select meta_id from tb_meta where meta_id = any (%s) and first_listed <= %s", [list(meta_ids), session]
    )
    return {int(str(row[0])) for row in rows}


def is_recorded(connection: Connection, iso_code: str, session: date) -> bool:
    """Whether the listing of ``session`` was read and taken as evidence."""
    query = "select 1 from tb_listing where iso_code = %s and session_date = %s"
    return connection.execute(query, [iso_code, session]).fetchone() is not None


def newly_listed(
    connection: Connection, meta_ids: Sequence[int], days: Sequence[date], since: Sequence[date]
) -> set[int]:
    """Those of ``meta_ids`` that were listed on their day: a recorded listing of [since, day) lacked them, as did every
    one before."""
    values = {"meta_ids": list(meta_ids), "days": list(days), "since": list(since)}
    return {int(str(row[0])) for row in connection.execute(sql("newly_listed"), values)}


def _sentences(rows: Sequence[tuple[object, ...]], text: str) -> list[str]:
    told = [text.format(ticker, day) for ticker, day in rows[:SHOWN]]
    return [*told, f"and {len(rows) - SHOWN} more like these"] if len(rows) > SHOWN else told
