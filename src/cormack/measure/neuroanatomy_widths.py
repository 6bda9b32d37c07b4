"""Widths of the ventricles in axial planes, relative to the skull: Evans' index and the bicaudate ratio."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cormack.core.clinical import ClinicalMeasure, MeasuredLine
from cormack.core.volume import FloatArray
from cormack.imaging.sides import LEFT, RIGHT
from cormack.measure.boxes import BoolArray
from cormack.measure.neuroanatomy_frame import FORAMEN_MM, HeadFrame, Shares
from cormack.measure.neuroanatomy_head import (
    CAUDATE,
    SEPTUM,
    VENTRICLES,
    LabelledHead,
    brain_cut,
    cut_through,
    extents,
    structure_cut,
    without_specks,
)

#: From left to right, at one anterior and superior coordinate of the frame (mm).
Segment = tuple[float, float, float, float]

#: Frontal horns and heads of the caudate nuclei lie within this of the mid-sagittal plane, and end before this far in
#: front of the anterior commissure (mm).
ACROSS_MM, FRONT_MM = 70.0, 80.0
#: Planes up to this far above the commissures show frontal horns (mm in adults); above are the roofs of the bodies.
HIGHEST_MM = 20.0
#: The skull is sought within this of the origin: to both sides, behind and in front (mm).
SKULL_ACROSS_MM, SKULL_BEHIND_MM, SKULL_FRONT_MM = 110.0, 150.0, 120.0
#: Between the heads of the caudate nuclei, at least this share of a line lies in ventricles and septum.
VENTRICULAR_SHARE = 0.5
#: Widths that differ by less than this are equal (mm).
TIE_MM = 0.25

EVANS = ClinicalMeasure(
    "Evans' index",
    None,
    "",
    "maximal width of the frontal horns, both together, divided by the maximal inner width of the skull in the same "
    "axial plane: of the planes 0 to 20 mm above the commissures and parallel to them, that with the widest horns",
    "10.3389/fnagi.2021.783092",
)
BICAUDATE = ClinicalMeasure(
    "bicaudate ratio",
    None,
    "",
    "smallest distance between the heads of the caudate nuclei across the frontal horns, divided by the inner width of "
    "the skull along the same line; in the axial plane of the interventricular foramen",
    "10.3171/jns.1985.63.3.0355",
)


def evans_index(head: LabelledHead, frame: HeadFrame) -> ClinicalMeasure:
    """Evans' index, a ratio.

    Frontal horns are what of the ventricles lies in front of the anterior commissure, a few millimetres in front of
    their border at the interventricular foramen, and above the plane of the commissures; widths are taken along lines
    from left to right.
    """
    reason = structure_cut(head, VENTRICLES) or brain_cut(head, sideways=True)
    if reason:
        return replace(EVANS, reason=reason)
    horns = without_specks(_frontal(head, frame, head.mask(VENTRICLES), (0.0, HIGHEST_MM * frame.scale)))
    first, last = extents(horns.data, horns.low[0], horns.steps[0])
    widths = np.nan_to_num(last - first)
    level = _middle_of_largest(widths.max(axis=0))
    row = _middle_of_largest(widths[:, level])
    if widths[row, level] <= 0:
        return replace(EVANS, reason="no ventricle is labelled where the frontal horns should be")
    y, z = horns.at(1, row), horns.at(2, level)
    skull = _skull(head, frame, (-SKULL_BEHIND_MM, SKULL_FRONT_MM), z)
    left, right = extents(skull.data[:, :, 0], skull.low[0], skull.steps[0])
    widest = int(np.nan_to_num(right - left).argmax())
    return _ratio(
        EVANS,
        frame,
        ("frontal horns", (first[row, level], last[row, level], y, z)),
        ("inner skull", (left[widest], right[widest], skull.at(1, widest), z)),
    )


def bicaudate_ratio(head: LabelledHead, frame: HeadFrame) -> ClinicalMeasure:
    """The bicaudate ratio (also: index)."""
    reason = structure_cut(head, CAUDATE) or structure_cut(head, VENTRICLES) or brain_cut(head, sideways=True)
    if reason:
        return replace(BICAUDATE, reason=reason)
    _, z = frame.landmark(FORAMEN_MM)
    right, left = (_frontal(head, frame, head.half(CAUDATE, side), (z, z)) for side in (RIGHT, LEFT))
    inner_right = extents(right.data[:, :, 0], right.low[0], right.steps[0])[0]
    inner_left = extents(left.data[:, :, 0], left.low[0], left.steps[0])[1]
    width = inner_right - inner_left
    if np.isnan(width).all():
        return replace(
            BICAUDATE, reason="in the plane of the foramen, no head of a caudate nucleus is labelled opposite"
        )
    between = _within(_frontal(head, frame, head.mask(VENTRICLES, SEPTUM), (z, z)), inner_left, inner_right)
    valid = (width > 0) & (between >= VENTRICULAR_SHARE)
    if not valid.any():
        return replace(BICAUDATE, reason="the ventricles do not reach between the heads of the caudate nuclei")
    row = _middle_of_largest(np.where(valid, -width, -np.inf))
    y = right.at(1, row)
    skull = _skull(head, frame, (y, y), z)
    ends = extents(skull.data[:, 0, 0], skull.low[0], skull.steps[0])
    return _ratio(
        BICAUDATE,
        frame,
        ("between the caudate nuclei", (inner_left[row], inner_right[row], y, z)),
        ("inner skull", (float(ends[0]), float(ends[1]), y, z)),
    )


def _frontal(head: LabelledHead, frame: HeadFrame, mask: BoolArray, levels: tuple[float, float]) -> Shares:
    """Shares of a mask in front of the anterior commissure, between two levels."""
    box = ((-ACROSS_MM, ACROSS_MM), (0.0, FRONT_MM), levels)
    return cut_through(frame, mask, head.labels.affine, box, shaped=True)


def _skull(head: LabelledHead, frame: HeadFrame, along: tuple[float, float], level: float) -> Shares:
    """Shares of the intracranial space in an axial plane."""
    across = (-SKULL_ACROSS_MM, SKULL_ACROSS_MM)
    return cut_through(frame, head.brain.data > 0, head.brain.affine, (across, along, (level, level)))


def _within(shares: Shares, low: FloatArray, high: FloatArray) -> FloatArray:
    """Part of each line between two places on it that lies inside; 0 where there are none."""
    places = (shares.low[0] + shares.steps[0] * np.arange(len(shares.data)))[:, None]
    between = (places > low) & (places < high)
    inside = between & (shares.data[:, :, 0] >= 0.5)
    return np.asarray(inside.sum(axis=0) / np.maximum(between.sum(axis=0), 1))


def _middle_of_largest(values: FloatArray) -> int:
    """Where values are largest; the middle of all places that are as large but for rounding."""
    places = np.flatnonzero(values >= values.max() - TIE_MM)
    return int(places[len(places) // 2])


def _ratio(measure: ClinicalMeasure, frame: HeadFrame, *segments: tuple[str, Segment]) -> ClinicalMeasure:
    """The measure with its value, plane and lines: the first segment divided by the second."""
    lines = tuple(
        MeasuredLine(name, frame.ras(np.array([[start, y, z], [end, y, z]]))) for name, (start, end, y, z) in segments
    )
    middle = np.array([0.0, segments[0][1][2], segments[0][1][3]])
    value = lines[0].length_mm / lines[1].length_mm
    return replace(measure, value=value, plane=frame.plane("axial", middle), lines=lines)
