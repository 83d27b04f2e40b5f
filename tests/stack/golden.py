"""What the same jobs leave behind when they are run directly, one after the other, into an empty database."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from include.insight_invest.jobs import JOBS
from include.insight_invest.runner import RunOptions, run
from include.insight_invest.store.database import connect
from include.insight_invest.store.migrate import upgrade
from include.insight_invest.universe.import_file import import_series, import_universe
from tests.chaos.dump import lines, look
from tests.fixtures.database import Server
from tests.fixtures.market import Market

AT = datetime(2026, 11, 20, tzinfo=UTC)  # the newest session is the day before's, in New York and in Seoul
SERIES = ("AAA", "BAA", "FGCEC1", "GDPC1", "VIXCLS")
SHOWN = 3
_OF_AIRFLOW = {"tb_incident"}  # what operators were told: of a lost worker, or of a Dag that was un-paused late


def follow_demo(url: str, folder: Path) -> None:
    """Let the database follow what the demonstration follows, but for most of its series."""
    with connect(url) as connection:
        import_universe(connection, folder / "universe.csv")
        import_series(connection, folder / "macro_series.csv")
        connection.execute("delete from tb_macro where fred <> all(%s)", [list(SERIES)])


def differences(server: Server, market: Market, runs: Sequence[tuple[str, datetime]]) -> list[str]:
    """Where ``market`` is not what the jobs of ``runs`` {(job, as_of)} give, with the sources as they are now; and what
    the audits of these jobs find. A ledger that has more attempts at the same is compared in sum."""
    direct = Market(server.create("golden"), market.folder, market.replay)
    upgrade(direct.url)
    follow_demo(direct.url, direct.folder)
    for job, as_of in runs:
        report = run(JOBS[job], RunOptions(as_of=as_of), direct.settings())
        assert report.exit_code == 0, report.summary()
    for job, _ in runs:
        market.audit(job)
    with connect(market.url) as ours, connect(direct.url) as theirs:
        found, expected = look(ours), look(theirs)
        apart = [name for name in expected.data.keys() - _OF_AIRFLOW if found.data.get(name) != expected.data[name]]
        told = [] if found.ledger == expected.ledger else [f"ledger: {found.ledger}, directly {expected.ledger}"]
        if apart:
            mine, golden = lines(ours), lines(theirs)
            for name in apart:
                more, less = set(mine[name]) - set(golden[name]), set(golden[name]) - set(mine[name])
                told.append(f"{name}: too many {sorted(more)[:SHOWN]}, missing {sorted(less)[:SHOWN]}")
        return told + found.broken
