"""The head's own axes, from its labels: origin and axial plane of the two commissures, halves that mirror each other.

The commissures are too small to be labelled. Where they lie, and which plane they span, is told by the centres of
larger structures, which keep their places relative to them: on twenty adults (`benchmarks/clinical_measures.py`)
the axial plane found in this way is 1.5° (standard deviation) from that of the commissures, which themselves are
found to within 1 mm.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cormack.core.clinical import MeasuredPlane
from cormack.core.labels import LabelMap
from cormack.core.volume import FloatArray, Volume
from cormack.imaging.midsagittal import MidsagittalPlane
from cormack.imaging.reslice import reslice
from cormack.imaging.slice_shape import shape_between_slices
from cormack.measure.boxes import BoolArray, bounding_box

#: Centres of structures in the mid-sagittal plane, seen from the anterior commissure: mm to anterior and superior of
#: the line to the posterior one, in adults; and how far a single head is from that (standard deviation, mm).
LANDMARKS = {
    "caudate nucleus": (5.6, 13.0, 1.0),
    "lentiform nucleus": (-2.6, 3.3, 1.0),
    "thalamus": (-21.1, 7.3, 1.0),
    "insular cortex": (0.5, 3.4, 1.2),
    "cerebellum": (-58.5, -32.4, 3.0),
}
#: The posterior commissure, and the interventricular foramen (of Monro), in the same way.
POSTERIOR_COMMISSURE_MM, FORAMEN_MM = (-27.0, 0.0), (-5.0, 9.0)
#: A landmark counts from this volume on (ml).
LEAST_LANDMARK_ML = 1.0
#: At least so many landmarks, and this far apart (mm), make a plane.
LEAST_LANDMARKS, LEAST_BASE_MM = 3, 20.0
#: Voxels around a mask whose outlines move from slice to slice.
RIM_VOXELS = 4
#: Heads are larger or smaller than the adults of the table by no more than this factor.
PLAUSIBLE_SCALE = (0.7, 1.4)


@dataclass(frozen=True, eq=False)
class HeadFrame:
    """Axes of a head in the patient's space.

    Coordinates in it are mm to the right of the mid-sagittal plane, and to anterior and superior of the anterior
    commissure.

    Attributes
    ----------
    origin_mm : array, shape (3,)
        Of the anterior commissure, RAS+ mm.
    axes : array, shape (3, 3)
        Rows are unit vectors to the right, to anterior and to superior.
    scale : float
        Size of the head relative to the adults of `LANDMARKS`.
    """

    origin_mm: FloatArray
    axes: FloatArray
    scale: float

    def ras(self, points: FloatArray) -> FloatArray:
        """RAS+ mm of coordinates in the frame, shape (..., 3)."""
        return np.asarray(np.asarray(points, dtype=np.float64) @ self.axes + self.origin_mm)

    def coordinates(self, xyz: FloatArray) -> FloatArray:
        """The reverse of `ras`."""
        return np.asarray((xyz - self.origin_mm) @ self.axes.T)

    def landmark(self, anterior_superior: tuple[float, float]) -> tuple[float, float]:
        """A place of the table in this head (mm)."""
        return self.scale * anterior_superior[0], self.scale * anterior_superior[1]

    def plane(self, name: str, at: FloatArray) -> MeasuredPlane:
        """The axial or coronal plane through a point given in the frame."""
        return MeasuredPlane(name, self.ras(at), self.axes[0], self.axes[1 if name == "axial" else 2])

    def shares(
        self,
        mask: BoolArray,
        affine: FloatArray,
        low: FloatArray,
        steps: FloatArray,
        shape: Shape,
        *,
        shaped: bool = False,
    ) -> Shares:
        """How much of a mask, interpolated linearly, lies at points of the frame.

        Parameters
        ----------
        mask : bool array, shape (i, j, k)
        affine : array, shape (4, 4)
        low, steps : array, shape (3,)
            First point and distances of the grid in the frame (mm).
        shape : (right, anterior, superior)
            Number of points.
        shaped : bool
            Let outlines move from one thick slice to the next (`shape_between_slices`), as those of smooth bodies do;
            not for sheets, which would break.
        """
        box = bounding_box(mask)
        # A rim of nothing, so that shares fall off at the end of the box as they do elsewhere.
        rim = tuple(RIM_VOXELS if shaped and axis < 2 else 1 for axis in range(3))
        part = np.pad(mask[box], [(n, n) for n in rim])
        values = shape_between_slices(part, affine) if shaped else part.astype(np.float32)
        grid = np.asarray(affine, dtype=np.float64).copy()
        grid[:3, 3] += grid[:3, :3] @ [span.start - n for span, n in zip(box, rim, strict=True)]
        wanted = np.eye(4)
        wanted[:3, :3], wanted[:3, 3] = self.axes.T * steps, self.ras(low)
        shares = reslice(Volume(values, grid, outside=0.0), wanted, shape).data
        return Shares(np.asarray(shares, dtype=np.float32), np.asarray(low), np.asarray(steps))


Shape = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class Shares:
    """Shares of a mask (0 to 1, its surface at 0.5) on a grid of the frame."""

    data: FloatArray
    low: FloatArray
    steps: FloatArray

    def at(self, axis: int, index: float) -> float:
        """Coordinate in the frame along an axis (mm)."""
        return float(self.low[axis] + index * self.steps[axis])


def head_frame(labels: LabelMap, plane: MidsagittalPlane) -> HeadFrame | str:
    """Axes of a head from the centres of its structures, or the reason why they cannot be found.

    In the mid-sagittal plane, the turn, shift and scale are sought that bring the table of landmarks closest to the
    centres, by least squares with their precision as weights.

    Parameters
    ----------
    labels : LabelMap
        Shape (i, j, k), any affine; structures by the names of `cormack.core.neuroanatomy`.
    plane : MidsagittalPlane
    """
    centres = {name: plane.coordinates(centre)[1:] for name, centre in _centres(labels).items()}
    if len(centres) < LEAST_LANDMARKS:
        return f"of {', '.join(LANDMARKS)}, only {len(centres)} are labelled; {LEAST_LANDMARKS} are needed"
    table = np.array([LANDMARKS[name] for name in centres])
    # Points of the plane as complex numbers: one factor turns and scales.
    model = table[:, 0] + 1j * table[:, 1]
    found = np.array([centre[0] + 1j * centre[1] for centre in centres.values()])
    weights = table[:, 2] ** -2 / (table[:, 2] ** -2).sum()
    about, around = model - weights @ model, found - weights @ found
    if np.abs(about).max() < LEAST_BASE_MM:
        return f"{', '.join(centres)} lie too close together to tell how the head is inclined"
    factor = (weights * about.conj()) @ around / (weights @ np.abs(about) ** 2)
    scale = float(np.abs(factor))
    if not PLAUSIBLE_SCALE[0] <= scale <= PLAUSIBLE_SCALE[1]:
        return f"the structures lie {scale:.2f} times as far apart as in adults; the labels cannot be right"
    turn, origin = factor / scale, weights @ found - factor * (weights @ model)
    right, anterior, superior = plane.axes
    axes = np.stack([right, turn.real * anterior + turn.imag * superior, turn.real * superior - turn.imag * anterior])
    return HeadFrame(plane.point_mm + origin.real * anterior + origin.imag * superior, axes, scale)


def _centres(labels: LabelMap) -> dict[str, FloatArray]:
    """RAS+ mm of the centres of all landmarks that are labelled."""
    least = LEAST_LANDMARK_ML / labels.voxel_volume_ml
    found = {}
    for label in labels.table:
        if label.name in LANDMARKS:
            voxels = np.argwhere(np.ascontiguousarray(labels.data == label.index))
            if len(voxels) >= least:
                found[label.name] = voxels.mean(axis=0) @ labels.affine[:3, :3].T + labels.affine[:3, 3]
    return found
