"""What the reader keeps of one image: the facts that grouping, selection and geometry need, and nothing of a person."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cormack.dicom import headers
from cormack.dicom.described import described_contrast, mr_component
from cormack.dicom.multiframe import frame_facts, group_item

#: Larger images are not believed (a CT has 512 to 2,048 rows).
MAX_ROWS_COLUMNS = 16_384
MAX_FRAME_PIXELS = 2**26
MAX_FRAMES = 65_536
#: Voxels of one file; 2**31 of them are 4 GiB.
MAX_FILE_VOXELS = 2**31

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
DICOMDIR = "1.2.840.10008.1.3.10"

#: SOP classes of CT and MR images; those of enhanced and legacy converted ones continue with a dot.
CT_MR_CLASSES = {"CT": "1.2.840.10008.5.1.4.1.1.2", "MR": "1.2.840.10008.5.1.4.1.1.4"}

#: Native (not encapsulated) transfer syntaxes: their pixel data has a size that the header states.
NATIVE = {
    "1.2.840.10008.1.2": "Implicit VR Little Endian",
    "1.2.840.10008.1.2.1": "Explicit VR Little Endian",
    "1.2.840.10008.1.2.1.99": "Deflated Explicit VR Little Endian",
    "1.2.840.10008.1.2.2": "Explicit VR Big Endian",
}

_KEYWORDS = {
    "SOPClassUID": 0x00080016,
    "SOPInstanceUID": 0x00080018,
    "ImageType": 0x00080008,
    "Modality": 0x00080060,
    "Manufacturer": 0x00080070,
    "SeriesDescription": 0x0008103E,
    "ComplexImageComponent": 0x00089208,
    "PatientID": 0x00100020,
    "PatientName": 0x00100010,
    "IssuerOfPatientID": 0x00100021,
    "ContrastBolusAgent": 0x00180010,
    "ContrastBolusAgentSequence": 0x00180012,
    "BodyPartExamined": 0x00180015,
    "SliceThickness": 0x00180050,
    "EchoTime": 0x00180081,
    "ProtocolName": 0x00181030,
    "ReconstructionDiameter": 0x00181100,
    "GantryDetectorTilt": 0x00181120,
    "ConvolutionKernel": 0x00181210,
    "StudyInstanceUID": 0x0020000D,
    "SeriesInstanceUID": 0x0020000E,
    "SeriesNumber": 0x00200011,
    "AcquisitionNumber": 0x00200012,
    "InstanceNumber": 0x00200013,
    "ImagePositionPatient": 0x00200032,
    "ImageOrientationPatient": 0x00200037,
    "TemporalPositionIdentifier": 0x00200100,
    "SamplesPerPixel": 0x00280002,
    "PhotometricInterpretation": 0x00280004,
    "NumberOfFrames": 0x00280008,
    "Rows": 0x00280010,
    "Columns": 0x00280011,
    "PixelSpacing": 0x00280030,
    "BitsAllocated": 0x00280100,
    "RescaleType": 0x00281054,
    "SharedFunctionalGroupsSequence": 0x52009229,
    "PerFrameFunctionalGroupsSequence": 0x52009230,
}
TAGS = list(_KEYWORDS.values())


@dataclass(frozen=True, slots=True)
class Instance:
    """One image (or one frame of a multi-frame file). Identifiers serve grouping and are never shown."""

    item: int
    frame: int | None
    sop_uid: str
    sop_class: str
    patient_key: str
    study_uid: str
    series_uid: str
    series_number: int | None
    instance_number: int
    acquisition_number: int | None
    temporal_position: int | None
    echo_time_ms: float | None
    modality: str
    manufacturer: str | None
    image_type: tuple[str, ...]
    rows: int
    columns: int
    samples: int
    position: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
    pixel_spacing: tuple[float, float] | None
    thickness_mm: float | None
    tilt_deg: float | None
    diameter_mm: float | None
    kernel: str | None
    body_part: str | None
    rescale_type: str | None
    contrast: bool
    described_contrast: bool | None
    component: str | None
    transfer_syntax: str
    has_pixels: bool
    problem: str | None

    @property
    def key(self) -> str:
        """Identity of the slice: SOPInstanceUID, for a frame with its number."""
        return self.sop_uid if self.frame is None else f"{self.sop_uid}#{self.frame + 1}"


def instances_of(dataset: Any, pixel_offset: int | None, item: int, size: int) -> Iterator[Instance]:
    """All images of one parsed header: one, or one per frame.

    Parameters
    ----------
    dataset : pydicom Dataset
        Header without pixels.
    pixel_offset : int or None
        Where the pixel data starts; None if there is none.
    item, size : int
        Number and bytes of the file.
    """
    frames = headers.integer(dataset, "NumberOfFrames") or 1
    base = _facts(dataset, item)
    base["has_pixels"] = pixel_offset is not None
    base["problem"] = _problem(dataset, base, frames, size, pixel_offset)
    grouped = "PerFrameFunctionalGroupsSequence" in dataset
    # Without an image size nothing bounds the number of frames.
    if base["problem"] or frames < 1 or not base["rows"] or not base["columns"] or (frames == 1 and not grouped):
        yield Instance(frame=None, **base)
        return
    per_frame = frame_facts(dataset, frames)
    for frame in range(frames):
        facts = dict(base)
        facts.update(per_frame[frame])
        if base["modality"] == "MR":
            facts["component"] = _frame_component(dataset, frame, facts["image_type"]) or base["component"]
        yield Instance(frame=frame, **facts)


def _frame_component(dataset: Any, frame: int, image_type: tuple[str, ...]) -> str | None:
    kind = group_item(dataset, frame, "MRImageFrameTypeSequence")
    stated = headers.text(kind, "ComplexImageComponent", 16) if kind is not None else None
    return mr_component(image_type, stated)


def _facts(dataset: Any, item: int) -> dict[str, Any]:
    h = headers
    spacing = h.numbers(dataset, "PixelSpacing", 2)
    meta = getattr(dataset, "file_meta", None)
    sop_class = (
        h.text(dataset, "SOPClassUID") or (h.text(meta, "MediaStorageSOPClassUID") if meta is not None else None) or ""
    )
    modality = (h.text(dataset, "Modality", 16) or _modality_of(sop_class) or "").upper()
    image_type = h.texts(dataset, "ImageType")
    return {
        "item": item,
        "sop_uid": h.text(dataset, "SOPInstanceUID", 128) or "",
        "sop_class": sop_class,
        "patient_key": _patient_key(dataset),
        "study_uid": h.text(dataset, "StudyInstanceUID", 128) or "",
        "series_uid": h.text(dataset, "SeriesInstanceUID", 128) or "",
        "series_number": h.integer(dataset, "SeriesNumber"),
        "instance_number": h.integer(dataset, "InstanceNumber") or 0,
        "acquisition_number": h.integer(dataset, "AcquisitionNumber"),
        "temporal_position": h.integer(dataset, "TemporalPositionIdentifier"),
        "echo_time_ms": h.number(dataset, "EchoTime"),
        "modality": modality,
        "manufacturer": h.text(dataset, "Manufacturer"),
        "image_type": image_type,
        "rows": h.integer(dataset, "Rows") or 0,
        "columns": h.integer(dataset, "Columns") or 0,
        "samples": h.integer(dataset, "SamplesPerPixel") or 1,
        "position": h.numbers(dataset, "ImagePositionPatient", 3),
        "orientation": h.numbers(dataset, "ImageOrientationPatient", 6),
        "pixel_spacing": (spacing[0], spacing[1]) if spacing else None,
        "thickness_mm": h.number(dataset, "SliceThickness"),
        "tilt_deg": h.number(dataset, "GantryDetectorTilt"),
        "diameter_mm": h.number(dataset, "ReconstructionDiameter"),
        "kernel": h.text(dataset, "ConvolutionKernel"),
        "body_part": (h.text(dataset, "BodyPartExamined", 16) or "").upper() or None,
        "rescale_type": (h.text(dataset, "RescaleType", 16) or "").upper() or None,
        "contrast": is_contrast(dataset),
        "described_contrast": described_contrast(h.text(dataset, "SeriesDescription"), h.text(dataset, "ProtocolName")),
        "component": mr_component(image_type, h.text(dataset, "ComplexImageComponent", 16))
        if modality == "MR"
        else None,
        "transfer_syntax": str(meta.get("TransferSyntaxUID") or "") if meta is not None else "",
    }


def is_ct_or_mr(sop_class: str) -> bool:
    """True for the SOP classes of CT and MR images."""
    return _modality_of(sop_class) is not None


def _modality_of(sop_class: str) -> str | None:
    """CT or MR by the SOP class, for headers that lack Modality."""
    for modality, known in CT_MR_CLASSES.items():
        if sop_class == known or sop_class.startswith(known + "."):
            return modality
    return None


def is_contrast(dataset: Any) -> bool:
    """True if a header names a contrast agent; some scanners write that there was none. Enhanced CT has a sequence."""
    agent = headers.text(dataset, "ContrastBolusAgent")
    if agent is None:
        return bool(headers.value(dataset, "ContrastBolusAgentSequence"))
    return agent.strip().upper() not in {"", "NONE", "NO", "N", "WITHOUT", "NO CONTRAST", "0"}


def _patient_key(dataset: Any) -> str:
    """A digest that tells patients apart; the identifiers themselves are not kept."""
    identity = "\0".join(headers.text(dataset, k) or "" for k in ("PatientID", "IssuerOfPatientID"))
    if not identity.strip("\0"):
        identity = headers.text(dataset, "PatientName") or ""
    return hashlib.sha256(identity.encode("utf-8", "replace")).hexdigest()[:16]


def _problem(dataset: Any, facts: dict[str, Any], frames: int, size: int, offset: int | None) -> str | None:
    """Why an image cannot be used, None if it can. Checked before anything of its size is allocated."""
    rows, columns, samples = facts["rows"], facts["columns"], facts["samples"]
    if not rows or not columns:
        return "cut short before its pixels" if is_ct_or_mr(facts["sop_class"]) and offset is None else None
    if offset is None:
        return "cut short before its pixels"
    if not (0 < rows <= MAX_ROWS_COLUMNS and 0 < columns <= MAX_ROWS_COLUMNS and rows * columns <= MAX_FRAME_PIXELS):
        return "absurd image size"
    if not (0 < frames <= MAX_FRAMES and rows * columns * frames <= MAX_FILE_VOXELS and 0 < samples <= 4):
        return "absurd number of frames"
    if facts["transfer_syntax"] in NATIVE and facts["transfer_syntax"] != headers.DEFLATED:
        bits = headers.integer(dataset, "BitsAllocated") or 16
        if rows * columns * frames * samples * bits // 8 > size - offset:
            return "truncated pixel data"
    return None
