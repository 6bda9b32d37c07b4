"""A potential between the inside and the outside of the skull: where it is one half, the skull is closed.

The inside is held at 1 and the outside at 0; soft tissue conducts, bone, fat and air resist. Through an intact vault
the potential falls within the bone; in a foramen, a fissure or a fracture it falls where the passage is narrowest, so
that the surface of one half bridges each hole smoothly. This is the random walker of Grady 2006
(doi 10.1109/TPAMI.2006.233) with resistances from Hounsfield units.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.linalg import cg

BoolArray = npt.NDArray[np.bool_]
FloatImage = npt.NDArray[np.float32]

#: HU between which tissue conducts freely: cerebrospinal fluid to clotted blood.
SOFT_HU = (-15.0, 60.0)
#: HU beyond the soft range at which the resistance has doubled, towards fat and air and towards bone.
FALL_HU = (20.0, 25.0)


def resistance(hu: npt.NDArray[Any]) -> FloatImage:
    """Resistance of tissue by its Hounsfield units: 1 for brain, 20 for fat, about 100 at 300 HU, 1000s for bone."""
    index = np.clip(hu, _LOWEST, -_LOWEST * 3).astype(np.intp) - _LOWEST
    return np.asarray(_RESISTANCE[index])


_LOWEST = -1024
_HU = np.arange(_LOWEST, -_LOWEST * 3 + 1, dtype=np.float32)
_RESISTANCE = (
    1.0 + (np.maximum(SOFT_HU[0] - _HU, 0) / FALL_HU[0]) ** 2 + (np.maximum(_HU - SOFT_HU[1], 0) / FALL_HU[1]) ** 2
).astype(np.float32)


def potential(
    resistances: FloatImage,
    inside: BoolArray,
    outside: BoolArray,
    spacing_mm: tuple[float, float, float],
    *,
    tolerance: float = 1e-3,
    iterations: int = 600,
) -> FloatImage:
    """Solve the potential between `inside` (1) and `outside` (0); the border of the array is insulated.

    Parameters
    ----------
    resistances : float array, shape (i, j, k)
        Resistance of every voxel, at least 1.
    inside, outside : bool array, shape (i, j, k)
    spacing_mm : three floats
    tolerance : float
        Relative residual at which the conjugate gradients stop.

    Returns
    -------
    float32 array, shape (i, j, k)
        0 to 1.
    """
    free = ~(inside | outside)
    n = int(np.count_nonzero(free))
    result = inside.astype(np.float32)
    if n == 0 or not inside.any():
        return result
    index = np.full(resistances.shape, -1, dtype=np.int32)
    index[free] = np.arange(n, dtype=np.int32)
    total = np.zeros(n)
    source = np.zeros(n)
    rows, columns, weights = [], [], []
    for axis in range(3):
        low, high = _neighbours(axis)
        conductance = 2.0 / (resistances[low] + resistances[high]) / np.float32(spacing_mm[axis] ** 2)
        a, b = index[low], index[high]
        for one, held in ((a, inside[high]), (b, inside[low])):
            known = one >= 0
            total += np.bincount(one[known], weights=conductance[known], minlength=n)
            fed = known & held
            source += np.bincount(one[fed], weights=conductance[fed], minlength=n)
        both = (a >= 0) & (b >= 0)
        rows.append(a[both])
        columns.append(b[both])
        weights.append(conductance[both])
    # Scaled on both sides by the diagonal (Jacobi): resistances span four decades, and this takes that span out.
    scale = 1.0 / np.sqrt(np.maximum(total, 1e-12))
    row, column = np.concatenate(rows), np.concatenate(columns)
    off = sparse.coo_matrix(
        (-np.concatenate(weights) * scale[row] * scale[column], (row, column)), shape=(n, n)
    ).tocsr()
    matrix = (off + off.T + sparse.identity(n, format="csr")).astype(np.float32)
    solution, _ = cg(matrix, source * scale, x0=0.5 / scale, rtol=tolerance, maxiter=iterations)
    result[free] = np.clip(solution * scale, 0.0, 1.0)
    return result


def _neighbours(axis: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    low = tuple(slice(None, -1) if a == axis else slice(None) for a in range(3))
    high = tuple(slice(1, None) if a == axis else slice(None) for a in range(3))
    return low, high
