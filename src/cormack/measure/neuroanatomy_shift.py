"""Midline shift: how far the septum pellucidum has left the line between the ends of the falx."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import ndimage

from cormack.core.clinical import ClinicalMeasure, MeasuredLine
from cormack.core.volume import FloatArray
from cormack.measure.neuroanatomy_frame import FORAMEN_MM, HeadFrame, Shares
from cormack.measure.neuroanatomy_head import (
    FALX,
    FINE_MM,
    FISSURE,
    SEPTUM,
    STEP_MM,
    LabelledHead,
    brain_cut,
    cut_through,
    structure_cut,
)

#: The septum is looked for within this of the mid-sagittal plane (mm), up to this far above the foramen (mm).
SEPTUM_ACROSS_MM, HIGHEST_MM = 30.0, 20.0
#: A plane shows the septum where it is at least this long (mm).
LEAST_SEPTUM_MM = 6.0
#: Its middle line is smoothed over this length (mm), which takes away the stairs of the voxels.
SMOOTHED_MM = 5.0
#: The ends of the falx are what is labelled within this of the mid-sagittal plane (mm), and this far from the inner
#: skull (mm), in planes up to this far below and above (mm).
FALX_ACROSS_MM, FALX_LENGTH_MM, FALX_HEIGHT_MM = 8.0, 25.0, 4.0
#: A smaller area of a structure (mm²) does not show where the falx is.
LEAST_FALX_MM2 = 15.0

MIDLINE_SHIFT = ClinicalMeasure(
    "midline shift",
    None,
    "mm",
    "largest distance of the septum pellucidum from the straight line between the anterior and the posterior end of "
    "the falx, in the axial plane of the interventricular foramen (the next one above that shows the septum)",
    "10.1155/2018/4303161",
)


def midline_shift(head: LabelledHead, frame: HeadFrame) -> ClinicalMeasure:
    """Midline shift in mm, with the side to which the septum has moved.

    Where no dural fold is labelled at an end, the interhemispheric fissure stands for it, and where there is none
    either, the mid-sagittal plane.
    """
    reason = structure_cut(head, SEPTUM) or brain_cut(head, sideways=True)
    if reason:
        return replace(MIDLINE_SHIFT, reason=reason)
    behind, level = frame.landmark(FORAMEN_MM)
    box = ((-SEPTUM_ACROSS_MM, SEPTUM_ACROSS_MM), (behind - 30.0, behind + 50.0), (level, level + HIGHEST_MM))
    septum = cut_through(frame, head.mask(SEPTUM), head.labels.affine, box)
    long_enough = np.flatnonzero((septum.data >= 0.5).any(axis=0).sum(axis=0) * septum.steps[1] >= LEAST_SEPTUM_MM)
    if not len(long_enough):
        return replace(MIDLINE_SHIFT, reason="no septum pellucidum is labelled near the interventricular foramen")
    level = septum.at(2, float(long_enough[0]))
    places = _middle_line(septum, int(long_enough[0]))
    ends = _falx_ends(head, frame, level)
    if ends is None:
        return replace(MIDLINE_SHIFT, reason="the intracranial mask does not reach this plane")
    direction = (ends[1] - ends[0]) / np.linalg.norm(ends[1] - ends[0])
    off = (places - ends[0]) @ np.array([direction[1], -direction[0]])
    far = int(np.abs(off).argmax())
    foot = ends[0] + direction * ((places[far] - ends[0]) @ direction)
    lines = tuple(
        MeasuredLine(name, frame.ras(np.column_stack([points, np.full(2, level)])))
        for name, points in (("between the ends of the falx", ends), ("septum", np.stack([foot, places[far]])))
    )
    plane = frame.plane("axial", np.array([0.0, places[far][1], level]))
    side = "right" if off[far] > 0 else "left"
    return replace(MIDLINE_SHIFT, value=float(abs(off[far])), side=side, plane=plane, lines=lines)


def _middle_line(septum: Shares, level: int) -> FloatArray:
    """The middle of the septum on each line from left to right, smoothed: right and anterior coordinates (mm)."""
    plane = np.where(septum.data[:, :, level] >= 0.5, septum.data[:, :, level], 0.0)
    weights = plane.sum(axis=0)
    rows = np.flatnonzero(weights)
    across = septum.low[0] + septum.steps[0] * np.arange(len(plane))
    middles = across @ plane[:, rows] / weights[rows]
    smooth = ndimage.uniform_filter1d(middles, max(1, int(SMOOTHED_MM / septum.steps[1])), mode="nearest")
    return np.stack([smooth, septum.low[1] + septum.steps[1] * rows], axis=1)


def _falx_ends(head: LabelledHead, frame: HeadFrame, level: float) -> FloatArray | None:
    """Right and anterior coordinates of the posterior and the anterior end of the falx, shape (2, 2)."""
    heights = (level - FALX_HEIGHT_MM, level + FALX_HEIGHT_MM)
    whole = ((-FALX_ACROSS_MM, FALX_ACROSS_MM), (-150.0, 120.0))
    skull = cut_through(frame, head.brain.data > 0, head.brain.affine, (*whole, (level, level)))
    inside = np.flatnonzero(skull.data[len(skull.data) // 2, :, 0] >= 0.5)
    if not len(inside):
        return None
    back, front = skull.at(1, float(inside[0])), skull.at(1, float(inside[-1]))
    if front - back < 2 * FALX_LENGTH_MM:
        return None
    spans = ((back, back + FALX_LENGTH_MM), (front - FALX_LENGTH_MM, front))
    return np.stack([_end(head, frame, (whole[0], span, heights)) for span in spans])


def _end(head: LabelledHead, frame: HeadFrame, box: tuple[tuple[float, float], ...]) -> FloatArray:
    """The centre of the falx in a box, or of the fissure, or else of the box."""
    for name in (FALX, FISSURE):
        shares = cut_through(frame, head.mask(name), head.labels.affine, box).data
        area = float(shares.sum() / shares.shape[2]) * FINE_MM * STEP_MM
        if area >= LEAST_FALX_MM2:
            right, anterior = ndimage.center_of_mass(shares)[:2]
            return np.array([box[0][0] + FINE_MM * right, box[1][0] + STEP_MM * anterior])
    return np.array([0.0, (box[1][0] + box[1][1]) / 2])
