"""What must be gone and what must have stayed, found in the outputs: for `deidentify_score.py`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Protocol

import numpy as np
from pydicom import Dataset
from pydicom.datadict import keyword_for_tag
from pydicom.encaps import generate_frames
from pydicom.uid import UID_dictionary

from deidentify_plants import STRANGERS, Person


class Tally(Protocol):
    """Where right and wrong actions are counted."""

    def add(self, category: str, correct: bool, what: str = "") -> None:
        """Count one required action."""


Needles = Mapping[bytes, str]
Outputs = Mapping[int, Dataset]

#: Geometry and technique: unchanged under the basic profile wherever the source has a harmless value.
KEPT = (
    "Modality", "ImageType", "Manufacturer", "ManufacturerModelName", "SoftwareVersions", "ConvolutionKernel",
    "BodyPartExamined", "ScanOptions", "KVP", "SliceThickness", "SpacingBetweenSlices", "PatientPosition",
    "ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceLocation", "RescaleSlope",
    "RescaleIntercept", "RescaleType", "WindowCenter", "WindowWidth", "Rows", "Columns", "BitsAllocated",
    "BitsStored", "HighBit", "PixelRepresentation", "SamplesPerPixel", "PhotometricInterpretation",
    "PlanarConfiguration", "NumberOfFrames", "SmallestImagePixelValue", "LargestImagePixelValue",
    "PixelPaddingValue", "LossyImageCompression", "XRayTubeCurrent", "ExposureTime", "Exposure",
    "GantryDetectorTilt", "TableHeight", "RotationDirection", "ReconstructionDiameter", "DataCollectionDiameter",
    "DistanceSourceToDetector", "DistanceSourceToPatient", "FilterType", "FocalSpots", "SpiralPitchFactor",
    "RepetitionTime", "EchoTime", "InversionTime", "FlipAngle", "MagneticFieldStrength", "ScanningSequence",
    "SequenceVariant", "MRAcquisitionType", "SequenceName", "EchoNumbers", "EchoTrainLength", "PercentSampling",
    "PercentPhaseFieldOfView", "PixelBandwidth", "ImagingFrequency", "ImagedNucleus", "NumberOfAverages",
    "InPlanePhaseEncodingDirection", "AcquisitionMatrix", "ReceiveCoilName", "TransmitCoilName", "SAR", "dBdt",
    "SeriesNumber", "InstanceNumber", "AcquisitionNumber", "Laterality", "SOPClassUID", "ConversionType",
    "DoseUnits", "DoseType", "DoseSummationType", "DoseGridScaling", "GridFrameOffsetVector", "SegmentationType",
    "PresentationLUTShape", "ExposureModulationType", "AcquisitionType", "SingleCollimationWidth",
    "TotalCollimationWidth", "TableSpeed", "CTDIvol", "LUTFrameRange", "VolumetricProperties",
    "ComplexImageComponent", "AcquisitionContrast", "PulseSequenceName",
)  # fmt: skip
#: Attributes that every image of a patient must have after de-identification, with a value or empty.
REQUIRED = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID",
    "AccessionNumber", "ReferringPhysicianName", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID",
    "SOPClassUID", "Modality", "InstanceNumber",
)  # fmt: skip
#: Of these, the ones whose values are made of words.
NAMES = frozenset(("Manufacturer", "ManufacturerModelName", "SoftwareVersions", "SequenceName", "ReceiveCoilName"))
SUSPICIOUS = re.compile(r"\d{6}|\d{4}[/.-]\d\d[/.-]\d\d")
#: Made-up ones under the root of the standard are none.
VALID_UID = re.compile(r"(?!1\.2\.840\.10008\.)(0|[1-9]\d*)(\.(0|[1-9]\d*))+")
REFERENCES = ("ReferencedSOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "ReferencedFrameOfReferenceUID")
DATES = ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate", "PatientBirthDate")


def needles_for(people: Iterable[Person], options: tuple[str, ...]) -> dict[bytes, str]:
    """Byte sequences that must not survive under the options: what is retained on purpose is no needle."""
    found: dict[bytes, str] = {}
    for person in people:
        spared: list[str] = []
        if "retain-longitudinal-full-dates" in options:
            spared += [*person.dates(), person.study_time]
        if "retain-longitudinal-modified-dates" in options:
            spared += [person.study_time]
        if "retain-device-identity" in options:
            spared += [person.serial, person.station]
        if "retain-institution" in options:
            spared += [person.institution, person.institution.split()[-1], person.street, person.street.split()[0]]
        if "retain-uids" in options and "retain-longitudinal-full-dates" in options:
            spared += [person.patient_id, "73518264", person.accession]
        for what, needle in person.needles().items():
            if not any(what.startswith(word + " in ") for word in spared):
                found[needle] = what
    if "retain-uids" not in options:
        found[b"1.2.826.0.1.99"] = "planted UID"
    for stranger in STRANGERS:
        found[stranger.lower().encode()] = "stranger"
    return found


def judge_needles(data: bytes, where: str, needles: Needles, score: Tally, dataset: Dataset | None = None) -> None:
    """Look for every needle in the bytes of a file, and in the unpacked text of a data set."""
    lowered = data.lower()
    for needle, what in needles.items():
        gone = needle not in lowered
        score.add(
            "stranger removed" if what == "stranger" else "identifier removed",
            gone,
            "" if gone else f"{what} in {where}{place_of(dataset, needle)}",
        )


def place_of(dataset: Dataset | None, needle: bytes) -> str:
    """Where in a data set a byte sequence is, as keywords; for people who repair."""
    if dataset is None:
        return ""
    found = [path for path, element in walk(dataset) if needle in raw_bytes(element).lower()]
    return f" at {', '.join(found[:3])}" if found else " outside of elements"


def raw_bytes(element: object) -> bytes:
    """A value as bytes: text as UTF-8, and as found where it is bytes."""
    value = getattr(element, "value", None)
    if isinstance(value, bytes):
        return value
    text = str(getattr(value, "original_string", value))
    return text.encode("utf-8", "replace") + text.encode("utf-16-le", "replace")


def walk(dataset: Dataset, path: str = "") -> Iterator[tuple[str, object]]:
    """Every element that is no sequence, with its path."""
    for element in dataset:
        name = path + (keyword_for_tag(element.tag) or str(element.tag))
        if element.VR == "SQ":
            for item in element.value:
                yield from walk(item, name + "/")
        else:
            yield name, element


def harmless_values(dataset: Dataset) -> dict[str, str]:
    """Geometry and technique of an object as text; what looks like a date or a person's number is not harmless."""
    values = {keyword: text_of(dataset, keyword) for keyword in KEPT if keyword in dataset}
    identity = {str(dataset.get(keyword)) for keyword in ("PatientName", "PatientID", "StudyID")}
    return {k: v for k, v in values.items() if k not in NAMES or not (SUSPICIOUS.search(v) or v in identity)}


def judge_kept(
    originals: Outputs,
    outputs: Outputs,
    kinds: Mapping[int, str],
    harmless: Mapping[int, Mapping[str, str]],
    options: tuple[str, ...],
    score: Tally,
) -> None:
    """Facts that must have stayed, identities that must be consistent, dates that must have moved together."""
    judge_uids(originals, outputs, options, score)
    judge_patients(originals, outputs, score)
    for number, output in outputs.items():
        original, kind = originals[number], kinds[number]
        for keyword, value in harmless[number].items():
            same = keyword in output and text_of(output, keyword) == value
            score.add("harmless attribute kept", same, f"{keyword} of {kind}")
        for keyword in REQUIRED:
            if keyword in original:
                score.add("required attribute present", keyword in output, f"{keyword} of {kind}")
        score.add("pixels kept", same_pixels(original, output), kind)
        score.add("patient identity removed is stated", output.get("PatientIdentityRemoved") == "YES", kind)
        score.add("unused bits empty", unused_bits_empty(output), kind)
        judge_numbers(output, kind, score, original)
    judge_dates(originals, outputs, kinds, options, score)


def text_of(dataset: Dataset, keyword: str) -> str:
    """A value as it stands, without padding."""
    value = dataset[keyword].value
    return str(
        [str(part).strip() for part in value] if isinstance(value, (list, tuple)) or hasattr(value, "append") else value
    ).strip()


def same_pixels(original: Dataset, output: Dataset) -> bool:
    """Decoded pixels equal within the bits that are stored; encoded ones equal where they cannot be decoded."""
    if "PixelData" not in original:
        return "PixelData" not in output
    try:
        before, after = original.pixel_array, output.pixel_array
    except Exception:  # noqa: BLE001 - what pydicom cannot decode is compared as it stands
        return scans_of(original) == scans_of(output)
    mask = (1 << int(original.BitsStored)) - 1 if before.dtype.kind == "u" else None
    if mask is None or before.shape != after.shape:
        return bool(np.array_equal(before, after))
    return bool(np.array_equal(before & mask, after & mask))


def unused_bits_empty(output: Dataset) -> bool:
    """Bits above those stored hold nothing, or the sign."""
    if output.get("BitsAllocated") != 16 or "PixelData" not in output or output.PixelRepresentation:
        return True
    if output.file_meta.TransferSyntaxUID.is_compressed:
        return True
    order = "<" if output.file_meta.TransferSyntaxUID.is_little_endian else ">"
    return not (np.frombuffer(output.PixelData, f"{order}u2") >> int(output.BitsStored)).any()


def scans_of(dataset: Dataset) -> list[bytes]:
    """Each JPEG frame from its first scan to its end: comments stand before, and hidden bytes behind."""
    frames = generate_frames(dataset.PixelData, number_of_frames=int(dataset.get("NumberOfFrames") or 1))
    starts = [(frame, frame.find(b"\xff\xda")) for frame in frames]
    return [frame[start : frame.find(b"\xff\xd9", start)] for frame, start in starts]


def judge_numbers(output: Dataset, kind: str, score: Tally, original: Dataset) -> None:
    """No number of an output is a number that identifies the patient."""
    digits = "".join(filter(str.isdigit, str(original.PatientID)))
    numbers = {int(digits)} if str(original.PatientID).isdigit() else set()
    for path, element in walk(output):
        if element.VR in ("UL", "SL", "UV", "SV", "FD", "FL", "IS", "DS") and element.tag != 0x00200013:
            values = (
                element.value
                if isinstance(element.value, (list, tuple)) or hasattr(element.value, "append")
                else [element.value]
            )
            for value in values:
                try:
                    hit = float(value) in numbers
                except (TypeError, ValueError):
                    continue
                if hit:
                    score.add("number removed", False, f"{path} of {kind}")
    score.add("number removed", True)


def judge_uids(originals: Outputs, outputs: Outputs, options: tuple[str, ...], score: Tally) -> None:
    """Every UID changed, the same way everywhere; references to objects of the input still find them."""
    keep = "retain-uids" in options
    mapped: dict[str, str] = {}
    for number, output in outputs.items():
        for keyword in ("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID"):
            if keyword in originals[number] and originals[number].get(keyword):
                old, new = str(originals[number].get(keyword)), str(output.get(keyword))
                score.add("UID consistent", mapped.setdefault(old, new) == new, f"{keyword}")
                if VALID_UID.fullmatch(old):
                    score.add("UID changed" if not keep else "UID kept", (old == new) == keep, keyword)
    for number, output in outputs.items():
        new_references = dict(references(output))
        for path, old in references(originals[number]):
            if path in new_references and old in mapped:
                score.add("reference kept", new_references[path] == mapped[old], path)
            elif old in mapped and "ontentSequence" not in path:
                score.add("reference kept", False, f"{path} missing")


def references(dataset: Dataset) -> Iterator[tuple[str, str]]:
    """UIDs within sequences, by a path with the numbers of the items."""

    def inner(level: Dataset, path: str) -> Iterator[tuple[str, str]]:
        for element in level:
            name = keyword_for_tag(element.tag)
            if element.VR == "SQ" and name:
                for index, item in enumerate(element.value):
                    yield from inner(item, f"{path}{name}[{index}]/")
            elif name in REFERENCES and path and str(element.value) not in UID_dictionary:
                yield path + name, str(element.value)

    return inner(dataset, "")


def judge_patients(originals: Outputs, outputs: Outputs, score: Tally) -> None:
    """One pseudonym for each patient, the same in all objects, another for others."""
    pseudonyms: dict[str, set[str]] = {}
    for number, output in outputs.items():
        pseudonyms.setdefault(str(originals[number].PatientID), set()).add(str(output.PatientID))
        score.add("patient's name replaced", str(output.PatientName) not in ("", str(originals[number].PatientName)))
    for found in pseudonyms.values():
        score.add("patient consistent", len(found) == 1, f"{len(found)} pseudonyms of one patient")
    everyone = [pseudonym for found in pseudonyms.values() for pseudonym in found]
    score.add("patients distinct", len(set(everyone)) == len(everyone))


def judge_dates(
    originals: Outputs, outputs: Outputs, kinds: Mapping[int, str], options: tuple[str, ...], score: Tally
) -> None:
    """Dates gone, kept, or moved by one number of whole days for each patient."""
    modified, full = ("retain-longitudinal-modified-dates" in options, "retain-longitudinal-full-dates" in options)
    shifts: dict[str, set[timedelta]] = {}
    for number, output in outputs.items():
        original = originals[number]
        for keyword in DATES:
            if keyword not in original or not original.get(keyword):
                continue
            old, new = str(original.get(keyword)), str(output.get(keyword) or "")
            if keyword == "PatientBirthDate":
                score.add("birth date removed", new != old, kinds[number])
            elif full:
                score.add("date kept", new == old, f"{keyword} of {kinds[number]}")
            elif modified:
                moved = (
                    datetime.strptime(new, "%Y%m%d") - datetime.strptime(old, "%Y%m%d")
                    if len(new) == 8
                    else timedelta(0)
                )
                score.add("date moved", bool(moved), f"{keyword} of {kinds[number]}")
                shifts.setdefault(str(original.PatientID), set()).add(moved)
            else:
                score.add("date removed", new != old, f"{keyword} of {kinds[number]}")
        if modified or full:
            for keyword in ("StudyTime", "AcquisitionTime"):
                score.add(
                    "time kept", text_of(original, keyword) == str(output.get(keyword)), f"{keyword} of {kinds[number]}"
                )
    for found in shifts.values():
        score.add("dates moved together", len(found) == 1, f"{len(found)} distances")
