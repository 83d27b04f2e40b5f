"""Write ``table/*.csv`` from exchange_calendars, and say what changed: maintenance, once or twice a year.

    python -m include.insight_invest.sessions.generate

Needs the ``dev`` dependency group. Run it after raising exchange-calendars' pin or LAST_DAY, read the difference it
prints, and commit both. It also names the overrides that the library has learnt since: those lines can go.
"""

import sys
from collections.abc import Iterator
from datetime import date, timedelta

from include.insight_invest.sessions import FIRST_DAY, FOLDER, LAST_DAY, ZONES, Hours, read_overrides, read_table

# exchange_calendars 4.13.2 takes the last session it is asked for as the first business day of the next year, when
# Korea opens at 10:00: asked for 2027, it opens 2027-12-30 an hour late. So it is asked for more than is kept.
_MARGIN = timedelta(days=366)


def library_table(exchange: str) -> dict[date, Hours]:
    """Sessions of FIRST_DAY..LAST_DAY as exchange_calendars knows them; about 5 s for XKRX."""
    import exchange_calendars

    calendar = exchange_calendars.get_calendar(exchange, start=FIRST_DAY - _MARGIN, end=LAST_DAY + _MARGIN)
    schedule = calendar.schedule.loc[FIRST_DAY.isoformat() : LAST_DAY.isoformat(), ["open", "close"]]
    local = schedule.apply(lambda column: column.dt.tz_convert(ZONES[exchange]))
    days = [day.date() for day in schedule.index]
    if not all((local[column].dt.date == days).all() for column in local):
        raise ValueError(f"{exchange}: a session crosses midnight of its own clock, which the table cannot say")
    hours = local.apply(lambda column: column.dt.strftime("%H:%M"))
    return dict(zip(days, zip(hours["open"], hours["close"], strict=True), strict=True))


def render(table: dict[date, Hours]) -> str:
    """The CSV text of one table."""
    return "date,open,close\n" + "".join(f"{day},{opening},{close}\n" for day, (opening, close) in table.items())


def difference(old: dict[date, Hours], new: dict[date, Hours]) -> Iterator[str]:
    """One line for each session gone (-), new (+) or with other hours (both), by day."""
    for day in sorted(old.keys() | new.keys()):
        if old.get(day) != new.get(day):
            if day in old:
                yield f"- {day} {'-'.join(old[day])}"
            if day in new:
                yield f"+ {day} {'-'.join(new[day])}"


def learnt(table: dict[date, Hours], overrides: dict[date, Hours | None]) -> list[date]:
    """The overrides that say no more than the library's own table."""
    return [day for day, hours in overrides.items() if table.get(day) == hours]


def main() -> int:
    """Write every table; the exit code is 0 whether anything changed or not."""
    for exchange in ZONES:
        path = FOLDER / "table" / f"{exchange.lower()}.csv"
        old = read_table(exchange) if path.exists() else {}
        new = library_table(exchange)
        path.parent.mkdir(exist_ok=True)
        path.write_text(render(new), encoding="ascii", newline="\n")
        lines = list(difference(old, new))
        sys.stdout.write(f"{exchange}: {len(new)} sessions, {len(lines)} lines changed\n")
        sys.stdout.writelines(f"  {line}\n" for line in lines)
        sys.stdout.writelines(
            f"  the library now knows the override of {day}: remove it from overrides.csv\n"
            for day in learnt(new, read_overrides(exchange))
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
