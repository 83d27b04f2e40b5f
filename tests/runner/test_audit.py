"""The three invariants between ledger and data: they hold after every run, and each is named when it is broken."""

from typing import LiteralString

import pytest

from include.insight_invest import clock
from include.insight_invest.audit import audit, audit_run
from include.insight_invest.errors import InvariantBroken
from include.insight_invest.jobs import JOBS
from include.insight_invest.store.database import connect
from include.insight_invest.store.lease import lease
from tests.fixtures.market import Market
from tests.store.rows import start_run

UNKNOWN_RUN: dict[LiteralString, LiteralString] = {
    "tb_gap": "1, '2026-01-05', 'healed', '{}', 97, now()",
    "tb_quarantine (meta_id, trade_date, source, reason, payload, status, held_at, ticker, run_id)": "1, "
    "'2026-01-05', 'yahoo', '', '{}', 'held', now(), 'ACME', 97",
    "tb_listing": "'US', '2026-01-05', 'nasdaq', 1, 97",
    "tb_absence": "1, '2026-01-05', 'nasdaq', 97",
    "tb_symbol": "1, 'ACME', '2026-01-05', null, '', 97",
    "tb_disagreement": "1, '2026-01-05', 'close', 'yahoo', 1, 'nasdaq', 2, 97, now()",
    "tb_base_move": "1, '2026-01-05', 'no_action', 1, 1, 1, 1, null, 97, now()",
}


def test_they_hold_after_runs(market: Market) -> None:
    for job in ("us-price", "kr-price", "macro"):
        market.run(job)
        market.run(job, as_of="2026-01-09T12:00+00:00")
        market.audit(job)


def test_a_corrected_bar_is_accounted_for(market: Market) -> None:
    market.run()
    market.rows("update tb_bar set close = 52, observed_at = observed_at - interval '1 day' where meta_id = 2")
    assert market.run().rows.changed == 3
    market.audit()


@pytest.mark.parametrize(
    ("planted", "message"),
    [
        ("delete from tb_job_run", "there is no ledger row of us-price"),
        (
            "update tb_job_run set status = 'running', finished_at = null",
            r"the newest run of us-price \(1\) is running: it has not committed its ledger row",
        ),
        ("delete from tb_bar where meta_id = 1", "run 1 of us-price says it wrote 6 rows, the tables have 3"),
        ("update tb_job_run set rows_new = 7", "run 1 of us-price says it wrote 7 rows, the tables have 6"),
        (
            "update tb_bar set meta_id = 99 where meta_id = 1",
            "tb_bar has bars of meta_id 99, which tb_meta does not have",
        ),
        (
            "update tb_bar set run_id = 99 where meta_id = 1",
            "tb_bar has rows of run 99, which the ledger does not know",
        ),
        *(
            (
                f"insert into {table} values ({values})",
                f"{table.split()[0]} has rows of run 97, which the ledger does not know",
            )
            for table, values in UNKNOWN_RUN.items()
        ),
        ("update tb_action set run_id = 98", "tb_action has rows of run 98, which the ledger does not know"),
    ],
)
def test_a_break_is_named(market: Market, planted: LiteralString, message: str) -> None:
    market.run()
    market.rows(planted)
    with pytest.raises(InvariantBroken, match=message):
        market.audit()


def test_the_next_run_does_not_hide_a_break(market: Market) -> None:
    market.run()
    market.rows("delete from tb_bar where meta_id = 1 and trade_date = '2026-01-05'")
    market.run(start="2026-01-07")
    with pytest.raises(InvariantBroken, match="run 1 of us-price says it wrote 6 rows, the tables have 5"):
        market.audit()


class TestWhileAnotherRunIsAtWork:
    """A run at work has not committed its ledger row yet, and that is no lie."""

    def test_the_newest_finished_run_is_judged(self, market: Market) -> None:
        market.run()
        with connect(market.url) as other, lease(other, "us-price", (1, 1)):
            start_run(other)
            market.audit()

    def test_a_run_that_died_is_found(self, market: Market) -> None:
        market.run()
        with connect(market.url) as other:
            start_run(other)
        with pytest.raises(InvariantBroken, match=r"the newest run of us-price \(2\) is running"):
            market.audit()

    def test_a_run_of_ones_own_is_judged_whatever_came_later(self, market: Market) -> None:
        market.run()
        market.rows("update tb_job_run set status = 'lost'")
        market.run()
        market.audit()
        with pytest.raises(InvariantBroken, match=r"us-price \(1\) is lost"):
            audit(JOBS["us-price"], market.settings(), 1)

    def test_a_run_that_is_not_there(self, market: Market) -> None:
        market.run()
        with pytest.raises(InvariantBroken, match="there is no ledger row of us-price"):
            audit(JOBS["us-price"], market.settings(), 7)

    def test_of_a_run_of_ones_own_only_what_it_wrote_is_counted(self, market: Market) -> None:
        """So that the audit after each run need not look at every bar there is; `audit` without a run does."""
        market.run()
        market.run(as_of="2026-01-09T12:00+00:00")
        market.rows("delete from tb_bar where meta_id = 1 and trade_date = '2026-01-05'")
        audit(JOBS["us-price"], market.settings(), 2)
        with pytest.raises(InvariantBroken, match="run 1 of us-price says it wrote 6 rows, the tables have 5"):
            audit(JOBS["us-price"], market.settings(), 1)
        market.rows("update tb_bar set run_id = 99 where meta_id = 1 and trade_date = '2026-01-06'")
        with pytest.raises(InvariantBroken, match="tb_bar has rows of run 99, which the ledger does not know"):
            audit(JOBS["us-price"], market.settings(), 2)


class TestOfARun:
    """What an Airflow run has started is proven shard by shard."""

    ASKED = "airflow scheduled__2026-01-08"

    def test_its_rows_are_those_of_all_its_attempts(self, market: Market) -> None:
        first = market.run(trigger=self.ASKED, tickers=("ACME",))
        second = market.run(trigger=self.ASKED)
        proof = audit_run(JOBS["us-price"], market.settings(), self.ASKED, [(1, 1)])
        assert [run.run_id for run in proof.runs] == [second.run_id]
        assert proof.rows["new"] == first.rows.new + second.rows.new == 6
        assert proof.coverage is not None
        assert proof.coverage.share == 1.0

    def test_what_it_did_before_it_was_cleared_is_not_its_own(self, market: Market) -> None:
        market.run(trigger=self.ASKED)
        cleared = clock.now()
        market.run(trigger=self.ASKED)
        proof = audit_run(JOBS["us-price"], market.settings(), self.ASKED, [(1, 1)], cleared)
        assert (proof.rows["new"], proof.rows["unchanged"]) == (0, 6)

    @pytest.mark.parametrize("shards", [[(1, 2), (2, 2)], [(2, 2)]])
    def test_a_shard_without_a_successful_run_is_named(self, market: Market, shards: list[tuple[int, int]]) -> None:
        market.run(trigger=self.ASKED, shard=(1, 2))
        with pytest.raises(InvariantBroken, match=r"has no successful run of us-price by .* for part 2/2, although"):
            audit_run(JOBS["us-price"], market.settings(), self.ASKED, shards)
