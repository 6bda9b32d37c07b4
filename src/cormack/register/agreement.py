"""Whether two volumes have the same values where they show the same anatomy, so that their difference tells the way.

Least squares follow a deformation about twice as closely as mutual information, but only where equal tissue has equal
values: two scans of one person by one scanner, or a scan and its deformed self. Contrast medium, another scanner's
offset or another modality would be mistaken for displacement.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from cormack.core.errors import GeometryError
from cormack.core.transforms import Transform
from cormack.core.volume import AnyArray, Unit, Volume
from cormack.imaging.warp import warp
from cormack.register.conditioning import Conditioned

#: Standard deviation by which both volumes are smoothed: what is still to be deformed is smaller (mm).
SMOOTHING_MM = 4.0
#: Share of the variance that equal values must explain after the linear stage. Deformed by 3 mm on average, a head
#: agrees with itself by 0.73 to 0.87, by 6 mm 0.34 to 0.61; brains of different persons and scanners, and the CT
#: template, by 0.28 at most.
LEAST_AGREEMENT = 0.35


def comparable(moving: Volume, fixed: Volume) -> bool:
    """Whether values may be compared at all: both of a CT, or neither."""
    return (moving.unit is Unit.ARBITRARY) == (fixed.unit is Unit.ARBITRARY)


def agreement(moving: Conditioned, fixed: Conditioned, transform: Transform) -> float:
    """Share of the variance within both foregrounds that equal values explain: 1 if all are equal, 0 or less if few.

    1 - mean squared difference / variance, the smaller of the two; unlike a correlation it falls with an offset.
    """
    front = moving.volume.with_data(moving.foreground.astype(np.float32))
    try:
        both = (_onto(front, transform, fixed.volume) >= 0.5) & fixed.foreground
        values = _onto(moving.volume, transform, fixed.volume)
    except GeometryError:
        return 0.0
    if fixed.counted is not None:
        both &= fixed.counted
    if not both.any():
        return 0.0
    sigma = [SMOOTHING_MM / step for step in fixed.volume.spacing_mm]
    one, two = (ndimage.gaussian_filter(image, sigma)[both].astype(np.float64) for image in (fixed.volume.data, values))
    least = min(one.var(), two.var())
    return float(1 - np.mean((one - two) ** 2) / least) if least > 0 else 0.0


def _onto(volume: Volume, transform: Transform, grid: Volume) -> AnyArray:
    return warp(volume, transform, grid.affine, grid.shape).data
