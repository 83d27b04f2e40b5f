"""Where the demonstration's calendar begins and ends, and how a series is moved onto it."""

from datetime import date, timedelta
from typing import Final

CALENDAR_START: Final = date(2000, 1, 1)
END: Final = date(2027, 12, 31)  # the last day of the session tables: no run can ask for a later one
SATURDAY: Final = 5


def next_working_day(day: date) -> date:
    """The first day from Monday to Friday after ``day``."""
    return working_day(day + timedelta(days=1))


def working_day(day: date) -> date:
    """``day`` itself from Monday to Friday, else the Monday after it."""
    while day.weekday() >= SATURDAY:
        day += timedelta(days=1)
    return day


def years_up_to_end(last: date) -> int:
    """How many whole years a series whose last period starts on ``last`` must move for that period to reach END."""
    years = END.year - last.year
    return years if last.replace(year=END.year) >= END.replace(day=1) else years + 1


def weeks_up_to_end(last: date) -> timedelta:
    """By how many whole weeks a daily series ending on ``last`` must move to reach END: its weekdays stay weekdays."""
    return timedelta(weeks=-(-(END - last).days // 7))
