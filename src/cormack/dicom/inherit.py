"""What a derived image takes over from its source: the patient and the study as they stand, the scanner's facts."""

from __future__ import annotations

from typing import Any

from pydicom.dataset import Dataset

from cormack.core.errors import DicomError
from cormack.dicom import headers
from cormack.dicom.facts import header_facts
from cormack.dicom.instance import Instance
from cormack.dicom.inventory import SeriesEntry
from cormack.dicom.modules import decimal_string, derived_uid, uid_key

#: Groups that hold nothing but the patient, the patient's study and the clinical trial (PS3.3 C.7.1, C.7.2): copied.
_PATIENT_GROUPS = (0x0010, 0x0012)
#: The rest of the study and the frame of reference, copied; those that must be there are written empty where absent.
_STUDY = (
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
    "StudyDescription",
    "PhysiciansOfRecord",
    "IssuerOfAccessionNumberSequence",
    "FrameOfReferenceUID",
    "PositionReferenceIndicator",
    "TimezoneOffsetFromUTC",
)
_NEVER_ABSENT = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
    "PositionReferenceIndicator",
)
#: How the scanner made the images: what is true of every derived image, then what is true on native slices only. MR
#: images have other elements than CT, and none of the tube's.
_TEXTS = ("PatientPosition", "BodyPartExamined", "ContrastBolusAgent", "AcquisitionDate", "AcquisitionTime")
_NATIVE_NUMBERS = ("SliceThickness", "SliceLocation")
_CT_NUMBERS = ("GantryDetectorTilt", "TableHeight", "ReconstructionDiameter")
_CT_WHOLE = ("XRayTubeCurrent", "ExposureTime", "Exposure")
_CT_TEXTS = ("ConvolutionKernel", "FilterType", "RotationDirection")
#: Enumerated values of an MR image's sequence, and what stands for those that a source does not state (PS3.3 C.8.3.1).
_SEQUENCE = {
    "ScanningSequence": (("SE", "IR", "GR", "EP", "RM"), "RM"),
    "SequenceVariant": (("SK", "MTC", "SS", "TRSS", "SP", "MP", "OSP", "NONE"), "NONE"),
}
_LOSSY = ("LossyImageCompressionRatio", "LossyImageCompressionMethod")


def source_header(source: SeriesEntry, instance: Instance) -> Any:
    """The header of a source instance, read again in full.

    Raises
    ------
    DicomError
        If it cannot be read, or is no longer what the inventory saw.
    """
    try:
        dataset, _ = headers.parse_item(source.source, source.source.items[instance.item], None)
    except headers.NotDicom:
        dataset = Dataset()
    if (headers.text(dataset, "SOPInstanceUID", 128) or "") != instance.sop_uid:
        raise DicomError("the files of the source changed while they were read; run again")
    return dataset


def patient_and_study(header: Any, source: SeriesEntry) -> Dataset:
    """Patient, study and frame of reference of the source, as they stand there; empty only what may be empty."""
    patient = Dataset()
    copy_element(header, patient, "SpecificCharacterSet")
    for tag in list(header.keys()):
        if tag.group in _PATIENT_GROUPS:
            copy_element(header, patient, tag)
    for keyword in _STUDY:
        copy_element(header, patient, keyword)
    patient.remove_private_tags()  # within sequences
    for keyword in _NEVER_ABSENT:
        if keyword not in patient:
            setattr(patient, keyword, "")
    methods = ("DeidentificationMethod", "DeidentificationMethodCodeSequence")
    if patient.get("PatientIdentityRemoved") == "YES" and not any(keyword in patient for keyword in methods):
        patient.DeidentificationMethod = "not stated by the source"
    # Images without these cannot be told to belong together: the same new names for all that derives from a series.
    key = uid_key(f"source/{source.first.study_uid}/{source.first.series_uid}")
    for keyword in ("StudyInstanceUID", "FrameOfReferenceUID"):
        if not patient.get(keyword):
            setattr(patient, keyword, derived_uid(key, keyword))
    return patient


def copy_element(header: Any, to: Dataset, element: Any) -> None:
    """Copy one element as it is; what is empty or cannot be understood is left out."""
    try:
        if element in header and not header[element].is_empty:
            to.add(header[element])
    except headers.BACKEND_ERRORS:
        return


def add_facts(dataset: Dataset, header: Any, modality: str, *, native: bool) -> None:
    """CT or MR image module (PS3.3 C.8.2.1, C.8.3.1) as far as it is still true of a derived image."""
    facts = header_facts(header)
    _add_common(dataset, header, native=native)
    if modality == "MR":
        _add_mr(dataset, header, facts)
    else:
        _add_ct(dataset, header, facts, native=native)
    # Letters burned into the source, or what lossy compression did to it, are in what derives from it, too.
    dataset.BurnedInAnnotation = "YES" if headers.text(header, "BurnedInAnnotation") == "YES" else "NO"
    dataset.LossyImageCompression = "01" if facts["lossy_compressed"] else "00"
    for keyword in _LOSSY if facts["lossy_compressed"] else ():
        copy_element(header, dataset, keyword)


def _add_common(dataset: Dataset, header: Any, *, native: bool) -> None:
    _add_numbers(dataset, header, _NATIVE_NUMBERS if native else ())
    _add_texts(dataset, header, _TEXTS)
    if native:
        _add_whole(dataset, header, ("AcquisitionNumber",))
    for keyword in ("AcquisitionNumber", "SliceThickness", "PatientPosition"):
        if keyword not in dataset:
            setattr(dataset, keyword, None if keyword != "PatientPosition" else "")
    if "BodyPartExamined" not in dataset:
        dataset.Laterality = ""  # type 2C: absent only where the body part is known not to be one of a pair


def _add_ct(dataset: Dataset, header: Any, facts: dict[str, Any], *, native: bool) -> None:
    dataset.KVP = decimal_string(facts["kvp"])
    if native:
        _add_numbers(dataset, header, _CT_NUMBERS)
        _add_texts(dataset, header, _CT_TEXTS)
        _add_whole(dataset, header, _CT_WHOLE)


def _add_mr(dataset: Dataset, header: Any, facts: dict[str, Any]) -> None:
    for keyword, (known, unknown) in _SEQUENCE.items():
        stated = [value for value in headers.texts(header, keyword) if value in known]
        setattr(dataset, keyword, stated or unknown)
    kind = headers.text(header, "MRAcquisitionType")
    dataset.MRAcquisitionType = kind if kind in ("2D", "3D") else ""
    dataset.ScanOptions, dataset.EchoTrainLength = "", None
    _add_whole(dataset, header, ("EchoTrainLength",))
    for keyword, fact in (("RepetitionTime", "repetition_time_ms"), ("EchoTime", "echo_time_ms")):
        setattr(dataset, keyword, decimal_string(facts[fact]))
    if facts["inversion_time_ms"] is not None or "IR" in dataset.ScanningSequence:
        dataset.InversionTime = decimal_string(facts["inversion_time_ms"])
    for keyword, fact in (("FlipAngle", "flip_angle_deg"), ("MagneticFieldStrength", "magnetic_field_strength_t")):
        if facts[fact] is not None:
            setattr(dataset, keyword, decimal_string(facts[fact]))


def _add_numbers(dataset: Dataset, header: Any, keywords: tuple[str, ...]) -> None:
    for keyword in keywords:
        if (number := headers.number(header, keyword)) is not None:
            setattr(dataset, keyword, decimal_string(number))


def _add_texts(dataset: Dataset, header: Any, keywords: tuple[str, ...]) -> None:
    for keyword in keywords:
        text = headers.text(header, keyword, 64 if keyword == "ContrastBolusAgent" else 16)
        if text is not None and text.isascii():
            setattr(dataset, keyword, text.split("\\")[0])


def _add_whole(dataset: Dataset, header: Any, keywords: tuple[str, ...]) -> None:
    for keyword in keywords:
        if (whole := headers.integer(header, keyword)) is not None and abs(whole) < 2**31:
            setattr(dataset, keyword, whole)
