"""Several atlases' opinions about one scan, fused to one label map."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cormack.core.errors import InputError
from cormack.core.labels import LabelMap
from cormack.core.volume import Unit, Volume
from cormack.imaging.staple import check_opinions, staple
from cormack.imaging.votes import majority, vote
from cormack.register.joint_fusion import joint_label_fusion

FloatImage = npt.NDArray[np.float32]

#: Similarity to the scan is looked at in a Gaussian window of this standard deviation (mm).
WINDOW_MM = 3.0
#: Beyond this range of values CTs are not compared: bone would drown the brain (HU).
SOFT_TISSUE_HU = (-100.0, 150.0)
#: A weight is the distance to the power of −GAIN; the floor keeps one perfect patch from deciding alone (after
#: Artaechevarria et al. 2009, doi 10.1109/TMI.2009.2014372).
GAIN, DISTANCE_FLOOR = 2.0, 0.05
#: Standard deviations (relative to the whole image's) below which a window counts as flat: nothing to compare by.
FLAT = 0.02


class Fusion(StrEnum):
    """How opinions become one."""

    MAJORITY = "majority"
    WEIGHTED = "weighted"
    STAPLE = "staple"
    JOINT = "joint"


def fuse(
    opinions: Sequence[LabelMap],
    method: Fusion = Fusion.MAJORITY,
    *,
    target: Volume | None = None,
    images: Sequence[Volume] = (),
) -> LabelMap:
    """Fuse several label maps of one scan.

    Parameters
    ----------
    opinions : sequence of LabelMap
        At least two, on one grid; each an atlas carried to the scan.
    method : Fusion
        MAJORITY counts votes. WEIGHTED weighs each vote by how alike the atlas and the scan look around the voxel
        (local correlation). STAPLE estimates how good each atlas is (`cormack.imaging.staple`). JOINT weighs votes and
        discounts errors that atlases share (Wang et al. 2013, doi 10.1109/TPAMI.2012.143; ANTs).
    target : Volume
        The scan, on the same grid: for WEIGHTED and JOINT.
    images : sequence of Volume
        The atlases' images carried to the scan like their labels, on the same grid: for WEIGHTED and JOINT.

    Returns
    -------
    LabelMap
        With the table of the first opinion. Where votes are equal the greater label wins.

    Raises
    ------
    InputError
        If there are fewer than two opinions, grids differ, or images are needed and missing.
    """
    check_opinions(opinions)
    if method is Fusion.STAPLE:
        return staple(opinions).labels
    if method is Fusion.MAJORITY:
        return majority(opinions)
    if target is None or len(images) != len(opinions):
        raise InputError(
            f"fusion {method}: give the scan and one carried image per label map ({len(opinions)}, not {len(images)})"
        )
    for image in (target, *images):
        if not opinions[0].on_grid_of(image):
            raise InputError(f"fusion {method}: the scan and all images must lie on the grid of the label maps")
    if method is Fusion.JOINT:
        return joint_label_fusion(opinions, target, images)
    return vote(opinions, [similarity_weights(target, image) for image in images], "locally weighted vote")


def similarity_weights(target: Volume, image: Volume) -> FloatImage:
    """Weight of an atlas at every voxel, shape (i, j, k): high where it looks like the scan.

    The distance is one minus the correlation in a Gaussian window, so that neither brightness nor contrast matter.
    Where one of the two is flat nothing can be said and the correlation counts as 0.

    Parameters
    ----------
    target, image : Volume
        On one grid.
    """
    sigma = [WINDOW_MM / step for step in target.spacing_mm]
    a, b = _comparable(target), _comparable(image)

    def mean(values: FloatImage) -> FloatImage:
        return np.asarray(ndimage.gaussian_filter(values, sigma, truncate=3.0))

    mean_a, mean_b = mean(a), mean(b)
    covariance = mean(a * b) - mean_a * mean_b
    variance_a, variance_b = (np.maximum(mean(x * x) - m * m, 0) for x, m in ((a, mean_a), (b, mean_b)))
    textured = np.minimum(variance_a, variance_b) > FLAT**2
    product = np.sqrt(variance_a * variance_b)
    correlation = np.divide(covariance, product, out=np.zeros_like(product), where=textured)
    return np.asarray((1 - np.clip(correlation, -1, 1) + DISTANCE_FLOOR) ** -GAIN, dtype=np.float32)


def _comparable(volume: Volume) -> FloatImage:
    """Values with mean 0 and standard deviation 1, nothing unmeasured, HU within soft tissue."""
    outside = SOFT_TISSUE_HU[0] if volume.unit is Unit.HU else volume.outside
    values = np.nan_to_num(volume.data.astype(np.float32), nan=outside)
    if volume.unit is Unit.HU:
        values = np.clip(values, *SOFT_TISSUE_HU)
    spread = float(values.std())
    return np.asarray((values - values.mean()) / (spread if spread > 0 else 1.0), dtype=np.float32)
