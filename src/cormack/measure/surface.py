"""Surfaces of masks: their voxels and area elements, and the distances from one to another."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np
import numpy.typing as npt

from cormack.core.volume import FloatArray
from cormack.measure.boxes import BoolArray

IndexArray = npt.NDArray[np.intp]

#: Processor threads that look for nearest neighbours.
THREADS = 2
#: Distances that exceed a tolerance by less than this do so by rounding (mm).
ROUNDING_MM = 1e-6


@dataclass(frozen=True, eq=False)
class SurfaceDistances:
    """Distance of every element of two surfaces to the other surface (mm), and how much each element counts.

    Attributes
    ----------
    to_second, to_first : array, shape (elements,)
        Of the first surface to the second, and the reverse.
    first_weights, second_weights : array, shape (elements,)
        1 for voxels, areas in mm² for area elements.
    """

    to_second: FloatArray
    to_first: FloatArray
    first_weights: FloatArray
    second_weights: FloatArray

    @property
    def mean_mm(self) -> float:
        """Average symmetric distance: the weighted mean over both surfaces."""
        total = self.first_weights.sum() + self.second_weights.sum()
        return float((self.to_second @ self.first_weights + self.to_first @ self.second_weights) / total)

    def percentile_mm(self, percentile: float) -> float:
        """The greater of the percentiles of both directions; 100 is the Hausdorff distance. Weights do not count."""
        return float(max(np.percentile(self.to_second, percentile), np.percentile(self.to_first, percentile)))

    def share_within(self, tolerance_mm: float) -> float:
        """Weighted share of both surfaces that lies no farther from the other one than the tolerance."""
        limit_mm = tolerance_mm + ROUNDING_MM
        near = (
            self.first_weights[self.to_second <= limit_mm].sum() + self.second_weights[self.to_first <= limit_mm].sum()
        )
        return float(near / (self.first_weights.sum() + self.second_weights.sum()))


def voxel_distances(
    first: BoolArray, second: BoolArray, steps_mm: FloatArray, *, flat: bool = False
) -> SurfaceDistances:
    """Distances between the voxels on the surfaces of two masks; arguments as `area_distances`."""
    edges = [boundary(mask, flat=flat) for mask in (first, second)]
    places = [np.argwhere(edge) for edge in edges]
    to_second = _nearest_mm(places[0], edges[1][edges[0]], places[1], steps_mm)
    to_first = _nearest_mm(places[1], edges[0][edges[1]], places[0], steps_mm)
    return SurfaceDistances(to_second, to_first, np.ones(len(to_second)), np.ones(len(to_first)))


def area_distances(
    first: BoolArray, second: BoolArray, steps_mm: FloatArray, *, flat: bool = False
) -> SurfaceDistances:
    """Distances between the area elements of the surfaces of two masks, after Nikolov et al. 2021 (doi 10.2196/26151).

    An element lies where eight voxels meet that are not all inside or all outside; its area is that of the marching
    cubes' triangles there.

    Parameters
    ----------
    first, second : bool array, shape (i, j, k)
        Neither empty; what lies beyond the array counts as outside.
    steps_mm : array, shape (3, 3)
        Columns are the voxel steps in millimetres; they need not be at right angles.
    flat : bool
        The masks go on unchanged beyond the array along k: surfaces have no faces there, as in a single slice.
    """
    codes = [_codes(mask, flat=flat) for mask in (first, second)]
    edges = [(code > 0) & (code < 255) for code in codes]
    places = [np.argwhere(edge) for edge in edges]
    areas = _areas_mm2(steps_mm)
    return SurfaceDistances(
        _nearest_mm(places[0], edges[1][edges[0]], places[1], steps_mm),
        _nearest_mm(places[1], edges[0][edges[1]], places[0], steps_mm),
        areas[codes[0][edges[0]]],
        areas[codes[1][edges[1]]],
    )


def boundary(mask: BoolArray, *, flat: bool = False) -> BoolArray:
    """Voxels of a mask with a face neighbour outside it, shape (i, j, k); `flat` as in `area_distances`."""
    inside = mask.copy(order="K")
    for axis in range(2 if flat else 3):
        along, kept = np.moveaxis(mask, axis, 0), np.moveaxis(inside, axis, 0)
        kept[1:] &= along[:-1]
        kept[:-1] &= along[1:]
        kept[0] = kept[-1] = False
    return np.asarray(mask & ~inside)


def _nearest_mm(places: IndexArray, shared: BoolArray, others: IndexArray, steps_mm: FloatArray) -> FloatArray:
    """Distance of each place to the nearest of the others; 0 without a search where both share the place."""
    # Loaded when first needed: it takes a while.
    from scipy.spatial import cKDTree

    distances = np.zeros(len(places))
    apart = ~shared
    if apart.any():
        tree = cKDTree(others @ steps_mm.T, balanced_tree=False, compact_nodes=False)
        distances[apart] = tree.query(places[apart] @ steps_mm.T, workers=THREADS)[0]
    return distances


def _codes(mask: BoolArray, *, flat: bool) -> npt.NDArray[np.uint8]:
    """Which of the eight voxels that meet at each corner of the grid are inside, one bit each."""
    padded = np.pad(mask, ((1, 1), (1, 1), (0, 0) if flat else (1, 1))).view(np.uint8)
    if flat:
        # One layer of corners per slice: each slice is paired with itself.
        padded = np.repeat(padded, 2, axis=2)
    i, j, k = (n - 1 for n in padded.shape)
    # In the memory order of the mask: elementwise work on arrays of different order is several times slower.
    codes = np.zeros((i, j, k), dtype=np.uint8, order="F" if padded.flags.f_contiguous else "C")
    for bit, (a, b, c) in enumerate(product((0, 1), repeat=3)):
        codes += padded[a : a + i, b : b + j, c : c + k] * np.uint8(1 << bit)
    return codes[:, :, ::2] if flat else codes


def _areas_mm2(steps_mm: FloatArray) -> FloatArray:
    """Area of the surface within a cube of eight voxels for each of the 256 patterns."""
    areas = np.zeros(256)
    for code, triangles in _triangles().items():
        corners = triangles @ steps_mm.T
        normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        areas[code] = np.linalg.norm(normals, axis=1).sum() / 2
    # Where diagonal neighbours leave a choice, the smaller surface: the same whichever side counts as inside.
    return np.minimum(areas, areas[::-1])


@lru_cache(maxsize=1)
def _triangles() -> dict[int, FloatArray]:
    """Triangles of marching cubes at half height for every pattern but all outside and all inside, in voxel steps."""
    from skimage.measure import marching_cubes

    found = {}
    for code in range(1, 255):
        cube = np.array([code >> bit & 1 for bit in range(8)], dtype=np.float32).reshape(2, 2, 2)
        vertices, faces, _, _ = marching_cubes(cube, 0.5, method="lorensen")
        found[code] = np.asarray(vertices[faces], dtype=np.float64)
    return found
