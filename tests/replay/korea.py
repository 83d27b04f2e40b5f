"""Recordings of Korean shares: Naver's chart XML, daily histories as CSV, and whole-market snapshots."""

import csv
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np

from tests.replay.bars import PRICES, SEOUL, History, Recording, Split, merge, ratio
from tests.replay.dailies import WON, last_weekday, read_won, vintage
from tests.replay.data import Library

_ITEM = re.compile(rb'<item data="(\d{8})\|(\d*)\|(\d*)\|(\d*)\|(\d*)\|(\d*)" />')
_SYMBOL = re.compile(rb'<chartdata symbol="([^"]*)" name="([^"]*)"')
_SNAPSHOT = re.compile(r"krx-(\d{4}-\d{2}-\d{2})\.csv")
_HEAD_BYTES = 512
SUFFIX = {"KOSPI": "KS", "KOSDAQ": "KQ", "KOSDAQ GLOBAL": "KQ"}  # Yahoo's; KONEX has none
_KOSDAQ = {"exchangeName": "KOE", "fullExchangeName": "KOSDAQ"}


def naver_recordings(library: Library, code: str) -> list[Recording]:
    """What Naver serves of ``code``, the longest recording first; basis: each file's last day."""
    index = _by_code(library)
    actions = _actions(library).get(code, ())
    charts = [library.read(path, _read_xml) for path, _ in index.get(code, ())]
    names = (f"{code}.csv", f"QuantKang-{code}_D.csv")
    charts += [library.read(path, read_won) for path in library.files("kr_daily") if path.name in names]
    ordered = sorted(charts, key=lambda chart: (int(chart.days[-1]), len(chart.days)), reverse=True)
    return [library.once(("actions", chart, actions), partial(_with, chart, actions)) for chart in ordered]


def naver_history(library: Library, code: str) -> History | None:
    """Naver's recordings merged; None for a code it does not know."""
    recordings = naver_recordings(library, code)
    return library.once(("history", *recordings), lambda: merge(SEOUL, recordings)) if recordings else None


def yahoo_recordings(library: Library, symbol: str, today: date) -> list[Recording]:
    """The same share as Yahoo serves it under ``CODE.KS`` (KOSPI) or ``CODE.KQ`` (KOSDAQ), with the snapshots' days."""
    code, _, suffix = symbol.partition(".")
    markets = snapshot_markets(library)
    if suffix not in SUFFIX.values() or (code in markets and SUFFIX.get(markets[code]) != suffix):
        return []
    found = naver_recordings(library, code)
    if snapshot := _snapshots(library).get(code):
        found.append(snapshot)
    meta = WON if suffix == "KS" else WON | _KOSDAQ
    charts = [library.once(("yahoo", meta["exchangeName"], chart), partial(_as_yahoo, chart, meta)) for chart in found]
    return charts + vintage(library, symbol, today, read_won)


def name_of(library: Library, code: str) -> bytes:
    """The share's name in EUC-KR, as a Naver recording writes it; empty where there is none."""
    return next((name for _, name in _by_code(library).get(code, ())), b"")


def _with(recording: Recording, splits: Sequence[Split]) -> Recording:
    return replace(recording, splits=tuple(splits))


def _as_yahoo(recording: Recording, meta: dict[str, str]) -> Recording:
    """Yahoo writes a halted day (open 0, volume 0) as four times its close."""
    values = recording.values
    halted = (values["open"] == 0) & (values["volume"] == 0)
    filled = {name: np.where(halted, values["close"], values[name]) for name in PRICES}
    return replace(recording, values=values | filled, meta=meta)


def _by_code(library: Library) -> dict[str, list[tuple[Path, bytes]]]:
    paths = tuple(path for path in library.files("naver") if path.suffix == ".xml")

    def build() -> dict[str, list[tuple[Path, bytes]]]:
        index: dict[str, list[tuple[Path, bytes]]] = {}
        for path in paths:
            with path.open("rb") as file:
                head = _SYMBOL.search(file.read(_HEAD_BYTES))
            if head:
                index.setdefault(head[1].decode("ascii"), []).append((path, head[2]))
        return index

    return library.once(("naver", paths), build)


def _read_xml(path: Path) -> Recording:
    rows = sorted(_ITEM.findall(path.read_bytes()))
    days = [date.fromisoformat(row[0].decode()) for row in rows]
    columns = zip(*(row[1:] for row in rows), strict=True)
    return Recording(
        days=np.array([day.toordinal() for day in days], np.int64),
        at=np.array([SEOUL.opening(day) for day in days], np.int64),
        values={
            name: np.array([float(text or "nan") for text in column], np.float64)
            for name, column in zip((*PRICES, "volume"), columns, strict=True)
        },
        basis=days[-1],
        volume_as_traded=True,
        meta=WON,
    )


def _actions(library: Library) -> dict[str, tuple[Split, ...]]:
    """naver/actions.csv: code,ex_date,ratio (new shares for one old). Naver itself publishes no events."""
    paths = [path for path in library.files("naver") if path.name == "actions.csv"]

    def build() -> dict[str, tuple[Split, ...]]:
        found: dict[str, list[Split]] = {}
        for path in paths:
            with path.open(encoding="utf-8-sig", newline="") as file:
                for row in csv.DictReader(file):
                    day = date.fromisoformat(row["ex_date"])
                    found.setdefault(row["code"], []).append(
                        Split(day, SEOUL.opening(day), *ratio(float(row["ratio"])))
                    )
        return {code: tuple(sorted(splits)) for code, splits in found.items()}

    return library.derive("actions", paths, build)


def snapshot_files(library: Library) -> dict[date, Path]:
    """The whole-market snapshots by the date in their name, without the intraday versions."""
    found = {match[1]: path for path in library.files("krx_listing") if (match := _SNAPSHOT.fullmatch(path.name))}
    return {date.fromisoformat(day): found[day] for day in sorted(found)}


def snapshot_markets(library: Library) -> dict[str, str]:
    """Each code's market, from the newest snapshot."""
    files = list(snapshot_files(library).values())[-1:]
    return library.derive(
        "markets", files, lambda: {row["Code"]: row["Market"] for path in files for row in _rows(path)}
    )


def _snapshots(library: Library) -> dict[str, Recording]:
    """Each code's days in the snapshots. A weekend's file repeats Friday's session."""
    files = snapshot_files(library)

    def build() -> dict[str, Recording]:
        bars: dict[str, dict[date, list[float]]] = {}
        for day, path in files.items():
            for row in _rows(path):
                if row["Close"] not in ("", "-"):
                    numbers = [float(row[name]) for name in ("Open", "High", "Low", "Close", "Volume")]
                    bars.setdefault(row["Code"], {}).setdefault(last_weekday(day), numbers)
        return {code: _traded(days) for code, days in bars.items()}

    return library.derive("snapshots", list(files.values()), build)


def _traded(bars: dict[date, list[float]]) -> Recording:
    columns = zip(*(bars[day] for day in sorted(bars)), strict=True)
    return Recording(
        days=np.array([day.toordinal() for day in sorted(bars)], np.int64),
        at=np.array([SEOUL.opening(day) for day in sorted(bars)], np.int64),
        values={name: np.array(column) for name, column in zip((*PRICES, "volume"), columns, strict=True)},
        basis=None,
        volume_as_traded=True,
        meta=WON,
    )


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))
