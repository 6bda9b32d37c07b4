"""The acquisition facts of a series, from the headers of its slices: the machine's, never the person's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median_high
from typing import Any

from cormack.core.acquisition import Acquisition
from cormack.dicom import headers
from cormack.dicom.instance import NATIVE, is_contrast
from cormack.dicom.multiframe import group_items
from cormack.dicom.pixels import LOSSY

#: Field of Acquisition and DICOM keyword: numbers (the median of all slices counts) and texts (the most common one).
_NUMBERS = (
    ("kvp", "KVP"),
    ("xray_tube_current_ma", "XRayTubeCurrent"),
    ("exposure_mas", "Exposure"),
    ("exposure_time_ms", "ExposureTime"),
    ("slice_thickness_mm", "SliceThickness"),
    ("spacing_between_slices_mm", "SpacingBetweenSlices"),
    ("reconstruction_diameter_mm", "ReconstructionDiameter"),
    ("gantry_detector_tilt_deg", "GantryDetectorTilt"),
    ("table_height_mm", "TableHeight"),
    ("spiral_pitch_factor", "SpiralPitchFactor"),
    ("ctdi_vol_mgy", "CTDIvol"),
    ("magnetic_field_strength_t", "MagneticFieldStrength"),
    ("repetition_time_ms", "RepetitionTime"),
    ("echo_time_ms", "EchoTime"),
    ("inversion_time_ms", "InversionTime"),
    ("flip_angle_deg", "FlipAngle"),
)
_TEXTS = (
    ("modality", "Modality"),
    ("manufacturer", "Manufacturer"),
    ("manufacturer_model_name", "ManufacturerModelName"),
    ("convolution_kernel", "ConvolutionKernel"),
    ("rotation_direction", "RotationDirection"),
    ("filter_type", "FilterType"),
    ("patient_position", "PatientPosition"),
    ("software_versions", "SoftwareVersions"),
)
#: Where an enhanced image keeps a fact (PS3.3 C.8.15.3, C.7.6.16.2.1): functional group and keyword.
_IN_GROUPS = {
    "KVP": ("CTXRayDetailsSequence", "KVP"),
    "FilterType": ("CTXRayDetailsSequence", "FilterType"),
    "XRayTubeCurrent": ("CTExposureSequence", "XRayTubeCurrentInmA"),
    "Exposure": ("CTExposureSequence", "ExposureInmAs"),
    "ExposureTime": ("CTExposureSequence", "ExposureTimeInms"),
    "CTDIvol": ("CTExposureSequence", "CTDIvol"),
    "ReconstructionDiameter": ("CTReconstructionSequence", "ReconstructionDiameter"),
    "ConvolutionKernel": ("CTReconstructionSequence", "ConvolutionKernel"),
    "GantryDetectorTilt": ("CTAcquisitionDetailsSequence", "GantryDetectorTilt"),
    "TableHeight": ("CTAcquisitionDetailsSequence", "TableHeight"),
    "RotationDirection": ("CTAcquisitionDetailsSequence", "RotationDirection"),
    "SpiralPitchFactor": ("CTTableDynamicsSequence", "SpiralPitchFactor"),
    "RepetitionTime": ("MRTimingAndRelatedParametersSequence", "RepetitionTime"),
    "FlipAngle": ("MRTimingAndRelatedParametersSequence", "FlipAngle"),
    "EchoTime": ("MREchoSequence", "EffectiveEchoTime"),
    "InversionTime": ("MRModifierSequence", "InversionTimes"),
    "SliceThickness": ("PixelMeasuresSequence", "SliceThickness"),
    "SpacingBetweenSlices": ("PixelMeasuresSequence", "SpacingBetweenSlices"),
}
#: Where a legacy converted enhanced image keeps what had no place of its own (PS3.3 C.7.6.16.2.25).
_CONVERTED = ("UnassignedSharedConvertedAttributesSequence", "UnassignedPerFrameConvertedAttributesSequence")


def header_facts(dataset: Any) -> dict[str, Any]:
    """Facts of one header by field name of Acquisition, with `transfer_syntax` and `lossy_compressed`."""
    facts: dict[str, Any] = {name: _found(dataset, keyword, headers.number) for name, keyword in _NUMBERS}
    facts.update({name: _found(dataset, keyword, headers.text) for name, keyword in _TEXTS})
    facts["image_type"] = headers.texts(dataset, "ImageType")
    if "ContrastBolusAgent" in dataset or "ContrastBolusAgentSequence" in dataset:
        facts["contrast_bolus_agent_present"] = is_contrast(dataset)
    syntax = str(dataset.file_meta.get("TransferSyntaxUID") or "")
    facts["transfer_syntax"] = _syntax_name(syntax)
    facts["lossy_compressed"] = headers.text(dataset, "LossyImageCompression") == "01" or (
        syntax in LOSSY and not _reversible(dataset, syntax)
    )
    return facts


def _found(dataset: Any, keyword: str, read: Any) -> Any:
    """Value at the top of a header, else in the functional groups: of all frames the median number or common text."""
    found = read(dataset, keyword)
    if found is not None or "PerFrameFunctionalGroupsSequence" not in dataset:
        return found
    places = (_IN_GROUPS.get(keyword), *((group, keyword) for group in _CONVERTED))
    for group, inner in filter(None, places):
        values = [v for item in group_items(dataset, group) if (v := read(item, inner)) is not None]
        if values:
            return Counter(values).most_common(1)[0][0] if isinstance(values[0], str) else median_high(values)
    return None


def _syntax_name(syntax: str) -> str | None:
    from pydicom.uid import UID

    return NATIVE.get(syntax) or (UID(syntax).name if syntax else None)


def _reversible(dataset: Any, syntax: str) -> bool:
    """JPEG 2000 in a syntax that allows loss may still be reversible: its stream says which wavelet it used."""
    if syntax not in ("1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.4.203"):
        return False
    data = dataset.get("PixelData") or b""
    start = data.find(b"\xff\x52", 0, 65_536)
    # COD: marker 2, length 2, style, progression, layers 2, transform, levels, width, height, mode, wavelet (bytes).
    return start >= 0 and len(data) > start + 13 and data[start + 13] == 1


def acquisition_of(facts: Sequence[dict[str, Any]]) -> Acquisition:
    """One Acquisition for a series; lossy if any slice is.

    Of numbers the median (of two the greater, so that the value occurs), of texts the most common one.
    """
    merged: dict[str, Any] = {"source_format": "DICOM"}
    for name, _ in _NUMBERS:
        known = [f[name] for f in facts if f[name] is not None]
        merged[name] = median_high(known) if known else None
    for name in (*(name for name, _ in _TEXTS), "image_type", "transfer_syntax", "contrast_bolus_agent_present"):
        counts = Counter(f[name] for f in facts if f.get(name) is not None)
        if counts:
            merged[name] = counts.most_common(1)[0][0]
    merged["lossy_compressed"] = any(f["lossy_compressed"] for f in facts)
    return Acquisition(**merged)
