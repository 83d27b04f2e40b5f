"""Whatever FRED is asked in whatever order, and however it corrects itself: tb_macro_vintage against a dictionary."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from include.insight_invest.store.database import Connection
from include.insight_invest.store.ledger import broken_invariants
from tests.store.rows import NAN, Vintage, macro, stored_vintages
from tests.store.vintages import as_of, load_answer

BASES = ("2025-10-01", "2025-11-01")
DAYS = [str(date(2026, 3, 1) + timedelta(days=number)) for number in range(7)]
LAST = len(DAYS) - 1

# What is known of one base_date on each of DAYS: a value, None where FRED says ".", "-" where it does not have it.
Line = list[Any]
World = dict[str, Line]

line = st.builds(
    lambda missing, values: ["-"] * missing + values[missing:],
    st.integers(0, 3),
    st.lists(st.sampled_from([1.0, 2.0, None]), min_size=len(DAYS), max_size=len(DAYS)),
)
worlds = st.fixed_dictionaries(dict.fromkeys(BASES, line))
windows = st.tuples(st.integers(0, LAST), st.integers(0, LAST)).map(lambda days: (min(days), max(days)))


@dataclass(frozen=True)
class Asked:
    """FRED's mind at one moment, and the window that it is asked for."""

    world: World
    start: int
    end: int


def said(asked: Asked) -> list[Vintage]:
    """FRED's answer: of each base_date its value on the first day of the window, and every change in it."""
    rows = []
    for base, known in asked.world.items():
        before = "-"
        for number in range(asked.start, asked.end + 1):
            if known[number] != before:
                rows.append((base, DAYS[number], NAN if known[number] is None else known[number]))
            before = known[number]
    return rows


def learn(model: World, asked: Asked, newest: int) -> None:
    """The days of the window are as FRED says; those after it as they were, or still the same where nobody asked."""
    for base, known in asked.world.items():
        line = model[base]
        for number in range(asked.start, asked.end + 1):
            if known[number] != "-":
                line[number] = known[number]
        for number in range(asked.end + 1, len(DAYS)):
            if asked.end >= newest or line[number] == "-":
                line[number] = line[number - 1]
            else:
                break


def table(model: World) -> list[tuple[Any, ...]]:
    """A row for each day on which something else became known."""
    return [
        (base, DAYS[number], known[number], "fred")
        for base, known in sorted(model.items())
        for number in range(len(DAYS))
        if known[number] != (known[number - 1] if number else "-")
    ]


def load(connection: Connection, history: list[Asked]) -> World:
    """Load every answer, in a database without a row; the model of what must be there."""
    connection.execute("truncate tb_macro_vintage, tb_macro_revision, tb_job_run restart identity")
    model: World = {base: ["-"] * len(DAYS) for base in BASES}
    newest = -1
    for asked in history:
        known_until = DAYS[newest] if newest >= 0 else None
        load_answer(connection, said(asked), until=DAYS[asked.end], known_until=known_until)
        learn(model, asked, newest)
        newest = max(newest, asked.end)
    return model


@pytest.fixture(autouse=True)
def gdp(connection: Connection) -> None:
    macro(connection, "GDP")


EXAMPLES = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)


@EXAMPLES
@given(history=st.lists(st.builds(lambda world, days: Asked(world, *days), worlds, windows), min_size=1, max_size=6))
def test_any_answers_end_as_the_model_says(connection: Connection, history: list[Asked]) -> None:
    """Each window may overlap the others and contradict them: the last word on a day counts."""
    model = load(connection, history)
    assert stored_vintages(connection) == table(model)
    for number, day in enumerate(DAYS):
        assert as_of(connection, "GDP", day) == {base: at[number] for base, at in model.items() if at[number] != "-"}
    assert broken_invariants(connection, "macro") == []


@EXAMPLES
@given(world=worlds, data=st.data())
def test_one_truth_in_any_pieces_is_the_truth(connection: Connection, world: World, data: st.DataObject) -> None:
    """Chunks, repeats and overlaps in any order, as long as together they cover all days."""
    cuts = sorted(data.draw(st.sets(st.integers(1, LAST), max_size=3)))
    whole = list(zip([0, *cuts], [cut - 1 for cut in [*cuts, len(DAYS)]], strict=True))
    extra = data.draw(st.lists(windows, max_size=3))
    order = data.draw(st.permutations(whole + extra))
    load(connection, [Asked(world, *days) for days in order])
    assert stored_vintages(connection) == table(world)
    assert broken_invariants(connection, "macro") == []


@EXAMPLES
@given(world=worlds, steps=st.lists(windows, min_size=1, max_size=5))
def test_days_in_their_order_contradict_nothing(
    connection: Connection, world: World, steps: list[tuple[int, int]]
) -> None:
    """What daily runs do, each from a day that is known already: only news is written, and nothing is replaced."""
    history, newest = [], -1
    for start, end in steps:
        history.append(Asked(world, min(start, newest + 1), max(end, newest)))
        newest = history[-1].end
    model = load(connection, history)
    assert stored_vintages(connection) == table(model)
    assert connection.execute("select count(*) from tb_macro_revision").fetchone() == (0,)
