"""A split restates a source's whole history, and changes no stored bar."""

import pytest

from include.insight_invest.store.database import Connection
from tests.store.rows import NAN, actions, bars, counted, load, prices, revisions, stored_bars, ticker


@pytest.fixture(autouse=True)
def nvda(connection: Connection) -> None:
    ticker(connection, "NVDA")


BEFORE = ("2021-07-16", 756.0, 760.0, 720.0, 728.0, 1000, "2021-07-16")
RESTATED = ("2021-07-16", 189.0, 190.0, 180.0, 182.0, 4000, "2021-07-20")
SPLIT = ("2021-07-20", "split", 4.0, "2021-07-20")


def test_a_quote_restated_after_a_split_changes_nothing(connection: Connection) -> None:
    load(connection, bars(BEFORE))
    load(connection, events=actions(SPLIT))
    assert counted(load(connection, bars(RESTATED))) == (0, 0, 1)
    assert stored_bars(connection) == [(*BEFORE, "yahoo")]


def test_the_split_may_land_in_the_same_transaction(connection: Connection) -> None:
    load(connection, bars(BEFORE))
    ex_day = ("2021-07-20", 187.0, 188.0, 185.0, 186.0, 5000, "2021-07-20")
    counts = load(connection, bars(RESTATED, ex_day), actions(SPLIT))
    assert (counts.new, counts.changed, counts.unchanged, counts.actions_new) == (1, 0, 1, 1)
    assert stored_bars(connection) == [(*BEFORE, "yahoo"), (*ex_day, "yahoo")]


def test_a_correction_after_a_split_is_stored_as_quoted(connection: Connection) -> None:
    load(connection, bars(BEFORE))
    corrected = ("2021-07-16", 189.0, 190.0, 180.0, 183.0, 4400, "2021-07-20")
    assert counted(load(connection, bars(corrected), actions(SPLIT))) == (0, 1, 0)
    assert stored_bars(connection) == [(*corrected, "yahoo")]
    assert revisions(connection) == [("2021-07-16", 728.0, 1000, "yahoo", 1, 2)]


def test_a_value_that_a_restated_quote_lacks_is_put_into_its_shares(connection: Connection) -> None:
    load(connection, bars(BEFORE), actions(SPLIT))
    assert counted(load(connection, bars(("2021-07-16", NAN, NAN, 180.0, 183.0, NAN, "2021-07-20")))) == (0, 1, 0)
    assert stored_bars(connection) == [("2021-07-16", 189.0, 190.0, 180.0, 183.0, 4000, "2021-07-20", "yahoo")]


def test_a_quote_restated_for_a_split_that_lands_later_is_right_in_the_end(connection: Connection) -> None:
    """The sources of some markets do not name their splits: the quote says in whose shares it is, and that is kept."""
    eve = ("2021-07-19", 748.0, 752.0, 740.0, 744.0, 900, "2021-07-19")
    load(connection, bars(BEFORE, eve))
    assert counted(load(connection, bars(RESTATED))) == (0, 1, 0)
    assert stored_bars(connection) == [(*RESTATED, "yahoo"), (*eve, "yahoo")]
    load(connection, events=actions(SPLIT))
    assert [row[:2] for row in prices(connection)] == [("2021-07-16", 182.0), ("2021-07-19", 186.0)]


def test_a_past_run_repeated_quotes_in_the_older_shares(connection: Connection) -> None:
    load(connection, bars(RESTATED), actions(SPLIT))
    assert counted(load(connection, bars(BEFORE))) == (0, 0, 1)
    assert stored_bars(connection) == [(*RESTATED, "yahoo")]


def test_several_splits_between_two_quotes(connection: Connection) -> None:
    load(connection, bars(BEFORE))
    splits = actions(SPLIT, ("2024-06-10", "split", 10.0, "2024-06-10"))
    today = ("2021-07-16", 18.9, 19.0, 18.0, 18.2, 40_000, "2024-06-10")
    assert counted(load(connection, bars(today), splits)) == (0, 0, 1)


def test_a_split_on_the_basis_date_is_already_in_the_quote(connection: Connection) -> None:
    load(connection, bars(RESTATED), actions(SPLIT))
    later = (*RESTATED[:6], "2021-07-21")
    assert counted(load(connection, bars(later))) == (0, 0, 1)


def test_a_consolidation_leaves_volume_alone(connection: Connection) -> None:
    """One new share for fifty old: Yahoo's restated volume is cut to whole shares."""
    load(connection, bars(("2026-03-18", 1.0, 1.2, 0.9, 1.1, 1_234_567, "2026-03-18")))
    restated = ("2026-03-18", 50.0, 60.0, 45.0, 55.0, 24_691, "2026-03-20")
    split = actions(("2026-03-20", "split", 0.02, "2026-03-20"))
    assert counted(load(connection, bars(restated), split)) == (0, 0, 1)


def test_volume_put_back_into_older_shares_is_rounded_the_same_way_twice(connection: Connection) -> None:
    """A past run, after a later split, gives a volume that is no whole number of shares."""
    past = ("2021-07-16", 756.0, 760.0, 720.0, 728.0, 1003 / 4, "2021-07-16")
    assert counted(load(connection, bars(past))) == (1, 0, 0)
    assert counted(load(connection, bars(past))) == (0, 0, 1)


TEN_TO_ONE = ("2026-03-18", "split", 0.1, "2026-03-18")
ONE_TO_THREE = ("2026-03-20", "split", 3.0, "2026-03-20")


@pytest.mark.parametrize(("volume", "changed"), [(370_368, 0), (370_370, 0), (370_366, 0), (370_365, 1), (370_375, 1)])
def test_volume_restated_by_two_splits_was_cut_to_whole_shares_twice(
    connection: Connection, volume: int, changed: int
) -> None:
    """1,234,567 shares are 123,456 after a consolidation of 10 to 1, and three times that after 1:3."""
    load(connection, bars(("2026-03-17", 1.0, 1.2, 0.9, 1.1, 1_234_567, "2026-03-17")))
    restated = bars(("2026-03-17", 10 / 3, 4.0, 3.0, 11 / 3, volume, "2026-03-20"))
    assert counted(load(connection, restated, actions(TEN_TO_ONE, ONE_TO_THREE)))[1] == changed


def test_a_past_run_does_not_take_a_cut_volume_for_a_correction(connection: Connection) -> None:
    """123,456 shares of today are 1,234,560 of that day, where 1,234,567 are stored."""
    load(connection, bars(("2026-03-17", 1.0, 1.2, 0.9, 1.1, 1_234_567, "2026-03-17")))
    load(connection, events=actions(TEN_TO_ONE))
    assert counted(load(connection, bars(("2026-03-17", 1.0, 1.2, 0.9, 1.1, 1_234_560, "2026-03-17")))) == (0, 0, 1)
    assert counted(load(connection, bars(("2026-03-17", 1.0, 1.2, 0.9, 1.1, 1_234_540, "2026-03-17")))) == (0, 1, 0)


# Naver: whole won, and volume in the day's own shares whatever the prices ------------------------------------------

SAMSUNG = ("2018-04-27", 2_669_000, 2_682_000, 2_622_000, 2_650_000, 606_216, "2018-04-27")
NAVER = ("2018-04-27", 53_380, 53_640, 52_440, 53_000, 606_216, "2018-05-04")
FIFTY = ("2018-05-04", "split", 50.0, "2018-05-04")


def test_naver_restates_prices_but_not_volume(connection: Connection) -> None:
    naver = {"source": "naver", "currency": "KRW"}
    load(connection, bars(SAMSUNG), **naver, volume_is_adjusted=False)  # type: ignore[arg-type]
    restated = load(connection, bars(NAVER), actions(FIFTY), **naver, volume_is_adjusted=False)  # type: ignore[arg-type]
    assert counted(restated) == (0, 0, 1)


def test_a_naver_bar_is_stored_with_its_volume_in_the_shares_of_its_prices(connection: Connection) -> None:
    """So that its volume beside the ones of KRX, traded in their own shares, is in one unit."""
    ex_day = ("2018-05-04", 53_000, 53_900, 51_800, 51_900, 39_565_391, "2018-05-04")
    load(connection, events=actions(FIFTY))
    load(connection, bars(SAMSUNG), source="krx", currency="KRW")
    load(connection, bars(ex_day), source="krx", currency="KRW")
    volumes = connection.execute("select volume from tb_price order by trade_date").fetchall()
    connection.execute("truncate tb_bar")
    assert load_won(connection, NAVER) == (1, 0, 0)
    assert load_won(connection, ex_day) == (1, 0, 0)
    assert [row[5] for row in stored_bars(connection)] == [30_310_800, 39_565_391]
    assert connection.execute("select volume from tb_price order by trade_date").fetchall() == volumes


def load_won(
    connection: Connection, quoted: tuple[str, float, float, float, float, float, str]
) -> tuple[int, int, int]:
    return counted(load(connection, bars(quoted), source="naver", currency="KRW", volume_is_adjusted=False))


def test_whole_won_after_50_to_1_are_no_change(connection: Connection) -> None:
    """2,650,024 / 50 is 53,000.48, which Naver writes as 53,000; 2,650,030 / 50 would be 53,001."""
    load(connection, events=actions(FIFTY))
    load_won(connection, ("2018-04-27", 2_669_000, 2_682_000, 2_622_000, 2_650_024, 606_216, "2018-04-27"))
    assert load_won(connection, NAVER) == (0, 0, 1)
    assert load_won(connection, ("2018-04-27", 53_380, 53_640, 52_440, 53_002, 606_216, "2018-05-04")) == (0, 1, 0)


def test_whole_won_read_back_in_the_older_shares_are_no_change(connection: Connection) -> None:
    load(connection, events=actions(FIFTY))
    load_won(connection, NAVER)
    assert load_won(connection, ("2018-04-27", 2_669_000, 2_682_000, 2_622_000, 2_650_024, 606_216, "2018-04-27")) == (
        0,
        0,
        1,
    )


def test_dollars_are_not_rounded_to_anything(connection: Connection) -> None:
    load(connection, bars(BEFORE), actions(SPLIT))
    cent = ("2021-07-16", 189.0, 190.0, 180.0, 182.01, 4000, "2021-07-20")
    assert counted(load(connection, bars(cent))) == (0, 1, 0)
