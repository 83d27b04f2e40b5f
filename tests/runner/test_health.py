"""Each check notes what is as it should be, and where it is not says what to do."""

from datetime import datetime

import pytest

from include.insight_invest.health import CHECKS, Verdict, last_due
from include.insight_invest.jobs import JOBS
from include.insight_invest.limits import Limits
from include.insight_invest.store.database import connect
from tests.fixtures.market import Market

NOON = "2026-01-08T12:00+00:00"


def checked(market: Market, name: str, now: str = NOON, **limits: float) -> Verdict:
    with connect(market.url) as connection:
        return CHECKS[name](connection, datetime.fromisoformat(now), Limits(**limits))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("job", "now", "due"),
    [
        ("us-price", "2026-01-08T19:29+09:00", "2026-01-07T18:00+09:00"),
        ("us-price", "2026-01-08T19:30+09:00", "2026-01-08T18:00+09:00"),
        ("us-price", "2026-01-12T23:00+09:00", "2026-01-10T18:00+09:00"),  # Monday: Saturday's
        ("kr-price", "2026-01-11T22:00+00:00", "2026-01-10T06:00+09:00"),  # Monday in Seoul
        ("macro", "2026-01-12T09:00+09:00", "2026-01-12T08:00+09:00"),
    ],
)
def test_what_was_due_when(job: str, now: str, due: str) -> None:
    assert last_due(JOBS[job], datetime.fromisoformat(now)) == datetime.fromisoformat(due)


def test_after_a_run_of_each_job_nothing_is_found(market: Market) -> None:
    for job in JOBS:
        market.run(job)
    assert {name: checked(market, name).findings for name in CHECKS} == dict.fromkeys(CHECKS, ())


def test_nothing_that_ever_ran_is_a_note(market: Market) -> None:
    verdicts = {name: checked(market, name) for name in CHECKS}
    assert all(verdict.findings == () for verdict in verdicts.values())
    assert verdicts["freshness"].notes[0] == "us-price has never run; its Dag is us_price_updater"


def test_a_job_that_falls_silent_is_found(market: Market) -> None:
    """Run on Thursday, 8 January; on Tuesday the 13th its data must be of Monday."""
    market.run()
    assert checked(market, "freshness", "2026-01-09T10:29+00:00").findings == ()
    (found,) = checked(market, "freshness", "2026-01-13T10:30+00:00").findings
    assert found.startswith("us-price has 2026-01-07, and since 2026-01-13 19:30 KST 2026-01-12 was due.")
    assert "Look at the last runs of us_price_updater (paused? failed?) and run it again" in found


def test_a_run_of_some_tickers_begins_nothing(market: Market) -> None:
    market.run(tickers=("ACME",))
    verdict = checked(market, "freshness", "2026-01-13T10:30+00:00")
    assert verdict.findings == ()
    assert verdict.notes[0] == "us-price has not run for its whole market yet"


def test_of_a_first_load_that_has_not_ended_nothing_was_due_before_it(market: Market) -> None:
    """Started on Thursday, 8 January, at 12:00 UTC: the next data is due on Friday at 10:30 UTC."""
    market.run()
    market.rows("update tb_job_run set status = 'running', finished_at = null, started_at = '2026-01-08 12:00Z'")
    assert checked(market, "freshness", "2026-01-09T10:29+00:00").findings == ()
    (found,) = checked(market, "freshness", "2026-01-09T10:30+00:00").findings
    assert found.startswith("us-price has no whole session, and since 2026-01-09 19:30 KST 2026-01-08 was due.")


def test_parts_that_are_done_hide_no_part_that_is_not(market: Market) -> None:
    """Whole on Thursday; on Friday in three parts for the first time, of which one is done."""
    market.run()
    market.run(as_of="2026-01-09T09:00+00:00", shard=(1, 3))
    (found,) = checked(market, "freshness", "2026-01-09T12:00+00:00").findings
    assert found.startswith("us-price has 2026-01-07, and since 2026-01-09 19:30 KST 2026-01-08 was due.")
    for number in (2, 3):
        market.run(as_of="2026-01-09T09:00+00:00", shard=(number, 3))
    assert checked(market, "freshness", "2026-01-09T12:00+00:00").findings == ()


def test_a_closed_session_is_not_missed(market: Market) -> None:
    market.run()
    market.rows(
        "insert into tb_session_override (exchange, session_date, state, run_id, observed_at) "
        "values ('XNYS', '2026-01-08', 'suspected', 1, '2026-01-09')"
    )
    assert checked(market, "freshness", "2026-01-09T12:00+00:00").findings == ()


@pytest.mark.parametrize(
    ("planted", "words"),
    [
        ("set status = 'failed', error = 'Yahoo was down.'", "is failed: Yahoo was down. What it committed stays. Run"),
        ("set status = 'over_budget'", "is over_budget. What it committed stays. Run us_price_updater again"),
        ("set status = 'running', finished_at = null, started_at = '2026-01-08 10:59Z'", "is running since 2026-01-08"),
    ],
)
def test_a_run_that_failed_or_hangs_is_found(market: Market, planted: str, words: str) -> None:
    market.run()
    market.rows("update tb_job_run set started_at = '2026-01-08 11:59Z', finished_at = '2026-01-08 12:00Z'")
    market.rows(f"update tb_job_run {planted}")
    (found,) = checked(market, "last_runs", "2026-01-08T12:05+00:00").findings
    assert words in found


def test_what_airflow_is_about_to_try_again_is_none(market: Market) -> None:
    """A try follows five minutes after the one that failed."""
    market.run()
    market.rows(
        "update tb_job_run set status = 'failed', started_at = '2026-01-08 11:59Z', finished_at = '2026-01-08 12:00Z'"
    )
    assert checked(market, "last_runs", "2026-01-08T12:04+00:00") == Verdict(
        (
            "run 1 of us-price, of 2026-01-07, is failed",
            *(f"{name} has never run; its Dag is {JOBS[name].dag_id}" for name in ("kr-price", "macro")),
        )
    )


def test_a_part_that_failed_is_found_whatever_the_others_did(market: Market) -> None:
    for number in (1, 2, 3):
        market.run(shard=(number, 3))
    market.rows("update tb_job_run set started_at = '2026-01-08 11:59Z', finished_at = '2026-01-08 12:00Z'")
    market.rows("update tb_job_run set status = 'failed' where shard = '1/3'")
    market.run(tickers=("ACME",))
    (found,) = checked(market, "last_runs", "2026-01-08T12:30+00:00").findings
    assert found.startswith("run 1 of us-price (part 1/3), of 2026-01-07, is failed.")
    market.run()
    assert checked(market, "last_runs", "2026-01-08T12:30+00:00").findings == ()


def test_a_run_at_work_is_none(market: Market) -> None:
    market.run()
    market.rows("update tb_job_run set status = 'running', finished_at = null, started_at = '2026-01-08 11:30Z'")
    assert checked(market, "last_runs").findings == ()


def test_gaps_are_found_from_a_share_on(market: Market) -> None:
    """One of six bars is asked for again; one is not even that."""
    market.run()
    market.rows("delete from tb_bar where meta_id = 2 and trade_date = '2026-01-06'")
    (unexplained,) = checked(market, "gaps").findings
    assert "us-price: 1 session without bar, reason or open gap: BOLT 1." in unexplained
    market.rows(
        "insert into tb_gap (meta_id, trade_date, state, run_id, found_at) values (2, '2026-01-06', 'open', 1, now())"
    )
    (gap,) = checked(market, "gaps").findings
    assert gap.startswith("us-price: 16.7 % of the expected bars are missing, over 1 % (most: BOLT 1).")
    assert "`coverage --market US`" in gap
    assert checked(market, "gaps", gap_percent=20).findings == ()


def test_a_closure_that_nobody_decides_is_found(market: Market) -> None:
    market.rows(
        "insert into tb_session_override (exchange, session_date, state, run_id, observed_at) "
        "values ('XNYS', '2026-01-02', 'suspected', 1, '2026-01-05 12:00Z')"
    )
    assert checked(market, "closures") == Verdict(("XNYS was perhaps closed on 2026-01-02",))
    (found,) = checked(market, "closures", "2026-01-08T12:01+00:00").findings
    assert "1 suspected closure undecided for more than 3 days: XNYS 2026-01-02." in found
    assert "sessions close|open EXCHANGE DAY" in found


def test_disagreements_are_found_from_a_number_on(market: Market) -> None:
    market.run()
    market.rows(
        "insert into tb_disagreement (meta_id, trade_date, field, source, value, other_source, other_value, run_id, "
        "found_at) values (2, '2026-01-06', 'close', 'yahoo', 51.5, 'nasdaq', 50, 1, now())"
    )
    assert checked(market, "second_sources") == Verdict(("1 disagreement with a second source",))
    (found,) = checked(market, "second_sources", disagreements=0).findings
    assert "(newest: BOLT 2026-01-06 close)" in found


def test_rows_that_wait_too_long_are_found(market: Market) -> None:
    market.run()
    market.rows(
        "insert into tb_quarantine (run_id, meta_id, ticker, trade_date, source, reason, payload, held_at) "
        "values (1, 2, 'BOLT', '2026-01-02', 'yahoo', 'wild', '{\"close\": 1}', '2026-01-01 12:00Z')"
    )
    assert checked(market, "quarantine") == Verdict(("1 row held back",))
    (found,) = checked(market, "quarantine", "2026-01-08T12:01+00:00").findings
    assert "1 row held back for more than 7 days, since 2026-01-01 (first: BOLT)" in found


def test_rows_past_the_ledger_are_found(market: Market) -> None:
    """An audit looks at its own run: this bar is of an earlier one."""
    market.run()
    market.rows("delete from tb_bar where meta_id = 2 and trade_date = '2026-01-06'")
    market.run(as_of="2026-01-08T13:00+00:00", tickers=("ACME",))
    (found,) = checked(market, "invariants").findings
    assert "run 1 of us-price says it wrote 6 rows, the tables have 5" in found
