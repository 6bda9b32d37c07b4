"""Sharpness and noise of reconstructed slices."""

from __future__ import annotations

import numpy as np
from scipy import fft, ndimage

from cormack.physics.synthesis.anatomy import FloatImage


def sharpened(image: FloatImage, sigma_px: float, gain: float) -> FloatImage:
    """An image through a reconstruction kernel, within slices of shape (i, j, s).

    Parameters
    ----------
    sigma_px : float
        Width of the Gaussian.
    gain : float
        -1 blurs; above 0 edges are raised with overshoot beside them, as bone kernels do.
    """
    if gain == 0 or sigma_px <= 0:
        return image
    smooth = ndimage.gaussian_filter1d(image, sigma_px, axis=0, mode="nearest", truncate=2.5)
    smooth = ndimage.gaussian_filter1d(smooth, sigma_px, axis=1, mode="nearest", truncate=2.5)
    smooth *= np.float32(-gain)
    smooth += np.float32(1 + gain) * image
    return np.asarray(smooth)


def noise(shape: tuple[int, int, int], cutoff: float, ramp: float, rng: np.random.Generator) -> FloatImage:
    """Noise of standard deviation 1, correlated within slices of shape (i, j), independent from slice to slice.

    Its spectrum is |f|^ramp exp(-(f / cutoff)^2), as filtered back-projection leaves it (Riederer et al. 1978,
    doi 10.1088/0031-9155/23/3/008); f in cycles per pixel.
    """
    white = rng.standard_normal(shape, dtype=np.float32)
    across = fft.fftfreq(shape[0])[:, None]
    down = fft.rfftfreq(shape[1])[None, :]
    frequency = np.hypot(across, down)
    amplitude = np.sqrt((frequency + 0.01) ** ramp) * np.exp(-0.5 * (frequency / cutoff) ** 2)
    planes = np.ascontiguousarray(white.transpose(2, 0, 1))
    spectrum = fft.rfft2(planes, axes=(1, 2))
    spectrum *= amplitude.astype(np.float32)[None]
    grain = fft.irfft2(spectrum, s=shape[:2], axes=(1, 2))
    grain /= max(float(grain[:: max(1, shape[2] // 8)].std()), 1e-6)
    return np.asarray(grain.transpose(1, 2, 0), dtype=np.float32)
