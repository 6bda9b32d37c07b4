"""Lungs slice by slice: two clusters of values, erosion and dilation, rules on boxes. Kept to compare with.

The recipe of Chen's tutorial "DICOM processing and segmentation in Python" (2017, after the tutorial of the Data
Science Bowl 2017), step by step. It loses nodules at the wall and keeps the trachea; see `lungs3d` for a method that
does not.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cormack.core.volume import AnyArray
from cormack.imaging.workgrid import BoolArray

#: Edges of the square footprints (pixels) at the matrix that the recipe was written for.
EROSION, DILATION, LAST_DILATION = 3, 8, 10
MATRIX = 512
#: The middle of an image: from this share of its rows and columns to that one.
MIDDLE = (1 / 5, 4 / 5)
#: Regions are lower and narrower than this share of the image.
LARGEST_BOX = 9 / 10


def lungs_by_slices(data: AnyArray) -> BoolArray:
    """Both lungs as one mask.

    Parameters
    ----------
    data : array, shape (i, j, k)
        HU, axes closest to R, A, S.

    Returns
    -------
    bool array, shape (i, j, k)
    """
    found = np.zeros(data.shape, dtype=bool)
    for k in range(data.shape[2]):
        # As images are shown: rows from anterior to posterior, columns from right to left.
        shown = np.nan_to_num(data[::-1, ::-1, k].T.astype(np.float64), nan=-1024.0)
        found[:, :, k] = lung_mask_of_slice(shown).T[::-1, ::-1]
    return found


def lung_mask_of_slice(image: npt.NDArray[np.float64]) -> BoolArray:
    """The recipe for one image of shape (rows, columns); footprints scaled where it has not 512 rows."""
    rows, columns = image.shape
    deviation = image.std()
    if deviation == 0:
        return np.zeros(image.shape, dtype=bool)
    image = (image - image.mean()) / deviation
    # The recipe takes its bounds of rows from the columns and the other way round: the same on square images.
    middle = image[_span(columns), _span(rows)]
    if middle.size == 0:
        return np.zeros((rows, columns), dtype=bool)
    mean, highest, lowest = middle.mean(), image.max(), image.min()
    image[(image == highest) | (image == lowest)] = mean
    dark = image < _two_means_threshold(middle)
    scale = rows / MATRIX
    mask = _dilated(_eroded(dark, _footprint(EROSION, scale)), _footprint(DILATION, scale))
    labels, _ = ndimage.label(mask, np.ones((3, 3)))
    kept = np.zeros((rows, columns), dtype=bool)
    for n, (down, across) in enumerate(ndimage.find_objects(labels), start=1):
        small = down.stop - down.start < LARGEST_BOX * rows and across.stop - across.start < LARGEST_BOX * columns
        if small and down.start > MIDDLE[0] * rows and down.stop < MIDDLE[1] * columns:
            kept |= labels == n
    return _dilated(kept, _footprint(LAST_DILATION, scale))


def _span(count: int) -> slice:
    return slice(int(MIDDLE[0] * count), int(MIDDLE[1] * count))


def _footprint(edge: int, scale: float) -> int:
    return max(1, round(edge * scale))


def _two_means_threshold(values: npt.NDArray[np.float64]) -> float:
    """The middle between the means of the two clusters of least variance: k-means with k = 2, solved exactly."""
    ordered = np.sort(values, axis=None)
    if ordered[0] == ordered[-1]:
        return float(ordered[0])
    counts = np.arange(1, ordered.size)
    sums = np.cumsum(ordered)
    below, above = sums[:-1] / counts, (sums[-1] - sums[:-1]) / (ordered.size - counts)
    best = int(np.argmax(counts * below**2 + (ordered.size - counts) * above**2))
    return float((below[best] + above[best]) / 2)


def _eroded(mask: BoolArray, edge: int) -> BoolArray:
    return np.asarray(ndimage.minimum_filter(mask, size=edge, mode="constant", cval=1))


def _dilated(mask: BoolArray, edge: int) -> BoolArray:
    # A footprint of an even edge is mirrored for dilation, as it is in scikit-image.
    return np.asarray(
        ndimage.maximum_filter(mask, size=edge, mode="constant", cval=0, origin=-1 if edge % 2 == 0 else 0)
    )
