"""The grid within the planes of a rectified volume: padded, so that it holds every slice of a tilted stack."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cormack.core.volume import GRID_TOLERANCE_MM, FloatArray


@dataclass(frozen=True, eq=False)
class PlaneGrid:
    """The grid within a plane: where it begins, its shape, and where its voxels lie in each slice (voxels)."""

    first_mm: FloatArray
    shape: tuple[int, int]
    ratio: FloatArray
    starts: FloatArray

    def is_whole(self, k: int) -> bool:
        """True if the voxels of slice k lie on the grid."""
        return bool(np.all(self.ratio == 1) and not np.any(self.starts[k] % 1))

    def centres(self, k: int, axis: int) -> FloatArray:
        """Positions of the plane's voxels along an axis, in voxels of slice k."""
        return np.asarray(self.starts[k, axis] + np.arange(self.shape[axis]) * self.ratio[axis])


def in_plane_grid(offsets: FloatArray, pixel: FloatArray, new_pixel: FloatArray, shape: tuple[int, ...]) -> PlaneGrid:
    """The padded grid; `offsets` (shape (k, 2), mm) say where the slices begin within the plane."""
    spread = np.ptp(offsets, axis=0)
    still = spread < GRID_TOLERANCE_MM
    first = np.where(still, 0.0, offsets.min(axis=0))
    extent = (np.array(shape) - 1) * pixel + np.where(still, 0.0, spread)
    counts = np.ceil(extent / new_pixel - 1e-6).astype(int) + 1
    starts = np.where(still, 0.0, (first - offsets) / pixel)
    near = np.rint(starts)
    starts = np.where(np.abs(starts - near) * pixel < GRID_TOLERANCE_MM, near, starts)
    return PlaneGrid(first, (int(counts[0]), int(counts[1])), new_pixel / pixel, starts)
