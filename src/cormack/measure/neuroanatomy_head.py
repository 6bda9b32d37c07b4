"""A labelled head made ready to be measured: its own axes, its halves, and cuts through its structures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cormack.core.labels import LabelMap
from cormack.core.volume import FloatArray, Volume
from cormack.imaging.midsagittal import midsagittal_plane
from cormack.imaging.orient import reorient
from cormack.imaging.sides import midline_surface, split_sides
from cormack.measure.boxes import BoolArray, Region, bounding_box
from cormack.measure.coverage import BASE_CUT_CM2, LATERAL_CUT_CM2, REACH_MM, VERTEX_CUT_CM2, edge_contact
from cormack.measure.neuroanatomy_frame import HeadFrame, Shares, head_frame

CAUDATE, VENTRICLES, SEPTUM = "caudate nucleus", "ventricular system", "septum pellucidum"
FALX, FISSURE, SULCUS = "dural folds and venous sinuses", "subarachnoid space", "central sulcus"
#: Distances of sampling points: across a plane and along what is measured, and from line to line (mm).
FINE_MM, STEP_MM = 0.5, 1.0
#: What is kept around the labels (mm): more than the distance at which they count as cut.
MARGIN_MM = 2 * REACH_MM
#: Pieces below this share of the largest one within a cut are taken for specks.
SPECK_SHARE = 0.05
#: Area of a structure at the edge of the scan from which it is called cut (cm²).
CUT_CM2 = 0.5

Range = tuple[float, float]


@dataclass(frozen=True, eq=False)
class LabelledHead:
    """Labels, intracranial mask, axes and halves of one head.

    Attributes
    ----------
    labels, brain : LabelMap
        Trimmed, axes closest to right, anterior, superior; each on a grid of its own.
    frame : HeadFrame or str
        Or the reason why there is none.
    sides : uint8 array, shape of the labels
        1 right, 2 left.
    """

    labels: LabelMap
    brain: LabelMap
    frame: HeadFrame | str
    sides: npt.NDArray[np.uint8]

    def mask(self, *names: str) -> BoolArray:
        """Voxels of some structures; those that the table does not have are empty."""
        numbers = [label.index for label in self.labels.table if label.name in names]
        return np.isin(self.labels.data, numbers)

    def half(self, name: str, side: int) -> BoolArray:
        """Voxels of a structure in one half."""
        return np.asarray(self.mask(name) & (self.sides == side))

    def volume_ml(self, mask: BoolArray) -> float:
        """Volume of a mask on the grid of the labels."""
        return float(np.count_nonzero(mask)) * self.labels.voxel_volume_ml


def labelled_head(labels: LabelMap, brain: LabelMap) -> LabelledHead:
    """Find axes and halves of a head.

    Parameters
    ----------
    labels : LabelMap
        Structures by the names of `cormack.core.neuroanatomy`; shape (i, j, k), any affine, thick slices too.
    brain : LabelMap
        The intracranial space; on any grid.

    Raises
    ------
    InputError
        If hardly anything is labelled.
    """
    labels, brain = _trimmed(labels), _trimmed(brain)
    plane = midsagittal_plane(labels)
    sides = split_sides(labels, midline_surface(labels, plane))
    return LabelledHead(labels, brain, head_frame(labels, plane), sides)


def _trimmed(labels: LabelMap) -> LabelMap:
    """The part that holds all labels, axes closest to R, A, S; its ends are those of the scan only where labels end."""
    data, affine = reorient(labels.data, labels.affine)
    margin = np.ceil(MARGIN_MM / np.linalg.norm(affine[:3, :3], axis=0)).astype(int)
    box = tuple(slice(max(0, s.start - m), s.stop + m) for s, m in zip(bounding_box(data), margin, strict=True))
    affine = affine.copy()
    affine[:3, 3] += affine[:3, :3] @ [span.start for span in box]
    return LabelMap(np.ascontiguousarray(data[box]), affine, labels.table, labels.description)


def brain_cut(head: LabelledHead, *, sideways: bool = False) -> str:
    """Why the intracranial mask is not whole, in words; empty if it is. `sideways`: only its sides count."""
    data = head.brain.data > 0
    if not data.any():
        return "the intracranial mask is empty"
    limits = dict.fromkeys(("left", "right", "back", "front"), LATERAL_CUT_CM2)
    if not sideways:
        limits |= {"base": BASE_CUT_CM2, "vertex": VERTEX_CUT_CM2}
    return _cut("the intracranial space", data, head.brain.affine, limits)


def structure_cut(head: LabelledHead, name: str) -> str:
    """Why a structure is missing or not whole, in words; empty if it is there."""
    mask = head.mask(name)
    if not mask.any():
        return f"no {name} is labelled"
    limits = dict.fromkeys(("left", "right", "back", "front", "base", "vertex"), CUT_CM2)
    return _cut(f"the {name}", mask, head.labels.affine, limits)


def _cut(what: str, mask: BoolArray, affine: FloatArray, limits: dict[str, float]) -> str:
    box = bounding_box(mask)
    area = edge_contact(Volume(mask, affine), Region(box, mask[box])).area_cm2
    cut = [side for side, limit in limits.items() if area[side] >= limit]
    return f"the field of view cuts {what}: {', '.join(cut)}" if cut else ""


def cut_through(
    frame: HeadFrame, mask: BoolArray, affine: FloatArray, ranges: Sequence[Range], *, shaped: bool = False
) -> Shares:
    """Shares of a mask in a box of the frame, on lines from left to right.

    Parameters
    ----------
    frame : HeadFrame
    mask : bool array, shape (i, j, k)
    affine : array, shape (4, 4)
    ranges : three pairs
        Lowest and highest coordinate to the right, to anterior and to superior (mm); equal ones for a plane.
    shaped : bool
        As in `HeadFrame.shares`.
    """
    steps = np.array([FINE_MM, STEP_MM, STEP_MM])
    low, high = np.array(ranges, dtype=np.float64).T
    right, anterior, superior = (int(n) for n in np.floor((high - low) / steps + 1e-6) + 1)
    return frame.shares(mask, affine, low, steps, (right, anterior, superior), shaped=shaped)


def without_specks(shares: Shares) -> Shares:
    """The same without small pieces apart from the large ones."""
    pieces, count = ndimage.label(shares.data >= 0.5)
    if count < 2:
        return shares
    sizes = np.bincount(pieces.ravel())
    small = sizes < SPECK_SHARE * sizes[1:].max()
    small[0] = False
    return replace(shares, data=np.where(small[pieces], np.float32(0), shares.data))


def extents(lines: FloatArray, low: float, step: float) -> tuple[FloatArray, FloatArray]:
    """Where lines enter a mask first and leave it last, by linear interpolation at one half.

    Parameters
    ----------
    lines : array, shape (points, ...)
        Shares along the first axis.
    low, step : float
        Coordinate of the first point, and from point to point (mm).

    Returns
    -------
    tuple of array, shape (...)
        Coordinates in mm; NaN for lines that miss it.
    """
    return _first(lines, low, step), _first(lines[::-1], low + step * (len(lines) - 1), -step)


def _first(lines: FloatArray, low: float, step: float) -> FloatArray:
    inside = lines >= 0.5
    at = inside.argmax(axis=0)[None]
    here = np.take_along_axis(lines, at, 0)[0].astype(np.float64)
    before = np.take_along_axis(lines, np.maximum(at - 1, 0), 0)[0].astype(np.float64)
    back = np.where((at[0] > 0) & (here > before), (here - 0.5) / np.maximum(here - before, 1e-6), 0.0)
    return np.where(inside.any(axis=0), low + step * (at[0] - back), np.nan)
