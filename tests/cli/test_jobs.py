"""``--job``: its options, its exit codes, its report; what goes to stdout and what to stderr."""

import json

import pytest

from tests.cli.conftest import Command, job
from tests.fixtures.market import Market
from tests.folders import write_chart
from tests.replay import Fault


def test_a_job_ends_with_0_and_a_table(cli: Command) -> None:
    said = cli(*job("us-price"))
    assert said.code == 0
    assert "us-price" in said.out
    assert "2026-01-07" in said.out
    assert "succeeded" in said.out
    assert "us-price succeeded: session 2026-01-07, 2 updated" in said.err


def test_json_is_the_last_line_of_stdout(process: Command) -> None:
    said = process(*job("us-price", "--json"))
    report = json.loads(said.last)
    assert said.code == 0, said
    assert report | {"seconds": 0, "requests": 0} == {
        "job": "us-price",
        "status": "succeeded",
        "exit_code": 0,
        "run_id": 1,
        "dry_run": False,
        "as_of": "2026-01-08T12:00:00Z",
        "session": "2026-01-07",
        "source": "yahoo",
        "tickers": {"updated": 2},
        "rows": {"new": 6, "changed": 0, "unchanged": 0, "held_back": 0},
        "actions_new": 2,
        "actions_changed": 0,
        "requests": 0,
        "seconds": 0,
        "notes": [],
        "problems": [],
        "error": None,
    }
    assert "us-price starts: as of 2026-01-08 12:00:00+00:00, session 2026-01-07" in said.err
    assert "seconds" not in said.err
    assert report["requests"] >= 2


@pytest.mark.parametrize("name", ["kr-price", "macro"])
def test_with_log_format_json_every_line_of_stderr_is_an_object(process: Command, market: Market, name: str) -> None:
    market.replay.fault(Fault.SERVER_ERROR, times=1)
    market.replay.fault(Fault.HTML, source="naver")
    said = process(*job(name), LOG_FORMAT="json", LOG_LEVEL="DEBUG", PYTHONWARNINGS="default")
    assert said.code == 0
    records = [json.loads(line) for line in said.err.splitlines()]
    assert {"event", "level", "logger", "timestamp"} <= set.intersection(*(set(record) for record in records))
    assert any(record["level"] == "warning" for record in records)


def test_an_error_is_a_json_line_too(process: Command) -> None:
    said = process(*job("us-price", "--tickers", "NOPE"), LOG_FORMAT="json")
    assert said.code == 2
    assert any("not in the US universe: NOPE" in json.loads(line)["event"] for line in said.err.splitlines())


class TestAll:
    """Every job, one after another; one that fails does not stop the others, but the exit code says so."""

    def test_all_succeed(self, cli: Command) -> None:
        said = cli(*job("all", "--json"))
        report = json.loads(said.last)
        assert (said.code, report["exit_code"]) == (0, 0)
        assert [(one["job"], one["status"]) for one in report["reports"]] == [
            ("us-price", "succeeded"),
            ("kr-price", "succeeded"),
            ("macro", "succeeded"),
        ]

    @pytest.mark.parametrize(("down", "failing"), [("yahoo", "us-price"), ("fred", "macro")])
    def test_one_market_is_down(self, cli: Command, market: Market, down: str, failing: str) -> None:
        market.replay.fault(Fault.SERVER_ERROR, source=down)
        said = cli(*job("all", "--json"))
        report = json.loads(said.last)
        assert said.code == report["exit_code"] == 1
        assert {one["job"]: one["exit_code"] for one in report["reports"]} == {
            "us-price": 0,
            "kr-price": 0,
            "macro": 0,
        } | {failing: 1}

    def test_one_universe_is_empty(self, cli: Command, market: Market) -> None:
        market.rows("delete from tb_meta")
        said = cli(*job("all", "--json"))
        reports = json.loads(said.last)["reports"]
        assert said.code == 2
        assert [one["status"] for one in reports] == ["failed", "succeeded", "succeeded"]

    def test_different_failures_end_with_1(self, cli: Command, market: Market) -> None:
        market.rows("delete from tb_meta")
        market.replay.fault(Fault.SERVER_ERROR, source="fred")
        assert cli(*job("all")).code == 1


class TestDryRun:
    """It prints the exact difference, and writes nothing."""

    def test_the_difference(self, cli: Command, market: Market) -> None:
        before = market.dump()
        said = cli(*job("us-price", "--dry-run", "--tickers", "BOLT", "--start", "2026-01-07"))
        assert said.code == 0
        assert said.out.splitlines()[0] == "+ tb_bar BOLT 2026-01-07 open=51.5 high=53.0 low=51.0 close=52.5 volume=300"
        assert "us-price: dry run, nothing was written" in said.out
        assert market.dump() == before

    def test_json_is_still_the_last_line(self, cli: Command) -> None:
        report = json.loads(cli(*job("macro", "--dry-run", "--json")).last)
        assert (report["dry_run"], report["run_id"], report["rows"]["new"]) == (True, None, 4)


def test_over_the_budget_ends_with_3(cli: Command, market: Market) -> None:
    market.replay.fault(Fault.SERVER_ERROR, match="/chart/ACME")
    said = cli(*job("us-price", "--json"), INSIGHT_ATTEMPTS="1")
    assert (said.code, json.loads(said.last)["status"]) == (3, "over_budget")
    assert "1 of 2 tickers failed, the budget is 2%" in said.out


def test_a_failing_source_ends_with_1(cli: Command, market: Market) -> None:
    market.replay.fault(Fault.SERVER_ERROR, source="yahoo")
    said = cli(*job("us-price"), INSIGHT_ATTEMPTS="1")
    assert (said.code, "Traceback" in said.err) == (1, False)


def test_options_reach_the_run(cli: Command, market: Market) -> None:
    write_chart(market.folder, "CORE", {"2026-01-07": (1.0, 2.0, 1.0, 2.0, 10)})
    market.follow("CORE")
    cli(*job("us-price", "--tickers", " ACME, BOLT ,", "--start", "2026-01-06", "--end", "2026-01-06"))
    cli(*job("us-price", "--shard", "1/2"))
    cli(*job("us-price", "--shard", "2/2", "--full-refresh"))
    assert [(row["options"], row["shard"]) for row in market.ledger()] == [
        ({"tickers": ["ACME", "BOLT"], "start": "2026-01-06", "end": "2026-01-06"}, "1/1"),
        ({}, "1/2"),
        ({"full_refresh": True}, "2/2"),
    ]


def test_options_without_a_job_are_a_wrong_call(cli: Command) -> None:
    said = cli("--dry-run")
    assert (said.code, "which job? --job us-price, kr-price, macro, all" in said.err) == (2, True)


class TestEnvironment:
    """What is missing or unusable is named before anything else happens: nothing is asked, nothing is touched."""

    @pytest.mark.parametrize(
        ("arguments", "env", "message"),
        [
            (("--job", "us-price"), {"DATABASE_URL": None}, "missing environment: DATABASE_URL."),
            (("--job", "macro"), {"FRED_API_KEY": None}, "missing environment: FRED_API_KEY."),
            (
                ("--job", "all"),
                {"DATABASE_URL": None, "FRED_API_KEY": None},
                "missing environment: DATABASE_URL, FRED_API_KEY.",
            ),
            (("--job", "macro"), {"TZ": "Asia/Soul"}, "unusable environment: TZ: "),
            (("--job", "macro"), {"INSIGHT_ATTEMPTS": "many"}, "unusable environment: INSIGHT_ATTEMPTS: "),
            (
                ("--job", "macro"),
                {"LOG_LEVEL": "loud"},
                "unusable environment: LOG_LEVEL: Input should be 'DEBUG', 'INFO', 'WARNING', 'ERROR' or 'CRITICAL'",
            ),
            (("--job", "macro"), {"LOG_FORMAT": "xml"}, "unusable environment: LOG_FORMAT: "),
            (("status",), {"DATABASE_URL": None}, "missing environment: DATABASE_URL."),
            (("db", "upgrade"), {"DATABASE_URL": None}, "missing environment: DATABASE_URL."),
        ],
    )
    def test_it_is_named(
        self, cli: Command, market: Market, arguments: tuple[str, ...], env: dict[str, str | None], message: str
    ) -> None:
        said = cli(*arguments, **env)
        assert said.code == 2
        assert message in said.err
        assert said.out == ""
        assert market.ledger() == []
        assert market.replay.counts.total() == 0

    def test_as_a_process(self, process: Command) -> None:
        said = process("--job", "macro", "--json", FRED_API_KEY=None)
        assert said.code == 2
        assert json.loads(said.last)["exit_code"] == 2
        assert "Traceback" not in said.err

    def test_the_other_jobs_need_no_key(self, cli: Command) -> None:
        assert cli(*job("us-price"), FRED_API_KEY=None).code == 0

    def test_all_runs_those_that_need_none(self, cli: Command, market: Market) -> None:
        said = cli(*job("all", "--json"), FRED_API_KEY=None)
        reports = json.loads(said.last)["reports"]
        assert said.code == 2
        assert [one["status"] for one in reports] == ["succeeded", "succeeded", "refused"]
        assert "missing environment: FRED_API_KEY." in reports[2]["error"]

    def test_the_level_in_small_letters(self, cli: Command) -> None:
        assert "us-price succeeded" not in cli(*job("us-price"), LOG_LEVEL="warning").err

    def test_a_database_that_is_not_there(self, cli: Command) -> None:
        said = cli(*job("us-price"), DATABASE_URL="postgresql://insight:hidden-word@127.0.0.1:1/insight")
        assert said.code == 1
        assert "cannot connect to the database at 127.0.0.1:1/insight" in said.err
        assert "hidden-word" not in said.out + said.err

    @pytest.mark.parametrize(
        "url", ["not a url with hidden-word", "mysql://a:hidden-word@b/c", "postgresql://a:hidden-word@[b/c"]
    )
    def test_a_url_that_is_none(self, cli: Command, url: str) -> None:
        said = cli(*job("us-price"), DATABASE_URL=url)
        assert said.code in (1, 2)
        assert "hidden-word" not in said.out + said.err

    def test_the_form_of_a_url_is_shown(self, cli: Command) -> None:
        said = cli(*job("us-price"), DATABASE_URL="not a url")
        assert "it is like postgresql://USER:PASSWORD@HOST:5432/NAME" in said.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("--job", "uk-price"),
        ("--job",),
        ("--bogus",),
        ("--job", "us-price", "--as-of", "yesterday"),
        ("--job", "us-price", "--as-of", "2026-01-08T12:00"),
        ("--job", "us-price", "--as-of", "1971-01-08T12:00+00:00"),
        ("--job", "us-price", "--start", "07.01.2026"),
        ("--job", "us-price", "--start", "2026-01-08", "--end", "2026-01-07"),
        ("--job", "us-price", "--shard", "2"),
        ("--job", "us-price", "--shard", "3/2"),
        ("--job", "us-price", "--shard", "0/0"),
        ("--job", "us-price", "--tickers", "NOPE"),
        ("--job", "macro", "--tickers", "NOPE"),
        ("--job", "us-price", "--start", "2026-01-03", "--end", "2026-01-04"),
        ("nonsense",),
        ("db", "sideways"),
        ("db", "downgrade", "9999"),
        ("universe", "import", "/nowhere.csv"),
        ("universe", "sync", "--market", "UK"),
        ("quarantine", "list", "--status", "lost"),
        ("quarantine", "release", "7", "--note", "x"),
        ("quarantine", "reject", "7", "--note", "x"),
        ("quarantine", "reject", "7"),
        (),
    ],
    ids=" ".join,
)
def test_a_wrong_call_ends_with_2(cli: Command, market: Market, arguments: tuple[str, ...]) -> None:
    before = market.dump()
    said = cli(*arguments)
    assert said.code == 2
    assert said.err or said.out
    assert "Traceback" not in said.err
    assert market.dump() == before


def test_help_names_every_option(cli: Command) -> None:
    said = cli("--help", COLUMNS="200")
    assert said.code == 0
    for option in (
        "--job",
        "--dry-run",
        "--as-of",
        "--tickers",
        "--start",
        "--end",
        "--shard",
        "--full-refresh",
        "--json",
    ):
        assert option in said.out
    for command in ("db", "universe", "status", "doctor", "quarantine"):
        assert f" {command} " in said.out
