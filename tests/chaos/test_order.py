"""Shards that overlap, beside each other in every interleaving that a reader could tell apart; tickers in another
order; days again in any order: the same rows as one run after the other.

``tests/model`` has any history of one process; this is of several, and of whole jobs over more than one batch. CI has a
few interleavings of one scenario, ``HYPOTHESIS_PROFILE=campaign pytest tests/chaos`` all of each.
"""

import signal
from dataclasses import replace
from itertools import permutations

import pytest

from tests.chaos.scenarios import SCENARIOS
from tests.chaos.stage import Stage
from tests.model.profile import CAMPAIGN

HALF, THIRD = ("--shard", "1/2"), ("--shard", "1/3")
INTERLEAVINGS = 3


def some(*scenarios: str) -> pytest.MarkDecorator:
    """Each of them in a campaign, the first in CI."""
    return pytest.mark.parametrize("scenario", scenarios if CAMPAIGN else scenarios[:1])


@some("us-changes", "us-range", "macro-changes")
def test_a_shard_runs_while_another_that_has_some_of_its_tickers_stands_between_two_transactions(
    stage: Stage, scenario: str
) -> None:
    asked = SCENARIOS[scenario]
    undisturbed = stage.enter(asked)
    stage.reset(asked)
    alone = stage.victims.run(stage.url(), [*asked.last.arguments, *HALF])
    between = [event.number for event in alone.events() if event.idle and event.what != "report"]
    for number in between if CAMPAIGN else between[:: len(between) // INTERLEAVINGS]:
        stage.reset(asked)
        half = stage.victims.start(stage.url(), [*asked.last.arguments, *HALF], [number])
        assert half.wait()
        third = stage.victims.run(stage.url(), [*asked.last.arguments, *THIRD])
        half.signal(signal.SIGCONT)
        half.wait()
        assert (half.code, third.code) == (0, 0), half.said + third.said
        assert stage.look().broken == []
        assert stage.victims.run(stage.url(), asked.last.arguments).code == 0
        assert stage.look().data == undisturbed.end.data, f"at event {number}"
        assert stage.broken(asked.last.job) == []


@some("us-changes", "us-range", "kr-range", "macro-changes")
def test_overlapping_shards_at_once(stage: Stage, scenario: str) -> None:
    asked = SCENARIOS[scenario]
    undisturbed = stage.enter(asked)
    stage.reset(asked)
    shards = [
        stage.victims.start(stage.url(), [*asked.last.arguments, "--shard", shard])
        for shard in ("1/2", "1/3", "2/2", "2/3", "3/3")
    ]
    for shard in shards:
        shard.wait()
    assert [shard.code for shard in shards] == [0] * len(shards), "".join(shard.said for shard in shards)
    assert stage.look().broken == []
    assert stage.victims.run(stage.url(), asked.last.arguments).code == 0
    assert stage.look().data == undisturbed.end.data
    assert stage.broken(asked.last.job) == []


@some("us-changes", "us-range", "macro-changes")
def test_tickers_and_series_in_another_order(stage: Stage, scenario: str) -> None:
    asked = SCENARIOS[scenario]
    turned = replace(asked, name=f"{asked.name}-turned", tickers=asked.tickers[::-1], series=asked.series[::-1])
    assert stage.enter(turned).end.data == stage.enter(asked).end.data


@some("macro-changes", "us-changes", "kr-changes")
def test_days_again_in_any_order(stage: Stage, scenario: str) -> None:
    """Each day is looked at again, as of then, by the sources of today."""
    asked = SCENARIOS[scenario]
    stage.enter(asked)
    stage.reset(asked)
    stage.victims.run(stage.url(), asked.last.arguments)
    before = stage.look().data
    for order in list(permutations(asked.mornings))[: None if CAMPAIGN else 2]:
        for morning in order:
            assert stage.victims.run(stage.url(), morning.arguments).code == 0
            assert stage.look().data == before, f"after {morning.as_of}"
    assert stage.broken(asked.last.job) == []
