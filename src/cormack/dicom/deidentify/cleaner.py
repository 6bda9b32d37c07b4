"""The data set of one object, cleaned: every attribute is kept, changed or dropped by its rule, at any depth.

The way of an attribute: table E.1-1 under the options gives its action (`actions`); attributes that the table does not
list stay only if they are understood, which means that the standard has the tag, the VR agrees with it and the value is
what the VR says (`values`). What is not understood is emptied, or dropped where no empty value is possible. Rules are
made once per place and kind of object, and results once per value, since the slices of a series repeat most of theirs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import takewhile
from typing import Any

from pydicom.dataelem import RawDataElement
from pydicom.values import convert_SQ

from cormack.dicom.deidentify.actions import Action
from cormack.dicom.deidentify.bulk import BULK, may_stay
from cormack.dicom.deidentify.character_set import CharacterSet, character_set_of
from cormack.dicom.deidentify.codes import is_public_code
from cormack.dicom.deidentify.encoding import Encoding, TooLong, raw_value
from cormack.dicom.deidentify.options import Options
from cormack.dicom.deidentify.pixel_element import PIXEL_TAGS
from cormack.dicom.deidentify.project_key import ProjectKey
from cormack.dicom.deidentify.reasons import Reason, Refusal
from cormack.dicom.deidentify.rules import Place, Rule, RuleBook
from cormack.dicom.deidentify.safe_private import is_safe_private, safe_private_vr
from cormack.dicom.deidentify.sweep import Sweep
from cormack.dicom.deidentify.values import Manner, Patient, ValueCleaner
from cormack.dicom.deidentify.vrs import TEXT_VRS, dummy

#: Sequences nested deeper are not believed.
MAX_DEPTH = 64
_NAME, _ID = 0x00100010, 0x00100020
_UNDEFINED = 0xFFFFFFFF
#: Longer values are not remembered, and no more than so many: they seldom come again.
_LONGEST_REMEMBERED, _MOST_REMEMBERED = 16 * 2**10, 4000
#: VRs in whose values a known number is no chance.
_NUMBERS_IN = TEXT_VRS - {"DA", "DS", "DT", "IS", "TM", "UI"}
_UNSEEN = object()


class Cleaner:
    """Cleans the data sets of one patient.

    Parameters
    ----------
    options : Options
    key : ProjectKey
    patient : Patient
    """

    def __init__(self, options: Options, key: ProjectKey, patient: Patient) -> None:
        self.options, self.key, self.patient = options, key, patient
        self.sweep = Sweep(patient.known, patient.new_id)
        self._levels: dict[Place, Level] = {}

    def clean(self, dataset: Any, sop_class: str, encoding: Encoding) -> dict[int, bytes]:
        """What stays of a data set as it was read, but for its pixels: encoded elements by tag.

        Parameters
        ----------
        dataset : pydicom Dataset
            Its elements still raw.
        sop_class : str
            UID.
        encoding : Encoding
            How the output is written.

        Raises
        ------
        Refusal
            If the data set is cut short, damaged or nested too deep.
        """
        return dict(self.elements(dataset, Place(sop_class, encoding, CharacterSet())))

    def elements(self, dataset: Any, place: Place) -> Iterator[tuple[int, bytes]]:
        """Tag and encoded element of what stays of a data set, in the order of the tags."""
        own = character_set_of(dataset, place.character_set)
        public = bool(place.path) and is_public_code(dataset)
        if own is not place.character_set or public is not place.public_code:
            place = replace(place, character_set=own, public_code=public)
        level = self.level(place)
        for element in sorted(_before_pixels(dataset), key=_tag):
            tag = int(element.tag)
            if _is_cut(element):
                raise Refusal(Reason.TRUNCATED)
            if tag in BULK and not may_stay(tag, dataset, place.path):
                continue
            encoded = level.private(element, tag, dataset) if tag >> 16 & 1 else level.element(element, tag)
            if encoded is not None:
                yield tag, encoded

    def level(self, place: Place) -> Level:
        """The rules of one place, made when they are first asked for."""
        level = self._levels.get(place)
        if level is None:
            if len(place.path) > MAX_DEPTH:
                raise Refusal(Reason.TOO_DEEP)
            level = self._levels[place] = Level(self, place)
        return level


class Level:
    """Rules and remembered results of one place."""

    def __init__(self, cleaner: Cleaner, place: Place) -> None:
        self._cleaner, self._place = cleaner, place
        self._values = ValueCleaner(cleaner.patient, cleaner.key, cleaner.options, place.character_set)
        self._rules = RuleBook(place, cleaner.options, self._values)
        self._done: dict[tuple[int, str | None, bytes], Any] = {}

    def element(self, element: Any, tag: int) -> bytes | None:
        """The encoded element, None if nothing of it stays."""
        if not isinstance(element, RawDataElement):
            return self._converted(element, tag)
        value = element.value or b""
        if len(value) > _LONGEST_REMEMBERED:
            return self._treat(tag, element.VR, value, element)
        key = (tag, element.VR, value)
        done = self._done.get(key, _UNSEEN)
        if done is _UNSEEN:
            if len(self._done) >= _MOST_REMEMBERED:
                self._done.clear()
            done = self._done[key] = self._treat(tag, element.VR, value, element)
        return done  # type: ignore[no-any-return]

    def private(self, element: Any, tag: int, dataset: Any) -> bytes | None:
        """A private attribute: only a safe one stays, and the creator of a block of which something may."""
        number = tag & 0xFFFF
        if number < 0x10 or not self._rules.keeps_private(tag):
            return None
        if number < 0x100:
            return self._creator(element, tag, dataset)
        creator = _creator_of(dataset, tag)
        vr, value = raw_value(element)
        known_vr = safe_private_vr(creator, tag) if creator else None
        if known_vr is None or known_vr == "SQ" or value is None:
            return None
        if not is_safe_private(creator, tag, known_vr if vr is None else vr):
            return None
        transform = self._values.transform(tag, known_vr, Manner.UNLISTED)
        kept = transform(value) if transform is not None else None
        if kept is None or self._names_somebody(known_vr, kept):
            return None
        return self._encode(tag, known_vr, kept)

    def _creator(self, element: Any, tag: int, dataset: Any) -> bytes | None:
        group, block = tag >> 16, tag & 0xFF
        members = [int(e.tag) for e in dataset.values() if int(e.tag) >> 8 == group << 8 | block]
        name = _creator_of(dataset, group << 16 | block << 8)
        if not any(safe_private_vr(name, member) for member in members):
            return None
        return self._encode(tag, "LO", name.encode("ascii"))

    def _converted(self, element: Any, tag: int) -> bytes | None:
        """An element that the parser, or the treatment of pixels, turned into values."""
        if element.VR == "SQ":
            return self._sequence(tag, element.value)
        vr, value = raw_value(element, self._place.encoding)
        return self._treat(tag, vr, value, None)

    def _treat(self, tag: int, found: str | None, value: bytes, element: Any) -> bytes | None:
        rule = self._rules.rule(tag, found)
        if rule is None:
            return None
        if rule.vr == "SQ":
            return self._sequence(tag, _items(tag, found, value, element, self._place.character_set))
        if not value:
            return self._encode(tag, rule.vr, b"") if tag not in (_NAME, _ID) else self._otherwise(tag, rule, value)
        if element is not None and element.is_little_endian != self._place.encoding.little and rule.vr not in TEXT_VRS:
            return self._otherwise(tag, rule, value)
        kept = rule.transform(value) if rule.transform is not None else None
        if kept is None or self._names_somebody(rule.vr, kept):
            return self._otherwise(tag, rule, value)
        return self._encode(tag, rule.vr, kept)

    def _otherwise(self, tag: int, rule: Rule, value: bytes) -> bytes | None:
        if tag in (_NAME, _ID):
            return self._encode(tag, rule.vr, self._cleaner.patient.new_id.encode("ascii"))
        if rule.otherwise is Action.REMOVE:
            return None
        if rule.otherwise is Action.ZERO:
            return self._encode(tag, rule.vr, b"")
        mapped = self._values.mapped_uids(value) if rule.vr == "UI" else b""
        return self._encode(tag, rule.vr, mapped or dummy(rule.vr))

    def _encode(self, tag: int, vr: str, value: bytes) -> bytes | None:
        try:
            return self._place.encoding.element(tag, vr, value)
        except TooLong:
            return None

    def _names_somebody(self, vr: str, value: bytes) -> bool:
        sweep = self._cleaner.sweep
        return sweep.finds_word(value) or (vr in _NUMBERS_IN and sweep.finds_number(value))

    def _sequence(self, tag: int, items: Any) -> bytes | None:
        rule = self._rules.rule(tag, "SQ")
        if rule is None or rule.vr != "SQ":
            return None
        encoding, place = self._place.encoding, self._place
        if rule.otherwise is Action.ZERO:
            return encoding.sequence(tag, ())
        dummies = place.dummies or rule.otherwise is Action.DUMMY
        inner = replace(place, path=(*place.path, tag), dummies=dummies, public_code=False)
        cleaner = self._cleaner
        return encoding.sequence(tag, (b"".join(e for _, e in cleaner.elements(item, inner)) for item in items))


def _before_pixels(dataset: Any) -> Iterator[Any]:
    """Elements in the order of the file, up to the pixels: what stands behind them is padding, or does not belong."""
    return takewhile(lambda element: element.tag not in PIXEL_TAGS, dataset.values())


def _is_cut(element: Any) -> bool:
    """True if the file ended within a value."""
    return (
        isinstance(element, RawDataElement)
        and element.length != _UNDEFINED
        and len(element.value or b"") != element.length
    )


def _tag(element: Any) -> int:
    return int(element.tag)


def _items(tag: int, found: str | None, value: bytes, element: Any, character_set: CharacterSet) -> Any:
    """Items of a sequence from its bytes; inside UN they are implicit little endian (PS3.5 6.2.2)."""
    unknown = found == "UN"
    implicit = unknown or element is None or element.is_implicit_VR
    little = unknown or element is None or element.is_little_endian
    return convert_SQ(value, implicit, little, character_set.encodings or ["iso8859"])


def _creator_of(dataset: Any, tag: int) -> str:
    """Value of the private creator that reserves the block of a tag; empty if there is none."""
    creator = dataset.get_item((tag >> 16) << 16 | (tag >> 8 & 0xFF))
    if creator is None or creator.VR == "SQ":
        return ""
    value = raw_value(creator)[1].rstrip(b" \0")
    return value.decode("ascii").strip() if value.isascii() else ""
