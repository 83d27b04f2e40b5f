"""What goes wrong stays where it went wrong: states, the failure budget, and a crash that nobody foresaw."""

import logging
from collections.abc import Iterator
from datetime import datetime

import pytest
from pydantic import SecretStr

from include.insight_invest.errors import ConfigurationError, SchemaError, StoreError, UsageError
from include.insight_invest.jobs import JOBS
from include.insight_invest.runner import RunOptions, run
from include.insight_invest.sources.base import Answer
from include.insight_invest.updaters import us
from include.insight_invest.updaters.landing import land_all
from include.insight_invest.updaters.progress import Run
from tests.fixtures.market import KEY, Market
from tests.folders import write_fred
from tests.replay import Fault


def test_one_ticker_that_fails_does_not_stop_the_others(market: Market) -> None:
    market.replay.fault(Fault.SERVER_ERROR, match="/chart/ACME")
    report = market.run(settings=market.settings(attempts=2))
    assert report.tickers == {"failed": 1, "updated": 1}
    (row,) = market.ledger()
    assert row["tickers"] == {
        "failed": {"ACME": "Yahoo did not answer for ACME: JSONDecodeError"},
        "updated": {"BOLT": None},
    }
    assert {bar[0] for bar in market.bars()} == {"BOLT"}


class TestBudget:
    """The job fails, with exit code 3, when more than the budget's share of its tickers failed."""

    @pytest.mark.parametrize(("budget", "exit_code"), [(0.5, 0), (0.49, 3), (0.0, 3), (1.0, 0)])
    def test_its_edges(self, market: Market, budget: float, exit_code: int) -> None:
        market.replay.fault(Fault.SERVER_ERROR, match="/chart/ACME")
        report = market.run(settings=market.settings(attempts=1, failure_budget=budget))
        assert report.exit_code == exit_code
        assert report.status == ("over_budget" if exit_code else "succeeded")

    def test_over_it_the_run_says_so_and_keeps_what_it_loaded(self, market: Market) -> None:
        market.replay.fault(Fault.SERVER_ERROR, match="/chart/ACME")
        report = market.run(settings=market.settings(attempts=1))
        assert report.error == (
            "1 of 2 tickers failed, the budget is 2%; what was loaded stays, the next run asks for the rest"
        )
        (row,) = market.ledger()
        assert (row["status"], row["error"]) == ("over_budget", report.error)
        assert market.rows("select count(*) from tb_bar") == [(3,)]
        market.audit()

    def test_empty_tickers_do_not_count(self, market: Market) -> None:
        market.follow("NOPE", "NADA", "NIL")
        assert market.run().exit_code == 0

    def test_throttled_tickers_count(self, market: Market) -> None:
        market.replay.fault(Fault.TOO_MANY, match="/chart/BOLT")
        report = market.run(settings=market.settings(yahoo_threads=1))
        assert (report.exit_code, report.tickers) == (3, {"throttled": 1, "updated": 1})

    def test_the_next_run_brings_the_rest(self, market: Market) -> None:
        market.replay.fault(Fault.TOO_MANY, match="/chart/BOLT", times=2)
        market.run(settings=market.settings(yahoo_threads=1))
        report = market.run()
        assert (report.exit_code, report.rows.new) == (0, 3)
        assert len(market.bars()) == 6


@pytest.mark.parametrize("kind", [Fault.SERVER_ERROR, Fault.TOO_MANY, Fault.HTML, Fault.EMPTY])
def test_a_source_that_gives_nothing_at_all_fails_the_job(market: Market, kind: Fault) -> None:
    market.replay.fault(kind, source="yahoo")
    report = market.run(settings=market.settings(attempts=1))
    assert (report.status, report.exit_code) == ("failed", 1)
    assert [row["status"] for row in market.ledger()] == ["failed"]


class TestMacro:
    """Series fail one by one too."""

    def test_one_series(self, market: Market) -> None:
        write_fred(market.folder, "GOOD", [("2025-10-01", "2025-11-05", "1.0")])
        market.rows("insert into tb_macro (fred) values ('GOOD'), ('NOPE')")
        market.replay.fault(Fault.SERVER_ERROR, match="series_id=RATE")
        report = market.run("macro", settings=market.settings(attempts=1))
        assert report.exit_code == 3
        (row,) = market.ledger()
        assert row["tickers"] == {
            "empty": {"NOPE": "FRED does not know NOPE"},
            "failed": {"RATE": "FRED refused RATE: Internal Server Error"},
            "updated": {"GOOD": None},
        }

    def test_429_stops_the_series_that_follow(self, market: Market) -> None:
        for series in ("A", "B", "C"):
            write_fred(market.folder, series, [("2025-10-01", "2025-11-05", "1.0")])
        market.rows("insert into tb_macro (fred) values ('A'), ('B'), ('C')")
        market.replay.fault(Fault.TOO_MANY, match="series_id=B")
        report = market.run("macro")
        assert (report.exit_code, report.tickers) == (3, {"throttled": 2, "updated": 2})
        assert market.rows("select count(*) from tb_macro_vintage") == [(5,)]
        assert market.replay.counts["fred"] == report.requests == 5  # RATE 2, A 2, B 1, C 0

    def test_a_key_that_fred_refuses_is_a_matter_of_configuration(self, market: Market) -> None:
        refusal = b'<error code="400" message="Bad Request.  The value for variable api_key is not registered."/>'
        market.replay.mutate(lambda source, request, answer: answer.but(status=400, body=refusal))
        report = market.run("macro")
        assert (report.status, report.exit_code, report.requests) == ("failed", 2, 1)
        assert "FRED refuses FRED_API_KEY" in (report.error or "")

    def test_what_is_no_key_is_refused_before_anything_is_asked(self, market: Market) -> None:
        settings = market.settings().model_copy(update={"fred_api_key": SecretStr("WRONG")})
        with pytest.raises(ConfigurationError, match="FRED_API_KEY is not 32 lower-case letters and digits"):
            market.run("macro", settings=settings)
        assert (market.ledger(), market.replay.counts["fred"]) == ([], 0)

    @pytest.mark.parametrize("kind", list(Fault))
    def test_the_key_is_never_told(self, market: Market, kind: Fault, caplog: pytest.LogCaptureFixture) -> None:
        market.replay.fault(kind, source="fred")
        with caplog.at_level(logging.DEBUG):
            report = market.run("macro", settings=market.settings(attempts=2, timeout=0.2))
        assert KEY not in caplog.text + report.model_dump_json() + str(market.dump())


class TestCrash:
    """A bug of ours: the ledger says so, the log has the traceback, the database is whole."""

    @pytest.fixture(autouse=True)
    def _planted(self, market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
        def crash(run: Run, answers: Iterator[Answer], total: int) -> None:
            land_all(run, answers, total)
            raise ZeroDivisionError("planted")

        monkeypatch.setattr(us, "land_all", crash)

    def test_it_is_told(self, market: Market, caplog: pytest.LogCaptureFixture) -> None:
        report = market.run()
        assert (report.status, report.exit_code, report.error) == ("failed", 1, "ZeroDivisionError: planted")
        (row,) = market.ledger()
        assert (row["status"], row["error"], row["rows_new"]) == ("failed", "ZeroDivisionError: planted", 6)
        (told,) = [record for record in caplog.records if record.exc_info]
        assert told.message == "us-price failed"
        market.audit()

    def test_the_next_run_goes_on(self, market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
        market.run()
        monkeypatch.undo()
        assert market.run().rows.model_dump() == {"new": 0, "changed": 0, "unchanged": 6, "held_back": 0}


class TestNotStarted:
    """What is wrong with the call is said before a ledger row is opened."""

    def test_a_database_without_the_schema(self, market: Market, empty_database: str) -> None:
        with pytest.raises(SchemaError, match=r"has no Insight-Invest schema.*db upgrade"):
            market.run(settings=market.settings().model_copy(update={"database_url": SecretStr(empty_database)}))

    def test_a_database_that_is_not_there(self, market: Market) -> None:
        url = "postgresql://insight:hidden-word@127.0.0.1:1/insight"
        with pytest.raises(StoreError, match=r"cannot connect to the database at 127.0.0.1:1/insight") as caught:
            market.run(settings=market.settings().model_copy(update={"database_url": SecretStr(url)}))
        assert "hidden-word" not in str(caught.value)

    def test_an_environment_without_the_key(self, market: Market) -> None:
        with pytest.raises(ConfigurationError, match="missing environment: FRED_API_KEY"):
            market.run("macro", settings=market.settings().model_copy(update={"fred_api_key": None}))
        assert market.ledger() == []

    def test_an_instant_without_a_zone(self, market: Market) -> None:
        options = RunOptions(as_of=datetime(2026, 1, 8, 12))  # noqa: DTZ001
        with pytest.raises(UsageError, match="--as-of has no time zone"):
            run(JOBS["us-price"], options, market.settings())
        assert market.ledger() == []

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"start": "2026-01-07", "end": "2026-01-06"}, "--start 2026-01-07 is after --end 2026-01-06"),
            (
                {"start": "2026-01-03", "end": "2026-01-04"},
                "no session of XNYS between 2026-01-03 and 2026-01-04; the last one is 2026-01-02",
            ),
            ({"start": "2026-01-08"}, "no session of XNYS since 2026-01-08; the last one is 2026-01-07"),
            ({"end": "1990-01-01"}, "no session of XNYS until 1990-01-01$"),
            ({"end": "1989-12-31"}, "no session of XNYS until 1989-12-31$"),
            ({"shard": (3, 2)}, "--shard 3/2: I must be from 1 to N"),
            ({"shard": (0, 2)}, "--shard 0/2: I must be from 1 to N"),
        ],
    )
    def test_options_that_contradict_each_other(self, market: Market, options: dict[str, object], message: str) -> None:
        with pytest.raises(UsageError, match=message):
            market.run(**options)  # type: ignore[arg-type]
        assert market.ledger() == []


@pytest.mark.parametrize(
    ("job", "message"), [("us-price", "not in the US universe: NOPE"), ("macro", "not in tb_macro: NOPE")]
)
def test_a_ticker_that_nobody_follows(market: Market, job: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        market.run(job, tickers=("NOPE",))
    assert market.ledger() == []


def test_a_ticker_that_nobody_follows_is_named_to_a_part_too(market: Market) -> None:
    with pytest.raises(UsageError, match="not in the US universe: NOPE"):
        market.run(tickers=("ACME", "NOPE"), shard=(1, 2))


def test_a_korean_ticker_that_nobody_follows_once_the_market_is_known(market: Market) -> None:
    market.run("kr-price")
    with pytest.raises(UsageError, match="not in the KR universe: 999999"):
        market.run("kr-price", tickers=("005930", "999999"))
    assert len(market.ledger()) == 1


def test_a_korean_ticker_that_nobody_follows(market: Market) -> None:
    report = market.run("kr-price", tickers=("005930", "999999"))
    assert (report.status, report.exit_code) == ("failed", 2)
    assert "not in the KR universe: 999999" in (report.error or "")


def test_an_empty_universe(market: Market) -> None:
    market.rows("truncate tb_meta cascade")
    report = market.run()
    assert (report.exit_code, report.requests) == (2, 0)
    assert "universe import" in (report.error or "")
