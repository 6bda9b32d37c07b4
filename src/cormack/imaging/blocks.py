"""Means of blocks of voxels: less noise and less to look at, where detail does not count."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from cormack.core.volume import AnyArray


def block_mean(data: AnyArray, factors: tuple[int, int, int]) -> npt.NDArray[np.float32]:
    """Mean of blocks of voxels, shape // factors (a last incomplete block is dropped), as float32."""
    a, b, c = (n // f for n, f in zip(data.shape, factors, strict=True))
    fa, fb, fc = factors
    order: Literal["C", "F"] = "F" if abs(data.strides[0]) < abs(data.strides[2]) else "C"
    total = np.zeros((a, b, c), dtype=np.int32 if data.dtype.kind in "bui" else np.float32, order=order)
    # Adding strided views is several times faster than reducing a reshaped six-dimensional array.
    for i in range(fa):
        for j in range(fb):
            for k in range(fc):
                total += data[i : a * fa : fa, j : b * fb : fb, k : c * fc : fc]
    return total.astype(np.float32) / np.float32(fa * fb * fc)
