"""Macro series in the market fixture: following some, and looking at what is stored of one."""

from collections.abc import Sequence

from tests.fixtures.market import Market


def follow(market: Market, series: Sequence[str]) -> None:
    """Add ``series`` to tb_macro."""
    market.rows("insert into tb_macro (fred) select unnest(%s::text[]) on conflict do nothing", list(series))


def stored(market: Market, series: str = "RATE") -> list[tuple[str, str, float | None]]:
    """(base_date, realtime_start, value)."""
    return market.rows(
        "select base_date::text, realtime_start::text, value from tb_macro_vintage join tb_macro using (macro_id) "
        "where fred = %s order by 1, 2",
        series,
    )
