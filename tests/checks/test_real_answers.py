"""Real histories, as first loads and as daily increments: not one row or action of them is held."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import pandas as pd
import pytest

from include.insight_invest.checks.answer import check_answer
from include.insight_invest.checks.verdict import KNOWN_ACTIONS, KNOWN_BARS, VALUES, Checked, Known
from include.insight_invest.sources.base import ACTION_COLUMNS, BAR_COLUMNS

LOOKBACK = 7
INCREMENTS = 200
NONE = Known()

# bars (trade_date, VALUES) and actions (ex_date, kind, value), in the shares of the file
History = tuple[pd.DataFrame, pd.DataFrame]


_KOREAN = {"날짜": "date", "시가": "open", "고가": "high", "저가": "low", "종가": "close", "거래량": "volume"}


def no_actions() -> pd.DataFrame:
    return pd.DataFrame(
        {"ex_date": pd.Series(dtype="datetime64[ns]"), "kind": pd.Series(dtype=str), "value": pd.Series(dtype=float)}
    )


def read_csv(file: Path) -> History:
    """Any of the recorded CSV files: columns are called what they are called, the date is the first or ``date``."""
    frame = pd.read_csv(file)
    frame.columns = [_KOREAN.get(name, name.lower()) for name in frame.columns]
    day = frame["date"] if "date" in frame else frame.iloc[:, 0]
    bars = pd.DataFrame({"trade_date": pd.to_datetime(day.astype(str).str[:10]), **frame[VALUES].astype(float)})
    events = [no_actions()]
    for column, kind, nothing in (
        ("dividend", "dividend", 0.0),
        ("dividends", "dividend", 0.0),
        ("split", "split", 1.0),
    ):
        if column in frame:
            mine = (frame[column] != nothing) & (frame[column] > 0)
            events.append(
                pd.DataFrame({"ex_date": bars["trade_date"][mine], "kind": kind, "value": frame[column][mine]})
            )
    return bars, pd.concat([event for event in events if len(event)] or events[:1], ignore_index=True)


def read_chart(file: Path) -> History:
    """A recorded Yahoo chart with its events."""
    result = json.loads(file.read_bytes())["body"]["chart"]["result"][0]
    bars = pd.DataFrame(result["indicators"]["quote"][0])[VALUES].astype(float)
    bars.insert(0, "trade_date", pd.to_datetime(result["timestamp"], unit="s").normalize())
    events = [
        (pd.Timestamp(event["date"], unit="s").normalize(), kind.removesuffix("s"), value(event))
        for kind, value in _EVENT_VALUES.items()
        for event in result.get("events", {}).get(kind, {}).values()
    ]
    return bars, pd.DataFrame(events, columns=["ex_date", "kind", "value"]) if events else no_actions()


_EVENT_VALUES: dict[str, Callable[[dict[str, float]], float]] = {
    "dividends": lambda event: event["amount"],
    "splits": lambda event: event["numerator"] / event["denominator"],
}


def read_naver(file: Path) -> History:
    """A recorded Naver chart."""
    items = ET.fromstring(file.read_bytes().decode("euc-kr").replace("EUC-KR", "UTF-8").encode()).iter("item")
    rows = [item.attrib["data"].split("|") for item in items]
    bars = pd.DataFrame(rows, columns=["trade_date", *VALUES])
    return bars.astype(dict.fromkeys(VALUES, float)).assign(trade_date=pd.to_datetime(bars["trade_date"])), no_actions()


def without_halts(history: History) -> History:
    """Halted days come as zeros with a close; the sources turn them into days without a trade."""
    bars, actions = history
    halted = bars["open"] == 0
    return bars.assign(**{name: bars[name].mask(halted) for name in ("open", "high", "low")}), actions


@pytest.fixture(scope="module")
def histories() -> dict[str, dict[str, History]]:
    """{currency: {file: history}}."""
    from tests.conftest import SHARED

    if not SHARED.is_dir():
        pytest.skip(f"recorded data is not at {SHARED}")
    charts = [
        "historical-via-chart-MSFT-dividends-2021-02-01-to-2022-01-31.csv.json",
        "historical-via-chart-NVDA-split-2021-02-01-to-2022-01-31.csv.json",
        "historical-via-chart-dividends-TSLA-no-dividends.json",
    ]
    us = sorted((SHARED / "us_daily").glob("*.csv*"))
    us += sorted((SHARED / "yahoo_vintages").glob("AAPL*"))
    kr = [*sorted((SHARED / "kr_daily").glob("*.csv")), *sorted((SHARED / "yahoo_vintages").glob("005930*"))]
    return {
        "USD": {file.name: read_csv(file) for file in us}
        | {name: read_chart(SHARED / "yahoo_chart" / name) for name in charts},
        "KRW": {file.name: without_halts(read_csv(file)) for file in kr}
        | {file.name: without_halts(read_naver(file)) for file in sorted((SHARED / "naver").glob("*.xml"))},
    }


def quoted(histories: dict[str, History], left: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every history without its last ``left`` sessions, as a source quotes it on the day of the last that is there."""
    bars, actions = [], []
    for meta_id, (name, (all_bars, all_actions)) in enumerate(histories.items(), start=1):
        mine = all_bars.iloc[: len(all_bars) - left]
        basis = mine["trade_date"].iloc[-1]
        later = all_actions[(all_actions["kind"] == "split") & (all_actions["ex_date"] > basis)]["value"].prod()
        named = {"meta_id": meta_id, "ticker": name, "basis_date": basis}
        prices = {column: mine[column] * later for column in VALUES[:4]}
        bars.append(mine.assign(**named, **prices, volume=mine["volume"] / later))
        paid = all_actions[all_actions["ex_date"] <= basis]
        value = paid["value"].where(paid["kind"] == "split", paid["value"] * later)
        actions.append(paid.assign(**named, value=value))
    filled = [frame for frame in actions if len(frame)] or actions[:1]
    return (
        pd.concat(bars, ignore_index=True)[list(BAR_COLUMNS)],
        pd.concat(filled, ignore_index=True).reindex(columns=list(ACTION_COLUMNS)),
    )


def held(checked: Checked) -> Counter[tuple[str, str]]:
    return Counter((row["ticker"], row["reason"]) for row in checked.held)


@pytest.mark.parametrize("currency", ["USD", "KRW"])
def test_a_first_load(histories: dict[str, dict[str, History]], currency: str) -> None:
    bars, actions = quoted(histories[currency], left=0)
    checked = check_answer(bars, actions, NONE, currency=currency)
    assert held(checked) == Counter()
    assert (len(checked.good), len(checked.actions)) == (len(bars), len(actions))


@pytest.mark.parametrize("currency", ["USD", "KRW"])
def test_increments(histories: dict[str, dict[str, History]], currency: str) -> None:
    """Each day the last sessions again and a new one, in that day's shares, against what the days before stored."""
    recent = {name: (bars.tail(INCREMENTS + 20), actions) for name, (bars, actions) in histories[currency].items()}
    stored = check_answer(*quoted(recent, left=INCREMENTS), NONE, currency=currency)
    known_bars = stored.good.assign(currency=currency)[KNOWN_BARS]
    known_actions = stored.actions[KNOWN_ACTIONS]
    total = held(stored)
    for left in range(INCREMENTS - 1, -1, -1):
        bars, actions = quoted(recent, left)
        bars = bars.groupby("meta_id").tail(LOOKBACK + 1)
        since = actions["meta_id"].map(bars.groupby("meta_id")["trade_date"].min())
        near = known_bars.groupby("meta_id").tail(LOOKBACK + 1).reset_index(drop=True)
        checked = check_answer(
            bars, actions[actions["ex_date"] >= since], Known(near, known_actions), currency=currency
        )
        total += held(checked)
        known_bars = _with(known_bars, checked.good.assign(currency=currency), ["meta_id", "trade_date"])
        known_actions = _with(known_actions, checked.actions, ["meta_id", "ex_date", "kind"])
    assert total == Counter()
    assert len(known_bars) == len(quoted(recent, left=0)[0])


def _with(known: pd.DataFrame, new: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """``known`` and what is new; what is known stays in its own shares."""
    if new.empty:
        return known
    both = pd.concat([known, new[list(known.columns)]], ignore_index=True) if len(known) else new[list(known.columns)]
    return both.drop_duplicates(key, keep="first").sort_values(key, ignore_index=True)
