"""Value representations: which are text, how large binary values are, and dummies that are valid and say nothing."""

from __future__ import annotations

TEXT_VRS = frozenset(
    {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT"}
)  # fmt: skip
#: Bytes of one value of a binary VR.
BINARY_SIZES = {
    "US": 2, "SS": 2, "UL": 4, "SL": 4, "FL": 4, "FD": 8, "SV": 8, "UV": 8, "AT": 4, "OF": 4, "OD": 8, "OL": 4
}  # fmt: skip

_DUMMY_TEXT = b"ANONYMIZED"
_DUMMIES = {
    "AE": b"ANONYMIZED", "AS": b"000Y", "CS": b"ANONYMIZED", "DA": b"19000101", "DS": b"0", "DT": b"19000101000000",
    "IS": b"0", "TM": b"000000", "UI": b"2.25.0", "UR": b"urn:anonymized", "OB": b"\0\0", "OW": b"\0\0", "UN": b"\0\0",
}  # fmt: skip
#: Texts that this package writes in place of values, and that identify nobody when they are met again.
DUMMY_TEXTS = frozenset(text.decode("ascii") for text in (_DUMMY_TEXT, *_DUMMIES.values()))


def dummy(vr: str) -> bytes:
    """A value that is valid for a VR and says nothing; sequences have none."""
    if vr in BINARY_SIZES:
        return b"\0" * BINARY_SIZES[vr]
    return _DUMMIES.get(vr, _DUMMY_TEXT)
