"""Values that mean "nothing was measured here", told from air before anything else looks at the numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cormack.dicom import headers

#: Padding of a CT lies below air; a higher value could be tissue and is not believed.
CT_PADDING_BELOW_HU = -1000.0
#: Fills of images without PixelPaddingValue lie below the lowest value that CT numbers of 12 bits can take.
FILL_BELOW_HU = -1024.0
#: A fill is believed when so many of all slices have it in at least one of their corners.
FILL_SLICE_SHARE = 0.5


def stated_padding(dataset: Any, stored: npt.NDArray[Any], slope: float, intercept: float) -> frozenset[float]:
    """PixelPaddingValue (0028,0120) rescaled; with PixelPaddingRangeLimit every value of the range that occurs.

    Parameters
    ----------
    dataset : pydicom Dataset
    stored : array, shape (rows, columns)
        Stored values, before rescaling.
    slope, intercept : float
    """
    value = _stored(dataset, "PixelPaddingValue")
    if value is None:
        return frozenset()
    limit = _stored(dataset, "PixelPaddingRangeLimit")
    if limit is None:
        return frozenset({value * slope + intercept})
    low, high = sorted((value, limit))
    inside = np.unique(stored[(stored >= low) & (stored <= high)])
    return frozenset({float(v) * slope + intercept for v in inside} | {value * slope + intercept})


def _stored(dataset: Any, keyword: str) -> int | None:
    """A stored value whose VR (US or SS) may not fit PixelRepresentation: read it as the pixels are read."""
    value = headers.integer(dataset, keyword)
    if value is None:
        return None
    bits = headers.integer(dataset, "BitsAllocated") or 16
    signed = headers.integer(dataset, "PixelRepresentation") == 1
    value &= (1 << bits) - 1
    return value - (1 << bits) if signed and value >> (bits - 1) else value


def conventional_fill(data: npt.NDArray[Any]) -> float | None:
    """A value below −1024 HU that fills the corners of the slices, as scanners do outside the round field of view.

    Parameters
    ----------
    data : array, shape (k, j, i), HU

    Returns
    -------
    float or None
        −1500, −2000, −2048, −3024 or whatever constant is really there; None if there is none.
    """
    corners = data[:, [0, 0, -1, -1], [0, -1, 0, -1]]
    found, counts = np.unique(corners[corners < FILL_BELOW_HU], return_counts=True)
    if found.size == 0:
        return None
    fill = found[counts.argmax()]
    share = float(np.mean((corners == fill).any(axis=1)))
    return float(fill) if share >= FILL_SLICE_SHARE else None
