"""The plane that divides a labelled head into halves that mirror each other best."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy import ndimage

from cormack.core.errors import InputError
from cormack.core.labels import LabelMap
from cormack.core.volume import FloatArray
from cormack.imaging.resample import resample
from cormack.imaging.workgrid import bounding_box

#: Weight of each structure whose surface is compared with its mirror image; the rest is that of the outer surface,
#: which a mass inside the head displaces least.
MIRRORED = {
    "caudate nucleus": 0.1,
    "lentiform nucleus": 0.1,
    "insular cortex": 0.1,
    "cerebellum": 0.1,
    "ventricular system": 0.1,
}
#: The comparison is made on voxels of this size (mm), with no more than this many points of a surface.
COARSE_MM, MOST_POINTS = 2.5, 2000
#: Distances much above this count as this much (mm): what is displaced on one side alone shall not turn the plane.
FARTHEST_MM = 6.0
#: First the best of these rotations about the anterior and the superior axis is taken (degrees).
STARTS_DEG = (-30.0, -15.0, 0.0, 15.0, 30.0)
#: A head has at least this volume of labels (ml).
LEAST_ML = 50.0


@dataclass(frozen=True, eq=False)
class MidsagittalPlane:
    """A plane between left and right.

    Attributes
    ----------
    point_mm : array, shape (3,)
        RAS+ mm; the middle of the labels, moved onto the plane.
    normal : array, shape (3,)
        Unit vector to the patient's right.
    """

    point_mm: FloatArray
    normal: FloatArray

    @property
    def axes(self) -> FloatArray:
        """Rows: unit vectors to the right, and within the plane closest to anterior and to superior; shape (3, 3)."""
        anterior = np.array([0.0, 1.0, 0.0]) - self.normal[1] * self.normal
        anterior /= np.linalg.norm(anterior)
        return np.stack([self.normal, anterior, np.cross(self.normal, anterior)])

    def coordinates(self, xyz: FloatArray) -> FloatArray:
        """RAS+ mm as mm to the right of the plane, anterior and superior in it; shape (..., 3) to (..., 3)."""
        return np.asarray((xyz - self.point_mm) @ self.axes.T)


@dataclass(frozen=True, eq=False)
class _Surface:
    """Points of a surface (RAS+ mm), the distance from it on a grid (mm, levelled off), and its weight."""

    points: FloatArray
    distance: FloatArray
    weight: float


def midsagittal_plane(labels: LabelMap) -> MidsagittalPlane:
    """Find the plane in which the surfaces of paired structures and of the whole mirror themselves best.

    The head may be turned or bent to the side by up to 40°. A head whose plane is missed by more was not given in
    RAS+ millimetres.

    Parameters
    ----------
    labels : LabelMap
        Shape (i, j, k), any affine; structures by the names of `cormack.core.neuroanatomy`.

    Raises
    ------
    InputError
        If hardly anything is labelled.
    """
    # Loaded when first needed: it takes a while.
    from scipy.optimize import minimize

    coarse = _cropped(resample(labels, COARSE_MM, order=0))
    if np.count_nonzero(coarse.data) * coarse.voxel_volume_ml < LEAST_ML:
        raise InputError(f"less than {LEAST_ML:.0f} ml are labelled; give the label map of a whole head")
    filled = np.argwhere(coarse.data)
    centre = filled.mean(axis=0) @ coarse.affine[:3, :3].T + coarse.affine[:3, 3]
    surfaces = _surfaces(coarse)
    to_voxels = np.asarray(np.linalg.inv(coarse.affine), dtype=np.float64)

    def cost(at: FloatArray) -> float:
        normal = _normal(at[0], at[1])
        misfits = [s.weight * _misfit(s, to_voxels, centre + at[2] * normal, normal) for s in surfaces]
        return float(np.sum(misfits))

    starts = [np.array([a, b, 0.0]) for a, b in product(STARTS_DEG, STARTS_DEG)]
    best = min(starts, key=cost)
    simplex = best + np.vstack([np.zeros(3), np.diag([8.0, 8.0, 4.0])])
    found = minimize(
        cost, best, method="Nelder-Mead", options={"initial_simplex": simplex, "xatol": 0.02, "fatol": 1e-5}
    )
    normal = _normal(found.x[0], found.x[1])
    return MidsagittalPlane(np.asarray(centre + found.x[2] * normal), normal)


def _cropped(labels: LabelMap) -> LabelMap:
    box = bounding_box(labels.data > 0)
    affine = labels.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ [span.start for span in box]
    return LabelMap(labels.data[box], affine, labels.table)


def _normal(turn_deg: float, bend_deg: float) -> FloatArray:
    """The right-hand axis of a head turned about the superior and bent about the anterior axis."""
    turn, bend = np.radians([turn_deg, bend_deg])
    return np.array([np.cos(turn) * np.cos(bend), np.sin(turn) * np.cos(bend), np.sin(bend)])


def _surfaces(coarse: LabelMap) -> list[_Surface]:
    names = {label.name: label.index for label in coarse.table}
    masks = [(coarse.data == names[name], weight) for name, weight in MIRRORED.items() if name in names]
    masks = [(mask, weight) for mask, weight in masks if mask.any()]
    rest = 1 - sum(weight for _, weight in masks)
    return [_surface(mask, weight, coarse) for mask, weight in [(coarse.data > 0, rest), *masks]]


def _surface(mask: FloatArray, weight: float, coarse: LabelMap) -> _Surface:
    # The field of view goes on as it ends: where it cuts a structure there is no surface.
    padded = np.pad(mask, 1, mode="edge")
    edge = (padded & ~ndimage.binary_erosion(padded, border_value=1))[1:-1, 1:-1, 1:-1]
    if not edge.any():
        edge = mask
    distance = ndimage.distance_transform_edt(~edge).astype(np.float32) * COARSE_MM
    places = np.argwhere(edge)[:: max(1, round(np.count_nonzero(edge) / MOST_POINTS))]
    points = places @ coarse.affine[:3, :3].T + coarse.affine[:3, 3]
    return _Surface(points, FARTHEST_MM * (1 - np.exp(-distance / FARTHEST_MM)), weight)


def _misfit(surface: _Surface, to_voxels: FloatArray, point: FloatArray, normal: FloatArray) -> float:
    """Mean distance of the mirrored points from the surface."""
    off = (surface.points - point) @ normal
    mirrored = surface.points - 2 * off[:, None] * normal
    voxels = mirrored @ to_voxels[:3, :3].T + to_voxels[:3, 3]
    return float(ndimage.map_coordinates(surface.distance, voxels.T, order=1, mode="nearest").mean())
