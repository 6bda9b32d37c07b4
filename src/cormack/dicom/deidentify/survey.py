"""The first pass: from headers alone, what each file is, whose it is, and what identifies that patient."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cormack.core.errors import DicomError
from cormack.dicom import headers
from cormack.dicom.deidentify.character_set import CharacterSet, character_set_of
from cormack.dicom.deidentify.dictionary import tag_of
from cormack.dicom.deidentify.encoding import raw_value
from cormack.dicom.deidentify.identifiers import IdentifierFinder, Identifiers
from cormack.dicom.deidentify.options import Options
from cormack.dicom.deidentify.project_key import patient_identity
from cormack.dicom.deidentify.reasons import Reason
from cormack.dicom.deidentify.values import cut_at_nul
from cormack.dicom.source import Source

DICOMDIR_CLASS = "1.2.840.10008.1.3.10"
_IDENTITY = ("PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate", "StudyInstanceUID")


@dataclass(frozen=True, slots=True)
class Surveyed:
    """What is known of one file.

    Parameters
    ----------
    index : int
        Number of the file in its source.
    identity : str
        Canonical text of the patient; empty if the file has no place in the output.
    instance : bytes
        Digest of the SOP Instance UID.
    reason : Reason or None
        Why it has no place.
    """

    index: int
    identity: str = ""
    instance: bytes = b""
    reason: Reason | None = None

    def __repr__(self) -> str:
        return f"<Surveyed {self.index}>"


@dataclass(frozen=True)
class PatientFacts:
    """What the headers say of one patient, as stored, and all identifying values; never to be shown."""

    patient_id: str = ""
    issuer: str = ""
    name: str = ""
    birth_date: str = ""
    identifiers: Identifiers = field(default_factory=Identifiers)

    def __repr__(self) -> str:
        return "<PatientFacts>"

    def __or__(self, other: PatientFacts) -> PatientFacts:
        return PatientFacts(
            self.patient_id or other.patient_id,
            self.issuer or other.issuer,
            self.name or other.name,
            self.birth_date or other.birth_date,
            self.identifiers | other.identifiers,
        )


def survey(
    source: Source, indices: Iterable[int], options: Options
) -> tuple[list[Surveyed], Mapping[str, PatientFacts]]:
    """Read the headers of some files of a source.

    Returns
    -------
    files : list of Surveyed
    patients : mapping of str to PatientFacts
        By identity.
    """
    finder = IdentifierFinder(options)
    files: list[Surveyed] = []
    patients: dict[str, PatientFacts] = {}
    with headers.quiet():
        for index in indices:
            surveyed, facts = _survey_file(source, index, finder)
            files.append(surveyed)
            if facts is not None:
                known = patients.get(surveyed.identity)
                patients[surveyed.identity] = facts if known is None else known | facts
    return files, patients


def _survey_file(source: Source, index: int, finder: IdentifierFinder) -> tuple[Surveyed, PatientFacts | None]:
    try:
        dataset, _ = headers.parse_item(source, source.items[index], None)
        sop_class, sop_instance = sop_uids(dataset)
        if sop_class == DICOMDIR_CLASS:
            return Surveyed(index, reason=Reason.DICOMDIR), None
        if not sop_class and not sop_instance and headers.value(dataset, "Rows") is None:
            return Surveyed(index, reason=Reason.NOT_DICOM), None
        if not (sop_class and sop_instance):
            return Surveyed(index, reason=Reason.NO_IDENTITY), None
        patient_id, issuer, name, birth_date, study = (text_of(dataset, keyword) for keyword in _IDENTITY)
        facts = PatientFacts(patient_id, issuer, name, birth_date, finder.find(dataset))
        identity = patient_identity(patient_id, name, birth_date, study)
    except headers.NotDicom:
        return Surveyed(index, reason=Reason.NOT_DICOM), None
    except (DicomError, *headers.BACKEND_ERRORS):
        return Surveyed(index, reason=Reason.DAMAGED), None
    return Surveyed(index, identity, uid_digest(sop_instance)), facts


def identity_of(dataset: Any) -> str:
    """The canonical text of the patient of an object."""
    patient_id, _, name, birth_date, study = (text_of(dataset, keyword) for keyword in _IDENTITY)
    return patient_identity(patient_id, name, birth_date, study)


def sop_uids(dataset: Any) -> tuple[str, str]:
    """SOP Class and SOP Instance UID as the data set states them, else as the file meta information does."""
    meta = getattr(dataset, "file_meta", None)
    sop_class, instance = text_of(dataset, "SOPClassUID"), text_of(dataset, "SOPInstanceUID")
    if meta is not None:
        sop_class = sop_class or text_of(meta, "MediaStorageSOPClassUID")
        instance = instance or text_of(meta, "MediaStorageSOPInstanceUID")
    return sop_class, instance


def uid_digest(uid: str) -> bytes:
    """Sixteen bytes that tell UIDs apart."""
    return hashlib.sha256(uid.encode("utf-8", "surrogatepass")).digest()[:16]


def text_of(dataset: Any, keyword: str) -> str:
    """Text of an attribute as stored, cut at the first NUL; the data set stays as it was read."""
    element = dataset.get_item(tag_of(keyword))
    if element is None or element.VR == "SQ":
        return ""
    return character_set_of(dataset, CharacterSet()).decode(cut_at_nul(raw_value(element)[1])).strip()
