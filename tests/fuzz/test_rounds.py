"""One small round of each source: the whole job over damaged answers. ``make fuzz`` plays them by the thousand."""

import pytest

from tests.fixtures.database import Server
from tests.fuzz import generated
from tests.fuzz.command import WORLDS, bench
from tests.replay import Replay

# As in production; yfinance and pandas have much to say about such answers.
pytestmark = pytest.mark.filterwarnings("ignore")


SCALE = 0.2  # of a round


@pytest.mark.parametrize("name", WORLDS)
def test_a_round(name: str, postgres_server: Server, replay: Replay) -> None:
    with bench(name, postgres_server, replay, SCALE) as ready:
        first = ready.play("1")
    assert first.wrong == []
    assert first.payloads >= 15
    assert first.states["failed"] + first.states["unchanged"] + first.states["updated"] > 0


@pytest.mark.parametrize("name", generated.PLAYS)
def test_generated_answers(name: str, postgres_server: Server, replay: Replay) -> None:
    with bench(name, postgres_server, replay) as ready:
        played = list(generated.rounds(name, ready.market, payloads=25, seed=1))
    assert [line for one in played for line in one.wrong] == []
    assert sum(one.payloads for one in played) >= 10  # after a batch without one history Yahoo is not asked again


def test_a_seed_repeats_its_round(postgres_server: Server, replay: Replay) -> None:
    with bench("fred", postgres_server, replay, SCALE) as ready:
        first, second = ready.play("7"), ready.play("7")
    assert (first.names, first.runs, first.states) == (second.names, second.runs, second.states)
