"""An undated US listing is evidence of a session only where the stored closes prove that it is of it."""

import json
from datetime import datetime
from typing import LiteralString

import pytest

from include.insight_invest.store.database import connect
from include.insight_invest.universe.sync import Synced, sync_listing
from tests.fixtures.market import ACME, Market
from tests.folders import write_chart

# Twenty more: of fewer tickers, all must be in the files for a proof.
CROWD = [f"Q{letter}" for letter in "ABCDEFGHIJKLMNOPQRST"]
BARS = ACME | {
    "2026-01-09": (12.0, 13.0, 11.5, 12.5, 2600),
    "2026-01-12": (12.5, 13.5, 12.0, 13.0, 2700),
    "2026-01-13": (13.0, 14.0, 12.5, 13.5, 2800),
    "2026-01-14": (13.5, 14.5, 13.0, 14.0, 2900),
    "2026-01-15": (14.0, 15.0, 13.5, 14.5, 3000),
    "2026-01-16": (14.5, 15.5, 14.0, 15.0, 3100),
}
DAYS = list(BARS)[3:]  # the sessions
MORNINGS = ["2026-01-09", "2026-01-10", "2026-01-13", "2026-01-14", "2026-01-15", "2026-01-16", "2026-01-17"]


def put(market: Market, day: str, *symbols: str) -> None:
    """The listings of ``day``, all at ACME's closes: ``symbols`` at NASDAQ, the crowd at NYSE, one at AMEX."""
    closes = {name: bar[3] for name, bar in BARS.items()}
    days = list(closes)
    close, before = closes[day], closes[days[days.index(day) - 1]]
    folder = market.folder / "us_listing"
    folder.mkdir(exist_ok=True)
    for exchange, listed in (("nasdaq", symbols), ("nyse", CROWD[1:]), ("amex", CROWD[:1])):
        rows = [
            {"symbol": one, "name": f"{one} Inc.", "lastsale": f"${close}", "netchange": f"{close - before}"}
            | {"volume": "5", "marketCap": "5", "sector": ""}
            for one in listed
        ]
        (folder / f"{exchange}_full_tickers.json").write_text(json.dumps(rows))


def sync(market: Market, morning: str) -> Synced:
    moment = datetime.fromisoformat(f"{morning}T09:30+00:00")
    market.replay.move_clock(moment)
    with connect(market.url) as connection:
        return sync_listing(connection, market.settings(), "US", moment)


@pytest.fixture
def listed(market: Market) -> Market:
    """ACME, BOLT and the crowd, quoted alike until 16 January and listed on the 8th."""
    for symbol in ("ACME", "BOLT", *CROWD):
        write_chart(market.folder, symbol, BARS)
    market.follow(*CROWD)
    market.run()
    put(market, "2026-01-08", "ACME", "BOLT")
    market.run(as_of="2026-01-09T09:00+00:00")
    sync(market, "2026-01-09")
    return market


def absences(market: Market) -> list[tuple[str, str]]:
    return market.rows("select ticker, session_date::text from tb_absence join tb_meta using (meta_id) order by 2")


def delisted(market: Market) -> list[tuple[str, str]]:
    return market.rows("select ticker, delisted_on::text from tb_meta where delisted_on is not null")


def test_five_sessions_that_are_proven_delist(listed: Market) -> None:
    for day, morning in zip(DAYS[1:6], MORNINGS[1:6], strict=True):
        put(listed, day, "ACME")
        listed.run(as_of=f"{morning}T09:00+00:00")
        told = sync(listed, morning).notes
        sync(listed, morning)
    assert absences(listed) == [("BOLT", day) for day in DAYS[1:6]]
    assert delisted(listed) == [("BOLT", "2026-01-09")]
    assert told == ["BOLT was delisted on 2026-01-09: 5 sessions' listings lack it"]


def test_a_file_that_stalls_is_evidence_of_no_further_session(listed: Market) -> None:
    put(listed, "2026-01-09", "ACME")  # and never again
    notes = []
    for morning in MORNINGS[1:]:
        listed.run(as_of=f"{morning}T09:00+00:00")
        notes.append(sync(listed, morning).notes)
    assert (absences(listed), delisted(listed)) == ([("BOLT", "2026-01-09")], [])
    assert notes[0] == []
    assert all("no evidence of delistings: the listings are not of 2026-01-" in note for (note,) in notes[1:])


GAPS: LiteralString = """
    select ticker, trade_date::text, state, r.job
    from tb_gap join tb_meta using (meta_id) join tb_job_run as r using (run_id)
"""


def test_a_new_share_of_the_sunday_is_missing_with_a_record_until_the_next_run(listed: Market) -> None:
    """The market is settled up to Friday; the share is new in Friday's listing, and nobody has asked for it yet."""
    for day, morning in zip(DAYS[1:], MORNINGS[1:], strict=False):
        put(listed, day, "ACME", "BOLT")
        listed.run(as_of=f"{morning}T09:00+00:00")
    write_chart(listed.folder, "FRESH", {DAYS[-1]: BARS[DAYS[-1]]})
    put(listed, DAYS[-1], "ACME", "BOLT", "FRESH")
    sync(listed, "2026-01-18")
    listed.audit()
    assert listed.rows(GAPS) == [("FRESH", "2026-01-16", "open", "universe")]
    listed.run(as_of="2026-01-20T09:00+00:00")  # on Monday New York was closed
    assert listed.rows(GAPS) == [("FRESH", "2026-01-16", "healed", "universe")]
    assert [bar[1] for bar in listed.bars() if bar[0] == "FRESH"] == ["2026-01-16"]
    listed.audit()


class TestTheDailyRun:
    """Where it has the listings, for its sample, it is their evidence."""

    def run(self, market: Market, morning: str, sample: int = 50) -> list[str]:
        settings = market.settings(sample_tickers=sample)
        return market.run(as_of=f"{morning}T09:00+00:00", settings=settings).notes

    def test_five_sessions_delist(self, listed: Market) -> None:
        for day, morning in zip(DAYS[1:6], MORNINGS[1:6], strict=True):
            put(listed, day, "ACME")
            notes = self.run(listed, morning)
        assert delisted(listed) == [("BOLT", "2026-01-09")]
        assert "BOLT was delisted on 2026-01-09: 5 sessions' listings lack it" in notes
        assert listed.run(as_of="2026-01-17T09:00+00:00").tickers == {"updated": 21}
        listed.audit()

    def test_a_file_that_stalls_delists_nobody(self, listed: Market) -> None:
        put(listed, "2026-01-09", "ACME")
        for morning in MORNINGS[1:]:
            self.run(listed, morning)
        assert absences(listed) == [("BOLT", "2026-01-09")]

    def test_half_a_market_is_no_listing(self, listed: Market) -> None:
        put(listed, "2026-01-09", "ACME")
        listed.replay.fault("500", match="nyse")
        self.run(listed, "2026-01-10")
        assert absences(listed) == []

    def test_without_a_sample_nothing_is_asked_for(self, listed: Market) -> None:
        asked = listed.replay.counts["listing"]
        put(listed, "2026-01-09", "ACME")
        self.run(listed, "2026-01-10", sample=0)
        assert (listed.replay.counts["listing"], absences(listed)) == (asked, [])

    def test_who_was_never_listed_is_not_absent(self, listed: Market) -> None:
        """A fund, say: the exchanges' files have none."""
        write_chart(listed.folder, "FUND", BARS)
        listed.follow("FUND")
        put(listed, "2026-01-09", "ACME", "BOLT")
        self.run(listed, "2026-01-10")
        assert absences(listed) == []
