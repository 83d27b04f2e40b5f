"""What a whole answer must satisfy: of one that does not, nothing is loaded."""

from datetime import date
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest

from include.insight_invest.checks.batch import bad_batch
from include.insight_invest.sources.krx_rows import snapshot_bars

EVE, UNTIL = date(2026, 1, 6), date(2026, 1, 7)


def eve(tickers: int, *, has_next: bool = False) -> pd.DataFrame:
    """What is stored of the session before: number N closed at N, of a volume of 100."""
    rows = [(n, n - 0.5, n + 1.0, n - 1.0, float(n), 100.0, has_next) for n in range(1, tickers + 1)]
    return pd.DataFrame(rows, columns=["meta_id", "open", "high", "low", "close", "volume", "has_next"])


def bars(*numbers: int, day: date = UNTIL, close: float = 0.25, volume: float = 100.0) -> pd.DataFrame:
    """Bars of ``numbers``; those of the session before but for ``close`` more."""
    rows = [(n, n - 0.5, n + 1.0, n - 1.0, n + close, volume, pd.Timestamp(day)) for n in numbers]
    return pd.DataFrame(rows, columns=["meta_id", "open", "high", "low", "close", "volume", "trade_date"])


def verdict(answer: pd.DataFrame, stored: pd.DataFrame) -> str | None:
    return bad_batch(answer, stored, eve_day=EVE, until=UNTIL)


@pytest.mark.parametrize(
    ("there", "known", "why"),
    [
        (5, 10, None),
        (4, 10, "only 40% of the 10 tickers that had a bar in the session before have one of 2026-01-07"),
        (1, 9, None),  # nine tickers say nothing of their source
        (80, 100, None),
        (79, 100, "only 79% of the 100 tickers that had a bar in the session before have one of 2026-01-07"),
        (0, 100, None),  # the market was closed, or the source is down: another rule's matter
    ],
)
def test_the_share_of_tickers_that_are_there(there: int, known: int, why: str | None) -> None:
    said = verdict(bars(*range(1, there + 1)), eve(known))
    assert said == why if why is None else (said or "").startswith(why)


def test_tickers_that_were_not_there_before_do_not_count() -> None:
    assert "only 0% of the 10" in (verdict(bars(11, 12, 13), eve(10)) or "")


class TestCopies:
    """A vendor that repeats the session before as a new one."""

    @pytest.mark.parametrize(("copies", "bad"), [(10, True), (6, True), (5, False), (0, False)])
    def test_more_than_half_of_the_traded_bars(self, copies: int, bad: bool) -> None:
        answer = bars(*range(1, 11))
        answer.loc[: copies - 1, "close"] -= 0.25
        said = verdict(answer, eve(10))
        assert said == (
            f"{copies / 10:.0%} of its bars of 2026-01-07 are copies of the session before, to the volume"
            if bad
            else None
        )

    def test_the_same_prices_of_another_volume_are_no_copy(self) -> None:
        assert verdict(bars(*range(1, 11), close=0.0, volume=101.0), eve(10)) is None

    def test_bars_without_a_trade_do_not_count(self) -> None:
        """A halted share repeats its close for weeks."""
        halted = eve(10).assign(volume=0.0)
        assert verdict(bars(*range(1, 11), close=0.0, volume=0.0), halted) is None

    def test_closes_alone_repeat_too(self) -> None:
        answer = bars(*range(1, 11), close=0.0).assign(open=float("nan"), high=float("nan"), low=float("nan"))
        assert "100% of its bars" in (verdict(answer, eve(10)) or "")


class TestShrunken:
    """An answer that ends before what it gave already."""

    @pytest.mark.parametrize(
        ("newest", "has_next", "stored"),
        [
            (EVE, True, "2026-01-07"),
            (date(2026, 1, 5), False, "2026-01-06"),
            (EVE, False, None),
        ],
    )
    def test_its_newest_bar(self, newest: date, has_next: bool, stored: str | None) -> None:
        said = verdict(bars(*range(1, 11), day=newest), eve(10, has_next=has_next))
        assert said == (f"the answer shrank: its newest bar is of {newest}, stored is {stored}" if stored else None)

    def test_an_answer_without_a_bar_is_no_batch(self) -> None:
        assert verdict(bars(), eve(10, has_next=True)) is None


class TestRealListings:
    """KRX's listings of March 2026, a session after the other."""

    @pytest.mark.parametrize(
        ("name", "why"),
        [
            ("krx-2026-03-19.csv", None),
            ("krx-2026-03-19@3c39e37.csv", None),  # half a day's, but of that day
            ("krx-2026-03-18.csv", "100% of its bars of 2026-01-07 are copies"),  # Wednesday's as Thursday's
        ],
    )
    def test_whole(self, shared_data: Path, name: str, why: str | None) -> None:
        said = verdict(self._bars(shared_data, name), self._stored(shared_data))
        assert said is None if why is None else why in (said or "")

    @pytest.mark.parametrize(("share", "bad"), [(0.5, True), (0.79, True), (0.81, False)])
    def test_cut_at_a_row(self, shared_data: Path, share: float, bad: bool) -> None:
        whole = self._bars(shared_data, "krx-2026-03-19.csv")
        said = verdict(whole[: int(len(whole) * share)], self._stored(shared_data))
        assert (said is not None) == bad

    def _bars(self, folder: Path, name: str) -> pd.DataFrame:
        listing = pd.read_csv(folder / "krx_listing" / name, index_col=0, dtype={"Code": str})
        wednesday = pd.read_csv(folder / "krx_listing" / "krx-2026-03-18.csv", dtype={"Code": str})
        return snapshot_bars(listing, {code: n for n, code in enumerate(wednesday["Code"])}, UNTIL)

    def _stored(self, folder: Path) -> pd.DataFrame:
        return self._bars(folder, "krx-2026-03-18.csv").assign(has_next=False).drop(columns=["ticker", "trade_date"])


@pytest.mark.parametrize("file", ["marcap-2023.csv.gz", "marcap-2026.parquet"])
def test_no_session_of_the_korean_market_is_refused(shared_data: Path, file: str) -> None:
    path = shared_data / "marcap" / file
    market = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, dtype={"Code": str})
    market = market.reset_index().rename(columns=str.lower).rename(columns={"date": "trade_date"})
    market["trade_date"] = pd.to_datetime(market["trade_date"])
    market["meta_id"] = market["code"].astype("category").cat.codes
    days = sorted(market["trade_date"].unique())
    assert len(days) >= 30
    for before, day in pairwise(days):
        stored, answer = (market[market["trade_date"] == moment].drop_duplicates("meta_id") for moment in (before, day))
        stored = stored.assign(has_next=False)
        assert bad_batch(answer, stored, eve_day=before.date(), until=day.date()) is None
