"""``status`` and ``doctor`` name the macro series that no longer bring anything."""

from tests.cli.conftest import Command, job
from tests.fixtures.market import Market


def test_all_are_live(cli: Command) -> None:
    cli(*job("macro"))
    assert "RATE" not in cli("status").out
    assert "macro series: all live" in cli("doctor").out


def test_one_that_fred_does_not_know(cli: Command, market: Market) -> None:
    market.rows("insert into tb_macro (fred) values ('NOPE')")
    assert "macro: NOPE empty: FRED does not know NOPE" in cli(*job("macro")).out
    assert "NOPE" not in cli(*job("macro")).out
    assert "NOPE is unknown since 2026-01-08" in cli("status").out
    said = cli("doctor")
    assert (said.code, "macro series: NOPE unknown since 2026-01-08" in said.out) == (0, True)
