"""What loading has in common: what was done, for whom, and the exact difference."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from typing import Any


@dataclass(frozen=True)
class Change:
    """One stored row that is new or changed. ``before`` is None for a new row."""

    table: str
    key: str
    day: date
    before: dict[str, Any] | None
    after: dict[str, Any]

    def __str__(self) -> str:
        if self.before is None:
            values = " ".join(f"{name}={value}" for name, value in self.after.items() if value is not None)
            return f"+ {self.table} {self.key} {self.day} {values}"
        changed = [
            f"{name} {old} -> {self.after[name]}" for name, old in self.before.items() if old != self.after[name]
        ]
        return f"~ {self.table} {self.key} {self.day} {', '.join(changed)}"


@dataclass(frozen=True)
class LoadContext:
    """In whose name rows are written. ``on_change``, where given, is told every new or changed row (dry runs)."""

    run_id: int
    as_of: datetime
    on_change: Callable[[Change], None] | None = None


@dataclass
class Counts:
    """Rows of one load, or of a whole run."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    held: int = 0
    actions_new: int = 0
    actions_changed: int = 0
    requests: int = 0
    tickers: set[int] = field(default_factory=set)  # ids whose rows were new or changed

    def add(self, other: "Counts") -> None:
        """Add ``other`` to this."""
        for name in (f.name for f in fields(self) if f.name != "tickers"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.tickers |= other.tickers
