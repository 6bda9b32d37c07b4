"""What becomes of the value of one attribute: kept if it is what its VR says and names nobody, else cleaned.

Values are bytes as the source holds them and stay these bytes where nothing has to go: a decimal string is never
formatted anew. A transform gives None where nothing of the value may stay.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache

from pydicom.datadict import dictionary_VM
from pydicom.uid import UID_dictionary

from cormack.dicom.deidentify.character_set import CharacterSet
from cormack.dicom.deidentify.codes import CODE_VALUE, CODE_VALUES
from cormack.dicom.deidentify.dates import shift_da, shift_dates_in_uid, shift_dt, shift_tm
from cormack.dicom.deidentify.defined_terms import is_term
from cormack.dicom.deidentify.options import Option, Options
from cormack.dicom.deidentify.project_key import ProjectKey
from cormack.dicom.deidentify.sweep import telling_tokens
from cormack.dicom.deidentify.technique import is_technique
from cormack.dicom.deidentify.text import clean_text, contains_known
from cormack.dicom.deidentify.vrs import BINARY_SIZES

Transform = Callable[[bytes], "bytes | None"]


class Manner(Enum):
    """Why a value may stay: an option keeps it, an option asks to clean it, or the table does not list it.

    What an option keeps stays but for the patient's own identifiers; of a text to be cleaned, and of one that is not
    listed and does not describe technique, only words of the vocabulary stay.
    """

    KEEP = auto()
    CLEAN = auto()
    UNLISTED = auto()


@dataclass(frozen=True)
class Patient:
    """What the values of one patient's objects become, and what must not be left in them.

    Parameters
    ----------
    new_id : str
        Pseudonym, for PatientName and PatientID.
    days : int
        Added to every date under the option of modified dates.
    known : frozenset of str
        Case-folded words and numbers that identify this patient or persons, places and orders around them.
    """

    new_id: str
    days: int
    known: frozenset[str]

    def __repr__(self) -> str:
        return "<Patient>"


_FORMATS = {
    "US": "H", "SS": "h", "UL": "L", "SL": "l", "OL": "L", "UV": "Q", "SV": "q",
    "FL": "f", "OF": "f", "FD": "d", "OD": "d"
}  # fmt: skip
#: A number with fewer digits is too often a number of something else, such as a window or a count.
_FEWEST_KNOWN_DIGITS = 5
#: Digits of the shortest date with a year.
_FEWEST_DATE_DIGITS = 4
#: Longer lists of binary numbers are measurements.
_MOST_NUMBERS_COMPARED = 64

_SINGLE_VALUED = frozenset({"ST", "LT", "UT", "UR"})
_SHIFTS = {"DA": shift_da, "DT": shift_dt, "TM": shift_tm}
_CS = re.compile(r"[A-Z0-9_ ]{0,16}")
_AS = re.compile(r"\d{3}[DWMY]")
_IS = re.compile(rb" *[+-]?\d{1,12}(\.0*)? *")
_DS = re.compile(rb" *[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})? *")
#: Where the makers of open software say that they live.
_PUBLIC_HOST = re.compile(r"https://(github\.com|gitlab\.com|bitbucket\.org)/[A-Za-z0-9-]+/[A-Za-z0-9-]+(\.git)?/?")
#: What has no place in the name of a device or an institution, although an option keeps these: addresses of networks.
_NETWORK = re.compile(r"@|://|\bwww\.|(?<!\d)(\d{1,3}\.){3}\d{1,3}(?!\d)")
#: Attributes whose text has a form of its own.
_FORMS = {0x00080201: re.compile(r"[+-]\d{4}")}  # TimezoneOffsetFromUTC
_STANDARD_ROOT = "1.2.840.10008."
_UID = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*))+")
#: UIDs of the standard, also of later editions, and of code systems of HL7: too short to hold a number of a person.
_WELL_KNOWN_UID = re.compile(
    r"1\.2\.840\.10008\.5\.1\.4(\.\d{1,3}){1,5}|1\.2\.840\.10008\.6\.1\.\d{1,4}|2\.16\.840\.1\.113883\.6\.\d{1,3}"
)


class ValueCleaner:
    """The transforms for values of one patient under one character set.

    Parameters
    ----------
    patient : Patient
    key : ProjectKey
    options : Options
    character_set : CharacterSet
    """

    def __init__(self, patient: Patient, key: ProjectKey, options: Options, character_set: CharacterSet) -> None:
        self._patient, self._key, self._options, self._set = patient, key, options, character_set
        self._modified = Option.RETAIN_LONGITUDINAL_MODIFIED_DATES in options
        self._full = Option.RETAIN_LONGITUDINAL_FULL_DATES in options
        self._text_days = patient.days if self._modified else 0 if self._full else None
        self._telling = telling_tokens(patient.known)
        self._numbers = known_numbers(patient.known)

    def transform(self, tag: int, vr: str, manner: Manner, *, public_code: bool = False) -> Transform | None:
        """The transform of an attribute's value; None if values of this VR never stay."""
        most = most_values(tag)
        if public_code and tag in CODE_VALUES:
            return self._code_value
        if vr == "UI":
            return lambda value: self._uids(value, manner)
        if vr in _SHIFTS:
            return lambda value: self._dates(value, vr, manner)
        if vr in ("IS", "DS"):
            return lambda value: self._decimal(value, vr, most)
        if vr in BINARY_SIZES:
            return lambda value: self._binary(value, vr, most)
        if vr in ("CS", "AS"):
            return lambda value: self._code(value, vr, most)
        if vr in ("SH", "LO", "ST", "LT", "UT", "UC") or (vr in ("AE", "UR", "PN") and manner is Manner.KEEP):
            if tag in _FORMS:
                return lambda value: self._formed(value, _FORMS[tag])
            return lambda value: self._text(value, vr, manner, technique=is_technique(tag))
        return None

    def uid(self, uid: str) -> str:
        """What stands for one UID: itself if it is well-known, or if the options keep UIDs."""
        if is_well_known(uid):
            return uid
        # A UID below the standard's root that is none of the standard's is somebody's invention.
        valid = len(uid) <= 64 and _UID.fullmatch(uid) and not uid.startswith(_STANDARD_ROOT)
        if Option.RETAIN_UIDS in self._options and valid:
            return shift_dates_in_uid(uid, self._patient.days) if self._modified else uid
        return self._key.uid(uid)

    def mapped_uids(self, value: bytes) -> bytes:
        """All UIDs of a value replaced by the key, but for the well-known ones."""
        return _joined(uid if is_well_known(uid) else self._key.uid(uid) for uid in _split(value))

    def _uids(self, value: bytes, manner: Manner) -> bytes:
        return _joined(self.uid(uid) for uid in _split(value))

    def _dates(self, value: bytes, vr: str, manner: Manner) -> bytes | None:
        if manner is Manner.UNLISTED and not (self._modified or self._full):
            return None
        text = _ascii(value)
        moved = None if text is None else _SHIFTS[vr](text, self._patient.days if self._shifts(manner) else 0)
        if moved is None or text is None:
            return None
        return value if moved == text else moved.encode("ascii")

    def _shifts(self, manner: Manner) -> bool:
        return self._modified and manner is not Manner.KEEP

    def _decimal(self, value: bytes, vr: str, most: int | None) -> bytes | None:
        kept = cut_at_nul(value)
        parts = kept.split(b"\\")
        pattern = _DS if vr == "DS" else _IS
        if (most is not None and len(parts) > most) or not all(not p.strip() or pattern.fullmatch(p) for p in parts):
            return None
        if self._numbers and not self._numbers.isdisjoint(map(float, filter(bytes.strip, parts))):
            return None
        return kept

    def _binary(self, value: bytes, vr: str, most: int | None) -> bytes | None:
        count, rest = divmod(len(value), BINARY_SIZES[vr])
        if rest or (most is not None and count > most):
            return None
        if self._numbers and vr in _FORMATS and count <= _MOST_NUMBERS_COMPARED:
            for order in "<>":
                if not self._numbers.isdisjoint(struct.unpack(f"{order}{count}{_FORMATS[vr]}", value)):
                    return None
        return value

    def _code(self, value: bytes, vr: str, most: int | None) -> bytes | None:
        text = _ascii(value)
        if text is None:
            return None
        pattern = _AS if vr == "AS" else _CS
        kept = [part.strip() for part in text.split("\\")]
        if most is not None and len(kept) > most:
            return None
        cleaned = [part if self._is_code(part, pattern) else self._as_code(part) for part in kept]
        if cleaned == kept:
            return value
        return "\\".join(cleaned).encode("ascii") if any(cleaned) else None

    def _is_code(self, part: str, pattern: re.Pattern[str]) -> bool:
        if not part:
            return True
        if pattern.fullmatch(part) is None or contains_known(part, self._telling):
            return False
        if pattern is _AS:
            return True
        few_digits = sum(map(str.isdigit, part)) < _FEWEST_DATE_DIGITS
        return is_term(part) and (few_digits or clean_text(part, known=self._telling, days=None) == part)

    def _as_code(self, part: str) -> str:
        """What a careless writer put where a code belongs, as a code of known words; else nothing."""
        words = clean_text(part, known=self._patient.known, vocabulary_only=True, days=None).strip().upper()
        return words if _CS.fullmatch(words) else ""

    def _formed(self, value: bytes, form: re.Pattern[str]) -> bytes | None:
        text = _ascii(value)
        return value if text is not None and (not text or form.fullmatch(text)) else None

    def _code_value(self, value: bytes) -> bytes | None:
        text = _ascii(value)
        known = text is None or not CODE_VALUE.fullmatch(text) or contains_known(text, self._telling)
        return None if known else value

    def _text(self, value: bytes, vr: str, manner: Manner, *, technique: bool) -> bytes | None:
        kept = cut_at_nul(value)
        text = self._set.decode(kept)
        if self._stays(text, manner, technique=technique):
            return kept
        only = manner is Manner.CLEAN or (manner is Manner.UNLISTED and not technique)
        known = self._patient.known if only else self._telling
        parts = [text] if vr in _SINGLE_VALUED else text.split("\\")
        stripped = [part.strip() for part in parts]
        cleaned = [clean_text(part, known=known, vocabulary_only=only, days=self._text_days) for part in stripped]
        if cleaned == stripped and "\ufffd" not in text:
            return kept
        joined = "\\".join(cleaned).strip().replace("\ufffd", "")
        return self._set.encode(joined) if joined.strip("\\ ") else None

    def _stays(self, text: str, manner: Manner, *, technique: bool) -> bool:
        """True for a text that is not cleaned: an option keeps it, or it is the address of open software."""
        meant = manner is Manner.KEEP and not _NETWORK.search(text)
        address = technique and _PUBLIC_HOST.fullmatch(text.strip()) is not None
        return (meant or address) and not contains_known(text, self._telling)


def is_well_known(uid: str) -> bool:
    """True for UIDs of the standard and of public code systems, which tell nothing about an object."""
    return uid in UID_dictionary or _WELL_KNOWN_UID.fullmatch(uid) is not None


def cut_at_nul(value: bytes) -> bytes:
    """Text ends at its first NUL: what stands behind it is not seen by readers, and could be anything."""
    return value if b"\0" not in value else value[: value.index(b"\0")]


@cache
def most_values(tag: int) -> int | None:
    """The largest number of values that the standard allows an attribute; None if it sets no limit."""
    try:
        last = str(dictionary_VM(tag)).rsplit("-", 1)[-1]
    except KeyError:
        return None
    return int(last) if last.isdigit() else None


def known_numbers(known: frozenset[str]) -> frozenset[float]:
    """The identifiers that are whole numbers of enough digits, also as they are in single precision."""
    exact = {int(t) for t in known if t.isascii() and t.isdigit() and len(t) < 19}
    # 00001 is the number 1, which says nothing.
    exact = {number for number in exact if number >= 10 ** (_FEWEST_KNOWN_DIGITS - 1)}
    return frozenset(exact | {struct.unpack("f", struct.pack("f", number))[0] for number in exact})


def _ascii(value: bytes) -> str | None:
    kept = cut_at_nul(value)
    return kept.decode("ascii").strip(" ") if kept.isascii() else None


def _split(value: bytes) -> list[str]:
    return [part.strip() for part in cut_at_nul(value).decode("latin-1").split("\\")]


def _joined(uids: object) -> bytes:
    return "\\".join(uids).encode("ascii")  # type: ignore[arg-type]
