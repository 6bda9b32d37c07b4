"""Whether slices of a CT show a trunk and nothing else: every one of them is wider than any head."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cormack.core.volume import SliceStack
from cormack.imaging.blocks import block_mean

#: Slices are averaged in blocks of about this size (mm).
COARSE_MM = 4.0
#: Skin and what lies within is brighter than this (HU of a block).
BODY_HU = -300.0
#: The longest heads, from the nose to the occiput, stay below this (mm); trunks of adults are wider.
HEAD_LENGTH_MM = 280.0


def shows_trunk_only(stack: SliceStack) -> bool:
    """True if the body in every slice is longer or wider than a head; a child's trunk is not told from a head.

    Parameters
    ----------
    stack : SliceStack
        Hounsfield units, shape (i, j, k).
    """
    spacing = np.array([np.linalg.norm(stack.step_i), np.linalg.norm(stack.step_j)])
    i, j = (max(1, round(COARSE_MM / h)) for h in spacing)
    step_mm = spacing * (i, j)
    for k in range(stack.data.shape[2]):
        body = block_mean(stack.data[:, :, k : k + 1], (i, j, 1))[:, :, 0] > BODY_HU
        if _longest_mm(body, step_mm) < HEAD_LENGTH_MM:
            return False
    return True


def _longest_mm(body: npt.NDArray[np.bool_], step_mm: npt.NDArray[np.float64]) -> float:
    """Longest side of the box around the largest part of a slice."""
    labels, count = ndimage.label(body)
    if not count:
        return 0.0
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    box = ndimage.find_objects(labels)[int(sizes.argmax()) - 1]
    return float(max((s.stop - s.start) * h for s, h in zip(box, step_mm, strict=True)))
