"""Table E.1-1 of PS3.15: what the profile and each option say about an attribute."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from cormack.dicom.deidentify.options import Option
from cormack.dicom.deidentify.tables import rows_of

#: The standard whose table E.1-1 is followed.
PROFILE_EDITION = "DICOM PS3.15, early 2025"
#: Options with a column in table E.1-1; the two that clean pixels say nothing about single attributes.
TABLED_OPTIONS: tuple[Option, ...] = tuple(
    option for option in Option if option not in (Option.CLEAN_PIXEL_DATA, Option.CLEAN_RECOGNIZABLE_VISUAL_FEATURES)
)

_CURVES = "(50XX,XXXX)"
_PRIVATE = "(GGGG,EEEE) WHERE GGGG IS ODD"


@dataclass(frozen=True)
class ProfileRow:
    """One row: the action code of the basic profile and those of the options that override it.

    `tag` is written as in the standard: ``(0008,0050)``, also ``(50XX,XXXX)``, ``(60XX,3000)`` and
    ``(GGGG,EEEE) WHERE GGGG IS ODD``.
    """

    tag: str
    name: str
    basic: str
    by_option: Mapping[Option, str]

    def tags(self) -> Iterator[int]:
        """Every tag of the row; for curves and private attributes none: see `is_curve` and `is_private`."""
        if self.tag in (_CURVES, _PRIVATE):
            return
        digits = re.sub("[(),]", "", self.tag)
        if digits.startswith("60XX"):
            # Repeating groups are the even ones (PS3.5 7.6).
            yield from (((0x6000 + pair) << 16) + int(digits[4:], 16) for pair in range(0, 0x100, 2))
        else:
            yield int(digits, 16)


@cache
def profile_rows() -> tuple[ProfileRow, ...]:
    """All rows of the table, in the order of their tags."""
    return tuple(
        ProfileRow(
            tag=row["tag"],
            name=row["name"],
            basic=row["basic"],
            by_option={option: row[option] for option in TABLED_OPTIONS if row[option]},
        )
        for row in rows_of("profile_attributes.tsv")
    )


def curve_row() -> ProfileRow:
    """The row of all curve groups, 50xx."""
    return next(row for row in profile_rows() if row.tag == _CURVES)


def private_row() -> ProfileRow:
    """The row of all private attributes."""
    return next(row for row in profile_rows() if row.tag == _PRIVATE)


def is_curve(tag: int) -> bool:
    """Tell whether a tag lies in a curve group, 5000 to 50FE."""
    return tag >> 24 == 0x50 and not is_private(tag)


def is_private(tag: int) -> bool:
    """Tell whether a tag's group number is odd."""
    return bool(tag >> 16 & 1)
