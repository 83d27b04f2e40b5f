"""``python -m tests.pace.asker NAME...``: a process that asks Yahoo for all of them, by the turns of DATABASE_URL.

It says "ready" on stdout when everything heavy is imported, and begins with the first line on stdin, so that eight of
them begin together on however slow a machine.
"""

import sys
from datetime import date

from include.insight_invest.settings import load_settings
from include.insight_invest.sources.base import Wanted, Window
from include.insight_invest.sources.yahoo import Yahoo
from include.insight_invest.store.turns import SharedTurns
from include.insight_invest.store.universe import Target


def main(tickers: list[str]) -> None:
    """Ask for one session of each of ``tickers``, on four threads."""
    settings = load_settings()
    window = Window(start=date(2026, 1, 7), session=date(2026, 1, 7))
    wanted = [Wanted(target=Target(n, ticker, None, None), window=window) for n, ticker in enumerate(tickers, start=1)]
    with SharedTurns(settings.database()) as turns:
        yahoo = Yahoo(settings, "US", turns)
        print("ready", flush=True)
        sys.stdin.readline()
        answers = list(yahoo.prices(wanted))
    print(sum(len(answer.bars) for answer in answers), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
