"""Answers that hypothesis makes up, in the shape of their source, a few dozen in each run."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from xml.sax.saxutils import quoteattr

from hypothesis import HealthCheck, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

from tests.fixtures.market import Market
from tests.folders import opening
from tests.fuzz import korea, listings, macro, us
from tests.fuzz.payloads import Payloads, subject_of
from tests.fuzz.rounds import Round, follow, observed_run, observed_synchronisation
from tests.replay.faults import Source
from tests.replay.messages import Answer, Request

EACH = 25  # answers of one run
_LEAVES = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=12)
ANYTHING = st.recursive(
    _LEAVES,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=8), below, max_size=3),
    max_leaves=6,
)
_PRICE = st.floats(0.01, 1000) | st.floats(0.01, 1000) | _LEAVES
_DAYS = ("2025-12-29", "2025-12-30", "2025-12-31", "2026-01-02", "2026-01-05", "2026-01-06", "2026-01-07", "2026-01-08")
_DAY = st.sampled_from(_DAYS) | st.dates().map(str) | st.text("0123456789-", max_size=10)
_TIME = st.sampled_from([opening(day) for day in _DAYS]) | st.integers(-(2**40), 2**40) | ANYTHING


@st.composite
def charts(draw: st.DrawFn) -> bytes:
    """A Yahoo chart of some bars and events; now and then something is not what it should be."""
    size = draw(st.integers(0, 8))

    def column(values: st.SearchStrategy[Any]) -> Any:
        return draw(st.lists(values, min_size=size, max_size=size))

    quote = {name: column(_PRICE) for name in ("open", "high", "low", "close", "volume")}
    event = st.fixed_dictionaries({"date": _TIME, "amount": _PRICE, "numerator": _PRICE, "denominator": _PRICE})
    result = {
        "meta": {"currency": draw(st.sampled_from(("USD", "USD", "USD", "EUR", "GBp")) | ANYTHING), "symbol": "X",
                 "exchangeTimezoneName": "America/New_York", "instrumentType": "EQUITY", "dataGranularity": "1d"},
        "timestamp": column(_TIME),
        "events": {kind: draw(st.dictionaries(st.integers(0, 2**31).map(str), event, max_size=2))
                   for kind in ("splits", "dividends")},
        "indicators": {"quote": [quote], "adjclose": [{"adjclose": quote["close"]}]},
    }  # fmt: skip
    if draw(st.integers(0, 4)) == 0:
        result[draw(st.sampled_from(sorted(result)))] = draw(ANYTHING)
    return json.dumps({"chart": {"result": [result], "error": None}}).encode()


@st.composite
def histories(draw: st.DrawFn) -> bytes:
    """A chart of Naver."""
    number = (st.integers(0, 100_000) | st.integers() | st.floats() | st.text("0123456789.-,|e ", max_size=8)).map(str)
    day = _DAY.map(lambda text: text.replace("-", ""))
    rows = draw(st.lists(st.tuples(day, number, number, number, number, number), max_size=8))
    items = "".join(f'<item data="{"|".join(row)}" />\n' for row in rows)
    return f"<protocol>\n<chartdata>\n{items}</chartdata>\n</protocol>\n".encode("euc-kr", errors="replace")


@st.composite
def observations(draw: st.DrawFn) -> bytes:
    """An answer of FRED to whatever was asked: vintage dates and observations beside each other."""
    value = st.floats().map(str) | st.just(".") | st.text(max_size=6)
    rows = draw(st.lists(st.fixed_dictionaries({"realtime_start": _DAY, "date": _DAY, "value": value}), max_size=8))
    elements = [
        f"<observation {' '.join(f'{name}={quoteattr(_xml(text))}' for name, text in row.items())}/>" for row in rows
    ]
    return f"<observations>{''.join(elements)}</observations>".encode(errors="replace")


def _xml(text: str) -> str:
    return "".join(one for one in text if one.isprintable())


@st.composite
def screeners(draw: st.DrawFn) -> bytes:
    """A listing file."""
    money = st.floats(0.01, 1000).map(lambda price: f"${price:.2f}") | ANYTHING
    row = st.fixed_dictionaries(
        {"symbol": st.sampled_from(listings.TICKERS) | st.text("ABCXYZ^/", max_size=5) | ANYTHING, "name": ANYTHING,
         "lastsale": money, "netchange": money, "volume": st.integers(0, 10**9).map(str) | ANYTHING,
         "marketCap": ANYTHING, "sector": ANYTHING}
    )  # fmt: skip
    return json.dumps(draw(st.lists(row, max_size=3))).encode()


class Scripted(Payloads):
    """Sends the body that belongs to whoever is asked about, instead of any answer."""

    def __init__(self, source: Source, bodies: dict[str, bytes]) -> None:
        super().__init__("", source, lambda answer, rng: answer)
        self.bodies = bodies

    def __call__(self, source: Source, request: Request, answer: Answer) -> Answer:
        """The scripted body, where there is one."""
        return super().__call__(source, request, self._scripted(source, request, answer))

    def _scripted(self, source: Source, request: Request, answer: Answer) -> Answer:
        from tests.fuzz.payloads import payload_of

        name = payload_of(source, request) if source is self.source else None
        body = self.bodies.get(subject_of(name)) if name else None
        return answer if body is None else answer.but(body=body, status=200)


def _yahoo(market: Market, bodies: list[bytes]) -> Round:
    tickers = us.TICKERS[: len(bodies)]
    follow(market, tickers, "US")
    return _run(market, "us-price", Scripted(Source.YAHOO, dict(zip(tickers, bodies, strict=True))), tickers)


def _naver(market: Market, bodies: list[bytes]) -> Round:
    codes = korea.HISTORIES[: len(bodies)]
    follow(market, codes, "KR", "KOSPI")
    script = Scripted(Source.NAVER, dict(zip(codes, bodies, strict=True)))
    return _run(market, "kr-price", script, codes, full_refresh=True)


def _fred(market: Market, bodies: list[bytes]) -> Round:
    series = macro.SERIES[: len(bodies)]
    macro.follow(market, series)
    script = Scripted(Source.FRED, dict(zip(series, bodies, strict=True)))
    return _run(market, "macro", script, series, full_refresh=True)


def _listings(market: Market, bodies: list[bytes]) -> Round:
    what = Round("generated")
    files = [f"{exchange}_full_tickers.json" for exchange in listings.EXCHANGES]
    for first in range(0, len(bodies) - 2, 3):
        script = Scripted(Source.LISTING, dict(zip(files, bodies[first : first + 3], strict=True)))
        observed_synchronisation(market, what, script, iso_code="US", as_of=listings.FRIDAY)
    return what


def _run(market: Market, job: str, script: Scripted, asked: tuple[str, ...], **options: Any) -> Round:
    what = Round("generated")
    chosen = market.settings(attempts=1, failure_budget=1.0)
    observed_run(market, what, script, job=job, as_of=us.THURSDAY, asked=asked, settings=chosen, **options)
    return what


PLAYS: dict[str, tuple[st.SearchStrategy[bytes], Callable[[Market, list[bytes]], Round]]] = {
    "yahoo": (charts(), _yahoo),
    "naver": (histories(), _naver),
    "fred": (observations(), _fred),
    "listings": (screeners(), _listings),
}


def rounds(name: str, market: Callable[[], Market], payloads: int, seed: int) -> Iterator[Round]:
    """Rounds of generated answers of the source ``name``, about ``payloads`` in all; ``market`` gives an empty one.

    Hypothesis shrinks the first round with something wrong to the least that has it: only that one tells what.
    """
    strategy, play = PLAYS[name]
    played: list[Round] = []

    @seeded(seed)
    @settings(
        max_examples=max(1, payloads // EACH), database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(st.lists(strategy, min_size=EACH, max_size=EACH))
    def play_one(bodies: list[bytes]) -> None:
        played.append(play(market(), bodies))
        assert not played[-1].wrong, (played[-1].wrong, bodies)

    try:
        play_one()
    except AssertionError as error:
        played[-1].wrong.append(f"generated: {str(error)[:2000]}")
    yield from played
