"""What the benchmark's figures are made of: pairs of the same round, and medians."""

from typing import Any

import pytest

from bench.figures import speed_ratio, summary
from bench.report import GOALS, figures, ratios


def test_a_summary_is_the_ends_and_the_middle() -> None:
    assert summary([3.0, 1.0, 2.0]) == {"min": 1.0, "median": 2.0, "max": 3.0}
    assert summary([4.0, 1.0]) == {"min": 1.0, "median": 2.5, "max": 4.0}


def test_nothing_measured_is_no_figure() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        summary([])


def test_a_ratio_is_of_the_same_round() -> None:
    """The machine was half as fast in the second round: of both, and so the ratio is the same."""
    assert speed_ratio([1.0, 2.0, 1.0], [4.0, 8.0, 5.0]) == {"min": 4.0, "median": 4.0, "max": 5.0}


def test_rounds_that_are_no_pairs_have_no_ratio() -> None:
    with pytest.raises(ValueError, match="shorter"):
        speed_ratio([1.0, 2.0], [4.0])


def rounds(*seconds: float, **others: Any) -> list[dict[str, Any]]:
    return [{"seconds": one, "wal_bytes": 8_000} | others for one in seconds]


CASES: dict[str, Any] = {
    "first_load": {
        "rows": 1000,
        "part_rows": 100,
        "whole": {
            "psql": rounds(1.0, 1.0, 2.0),
            "adbc": rounds(1.5, 1.5, 1.5),
            "ours": rounds(2.0, 1.25, 4.0),
            "unchanged": rounds(0.5, 1.0, 1.0, rows_touched=0),
        },
        "part": {
            "psql": rounds(0.1, 0.1, 0.1),
            "to_sql": rounds(20.0, 20.0, 20.0),
            "execute_values": rounds(10.0, 10.0, 10.0),
            "sqlalchemy": rounds(50.0, 50.0, 50.0),
            "dlt": rounds(5.0, 5.0, 5.0),
            "ours": rounds(0.5, 1.0, 1.0),
            "unchanged": rounds(9.0, 9.0, 9.0),
        },
    },
    "daily": {"rounds": {"execute_values": rounds(0.6, 0.9), "ours": rounds(0.2, 0.3)}},
    "lookback": {"rounds": {"ours": rounds(0.4, 0.6)}},
    "watermark": {"rounds": {"watermark": [{"reads_ms": [20.0, 30.0]}, {"reads_ms": [40.0]}]}},
    "reads": {"rounds": {"recent day": [{"reads_ms": [45.0, 46.0, 47.0]}]}},
    "job": {"rounds": {"daily": [{"share": 0.04}]}},
    "updater": {
        "mb_per_1000_tickers": 0.5,
        "runs": [{"peak_mb": 250.0, "cgroup_peak_mb": 200.0}, {"peak_mb": 260.0, "cgroup_peak_mb": 201.0}],
    },
}


def test_every_ratio_is_ours_against_theirs_on_the_same_rows() -> None:
    assert ratios(figures(CASES)) == {
        "first_load_vs_copy": 0.5,
        "unchanged_vs_copy": 2.0,
        "wal_kb_per_10k_unchanged": 80.0,
        "vs_psql_copy": 0.5,
        "vs_pandas_to_sql": 20.0,
        "vs_execute_values": 10.0,
        "vs_sqlalchemy": 50.0,
        "vs_adbc": 0.75,
        "vs_dlt": 5.0,
        "daily_10k_seconds": 0.25,
        "daily_vs_execute_values": 3.0,
        "lookback_50k_seconds": 0.5,
        "watermark_ms": 30.0,
        "updater_peak_mb": 260.0,
    }


def test_the_other_figures_are_there_as_well() -> None:
    found = figures(CASES)
    assert found["recent_day_ms"]["median"] == 46.0
    assert found["job_share_daily"]["median"] == 0.04
    assert found["updater_mb_per_1000_tickers"]["median"] == 0.5


def test_cases_that_were_not_run_are_left_out() -> None:
    assert figures({}) == {}
    assert list(ratios(figures({"lookback": CASES["lookback"]}))) == ["lookback_50k_seconds"]


def test_a_goal_is_a_least_or_a_most() -> None:
    assert [GOALS["first_load_vs_copy"].is_met(figure) for figure in (0.59, 0.6)] == [False, True]
    assert [GOALS["daily_10k_seconds"].is_met(figure) for figure in (0.25, 0.24)] == [False, True]
    assert [str(GOALS[name]) for name in ("first_load_vs_copy", "watermark_ms")] == ["≥ 0.6", "< 50"]
