"""What new answers are measured against: the last closes, the bars of the eve, a sample that goes round the market."""

from datetime import date

import pandas as pd
import pytest

from include.insight_invest.store.database import Connection
from include.insight_invest.store.recent import closes, eve_bars, sample
from include.insight_invest.updaters.comparison import GOLDEN_SECTION

EVE, SESSION = date(2026, 1, 6), date(2026, 1, 7)


@pytest.fixture
def market(connection: Connection) -> Connection:
    """200 shares, number N closing at N on the eve and at N + 0.5 on the day; the first ten of the day are Naver's."""
    connection.execute(
        """
        insert into tb_meta (meta_id, ticker, security_type, iso_code)
        select n, 'T' || n, case n when 200 then 'ETF' else 'STOCK' end, 'KR' from generate_series(1, 200) as n;
        insert into tb_bar (
            meta_id, trade_date, close, volume, basis_date, source, currency, observed_at, final, run_id)
        select n, day, n + (day - date '2026-01-06') * 0.5, 100, day,
               case when n <= 10 and day = '2026-01-07' then 'naver' else 'krx' end, 'KRW', now(), false, 1
        from generate_series(1, 200) as n, unnest(array[date '2026-01-06', date '2026-01-07']) as day
        """
    )
    return connection


def test_closes_are_in_the_shares_of_the_session(market: Connection) -> None:
    market.execute(
        "insert into tb_action (meta_id, ex_date, kind, value, basis_date, source, currency, observed_at, run_id) "
        "values (2, '2026-01-07', 'split', 4, '2026-01-07', 'x', 'KRW', now(), 1)"
    )
    frame = closes(market, "KR", date(2026, 1, 1), SESSION)
    assert len(frame) == 199  # no ETF: the exchanges' listings have none
    assert frame[frame["ticker"].isin(["T2", "T3"])].to_dict("records") == [
        {"ticker": "T2", "trade_date": pd.Timestamp(EVE), "close": 0.5},
        {"ticker": "T3", "trade_date": pd.Timestamp(EVE), "close": 3.0},
    ]


def test_the_eve_and_who_has_gone_on(market: Connection) -> None:
    market.execute("delete from tb_bar where meta_id = 2 and trade_date = '2026-01-07'")
    frame = eve_bars(market, [1, 2, 999], EVE, SESSION).sort_values("meta_id")
    assert frame[["meta_id", "close", "volume", "has_next"]].to_dict("records") == [
        {"meta_id": 1, "close": 1.0, "volume": 100.0, "has_next": True},
        {"meta_id": 2, "close": 2.0, "volume": 100.0, "has_next": False},
    ]


class TestSample:
    """N bars of the best source, from a place on the circle on which every ticker has its own."""

    def test_it_is_of_the_best_source(self, market: Connection) -> None:
        frame, total = sample(market, "KR", SESSION, source="krx", place=0.5, size=500)
        assert (len(frame), total) == (190, 190)
        assert frame[frame["ticker"] == "T11"][["meta_id", "close", "volume"]].values.tolist() == [[11, 11.5, 100.0]]

    def test_the_same_place_gives_the_same_and_half_the_circle_on_others(self, market: Connection) -> None:
        one, again, other = (
            set(sample(market, "KR", SESSION, source="krx", place=place, size=50)[0]["ticker"])
            for place in (0.2, 0.2, 0.7)
        )
        assert one == again
        assert not one & other

    def test_a_golden_section_further_on_each_time_it_meets_everybody_in_three_rounds(self, market: Connection) -> None:
        met: set[str] = set()
        for number in range(3 * 190 // 10):
            place = (9000 + number) * GOLDEN_SECTION % 1
            met |= set(sample(market, "KR", SESSION, source="krx", place=place, size=10)[0]["ticker"])
        assert len(met) == 190

    def test_of_a_session_without_bars_there_is_none(self, market: Connection) -> None:
        frame, total = sample(market, "US", SESSION, source="yahoo", place=0.0, size=50)
        assert (len(frame), total) == (0, 0)
