"""What the lake's tests share: a small market that is stored, and a folder for the lake."""

from pathlib import Path

import pytest

from tests.fixtures.market import Market


@pytest.fixture
def loaded(market: Market) -> Market:
    """ACME (a split, a dividend), BOLT, three Korean shares and a series are stored; a bar of last year, too."""
    for job in ("us-price", "kr-price", "macro"):
        assert market.run(job).exit_code == 0
    market.rows(
        "insert into tb_bar select meta_id, '2025-12-31', open, high, low, close, volume, basis_date, source, "
        "currency, observed_at, final, run_id from tb_bar where meta_id = 2 and trade_date = '2026-01-05'"
    )
    return market


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the lake is to be."""
    return tmp_path / "lake"


def files(folder: Path) -> dict[str, bytes]:
    """Every file below ``folder``, by its path in it."""
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
