"""What must hold after any run, whatever the sources sent. Written against the tables, without the product's checks.

``stored`` judges the rows, ``told`` what a run says of itself; each returns what is wrong, a line each.
"""

import csv
import logging
import re
from collections.abc import Collection
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, LiteralString

import include.insight_invest.sessions as sessions_package
from include.insight_invest.store.database import Connection

# A US close may be a tick beyond what it traded at: a cent, from SEC rule 612; a won is exact. And 32-bit floats.
_SLACK: LiteralString = """
    greatest(case when currency = 'KRW' then 0 when {0} >= 1 then 0.01 else 0.0001 end, 1e-5 * {0})
"""
_FINITE: LiteralString = "({0} is null or ({0} > 0 and {0} < 'Infinity'))"  # of a double NaN is the largest
_BAR: dict[str, LiteralString] = {
    "a close that is no price": "not (close > 0 and close < 'Infinity')",
    "an open that is no price": f"not {_FINITE.format('open')}",
    "a high that is no price": f"not {_FINITE.format('high')}",
    "a low that is no price": f"not {_FINITE.format('low')}",
    "a low over its high": "low > high * (1 + 1e-5)",
    "a close under its low": f"close < low - {_SLACK.format('close')}",
    "a close over its high": f"close > high + {_SLACK.format('close')}",
    "an open under its low": f"open < low - {_SLACK.format('open')}",
    "an open over its high": f"open > high + {_SLACK.format('open')}",
    "a volume that no market has": "volume < 0 or volume > 1e15",
    "a day after the run's session": "trade_date > %(session)s",
    # Naver's charts do not end with the session that is asked for
    "a basis in the future": "basis_date > case when source = 'naver' then current_date + 1 else %(session)s end",
    "a day before there were exchanges": "trade_date < '1800-01-01' or basis_date < trade_date",
    "a currency that is none": "currency !~ '^[A-Z]{3}$'",
    "a source that is none": "source not in ('yahoo', 'nasdaq', 'krx', 'naver')",
    "nobody's": "not exists (select from tb_meta as m where m.meta_id = t.meta_id)",
    "no run's": "not exists (select from tb_job_run as r where r.run_id = t.run_id)",
}
_ACTION: dict[str, LiteralString] = {
    "a value that is none": "not (value > 0 and value < 'Infinity')",
    "a ratio that no split has": "kind = 'split' and not value between 1e-5 and 1e5",
    "a day after the run's session": "ex_date > %(session)s or basis_date > %(session)s",
    "a day before there were exchanges": "ex_date < '1800-01-01'",
    "a day at the weekend": "extract(isodow from ex_date) > 5",
    "a currency that is none": "currency !~ '^[A-Z]{3}$'",
    "no run's": "not exists (select from tb_job_run as r where r.run_id = t.run_id)",
}
_VINTAGE: dict[str, LiteralString] = {
    "a value that is not finite": "value = 'NaN' or abs(value) = 'Infinity'",
    "known after the run": "realtime_start > %(today)s",
    "known before FRED was": "realtime_start < '1776-07-04'",
    "of a day that none is": "base_date < '1600-01-01' or base_date > '2262-04-11'",
}
_META: dict[str, LiteralString] = {
    "a ticker that none is": "ticker !~ '^[A-Z0-9.^/-]{1,30}$'",
    "a name with control characters": "name ~ '[\\x01-\\x1f]'",
    "a market capitalisation under zero": "marketcap < 0",
}
_TABLES: dict[str, tuple[LiteralString, LiteralString, dict[str, LiteralString]]] = {
    "tb_bar": ("meta_id", "trade_date", _BAR),
    "tb_bar_revision": ("meta_id", "trade_date", _BAR),
    "tb_action": ("meta_id", "ex_date", _ACTION),
    "tb_macro_vintage": ("macro_id", "base_date", _VINTAGE),
    "tb_meta": ("meta_id", "ticker", _META),
}
_BARE = re.compile(r"^[A-Z]\w*(?:Error|Exception|Warning|Interrupt|Violation|Truncation)\b")
# Names of what goes wrong in a program, not in a source, and what tracebacks and database drivers print.
_INTERNAL = re.compile(
    r"\b(?:KeyError|IndexError|TypeError|AttributeError|UnboundLocalError|NameError|AssertionError|ZeroDivisionError"
    r"|RecursionError|OverflowError|UnicodeEncodeError|Traceback|psycopg)\b|File \"|<class |object at 0x"
)
_LONGEST = 600
_OPEN = "running"


def stored(connection: Connection, *, session: date, today: date) -> list[str]:
    """Which rows violate a check. ``session`` is the newest a run was for, ``today`` the day of its clock."""
    wrong = []
    for table, (owner, day, checks) in _TABLES.items():
        anything = " or ".join(f"({predicate})" for predicate in checks.values())
        which = ", ".join(
            f"case when {predicate} then '{what.replace("'", "''")}' end" for what, predicate in checks.items()
        )
        query = (
            f"select {owner}, {day}::text, concat_ws(', ', {which}), left(t::text, 300) from {table} as t "
            f"where {anything} limit 5"
        )
        values = {"session": session, "today": today}
        for who, when, what, row in connection.execute(query.encode(), values):
            wrong.append(f"{table} of {who}, {when}: {what}: {row}")
    return wrong + _off_sessions(connection)


def _off_sessions(connection: Connection) -> list[str]:
    found = connection.execute(
        "select distinct m.iso_code, b.trade_date from tb_bar as b join tb_meta as m using (meta_id) order by 1, 2"
    ).fetchall()
    wrong = []
    for iso_code, day in found:
        assert isinstance(day, date)
        days = _sessions({"US": "xnys", "KR": "xkrx"}[str(iso_code)])
        if day not in days if day >= min(days) else day.weekday() > 4:
            wrong.append(f"tb_bar of {iso_code}, {day}: no session of the exchange")
    return wrong


@cache
def _sessions(exchange: str) -> frozenset[date]:
    table = Path(str(sessions_package.__file__)).parent / "table" / f"{exchange}.csv"
    with table.open(encoding="utf-8", newline="") as file:
        return frozenset(date.fromisoformat(row["date"]) for row in csv.DictReader(file))


def is_sentence(text: str | None) -> bool:
    """Whether ``text`` tells a reader what happened: words, no bare exception, nothing of the program's inside."""
    if not text or len(text) > _LONGEST or len(text.split()) < 3:
        return False
    return text.isprintable() and not _BARE.search(text) and not _INTERNAL.search(text)


def told(ledger: dict[str, Any], asked: Collection[str]) -> list[str]:
    """What is wrong with a run's row in the ledger; ``asked`` are the tickers or series that it must account for."""
    wrong = []
    status, error = ledger["status"], ledger["error"]
    if status == _OPEN:
        wrong.append("the ledger row is still open")
    if status != "succeeded" and not is_sentence(error):
        wrong.append(f"{status}, and the error is no sentence: {error!r:.300}")
    for state, tickers in ledger["tickers"].items():
        for ticker, reason in tickers.items():
            if state not in ("updated", "unchanged", "part") and not is_sentence(reason):
                wrong.append(f"{ticker} is {state}, and the reason is no sentence: {reason!r:.300}")
    if status in ("succeeded", "over_budget"):
        states = {ticker for tickers in ledger["tickers"].values() for ticker in tickers}
        wrong += [f"{ticker} has no state" for ticker in sorted(set(asked) - states)[:3]]
    wrong += [f"a note is no sentence: {note!r:.300}" for note in ledger["notes"] if not is_sentence(note)]
    return wrong


class Tracebacks(logging.Handler):
    """Collects every log record that carries an exception: ``found``, a line each."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Note the record's exception."""
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            trace = error.__traceback__
            while trace is not None and trace.tb_next is not None:
                trace = trace.tb_next
            where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"
            self.found.append(f"logged with a traceback: {type(error).__name__}: {str(error)[:200]} ({where})")
