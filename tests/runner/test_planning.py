"""What `prepare` settles: the session, the shards, and that there is nothing to do on a closed day."""

from datetime import date, datetime
from typing import Any

import pytest

from include.insight_invest.errors import ConfigurationError, UsageError
from include.insight_invest.jobs import JOBS
from include.insight_invest.planning import Plan, plan
from include.insight_invest.settings import load_settings
from include.insight_invest.updaters.progress import RunOptions
from tests.fixtures.market import BOLT, THURSDAY, Market
from tests.folders import write_chart

THANKSGIVING = "2025-11-28T09:00+00:00"  # Friday, 18:00 in Seoul: Wednesday's session is the last one


def planned(market: Market, job: str = "us-price", as_of: str = THURSDAY, **given: Any) -> Plan:
    settings = {name: given.pop(name) for name in list(given) if name not in RunOptions.__dataclass_fields__}
    moment = datetime.fromisoformat(as_of)
    return plan(JOBS[job], RunOptions(as_of=moment, **given), market.settings(**settings))


def test_a_small_market_is_one_shard(market: Market) -> None:
    found = planned(market)
    assert (found.session, found.tickers, found.shards, found.reason) == (date(2026, 1, 7), 2, ((1, 1),), None)
    assert found.label((1, 1)) == "2026-01-07 · 2 tickers"


@pytest.mark.parametrize(
    ("tickers", "rate", "options", "shards", "is_enough"),
    [
        (2_520, 2.0, {}, 1, True),  # 30 minutes, 70 % of them asking: 2,520 at two a second
        (2_521, 2.0, {}, 2, True),
        (7_000, 2.0, {}, 3, True),
        (7_000, 1.0, {"full_refresh": True}, 6, True),
        (30_000, 2.0, {}, 10, False),
    ],
)
def test_shards_are_what_the_rate_of_the_source_makes_necessary(
    market: Market, tickers: int, rate: float, options: dict[str, Any], shards: int, is_enough: bool
) -> None:
    market.rows(
        "insert into tb_meta (ticker, name, security_type, iso_code) "
        "select 'T' || n, 'T', 'STOCK', 'US' from generate_series(1, %s - 2) as n",
        tickers,
    )
    found = planned(market, yahoo_rate=rate, **options)
    assert found.shards == tuple((index, shards) for index in range(1, shards + 1))
    assert (found.warning is None) == is_enough
    assert found.label((1, shards)) == f"2026-01-07 · part 1 of {shards}" or shards == 1


def test_one_listing_has_the_whole_korean_market_and_naver_is_asked_a_ticker(market: Market) -> None:
    market.rows(
        "insert into tb_meta (ticker, name, security_type, iso_code) "
        "select lpad(n::text, 6, '0'), 'T', 'STOCK', 'KR' from generate_series(1, 3000) as n"
    )
    assert planned(market, "kr-price", naver_rate=2).shards == ((1, 1),)
    assert planned(market, "kr-price", naver_rate=2, full_refresh=True).shards == ((1, 2), (2, 2))


def test_series_are_counted_too(market: Market) -> None:
    assert planned(market, "macro").tickers == 1


class TestClosedDays:
    """On a day on which the exchange did not trade there is no shard, unless something is missing."""

    @pytest.fixture(autouse=True)
    def _week(self, market: Market) -> None:
        days = ["2025-11-24", "2025-11-25", "2025-11-26", "2025-11-28"]
        market.rows("delete from tb_meta where ticker = 'ACME'")
        write_chart(market.folder, "BOLT", dict(zip(days, BOLT.values(), strict=True)))
        self.run_id = market.run(as_of="2025-11-27T09:00+00:00").run_id

    def test_there_is_nothing_to_do(self, market: Market) -> None:
        found = planned(market, as_of=THANKSGIVING)
        assert found.shards == ((1, 1),)
        assert found.reason == (
            f"XNYS did not trade on 2025-11-27: the last session, 2025-11-26, was loaded by run {self.run_id}"
        )

    def test_a_missing_session_is_something_to_do(self, market: Market) -> None:
        market.rows(
            "insert into tb_gap (meta_id, trade_date, state, run_id, found_at) "
            "select meta_id, '2025-11-25', 'open', 1, now() from tb_meta"
        )
        assert planned(market, as_of=THANKSGIVING).reason is None

    def test_a_new_ticker_is_something_to_do(self, market: Market) -> None:
        market.follow("ACME")
        assert planned(market, as_of=THANKSGIVING).reason is None

    @pytest.mark.parametrize("asked", [{"tickers": ("BOLT",)}, {"start": date(2025, 11, 24)}, {"full_refresh": True}])
    def test_who_asks_for_more_gets_it(self, market: Market, asked: dict[str, Any]) -> None:
        assert planned(market, as_of=THANKSGIVING, **asked).reason is None


def test_a_wrong_call_is_refused_before_anything_starts(market: Market) -> None:
    with pytest.raises(UsageError, match="not in the US universe: NOSUCH"):
        planned(market, tickers=("NOSUCH",))


def test_ecs_needs_its_own_settings_and_not_the_secrets_of_the_updater(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ConfigurationError, match="INSIGHT_ECS_CLUSTER, INSIGHT_ECS_SUBNETS, INSIGHT_ECS_SECURITY_GROU"):
        planned(market, "macro", execution="ecs")
    monkeypatch.delenv("FRED_API_KEY", raising=False)
    placed = {"ecs_cluster": "insight", "ecs_subnets": "subnet-1, subnet-2", "ecs_security_groups": "sg-1"}
    settings = load_settings(database_url=market.url, execution="ecs", **placed)
    assert settings.fred_api_key is None
    assert plan(JOBS["macro"], RunOptions(as_of=datetime.fromisoformat(THURSDAY)), settings).shards == ((1, 1),)
    assert market.settings(**placed).ecs_subnets == ("subnet-1", "subnet-2")
