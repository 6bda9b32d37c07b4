"""Dates moved by whole days, compared with datetime."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydicom.uid import UID
from pydicom.valuerep import DT

from cormack.dicom.deidentify.calendar_days import PLACEHOLDERS
from cormack.dicom.deidentify.dates import (
    shift_da,
    shift_dates_in_text,
    shift_dates_in_uid,
    shift_dt,
    shift_tm,
)

DAYS = st.integers(-3650, -1)
DATES = st.dates(date(1890, 1, 1), date(2100, 12, 31)).filter(lambda day: day not in PLACEHOLDERS)
RECENT = st.dates(date(1990, 1, 1), date(2039, 12, 31))


@given(DATES, DAYS)
def test_da(day: date, days: int) -> None:
    moved = day + timedelta(days=days)
    assert shift_da(f"{day:%Y%m%d}", days) == f"{moved:%Y%m%d}"
    assert shift_da(f"{day:%Y.%m.%d}", days) == f"{moved:%Y.%m.%d}"
    assert shift_da(f" {day:%Y-%m-%d}\0", days) == f"{moved:%Y-%m-%d}"
    assert shift_da(f"{day:%Y%m%d}", 0) == f"{day:%Y%m%d}"


@given(DATES, DATES, DAYS)
def test_intervals_stay_exact(a: date, b: date, days: int) -> None:
    x, y = (datetime.strptime(shift_da(f"{day:%Y%m%d}", days), "%Y%m%d").date() for day in (a, b))
    assert y - x == b - a


@given(
    st.datetimes(datetime(1900, 1, 2), datetime(2100, 12, 31)),
    st.integers(-12 * 60, 14 * 60),
    st.integers(0, 6),
    DAYS,
)
def test_dt_keeps_its_instant_to_the_microsecond(when: datetime, offset_min: int, digits: int, days: int) -> None:
    assume(when.date() not in PLACEHOLDERS)
    zone = timezone(timedelta(minutes=offset_min))
    fraction = f".{when.microsecond:06}"[: digits + 1] if digits else ""
    sign, hours = ("-" if offset_min < 0 else "+"), abs(offset_min)
    text = f"{when:%Y%m%d%H%M%S}{fraction}{sign}{hours // 60:02}{hours % 60:02}"
    moved = shift_dt(text, days)
    assert moved is not None
    assert moved[8:] == text[8:]
    # pydicom reads both, so that the difference is taken across offsets and leap years by datetime alone.
    before, after = DT(text), DT(moved)
    assert after.astimezone(UTC) - before.astimezone(UTC) == timedelta(days=days)
    assert after.replace(tzinfo=zone) - before.replace(tzinfo=zone) == timedelta(days=days)


@pytest.mark.parametrize(
    ("text", "moved"),
    [
        ("20200301", "20200229"),
        ("20190301", "20190228"),
        ("20000101\\19991231", "19991231\\19991230"),
        ("20190101-20190201", "20181231-20190131"),
        ("-20190201", "-20190131"),
        ("20190201-", "20190131-"),
        ("201903", "201903"),
        ("2019", "2019"),
        ("", ""),
        ("\\20190102", "\\20190101"),
        ("20190229", None),
        ("20191301", None),
        ("00000000", None),
        ("unknown", None),
        ("20190101\\unknown", None),
        ("2019-01.02", None),
        ("201901021", None),
        ("19000101", None),
        ("1900", None),
        ("197001", None),
        ("99991231", None),
        ("00010102", "00010101"),
    ],
)
def test_da_by_hand(text: str, moved: str | None) -> None:
    assert shift_da(text, -1) == moved


def test_years_before_the_first_are_none() -> None:
    assert shift_da("00010102", -2) is None


@pytest.mark.parametrize(
    ("text", "moved"),
    [
        ("20190304", "20180304"),
        ("2019030411", "2018030411"),
        ("201903041122", "201803041122"),
        ("20190304112260.5", "20180304112260.5"),
        ("20190304-0500", "20180304-0500"),
        ("201903+1400", "201803+1400"),
        ("2019-0500", "2018-0500"),
        ("20190304-20190305", "20180304-20180305"),
        ("20190304120000-0500-20190305120000+0100", "20180304120000-0500-20180305120000+0100"),
        ("2019-03-04T11:22:33.123Z", "2018-03-04T11:22:33.123Z"),
        ("2019-03-04 11:22:33+01:00", "2018-03-04 11:22:33+01:00"),
        ("20190304\\20190305", "20180304\\20180305"),
        ("", ""),
        ("2019030424", None),
        ("201903041160", None),
        ("20190304112233.1234567", None),
        ("20190304+1500", None),
        ("2019030", None),
        ("11:22:33", None),
    ],
)
def test_dt_by_hand(text: str, moved: str | None) -> None:
    assert shift_dt(text, -365) == moved


@pytest.mark.parametrize(
    "text", ["112233.123456", "1122", "11", "11:22:33.5", "11:22", "1000-1200", "-1200", "", "235960"]
)
def test_times_of_day_stay(text: str) -> None:
    assert shift_tm(text, -365) == text


@pytest.mark.parametrize("text", ["240000", "112", "noon", "11:2", "112233.1234567", "112261"])
def test_what_is_no_time(text: str) -> None:
    assert shift_tm(text, -365) is None


#: How people and machines write a date, as strftime would.
NOTATIONS = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y_%m_%d", "%Y%m%d", "%Y%m%d%H%M%S", "%Y%m%d_%H%M%S", "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S+01:00", "%d.%m.%Y", "%d.%m.%y", "%d %b %Y",
    "%d-%b-%Y", "%d%b%Y", "%d %B %Y", "%B %d, %Y", "%b %d %Y", "%b. %d, %Y", "%Y%b%d", "%b %d %H:%M:%S %Y",
    "%b %d %H:%M:%S UTC %Y",
    "%Y年%m月%d日",
)  # fmt: skip


@pytest.mark.parametrize("notation", NOTATIONS)
@given(st.datetimes(datetime(1971, 1, 1), datetime(2067, 1, 1)), DAYS)
def test_dates_in_texts(notation: str, when: datetime, days: int) -> None:
    assume(when.date() not in PLACEHOLDERS)
    moved = when + timedelta(days=days)
    assume(moved.year >= 1970 or "%y" not in notation)
    assume("%B" not in notation or when.month != 5)  # May is its own short form
    text = f"CT of {when.strftime(notation)} and more"
    assert shift_dates_in_text(text, days) == f"CT of {moved.strftime(notation)} and more"
    assert shift_dates_in_text(text.upper(), days) == f"CT of {moved.strftime(notation)} and more".upper()
    gone = shift_dates_in_text(text, None)
    assert str(when.year) not in gone
    assert f"{when:%d}" not in gone


@pytest.mark.parametrize(
    ("text", "moved"),
    [
        ("4. März 2019", "3. März 2019"),
        ("1. Maerz 2020", "29. Februar 2020"),
        ("1 avril 2019", "31 mars 2019"),
        ("1er janvier 2020", "31 decembre 2019"),
        ("1er février 2020", "31 janvier 2020"),
        ("1 de mayo de 2019", "30 de abril de 2019"),
        ("1 maggio 2019", "30 aprile 2019"),
        ("1 maart 2020", "29 februari 2020"),
        ("01-OKT-2019", "30-SEP-2019"),
        ("March 1st, 2020", "February 29th, 2020"),
        ("22nd of May 2020", "21st of May 2020"),
        ("Mon, 4 Mar 2019", "3 Mar 2019"),
        ("25/03/2019", "24/03/2019"),
        ("03/25/2019", "03/24/2019"),
        ("03/25/19 11:22", "03/24/19 11:22"),
        ("4.3.2019", "3.3.2019"),
        ("9.10.2019", "8.10.2019"),
        ("2019-3-4", "2019-3-3"),
        ("2019 03 04", "2019 03 03"),
        ("March 2019", "March 2019"),
        ("2019-03", "2019-03"),
        ("12.4.75", "11.4.75"),
        ("ab20190304cd", "ab20190303cd"),
        ("from 2019-03-04/2019-03-06", "from 2019-03-03/2019-03-05"),
        # What cannot be told, goes.
        ("04/03/2019", ""),
        ("04-03-19", ""),
        ("04 03 2019", ""),
        ("04032019", ""),
        ("2019-W10-1", ""),
        ("2019-063", ""),
        ("4th March", ""),
        ("May 5", ""),
        ("1900-01-01", ""),
        # What is no date, stays.
        ("HEAD 5.0 H30s", "HEAD 5.0 H30s"),
        ("V8.40ER004", "V8.40ER004"),
        ("syngo CT 2012B", "syngo CT 2012B"),
        ("3.2.1", "3.2.1"),
        ("1.2.840.10008.1.2", "1.2.840.10008.1.2"),
        ("L4/5 T1 3/4", "L4/5 T1 3/4"),
        ("2019-13-45", "2019-13-45"),
        ("512x512 1.5 mm", "512x512 1.5 mm"),
        ("1551698553", "1551698553"),
    ],
)
def test_texts_by_hand(text: str, moved: str) -> None:
    assert shift_dates_in_text(text, -1) == moved


@pytest.mark.parametrize(
    ("uid", "moved"),
    [
        ("1.3.12.2.1107.5.1.4.1.30000019030111223312300000123", "1.3.12.2.1107.5.1.4.1.30000019022811223312300000123"),
        (
            "1.3.12.2.1107.5.2.32.35177.2010010110203484300000052",
            "1.3.12.2.1107.5.2.32.35177.2009123110203484300000052",
        ),
        ("1.2.3.20200301.5", "1.2.3.20200229.5"),
        ("1.2.3.20200301112233", "1.2.3.20200229112233"),
        ("1.2.3.2019.3.1.11.22", "1.2.3.2019.2.28.11.22"),
        ("1.2.840.113619.2.55.3.2831868886.1551698553.456", "1.2.840.113619.2.55.3.2831868886.1551612153.456"),
        ("1.3.46.670589.33.1.63599541013241534900002.52", "1.3.46.670589.33.1.63599454613241534900002.52"),
        ("1.2.840.10008.5.20190304", "1.2.840.10008.5.20190304"),
        ("2.25.20190304", "2.25.20190304"),
        ("1.2.3.4", "1.2.3.4"),
        ("not.a.uid.20190304", "not.a.uid.20190303"),
    ],
)
def test_uids_by_hand(uid: str, moved: str) -> None:
    assert shift_dates_in_uid(uid, -1) == moved
    assert shift_dates_in_uid(uid, 0) == uid


@given(RECENT, st.integers(0, 86399), DAYS)
def test_uids_stay_valid_and_move_like_dates(day: date, second: int, days: int) -> None:
    when = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=second)
    moved = when + timedelta(days=days)
    for make in (
        lambda t: f"1.2.3.{t:%Y%m%d%H%M%S}123.1",
        lambda t: f"1.2.3.{int(t.timestamp())}.1",
        lambda t: f"1.2.3.{t.year}.{t.month}.{t.day}.{t.hour}",
    ):
        assume(int(moved.timestamp()) >= 1_000_000_000)
        assert shift_dates_in_uid(make(when), days) == make(moved)
        assert UID(make(moved)).is_valid


def test_no_days_keep_dates_as_they_are() -> None:
    text = "Mon, 4 Mar 2019, 04/03/2019, 1900-01-01, 2019-W10, 4th March"
    assert shift_dates_in_text(text, 0) == text
    assert shift_dates_in_text("04032019", 0) == ""
