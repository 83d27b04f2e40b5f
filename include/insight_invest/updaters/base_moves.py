"""Corporate actions in Korea, which no source names: found in KRX's base prices, measured on Naver's restated history.

A listing's base price (Close - Changes) is the stored close before, but where a split, a consolidation, a bonus or a
rights issue comes into force. Only the shares so found are read again from Naver, one request each; how its restated
history differs from the stored one is the factor, landed as a split with its evidence. A share whose history was not
restated (a merger of a SPAC) has no action; one of which it should have been is asked again until it is.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from include.insight_invest import sessions
from include.insight_invest.checks.korea import STOCKS_MOVED, base_moves
from include.insight_invest.checks.ratio import Ratio, infer_ratio
from include.insight_invest.sources.base import Answer, State, Wanted, Window
from include.insight_invest.sources.krx import Listed, Snapshot
from include.insight_invest.sources.naver import Naver
from include.insight_invest.sources.reader import CURRENCY
from include.insight_invest.store import inferred
from include.insight_invest.store.bars import load_bars
from include.insight_invest.store.inferred import BaseMove
from include.insight_invest.store.load import Counts
from include.insight_invest.store.universe import Target
from include.insight_invest.updaters.progress import Run, repeatable
from include.insight_invest.updaters.resuming import is_backfill

if TYPE_CHECKING:
    import pandas as pd

SOURCE = f"{Snapshot.name}+{Naver.name}"
# A month has about 25 moves (2026: 26 in 33 sessions); 60 requests are half a minute at two a second.
ASKED_PER_RUN = 60
# Naver has restated within days; a share that is halted has nothing to restate before it trades again, if it ever does.
ASKED_SESSIONS = 10
ASKED_AT_MOST = 250  # sessions, a year
OVERLAP_SESSIONS = 60  # a quarter: enough for rounding, short enough to lie within one stored basis
_SHOWN = 10
_SENTENCES = {
    "action": "base prices were not the close before, and Naver has restated the history: splits were inferred",
    "no_action": "base prices were set anew, and no history was restated (a merger, a halt): no action",
    "unexplained": f"base prices moved, and Naver has restated nothing in {ASKED_SESSIONS} sessions: see tb_base_move",
    "open": "base prices were not the close before; Naver shows no reason yet, the next runs ask it again",
}


def moves_of(
    run: Run, answer: Listed, before: "pd.DataFrame", stocks_before: "pd.Series[float] | None"
) -> "pd.DataFrame":
    """The moves of the base price in one session's ``answer``, with the columns of ``record_base_moves``.

    ``before`` is what is stored before each of its bars, ``stocks_before`` {ticker: shares} of the listing before.
    """
    bars = answer.bars
    quotes = bars[["meta_id", "trade_date", "close"]].assign(
        base=answer.base,
        stocks=answer.stocks,
        stocks_before=bars["ticker"].map(stocks_before) if stocks_before is not None else float("nan"),
    )
    return base_moves(quotes, before, sessions.back(run.job.exchange, answer.session, 1))


def explain_moves(run: Run, targets: Sequence[Target]) -> int:
    """Ask Naver about every move of ``targets`` that is not explained, and land the splits that it shows.

    A run over a range asks about all of them at once, as it asks for all of its sessions. Returns how many shares it
    could not ask about.
    """
    mine = {target.meta_id: target for target in targets}
    unexplained: dict[int, list[BaseMove]] = {}
    for move in run.again(lambda: inferred.open_base_moves(run.connection, list(mine), run.end, run.context)):
        unexplained.setdefault(move.meta_id, []).append(move)
    most = run.requests_left if is_backfill(run) else min(ASKED_PER_RUN, run.requests_left)
    asked = list(unexplained)[:most]
    if len(unexplained) > len(asked):
        run.notes.append(f"{len(unexplained) - len(asked)} shares' base prices are asked about in the next runs")
    wanted = [Wanted(target=mine[one], window=Window(start=None, session=run.session)) for one in asked]
    ended: dict[str, list[BaseMove]] = {}
    for answer in Naver(run.settings, run.turns).prices(wanted):
        for state, moves in _explain_answer(run, answer, unexplained).items():
            ended.setdefault(state, []).extend(moves)
    _note(run, ended)
    return len(unexplained) - len(asked)


@repeatable
def _explain_answer(run: Run, answer: Answer, unexplained: dict[int, list[BaseMove]]) -> dict[str, list[BaseMove]]:
    """Settle what one answer of Naver explains, in one transaction; returns the moves by how they ended."""
    counts = Counts(requests=answer.requests)
    ended: dict[str, list[BaseMove]] = {}
    with run.batch():
        for target in answer.asked:
            moves = unexplained[target.meta_id]
            quoted = answer.bars[answer.bars["meta_id"] == target.meta_id]
            for move in moves:
                state = _explain(run, move, moves, quoted, counts)
                ended.setdefault(state, []).append(move)
                if state == "open":
                    break  # an earlier move cannot be told from one that is still open
        run.account(counts)
    return ended


def _explain(run: Run, move: BaseMove, others: Sequence[BaseMove], quoted: "pd.DataFrame", counts: Counts) -> str:
    """Settle ``move`` by what Naver quotes of its ticker now; returns the state that it ends in."""
    if quoted.empty or quoted["trade_date"].iloc[-1].date() < move.ex_date:
        return "open"  # Naver is down, or has not got there yet
    ratio, evidence = _measure(run, move, others, quoted)
    state = _state(run, move, ratio)
    if state == "action" and ratio is not None:
        counts.add(_land(run, move, ratio, evidence, quoted))
        run.used(Naver.name)
        run.outcomes[move.ticker] = State.UPDATED, None
    if state != "open":
        inferred.settle_base_move(run.connection, move, state, evidence, run.context)
    return state


def _state(run: Run, move: BaseMove, ratio: Ratio | None) -> str:
    if ratio is not None and not ratio.is_one:
        return "action"
    # Up, with as many shares as before: a merger, or a price that KRX estimated after a halt: nothing to restate.
    if ratio is not None and move.base > move.stored_close and abs((_stocks_ratio(move) or 1.0) - 1) <= STOCKS_MOVED:
        return "no_action"
    year = sessions.back(run.job.exchange, run.session, ASKED_AT_MOST)
    return "unexplained" if move.sessions_traded >= ASKED_SESSIONS or move.ex_date < year else "open"


def _measure(
    run: Run, move: BaseMove, others: Sequence[BaseMove], quoted: "pd.DataFrame"
) -> tuple[Ratio | None, dict[str, Any]]:
    """The factor that the sessions before the move show, cleared of what those since show, and the evidence for it."""
    earlier = [other.ex_date for other in others if other.ex_date < move.ex_date]
    since = max([sessions.back_or_first(run.job.exchange, move.ex_date, OVERLAP_SESSIONS), *earlier])
    basis = quoted["basis_date"].iloc[0].date()
    stored = inferred.overlap(run.connection, move.meta_id, since, run.end, basis)
    both = stored.merge(quoted[["trade_date", "close"]], on="trade_date")
    before = both["trade_date"].dt.date < move.ex_date
    known = inferred.known_split(run.connection, move.meta_id, move.ex_date) or 1.0
    ratio = _ratio(both[before], known, move)
    later = _ratio(both[~before], 1.0)
    if ratio is not None and later is not None and basis > run.end:
        # an answer of today about the past, restated also for what came between the two
        ratio = _ratio(both[before], known / later.value, move)
    evidence: dict[str, Any] = {
        "base": move.base,
        "stored_close": move.stored_close,
        "stocks_before": move.stocks_before,
        "stocks_after": move.stocks,
        "quoted_on": str(basis),
        "overlap_sessions": ratio.sessions if ratio else int(before.sum()),
    }
    if ratio is not None:
        evidence |= {
            "agreeing_sessions": ratio.agreeing,
            "ratio_min": ratio.low,
            "ratio_max": ratio.high,
            "ratio_is": ratio.how,
            # of a rights issue the factor is one of price alone: nobody was given shares for nothing
            "adjustment": "price" if ratio.how in ("base", "measured") else "shares",
        }
    return ratio, evidence


def _ratio(both: "pd.DataFrame", factor: float, move: BaseMove | None = None) -> Ratio | None:
    """New shares per old share by the rows of ``both``, whose stored closes were divided by ``factor`` already."""
    stored, error = both["stored"] * factor, both["error"] * factor
    candidates = {"stocks": _stocks_ratio(move) or 1.0, "base": move.stored_close / move.base} if move else {}
    return infer_ratio(stored.to_numpy(), both["close"].to_numpy(float), error.to_numpy(), candidates)


def _land(run: Run, move: BaseMove, ratio: Ratio, evidence: dict[str, Any], quoted: "pd.DataFrame") -> Counts:
    """Load the split, and the restated bars in the place of those that are not KRX's own."""
    counts = Counts()
    known = inferred.known_split(run.connection, move.meta_id, move.ex_date)
    if known is None or not ratio.low <= known <= ratio.high:
        counts.add(inferred.load_inferred_split(run.connection, move, ratio.value, evidence, run.context, SOURCE))
    theirs = inferred.restated_days(run.connection, move.meta_id)
    restated = load_bars(
        run.connection,
        quoted[quoted["trade_date"].dt.date.isin(theirs)],
        run.context,
        source=Naver.name,
        currency=CURRENCY,
        sources=run.job.sources,
        settled_before=run.session,
        volume_is_adjusted=False,
    )
    counts.add(restated)
    return counts


def _stocks_ratio(move: BaseMove) -> float | None:
    return move.stocks / move.stocks_before if move.stocks and move.stocks_before else None


def _note(run: Run, ended: dict[str, list[BaseMove]]) -> None:
    """Tell the operator what became of each move; of one that stays open only in the run that found it."""
    told = ended | {"open": [move for move in ended.get("open", []) if move.found_now]}
    for state, sentence in _SENTENCES.items():
        if moves := told.get(state):
            run.notes.append(f"{len(moves)} {sentence}: {_some(moves)}")


def _some(moves: Sequence[BaseMove]) -> str:
    shown = [f"{m.ticker} {m.ex_date} {m.stored_close:,.0f} -> {m.base:,.0f}" for m in moves[:_SHOWN]]
    return ", ".join(shown) + (f" and {len(moves) - _SHOWN} more" if len(moves) > _SHOWN else "")
