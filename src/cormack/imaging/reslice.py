"""Reslicing: a volume on another grid, each value interpolated once."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from cormack.core.volume import AnyArray, FloatArray, Volume

#: Voxels that meet others to this share of a voxel are the same.
SAME_VOXELS = 1e-3


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
    resliced = _moved(data, to_source, shape, volume.outside)
    if resliced is None:
        resliced = ndimage.affine_transform(
            data,
            to_source[:3, :3],
            to_source[:3, 3],
            output_shape=shape,
            order=order,
            mode="constant",
            cval=volume.outside,
        )
    return Volume(resliced, affine, unit=volume.unit, outside=volume.outside, acquisition=volume.acquisition)


def _moved(data: AnyArray, to_source: AnyArray, shape: tuple[int, int, int], outside: float) -> AnyArray | None:
    """The values where the new voxels are the old ones in another order, else None: nothing is to be interpolated."""
    turn, shift = np.rint(to_source[:3, :3]), np.rint(to_source[:3, 3])
    largest = np.abs(to_source[:3, :3] - turn) @ np.array(shape) + np.abs(to_source[:3, 3] - shift)
    if largest.max() > SAME_VOXELS or not np.array_equal(np.abs(turn).sum(axis=0), [1, 1, 1]):
        return None
    if not np.array_equal(np.abs(turn).sum(axis=1), [1, 1, 1]):
        return None
    axes = [int(a) for a in np.abs(turn).argmax(axis=0)]
    result = np.full(shape, outside, dtype=data.dtype)
    there, here = [], []
    for axis, size in zip(axes, shape, strict=True):
        start, length, ahead = int(shift[axis]), data.shape[axis], turn[axis, axes.index(axis)] > 0
        low = max(0, -start) if ahead else max(0, start - length + 1)
        high = max(low, min(size, length - start) if ahead else min(size, start + 1))
        there.append(slice(low, high))
        first = low + start if ahead else start - high + 1
        part = slice(first, first + high - low)
        here.append((part, slice(None, None, 1 if ahead else -1)))
    taken = np.transpose(data, axes)[tuple(part for part, _ in here)][tuple(step for _, step in here)]
    result[tuple(there)] = taken
    return result
