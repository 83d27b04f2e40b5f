"""A daily sample compared across sources: what two of them say of the same bar should be the same.

The sample goes round the market: each ticker has a fixed place on a circle, and each session begins one golden section
further on. So N tickers a day have met everybody within about three times (tickers / N) sessions, whoever comes and
goes, and a run that is repeated compares the same ones.
"""

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from include.insight_invest import sessions
from include.insight_invest.errors import SourceError
from include.insight_invest.sources.base import Answer, Wanted, Window
from include.insight_invest.sources.yahoo import Yahoo
from include.insight_invest.store import disagreements, recent, universe
from include.insight_invest.store.universe import Target
from include.insight_invest.updaters.progress import Run, repeatable
from include.insight_invest.updaters.us import ask_listings
from include.insight_invest.wording import count

if TYPE_CHECKING:
    import pandas as pd

type Tolerances = Mapping[str, tuple[float, float]]  # field: (share of the value, absolute); the larger one counts

log = logging.getLogger(__name__)

GOLDEN_SECTION: Final = (math.sqrt(5) - 1) / 2
SHOWN: Final = 5
# A close is one number everywhere, and may only be rounded: by a cent or 0.1 % in the US, in Korea by one step of the
# price, which is 0.25 % at most, and 1 won for the cheapest. Korean volume is the same to the share in 111 of 112
# sessions of 005930 (KRX against Yahoo, 2025 and 2026). US volume is not compared: on the first evening Yahoo's is
# short by a median 3.8 %, and Nasdaq's of 2026-08-21 was 10.8 % over it for AAPL.
TOLERANCES: Final[Mapping[str, Tolerances]] = MappingProxyType(
    {"US": {"close": (0.001, 0.01)}, "KR": {"close": (0.0025, 1.0), "volume": (0.02, 0.0)}}
)


def compare(run: Run) -> None:
    """Compare the sample of the last session's bars with the job's last source, and say what came of it.

    Only bars of the job's best source are compared. A second source that is down, or has another session, is a note: a
    run never fails because of the sample. What has been corrected since is settled.
    """
    _settle_corrected(run)
    primary, session = run.job.sources[0], run.session
    size = min(run.settings.sample_tickers, run.requests_left)
    if size == 0 or not run.sources:  # none used: a run of the past that had nothing to ask
        return
    sample, total, targets = _sample(run, primary, size)
    if sample.empty or not targets:
        return
    second = run.job.sources[-1]
    window = Window(start=session, session=session)
    try:
        answers = _ask(run, [Wanted(target=target, window=window) for target in targets])
    except SourceError as error:
        run.notes.append(f"{count(len(targets), 'ticker')} not compared with {second}: {error}")
        log.warning("%s", run.notes[-1])
        return
    _record(run, differences(sample, _bars_of(run, answers), TOLERANCES[run.job.iso_code]), total, second)


@repeatable
def _sample(run: Run, primary: str, size: int) -> "tuple[pd.DataFrame, int, list[Target]]":
    """The sample's bars, how many tickers it was taken from, and the tickers in it."""
    iso_code = run.job.iso_code
    sample, total = recent.sample(run.connection, iso_code, run.session, source=primary, place=_place(run), size=size)
    return sample, total, universe.targets(run.connection, iso_code, list(sample["ticker"]), run.options.shard)


def differences(sample: "pd.DataFrame", other: "pd.DataFrame", tolerances: Tolerances) -> "pd.DataFrame":
    """What both have, one row a ticker and field: meta_id, ticker, field, value, other_value, agrees.

    ``sample`` and ``other`` have one row a ticker: meta_id, close (money per share), volume (shares); ``sample`` also
    ticker. A field that one of the two does not give is no row.
    """
    import pandas as pd

    both = sample[["meta_id", "ticker", *tolerances]].merge(other, on="meta_id", suffixes=("", "_other"))
    fields = [
        both[["meta_id", "ticker"]].assign(field=field, value=both[field], other_value=both[f"{field}_other"])
        for field in tolerances
    ]
    rows = pd.concat(fields, ignore_index=True).dropna(subset=["value", "other_value"])
    return rows.assign(agrees=_agree(rows, tolerances))


def _agree(rows: "pd.DataFrame", tolerances: Tolerances) -> "pd.Series[bool]":
    share = rows["field"].map({field: pair[0] for field, pair in tolerances.items()}).astype(float)
    least = rows["field"].map({field: pair[1] for field, pair in tolerances.items()}).astype(float)
    allowed = (share * rows["value"].abs()).clip(lower=least)
    # a quote that misses by exactly a cent is not to be judged by the last bit of a 32-bit float
    return (rows["value"] - rows["other_value"]).abs() <= allowed * (1 + 1e-3)


def _place(run: Run) -> float:
    """Where on the circle the sample of the run's session begins, as a fraction of it."""
    number = len(sessions.sessions(run.job.exchange, sessions.FIRST_DAY, run.session))
    return number * GOLDEN_SECTION % 1


def _ask(run: Run, wanted: Sequence[Wanted]) -> list[Answer]:
    """What the job's last source says of ``wanted``; its requests are counted."""
    if run.job.iso_code == "US":
        return [ask_listings(run, wanted)]
    yahoo = Yahoo(run.settings, run.job.iso_code, run.turns)
    try:
        return list(yahoo.prices(wanted))
    finally:
        run.counts.requests += yahoo.requests


def _bars_of(run: Run, answers: list[Answer]) -> "pd.DataFrame":
    """The bars of the run's session, in its shares."""
    import pandas as pd

    types = {"meta_id": int, "close": float, "volume": float}
    given = [answer.bars for answer in answers if not answer.bars.empty]
    if not given:
        return pd.DataFrame(columns=list(types)).astype(types)
    bars = pd.concat(given)
    mine = bars[pd.to_datetime(bars["trade_date"]) == pd.Timestamp(run.session)].drop_duplicates("meta_id")
    return mine[list(types)].astype(types)


@repeatable
def _record(run: Run, rows: "pd.DataFrame", total: int, other: str) -> None:
    rows = rows.assign(trade_date=run.session, source=run.job.sources[0], other_source=other)
    apart = rows[~rows["agrees"]]
    with run.connection.transaction():
        disagreements.record(run.connection, apart, run.context)
        disagreements.settle(run.connection, rows[rows["agrees"]], run.context)
    said = [
        f"{row.ticker} {row.field} {row.value:,.10g} ({row.source}) {row.other_value:,.10g} ({row.other_source})"
        for row in apart.head(SHOWN).itertuples()
    ]
    more = f", and {len(apart) - SHOWN} more" if len(apart) > SHOWN else ""
    run.notes.append(
        f"compared {rows['ticker'].nunique()} of {count(total, 'ticker')} with {other}: "
        + (f"{apart['ticker'].nunique()} disagree: {'; '.join(said)}{more}" if said else "none disagrees")
    )


@repeatable
def _settle_corrected(run: Run) -> None:
    """Settle the disagreements whose stored bar has meanwhile become what the other source said."""
    import pandas as pd

    found = disagreements.open_ones(run.connection, run.job.iso_code)
    if not found:
        return
    rows = pd.DataFrame([asdict(one) for one in found])
    now = rows.assign(value=rows["stored"].astype(float)).dropna(subset=["value"])
    agreed = now[_agree(now, TOLERANCES[run.job.iso_code])]
    if len(agreed):
        with run.connection.transaction():
            disagreements.settle(run.connection, agreed, run.context)
