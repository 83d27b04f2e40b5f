"""A real disk without space: a tablespace on a small tmpfs."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest

from include.insight_invest.errors import StoreError
from include.insight_invest.store.migrate import upgrade
from local import unprivileged
from tests.fixtures.database import Server
from tests.fixtures.market import Market, world
from tests.folders import write_chart
from tests.outage.test_going_on import long_history
from tests.replay import Replay

MEGABYTES = 24


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder of the server's account on a file system of its own."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting a file system is not permitted here")
    try:
        account = unprivileged.account(folder)
        assert account is not None
        inside = folder / "tablespace"
        inside.mkdir(mode=0o700)
        os.chown(inside, account.pw_uid, account.pw_gid)
        yield inside
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def full(postgres_server: Server, small_disk: Path, replay: Replay, tmp_path: Path) -> Iterator[Market]:
    """A market on that disk; ``filler`` takes what space there is."""
    with psycopg.connect(postgres_server.url("postgres"), autocommit=True) as admin:
        admin.execute(f"create tablespace small location '{small_disk}'".encode())
        admin.execute("create database on_small tablespace small")
        url = postgres_server.url("on_small")
        upgrade(url)
        yield world(url, tmp_path / "world", replay)
        admin.execute("drop database on_small with (force)")
        admin.execute("drop tablespace small")


def fill(market: Market) -> None:
    """Use the disk up, to the last page."""
    market.rows("create table filler (bytes text)")
    market.rows("alter table filler alter bytes set storage plain")
    for rows in (100, 10, 1):
        until_full(market, "insert into filler select repeat('x', 8000) from generate_series(1, %s)", rows)


def until_full(market: Market, statement: LiteralString, *parameters: object) -> None:
    """Repeat ``statement`` until the server has no space for it."""
    for _ in range(10_000):
        try:
            market.rows(statement, *parameters)
        except psycopg.errors.DiskFull:
            return
    pytest.fail("the disk is never full")


def test_the_run_says_so_and_the_next_one_brings_the_rest(full: Market) -> None:
    assert full.run(tickers=("ACME",)).rows.new == 3
    write_chart(full.folder, "BOLT", long_history(5_000))
    full.replay.load(full.folder)
    expected = full.run(dry_run=True).rows
    fill(full)
    report = full.run()
    assert (report.status, report.exit_code) == ("failed", 1)
    assert "DiskFull: could not extend file" in (report.error or "")
    assert "what was committed before stays. The server's disk, or a quota on it, is full: free space" in (
        report.error or ""
    )
    assert [row["status"] for row in full.ledger()] == ["succeeded", "failed"]
    assert full.rows("select count(*) from tb_bar") == [(3,)]
    full.audit()
    full.rows("drop table filler")
    assert full.run().rows == expected
    full.audit()


def test_one_that_cannot_even_begin_says_so(full: Market) -> None:
    fill(full)
    until_full(
        full,
        "insert into tb_job_run (job, status, trigger, version, as_of, started_at, finished_at, error) "
        "values ('macro', 'failed', 'test', '3', now(), now(), now(), repeat('x', 1000))",
    )
    with pytest.raises(StoreError, match=r"DiskFull: .*free space or enlarge the volume"):
        full.run()
    assert full.bars() == []
