"""Noise with the texture of filtered back-projection: grainy, never white."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import fft

from cormack.physics.plane import Image


def correlated_noise(
    shape: tuple[int, ...], pixel_spacing_mm: tuple[float, float], cutoff_per_mm: float, seed: int | Sequence[int]
) -> Image:
    """Noise of mean 0 and standard deviation 1, float32 of shape (rows, columns).

    Its power spectrum is that of a reconstruction by filtered back-projection, |f| times the squared transfer
    function of the kernel, here a Gaussian that falls to 1/e at `cutoff_per_mm` (Riederer et al. 1978,
    doi 10.1088/0031-9155/23/3/008).
    """
    rows, columns = shape
    white = np.random.default_rng(seed).standard_normal((rows, columns), dtype=np.float32)
    across = fft.rfftfreq(columns, pixel_spacing_mm[0])[None, :]
    down = fft.fftfreq(rows, pixel_spacing_mm[1])[:, None]
    frequency = np.hypot(across, down)
    amplitude = (np.sqrt(frequency) * np.exp(-0.5 * (frequency / cutoff_per_mm) ** 2)).astype(np.float32)
    noise: Image = fft.irfft2(fft.rfft2(white) * amplitude, s=(rows, columns))
    deviation = float(noise.std())
    return noise / np.float32(deviation if deviation > 0 else 1.0)
