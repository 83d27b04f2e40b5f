"""Any order of runs, repeats, gaps, corrections and actions ends in the same database: the one that the model says.

Whole jobs, with yfinance, against a source that answers as the model says; the longer campaign is
``HYPOTHESIS_PROFILE=campaign pytest tests/model``.

The world determines each bar (its values in the shares of its basis date, its source), the adjusted prices, the
actions, which sessions are missing, and that nothing damaged is stored. History determines the basis date (the session
of the run that wrote the row), the run and its time, who was asked for a gap when, and, where evenings were missed,
which corrections were seen, and so tb_bar_revision and ``final``. With a run on every evening the world determines
those too: a bar is final when a second evening has said the same, and each correction leaves the value before it.
"""

from hypothesis import given
from hypothesis import strategies as st

from include.insight_invest.store.database import Connection
from tests.fixtures.market import Market
from tests.model.histories import Order, daily, some_runs, with_more_runs
from tests.model.profile import profile
from tests.model.stored import World
from tests.model.world import LAST, Share, shares

TICKERS = ("ACME", "BOLT")
MODELS = st.fixed_dictionaries({ticker: shares() for ticker in TICKERS})
FULL = Order(evening=LAST, session=LAST, kind="full")


@profile(12)
@given(model=MODELS, history=some_runs(TICKERS))
def test_some_runs_end_as_the_model_says(
    market: Market, connection: Connection, model: dict[str, Share], history: list[Order]
) -> None:
    world = World(market, connection, model)
    for order in history:
        world.run(order)
    # The next daily runs catch up, the second says the same a day later: it is a weekend.
    world.run(daily(LAST))
    world.assert_is_the_models()
    world.run(daily(LAST), days_later=1)
    world.assert_is_the_models()
    stored = {(ticker, day) for ticker, share in model.items() for day in share.there()}
    assert world.final() == stored
    report = world.run(FULL, days_later=1)
    assert report.exit_code == 0, report.error
    world.assert_is_the_models()
    before = world.everything()
    assert world.run(FULL, days_later=1).rows.changed == 0
    assert world.everything() == before


@profile(4)
@given(model=MODELS, history=with_more_runs(TICKERS))
def test_more_runs_than_the_daily_ones_change_nothing(
    market: Market, connection: Connection, model: dict[str, Share], history: list[Order]
) -> None:
    begin = history[0].evening
    read_once = {(ticker, day) for ticker, share in model.items() for day in share.read_once(begin)}
    revised = sorted(
        (ticker, day) for ticker, share in model.items() for day in share.there() if share.corrected_on(day, begin)
    )
    damaged = {(ticker, day) for ticker, share in model.items() for day, on in share.damaged.items() if on >= begin}
    stored = {(ticker, day) for ticker, share in model.items() for day in share.there()}
    late = {(ticker, day) for ticker, day in stored if model[ticker].arrival(day) > max(day, begin)}

    plain = World(market, connection, model)
    for evening in range(begin, LAST + 1):
        assert plain.run(daily(evening)).exit_code == 0
    plain.assert_is_the_models()
    assert plain.final() == stored - read_once
    assert plain.revised() == revised
    assert plain.healed() == late
    assert plain.damaged("rejected") == damaged

    world = World(market, connection, model)
    for order in history:
        world.run(order)
    world.run(daily(LAST), days_later=1)
    world.assert_is_the_models()
    assert world.final() == stored
    assert world.revised() == revised
    assert world.healed() >= late
    assert world.damaged("rejected") == damaged
