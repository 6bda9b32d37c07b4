"""Days of the calendar moved by whole days, and those that mean that no day was known."""

from __future__ import annotations

from datetime import date, timedelta

#: Written where no date was known: epochs and limits of calendars, file systems, databases and spreadsheets.
PLACEHOLDERS = frozenset(
    date(*parts)
    for parts in (
        (1, 1, 1), (1111, 11, 11), (1582, 10, 15), (1601, 1, 1), (1753, 1, 1), (1800, 1, 1), (1858, 11, 17),
        (1899, 12, 30), (1899, 12, 31), (1900, 1, 1), (1901, 1, 1), (1904, 1, 1), (1970, 1, 1), (9999, 12, 31),
    )
)  # fmt: skip


def shift_date(day: date, days: int) -> date | None:
    """A calendar day moved by whole days; None for a placeholder, and beyond the years 1 to 9999."""
    if days and day in PLACEHOLDERS:
        return None
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return None
