"""The pixel element of an object, as parts to be written."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from pydicom.dataelem import RawDataElement
from pydicom.uid import UID

from cormack.dicom.deidentify.dictionary import agreed_vr, stated_vrs
from cormack.dicom.deidentify.encoding import Encoding, raw_value
from cormack.dicom.deidentify.reasons import Reason, Refusal

PIXEL_TAGS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_UNDEFINED = 0xFFFFFFFF


def pixel_parts(dataset: Any, encoding: Encoding, transfer_syntax: str) -> tuple[bytes, ...]:
    """The encoded pixel element in parts, empty if there is none; a large value is never copied.

    Raises
    ------
    Refusal
        If it is cut short, or does not agree with the transfer syntax.
    """
    found = [dataset.get_item(tag) for tag in sorted(PIXEL_TAGS) if tag in dataset]
    if len(found) > 1:
        raise Refusal(Reason.DAMAGED, "more than one kind of pixel data")
    return _parts(found[0], encoding, transfer_syntax) if found else ()


def _parts(element: Any, encoding: Encoding, transfer_syntax: str) -> tuple[bytes, ...]:
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
