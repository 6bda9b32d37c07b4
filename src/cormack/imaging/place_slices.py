"""Labels on slices of their own: on those of an image, or as a volume where slices were left out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cormack.core.errors import GeometryError
from cormack.core.volume import FloatArray, SliceStack

#: Pixels lie at one place when they are no farther apart than this (mm); headers round to 0.001 to 0.01.
SAME_PLACE_MM = 0.05


def placed_labels(slices: SliceStack, stack: SliceStack) -> npt.NDArray[np.integer] | None:
    """Labels on the slices of an image, shape of the stack; None if one of their slices is none of the image.

    Parameters
    ----------
    slices : SliceStack
        Labels; slices without any may be missing.
    stack : SliceStack
        The image; its values are not used.
    """
    if slices.data.shape[:2] != stack.data.shape[:2]:
        return None
    distances = np.linalg.norm(slices.origins[:, None] - stack.origins, axis=-1)
    nearest = distances.argmin(axis=1)
    last = np.array(stack.data.shape[:2]) - 1
    far = [np.linalg.norm(own - its) * n for own, its, n in zip(
        (slices.step_i, slices.step_j), (stack.step_i, stack.step_j), last, strict=True)]  # fmt: skip
    if max(distances.min(axis=1).max(), *far) > SAME_PLACE_MM:
        return None
    data = np.zeros(stack.data.shape, dtype=slices.data.dtype)
    data[:, :, nearest] = slices.data
    return data


def filled_labels(slices: SliceStack, spacing_mm: float | None) -> tuple[npt.NDArray[np.integer], FloatArray]:
    """Labels as a volume with an empty slice wherever one is missing, and at both ends.

    Parameters
    ----------
    slices : SliceStack
        Labels; slices without any may be missing.
    spacing_mm : float or None
        Distance of the slices; the smallest that occurs by default.

    Returns
    -------
    labels : array, shape (i, j, k)
    affine : array, shape (4, 4)
        To RAS+ millimetres.

    Raises
    ------
    GeometryError
        If a slice lies between the places of even slices, or there is one only and no distance is given.
    """
    positions = slices.slice_positions_mm
    step_mm = spacing_mm or (float(slices.slice_distances_mm.min()) if len(positions) > 1 else None)
    if step_mm is None:
        raise GeometryError("one slice alone has no thickness; give the image on which it was drawn")
    index = np.rint(positions / step_mm).astype(np.intp)
    step_k = slices.normal * step_mm if len(index) < 2 else (slices.origins[-1] - slices.origins[0]) / max(1, index[-1])
    off = np.linalg.norm(slices.origins - slices.origins[0] - index[:, None] * step_k, axis=1)
    if off.max() > SAME_PLACE_MM or len(np.unique(index)) < len(index):
        raise GeometryError(
            "the slices of the labels are unevenly spaced and not those of the image; give the series that was labelled"
        )
    data = np.zeros((*slices.data.shape[:2], int(index[-1]) + 3), dtype=slices.data.dtype)
    data[:, :, index + 1] = slices.data
    affine = np.eye(4)
    affine[:3] = np.stack([slices.step_i, slices.step_j, step_k, slices.origins[0] - step_k], axis=1)
    return data, affine
