"""Reslicing: a volume on another grid, each value interpolated once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import ndimage, sparse

from cormack.core.errors import InputError
from cormack.core.volume import AnyArray, FloatArray, Volume
from cormack.imaging.weights import interpolation_weights


def to_spacing(volume: Volume, spacing_mm: Sequence[float]) -> Volume:
    """The volume with voxels of (about) another size, over the same field of view.

    Linear interpolation where voxels become smaller, a triangle as wide as two new voxels where they become larger, so
    that fine detail is averaged and not aliased. The true new spacing is the volume's extent over a whole number of
    voxels.

    Parameters
    ----------
    volume : Volume
        Any data type; the result is float32, shape (i, j, k).
    spacing_mm : three numbers
        Wanted voxel size along (i, j, k) in millimetres.

    Raises
    ------
    InputError
        If a spacing is not positive.
    """
    wanted = np.asarray(spacing_mm, dtype=np.float64)
    if wanted.shape != (3,) or not (wanted > 0).all():
        raise InputError(f"spacing {spacing_mm!r}: give three positive numbers of millimetres")
    old = np.asarray(volume.shape)
    new = np.maximum(1, np.rint(old * np.asarray(volume.spacing_mm) / wanted).astype(int))
    scale = old / new
    data = np.asarray(volume.data)
    for axis in np.argsort(new / old):
        data = _along_axis(data, axis_weights(int(old[axis]), int(new[axis])), int(axis))
    affine = volume.affine.copy()
    affine[:3, :3] = volume.affine[:3, :3] * scale
    affine[:3, 3] = volume.world((scale - 1) / 2)
    return Volume(data, affine, unit=volume.unit, outside=volume.outside, acquisition=volume.acquisition)


def axis_weights(old: int, new: int) -> sparse.csr_array:
    """Sparse matrix of shape (new, old) that resamples one axis over the same extent; rows sum to 1."""
    scale = old / new
    centres = np.asarray((np.arange(new) + 0.5) * scale - 0.5, dtype=np.float64)
    weights = interpolation_weights(centres, old, width=max(1.0, scale))
    return sparse.csr_array(weights.multiply(1.0 / weights.sum(axis=1)[:, None]), dtype=np.float32)


def _along_axis(data: AnyArray, weights: sparse.csr_array, axis: int) -> npt.NDArray[np.float32]:
    moved = np.moveaxis(data, axis, 0)
    flat = np.ascontiguousarray(moved.reshape(moved.shape[0], -1), dtype=np.float32)
    out = np.asarray(weights @ flat).reshape(weights.shape[0], *moved.shape[1:])
    return np.asarray(np.moveaxis(out, 0, axis), dtype=np.float32)


def reslice(volume: Volume, affine: FloatArray, shape: tuple[int, int, int], *, order: int = 1) -> Volume:
    """The volume on any other grid.

    Parameters
    ----------
    volume : Volume
    affine : array, shape (4, 4)
        The new grid: voxel indices to RAS+ millimetres.
    shape : (i, j, k)
    order : 0 nearest, 1 linear, 3 cubic
        0 for labels; the data type is kept for 0 and becomes float32 otherwise.
    """
    to_source = np.linalg.inv(volume.affine) @ np.asarray(affine, dtype=np.float64)
    data = volume.data if order == 0 else np.asarray(volume.data, dtype=np.float32)
    resliced = ndimage.affine_transform(
        data, to_source[:3, :3], to_source[:3, 3], output_shape=shape, order=order, mode="constant", cval=volume.outside
    )
    return Volume(resliced, affine, unit=volume.unit, outside=volume.outside, acquisition=volume.acquisition)
