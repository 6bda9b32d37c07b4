"""Values of a header that identify a person, an order or a place, to be looked for everywhere else in the objects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.values import convert_SQ

from cormack.dicom.deidentify.actions import Action, resolver_for
from cormack.dicom.deidentify.character_set import CharacterSet, character_set_of
from cormack.dicom.deidentify.dictionary import stated_vrs
from cormack.dicom.deidentify.encoding import raw_value
from cormack.dicom.deidentify.options import Options
from cormack.dicom.deidentify.values import cut_at_nul
from cormack.dicom.headers import BACKEND_ERRORS

#: Of persons and orders, besides every person's name (VR PN). What an option keeps is not looked for.
IDENTIFYING = (
    "AccessionNumber", "AdmissionID", "CountryOfResidence", "DetectorID", "DeviceSerialNumber",
    "FillerOrderNumberImagingServiceRequest", "GantryID", "InsurancePlanIdentification", "IssuerOfPatientID",
    "MedicalRecordLocator", "MilitaryRank", "OrderCallbackPhoneNumber", "OrderEnteredBy", "OtherPatientIDs",
    "PatientAddress", "PatientBirthDate", "PatientID", "PatientMotherBirthName", "PatientTelecomInformation",
    "PatientTelephoneNumbers", "PerformedProcedureStepID", "PersonAddress", "PersonTelephoneNumbers",
    "PlacerOrderNumberImagingServiceRequest", "PlateID", "ReferringPhysicianAddress",
    "ReferringPhysicianTelephoneNumbers", "RegionOfResidence", "RequestedProcedureID", "ScheduledProcedureStepID",
    "ServiceEpisodeID", "StudyID",
)  # fmt: skip
#: Of places, whose names are made of common words, too.
PLACES = (
    "CurrentPatientLocation", "InstitutionAddress", "InstitutionName", "InstitutionalDepartmentName", "Occupation",
    "OrderEntererLocation", "PatientInstitutionResidence", "PerformedLocation", "PerformedStationName",
    "RequestedProcedureLocation", "RequestingService", "ResponsibleOrganization", "ScheduledProcedureStepLocation",
    "ScheduledStationName", "StationName",
)  # fmt: skip
#: What this looks into; deeper sequences are refused later.
_MAX_DEPTH = 64


#: Whether it is of a place, and the text.
_Found = tuple[bool, str]


@dataclass(frozen=True)
class Identifiers:
    """Identifying values of persons and orders, and of places; never to be shown."""

    persons: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()

    def __repr__(self) -> str:
        return "<Identifiers>"

    def __or__(self, other: Identifiers) -> Identifiers:
        return Identifiers(self.persons | other.persons, self.places | other.places)


class IdentifierFinder:
    """Finds identifying values in data sets; sequences that come again are looked through once.

    Parameters
    ----------
    options : Options
        What these keep is no identifier.
    """

    def __init__(self, options: Options) -> None:
        self._options = options
        self._seen: dict[tuple[int, bytes], frozenset[_Found]] = {}

    def find(self, dataset: Any) -> Identifiers:
        """All identifying values of a data set, at any depth: those of persons and orders, and those of places."""
        found = frozenset(self._walk(dataset, CharacterSet(), 0))
        return Identifiers(
            frozenset(text for is_place, text in found if not is_place),
            frozenset(text for is_place, text in found if is_place),
        )

    def _walk(self, dataset: Any, outer: CharacterSet, depth: int) -> Iterator[_Found]:
        own = character_set_of(dataset, outer)
        persons, places = _tags(IDENTIFYING, self._options), _tags(PLACES, self._options)
        for element in dataset.values():
            tag = int(element.tag)
            vr = _vr(tag, element.VR)
            if vr == "SQ" and depth < _MAX_DEPTH:
                yield from self._sequence(tag, element, own, depth)
            elif tag in places:
                yield from ((True, text) for text in _texts(raw_value(element)[1], own))
            elif vr == "PN" or tag in persons:
                yield from ((False, text) for text in _texts(raw_value(element)[1], own))

    def _sequence(self, tag: int, element: Any, character_set: CharacterSet, depth: int) -> Iterator[_Found]:
        if not isinstance(element, RawDataElement):
            for item in element.value:
                yield from self._walk(item, character_set, depth + 1)
            return
        value = element.value or b""
        key = (tag, value)
        if key not in self._seen:
            if len(self._seen) > 1000:
                self._seen.clear()
            self._seen[key] = frozenset(self._items(element, value, character_set, depth))
        yield from self._seen[key]

    def _items(self, element: Any, value: bytes, character_set: CharacterSet, depth: int) -> Iterator[_Found]:
        unknown = element.VR == "UN"
        try:
            items = convert_SQ(
                value,
                unknown or element.is_implicit_VR,
                unknown or element.is_little_endian,
                character_set.encodings or ["iso8859"],
            )
        except BACKEND_ERRORS:
            return  # the object is refused when it is cleaned
        for item in items:
            yield from self._walk(item, character_set, depth + 1)


@cache
def _tags(keywords: tuple[str, ...], options: Options) -> frozenset[int]:
    # The basic profile lists them all; the SOP class matters only for what takes the place of a value.
    resolver = resolver_for(options, "")
    tags = (tag_for_keyword(keyword) for keyword in keywords)
    return frozenset(tag for tag in tags if tag is not None and resolver.action(tag) is not Action.KEEP)


@cache
def _vr(tag: int, found: str | None) -> str | None:
    """The VR that decides whether an element is looked at; private ones have none."""
    if tag >> 16 & 1:
        return None
    return found if found not in (None, "UN") else next(iter(stated_vrs(tag)), None)


def _texts(value: bytes, character_set: CharacterSet) -> Iterator[str]:
    for text in character_set.decode(cut_at_nul(value)).split("\\"):
        if stripped := text.strip():
            yield stripped
