"""FRED: every vintage, Chicago's clock, what its errors become, and a key that is never told."""

import json
import logging
import traceback
import urllib.request
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from include.insight_invest.errors import ConfigurationError, NotFound, SourceError, SourceUnavailable, Throttled
from include.insight_invest.sources import fred as module
from include.insight_invest.sources.fred import Description, Fred, Vintages
from tests.folders import write_fred
from tests.replay import Fault, Replay
from tests.replay_tests.clients import at
from tests.sources.asking import KEY, fast

NOW = at("2026-03-20T12:00")
LONGEST_DAY = timedelta(hours=25)  # when the clocks go back
RATE = [
    ("2025-10-01", "2025-11-05", "3.0"),
    ("2025-10-01", "2025-12-05", "3.1"),
    ("2025-11-01", "2025-12-05", "."),
    ("2025-12-01", "2026-01-09", "3.3"),
]


@pytest.fixture(autouse=True)
def _no_opener_left_behind() -> Iterator[None]:
    """fredapi installs an opener for the whole process."""
    yield
    urllib.request.install_opener(None)


@pytest.fixture
def folder(replay: Replay, tmp_path: Path) -> Path:
    """A data folder that the replay serves, with the series RATE."""
    write_fred(tmp_path, "RATE", RATE)
    replay.load(tmp_path)
    return tmp_path


def rows(answers: Iterable[Vintages]) -> list[tuple[str, str, Any]]:
    """(base_date, realtime_start, value); None where FRED has no value."""
    return [
        (str(day.date()), str(start.date()), None if value != value else value)
        for answer in answers
        for day, start, value in answer.rows[["base_date", "realtime_start", "value"]].itertuples(
            index=False, name=None
        )
    ]


def windows(answers: Iterable[Vintages]) -> list[tuple[str, str, int]]:
    """(start, end, how many rows)."""
    return [(str(answer.start), str(answer.end), len(answer.rows)) for answer in answers]


def test_every_vintage_and_a_hole_is_a_hole(folder: Path, replay: Replay) -> None:
    fred = Fred(fast())
    assert rows(fred.vintages("RATE", None, NOW)) == [
        ("2025-10-01", "2025-11-05", 3.0),
        ("2025-10-01", "2025-12-05", 3.1),
        ("2025-11-01", "2025-12-05", None),
        ("2025-12-01", "2026-01-09", 3.3),
    ]
    assert (fred.requests, replay.counts) == (2, {"fred": 2})


def test_since_is_one_request_for_what_came_after(folder: Path, replay: Replay) -> None:
    fred = Fred(fast())
    found = rows(fred.vintages("RATE", date(2025, 12, 6), NOW))
    assert found == [
        ("2025-10-01", "2025-12-06", 3.1),  # FRED cuts realtime_start to the window; the store knows it for a repeat
        ("2025-11-01", "2025-12-06", None),
        ("2025-12-01", "2026-01-09", 3.3),
    ]
    assert (fred.requests, replay.counts) == (1, {"fred": 1})


def test_a_past_run_sees_what_was_known_then(folder: Path) -> None:
    assert rows(Fred(fast()).vintages("RATE", None, at("2025-12-01T12:00"))) == [("2025-10-01", "2025-11-05", 3.0)]
    assert rows(Fred(fast()).vintages("RATE", None, at("2025-11-01T12:00"))) == []


def test_vintage_dates_are_asked_for_in_chunks(folder: Path, replay: Replay) -> None:
    """Each window ends on the eve of the next: together they are all days, and none of them twice."""
    answers = list(Fred(fast(), vintages_per_request=1).vintages("RATE", None, NOW))
    assert windows(answers) == [
        ("2025-11-05", "2025-12-04", 1),
        ("2025-12-05", "2026-01-08", 2),
        ("2026-01-09", "2026-03-20", 3),
    ]
    assert replay.counts["fred"] == 4
    # a later answer repeats what still held at its start, under that day: the same news, and nothing else
    assert set(rows(Fred(fast()).vintages("RATE", None, NOW))) <= set(rows(answers))


def test_a_first_load_that_was_cut_short_goes_on_in_chunks(folder: Path, replay: Replay) -> None:
    """From the last vintage that was stored there may be more than FRED answers at once."""
    answers = list(Fred(fast(), vintages_per_request=2).vintages("RATE", date(2025, 11, 5), NOW))
    assert windows(answers) == [("2025-11-05", "2026-01-08", 3), ("2026-01-09", "2026-03-20", 3)]
    assert replay.counts["fred"] == 3  # the vintage dates, then two at a time


def test_an_answer_that_fred_may_have_cut_is_asked_for_in_halves(
    folder: Path, replay: Replay, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = rows(Fred(fast()).vintages("RATE", None, NOW))
    monkeypatch.setattr(module, "ROWS_PER_REQUEST", 4)
    replay.counts.clear()
    parts = list(Fred(fast()).vintages("RATE", None, NOW))
    assert [len(part.rows) for part in parts] == [3, 3, 3]
    assert replay.counts["fred"] == 6
    assert set(whole) <= set(rows(parts))


@pytest.mark.parametrize(
    ("seoul", "chicago"),
    [
        ("2026-01-09T08:00+09:00", "2026-01-08"),  # winter: Chicago is 15 hours behind
        ("2026-01-09T13:59+09:00", "2026-01-08"),
        ("2026-01-09T14:59+09:00", "2026-01-08"),
        ("2026-01-09T15:00+09:00", "2026-01-09"),
        ("2026-07-09T08:00+09:00", "2026-07-08"),  # summer: 14 hours
        ("2026-07-09T13:59+09:00", "2026-07-08"),
        ("2026-07-09T14:00+09:00", "2026-07-09"),
        ("2026-03-08T08:00+09:00", "2026-03-07"),
        ("2026-03-08T14:59+09:00", "2026-03-07"),  # before the night in which the clocks go forward, still 15 hours
        ("2026-03-08T15:00+09:00", "2026-03-08"),
        ("2026-03-09T13:59+09:00", "2026-03-08"),  # after it, 14
        ("2026-03-09T14:00+09:00", "2026-03-09"),
        ("2026-11-01T13:59+09:00", "2026-10-31"),  # and back in autumn
        ("2026-11-01T14:00+09:00", "2026-11-01"),
        ("2026-11-02T14:59+09:00", "2026-11-01"),
        ("2026-11-02T15:00+09:00", "2026-11-02"),
    ],
)
def test_today_is_chicagos(folder: Path, replay: Replay, seoul: str, chicago: str) -> None:
    """Asked for Seoul's today in its morning, FRED would answer 400: that day has not begun in Chicago."""
    write_fred(folder, "DAILY", [(chicago, chicago, "1.0"), ("2026-12-31", "2026-12-31", "2.0")])
    now = datetime.fromisoformat(seoul)
    replay.move_clock(now)
    assert rows(Fred(fast()).vintages("DAILY", None, now)) == [(chicago, chicago, 1.0)]
    assert rows(Fred(fast()).vintages("DAILY", date.fromisoformat(chicago), now)) == [(chicago, chicago, 1.0)]
    assert Fred(fast()).describe("DAILY", now).title == "DAILY"
    with pytest.raises(SourceUnavailable, match="realtime_end can not be after today's date"):
        rows(Fred(fast(attempts=1)).vintages("DAILY", date.fromisoformat(chicago), now + LONGEST_DAY))


def test_the_last_known_vintage_may_be_of_tomorrow(folder: Path, replay: Replay) -> None:
    assert rows(Fred(fast()).vintages("RATE", date(2026, 3, 21), NOW)) == []
    assert replay.counts["fred"] == 0


def test_an_unknown_series(folder: Path, replay: Replay) -> None:
    with pytest.raises(NotFound, match="FRED does not know NOPE"):
        rows(Fred(fast()).vintages("NOPE", None, NOW))
    assert replay.counts["fred"] == 1


FAILURES = [
    (Fault.TOO_MANY, Throttled, "asks to slow down at RATE (429)", 1),
    (Fault.FORBIDDEN, Throttled, "asks to slow down at RATE (403)", 1),
    (Fault.SERVER_ERROR, SourceUnavailable, "FRED refused RATE: Internal Server Error", 2),
    (Fault.HTML, SourceUnavailable, "FRED's answer for RATE is not XML", 2),
    (Fault.EMPTY, SourceUnavailable, "FRED's answer for RATE is not XML", 2),
    (Fault.TRUNCATED, SourceUnavailable, "FRED's answer for RATE is not XML", 2),
    (Fault.DROP, SourceUnavailable, "FRED did not answer for RATE: IncompleteRead", 2),
    (Fault.TIMEOUT, SourceUnavailable, "FRED did not answer for RATE: TimeoutError", 2),
]


@pytest.mark.parametrize(("kind", "error", "message", "requests"), FAILURES)
def test_failures_are_named_and_the_key_is_not(
    folder: Path,
    replay: Replay,
    caplog: pytest.LogCaptureFixture,
    kind: Fault,
    error: type[SourceError],
    message: str,
    requests: int,
) -> None:
    replay.fault(kind, source="fred")
    fred = Fred(fast(attempts=2, timeout=0.3))
    with caplog.at_level(logging.DEBUG), pytest.raises(error) as caught:
        rows(fred.vintages("RATE", None, NOW))
    assert message in str(caught.value)
    assert fred.requests == replay.counts["fred"] == requests
    told = "".join(traceback.format_exception(caught.value)) + caplog.text
    assert KEY not in told


def test_a_key_that_fred_refuses(folder: Path, replay: Replay, caplog: pytest.LogCaptureFixture) -> None:
    wrong = "NOT-A-KEY-OF-FRED"
    with caplog.at_level(logging.DEBUG), pytest.raises(ConfigurationError, match="FRED refuses FRED_API_KEY") as caught:
        rows(Fred(fast(fred_api_key=wrong)).vintages("RATE", None, NOW))
    assert wrong not in "".join(traceback.format_exception(caught.value)) + caplog.text
    assert replay.counts["fred"] == 1  # the same key is refused again: nothing to wait for


def test_a_failure_that_passes_costs_one_request(folder: Path, replay: Replay) -> None:
    replay.fault(Fault.SERVER_ERROR, source="fred", times=1)
    fred = Fred(fast())
    assert len(rows(fred.vintages("RATE", None, NOW))) == 4
    assert fred.requests == replay.counts["fred"] == 3


def test_all_vintages_of_gdp_equal_the_file(replay: Replay, shared_data: Path) -> None:
    replay.load(shared_data)
    recorded = json.loads((shared_data / "fred" / "GDP.all_releases.json").read_text())["observations"]
    expected = [
        (row["date"], row["realtime_start"], None if row["value"] == "." else float(row["value"])) for row in recorded
    ]
    assert len(expected) == 3199
    assert sorted(rows(Fred(fast()).vintages("GDP", None, NOW)), key=str) == sorted(expected, key=str)
    replay.counts.clear()
    assert set(expected) <= set(rows(Fred(fast(), vintages_per_request=50).vintages("GDP", None, NOW)))
    assert replay.counts["fred"] == 9  # 393 vintage dates, 50 at a time


class TestDescription:
    """What FRED says of a series itself, in one request."""

    def test_of_gdp(self, replay: Replay, shared_data: Path) -> None:
        replay.load(shared_data)
        fred = Fred(fast())
        assert fred.describe("GDP", NOW) == Description(
            "Gross Domestic Product", "Q", datetime(2024, 10, 30, 12, 54, 1, tzinfo=UTC)
        )
        assert (fred.requests, replay.counts) == (1, {"fred": 1})

    def test_of_a_series_that_fred_does_not_know(self, folder: Path) -> None:
        with pytest.raises(NotFound, match="FRED does not know NOPE"):
            Fred(fast()).describe("NOPE", NOW)

    @pytest.mark.parametrize(
        ("title", "frequency", "newest", "reason"),
        [
            ("A rate (DISCONTINUED)", "M", "2026-03-19", "FRED's title says so"),
            ("A rate", "D", "2025-12-17", None),  # 93 days: three releases missed, and a long shutdown
            ("A rate", "D", "2025-12-16", "no release since 2025-12-16, 94 days, of a series whose frequency is D"),
            ("A rate", "M", "2025-09-18", None),  # 183
            ("A rate", "M", "2025-09-17", "no release since 2025-09-17, 184 days, of a series whose frequency is M"),
            ("A rate", "Q", "2025-03-20", None),
            ("A rate", "A", "2023-01-01", None),
            ("A rate", "", "2022-12-01", "no release since 2022-12-01, 1205 days, of a series whose frequency is ?"),
        ],
    )
    def test_whether_it_has_ended(self, title: str, frequency: str, newest: str, reason: str | None) -> None:
        said = Description(title, frequency, None)
        assert said.ended(date.fromisoformat(newest), NOW.date()) == reason
