"""The part of a large array that holds anything, found plane by plane."""

from __future__ import annotations

import numpy as np

from cormack.core.volume import AnyArray
from cormack.imaging.workgrid import Box


def filled_box(data: AnyArray, margin: tuple[int, int, int] = (0, 0, 0)) -> Box | None:
    """The smallest box around the voxels above 0, widened by `margin` voxels and cut at the border.

    As `workgrid.bounding_box`, but several times faster where k is slowest in memory, as in volumes at full resolution.

    Parameters
    ----------
    data : array, shape (i, j, k)
    margin : three ints

    Returns
    -------
    three slices, or None
        None where nothing is above 0.

    Examples
    --------
    >>> data = np.zeros((5, 6, 7), dtype=np.uint8, order="F")
    >>> data[2, 3:5, 1] = 4
    >>> filled_box(data, (0, 1, 1))
    (slice(2, 3, None), slice(2, 6, None), slice(0, 3, None))
    """
    shadow = np.zeros(data.shape[:2], dtype=bool)
    planes = np.zeros(data.shape[2], dtype=bool)
    for k in range(data.shape[2]):
        plane = data[:, :, k] > 0
        planes[k] = plane.any()
        shadow |= plane
    if not planes.any():
        return None
    spans = []
    for profile, more in zip((shadow.any(axis=1), shadow.any(axis=0), planes), margin, strict=True):
        filled = np.flatnonzero(profile)
        spans.append(slice(max(0, int(filled[0]) - more), min(np.size(profile), int(filled[-1]) + 1 + more)))
    return spans[0], spans[1], spans[2]
