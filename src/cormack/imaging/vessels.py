"""Vessels filled with contrast medium: bright, and longer than anything else inside the skull but bone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

BoolArray = npt.NDArray[np.bool_]

#: Voxels are averaged in blocks of about this size before vessels are looked for (mm): noise goes, vessels stay.
BLOCK_MM = 0.8
#: Vessels filled with contrast medium; blood without it, clotted too, is below 100 HU, bone above the upper end.
VESSEL_HU = (110.0, 650.0)
BONE_HU = 800.0
#: Vessels are looked for this far away from bone: no partial volumes (mm).
AWAY_FROM_BONE_MM = 3.0
#: A cluster counts as vessel-like from this extent (mm); calcified pineal, plexus and basal ganglia are shorter.
VESSEL_EXTENT_MM = 30.0


def vessel_clusters(
    hu: npt.NDArray[np.float32], search: BoolArray, step_mm: npt.NDArray[np.float64]
) -> tuple[BoolArray, float]:
    """Find connected bright voxels that are as long as vessels.

    Parameters
    ----------
    hu : array of float, shape (i, j, k)
        Block means.
    search : array of bool, same shape
        Where to look: inside the brain, away from bone.
    step_mm : array, shape (3,)
        Size of a block.

    Returns
    -------
    clusters : array of bool, same shape
        Voxels of 110 to 650 HU in clusters at least 30 mm long.
    longest_mm : float
        Extent (diagonal of the bounding box) of the longest cluster, whether or not it is that long.
    """
    bright = search & (hu >= VESSEL_HU[0]) & (hu <= VESSEL_HU[1])
    labels, count = ndimage.label(bright, structure=np.ones((3, 3, 3)))
    if count == 0:
        return np.zeros_like(search), 0.0
    extents = np.array([_extent_mm(box, step_mm) for box in ndimage.find_objects(labels)])
    kept = np.concatenate([[False], extents >= VESSEL_EXTENT_MM])[labels]
    return kept, float(extents.max())


def _extent_mm(box: tuple[slice, slice, slice], step_mm: npt.NDArray[np.float64]) -> float:
    return float(np.linalg.norm([(s.stop - s.start) * step for s, step in zip(box, step_mm, strict=True)]))


def box_size(distance_mm: float, step_mm: npt.NDArray[np.float64]) -> list[int]:
    """Voxels per axis of a box that reaches `distance_mm` to all sides.

    A box instead of a ball: separable, so that a large one costs no more than a small one.
    """
    return [2 * int(np.ceil(distance_mm / step)) + 1 for step in step_mm]


def shrunk(mask: BoolArray, size: list[int]) -> BoolArray:
    """Mask eroded by a box; what is outside the array counts as outside the mask."""
    return np.asarray(ndimage.minimum_filter(mask.view(np.uint8), size=size, mode="constant", cval=0)) > 0


def grown(mask: BoolArray, size: list[int]) -> BoolArray:
    """Mask dilated by a box."""
    return np.asarray(ndimage.maximum_filter(mask.view(np.uint8), size=size, mode="constant", cval=0)) > 0
