"""What was done to the attributes of an object, counted by kind of action and class of attribute; no values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydicom.datadict import dictionary_VR
from pydicom.dataelem import RawDataElement

from cormack.dicom.deidentify.encoding import LONG_VRS, Encoding
from cormack.dicom.deidentify.options import Option, Options
from cormack.dicom.deidentify.vrs import dummy

#: Kind of action and class of attribute, in words for a report.
Actions = Counter[tuple[str, str]]

_TEXTS = frozenset({"SH", "LO", "ST", "LT", "UT", "UC"})
_TIMES = frozenset({"DA", "DT", "TM"})
_PADDING = b" \0"
#: PatientName and PatientID, which become the pseudonym.
_RENAMED = frozenset({0x00100010, 0x00100020})


def actions_of(dataset: Any, cleaned: Mapping[int, bytes], encoding: Encoding, options: Options) -> Actions:
    """Compare the attributes of an object with what became of them.

    Only the top of the data set is compared: a sequence counts once, as removed, emptied, or kept with cleaned items.

    Parameters
    ----------
    dataset : pydicom Dataset
        Its elements may still be raw.
    cleaned : mapping of int to bytes
        Encoded elements by tag.
    encoding : Encoding
        How they are encoded.
    options : Options
    """
    shifted = Option.RETAIN_LONGITUDINAL_MODIFIED_DATES in options
    counts: Actions = Counter()
    for element in dataset.values():
        tag = int(element.tag)
        if tag >> 16 == 0x7FE0:
            continue
        vr = _vr(tag, element.VR)
        encoded = cleaned.get(tag)
        if encoded is None:
            kind = "removed"
        elif tag >> 16 & 1:
            kind = "private kept"
        else:
            head = 12 if vr in LONG_VRS and not encoding.implicit else 8
            value = element.value if isinstance(element, RawDataElement) else None
            kind = _kind(vr, value, encoded[head:], shifted)
            if kind and tag in _RENAMED:
                kind = "replaced"
        if kind:
            counts[kind, _class(tag, vr)] += 1
    return counts


def _kind(vr: str, value: Any, cleaned: bytes, shifted: bool) -> str:
    """What was done to a public attribute that is there still; empty if it was kept, or was empty before."""
    if not isinstance(value, bytes) or vr == "SQ":
        return "emptied" if value and not cleaned else ""
    before, after = value.rstrip(_PADDING), cleaned.rstrip(_PADDING)
    if before == after or not before:
        return ""
    if not after:
        return "emptied"
    if vr == "UI":
        return "UIDs mapped"
    if after == dummy(vr):
        return "replaced"
    if vr in _TIMES and shifted:
        return "dates shifted"
    return "texts cleaned" if vr in _TEXTS else "replaced"


@cache
def _vr(tag: int, found: str | None) -> str:
    if found and found != "UN":
        return found
    try:
        return str(dictionary_VR(tag))
    except KeyError:
        return "UN"


@cache
def _class(tag: int, vr: str) -> str:
    """The class of an attribute: whose it is, or what it holds."""
    group = tag >> 16
    if group & 1:
        return "private"
    if group == 0x0010 or vr == "PN":
        return "people"
    if group >> 8 in (0x50, 0x60):
        return "curves and overlays"
    if vr in _TIMES:
        return "dates and times"
    named = {"UI": "UIDs", "SQ": "sequences"}
    return named.get(vr, "texts" if vr in _TEXTS else "numbers, codes and others")
