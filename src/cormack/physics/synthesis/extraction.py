"""A brain cut out of its head, as well and as badly as brain extraction does it."""

from __future__ import annotations

from typing import Any

import numpy as np

from cormack.physics.synthesis.anatomy import DEPTH_STEPS_PER_MM, Codes, FloatImage
from cormack.physics.synthesis.options import CtSynthesis
from cormack.physics.synthesis.smooth import smooth_field

#: Errors of a mask's surface are alike over this distance (mm).
ERROR_MM = 18.0
#: Share of the range of errors by which they differ within one image.
WITHIN = 0.25
#: Bone that has grown into the skull, deeper than this, is no part of a mask (mm).
GROWN_MM = 1.5


def extract_brain(
    image: FloatImage,
    steps: FloatImage,
    labels: Codes,
    axes: tuple[FloatImage, FloatImage, FloatImage],
    options: CtSynthesis,
    rng: np.random.Generator,
    facts: dict[str, Any],
) -> None:
    """-1000 HU and label 0 outside of a mask whose surface errs, in place.

    Parameters
    ----------
    image : float array, shape (i, j, k)
    steps : float array, shape (i, j, k)
        Depth below the inner table as in `Anatomy.depth`.
    labels : uint8 array, shape (i, j, k)
    axes : three float arrays
        Positions of the voxels along x, y and z (mm).
    options : CtSynthesis
        `mask_error_mm`: below 0 brain is missing, above 0 a rim of bone is left in; `mask_cut_mm`.
    rng : Generator
    facts : dict
    """
    across_mm, up_mm = float(axes[0][1] - axes[0][0]), float(axes[2][1] - axes[2][0])
    low, high = options.mask_error_mm
    error = rng.uniform(low, high) + WITHIN * (high - low) * smooth_field(image.shape, ERROR_MM / across_mm, rng)
    depth_mm = steps / np.float32(DEPTH_STEPS_PER_MM)
    mask = (depth_mm > -np.clip(error, low, high)) & ((labels > 0) | (depth_mm < GROWN_MM))
    found = np.flatnonzero(labels.any(axis=(0, 1)))
    cut = rng.uniform(*options.mask_cut_mm)
    if len(found):
        mask[:, :, : int(found[0] + cut / up_mm)] = False
    image[~mask] = -1000.0
    labels[~mask] = 0
    facts |= {"mask_error_mm": round(float(error[mask].mean()), 2) if mask.any() else 0.0, "mask_cut_mm": round(cut, 1)}
