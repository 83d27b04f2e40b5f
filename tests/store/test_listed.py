"""Who was listed when: new listings, absences, delistings that take five sessions, and one identity through renames."""

from datetime import date
from typing import Any

import pandas as pd
import pytest

from include.insight_invest.errors import UsageError
from include.insight_invest.store import symbols
from include.insight_invest.store.database import Connection
from include.insight_invest.store.listed import define_listing, record_listing
from include.insight_invest.store.load import LoadContext
from include.insight_invest.store.universe import targets
from tests.store.rows import bars, instant, load, ticker

CONTEXT = LoadContext(1, instant("2026-03-20 09"))
DAYS = [date(2026, 3, day) for day in (9, 10, 11, 12, 13, 16, 17)]


def listings(connection: Connection, *days: tuple[date, str]) -> list[str]:
    """Record listings, each written as its tickers with blanks between; what they say."""
    told: list[str] = []
    for day, tickers in days:
        told += record_listing(connection, "KR", day, tickers.split(), "krx", CONTEXT)
    return told


def known(
    connection: Connection, columns: str = "ticker, listed_from::text, delisted_on::text"
) -> list[tuple[Any, ...]]:
    return connection.execute(f"select {columns} from tb_meta order by meta_id".encode()).fetchall()


@pytest.fixture
def two(connection: Connection) -> Connection:
    """A and B are known, and listed on the first day."""
    ticker(connection, "A", "KR")
    ticker(connection, "B", "KR")
    listings(connection, (DAYS[0], "A B"))
    return connection


class TestDelisting:
    """Five sessions' listings in a row."""

    def test_four_absences_are_not_enough(self, two: Connection) -> None:
        assert listings(two, *((day, "A") for day in DAYS[1:5])) == []
        assert known(two) == [("A", None, None), ("B", None, None)]
        assert [target.ticker for target in targets(two, "KR", session=DAYS[4])] == ["A", "B"]

    def test_five_are_and_the_first_is_the_day(self, two: Connection) -> None:
        told = listings(two, *((day, "A") for day in DAYS[1:6]))
        assert told == ["B was delisted on 2026-03-10: 5 sessions' listings lack it"]
        assert known(two) == [("A", None, None), ("B", None, "2026-03-10")]
        assert [target.ticker for target in targets(two, "KR", session=DAYS[5])] == ["A"]
        assert [target.ticker for target in targets(two, "KR", session=DAYS[0])] == ["A", "B"]
        assert [target.ticker for target in targets(two, "KR", ("B",), session=DAYS[5])] == ["B"]
        assert listings(two, (DAYS[6], "A")) == []

    def test_one_session_read_again_and_again_is_one(self, two: Connection) -> None:
        listings(two, *((DAYS[1], "A") for _ in range(9)))
        assert known(two)[1] == ("B", None, None)
        assert two.execute("select session_date::text, source from tb_absence").fetchall() == [("2026-03-10", "krx")]

    def test_a_day_that_has_it_begins_the_count_anew(self, two: Connection) -> None:
        days = [(day, "A") for day in DAYS[1:4]] + [(DAYS[4], "A B")] + [(day, "A") for day in DAYS[5:]]
        assert listings(two, *days) == []
        assert known(two)[1] == ("B", None, None)

    def test_a_later_reading_that_has_it_takes_the_absence_back(self, two: Connection) -> None:
        listings(two, (DAYS[1], "A"), (DAYS[1], "A B"))
        assert two.execute("select count(*) from tb_absence").fetchall() == [(0,)]

    def test_who_comes_back_is_listed_again(self, two: Connection) -> None:
        listings(two, *((day, "A") for day in DAYS[1:6]))
        assert listings(two, (DAYS[6], "A B")) == ["B is listed again, on 2026-03-17"]
        assert known(two)[1] == ("B", None, None)

    def test_the_order_of_reading_does_not_matter(self, two: Connection) -> None:
        listings(two, *((day, "A") for day in reversed(DAYS[1:6])))
        assert known(two)[1] == ("B", None, "2026-03-10")

    def test_who_was_never_listed_is_not_missed(self, two: Connection) -> None:
        """US listings hold no funds: SPY's absence says nothing."""
        ticker(two, "SPY", "KR")
        listings(two, *((day, "A B") for day in DAYS[1:7]))
        assert known(two)[2] == ("SPY", None, None)

    def test_half_a_listing_is_no_evidence(self, connection: Connection) -> None:
        names = [f"T{number}" for number in range(100)]
        for name in names:
            ticker(connection, name, "KR")
        listings(connection, (DAYS[0], " ".join(names)))
        assert listings(connection, (DAYS[1], " ".join(names[:50]))) == [
            "the listing of 2026-03-10 lacks 50 of 100 tickers that earlier ones had: no evidence"
        ]
        assert connection.execute("select count(*) from tb_absence").fetchall() == [(0,)]
        assert listings(connection, (DAYS[1], " ".join(names[:94]))) == []
        assert connection.execute("select count(*) from tb_absence").fetchall() == [(6,)]


def test_a_new_listing_is_dated_but_not_by_the_first_that_was_read(two: Connection) -> None:
    ticker(two, "NEW", "KR")
    listings(two, (DAYS[1], "A B NEW"))
    assert known(two, "ticker, first_listed::text, listed_from::text") == [
        ("A", "2026-03-09", None),
        ("B", "2026-03-09", None),
        ("NEW", "2026-03-10", "2026-03-10"),
    ]


class TestRenames:
    """The bars stay where they are; the symbols have ranges."""

    @pytest.fixture(autouse=True)
    def _facebook(self, connection: Connection) -> None:
        ticker(connection, "FB")
        load(connection, bars(("2022-06-08", 1.0, 1.0, 1.0, 1.0, 1.0, "2022-06-08")))

    def test_one_identity(self, connection: Connection) -> None:
        assert symbols.rename(connection, "US", "FB", "META", on=date(2022, 6, 9), evidence="Nasdaq") == 1
        assert known(connection, "meta_id, ticker") == [(1, "META")]
        assert ranges(connection) == [("FB", "1900-01-01", "2022-06-08"), ("META", "2022-06-09", None)]
        assert symbols.renamed(connection, "US", ["FB", "MSFT"]) == {"FB": ("META", date(2022, 6, 9))}
        assert symbols.present_symbols(connection, "US", date(2022, 6, 8)) == {"FB": "META"}
        assert symbols.present_symbols(connection, "US", date(2022, 6, 9)) == {}

    def test_a_reused_symbol_is_a_new_identity(self, connection: Connection) -> None:
        symbols.rename(connection, "US", "FB", "META", on=date(2022, 6, 9), evidence="Nasdaq")
        ticker(connection, "FB")
        assert known(connection, "meta_id, ticker") == [(1, "META"), (2, "FB")]

    def test_twice(self, connection: Connection) -> None:
        symbols.rename(connection, "US", "FB", "META", on=date(2022, 6, 9), evidence="first")
        symbols.rename(connection, "US", "META", "MTA", on=date(2026, 1, 2), evidence="second")
        assert ranges(connection) == [
            ("FB", "1900-01-01", "2022-06-08"),
            ("META", "2022-06-09", "2026-01-01"),
            ("MTA", "2026-01-02", None),
        ]
        assert symbols.renamed(connection, "US", ["FB"])["FB"][0] == "MTA"

    def test_a_definition_without_a_bar_gives_way(self, connection: Connection) -> None:
        ticker(connection, "META")
        symbols.rename(connection, "US", "FB", "META", on=date(2022, 6, 9), evidence="Nasdaq")
        assert known(connection, "meta_id, ticker") == [(1, "META")]

    @pytest.mark.parametrize(
        ("old", "new", "on", "message"),
        [
            ("NOPE", "META", date(2022, 6, 9), "NOPE is not in the US universe"),
            ("FB", "MSFT", date(2022, 6, 9), "MSFT is in the US universe with rows of its own"),
            ("FB", "FB", date(2022, 6, 9), "FB is its name already"),
        ],
    )
    def test_what_cannot_be(self, connection: Connection, old: str, new: str, on: date, message: str) -> None:
        ticker(connection, "MSFT")
        load(connection, bars(("2022-06-08", 1.0, 1.0, 1.0, 1.0, 1.0, "2022-06-08"), meta_id=2))
        with pytest.raises(UsageError, match=message):
            symbols.rename(connection, "US", old, new, on=on, evidence="x")

    def test_taken_back(self, connection: Connection) -> None:
        symbols.rename(connection, "US", "FB", "META", on=date(2022, 6, 9), evidence="a mistake")
        assert not symbols.undo(connection, "US", "META", "FB", on=date(2022, 6, 10))
        assert not symbols.undo(connection, "US", "META", "MSFT", on=date(2022, 6, 9))
        assert symbols.undo(connection, "US", "META", "FB", on=date(2022, 6, 9))
        assert known(connection, "meta_id, ticker") == [(1, "FB")]
        assert ranges(connection) == [("FB", "1900-01-01", None)]
        symbols.rename(connection, "US", "FB", "META", on=date(2022, 6, 8), evidence="the right day")
        assert ranges(connection) == [("FB", "1900-01-01", "2022-06-07"), ("META", "2022-06-08", None)]

    def test_who_has_its_first_symbol_again_has_no_other(self, connection: Connection) -> None:
        symbols.rename(connection, "US", "FB", "META", on=date(2022, 6, 9), evidence="x")
        symbols.rename(connection, "US", "META", "FB", on=date(2022, 6, 10), evidence="x")
        assert symbols.renamed(connection, "US", ["FB", "META"]) == {"META": ("FB", date(2022, 6, 10))}

    def test_not_before_the_name_it_has(self, connection: Connection) -> None:
        symbols.rename(connection, "US", "FB", "META", on=date(2022, 6, 9), evidence="x")
        with pytest.raises(UsageError, match="META has had its name since 2022-06-09"):
            symbols.rename(connection, "US", "META", "MTA", on=date(2022, 6, 9), evidence="x")


class TestListings:
    """What a listing that carries ISINs says of who is who."""

    def listing(self, *shares: tuple[str, str]) -> pd.DataFrame:
        rows = pd.DataFrame(shares, columns=["ticker", "isin"])
        return rows.assign(name=rows["ticker"], security_type="STOCK", iso_code="KR")

    def take(self, connection: Connection, day: date, *shares: tuple[str, str], update: bool = True) -> list[str]:
        taken = define_listing(
            connection, self.listing(*shares), iso_code="KR", session=day, context=CONTEXT, update=update
        )
        told = record_listing(connection, "KR", day, {code for code, _ in shares}, "krx", CONTEXT)
        return taken.notes + told

    def test_another_code_with_the_same_isin_is_the_same_share(self, connection: Connection) -> None:
        self.take(connection, DAYS[0], ("005930", "KR7005930003"), ("000660", "KR7000660001"))
        told = self.take(connection, DAYS[1], ("005931", "KR7005930003"), ("000660", "KR7000660001"))
        assert told == ["005930 is called 005931 since 2026-03-10: the ISIN is the same, KR7005930003"]
        assert known(connection, "meta_id, ticker") == [(1, "005931"), (2, "000660")]
        assert connection.execute("select count(*) from tb_absence").fetchall() == [(0,)]

    def test_a_delisted_shares_code_with_another_isin_is_another_share(self, connection: Connection) -> None:
        others = [(f"{number:06d}", f"KR7{number:06d}000") for number in range(20)]
        self.take(connection, DAYS[0], *others, ("059120", "KR7059120000"))
        for day in DAYS[1:6]:
            self.take(connection, day, *others)
        told = self.take(connection, DAYS[6], *others, ("059120", "KR7999990009"))
        assert told == [
            "059120 is another share since 2026-03-17, KR7999990009: the one delisted on 2026-03-10 is called "
            "059120@2026-03-10"
        ]
        assert known(connection, "ticker, isin, delisted_on::text")[20:] == [
            ("059120@2026-03-10", "KR7059120000", "2026-03-10"),
            ("059120", "KR7999990009", None),
        ]

    def test_a_listing_of_before_is_read_with_the_codes_of_then(self, connection: Connection) -> None:
        self.take(connection, DAYS[1], ("005930", "KR7005930003"))
        self.take(connection, DAYS[2], ("005931", "KR7005930003"))
        assert self.take(connection, DAYS[0], ("005930", "KR7005930003"), update=False) == []
        assert known(connection, "ticker, first_listed::text") == [("005931", "2026-03-09")]

    def test_a_code_that_keeps_its_name_with_another_isin_is_the_same_share(self, connection: Connection) -> None:
        self.take(connection, DAYS[0], ("005930", "KR7005930003"))
        assert self.take(connection, DAYS[1], ("005930", "KR7005930011")) == []
        assert known(connection, "ticker, isin") == [("005930", "KR7005930011")]

    def test_two_codes_of_one_isin_rename_nobody(self, connection: Connection) -> None:
        self.take(connection, DAYS[0], ("005930", "KR7005930003"))
        self.take(connection, DAYS[1], ("005931", "KR7005930003"), ("005932", "KR7005930003"))
        assert [row[0] for row in known(connection)] == ["005930", "005931", "005932"]


def ranges(connection: Connection) -> list[tuple[Any, ...]]:
    return connection.execute(
        "select ticker, valid_from::text, valid_until::text from tb_symbol order by valid_from"
    ).fetchall()
