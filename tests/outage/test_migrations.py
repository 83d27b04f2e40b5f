"""Migrations while a load runs, and on many rows: whatever revisions there are, each up, down and up again."""

import hashlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from pathlib import Path

import psycopg
import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from include.insight_invest import sessions
from include.insight_invest.errors import StoreError
from include.insight_invest.store import migrate
from include.insight_invest.store.database import connect
from include.insight_invest.store.migrate import current, downgrade, upgrade
from tests.fixtures.market import THURSDAY, Market
from tests.folders import write_krx
from tests.outage import LONG
from tests.replay_tests.clients import at

REPOSITORY = Path(__file__).resolve().parents[2]
BARS = 2_500_000 if LONG else 100_000
# The scripts' lock_timeout of 5 s, as often as a script may wait, and a slow machine.
LONGEST_WAIT_SECONDS = 60


def chain() -> list[str]:
    """The revisions, oldest first."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    return [one.revision for one in ScriptDirectory.from_config(config).walk_revisions()][::-1]


STEPS = list(zip(["base", *chain()], chain(), strict=False))  # (from, to)


def digests(url: str) -> dict[str, str]:
    """A hash of every table's rows, in the order of their keys, with the columns in the order of their names."""
    found = {}
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            """
            select c.oid::regclass::text,
                   (select string_agg(quote_ident(attname), ', ' order by attname) from pg_attribute
                    where attrelid = c.oid and attnum > 0 and not attisdropped),
                   (select string_agg(quote_ident(attname), ', ' order by attnum) from pg_index as i, pg_attribute as a
                    where i.indrelid = c.oid and i.indisprimary and a.attrelid = c.oid and attnum = any (i.indkey))
            from pg_class as c where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
            and relname like 'tb\\_%' order by 1
            """
        ).fetchall()
        for table, columns, keys in tables:
            digest = hashlib.sha256()
            query = f"copy (select {columns} from {table} order by {keys}) to stdout".encode()
            with connection.cursor() as cursor, cursor.copy(query) as copy:
                for data in copy:
                    digest.update(data)
            found[str(table)] = digest.hexdigest()
    return found


@pytest.fixture
def filled(empty_database: str) -> str:
    """A database at this version's schema with ``BARS`` bars of 500 tickers, and what goes with them."""
    upgrade(empty_database)
    with psycopg.connect(empty_database) as connection:
        connection.execute(
            f"""
            insert into tb_meta (ticker, security_type, iso_code) select 'T' || n, 'STOCK', 'US'
            from generate_series(1, 500) as n;
            insert into tb_macro (fred) values ('GDP');
            insert into tb_job_run (job, status, trigger, version, as_of, started_at, finished_at, rows_new)
            values ('us-price', 'succeeded', 'test', '3', '2026-01-08', '2026-01-08', '2026-01-08', {BARS});
            insert into tb_bar (meta_id, trade_date, open, high, low, close, volume, basis_date, source, currency,
                                observed_at, final, run_id)
            select 1 + n % 500, date '2000-01-03' + n / 500, 10, 12, 9, 10 + n % 97 / 100.0, n, '2026-01-08', 'yahoo',
                   'USD', '2026-01-08', true, 1
            from generate_series(0, {BARS - 1}) as n;
            insert into tb_bar_revision (meta_id, trade_date, open, high, low, close, volume, basis_date, source,
                                         currency, observed_at, final, run_id, replaced_at, replaced_by)
            select meta_id, trade_date, open, high, low, close + 1, volume, basis_date, source, currency, observed_at,
                   false, 1, '2026-01-08', 1 from tb_bar where meta_id = 7;
            insert into tb_action (meta_id, ex_date, kind, value, basis_date, source, currency, observed_at, run_id)
            select meta_id, '2000-01-05', 'split', 2, '2026-01-08', 'yahoo', 'USD', '2026-01-08', 1 from tb_meta;
            insert into tb_macro_vintage (macro_id, base_date, realtime_start, value, source, run_id)
            select 1, date '1990-01-01' + n, date '1990-02-01' + n, n, 'fred', 1 from generate_series(1, 10000) as n;
            insert into tb_quarantine (run_id, meta_id, ticker, trade_date, source, reason, payload, held_at)
            select 1, meta_id, ticker, '2026-01-05', 'yahoo', 'no close', '{{}}', '2026-01-08' from tb_meta;
            insert into tb_gap (meta_id, trade_date, state, run_id, found_at)
            select meta_id, '2026-01-06', 'open', 1, '2026-01-08' from tb_meta;
            """.encode()
        )
    return empty_database


def test_up_down_and_up_again_keeps_every_row(filled: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = digests(filled)
    assert len(before) >= 16
    lines = [f"{BARS:,} bars, {len(before)} tables"]
    for lower, _ in STEPS[::-1]:
        began = time.monotonic()
        downgrade(filled, lower)
        down = time.monotonic()
        upgrade(filled)
        lines.append(f"{chain()[-1]} -> {lower} {down - began:.2f} s, and back {time.monotonic() - down:.2f} s")
        assert digests(filled) == before
    if LONG:
        with capsys.disabled():
            print("", *lines, sep="\n")


@contextmanager
def writing_everywhere(url: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A load in the middle of its transaction, which has added a ticker and has every table's writers' lock."""
    with psycopg.connect(url, application_name="a load") as connection:
        names = connection.execute(
            "select string_agg(oid::regclass::text, ', ') from pg_class "
            "where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and relname like 'tb\\_%'"
        ).fetchone()
        assert names
        connection.execute(f"lock table {names[0]} in row exclusive mode".encode())
        connection.execute("insert into tb_meta (ticker, security_type, iso_code) values ('LATE', 'STOCK', 'US')")
        yield connection


def migrated(url: str, revision: str, *, down: bool) -> str | None:
    """Migrate while a load holds its locks; what it fails with, None where it needed none of them."""
    began = time.monotonic()
    try:
        (downgrade if down else upgrade)(url, revision)
    except StoreError as error:
        assert time.monotonic() - began < LONGEST_WAIT_SECONDS
        return str(error)
    return None


@pytest.mark.parametrize(("lower", "upper"), STEPS)
@pytest.mark.parametrize("down", [False, True], ids=["up", "down"])
def test_a_load_in_its_transaction_is_waited_for_and_then_left_alone(
    filled: str, lower: str, upper: str, down: bool
) -> None:
    downgrade(filled, lower)
    if down:
        upgrade(filled, upper)
    at_first = upper if down else lower
    before = digests(filled)
    with writing_everywhere(filled) as load:
        said = migrated(filled, lower if down else upper, down=down)
        if said is not None:
            assert "a table is in use. The lock on " in said
            assert f"is held by pid {load.info.backend_pid} (a load, role insight" in said
            with connect(filled) as connection:
                assert current(connection) == (None if at_first == "base" else at_first)
        load.commit()
    if said is not None:
        kept = digests(filled)
        own = {"tb_meta": "", "tb_adjustment": ""}  # the ticker that the load has added
        assert kept | own == before | own
        assert migrated(filled, lower if down else upper, down=down) is None
    upgrade(filled)
    with psycopg.connect(filled) as connection:
        assert connection.execute("select count(*) from tb_meta where ticker = 'LATE'").fetchone() == (1,)
        assert connection.execute("select count(*) from tb_bar").fetchone() == (BARS,)


class Writer:
    """A load that goes on whatever happens, and knows what it has committed: bars with their ledger row."""

    def __init__(self, url: str) -> None:
        self.committed = 0
        self.refused: set[str] = set()
        self._url = url
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> "Writer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _work(self) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            while not self._over.is_set():
                number = self.committed + 1
                try:
                    with connection.transaction():
                        connection.execute(
                            "insert into tb_bar (meta_id, trade_date, close, basis_date, source, currency, "
                            "observed_at, final, run_id) select 100000 + n, '2026-01-07', %s, '2026-01-07', 'yahoo', "
                            "'USD', now(), true, 1 from generate_series(20 * %s, 20 * %s + 19) as n",
                            [float(number), number, number],
                        )
                        connection.execute("update tb_job_run set rows_new = rows_new + 20 where run_id = 1")
                except psycopg.Error as error:
                    self.refused.add(type(error).__name__)
                    time.sleep(0.01)
                else:
                    self.committed = number


def test_no_row_of_a_load_is_lost_while_each_revision_goes_down_and_up(filled: str) -> None:
    with Writer(filled) as writer:
        for lower, _ in STEPS[::-1]:
            reached = writer.committed
            insist(partial(downgrade, filled, lower))
            insist(partial(upgrade, filled))
            while writer.committed <= reached:
                time.sleep(0.01)
    assert writer.refused <= {"UndefinedTable", "UndefinedColumn", "DeadlockDetected", "LockNotAvailable"}
    with psycopg.connect(filled) as connection:
        stored = connection.execute("select count(*) from tb_bar where meta_id > 100000").fetchone()
        told = connection.execute("select rows_new from tb_job_run where run_id = 1").fetchone()
    assert stored == (20 * writer.committed,)
    assert told == (BARS + 20 * writer.committed,)


def insist(step: Callable[[], None]) -> None:
    """Migrate as an operator does: again, where a table was in use."""
    said: list[str] = []
    while len(said) < 5:
        try:
            return step()
        except StoreError as error:
            said.append(str(error))
    pytest.fail(f"a table is always in use: {said}")


def test_a_load_that_takes_the_tables_the_other_way_round_goes_on(filled: str) -> None:
    """The migration has tb_meta and waits for tb_bar, the load has tb_bar and waits for tb_meta: a deadlock."""
    with psycopg.connect(filled) as load:
        load.execute("lock table tb_bar in row exclusive mode")
        failed: list[StoreError] = []

        def change() -> None:
            try:
                downgrade(filled, "0002")  # 0003 is what changes both
            except StoreError as error:
                failed.append(error)

        changing = threading.Thread(target=change)
        changing.start()
        with psycopg.connect(filled, autocommit=True) as other:
            waiting = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and application_name like %s"
            wait_for(lambda: other.execute(waiting, ["%migrate"]).fetchone() is not None)
        load.execute("lock table tb_meta in row exclusive mode")
        changing.join()
    assert [str(error).partition(".")[0] for error in failed] == ["the schema was not changed: a table is in use"]
    with connect(filled) as connection:
        assert current(connection) == STEPS[-1][1]


def test_a_real_load_meets_a_downgrade_and_an_upgrade(market: Market) -> None:
    """Each process ends well or says why; afterwards one more run completes what is missing."""
    days = sessions.sessions("XKRX", date(2025, 11, 17), date(2026, 1, 8))
    for number, day in enumerate(days):
        traded = 500 + number
        shares = [(f"{100000 + 10 * n}", f"Share {n}", "KOSPI", 1000, 1100, 900, 1000, traded) for n in range(200)]
        write_krx(market.folder, str(day), shares)
    market.replay.load(market.folder)
    market.replay.move_clock(at("2026-01-08T12:00"))
    wish = ["--job", "kr-price", "--as-of", THURSDAY, "--start", str(days[0]), "--end", str(days[-1])]

    def command(*arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "run_scheduled_job.py", *arguments],
            cwd=REPOSITORY,
            env=market.env,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    with command(*wish) as load:
        wait_for(lambda: market.rows("select 1 from tb_job_run where rows_new > 0") != [])
        with command("db", "downgrade", STEPS[-1][0]) as down:
            _, down_said = down.communicate(timeout=300)
        with command("db", "upgrade") as up:
            _, up_said = up.communicate(timeout=300)
        _, load_said = load.communicate(timeout=300)
    assert down.returncode == 0 or "a table is in use" in down_said, down_said
    assert up.returncode == 0 or "a table is in use" in up_said, up_said
    assert load.returncode == 0 or "The schema is not this version's" in load_said, load_said
    insist(lambda: upgrade(market.url))
    market.audit("kr-price")
    with command(*wish) as again:
        _, again_said = again.communicate(timeout=300)
    assert again.returncode == 0, again_said
    assert market.rows("select count(*), count(distinct trade_date) from tb_bar") == [(200 * len(days), len(days))]
    market.audit("kr-price")


def wait_for(condition: Callable[[], bool]) -> None:
    """Poll ``condition``."""
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
