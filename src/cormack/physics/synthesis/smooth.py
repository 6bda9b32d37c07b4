"""Smooth random fields and displacements from lattices of cubic B-splines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cormack.physics.synthesis.anatomy import BoolArray, FloatImage

Places = npt.NDArray[np.floating[Any]] | float

#: Displacements of lattice points below this share of the lattice's spacing cannot fold in 3-D
#: (Choi and Lee 2000, doi 10.1007/s003710050185).
INJECTIVE_SHARE = 0.40


def spline_weights(places: FloatImage, spacing: float) -> FloatImage:
    """Weights of a lattice of cubic B-splines at places along one axis, shape (places, lattice points).

    Parameters
    ----------
    places : float array, shape (n,)
        Not negative; lattice point m lies at (m - 1) times the spacing.
    spacing : float
    """
    cells = places / spacing
    count = int(np.floor(cells.max())) + 4
    offset = np.abs(cells[:, None] + 1 - np.arange(count)[None, :])
    near = 2 / 3 - offset**2 + offset**3 / 2
    far = np.clip(2 - offset, 0, None) ** 3 / 6
    return np.asarray(np.where(offset < 1, near, far), dtype=np.float32)


def lattice_shape(shape: Sequence[int], spacing: float) -> tuple[int, int, int]:
    """Number of lattice points that a grid needs, spacing in voxels."""
    i, j, k = (int(np.floor((n - 1) / spacing)) + 4 for n in shape)
    return i, j, k


def spread(lattice: FloatImage, weights: Sequence[FloatImage]) -> FloatImage:
    """A lattice, shape (a, b, c), evaluated on a grid, shape (i, j, k)."""
    wi, wj, wk = weights
    rows = np.tensordot(wi, lattice, axes=(1, 0))
    planes = np.matmul(wj, rows)
    return np.asarray(np.matmul(planes, wk.T), dtype=np.float32)


def smooth_field(shape: Sequence[int], spacing: float, rng: np.random.Generator) -> FloatImage:
    """A random field of mean 0 and standard deviation of about 1, smooth over `spacing` voxels, shape (i, j, k)."""
    lattice = rng.standard_normal(lattice_shape(shape, spacing), dtype=np.float32)
    weights = [spline_weights(np.arange(n, dtype=np.float32), spacing) for n in shape]
    # Sum of squares of the spline's weights, averaged over a cell, is 0.479 along each axis.
    return spread(lattice, weights) * np.float32(0.479**-1.5)


def distance(mask: BoolArray) -> FloatImage:
    """Distance of every voxel of a mask to the nearest one outside it, in voxels, 0 outside; none outside: far."""
    if mask.all():
        return np.full(mask.shape, 1e3, dtype=np.float32)
    return np.asarray(ndimage.distance_transform_edt(mask), dtype=np.float32)


def signed(mask: BoolArray) -> FloatImage:
    """Signed distance to a mask's surface in voxels, positive inside."""
    inside, outside = distance(mask), distance(~mask)
    return np.asarray(np.where(mask, inside - 0.5, 0.5 - outside), dtype=np.float32)


def largest(mask: BoolArray) -> BoolArray:
    """The largest connected part of a mask (six neighbours)."""
    parts, count = ndimage.label(mask)
    if count < 2:
        return mask
    sizes = np.bincount(parts.ravel())
    sizes[0] = 0
    return np.asarray(parts == sizes.argmax())


def ellipse(x: Places, y: Places, a: Places, b: Places) -> FloatImage:
    """Approximate signed distance to an ellipse with semi-axes a and b, negative inside."""
    radius = np.sqrt((x / a) ** 2 + (y / b) ** 2)
    return np.asarray((radius - 1) * np.minimum(a, b), dtype=np.float32)
