"""Functional groups of enhanced multi-frame images (PS3.3 C.7.6.16): geometry and type of each frame."""

from __future__ import annotations

from typing import Any

from cormack.dicom import headers

#: Functional group, its element, and the fact of an Instance that it fills.
_PLACE = (
    ("PlanePositionSequence", "ImagePositionPatient", "position", 3),
    ("PlaneOrientationSequence", "ImageOrientationPatient", "orientation", 6),
    ("PixelMeasuresSequence", "PixelSpacing", "pixel_spacing", 2),
)
#: Facts of an enhanced CT that a classic one states at the top.
_MACHINE = (
    ("CTReconstructionSequence", "ConvolutionKernel", "kernel", headers.text),
    ("CTReconstructionSequence", "ReconstructionDiameter", "diameter_mm", headers.number),
    ("CTAcquisitionDetailsSequence", "GantryDetectorTilt", "tilt_deg", headers.number),
)
_FRAME_TYPES = ("CTImageFrameTypeSequence", "MRImageFrameTypeSequence", "PETFrameTypeSequence")


def group_item(dataset: Any, frame: int, sequence: str) -> Any | None:
    """Item of a functional group for one frame: its own, else the shared one; None if neither is there."""
    for outer, index in (("PerFrameFunctionalGroupsSequence", frame), ("SharedFunctionalGroupsSequence", 0)):
        try:
            groups = dataset.get(outer)
            items = groups[index].get(sequence) if groups and len(groups) > index else None
            if items:
                return items[0]
        except headers.BACKEND_ERRORS:
            continue
    return None


def group_items(dataset: Any, sequence: str) -> list[Any]:
    """Items of a functional group: the shared one, else those of all frames; empty for an image without such groups."""
    items: list[Any] = []
    for outer in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        try:
            for groups in dataset.get(outer) or ():
                items.extend(groups.get(sequence) or ())
        except headers.BACKEND_ERRORS:
            continue
        if items:
            return items
    return items


def frame_facts(dataset: Any, frames: int) -> list[dict[str, Any]]:
    """Facts of each frame that differ from those of the file, by field name of Instance."""
    return [_facts(dataset, frame) for frame in range(frames)]


def _facts(dataset: Any, frame: int) -> dict[str, Any]:
    facts: dict[str, Any] = {"instance_number": frame + 1}
    for sequence, keyword, name, count in _PLACE:
        item = group_item(dataset, frame, sequence)
        found = headers.numbers(item, keyword, count) if item is not None else None
        if found:
            facts[name] = found
    measures = group_item(dataset, frame, "PixelMeasuresSequence")
    if measures is not None and (thickness := headers.number(measures, "SliceThickness")) is not None:
        facts["thickness_mm"] = thickness
    content = group_item(dataset, frame, "FrameContentSequence")
    if content is not None:
        for keyword, name in (
            ("TemporalPositionIndex", "temporal_position"),
            ("FrameAcquisitionNumber", "acquisition_number"),
        ):
            if (number := headers.integer(content, keyword)) is not None:
                facts[name] = number
    for sequence, keyword, name, read in _MACHINE:
        item = group_item(dataset, frame, sequence)
        if item is not None and (fact := read(item, keyword)) is not None:
            facts[name] = fact
    echo = group_item(dataset, frame, "MREchoSequence")
    if echo is not None and (time := headers.number(echo, "EffectiveEchoTime")) is not None:
        facts["echo_time_ms"] = time
    for sequence in _FRAME_TYPES:
        kind = group_item(dataset, frame, sequence)
        if kind is not None and (types := headers.texts(kind, "FrameType")):
            facts["image_type"] = types
    return facts


def frame_rescale(dataset: Any, frame: int) -> tuple[float, float] | None:
    """Slope and intercept of one frame; None if its functional groups hold none."""
    item = group_item(dataset, frame, "PixelValueTransformationSequence")
    if item is None:
        return None
    slope, intercept = (headers.stated_number(item, name) for name in ("RescaleSlope", "RescaleIntercept"))
    return (1.0 if slope is None else slope, 0.0 if intercept is None else intercept)
