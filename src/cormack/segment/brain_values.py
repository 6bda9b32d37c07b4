"""What Hounsfield units tell of a brain alone: where its fluid and its tissue lie, and an image of just that.

Grey and white matter are 8 HU apart, fluid lies 20 to 25 HU below them, bone at the rim of a mask hundreds above.
Registration by local correlation follows ventricles and deep grey matter only where the rest does not drown them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cormack.core.volume import FloatArray, Unit, Volume
from cormack.segment.opinion import BoolArray, FloatImage

#: Brain tissue lies within this range; its commonest value is looked for in bins of this width, smoothed over so many.
TISSUE_HU, BIN_HU, BINS = (15.0, 55.0), 0.5, 5
#: Fluid is this percentile of what lies between this value and so far below the tissue (HU).
FLUID_PERCENT, FLUID_FROM_HU, FLUID_BELOW_HU = 20.0, -5.0, 12.0
#: Where nothing lies there, it is so far below the tissue (HU).
FLUID_USUALLY_HU = 24.0
#: Standard deviation of the Gaussian against noise (mm).
SMOOTHING_MM = 1.0
#: From a value's share of the way from fluid to tissue to the image: fluid stands apart, most of what lies between
#: fluid and white matter (its disease, infarcts, edges) goes with the tissue, grey and white matter keep a tenth.
SHARES = (-0.15, 0.05, 0.35, 0.7, 1.0, 1.3)
BRIGHTNESS = (0.05, 0.08, 0.68, 0.8, 0.87, 1.0)


@dataclass(frozen=True)
class BrainLevels:
    """The commonest value of brain tissue, and that of fluid (HU)."""

    fluid_hu: float
    tissue_hu: float


def brain_levels(values: FloatArray | npt.NDArray[np.float32]) -> BrainLevels:
    """Levels of fluid and tissue.

    Parameters
    ----------
    values : array of any shape
        HU of the voxels inside the brain.
    """
    count = round((TISSUE_HU[1] - TISSUE_HU[0]) / BIN_HU)
    histogram, edges = np.histogram(values, bins=count, range=TISSUE_HU)
    tissue = float(
        edges[ndimage.uniform_filter1d(histogram.astype(float), BINS, mode="constant").argmax()] + BIN_HU / 2
    )
    dark = values[(values > FLUID_FROM_HU) & (values < tissue - FLUID_BELOW_HU)]
    fluid = float(np.percentile(dark, FLUID_PERCENT)) if dark.size else tissue - FLUID_USUALLY_HU
    return BrainLevels(fluid, tissue)


def brain_contrast(volume: Volume, inside: BoolArray) -> Volume:
    """The brain alone, 0 outside, fluid dark, tissue from 0.7 to 1 however bright the scanner made it.

    Parameters
    ----------
    volume : Volume
        HU, shape (i, j, k).
    inside : bool array, shape (i, j, k)
        The intracranial space.
    """
    levels = brain_levels(np.asarray(volume.data[inside], dtype=np.float32))
    span = levels.tissue_hu - levels.fluid_hu
    least, most = (np.float32(levels.fluid_hu + share * span) for share in (SHARES[0], SHARES[-1]))
    values = np.where(inside, np.clip(volume.data, least, most), 0).astype(np.float32)
    sigma = [SMOOTHING_MM / step for step in volume.spacing_mm]
    weight: FloatImage = ndimage.gaussian_filter(inside.astype(np.float32), sigma)
    smooth = ndimage.gaussian_filter(values, sigma)[inside] / weight[inside]
    image = np.zeros(volume.shape, dtype=np.float32)
    image[inside] = np.interp((smooth - levels.fluid_hu) / span, SHARES, BRIGHTNESS)
    return Volume(image, volume.affine, unit=Unit.ARBITRARY, outside=0.0)
