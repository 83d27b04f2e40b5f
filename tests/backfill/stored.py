"""What a Korean database holds, without the runs that wrote it: the same facts from other runs compare equal."""

from typing import Any

from tests.fixtures.market import Market

# Who wrote a row and when, in what order tickers came, on what evening Naver was asked, whether a bar was read twice.
_WITHOUT = "{meta_id,run_id,observed_at,found_at,settled_at,final}"


def stored(market: Market) -> dict[str, list[tuple[Any, ...]]]:
    """Every bar, action, adjusted price, base price that was set anew, and listing."""
    rows = market.rows
    return {
        "tb_bar": rows(
            "select ticker, trade_date::text, (to_jsonb(t) - %s::text[])::text "
            "from tb_bar as t join tb_meta using (meta_id) order by 1, 2",
            _WITHOUT,
        ),
        "tb_action": rows(
            "select ticker, ex_date::text, ((to_jsonb(t) - %s::text[]) #- '{evidence,quoted_on}')::text "
            "from tb_action as t join tb_meta using (meta_id) order by 1, 2, kind",
            _WITHOUT,
        ),
        "tb_price": rows(
            "select ticker, trade_date::text, (to_jsonb(t) - %s::text[])::text "
            "from tb_price as t join tb_meta using (meta_id) order by 1, 2",
            _WITHOUT,
        ),
        "tb_base_move": rows(
            "select ticker, ex_date::text, ((to_jsonb(t) - %s::text[]) #- '{evidence,quoted_on}')::text "
            "from tb_base_move as t join tb_meta using (meta_id) order by 1, 2",
            _WITHOUT,
        ),
        "tb_listing": rows("select session_date::text, source, listed from tb_listing order by 1"),
        "tb_absence": rows(
            "select ticker, session_date::text from tb_absence join tb_meta using (meta_id) order by 1, 2"
        ),
        "tb_meta": rows(
            "select ticker, name, market, listed_from::text, delisted_on::text from tb_meta "
            "where iso_code = 'KR' order by 1"
        ),
    }


def forget(market: Market) -> None:
    """An empty database, but for what the market follows in other countries."""
    market.rows(
        "truncate tb_bar, tb_bar_revision, tb_action, tb_base_move, tb_listing, tb_absence, tb_gap, tb_quarantine, "
        "tb_job_run"
    )
    market.rows("delete from tb_meta where iso_code = 'KR'")
