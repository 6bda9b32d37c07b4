"""Codes of public coding schemes: numbers of six digits and more that are nobody's."""

from __future__ import annotations

import re
from typing import Any

#: CodeValue and LongCodeValue, PS3.3 8.8.
CODE_VALUES = frozenset({0x00080100, 0x00080119})
_SCHEME = 0x00080102
CODE_VALUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9./:-]{0,63}")
#: Designators of PS3.16 table 8-1 whose codes are the same for everybody.
_PUBLIC = frozenset(
    {
        "DCM",
        "SCT",
        "SRT",
        "SNM3",
        "LN",
        "UCUM",
        "FMA",
        "RADLEX",
        "NCIT",
        "UMLS",
        "IBSI",
        "ACR",
        "I9",
        "I10",
        "BI",
        "MDC",
    }
)
_CHECKED = frozenset({"DCM", "SCT"})
#: PS3.16 Annex D.
_DCM = re.compile(r"1[0-3]\d{4}")
#: A concept of SNOMED CT: item, partition 00 (core) or 10 (extension), check digit.
_SCT = re.compile(r"[1-9]\d{2,14}[01]0\d")

# Verhoeff's check digit: the dihedral group D5 and a permutation (SNOMED CT Release File Specification, appendix C).
_PRODUCT = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_TURN = "1576283094"


def is_public_code(dataset: Any) -> bool:
    """True for the item of a code sequence that names a public scheme and, where it can be checked, a code of it.

    Parameters
    ----------
    dataset : pydicom Dataset
        Its elements may still be raw.
    """
    scheme = _text(dataset, _SCHEME).upper()
    if scheme not in _CHECKED:
        return scheme in _PUBLIC
    return all(is_standard_code(value) for tag in CODE_VALUES if (value := _text(dataset, tag)).isdigit())


def _text(dataset: Any, tag: int) -> str:
    value = dataset.get_item(tag).value if tag in dataset else b""
    return (value.decode("latin-1") if isinstance(value, bytes) else str(value or "")).strip(" \0")


def is_standard_code(value: str) -> bool:
    """True for a code of DICOM or a concept of SNOMED CT, by form and check digit.

    One of 500 numbers that are nobody's code passes by chance; what is known of the patient must be looked for besides.

    Examples
    --------
    >>> is_standard_code("113100"), is_standard_code("69536005"), is_standard_code("69536015")
    (True, True, False)
    """
    if _DCM.fullmatch(value):
        return True
    return _SCT.fullmatch(value) is not None and _verhoeff(value) == 0


def _verhoeff(digits: str) -> int:
    """The checksum over a number with its check digit; 0 if it is right."""
    check = 0
    for place, digit in enumerate(reversed(digits)):
        turned = int(digit)
        for _ in range(place % 8):
            turned = int(_TURN[turned])
        check = int(_PRODUCT[check][turned])
    return check
