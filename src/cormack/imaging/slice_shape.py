"""The shape of a mask between thick slices: outlines that move from slice to slice, not stairs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cormack.core.volume import FloatArray

#: Distances from an outline are levelled off here (mm): it moves no farther than this from one slice to the next.
FARTHEST_MM = 10.0
#: Slices that lie no farther apart than this many in-plane steps, or than this (mm), need no shape between them.
THIN_STEPS, THIN_MM = 1.5, 1.5


def shape_between_slices(mask: npt.NDArray[np.bool_], affine: FloatArray) -> npt.NDArray[np.float32]:
    """A mask as values that fall from 1 deep inside to 0 far outside and are 0.5 on its outline in every slice.

    Interpolated linearly between slices, the values are 0.5 on the surface of shape-based interpolation as applied to
    binary images (described in Grevera and Udupa 1996, doi 10.1109/42.544506). Where slices are thin, the mask itself
    is returned, as 0 and 1.

    Parameters
    ----------
    mask : bool array, shape (i, j, k)
        Slices along k.
    affine : array, shape (4, 4)
        Voxel indices to RAS+ mm.
    """
    i, j, k = (float(length) for length in np.linalg.norm(affine[:3, :3], axis=0))
    if k <= max(THIN_MM, THIN_STEPS * max(i, j)):
        return mask.astype(np.float32)
    values = np.zeros(mask.shape, dtype=np.float32)
    half_step = (i + j) / 4
    for index in np.flatnonzero(mask.any(axis=(0, 1))):
        inside = np.pad(mask[:, :, index], 1)
        depth = [ndimage.distance_transform_edt(part, sampling=(i, j)) for part in (inside, ~inside)]
        signed = np.where(inside, depth[0] - half_step, half_step - depth[1])[1:-1, 1:-1]
        values[:, :, index] = 0.5 + np.clip(signed / FARTHEST_MM, -1, 1) / 2
    return values
