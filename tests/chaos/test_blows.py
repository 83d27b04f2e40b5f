"""A few points of the campaign (``make chaos`` is all of it): whatever ends a run, the next one makes it whole."""

import signal
from pathlib import Path

import pytest

from local import postgres
from tests.chaos.__main__ import main as campaign
from tests.chaos.campaign import Blow, Point, points, strike
from tests.chaos.crash import crashing
from tests.chaos.scenarios import SCENARIOS
from tests.chaos.stage import Stage, until
from tests.replay import Fault

WAIT_SECONDS = 30


def first(stage: Stage, scenario: str, what: str, blow: Blow) -> Point:
    """``blow`` at the first event of that kind."""
    return next(one for one in points(stage, SCENARIOS[scenario], blow) if one.event.what == what)


@pytest.mark.parametrize("scenario", ["us-changes", "macro-changes"])
def test_sigkill_here_and_there(stage: Stage, scenario: str) -> None:
    every = len(stage.enter(SCENARIOS[scenario]).events) // 7
    struck = [strike(stage, point) for point in points(stage, SCENARIOS[scenario], Blow.KILL, every=every)]
    assert [(str(one.point), one.wrong) for one in struck if one.wrong] == []
    assert [one.code for one in struck] == [-signal.SIGKILL] * len(struck)
    assert len(struck) >= 7


@pytest.mark.parametrize("what", ["copy_to", "before-exit_gen", "exit_gen", "report"])
def test_sigkill_in_a_copy_before_and_after_a_commit_and_after_the_report(stage: Stage, what: str) -> None:
    struck = strike(stage, first(stage, "us-first", what, Blow.KILL))
    assert struck.wrong == []


@pytest.mark.parametrize("what", ["copy_to", "before-exit_gen", "exit_gen"])
@pytest.mark.parametrize("blow", [Blow.TERMINATE, Blow.SIGTERM])
def test_a_lost_connection_and_a_stopped_task(stage: Stage, what: str, blow: Blow) -> None:
    struck = strike(stage, first(stage, "us-first", what, blow))
    assert struck.wrong == []


def test_sigterm_before_a_run_has_begun(stage: Stage) -> None:
    point = next(points(stage, SCENARIOS["us-first"], Blow.SIGTERM))
    assert (point.event.number, point.event.idle) == (1, True)
    struck = strike(stage, point)
    assert (struck.code, struck.wrong) == (143, [])


def test_sigterm_while_it_waits_before_asking_again(stage: Stage) -> None:
    scenario = SCENARIOS["us-first"]
    undisturbed = stage.enter(scenario)
    stage.reset(scenario)
    stage.replay.reset()
    stage.replay.fault(Fault.SERVER_ERROR, source="yahoo")
    victim = stage.victims.start(stage.url(), scenario.last.arguments, INSIGHT_RETRY_WAIT="60")
    until(lambda: stage.replay.counts["yahoo"] >= 2)
    victim.signal(signal.SIGTERM)
    assert (victim.wait(), victim.code) == (False, 143)
    stage.replay.reset()
    assert stage.victims.run(stage.url(), scenario.last.arguments).code == 0
    assert stage.look().data == undisturbed.end.data


def test_a_crash_of_the_server(stage: Stage, tmp_path: Path) -> None:
    """In a server of its own: the others go on."""
    url = postgres.start(tmp_path)
    try:
        own = Stage(url, stage.replay, stage.victims, tmp_path)
        struck = strike(own, first(own, "us-first", "copy_to", Blow.CRASH), crashing(tmp_path))
        assert struck.wrong == []
    finally:
        postgres.stop(tmp_path)


def test_a_campaign_of_what_there_is_not_does_not_begin(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["chaos", "us-frist", "kill"])
    with pytest.raises(SystemExit):
        campaign()
    assert "there is no us-frist; there are us-first, " in capsys.readouterr().err
