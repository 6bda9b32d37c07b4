"""Dates moved by whole days: DICOM's own date and time values, and dates hidden in UIDs and in text.

A patient's dates all move by the same number of days, so intervals stay exact, across leap years too, and times of day,
fractions of a second and offsets from UTC are left as they are. What is no date gives None, and the caller empties it.
Dates that systems write for "unknown" are no dates either: shifted, they would tell the shift.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from cormack.dicom.deidentify.calendar_days import PLACEHOLDERS, shift_date
from cormack.dicom.deidentify.date_notations import find_dates

# YYYYMMDD (PS3.5 6.2), YYYY.MM.DD (before 1993), ISO 8601, and what lacks the day or the month.
_DA = re.compile(r"(\d{4})(?:(\d\d)(\d\d)?|([./-])(\d\d)\4(\d\d))?")
_DT = re.compile(
    r"(?P<date>\d{4}(?:\d\d){0,2})"
    r"(?P<time>(?<=\d{8})(?:[01]\d|2[0-3])(?:[0-5]\d(?:(?:[0-5]\d|60)(?:\.\d{1,6})?)?)?)?"
    r"(?P<offset>[+-](?:0\d|1[0-4])[0-5]\d)?"
    r"|(?P<iso>\d{4}-\d\d-\d\d)"
    r"(?:[T ](?:[01]\d|2[0-3]):[0-5]\d(?::(?:[0-5]\d|60)(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?"
)
_HOUR, _SIXTY = r"(?:[01]\d|2[0-3])", r"[0-5]\d"
_TM = re.compile(
    rf"{_HOUR}(?:{_SIXTY}(?:(?:{_SIXTY}|60)(?:\.\d{{1,6}})?)?)?"
    rf"|{_HOUR}:{_SIXTY}(?::(?:{_SIXTY}|60)(?:\.\d{{1,6}})?)?"
)


def shift_da(value: str, days: int) -> str | None:
    r"""Move a value of VR DA by whole days, in its own notation; None if any part of it is no date.

    Takes several values, ranges, and the old form YYYY.MM.DD. Of a date without day (or month) the middle of the
    month (or year) is moved: the result is as exact as the value was. Empty values stay empty.

    Parameters
    ----------
    value : str
    days : int

    Examples
    --------
    >>> shift_da("20200301", -1), shift_da("2019.03.04", -365), shift_da("unknown", -1)
    ('20200229', '2018.03.04', None)
    """
    return _each(value, lambda one: _shift_range(one, days, _shift_one_da))


def shift_dt(value: str, days: int) -> str | None:
    """Move a value of VR DT by whole days; time of day, fraction and offset from UTC stay. Else as `shift_da`.

    Examples
    --------
    >>> shift_dt("20190304112233.123456+0100", -63)
    '20181231112233.123456+0100'
    """
    return _each(value, lambda one: _shift_range(one, days, _shift_one_dt))


def shift_tm(value: str, days: int) -> str | None:
    """A value of VR TM as it is, since whole days move no time of day; None if it is no time.

    Parameters
    ----------
    value : str
        Also in the old form HH:MM:SS, ranges, and several values.
    days : int
        Of no account; there so that all three functions are called alike.
    """
    return _each(value, lambda one: _shift_range(one, days, lambda time, _: time if _TM.fullmatch(time) else None))


def _each(value: str, shift: Callable[[str], str | None]) -> str | None:
    """All values of a multi-valued text, or None."""
    shifted = [shift(one) if (one := part.strip(" \0")) else "" for part in value.split("\\")]
    return None if any(one is None for one in shifted) else "\\".join(one or "" for one in shifted)


def _shift_range(text: str, days: int, shift: Callable[[str, int], str | None]) -> str | None:
    """A single value, else the two ends of a range, of which one may be open."""
    single = shift(text, days)
    if single is not None or text.count("-") not in (1, 2, 3):
        return single
    for cut in (place for place, character in enumerate(text) if character == "-"):
        ends = [shift(end, days) if (end := part.strip()) else "" for part in (text[:cut], text[cut + 1 :])]
        if any(ends) and None not in ends:
            return "-".join(end or "" for end in ends)
    return None


def _shift_one_da(text: str, days: int) -> str | None:
    match = _DA.fullmatch(text)
    if match is None:
        return None
    year, month, day, separator = match[1], match[2] or match[5], match[3] or match[6], match[4] or ""
    try:
        # The middle stands for a month or a year.
        whole = date(int(year), int(month or 7), int(day or (15 if month else 2)))
        first = date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        return None
    moved = shift_date(whole, days)
    if moved is None or (days and first in PLACEHOLDERS):
        return None
    parts = (f"{moved.year:04}", f"{moved.month:02}", f"{moved.day:02}")
    return separator.join(parts[: 1 + bool(month) + bool(day)])


def _shift_one_dt(text: str, days: int) -> str | None:
    match = _DT.fullmatch(text)
    if match is None:
        return None
    stated = match["date"] or match["iso"]
    moved = _shift_one_da(stated, days)
    return None if moved is None else moved + text[len(stated) :]


def shift_dates_in_text(text: str, days: int | None) -> str:
    """Move every date found in a text, each in its own notation; None removes them with their times of day.

    A date that can be read in two ways (04/03/2019), or has no year, cannot be moved truthfully: it is removed.

    Examples
    --------
    >>> shift_dates_in_text("CT of 4 Mar 2019, compared with 2018-12-31T23:59", -365)
    'CT of 4 Mar 2018, compared with 2017-12-31T23:59'
    >>> shift_dates_in_text("Kontrolle vom 1. März 2020", -1)
    'Kontrolle vom 29. Februar 2020'
    """
    pieces, end = [], 0
    for found in find_dates(text):
        moved = None if days is None else found.moved(days)
        pieces += [text[end : found.start], moved or ""]
        end = found.end
    return "".join((*pieces, text[end:]))


#: Roots whose UIDs hold no dates: the standard's own, and UUIDs, whose digits only look like dates now and then.
_DATELESS_ROOTS = ("1.2.840.10008.", "2.25.")
_UID_DAY = r"(?P<day>(?:19[89]|20[0-4])\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))"
_UID_TIME = rf"{_HOUR}{_SIXTY}"
#: Siemens writes 300000 YYMMDD HHMM…; others YYYYMMDD, alone or with a time behind it.
_UID_SIEMENS = re.compile(rf"3000\d\d(?P<day>\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])){_UID_TIME}\d*")
_UID_COMPACT = re.compile(rf"(?:{_UID_DAY}|\d*?{_UID_DAY.replace('day', 'later')}{_UID_TIME}\d*)")
_UID_SPREAD = re.compile(
    r"(?<=\.)(?P<y>(?:19[89]|20[0-4])\d)\.(?P<m>0?[1-9]|1[0-2])\.(?P<d>0?[1-9]|[12]\d|3[01])(?=\.|$)"
)
#: Seconds since 1970 (GE, Toshiba) of the years 1990 to 2040, and since the year 1 (Philips) likewise.
_UNIX_RANGE_S, _YEAR_ONE_RANGE_S = (631_152_000, 2_208_988_800), (62_766_748_800, 64_376_000_000)
_DAY_S = 86_400


def shift_dates_in_uid(uid: str, days: int) -> str:
    """Move the dates that vendors write into UIDs; the rest of the UID, and its validity, stay.

    Known are YYYYMMDD with or without a time, the same in three components, Siemens' 300000YYMMDD, and seconds since
    1970 (GE, Toshiba) or since the year 1 (Philips). Equal UIDs stay equal.

    Examples
    --------
    >>> shift_dates_in_uid("1.3.12.2.1107.5.1.4.1.30000019030411223312300000123", -3)
    '1.3.12.2.1107.5.1.4.1.30000019030111223312300000123'
    """
    if not days or uid.startswith(_DATELESS_ROOTS):
        return uid
    spread = _UID_SPREAD.sub(lambda match: _shift_spread(match, days), uid)
    return ".".join(_shift_component(part, days) if len(part) >= 8 else part for part in spread.split("."))


def _shift_component(part: str, days: int) -> str:
    if not part.isdigit():
        return part
    if (match := _UID_SIEMENS.fullmatch(part)) and (moved := _shift_one_da("20" + match["day"], days)):
        return part[: match.start("day")] + moved[2:] + part[match.end("day") :]
    if match := _UID_COMPACT.fullmatch(part):
        group = "day" if match["day"] else "later"
        if moved := _shift_one_da(match[group], days):
            return part[: match.start(group)] + moved + part[match.end(group) :]
    for width, (low, high) in ((10, _UNIX_RANGE_S), (11, _YEAR_ONE_RANGE_S)):
        if (len(part) == width or (width == 11 and len(part) >= 17)) and low <= int(part[:width]) <= high:
            return f"{int(part[:width]) + days * _DAY_S}{part[width:]}"
    return part


def _shift_spread(match: re.Match[str], days: int) -> str:
    try:
        moved = shift_date(date(int(match["y"]), int(match["m"]), int(match["d"])), days)
    except ValueError:
        return match[0]
    if moved is None:
        return match[0]
    # A component has no leading zero (PS3.5 9.1).
    return f"{moved.year}.{moved.month}.{moved.day}"
