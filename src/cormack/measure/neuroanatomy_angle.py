"""The callosal angle: between the medial walls of the lateral ventricles in a coronal plane."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import ndimage

from cormack.core.clinical import ClinicalMeasure, MeasuredLine
from cormack.core.volume import FloatArray
from cormack.imaging.sides import LEFT, RIGHT
from cormack.measure.neuroanatomy_frame import POSTERIOR_COMMISSURE_MM, HeadFrame
from cormack.measure.neuroanatomy_head import FINE_MM, VENTRICLES, LabelledHead, structure_cut

#: What is looked at: to each side, below the commissures, and above them (mm).
ACROSS_MM, BELOW_MM, ABOVE_MM = 60.0, 10.0, 60.0
#: A medial wall begins where the ventricle comes closest to the midline and ends this far up to its highest point:
#: above, the roof rounds off.
WALL_SHARE = 0.8
#: On rows where both ventricles are closer together than this, they touch or have the septum between them (mm).
LEAST_GAP_MM = 3.0
#: A wall of a smaller height tells no angle (mm).
LEAST_HEIGHT_MM = 3.0

CALLOSAL_ANGLE = ClinicalMeasure(
    "callosal angle",
    None,
    "°",
    "angle between the medial walls of the two lateral ventricles, open upwards, in the coronal plane through the "
    "posterior commissure at right angles to the plane of the commissures; each wall is the straight line that fits "
    "the border best from where the ventricle is closest to the midline to four fifths of its height above that place",
    "10.3171/2013.8.JNS13575",
)


def callosal_angle(head: LabelledHead, frame: HeadFrame) -> ClinicalMeasure:
    """The callosal angle, in degrees."""
    reason = structure_cut(head, VENTRICLES)
    if reason:
        return replace(CALLOSAL_ANGLE, reason=reason)
    behind, _ = frame.landmark(POSTERIOR_COMMISSURE_MM)
    borders = [_medial_border(head, frame, side, behind) for side in (RIGHT, LEFT)]
    # Below the last row on which the ventricles nearly touch there is no corpus callosum between them.
    touching = np.flatnonzero(borders[0] + borders[1] < LEAST_GAP_MM)
    walls = [_wall(border, int(touching[-1]) + 1 if len(touching) else 0) for border in borders]
    right, left = (None if wall is None else wall * (sign, 1) for wall, sign in zip(walls, (1, -1), strict=True))
    if right is None or left is None:
        return replace(
            CALLOSAL_ANGLE,
            reason="at the posterior commissure, a lateral ventricle is missing or too low to show a wall's slope",
        )
    vertex = _crossing(right, left)
    lines = tuple(
        MeasuredLine(f"{side} medial wall", frame.ras(np.array([[x, behind, z] for x, z in (vertex, wall[1])])))
        for side, wall in (("right", right), ("left", left))
    )
    slopes = [wall[1] - wall[0] for wall in (right, left)]
    value = float(np.degrees(np.arctan2(slopes[0][0], slopes[0][1]) - np.arctan2(slopes[1][0], slopes[1][1])))
    plane = frame.plane("coronal", np.array([0.0, behind, 0.0]))
    return replace(CALLOSAL_ANGLE, value=value, plane=plane, lines=lines)


def _medial_border(head: LabelledHead, frame: HeadFrame, side: int, behind: float) -> FloatArray:
    """Distance of a lateral ventricle from the mid-sagittal plane on each row from below, infinite where it is not."""
    low, steps = np.array([-ACROSS_MM, behind, -BELOW_MM]), np.array([FINE_MM, 1.0, FINE_MM])
    shape = (int(2 * ACROSS_MM / FINE_MM) + 1, 1, int((ABOVE_MM + BELOW_MM) / FINE_MM) + 1)
    mask = head.half(VENTRICLES, side)
    shares = frame.shares(mask, head.labels.affine, low, steps, shape, shaped=True).data[:, 0]
    pieces, count = ndimage.label(shares >= 0.5)
    if not count:
        return np.full(shape[2], np.inf)
    largest = pieces == np.bincount(pieces.ravel())[1:].argmax() + 1
    places = (1 if side == RIGHT else -1) * (low[0] + FINE_MM * np.arange(shape[0]))
    return np.asarray(np.where(largest, places[:, None], np.inf).min(axis=0))


def _wall(border: FloatArray, first: int) -> FloatArray | None:
    """The lower and the upper end of a medial wall: mm from the mid-sagittal plane and superior, shape (2, 2)."""
    rows = np.flatnonzero(np.isfinite(border))
    if not len(rows) or rows[-1] <= first:
        return None
    lowest = first + int(border[first:].argmin())
    rows = rows[(rows >= lowest) & (rows <= lowest + WALL_SHARE * (rows[-1] - lowest))]
    if (len(rows) - 1) * FINE_MM < LEAST_HEIGHT_MM:
        return None
    return _fitted(np.stack([border[rows], FINE_MM * rows - BELOW_MM], axis=1))


def _fitted(points: FloatArray) -> FloatArray:
    """The ends of the straight line closest to points, the lower one first, shape (2, 2)."""
    middle = points.mean(axis=0)
    direction = np.linalg.svd(points - middle)[2][0]
    direction = direction if direction[1] > 0 else -direction
    along = (points - middle) @ direction
    return np.asarray(middle + np.outer([along.min(), along.max()], direction))


def _crossing(first: FloatArray, second: FloatArray) -> FloatArray:
    """Where two lines cross, or the middle between their lower ends where they hardly do."""
    u, v = first[1] - first[0], second[1] - second[0]
    area = u[0] * v[1] - u[1] * v[0]
    if abs(area) < 1e-2 * np.linalg.norm(u) * np.linalg.norm(v):
        return np.asarray((first[0] + second[0]) / 2)
    apart = second[0] - first[0]
    return np.asarray(first[0] + u * (apart[0] * v[1] - apart[1] * v[0]) / area)
