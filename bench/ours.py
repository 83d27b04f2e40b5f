"""This project's load path and readers as contestants: ``python -m bench.ours``."""

from contextlib import ExitStack
from datetime import date, timedelta
from typing import Any

from bench.bars import Shape, frame, observed_at
from bench.child import serve
from include.insight_invest.sources.yahoo import HISTORY_TICKERS
from include.insight_invest.store.bars import load_bars
from include.insight_invest.store.database import connect
from include.insight_invest.store.load import Counts, LoadContext

SOURCES = ("yahoo", "nasdaq")
RUN = 1
LOOKBACK_SESSIONS = 7


class Loader:
    """What the loads have in common: a connection, and the frame in the batches of a job, one transaction each."""

    batch_tickers = HISTORY_TICKERS

    def __init__(self, url: str) -> None:
        self.open = ExitStack()
        self.connection = self.open.enter_context(connect(url, application="bench"))
        self.backend: int | None = self.connection.info.backend_pid

    def prepare(self, shape: Shape) -> None:
        """Make the rows."""
        self.shape, self.frame = shape, frame(shape)

    def go(self) -> dict[str, Any]:
        """Load."""
        counts = Counts()
        rows = self.batch_tickers * self.shape.sessions
        context = LoadContext(RUN, observed_at(self.shape).to_pydatetime() + self.later)
        for start in range(0, len(self.frame), rows):
            with self.connection.transaction():
                counts.add(
                    load_bars(
                        self.connection,
                        self.frame.iloc[start : start + rows],
                        context,
                        source="yahoo",
                        currency="USD",
                        sources=SOURCES,
                        settled_before=self.settled_before(),
                    )
                )
        return {"new": counts.new, "changed": counts.changed, "unchanged": counts.unchanged}

    later = timedelta()

    def settled_before(self) -> date:
        """Bars before it are final when they are new: of a history that ended long ago, all."""
        return date.fromisoformat(self.shape.end) + timedelta(days=1)


class FirstLoad(Loader):
    """Histories that the store has nothing of."""


class Unchanged(Loader):
    """The same histories again, a day later."""

    later = timedelta(days=1)


class Daily(Loader):
    """The last sessions of all tickers at once, as a listing brings them: what is within the look-back is not final."""

    batch_tickers = 1_000_000

    def settled_before(self) -> date:
        """The look-back's first session."""
        first: date = Shape(1, LOOKBACK_SESSIONS, self.shape.end).days[0].item()
        return first


if __name__ == "__main__":
    from bench.readers import READERS

    serve({"first_load": FirstLoad, "unchanged": Unchanged, "daily": Daily, **READERS})
