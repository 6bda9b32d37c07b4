"""Reslicing: a volume on another grid, each value interpolated once."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from cormack.core.volume import FloatArray, Volume


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
