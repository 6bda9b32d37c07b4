"""Interpolation along one axis as a sparse matrix: which old samples make each new one, and how much of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cormack.core.volume import FloatArray

if TYPE_CHECKING:
    from scipy import sparse

#: Keys' cubic convolution with the parameter that reproduces quadratics (Keys 1981, doi 10.1109/TASSP.1981.1163711).
KEYS_A = -0.5
#: Half the support of a kernel, in samples, by its order.
SUPPORT = {1: 1, 3: 2}


def interpolation_weights(centres: FloatArray, old: int, *, width: float = 1.0, order: int = 1) -> sparse.csr_array:
    """Weights that interpolate `old` samples at `centres`; shape (len(centres), old).

    Parameters
    ----------
    centres : array, shape (n,)
        Positions of the new samples, in units of old samples.
    old : int
        Number of old samples.
    width : float
        At least 1: the kernel is stretched by this where samples become fewer, so that detail is averaged, not aliased.
    order : 1 linear, 3 cubic convolution

    Returns
    -------
    sparse array
        Rows sum to 1 for centres from the first to the last sample; to less beyond, where samples are lacking.
    """
    # Loaded when first needed: slices that lie on the grid already need no weights, and the import takes a while.
    from scipy import sparse

    reach = int(np.ceil(SUPPORT[order] * width))
    columns = np.floor(centres)[:, None].astype(np.intp) + np.arange(-reach, reach + 2)[None, :]
    weights = kernel(np.abs(columns - centres[:, None]) / width, order)
    weights /= weights.sum(axis=1, keepdims=True)
    rows = np.broadcast_to(np.arange(len(centres))[:, None], columns.shape)
    present = (columns >= 0) & (columns < old)
    inside = (centres >= 0) & (centres <= old - 1)
    weights[inside] /= (weights * present).sum(axis=1, keepdims=True)[inside]
    kept = present & (weights != 0)
    matrix = sparse.coo_array((weights[kept], (rows[kept], columns[kept])), shape=(len(centres), old))
    return sparse.csr_array(matrix, dtype=np.float32)


def kernel(distance: FloatArray, order: int) -> FloatArray:
    """Interpolation kernel at a distance from its centre, in samples: triangle (1) or Keys' cubic (3)."""
    if order == 1:
        return np.clip(1.0 - distance, 0.0, None)
    near = ((KEYS_A + 2) * distance - (KEYS_A + 3)) * distance**2 + 1
    far = ((KEYS_A * distance - 5 * KEYS_A) * distance + 8 * KEYS_A) * distance - 4 * KEYS_A
    return np.where(distance <= 1, near, np.where(distance < 2, far, 0.0))
