"""A universe from a CSV file."""

from datetime import date
from pathlib import Path

import pytest

from include.insight_invest.errors import UniverseError
from include.insight_invest.starter import macro_file, universe_file
from include.insight_invest.store import symbols
from include.insight_invest.store.database import Connection
from include.insight_invest.universe.import_file import (
    MAXIMUM_BYTES,
    import_series,
    import_universe,
    read_universe,
    seed_series,
)

HEADER = "ticker,name,security_type,iso_code"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "universe.csv"


def write(file: Path, *lines: str) -> Path:
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def stored(connection: Connection) -> list[tuple[object, ...]]:
    return connection.execute("select ticker, name, security_type, iso_code from tb_meta order by meta_id").fetchall()


def test_a_file_becomes_definitions(connection: Connection, file: Path) -> None:
    write(file, HEADER, "MSFT,Microsoft,STOCK,US", "005930,삼성전자,STOCK,KR", "0126Z0,무언가,STOCK,KR")
    assert import_universe(connection, file) == (3, 0)
    assert stored(connection) == [
        ("MSFT", "Microsoft", "STOCK", "US"),
        ("005930", "삼성전자", "STOCK", "KR"),
        ("0126Z0", "무언가", "STOCK", "KR"),
    ]


def test_importing_again_changes_nothing_and_a_new_name_one_row(connection: Connection, file: Path) -> None:
    import_universe(connection, write(file, HEADER, "MSFT,Microsoft,STOCK,US", "META,Facebook,STOCK,US"))
    assert import_universe(connection, file) == (0, 0)
    write(file, HEADER, "MSFT,Microsoft,STOCK,US", "META,Meta Platforms,STOCK,US", "NVDA,NVIDIA,STOCK,US")
    assert import_universe(connection, file) == (1, 1)
    assert [row[1] for row in stored(connection)] == ["Microsoft", "Meta Platforms", "NVIDIA"]


def test_every_column_of_tb_meta_may_be_there_and_others_are_left_out(connection: Connection, file: Path) -> None:
    write(
        file,
        "note,remark,fee,marketcap,iso_code,sector,asset_class,security_type,isin,name,ticker,market",
        "mine,large,0.0945,500000000000,US,,EQUITY,ETF,US78462F1030,SPDR S&P 500,SPY,NYSE",
    )
    assert import_universe(connection, file) == (1, 0)
    assert connection.execute(
        "select ticker, name, isin, security_type, asset_class, sector, iso_code, marketcap, fee, remark, market "
        "from tb_meta"
    ).fetchall() == [
        ("SPY", "SPDR S&P 500", "US78462F1030", "ETF", "EQUITY", None, "US", 500_000_000_000, 0.0945, "large", "NYSE")
    ]


def test_a_value_that_is_missing_blanks_nothing(connection: Connection, file: Path) -> None:
    import_universe(connection, write(file, f"{HEADER},fee,sector", "SPY,SPDR,ETF,US,0.0945,Funds"))
    assert import_universe(connection, write(file, f"{HEADER},fee,sector", "SPY,,ETF,US,,")) == (0, 0)
    assert import_universe(connection, write(file, HEADER, "SPY,SPDR,ETF,US")) == (0, 0)
    assert connection.execute("select name, fee, sector from tb_meta").fetchall() == [("SPDR", 0.0945, "Funds")]


def test_the_same_ticker_of_two_countries_is_two(connection: Connection, file: Path) -> None:
    write(file, HEADER, "005930,Samsung,STOCK,KR", "MSFT,Microsoft,STOCK,US")
    assert import_universe(connection, file) == (2, 0)


def test_blanks_around_values_and_a_byte_order_mark_are_no_part_of_them(connection: Connection, file: Path) -> None:
    file.write_text(f"\ufeff{HEADER}\n BRK/A , Berkshire ,STOCK, US \n", encoding="utf-8")
    import_universe(connection, file)
    assert stored(connection) == [("BRK/A", "Berkshire", "STOCK", "US")]


def test_words_that_pandas_takes_for_missing_are_tickers(connection: Connection, file: Path) -> None:
    import_universe(connection, write(file, HEADER, "NA,Nano Labs,STOCK,US", "TRUE,TrueCar,STOCK,US"))
    assert [row[0] for row in stored(connection)] == ["NA", "TRUE"]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["ticker,name", "MSFT,Microsoft"], "lacks the column security_type, iso_code; it needs ticker, name, secur"),
        ([HEADER, "MSFT,Microsoft,STOCK,US", ",Nobody,STOCK,US"], "line 3: no ticker. Nothing was imported"),
        ([HEADER, "MSFT,Microsoft, ,US"], "line 2: no security_type. Nothing was imported"),
        ([HEADER, "MSFT,Microsoft,STOCK,"], "line 2: no iso_code. Nothing was imported"),
        ([HEADER, "7203,Toyota,STOCK,JP"], "line 2: iso_code is one of US, KR"),
        ([HEADER, "A,Agilent,STOCK,US", "B,Barnes,STOCK,US", "A,Again,STOCK,US"], "line 4: A is there twice"),
        ([HEADER, "MSFT,Microsoft,STOCK,US", "5930,Samsung,STOCK,KR"], "line 3: .*'5930' lost its leading zeros"),
        ([HEADER, "SAMSUNG,Samsung,STOCK,KR"], "line 2: 'SAMSUNG' is not a Korean code"),
        ([HEADER, "00104k,Preferred,STOCK,KR"], "line 2: KRX writes 00104k in capitals"),
        ([HEADER, "aapl,Apple,STOCK,US"], "line 2: 'aapl' is not a US symbol as its listing writes it"),
        ([f"{HEADER},fee", "SPY,SPDR,ETF,US,0.09", "VOO,Vanguard,ETF,US,cheap"], "line 3: fee is not a number"),
        ([f"{HEADER},marketcap", "SPY,SPDR,ETF,US,inf"], "line 2: marketcap is not a number"),
        ([HEADER, "", "MSFT,Microsoft,STOCK,US,"], "line 3: 5 values, the header has 4 names. Nothing was imported"),
        ([HEADER, "MSFT,Microsoft,STOCK"], "line 2: 3 values, the header has 4 names. Nothing was imported"),
        ([f"{HEADER},name", "MSFT,Microsoft,STOCK,US,Again"], "two columns of one name"),
        ([HEADER, '"MSFT,Microsoft,STOCK,US'], "cannot read .*Nothing was imported"),
        ([""], "lacks the column ticker, name, security_type, iso_code"),
    ],
)
def test_a_bad_file_is_named_with_its_line_and_imports_nothing(
    connection: Connection, file: Path, lines: list[str], message: str
) -> None:
    with pytest.raises(UniverseError, match=message) as caught:
        import_universe(connection, write(file, *lines))
    assert str(file) in str(caught.value)
    assert stored(connection) == []


def test_a_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(UniverseError, match=r"cannot read .*nowhere\.csv"):
        read_universe(tmp_path / "nowhere.csv")
    (tmp_path / "korean.csv").write_bytes(f"{HEADER}\n005930,삼성전자,STOCK,KR\n".encode("euc-kr"))
    with pytest.raises(UniverseError, match=r"cannot read .*korean\.csv.*utf-8"):
        read_universe(tmp_path / "korean.csv")


def test_a_file_that_is_too_large_is_not_read(file: Path) -> None:
    with file.open("wb") as sparse:
        sparse.truncate(MAXIMUM_BYTES + 1)
    with pytest.raises(UniverseError, match="larger than 50,000,000 bytes"):
        read_universe(file)


def test_a_name_over_two_lines_and_a_blank_line_count_as_lines(file: Path) -> None:
    lines = [HEADER, '"MSFT","Micro\nsoft",STOCK,US', "", "5930,Samsung,STOCK,KR"]
    with pytest.raises(UniverseError, match="line 5: the Korean code '5930'"):
        read_universe(write(file, *lines))


def test_a_file_of_a_header_alone_imports_nothing(connection: Connection, file: Path) -> None:
    assert import_universe(connection, write(file, HEADER)) == (0, 0)


# Renamed shares ----------------------------------------------------------------------------------------------------


class TestRenamed:
    """IBM is called IBMX since a Thursday; the file still says IBM."""

    @pytest.fixture(autouse=True)
    def _renamed(self, connection: Connection, file: Path) -> None:
        import_universe(connection, write(file, HEADER, "IBM,Machines,STOCK,US", "MSFT,Microsoft,STOCK,US"))
        symbols.rename(connection, "US", "IBM", "IBMX", on=date(2026, 1, 8), evidence="NYSE")

    def test_it_is_not_added_again(self, connection: Connection, file: Path) -> None:
        told: list[str] = []
        assert import_universe(connection, file, tell=told.append) == (0, 0)
        assert told == ["IBM is called IBMX since 2026-01-08: not added (is it another share now? --reused IBM)"]
        assert [row[0] for row in stored(connection)] == ["IBMX", "MSFT"]

    def test_a_reused_symbol_is_added_when_that_is_said(self, connection: Connection, file: Path) -> None:
        assert import_universe(connection, file, reused=["IBM"]) == (1, 0)
        assert import_universe(connection, file, tell=pytest.fail) == (0, 0)

    def test_the_same_symbol_of_another_country_is(self, connection: Connection, file: Path) -> None:
        symbols.rename(connection, "US", "MSFT", "005930", on=date(2026, 1, 8), evidence="x")
        symbols.rename(connection, "US", "005930", "MSFT", on=date(2026, 1, 9), evidence="x")
        assert import_universe(connection, write(file, HEADER, "005930,Samsung,STOCK,KR")) == (1, 0)


# The starter lists -------------------------------------------------------------------------------------------------


def test_the_starter_universe_loads(connection: Connection) -> None:
    new, changed = import_universe(connection, None)
    lines = universe_file().read_text(encoding="utf-8").splitlines()
    assert (new, changed) == (len(lines) - 1, 0)
    assert import_universe(connection, None) == (0, 0)
    assert ("005930", "KOSPI") in connection.execute("select ticker, market from tb_meta").fetchall()


def test_the_starter_series_seed_an_empty_list(connection: Connection) -> None:
    lines = macro_file().read_text(encoding="utf-8").splitlines()
    assert seed_series(connection) == len(lines) - 1 >= 40
    assert ("GDP", "Gross Domestic Product") in connection.execute("select fred, description from tb_macro").fetchall()


def test_a_list_that_somebody_has_made_is_left_alone(connection: Connection) -> None:
    connection.execute("insert into tb_macro (fred, description) values ('CPIAUCSL', 'prices')")
    assert seed_series(connection) == 0
    assert connection.execute("select fred, description from tb_macro").fetchall() == [("CPIAUCSL", "prices")]


def test_importing_series_adds_those_that_are_missing(connection: Connection, file: Path) -> None:
    connection.execute("insert into tb_macro (fred, description) values ('GDP', 'mine')")
    write(file, "fred,description,category", "GDP,Gross Domestic Product,growth", " DGS10 , Ten years ,rates")
    assert import_series(connection, file) == 1
    assert connection.execute("select fred, description from tb_macro order by macro_id").fetchall() == [
        ("GDP", "mine"),
        ("DGS10", "Ten years"),
    ]
