"""The words of an alert: a subject line and a body of plain text."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from include.insight_invest.wording import plain

SUBJECT_LENGTH = 100  # the most that SNS takes, of ASCII
WHAT_LENGTH = 2000


class Kind(StrEnum):
    """What an operator can be told of a Dag; the first two are incidents, the third is their end."""

    LATE = "late"
    FAILED = "failed"
    NORMAL = "normal"


_HEADLINES = {Kind.LATE: "is late", Kind.FAILED: "failed", Kind.NORMAL: "is back to normal"}


@dataclass(frozen=True, kw_only=True)
class Alert:
    """One message. ``facts`` are sentences about what the ledger has."""

    kind: Kind
    environment: str  # the name of this installation
    dag_id: str
    title: str  # what people call the Dag, if they do
    run_id: str
    what: str  # what is late or wrong
    facts: Sequence[str]
    log_url: str
    runbook: str
    text: str = ""  # the body, where it was composed before

    @property
    def subject(self) -> str:
        """One line of ASCII, at most SUBJECT_LENGTH characters."""
        line = f"[insight-invest {self.environment}] {self.dag_id} {_HEADLINES[self.kind]}: {self.run_id}"
        return plain(line, SUBJECT_LENGTH).encode("ascii", "replace").decode()

    @property
    def body(self) -> str:
        """What it is about, what the ledger knows, and where to go on."""
        if self.text:
            return self.text
        name = f"{self.dag_id} ({self.title})" if self.title else self.dag_id
        lines = [f"{name} {_HEADLINES[self.kind]}.", "", self.paragraph, "", f"Run: {self.run_id}"]
        return "\n".join([*lines, *self.facts, f"Log: {self.log_url}", f"Runbook: {self.runbook}"])

    @property
    def paragraph(self) -> str:
        """What is late or wrong, as the body has it."""
        return (self.what if len(self.what) <= WHAT_LENGTH else f"{self.what[:WHAT_LENGTH]} ...").strip()
