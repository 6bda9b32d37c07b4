"""How strong the noise in the brain is, and how fine: fine noise betrays a sharp reconstruction kernel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cormack.core.volume import AnyArray, Volume
from cormack.measure.boxes import BoolArray, Region

#: Side of the patches in which noise is measured (mm), and the tissue that they must lie in (HU).
PATCH_MM = 6.0
TISSUE_HU = (0.0, 80.0)
#: Noise is read off this many sections.
SECTIONS = 12
#: Fewer patches than this say nothing.
FEWEST_PATCHES = 50
#: Share of patches, the most even ones, from which the frequency is taken: the others hold edges of tissue.
EVEN_SHARE = 0.4

FloatPlane = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Noise:
    """Standard deviation (HU), root mean square frequency along i (cycles per mm), and the pixel along i (mm)."""

    deviation_hu: float
    frequency_per_mm: float
    pixel_mm: float


def brain_noise(volume: Volume, brain: Region) -> Noise | None:
    """Measure the noise in patches of 6 mm of the brain.

    The standard deviation is the most frequent one of all patches: the global noise level of Christianson et al. (AJR
    2015, "Automated technique to measure noise in clinical CT examinations"), in patches of 0 to 80 HU on average.
    Interpolation between slices lowers it. The frequency follows from the correlation r of neighbours along i, which
    rectifying does not interpolate: arccos(r) / 2π per pixel. White noise in pixels of 0.45 mm has 0.56 per mm;
    coarse noise comes out a little finer than it is, since a patch knows nothing that is wider than itself.

    Returns
    -------
    Noise or None
        None where no patch lies within the brain.
    """
    if brain.empty:
        return None
    pixel = volume.spacing_mm[0]
    size = tuple(max(3, round(PATCH_MM / step)) for step in volume.spacing_mm[:2])
    span = brain.box[2]
    wanted = np.linspace(0, span.stop - span.start - 1, SECTIONS + 2)[1:-1]
    sections = [
        _patches(volume.data[brain.box[0], brain.box[1], span.start + n], brain.mask[:, :, n], size)
        for n in np.unique(wanted.astype(int))
    ]
    variance, difference = (np.concatenate(parts) for parts in zip(*sections, strict=True))
    if variance.size < FEWEST_PATCHES:
        return None
    count = size[0] * size[1]
    deviation = _mode(np.sqrt(variance * (count / (count - 1))))
    even = variance <= np.quantile(variance, EVEN_SHARE)
    total = float(variance[even].sum())
    correlation = 1.0 - float(difference[even].sum()) / (2.0 * total) if total > 0 else 1.0
    return Noise(deviation, float(np.arccos(np.clip(correlation, -1, 1)) / (2 * np.pi * pixel)), pixel)


def _patches(section: AnyArray, mask: BoolArray, size: tuple[int, ...]) -> tuple[FloatPlane, FloatPlane]:
    """Variance, and mean square difference of neighbours along i, of all patches that lie wholly in tissue."""
    hu = section.astype(np.float32)
    low, high = TISSUE_HU
    # One voxel more on each side: the last step of a patch leads out of it.
    tissue = ndimage.uniform_filter(mask.astype(np.float32), [n + 2 for n in size], mode="constant")
    mean = ndimage.uniform_filter(hu, size)
    variance = ndimage.uniform_filter(hu * hu, size) - mean * mean
    steps = np.zeros_like(hu)
    steps[:-1] = np.diff(hu, axis=0)
    difference = ndimage.uniform_filter(steps * steps, size)
    kept = (tissue > 0.999) & (mean >= low) & (mean <= high)
    return np.maximum(variance[kept], 0), difference[kept]


def _mode(values: FloatPlane) -> float:
    top = float(np.percentile(values, 99))
    counts, edges = np.histogram(values, bins=np.linspace(0, max(top, 1.0), 101))
    peak = int(ndimage.gaussian_filter1d(counts.astype(np.float64), 2).argmax())
    return float((edges[peak] + edges[peak + 1]) / 2)
