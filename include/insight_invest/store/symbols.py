"""One identity through its renames: tb_meta.ticker is the present symbol, tb_symbol says which was valid when.

Call what writes inside a transaction.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from include.insight_invest.errors import UsageError
from include.insight_invest.store.database import Connection
from include.insight_invest.store.statements import sql

if TYPE_CHECKING:
    import pandas as pd


def rename(
    connection: Connection, iso_code: str, old: str, new: str, *, on: date, evidence: str, run_id: int | None = None
) -> int:
    """Let ``old`` be called ``new`` from the day ``on``; its bars stay its own. Returns its meta_id.

    A definition of ``new`` without a bar, as a listing adds it, gives way. Raises UsageError where ``old`` is unknown
    or was renamed on or after ``on``, and where ``new`` has rows: then it is another share, or was loaded as one.
    """
    meta_id = _identity(connection, iso_code, old)
    if meta_id is None:
        raise UsageError(f"{old} is not in the {iso_code} universe: nothing was renamed")
    if old == new:
        raise UsageError(f"{old} is its name already")
    _make_way(connection, iso_code, new)
    until = on - timedelta(days=1)
    last = connection.execute(
        "select valid_from from tb_symbol where meta_id = %s order by valid_from desc limit 1", [meta_id]
    ).fetchone()
    if last is None:
        connection.execute(
            sql("first_symbol"), {"meta_id": meta_id, "ticker": old, "until": until, "evidence": evidence}
        )
    elif isinstance(last[0], date) and last[0] >= on:
        raise UsageError(f"{old} has had its name since {last[0]}: it cannot have got another on {on}")
    else:
        connection.execute(
            "update tb_symbol set valid_until = %s where meta_id = %s and valid_until is null", [until, meta_id]
        )
    connection.execute(
        "insert into tb_symbol (meta_id, ticker, valid_from, evidence, run_id) values (%s, %s, %s, %s, %s)",
        [meta_id, new, on, evidence, run_id],
    )
    connection.execute("update tb_meta set ticker = %s where meta_id = %s", [new, meta_id])
    return meta_id


def undo(connection: Connection, iso_code: str, old: str, new: str, *, on: date) -> bool:
    """Take back that ``new`` is called ``old`` since ``on``, where that was its last renaming; whether it was.

    Raises UsageError where ``new`` has by now rows of its own.
    """
    meta_id = _identity(connection, iso_code, old)
    rows = connection.execute(
        "select ticker, valid_from from tb_symbol where meta_id = %s order by valid_from desc limit 2", [meta_id]
    ).fetchall()
    if [ticker for ticker, _ in rows] != [old, new] or rows[0][1] != on:
        return False
    _make_way(connection, iso_code, new)
    connection.execute("delete from tb_symbol where meta_id = %s and valid_from = %s", [meta_id, on])
    connection.execute(
        "update tb_symbol set valid_until = null where meta_id = %s and valid_from = %s", [meta_id, rows[1][1]]
    )
    connection.execute("update tb_meta set ticker = %s where meta_id = %s", [new, meta_id])
    return True


def require_known(connection: Connection, iso_codes: Sequence[str], tickers: Sequence[str]) -> set[str]:
    """The countries that have some of ``tickers``. Raises UsageError naming those that none of ``iso_codes`` has."""
    rows = connection.execute(
        "select ticker, iso_code from tb_meta where iso_code = any (%s) and ticker = any (%s)",
        [list(iso_codes), list(tickers)],
    ).fetchall()
    unknown = sorted(set(tickers) - {ticker for ticker, _ in rows})
    if unknown:
        now = {old: called for iso_code in iso_codes for old, called in renamed(connection, iso_code, unknown).items()}
        named = [f"{old} (called {now[old][0]} since {now[old][1]})" if old in now else old for old in unknown]
        raise UsageError(
            f"not in the {' or '.join(iso_codes)} universe: {', '.join(named)}. "
            "Add them by `universe import` or `universe sync`"
        )
    return {str(iso_code) for _, iso_code in rows}


def renamed(connection: Connection, iso_code: str, tickers: Sequence[str]) -> dict[str, tuple[str, date]]:
    """Of those of ``tickers`` that were symbols and are nobody's now: the present one, and since when it is none."""
    rows = connection.execute(
        "select s.ticker, m.ticker, s.valid_until + 1 from tb_symbol as s join tb_meta as m using (meta_id) "
        "where m.iso_code = %s and s.ticker = any (%s) and s.valid_until is not null and not exists "
        "(select from tb_meta as n where n.iso_code = m.iso_code and n.ticker = s.ticker) order by s.valid_until",
        [iso_code, list(tickers)],
    ).fetchall()
    return {str(old): (str(new), day) for old, new, day in rows}  # type: ignore[misc]


def present_symbols(connection: Connection, iso_code: str, day: date) -> dict[str, str]:
    """The symbols of ``day`` that are others today: {then: now}. To read a listing of that day."""
    rows = connection.execute(
        "select s.ticker, m.ticker from tb_symbol as s join tb_meta as m using (meta_id) "
        "where m.iso_code = %(iso_code)s and s.ticker <> m.ticker and s.valid_from <= %(day)s "
        "and s.valid_until >= %(day)s",
        {"iso_code": iso_code, "day": day},
    ).fetchall()
    return {str(then): str(now) for then, now in rows}


def rename_by_isin(
    connection: Connection, iso_code: str, definitions: "pd.DataFrame", *, on: date, run_id: int
) -> list[str]:
    """Rename every known ticker that ``definitions`` (a listing: ticker, isin) lists under another, unknown symbol.

    The ISIN is the identity. Returns a sentence for each.
    """
    rows = connection.execute(
        sql("same_isin"),
        {
            "iso_code": iso_code,
            "tickers": definitions["ticker"].tolist(),
            "isins": definitions["isin"].fillna("").tolist(),
        },
    ).fetchall()
    told = []
    for old, new, isin in rows:
        rename(connection, iso_code, str(old), str(new), on=on, evidence=f"the listing of {on}: {isin}", run_id=run_id)
        told.append(f"{old} is called {new} since {on}: the ISIN is the same, {isin}")
    return told


def retire_reused(
    connection: Connection, iso_code: str, definitions: "pd.DataFrame", *, on: date, run_id: int
) -> list[str]:
    """Call every delisted share CODE@DAY whose code ``definitions`` (ticker, isin) gives to another: two identities.

    Returns a sentence for each.
    """
    values = {
        "iso_code": iso_code,
        "tickers": definitions["ticker"].tolist(),
        "isins": definitions["isin"].fillna("").tolist(),
        "on": on,
    }
    told = []
    for code, delisted_on, isin in connection.execute(sql("reused_code"), values).fetchall():
        old, new = str(code), f"{code}@{delisted_on}"
        rename(connection, iso_code, old, new, on=on, evidence=f"the listing of {on}: {isin}", run_id=run_id)
        told.append(f"{old} is another share since {on}, {isin}: the one delisted on {delisted_on} is called {new}")
    return told


def perhaps_renamed(connection: Connection, iso_code: str, definitions: "pd.DataFrame") -> list[tuple[str, str]]:
    """(old, new) of every known ticker that left ``definitions`` (a listing: ticker, name) as one of its name came.

    A name is a hint, not an identity: somebody decides.
    """
    values = {
        "iso_code": iso_code,
        "tickers": definitions["ticker"].tolist(),
        "names": definitions["name"].fillna("").tolist(),
    }
    return [(str(old), str(new)) for old, new in connection.execute(sql("same_name"), values).fetchall()]


def _identity(connection: Connection, iso_code: str, ticker: str) -> int | None:
    row = connection.execute(
        "select meta_id from tb_meta where iso_code = %s and ticker = %s", [iso_code, ticker]
    ).fetchone()
    return None if row is None else int(str(row[0]))


def _make_way(connection: Connection, iso_code: str, ticker: str) -> None:
    """Remove the definition of ``ticker`` where nothing was ever stored under it."""
    meta_id = _identity(connection, iso_code, ticker)
    if meta_id is None:
        return
    if connection.execute(sql("has_rows"), {"meta_id": meta_id}).fetchone() is not None:
        raise UsageError(
            f"{ticker} is in the {iso_code} universe with rows of its own: it is another identity. Nothing was renamed"
        )
    connection.execute("delete from tb_gap where meta_id = %s", [meta_id])
    connection.execute("delete from tb_absence where meta_id = %s", [meta_id])
    connection.execute("delete from tb_symbol where meta_id = %s", [meta_id])
    connection.execute("delete from tb_meta where meta_id = %s", [meta_id])
