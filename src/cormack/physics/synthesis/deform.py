"""Where the voxels of a synthetic image lie in the anatomy: pose, size, and a smooth deformation that cannot fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from cormack.core.volume import FloatArray
from cormack.physics.synthesis.anatomy import FloatImage
from cormack.physics.synthesis.smooth import spline_weights, spread

#: Spacing of the lattice that holds the sum of all displacements (mm).
LATTICE_MM = 10.0


@dataclass(frozen=True, eq=False)
class Bump:
    """A swelling or shrinking around a place: displacement `gain` times the offset, fading as a Gaussian.

    Positive gain enlarges what lies at `centre_mm` (RAS+ mm of the anatomy). `push_mm` moves it as a whole.
    """

    centre_mm: FloatArray
    sigma_mm: FloatArray
    gain: float = 0.0
    push_mm: FloatArray | None = None

    def displacement(self, points: FloatArray) -> FloatArray:
        """Where content is fetched from, relative to each point, shape (..., 3)."""
        offset = points - self.centre_mm
        fade = np.exp(-0.5 * ((offset / self.sigma_mm) ** 2).sum(axis=-1))[..., None]
        moved: FloatArray = -self.gain * offset * fade
        return moved if self.push_mm is None else moved - self.push_mm * fade


def random_bends(
    points: FloatArray, spacing_mm: float, largest_mm: float, rng: np.random.Generator, scale: FloatArray | float = 1.0
) -> FloatArray:
    """Displacements of a random lattice of cubic B-splines at the points of a box, shape (a, b, c, 3).

    Parameters
    ----------
    points : array, shape (a, b, c, 3)
        Evenly spaced places, mm.
    spacing_mm, largest_mm : float
        No fold while the second is below 0.4 of the first.
    """
    low = points.reshape(-1, 3).min(axis=0)
    axes = [points[:, 0, 0, 0], points[0, :, 0, 1], points[0, 0, :, 2]]
    weights = [
        spline_weights((axis - start).astype(np.float32), spacing_mm) for axis, start in zip(axes, low, strict=True)
    ]
    shape = [w.shape[1] for w in weights]
    parts = [spread(rng.uniform(-1, 1, shape).astype(np.float32) * largest_mm, weights) for _ in range(3)]
    return np.asarray(np.stack(parts, axis=-1) * scale, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Pose:
    """From the scanner's millimetres to the anatomy's: x_anatomy = centre + matrix (x - shift)."""

    matrix: FloatArray
    shift_mm: FloatArray
    centre_mm: FloatArray

    def apply(self, points: FloatArray) -> FloatArray:
        """Scanner to anatomy, shape (..., 3)."""
        return np.asarray((points - self.shift_mm) @ self.matrix.T + self.centre_mm)

    def back(self, points: FloatArray) -> FloatArray:
        """Anatomy to scanner, shape (..., 3)."""
        return np.asarray((points - self.centre_mm) @ np.linalg.inv(self.matrix).T + self.shift_mm)

    @classmethod
    def random(
        cls,
        centre_mm: FloatArray,
        degrees: FloatArray,
        scale: FloatArray,
        shift_mm: FloatArray,
        mirrored: bool,
    ) -> Pose:
        """A head turned by angles about (x, y, z), enlarged by `scale` along the anatomy's axes."""
        turn = Rotation.from_euler("xyz", degrees, degrees=True).as_matrix()
        flip = np.diag([-1.0 if mirrored else 1.0, 1.0, 1.0])
        return cls(np.asarray(np.diag(1 / scale) @ flip @ turn.T), shift_mm, centre_mm)


@dataclass(frozen=True, eq=False)
class SampleGrid:
    """Points at which the anatomy is looked up: rows and columns of slices that may lean by a gantry tilt.

    `x`, `y`, `z` are positions along the axes (mm); a point lies at (x, y, z - slope * y).
    """

    x: FloatImage
    y: FloatImage
    z: FloatImage
    slope: float = 0.0

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of points along the three axes."""
        return len(self.x), len(self.y), len(self.z)


def anatomy_voxels(
    grid: SampleGrid,
    pose: Pose,
    affine: FloatArray,
    bends: Sequence[tuple[float, float]],
    bumps: Sequence[Bump],
    rng: np.random.Generator,
) -> list[FloatImage]:
    """Voxel indices of the anatomy at the points of a grid: three float32 arrays of shape (i, j, k).

    Pose and deformation are evaluated on a lattice and carried to the points by cubic B-splines, which reproduce the
    pose exactly.
    """
    axes = (grid.x, grid.y, grid.z)
    weights = [spline_weights(axis - axis[0], LATTICE_MM) for axis in axes]
    places = [axis[0] + (np.arange(w.shape[1]) - 1) * LATTICE_MM for axis, w in zip(axes, weights, strict=True)]
    knots = np.stack(np.meshgrid(*places, indexing="ij"), axis=-1).astype(np.float64)
    straight = knots.copy()
    straight[..., 2] -= grid.slope * straight[..., 1]
    points = pose.apply(straight)
    moved = points.copy()
    for spacing_mm, largest_mm in bends:
        moved += random_bends(knots, spacing_mm, rng.uniform(0.2, 1.0) * largest_mm, rng)
    for bump in bumps:
        moved += bump.displacement(points)
    inverse = np.linalg.inv(affine)
    voxels = moved @ inverse[:3, :3].T + inverse[:3, 3]
    return [spread(np.ascontiguousarray(voxels[..., axis], dtype=np.float32), weights) for axis in range(3)]
