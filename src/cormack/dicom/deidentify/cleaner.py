"""The data set of one object, cleaned: every attribute is kept, changed or dropped by its rule, at any depth.

The way of an attribute: table E.1-1 under the options gives its action (`actions`); attributes that the table does not
list stay only if they are understood, which means that the standard has the tag, the VR agrees with it and the value is
what the VR says (`values`). What is not understood is emptied, or dropped where no empty value is possible. Rules are
made once per place and kind of object, and results once per value, since the slices of a series repeat most of theirs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from pydicom.dataelem import RawDataElement
from pydicom.uid import UID
from pydicom.values import convert_SQ

from cormack.dicom.deidentify.actions import Action, Resolver, resolver_for
from cormack.dicom.deidentify.character_set import CHARACTER_SET, CharacterSet, character_set_of
from cormack.dicom.deidentify.dictionary import agreed_vr, stated_vrs
from cormack.dicom.deidentify.encoding import Encoding, TooLong, raw_value
from cormack.dicom.deidentify.options import Option, Options
from cormack.dicom.deidentify.project_key import ProjectKey
from cormack.dicom.deidentify.reasons import Reason, Refusal
from cormack.dicom.deidentify.safe_private import is_safe_private, safe_private_vr
from cormack.dicom.deidentify.sweep import Sweep
from cormack.dicom.deidentify.values import TEXT_VRS, Manner, Patient, Transform, ValueCleaner, dummy

#: Sequences nested deeper are not believed.
MAX_DEPTH = 64
_NAME, _ID = 0x00100010, 0x00100020
#: Not in table E.1-1, and of no use or no truth in the output: length to end, encrypted originals.
_NEVER_KEPT = frozenset({0x00080001, 0x04000500})
#: Binary data whose meaning is understood, at the top of a data set or in sequences: look-up tables and waveforms.
_BULK = frozenset(
    {0x00283006, 0x00281201, 0x00281202, 0x00281203, 0x00281204, 0x00281221, 0x00281222, 0x00281223, 0x54001010,
     0x5400100A, 0x54000110, 0x54000112, 0x56000020, 0x7FE00001, 0x7FE00002}
)  # fmt: skip
PIXEL_TAGS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_UNDEFINED = 0xFFFFFFFF
#: Longer values are not remembered, and no more than so many: they seldom come again.
_LONGEST_REMEMBERED, _MOST_REMEMBERED = 16 * 2**10, 4000
#: VRs in whose values a known number is no chance.
_NUMBERS_IN = TEXT_VRS - {"DA", "DS", "DT", "IS", "TM", "UI"}
_UNSEEN = object()


@dataclass(frozen=True)
class CleanedAttributes:
    """Attributes of an object without identity, encoded.

    Parameters
    ----------
    header : tuple of (int, bytes)
        Tag and encoded element, in the order of the tags.
    pixels : tuple of bytes
        The encoded pixel element in parts, empty if there is none.
    """

    header: tuple[tuple[int, bytes], ...]
    pixels: tuple[bytes, ...]


@dataclass(frozen=True)
class _Rule:
    """How one attribute is treated at one place; `otherwise` holds if its value may not stay."""

    vr: str
    transform: Transform | None
    otherwise: Action


@dataclass(frozen=True)
class _Place:
    """Where attributes stand: in what kind of object, in which sequences, under which character set."""

    sop_class: str
    encoding: Encoding
    character_set: CharacterSet
    path: tuple[int, ...] = ()
    #: Within a sequence that stays for its validity alone.
    dummies: bool = False


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
        self._levels: dict[_Place, _Level] = {}

    def clean(self, dataset: Any, sop_class: str, transfer_syntax: str) -> CleanedAttributes:
        """Clean a data set as it was read, its elements still raw.

        Parameters
        ----------
        dataset : pydicom Dataset
        sop_class, transfer_syntax : str
            UIDs; the transfer syntax is that of the pixel data to be written.

        Raises
        ------
        Refusal
            If the data set is cut short, damaged or nested too deep.
        """
        place = _Place(sop_class, Encoding.of(transfer_syntax), CharacterSet())
        header = tuple(self.attributes(dataset, place))
        pixels = [e for e in dataset.values() if int(e.tag) in PIXEL_TAGS]
        if len(pixels) > 1:
            raise Refusal(Reason.DAMAGED, "more than one kind of pixel data")
        return CleanedAttributes(header, _pixel_parts(pixels[0], place.encoding, transfer_syntax) if pixels else ())

    def attributes(self, dataset: Any, place: _Place) -> Iterator[tuple[int, bytes]]:
        """Tag and encoded element of what stays of a data set, in the order of the tags."""
        own = character_set_of(dataset, place.character_set)
        if own is not place.character_set:
            place = replace(place, character_set=own)
        level = self.level(place)
        for element in sorted(dataset.values(), key=_tag):
            tag = int(element.tag)
            if tag in PIXEL_TAGS:
                continue
            encoded = level.private(element, tag, dataset) if tag >> 16 & 1 else level.element(element, tag)
            if encoded is not None:
                yield tag, encoded

    def level(self, place: _Place) -> _Level:
        """The rules of one place, made when they are first asked for."""
        level = self._levels.get(place)
        if level is None:
            if len(place.path) > MAX_DEPTH:
                raise Refusal(Reason.TOO_DEEP)
            level = self._levels[place] = _Level(self, place)
        return level


class _Level:
    """Rules and remembered results of one place."""

    def __init__(self, cleaner: Cleaner, place: _Place) -> None:
        self._cleaner, self._place = cleaner, place
        self._resolver: Resolver = resolver_for(cleaner.options, place.sop_class)
        self._basic: Resolver = resolver_for(Options(), place.sop_class)
        self._values = ValueCleaner(cleaner.patient, cleaner.key, cleaner.options, place.character_set)
        self._rules: dict[tuple[int, str | None], _Rule | None] = {}
        self._done: dict[tuple[int, str | None, bytes], Any] = {}

    def element(self, element: Any, tag: int) -> bytes | None:
        """The encoded element, None if nothing of it stays."""
        if not isinstance(element, RawDataElement):
            return self._converted(element, tag)
        value = element.value or b""
        if len(value) != element.length and element.length != _UNDEFINED:
            raise Refusal(Reason.TRUNCATED)
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
        if Option.RETAIN_SAFE_PRIVATE not in self._cleaner.options or self._place.dummies:
            return None
        if self._resolver.action(tag, self._place.path) not in (Action.CLEAN, Action.KEEP):
            return None
        number = tag & 0xFFFF
        if number < 0x10:
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
        rule = self._rule(tag, found)
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

    def _otherwise(self, tag: int, rule: _Rule, value: bytes) -> bytes | None:
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
        rule = self._rule(tag, "SQ")
        if rule is None or rule.vr != "SQ":
            return None
        encoding, place = self._place.encoding, self._place
        if rule.otherwise is Action.ZERO:
            return encoding.sequence(tag, ())
        inner = _Place(
            place.sop_class,
            encoding,
            place.character_set,
            (*place.path, tag),
            place.dummies or rule.otherwise is Action.DUMMY,
        )
        cleaner = self._cleaner
        return encoding.sequence(tag, (b"".join(e for _, e in cleaner.attributes(item, inner)) for item in items))

    def _rule(self, tag: int, found: str | None) -> _Rule | None:
        key = (tag, found)
        if key not in self._rules:
            self._rules[key] = self._make_rule(tag, found)
        return self._rules[key]

    def _make_rule(self, tag: int, found: str | None) -> _Rule | None:
        group = tag >> 16
        if group < 8 or not tag & 0xFFFF or tag in _NEVER_KEPT or group >> 8 == 0x60 or not stated_vrs(tag):
            # A picture in an overlay may show anything, and its other attributes mean nothing without it.
            return None
        action = self._resolver.action(tag, self._place.path)
        if action is Action.REMOVE:
            return None
        vr = agreed_vr(tag, found)
        if "SQ" in stated_vrs(tag):
            return _Rule("SQ", None, action or Action.KEEP) if vr == "SQ" else None
        if tag == CHARACTER_SET:
            return _Rule("CS", self._character_set, Action.REMOVE)
        if action is Action.UID:
            return _Rule(vr or "UI", self._values.mapped_uids, Action.REMOVE)
        if action in (Action.ZERO, Action.DUMMY):
            return _Rule(vr or stated_vrs(tag)[0], None, action)
        return self._keeping(tag, vr, action)

    def _keeping(self, tag: int, vr: str | None, action: Action | None) -> _Rule | None:
        """The rule of an attribute whose value may stay; what the basic profile says of it holds if it may not."""
        if tag in _BULK:
            return None if vr is None else _Rule(vr, lambda value: value, Action.REMOVE)
        basic = self._basic.action(tag, self._place.path)
        otherwise = Action.ZERO if basic is None or basic is Action.KEEP else basic
        if action is None and self._place.dummies and vr not in ("CS", "UI"):
            return _Rule(vr or stated_vrs(tag)[0], None, Action.DUMMY)
        if vr is None:
            return None if otherwise is Action.REMOVE else _Rule(stated_vrs(tag)[0], None, otherwise)
        manner = {Action.KEEP: Manner.KEEP, Action.CLEAN: Manner.CLEAN, None: Manner.UNLISTED}[action]
        transform = self._values.transform(tag, vr, manner)
        if transform is None and otherwise is Action.ZERO and vr not in TEXT_VRS:
            return None
        return _Rule(vr, transform, otherwise)

    def _character_set(self, value: bytes) -> bytes | None:
        return value if self._place.character_set.terms else None


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


def _pixel_parts(element: Any, encoding: Encoding, transfer_syntax: str) -> tuple[bytes, ...]:
    """The pixel element as parts to write one after the other: a large value is never copied."""
    vr, value = raw_value(element)
    tag, syntax = int(element.tag), _syntax(transfer_syntax)
    raw = isinstance(element, RawDataElement)
    undefined = element.length == _UNDEFINED if raw else bool(element.is_undefined_length)
    if raw and not undefined and len(value) != element.length:
        raise Refusal(Reason.TRUNCATED)
    if undefined != syntax.is_encapsulated:
        raise Refusal(Reason.DAMAGED, "pixel data and transfer syntax disagree")
    if undefined:
        return encoding.encapsulated(tag, "OB", value)
    head = encoding.element(tag, _pixel_vr(tag, vr), b"")[:-4]
    length = len(value) + (len(value) & 1)
    return (head + length.to_bytes(4, "little" if encoding.little else "big"), value, b"\0" * (len(value) & 1))


def _pixel_vr(tag: int, found: str | None) -> str:
    return agreed_vr(tag, found) or stated_vrs(tag)[0]


@lru_cache(maxsize=64)
def _syntax(uid: str) -> UID:
    return UID(uid)
