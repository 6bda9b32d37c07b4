"""Resampling to isotropic voxels of exactly the size asked for."""

from __future__ import annotations

from typing import overload

import numpy as np
import numpy.typing as npt

from cormack.core.errors import InputError
from cormack.core.labels import LabelMap
from cormack.core.transforms import Affine
from cormack.core.volume import FloatArray, Volume
from cormack.imaging.filters import check_positive
from cormack.imaging.warp import warp

#: A grid of more voxels than this is refused: the spacing is a slip, or the result would not fit into memory.
MAX_VOXELS = 2_000_000_000
#: An edge that reaches less than this share of a voxel beyond the last one gets no voxel of its own.
_OVERHANG = 1e-3


@overload
def resample(image: Volume, spacing_mm: float, *, order: int = ...) -> Volume: ...
@overload
def resample(image: LabelMap, spacing_mm: float, *, order: int = ...) -> LabelMap: ...
def resample(image: Volume | LabelMap, spacing_mm: float, *, order: int = 1) -> Volume | LabelMap:
    """A volume or label map on cubic voxels whose edge is exactly `spacing_mm`.

    The field of view is kept to within a voxel, and centred: since its extent is seldom a whole number of new voxels,
    either that or the spacing must give way. Programs that keep the extent change the spacing and often state the one
    that was asked for; here the affine says what is true. Larger voxels are averaged, not picked (`warp`). A sheared
    grid becomes orthogonal.

    Parameters
    ----------
    image : Volume or LabelMap
        Shape (i, j, k).
    spacing_mm : float
    order : 0 nearest, 1 linear, 3 cubic spline
        Of labels, 1 takes the one with the largest share; cubic values stay within those that were measured.

    Raises
    ------
    InputError
        If the spacing is not positive, or the order not among these.

    Examples
    --------
    >>> coarse = Volume(np.zeros((10, 10, 4), np.int16), np.diag([0.7, 0.7, 2.5, 1.0]))
    >>> fine = resample(coarse, 1.0)
    >>> fine.shape, fine.spacing_mm
    ((7, 7, 10), (1.0, 1.0, 1.0))
    """
    affine, shape = isotropic_grid(image.affine, image.data.shape, spacing_mm)
    if isinstance(image, LabelMap):
        return warp(image, Affine.identity(), affine, shape, order=order)
    result = warp(image, Affine.identity(), affine, shape, order=order)
    if order == 3:
        np.clip(result.data, image.data.min(), image.data.max(), out=result.data)
    return result


def isotropic_grid(
    affine: npt.ArrayLike, shape: tuple[int, ...], spacing_mm: float
) -> tuple[FloatArray, tuple[int, int, int]]:
    """The grid of cubic voxels that covers another one: its affine to RAS+ mm, and its shape.

    Its axes are those of the other grid, made orthogonal by keeping the slices' plane and its first axis.

    Raises
    ------
    InputError
        If the spacing is not positive, or so small that the grid could not be held.
    """
    check_positive(spacing_mm, "the spacing", "millimetres")
    given = np.asarray(affine, dtype=np.float64)
    axes = _orthonormal(given[:3, :3])
    corners = np.stack(np.meshgrid(*((-0.5, n - 0.5) for n in shape), indexing="ij"), axis=-1).reshape(-1, 3)
    along = (corners @ given[:3, :3].T + given[:3, 3]) @ axes
    low, high = along.min(axis=0), along.max(axis=0)
    counts = np.maximum(1, np.ceil((high - low) / spacing_mm - _OVERHANG)).astype(int)
    if float(np.prod(counts, dtype=np.float64)) > MAX_VOXELS:
        size = " x ".join(str(n) for n in counts)
        raise InputError(f"a spacing of {spacing_mm:g} mm makes {size} voxels, more than {MAX_VOXELS:.0e}; enlarge it")
    first = (low + high) / 2 - (counts - 1) / 2 * spacing_mm
    grid = np.eye(4)
    grid[:3, :3], grid[:3, 3] = axes * spacing_mm, axes @ first
    return grid, (int(counts[0]), int(counts[1]), int(counts[2]))


def _orthonormal(columns: FloatArray) -> FloatArray:
    """Unit vectors along i, in the plane of i and j, and along its normal, each on the side of its column."""
    i = columns[:, 0] / np.linalg.norm(columns[:, 0])
    j = columns[:, 1] - i * (i @ columns[:, 1])
    j /= np.linalg.norm(j)
    k = np.cross(i, j)
    return np.column_stack([i, j, k if k @ columns[:, 2] > 0 else -k])
