"""Segmentations: masks of structures on slices of their own (DICOM PS3.3 A.51, C.8.20, C.8.31)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom import dcmread

from cormack.core.errors import DicomError, GeometryError
from cormack.core.volume import FloatArray, SliceStack, Unit
from cormack.dicom import headers
from cormack.dicom.decoders import DecodeWorkers
from cormack.dicom.geometry import LPS_TO_RAS, ORIENTATION_TOLERANCE, SAME_POSITION_MM
from cormack.dicom.multiframe import frame_facts, group_item
from cormack.dicom.pixels import stored_values

#: Segmentation Storage and Label Map Segmentation Storage.
SEGMENTATIONS = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
#: A voxel of a fractional segmentation belongs to a structure from this share of the greatest value.
INSIDE_SHARE = 0.5
#: More voxels than this are not believed.
MAX_VOXELS = 2_000_000_000


@dataclass(frozen=True)
class Segment:
    """One structure: its number in the object, its name, colour and SNOMED CT code where these are stated."""

    number: int
    name: str
    color: tuple[int, int, int] | None
    snomed_ct: str | None


@dataclass(frozen=True, eq=False)
class Segmentation:
    """A segmentation as read.

    Attributes
    ----------
    slices : SliceStack
        Numbers of segments on the slices that have a frame, 0 elsewhere; the later segment stands where several are.
    segments : tuple of Segment
        In the order of the object.
    overlap : int
        Voxels that more than one segment claims.
    spacing_mm : float or None
        Distance of slices as stated, of one alone its thickness: those without any structure may have no frame.
    series_uid : str or None
        The series that the structures were drawn on, as far as just one is stated.
    """

    slices: SliceStack
    segments: tuple[Segment, ...]
    overlap: int
    spacing_mm: float | None
    series_uid: str | None


def is_segmentation(path: Path) -> bool:
    """True for one DICOM file that calls itself a segmentation."""
    if not path.is_file():
        return False
    try:
        with headers.quiet():
            found = dcmread(path, force=True, stop_before_pixels=True, specific_tags=["SOPClassUID"])
            return str(found.get("SOPClassUID")) in SEGMENTATIONS
    except headers.BACKEND_ERRORS:
        return False


def read_segmentation(path: Path) -> Segmentation:
    """Read a segmentation: binary, fractional, or a label map; frames that were left out are empty.

    Parameters
    ----------
    path : Path
        One DICOM file; see `is_segmentation`.

    Raises
    ------
    DicomError
        If it is broken, or its frames have no place in the patient's space.
    GeometryError
        If its frames are not parallel, or differ in their pixel spacing.
    """
    try:
        with headers.quiet():
            dataset = dcmread(path)
            segments = tuple(_segment(item) for item in dataset.SegmentSequence if item.SegmentNumber > 0)
            step_i, step_j, places = _geometry(path, dataset)
            slices, overlap = _painted(path, dataset, segments, step_i, step_j, places)
            return Segmentation(slices, segments, overlap, _spacing(dataset, len(slices.origins)), _series(dataset))
    except headers.BACKEND_ERRORS as error:
        raise DicomError(f"{path}: a broken segmentation ({type(error).__name__})") from error


def _segment(item: Any) -> Segment:
    number = int(item.SegmentNumber)
    kinds = item.get("SegmentedPropertyTypeCodeSequence") or ()
    coded = next((str(kind.CodeValue) for kind in kinds if kind.get("CodingSchemeDesignator") == "SCT"), None)
    lab = item.get("RecommendedDisplayCIELabValue")
    name = str(item.get("SegmentLabel") or "").strip() or f"segment {number}"
    return Segment(number, name, None if lab is None else _rgb(lab), coded)


def _rgb(lab: Sequence[int]) -> tuple[int, int, int]:
    """Colour of the stored L*, a*, b* (PS3.3 C.10.7.1.1); white D65, as highdicom and dcmqi write it."""
    from skimage.color import lab2rgb

    lightness, a, b = np.asarray(lab, dtype=np.float64) / 65535
    red, green, blue = np.rint(255 * lab2rgb([100 * lightness, 255 * a - 128, 255 * b - 128])).astype(int).tolist()
    return red, green, blue


def _geometry(path: Path, dataset: Any) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Steps from column to column and from row to row, and the place of every frame; RAS+ mm."""
    facts = frame_facts(dataset, int(dataset.get("NumberOfFrames") or 1))
    needed = ("position", "orientation", "pixel_spacing")
    if not facts or any(fact.get(name) is None for fact in facts for name in needed):
        raise DicomError(f"{path}: frames of the segmentation state no place in the patient's space")
    places, directions, spacings = (np.array([fact[name] for fact in facts], dtype=np.float64) for name in needed)
    if max(np.ptp(directions, axis=0).max(), np.ptp(spacings, axis=0).max()) > ORIENTATION_TOLERANCE:
        raise GeometryError(f"{path}: the frames of the segmentation are not parallel, or differ in their pixels")
    rows_mm, columns_mm = spacings[0]
    step_i, step_j = directions[0, :3] * columns_mm, directions[0, 3:] * rows_mm
    return step_i * LPS_TO_RAS, step_j * LPS_TO_RAS, places * LPS_TO_RAS


def _painted(
    path: Path,
    dataset: Any,
    segments: tuple[Segment, ...],
    step_i: FloatArray,
    step_j: FloatArray,
    places: FloatArray,
) -> tuple[SliceStack, int]:
    """Frame after frame on the slices that occur; and how many voxels were claimed twice."""
    normal = np.cross(step_i, step_j)
    along = places @ (normal / np.linalg.norm(normal))
    order = np.argsort(along, kind="stable")
    new = np.diff(along[order], prepend=-np.inf) > SAME_POSITION_MM
    slice_of = np.empty(len(order), dtype=np.intp)
    slice_of[order] = np.cumsum(new) - 1
    shape = int(dataset.Columns), int(dataset.Rows), int(new.sum())
    if np.prod(shape, dtype=np.float64) > MAX_VOXELS:
        raise DicomError(f"{path}: the segmentation has {shape[2]} slices of {shape[0]} x {shape[1]} pixels: too many")
    highest = max(segment.number for segment in segments)
    data = np.zeros(shape, dtype=np.uint8 if highest < 256 else np.uint16)
    rank = {segment.number: n for n, segment in enumerate(segments)}
    overlap = 0
    with DecodeWorkers() as workers:
        # Frames come in any order; the later segment has to stand.
        for frame in sorted(range(len(places)), key=lambda frame: rank.get(_number(dataset, frame), -1)):
            numbers = _numbers(dataset, frame, workers, rank)
            target, inside = data[:, :, slice_of[frame]], numbers > 0
            overlap += int(np.count_nonzero(target[inside]))
            target[inside] = numbers[inside]
    return SliceStack(data, step_i, step_j, places[order[new]], unit=Unit.ARBITRARY, outside=0.0), overlap


def _number(dataset: Any, frame: int) -> int:
    """The segment of a frame; 0 for a label map, whose frames hold all."""
    item = group_item(dataset, frame, "SegmentIdentificationSequence")
    return 0 if item is None else int(item.ReferencedSegmentNumber)


def _numbers(dataset: Any, frame: int, workers: DecodeWorkers, known: Mapping[int, int]) -> npt.NDArray[np.integer]:
    """Numbers of segments in one frame, shape (i, j)."""
    stored = stored_values(dataset, frame, workers).T
    if dataset.SegmentationType == "LABELMAP":
        return np.where(np.isin(stored, list(known)), stored, 0)
    greatest = int(dataset.get("MaximumFractionalValue") or 1) if dataset.SegmentationType == "FRACTIONAL" else 1
    number = _number(dataset, frame)
    if number not in known:
        raise KeyError("ReferencedSegmentNumber")
    return (stored >= max(1, INSIDE_SHARE * greatest)) * np.uint16(number)


def _spacing(dataset: Any, count: int) -> float | None:
    """The distance of slices that is stated; of one alone its thickness."""
    measures = group_item(dataset, 0, "PixelMeasuresSequence")
    if measures is None:
        return None
    thickness = headers.number(measures, "SliceThickness") if count == 1 else None
    return headers.number(measures, "SpacingBetweenSlices") or thickness or None


def _series(dataset: Any) -> str | None:
    stated = {str(item.SeriesInstanceUID) for item in dataset.get("ReferencedSeriesSequence") or ()}
    return stated.pop() if len(stated) == 1 else None
