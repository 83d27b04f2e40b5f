"""Macro series of the demonstration: real values, and when each would have been seen."""

from datetime import date

import pytest

from local.demo_data.macro import SERIES, Frequency, Release, Series, releases

BY_ID = {series.id: series for series in SERIES}


def on(series_id: str, period: date, redate: bool = False) -> Release:
    return next(release for release in releases(BY_ID[series_id], redate) if release.period == period)


@pytest.mark.parametrize(
    ("series_id", "period", "released", "value"),
    [
        ("GDPC1", date(2009, 7, 1), date(2009, 10, 30), "12990.341"),  # 30 days after 30 September
        ("GDPC1", date(1959, 1, 1), date(1959, 4, 30), "2710.349"),
        ("CPILFESL", date(2018, 11, 1), date(2018, 12, 17), "259.481"),  # the 15th was a Saturday
        ("AAA", date(1919, 1, 1), date(1919, 2, 17), "5.35"),
        ("BAA", date(2018, 12, 1), date(2019, 1, 15), "5.13"),
        ("DCOILWTICO", date(2019, 1, 3), date(2019, 1, 4), "46.92"),
        ("VIXCLS", date(2018, 12, 28), date(2018, 12, 31), "28.34"),  # Friday's value is out on Monday
        ("VIXCLS", date(2018, 12, 25), date(2018, 12, 26), "."),
        ("DEMOUNRATEQ", date(2009, 7, 1), date(2009, 10, 30), "9.6"),
    ],
)
def test_values_and_their_release_days(series_id: str, period: date, released: date, value: str) -> None:
    assert on(series_id, period) == Release(period, released, value)


@pytest.mark.parametrize(
    ("series_id", "true", "moved"),
    [
        ("CPILFESL", date(2018, 11, 1), date(2028, 11, 1)),
        ("AAA", date(2018, 12, 1), date(2027, 12, 1)),
        ("GDPC1", date(2009, 7, 1), date(2028, 7, 1)),
        ("VIXCLS", date(2019, 1, 3), date(2028, 1, 6)),  # 470 weeks: a Thursday stays a Thursday
    ],
)
def test_redating_moves_the_last_period_and_keeps_its_value(series_id: str, true: date, moved: date) -> None:
    assert on(series_id, moved, redate=True).value == on(series_id, true).value
    assert releases(BY_ID[series_id], redate=True)[-1].period == moved


@pytest.mark.parametrize("series", SERIES, ids=lambda series: series.id)
def test_every_series_runs_past_2027_in_order_and_on_working_days(series: Series) -> None:
    history = releases(series, redate=True)
    assert history[-1].released > date(2027, 12, 31)
    assert all(release.released > release.period and release.released.weekday() < 5 for release in history)
    assert [release.period for release in history] == sorted({release.period for release in history})
    assert len({release.released for release in history}) == len(history)  # one vintage each, on a day of its own


@pytest.mark.parametrize("series_id", ["DCOILWTICO", "VIXCLS"])
def test_redated_daily_series_stay_on_weekdays(series_id: str) -> None:
    assert {release.period.weekday() for release in releases(BY_ID[series_id], redate=True)} == {0, 1, 2, 3, 4}


def test_one_series_has_more_vintage_dates_than_fred_serves_at_once() -> None:
    vintages = {series.id: len(releases(series, redate=True)) for series in SERIES}
    assert [series_id for series_id, count in vintages.items() if count > 2_000] == ["DCOILWTICO"]


def test_ids_are_fred_s_or_say_that_they_are_not() -> None:
    assert [series.id for series in SERIES] == [
        "CPILFESL",
        "DCOILWTICO",
        "VIXCLS",
        "AAA",
        "BAA",
        "GDPC1",
        "PCECC96",
        "GPDIC1",
        "FGCEC1",
        "DPIC96",
        "DEMOCPIEOQ",
        "DEMOM1EOQ",
        "DEMOTB3AVGQ",
        "DEMOUNRATEQ",
        "DEMOPOPEOQ",
    ]
    assert all(series.id.startswith("DEMO") == ("not a FRED series" in series.title) for series in SERIES)
    assert {series.frequency for series in SERIES} == set(Frequency)
