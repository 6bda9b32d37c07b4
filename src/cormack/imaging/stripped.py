"""Scans without a skull: brains that were extracted before, one constant all around them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cormack.core.errors import ValuesError
from cormack.core.volume import AnyArray
from cormack.imaging.workgrid import largest_component

BoolArray = npt.NDArray[np.bool_]

#: Share of the array's border that holds the one constant: a brain may be cut by the field of view.
BORDER_SHARE = 0.85
#: What is left of a brain when its skull is gone (HU), and the share of all values that lie there.
BRAIN_HU, BRAIN_SHARE = (-40.0, 160.0), 0.85
#: The middle of all values of a brain, and the span that holds eight tenths of them (HU); MR of any scale spans more.
MEDIAN_HU, SPAN_HU = (10.0, 80.0), 70.0
#: On every so many voxels values are looked at.
_THIN = 3


def outside_of_brain(data: AnyArray) -> float | None:
    """The constant around a brain that was extracted before; None if the array holds a whole head, or none at all.

    Parameters
    ----------
    data : array, shape (i, j, k)
        CT in HU; NaN counts as a constant.

    Raises
    ------
    ValuesError
        If a brain alone is there whose values are no Hounsfield units.
    """
    faces = [np.take(data, index, axis=axis).ravel() for axis in range(3) for index in (0, -1)]
    border = np.concatenate(faces)
    finite = border[np.isfinite(border)]
    values, counts = np.unique(finite, return_counts=True)
    held = float(counts.max()) if len(counts) else 0.0
    missing = border.size - finite.size
    constant = float("nan") if missing > held else float(values[counts.argmax()])
    if max(held, missing) < BORDER_SHARE * border.size:
        return None
    thin = data[::_THIN, ::_THIN, ::_THIN]
    rest = thin[np.isfinite(thin) & (thin != constant)].astype(np.float32)
    inside = (rest > BRAIN_HU[0]) & (rest < BRAIN_HU[1])
    if not rest.size or np.count_nonzero(inside) < BRAIN_SHARE * rest.size:
        return None
    low, middle, high = np.percentile(rest, [10, 50, 90])
    if not MEDIAN_HU[0] <= middle <= MEDIAN_HU[1] or high - low > SPAN_HU:
        raise ValuesError(
            f"the image shows a brain alone; its values have the median {middle:.0f} and span {high - low:.0f}; "
            "a brain on CT has 30 to 40 HU: this looks like an MR, or a CT stored without its rescale intercept"
        )
    return constant


def alone(data: AnyArray, constant: float) -> BoolArray:
    """Where the brain is in an array that holds a brain alone: the largest piece, without holes; shape (i, j, k)."""
    filled = ~np.isnan(data) if np.isnan(constant) else data != constant
    return np.asarray(ndimage.binary_fill_holes(largest_component(np.asarray(filled))))
