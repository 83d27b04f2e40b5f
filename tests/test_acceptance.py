"""From a fresh database to all three markets, as a new user does it, on recorded data; twice changes nothing."""

import csv
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest

from tests.fixtures.database import Server
from tests.fixtures.market import KEY, RATES
from tests.replay import Replay

REPOSITORY = Path(__file__).resolve().parents[1]
NOW = "2026-03-20T07:00+09:00"  # Friday morning in Seoul; both markets' last session is Thursday's
UNIVERSE = """ticker,name,security_type,iso_code
MSFT,Microsoft,STOCK,US
NVDA,NVIDIA,STOCK,US
TSLA,Tesla,STOCK,US
"""


class World:
    """A database that the commands have filled."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.env = os.environ | {
            "DATABASE_URL": url,
            "FRED_API_KEY": KEY,
            **{f"INSIGHT_{rate.upper()}": "1000" for rate in RATES},
        }

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """``python run_scheduled_job.py ...``, which must succeed."""
        command = [sys.executable, "run_scheduled_job.py", *arguments]
        done = subprocess.run(
            command, cwd=REPOSITORY, env=self.env, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def rows(self, query: LiteralString, *parameters: object) -> list[tuple[Any, ...]]:
        """What ``query`` returns."""
        with psycopg.connect(self.url) as connection:
            return connection.execute(query, parameters or None).fetchall()

    def dump(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table but the ledger."""
        tables = ("tb_meta", "tb_macro", "tb_bar", "tb_bar_revision", "tb_action", "tb_macro_vintage", "tb_quarantine")
        return {name: self.rows(f"select t::text from {name} as t order by 1") for name in tables}


@pytest.fixture(scope="module")
def world(postgres_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Fresh database, schema, universe, and one run of every job."""
    shared = REPOSITORY.parent / "shared" / "data"
    if not shared.is_dir():
        pytest.skip(f"recorded data is not at {shared}")
    with Replay([shared], datetime.fromisoformat(NOW).astimezone(UTC)) as replay:
        world = World(postgres_server.create("acceptance"))
        world.env |= replay.env
        file = tmp_path_factory.mktemp("acceptance") / "universe.csv"
        file.write_text(UNIVERSE)
        world.command("db", "upgrade")
        # of the starter list, two series that are recorded: parsing all of them takes fredapi 8 s a run
        with psycopg.connect(world.url) as connection:
            connection.execute("delete from tb_macro where fred not in ('GDP', 'UNRATE')")
        assert world.command("universe", "import", str(file)).stdout == "3 tickers added, 0 updated\n"
        world.command("--job", "all", "--as-of", NOW)
        yield world


def chart(shared_data: Path, name: str) -> tuple[list[tuple[Any, ...]], dict[str, Any]]:
    """A recorded chart's rows (date, open, high, low, close, volume) and its events."""
    result = json.loads((shared_data / "yahoo_chart" / name).read_text())["body"]["chart"]["result"][0]
    quote = result["indicators"]["quote"][0]
    days = [str(datetime.fromtimestamp(at, UTC).date()) for at in result["timestamp"]]
    columns = [quote[name] for name in ("open", "high", "low", "close", "volume")]
    return list(zip(days, *columns, strict=True)), result.get("events", {})


@pytest.mark.parametrize(
    ("ticker", "name", "days"),
    [
        ("MSFT", "historical-via-chart-MSFT-dividends-2021-02-01-to-2022-01-31.csv.json", 252),
        ("NVDA", "historical-via-chart-NVDA-split-2021-02-01-to-2022-01-31.csv.json", 252),
        ("TSLA", "historical-via-chart-dividends-TSLA-no-dividends.json", 3303),
    ],
)
def test_us_prices_equal_the_files(world: World, shared_data: Path, ticker: str, name: str, days: int) -> None:
    recorded, _ = chart(shared_data, name)
    stored = world.rows(
        "select trade_date::text, open, high, low, close, volume from tb_bar join tb_meta using (meta_id) "
        "where ticker = %s and trade_date between %s and %s order by 1",
        ticker,
        recorded[0][0],
        recorded[-1][0],
    )
    assert len(stored) == days
    assert stored == recorded


def test_nvidias_split(world: World) -> None:
    splits = (
        "select ex_date::text, value from tb_action join tb_meta using (meta_id) where kind = 'split' and ticker = %s"
    )
    assert world.rows(splits, "NVDA") == [("2021-07-20", 4.0)]


def test_microsofts_dividends_equal_the_file(world: World, shared_data: Path) -> None:
    _, events = chart(shared_data, "historical-via-chart-MSFT-dividends-2021-02-01-to-2022-01-31.csv.json")
    paid = {str(datetime.fromtimestamp(one["date"], UTC).date()): one["amount"] for one in events["dividends"].values()}
    assert len(paid) == 4
    stored = world.rows(
        "select ex_date::text, value from tb_action join tb_meta using (meta_id) "
        "where ticker = 'MSFT' and kind = 'dividend' and ex_date between '2021-02-01' and '2022-01-31'"
    )
    assert dict(stored) == paid


def test_the_korean_market_of_the_day_equals_the_file(world: World, shared_data: Path) -> None:
    with (shared_data / "krx_listing" / "krx-2026-03-19.csv").open(encoding="utf-8-sig", newline="") as file:
        listing = list(csv.DictReader(file))
    assert len(listing) == 2878
    expected = []
    for row in listing:
        prices = [float(row[name]) for name in ("Open", "High", "Low")]
        halted = not any(prices)  # open, high and low of 0 are no prices
        expected.append((row["Code"], *([None] * 3 if halted else prices), float(row["Close"]), int(row["Volume"])))
    stored = world.rows(
        "select ticker, open, high, low, close, volume from tb_bar join tb_meta using (meta_id) "
        "where iso_code = 'KR' and trade_date = '2026-03-19' and source = 'krx' and basis_date = trade_date"
    )
    assert sorted(stored, key=str) == sorted(expected, key=str)
    definitions = world.rows("select ticker, name, isin, market, marketcap from tb_meta where iso_code = 'KR'")
    assert set(definitions) == {
        (row["Code"], row["Name"], row["ISU_CD"], row["Market"].split()[0], int(row["Marcap"])) for row in listing
    }


def test_gdp_with_its_vintages_equals_the_file(world: World, shared_data: Path) -> None:
    recorded = json.loads((shared_data / "fred" / "GDP.all_releases.json").read_text())["observations"]
    expected = {
        (row["date"], row["realtime_start"], None if row["value"] == "." else float(row["value"])) for row in recorded
    }
    stored = world.rows(
        "select base_date::text, realtime_start::text, value from tb_macro_vintage join tb_macro using (macro_id) "
        "where fred = 'GDP'"
    )
    assert len(stored) == len(expected) == 3199
    assert set(stored) == expected


def test_the_ledger_tells_it(world: World) -> None:
    runs = world.rows(
        "select job, status, session_date::text, rows_held, "
        "(select count(*) from jsonb_object_keys(tickers -> 'updated')) from tb_job_run order by run_id limit 3"
    )
    assert runs == [
        ("us-price", "succeeded", "2026-03-19", 0, 3),
        ("kr-price", "succeeded", "2026-03-19", 0, 2878),
        ("macro", "succeeded", "2026-03-19", 0, 2),
    ]
    assert world.rows("select count(*) from tb_bar") == world.rows(
        "select sum(rows_new) from tb_job_run where job <> 'macro'"
    )


def test_a_second_run_changes_nothing(world: World) -> None:
    before = world.dump()
    done = world.command("--job", "all", "--as-of", NOW, "--json")
    assert world.dump() == before
    reports = json.loads(done.stdout.splitlines()[-1])["reports"]
    assert [(one["status"], one["rows"]["new"], one["rows"]["changed"]) for one in reports] == [("succeeded", 0, 0)] * 3
    assert [row[0] for row in world.rows("select job from tb_job_run order by run_id")] == [
        "us-price",
        "kr-price",
        "macro",
    ] * 2
