"""The lake says what the database says, and only what has changed is written."""

import json
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest

from include.insight_invest.errors import ConfigurationError, LakeError
from include.insight_invest.lake.export import export
from include.insight_invest.lake.place import Place
from include.insight_invest.settings import load_settings
from include.insight_invest.store import lake
from tests.fixtures.airflow import ROOT
from tests.fixtures.market import Market
from tests.lake.conftest import files

VIEWS = (ROOT / "include" / "insight_invest" / "lake" / "views.sql").read_text()
ROWS = 24


def asked(url: object, query: str) -> list[tuple[object, ...]]:
    connection = duckdb.connect()
    connection.execute(f"set variable lake = '{url}'")
    connection.execute(VIEWS)
    return connection.execute(query).fetchall()


def test_each_file_is_of_one_partition(loaded: Market, folder: Path) -> None:
    done = export(loaded.url, str(folder))
    assert list(done.written) == [
        "prices/market=KR/year=2026/part-0.parquet",
        "prices/market=US/year=2025/part-0.parquet",
        "prices/market=US/year=2026/part-0.parquet",
        "actions/market=US/part-0.parquet",
        "adjustments/market=US/part-0.parquet",
        "definitions/market=KR/part-0.parquet",
        "definitions/market=US/part-0.parquet",
        "series/part-0.parquet",
        "vintages/series=RATE/part-0.parquet",
    ]
    assert set(files(folder)) == {*done.written, "manifest.json"}


def test_duckdb_and_postgresql_say_the_same(loaded: Market, folder: Path) -> None:
    """To the last bit: ACME's days before its 4:1 split, and before its dividend."""
    export(loaded.url, str(folder))
    prices = (
        "select ticker, trade_date::text, close, adj_close, open, high, low, volume, currency from {} order by 1, 2"
    )
    stored = loaded.rows(prices.format("tb_price join tb_meta using (meta_id)"))
    assert asked(folder, prices.format("adjusted_prices")) == stored
    assert len({row[3] / row[2] for row in stored}) == 2  # with a dividend ahead, and without
    values = "select {}, base_date::text, value from {} order by 1, 2"
    assert asked(folder, values.format("series", "macro_values")) == loaded.rows(
        values.format("fred", "tb_macro_data join tb_macro using (macro_id)")
    )
    known = "select base_date::text, realtime_start::text, value from {} order by 1, 2"
    assert asked(folder, known.format("vintages")) == loaded.rows(known.format("tb_macro_vintage"))


def test_a_second_export_writes_nothing(loaded: Market, folder: Path) -> None:
    export(loaded.url, str(folder))
    before = {file: file.stat().st_mtime_ns for file in folder.rglob("*")}
    done = export(loaded.url, str(folder))
    assert (done.written, done.removed, done.rows) == ((), (), ROWS)
    assert {file: file.stat().st_mtime_ns for file in folder.rglob("*")} == before


def test_the_same_state_gives_the_same_bytes(loaded: Market, folder: Path) -> None:
    export(loaded.url, str(folder / "one"))
    export(loaded.url, str(folder / "two"))
    assert files(folder / "one") == files(folder / "two")


@pytest.mark.parametrize(
    ("change", "written"),
    [
        (
            "update tb_bar set close = 51 where meta_id = 2 and trade_date = '2026-01-06'",
            ["prices/market=US/year=2026/part-0.parquet"],
        ),
        ("delete from tb_bar where meta_id = 2 and trade_date = '2025-12-31'", []),
        (
            "update tb_action set value = 2 where kind = 'split'",
            ["actions/market=US/part-0.parquet", "adjustments/market=US/part-0.parquet"],
        ),
        (
            "insert into tb_macro_vintage values (1, '2025-12-01', '2026-01-08', 3.4, 'fred', 1)",
            ["vintages/series=RATE/part-0.parquet"],
        ),
    ],
    ids=["a corrected bar", "a year that is gone", "a split", "a vintage"],
)
def test_only_what_changed_is_written(
    loaded: Market, folder: Path, tmp_path: Path, change: str, written: list[str]
) -> None:
    export(loaded.url, str(folder))
    before = files(folder)
    loaded.rows(change)
    done = export(loaded.url, str(folder))
    assert list(done.written) == written
    assert list(done.removed) == ([] if written else ["prices/market=US/year=2025/part-0.parquet"])
    after = files(folder)
    moved = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    assert moved == {*written, *done.removed, "manifest.json"}
    export(loaded.url, str(tmp_path / "anew"))
    assert files(tmp_path / "anew") == after


def test_a_file_that_was_cut_or_deleted_comes_back(loaded: Market, folder: Path) -> None:
    export(loaded.url, str(folder))
    whole = files(folder)
    (folder / "series/part-0.parquet").write_bytes(b"PAR1")
    (folder / "actions/market=US/part-0.parquet").unlink()
    done = export(loaded.url, str(folder))
    assert list(done.written) == ["actions/market=US/part-0.parquet", "series/part-0.parquet"]
    assert files(folder) == whole


def test_somebody_elses_file_stays(loaded: Market, folder: Path) -> None:
    (folder / "notes").mkdir(parents=True)
    (folder / "notes/mine.txt").write_text("mine")
    export(loaded.url, str(folder))
    assert (folder / "notes/mine.txt").read_text() == "mine"


KILLED = """
import os, signal, sys
from include.insight_invest.lake import export, place
whole, files = place.Place.put, int(sys.argv[3])

def put(self, path, write):
    global files
    files -= 1
    if files:
        return whole(self, path, write)

    def half(stream):
        stream.write(b"half")
        stream.flush()
        os.kill(os.getpid(), signal.SIGKILL)

    whole(self, path, half)

place.Place.put = put
export.export(sys.argv[1], sys.argv[2])
"""


@pytest.mark.parametrize("files_before", [1, 3])
def test_a_kill_in_the_middle_leaves_whole_files_and_the_next_export_does_the_rest(
    loaded: Market, folder: Path, tmp_path: Path, files_before: int
) -> None:
    """Killed in the first file, the manifest that says what will be written, or in the third."""
    export(loaded.url, str(folder))
    old = files(folder)
    loaded.rows("update tb_bar set close = close + 0.25 where trade_date < '2026-01-06'")
    loaded.rows("update tb_macro_vintage set value = value + 1")
    export(loaded.url, str(tmp_path / "wanted"))
    wanted = files(tmp_path / "wanted")

    killed = subprocess.run(
        [sys.executable, "-c", KILLED, loaded.url, str(folder), str(files_before)], cwd=ROOT, check=False, timeout=120
    )

    assert killed.returncode == -signal.SIGKILL
    left = {path: content for path, content in files(folder).items() if not path.startswith("_unfinished/")}
    assert left.keys() == old.keys()
    assert all(content in (old[path], wanted[path]) for path, content in left.items() if path != "manifest.json")
    if files_before > 1:
        changed = {path for path in left if old[path] != wanted[path]} - {"manifest.json"}
        assert set(json.loads(left["manifest.json"])["writing"]) == changed
    export(loaded.url, str(folder))
    assert files(folder) == wanted


def test_rows_come_in_batches(loaded: Market, tmp_path: Path) -> None:
    """No more than a row group at once: a market is never in memory."""
    from include.insight_invest.store.database import connect

    with connect(loaded.url) as connection, connection.transaction():
        whole = next(one for one in lake.partitions(connection, lake.DATASETS[0]) if one.values == ("US", "2026"))
        sizes = [len(batch) for batch in lake.batches(connection, whole, 3)]
    assert (whole.rows, sizes) == (6, [3, 3])


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://host/lake", "is of type ftp: it must be s3://bucket/prefix, file:///folder or a folder"),
        ("s3://key:secret@bucket/lake", "holds a login: take it out"),
    ],
)
def test_an_address_that_cannot_be_is_refused(url: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as refused:
        Place(url)
    assert "secret" not in str(refused.value)


def test_a_folder_that_refuses_is_told(loaded: Market, folder: Path) -> None:
    folder.mkdir()
    (folder / "prices").write_text("in the way")
    with pytest.raises(LakeError, match=r"cannot write prices/.* Its whole files stay as they were"):
        export(loaded.url, str(folder))


def test_a_folder_may_be_written_in_three_ways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for url in (str(tmp_path / "lake"), (tmp_path / "lake").as_uri(), "lake"):
        monkeypatch.setenv("INSIGHT_LAKE_URL", url)
        found = load_settings().lake_url
        assert found == url
        Place(found).put("a/b", partial(_say, url))
        assert (tmp_path / "lake/a/b").read_text() == url


def _say(text: str, stream: Any) -> None:
    stream.write(text.encode())
