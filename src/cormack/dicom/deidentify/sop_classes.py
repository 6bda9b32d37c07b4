"""What a storage SOP class is to de-identification, and which attributes its IOD requires where."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from types import MappingProxyType

from cormack.dicom.deidentify.dictionary import tag_of
from cormack.dicom.deidentify.tables import rows_of

#: Tags of the enclosing sequences, outermost first.
Path = tuple[int, ...]


class SopKind(StrEnum):
    """Kinds of objects that de-identification treats differently."""

    IMAGE = "image"
    SEGMENTATION = "segmentation"
    RT = "rt"
    STRUCTURED_REPORT = "structured-report"
    ENCAPSULATED = "encapsulated"
    PRESENTATION_STATE = "presentation-state"
    WAVEFORM = "waveform"
    OTHER_KNOWN = "other-known"
    UNKNOWN = "unknown"


def sop_kind(sop_class_uid: str) -> SopKind:
    """Tell the kind of a storage SOP class; private and non-patient classes are ``unknown``."""
    row = _sop_classes().get(sop_class_uid)
    return SopKind.UNKNOWN if row is None else SopKind(row["kind"])


def sop_class_name(sop_class_uid: str) -> str:
    """Give the name of a SOP class, and no UID of one that is not known."""
    row = _sop_classes().get(sop_class_uid)
    return "unknown SOP class" if row is None else row["name"]


@cache
def required_attributes(sop_class_uid: str) -> Mapping[tuple[Path, int], str] | None:
    """Give the types 1, 1C, 2 and 2C of the attributes that table E.1-1 treats by type, in the IOD of a SOP class.

    Only attributes whose action depends on their type are listed. Where several modules of the IOD state one attribute,
    the strictest type counts (PS3.3 5.4). Sequences that contain themselves are listed once: see `outer_path`.

    Returns
    -------
    Mapping or None
        From path and tag to type; None where the IOD is not known.

    """
    row = _sop_classes().get(sop_class_uid)
    if row is None or not row["modules"]:
        return None
    types: dict[tuple[Path, int], str] = {}
    for module in row["modules"].split():
        for place, stated in _module_types().get(module, {}).items():
            types[place] = min(stated, types.get(place, stated))
    return MappingProxyType(types)


def outer_path(path: Path) -> Path:
    """Drop repetitions of a sequence within itself, as of Content Sequence in Content Sequence."""
    return tuple(tag for index, tag in enumerate(path) if index == 0 or tag != path[index - 1])


@cache
def _sop_classes() -> Mapping[str, dict[str, str]]:
    return {row["sop_class_uid"]: row for row in rows_of("sop_classes.tsv")}


@cache
def _module_types() -> Mapping[str, Mapping[tuple[Path, int], str]]:
    modules: dict[str, dict[tuple[Path, int], str]] = {}
    for row in rows_of("attribute_types.tsv"):
        path = outer_path(tuple(tag_of(keyword) for keyword in row["path"].split()))
        place = (path, tag_of(row["attribute"]))
        stated = modules.setdefault(row["module"], {})
        stated[place] = min(row["type"], stated.get(place, row["type"]))
    return modules
