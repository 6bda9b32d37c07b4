"""The noise power spectrum of a scan, and smoothing until it is that of another kernel."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cormack.core.errors import InputError
from cormack.core.volume import AnyArray, FloatArray, Volume
from cormack.imaging.filters import gaussian

#: Side of the square patches (mm) and the mean that they must have (HU): brain, blood, muscle, or a water phantom.
PATCH_MM = 16.0
TISSUE_HU = (-20.0, 120.0)
#: Share of the patches in tissue, the most even ones, that is used: the others hold edges of anatomy.
EVEN_SHARE = 0.25
FEWEST_PATCHES = 20
#: Frequencies below this are those of anatomy, not of noise (cycles per mm), and the step of the frequency axis.
LOWEST_PER_MM = 0.1
STEP_PER_MM = 0.025
#: A Gaussian wider than this would take the anatomy with the noise (mm).
WIDEST_MM = 5.0
#: Two mean frequencies are the same within this (cycles per mm).
TOLERANCE_PER_MM = 1e-3
#: Smoothing is measured and corrected at most this often.
_ROUNDS = 4


@dataclass(frozen=True, eq=False)
class NoisePower:
    """A radially averaged noise power spectrum within the slices.

    Attributes
    ----------
    frequency_per_mm : array, shape (n,)
        Cycles per millimetre, up to the Nyquist frequency.
    power_hu2_mm2 : array, shape (n,)
        HU² mm².
    patches : int
        How many patches went into it.
    """

    frequency_per_mm: FloatArray
    power_hu2_mm2: FloatArray
    patches: int

    @property
    def mean_frequency_per_mm(self) -> float:
        """Power-weighted mean of the frequency: fine noise has a high one (AAPM TG-233, section 4.1.3: f_av)."""
        return float((self.frequency_per_mm * self.power_hu2_mm2).sum() / self.power_hu2_mm2.sum())

    @property
    def deviation_hu(self) -> float:
        """Standard deviation of the noise from `LOWEST_PER_MM` on: the root of the integral over the plane."""
        step = float(self.frequency_per_mm[1] - self.frequency_per_mm[0])
        return float(np.sqrt((2 * np.pi * self.frequency_per_mm * self.power_hu2_mm2).sum() * step))

    def smoothed(self, sigma_mm: float) -> NoisePower:
        """What the spectrum becomes under a Gaussian of this width within the slices."""
        transfer = np.exp(-((2 * np.pi * sigma_mm * self.frequency_per_mm) ** 2))
        return NoisePower(self.frequency_per_mm, self.power_hu2_mm2 * transfer, self.patches)


@dataclass(frozen=True, eq=False)
class Harmonised:
    """A scan smoothed to another kernel's noise: the volume, the width that was found, and the spectra."""

    volume: Volume
    sigma_mm: float
    before: NoisePower
    after: NoisePower
    target_per_mm: float


def noise_power(volume: Volume) -> NoisePower:
    """Measure the noise power spectrum within the slices.

    In square patches of 16 mm of even soft tissue: |DFT|² of the patch less its best plane under a Hann window, times
    pixel area over the window's power, averaged over patches and directions (Friedman et al. 2013, doi
    10.1118/1.4802214).

    Parameters
    ----------
    volume : Volume
        HU, shape (i, j, k); k from slice to slice.

    Raises
    ------
    InputError
        If there is too little even soft tissue.
    """
    pixel = volume.spacing_mm[:2]
    size = [max(8, round(PATCH_MM / step)) for step in pixel]
    parts = [found for k in range(volume.shape[2]) if (found := _patches(volume.data[:, :, k], size)).size]
    patches = np.concatenate(parts) if parts else np.empty((0, *size), dtype=np.float32)
    if len(patches) < FEWEST_PATCHES:
        raise InputError(
            f"only {len(patches)} patches of {PATCH_MM:g} mm lie in soft tissue ({TISSUE_HU[0]:g} to {TISSUE_HU[1]:g} "
            f"HU); at least {FEWEST_PATCHES} are needed to measure noise"
        )
    detrended = _without_plane(patches)
    even = np.argsort(detrended.var(axis=(1, 2)))[: max(FEWEST_PATCHES, int(EVEN_SHARE * len(detrended)))]
    # Without a window the jumps from one side of a patch to the other would pass for fine noise.
    window = np.outer(*(np.hanning(n + 1)[:-1] for n in size))
    scale = pixel[0] * pixel[1] / (window**2).sum()
    spectrum = (np.abs(np.fft.fft2(detrended[even] * window)) ** 2).mean(axis=0) * scale
    f = np.hypot(*np.meshgrid(*(np.fft.fftfreq(n, h) for n, h in zip(size, pixel, strict=True)), indexing="ij"))
    axis = np.arange(LOWEST_PER_MM, 0.5 / max(pixel), STEP_PER_MM, dtype=np.float64)
    return NoisePower(axis, _radial(f, spectrum, axis), len(even))


def harmonize_kernel(volume: Volume, target: NoisePower | float) -> Harmonised:
    """Smooth a scan of a sharp kernel within its slices until its noise is as coarse as that of a soft kernel.

    The width of the Gaussian is the one at which the mean frequency of the noise power spectrum becomes the target's.
    It matches how coarse the noise is, not how strong (that follows from the dose), and an edge that the sharp kernel
    overshot keeps a trace of it.

    Parameters
    ----------
    volume : Volume
        HU, of the sharp kernel.
    target : NoisePower or float
        Spectrum of the soft scan, or its mean frequency in cycles per millimetre.

    Raises
    ------
    InputError
        If noise cannot be measured, is as coarse as the target already, or would need a Gaussian wider than 5 mm.
    """
    before = noise_power(volume)
    if isinstance(target, NoisePower):
        # What only one of the two can resolve must not count.
        shared = np.arange(LOWEST_PER_MM, min(before.frequency_per_mm[-1], target.frequency_per_mm[-1]), STEP_PER_MM)
        source, wanted = _cut(before, shared), _cut(target, shared).mean_frequency_per_mm
    else:
        source, wanted = before, float(target)
    # Patches are short and blur the spectrum a little: what was measured after smoothing corrects what was foreseen.
    aim, sigma = wanted, 0.0
    for _ in range(_ROUNDS):
        sigma = _matching_width(source, aim)
        smooth = gaussian(volume, sigma, in_plane=True)
        after = noise_power(smooth)
        missed = wanted - _cut(after, source.frequency_per_mm).mean_frequency_per_mm
        if abs(missed) < TOLERANCE_PER_MM:
            break
        aim += missed
    return Harmonised(smooth, sigma, before, after, wanted)


def _matching_width(source: NoisePower, wanted_per_mm: float) -> float:
    """Bisection: the mean frequency falls as the width grows."""
    if source.mean_frequency_per_mm <= wanted_per_mm + TOLERANCE_PER_MM:
        raise InputError(
            f"the noise has a mean frequency of {source.mean_frequency_per_mm:.3f} per mm, no higher than the "
            f"target of {wanted_per_mm:.3f}: the scan is as soft already; exchange the two scans, or leave it as it is"
        )
    low, high = 0.0, WIDEST_MM
    if source.smoothed(high).mean_frequency_per_mm > wanted_per_mm:
        raise InputError(
            f"a mean frequency of {wanted_per_mm:.3f} per mm needs a Gaussian wider than {WIDEST_MM:g} mm, which would "
            "take the anatomy with the noise"
        )
    while high - low > 1e-4:
        middle = (low + high) / 2
        if source.smoothed(middle).mean_frequency_per_mm > wanted_per_mm:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _cut(spectrum: NoisePower, axis: FloatArray) -> NoisePower:
    power = np.interp(axis, spectrum.frequency_per_mm, spectrum.power_hu2_mm2)
    return NoisePower(axis, np.asarray(power), spectrum.patches)


def _patches(section: AnyArray, size: list[int]) -> npt.NDArray[np.float32]:
    """All patches side by side in a slice whose mean lies in tissue and that hold no air and no bone."""
    rows, columns = (n // s for n, s in zip(section.shape, size, strict=True))
    tiles = section[: rows * size[0], : columns * size[1]].reshape(rows, size[0], columns, size[1])
    flat = tiles.transpose(0, 2, 1, 3).reshape(-1, size[0], size[1]).astype(np.float32)
    mean = flat.mean(axis=(1, 2))
    # Noise must not decide: the means of quarters say whether the patch is one tissue.
    half = [s // 2 for s in size]
    quarters = np.stack([flat[:, a : a + half[0], b : b + half[1]].mean(axis=(1, 2)) for a in (0, half[0])
                         for b in (0, half[1])])  # fmt: skip
    low, high = TISSUE_HU
    kept = (mean > low) & (mean < high) & (quarters.min(axis=0) > low) & (quarters.max(axis=0) < high)
    return np.asarray(flat[kept])


def _without_plane(patches: npt.NDArray[np.float32]) -> FloatArray:
    """Patches less the plane that fits them best: shading is not noise."""
    count, rows, columns = patches.shape
    i, j = np.meshgrid(np.linspace(-1, 1, rows), np.linspace(-1, 1, columns), indexing="ij")
    basis = np.column_stack([np.ones(rows * columns), i.ravel(), j.ravel()])
    flat = patches.reshape(count, -1).astype(np.float64)
    fitted = flat @ np.linalg.pinv(basis).T @ basis.T
    return np.asarray((flat - fitted).reshape(count, rows, columns))


def _radial(frequency: FloatArray, spectrum: FloatArray, axis: FloatArray) -> FloatArray:
    """Mean over directions at the frequencies of the axis, each of them weighted by nearness."""
    f, power = frequency.ravel(), spectrum.ravel()
    width = 1.0 / PATCH_MM
    weights = np.clip(1 - np.abs(f[None, :] - axis[:, None]) / width, 0, None)
    return np.asarray((weights * power).sum(axis=1) / np.maximum(weights.sum(axis=1), 1e-12))
