"""What goes wrong in the making of an image: metal streaks, beam hardening, motion."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage
from scipy.special import erf

from cormack.physics.synthesis.anatomy import FloatImage

#: Above this is bone or metal (HU), above that metal.
BONE_HU, METAL_HU = 350.0, 2600.0
#: At the surface of a bone of this thickness (mm) soft tissue gains all that cupping gives.
CUPPING_BONE_MM = 7.0
#: Directions in which streaks are tabled.
_ANGLES = 256


def metal_streaks(
    image: FloatImage, places: Sequence[tuple[float, float, float]], pixel_mm: float, rng: np.random.Generator
) -> None:
    """Bright and dark rays from metal within the slices, as few projections would leave them, in place.

    Parameters
    ----------
    image : float array, shape (i, j, s)
    places : sequence of (i, j, s)
        Voxels of the pieces of metal; at most eight are used.
    """
    ni, nj, ns = image.shape
    for i, j, s in places[:8]:
        reach = rng.uniform(0.6, 2.5)
        rays = ndimage.gaussian_filter1d(rng.standard_normal(_ANGLES), rng.uniform(1, 4), mode="wrap")
        rays *= rng.uniform(40, 600) / max(float(np.abs(rays).max()), 1e-6)
        across = (np.arange(ni, dtype=np.float32) - i)[:, None]
        down = (np.arange(nj, dtype=np.float32) - j)[None, :]
        away = np.hypot(across, down) * pixel_mm
        # A ray crosses the metal in both directions.
        angle = np.mod(np.arctan2(down, across), np.pi) * (_ANGLES / np.pi)
        pattern = np.interp(angle, np.arange(_ANGLES + 1), np.append(rays, rays[0]))
        pattern = (pattern / (1 + away / 18.0)).astype(np.float32)
        for n in range(max(0, round(s - 3)), min(ns, round(s + 4))):
            weight = np.float32(np.exp(-0.5 * ((n - s) / reach) ** 2))
            body = image[:, :, n] > -700
            image[:, :, n] += pattern * weight * (0.25 + 0.75 * body)


def beam_hardening(image: FloatImage, pixel_mm: float, strength: float, rim_hu: float) -> None:
    """Dark bands between dense bones, and a bright rim below the vault, in place.

    Parameters
    ----------
    image : float array, shape (i, j, s)
    strength : float
        HU that are lost per millimetre of bone on the side that has less of it.
    rim_hu : float
        HU gained next to bone.
    """
    bone = np.clip(image, BONE_HU, 2000) - BONE_HU
    bone *= np.float32(pixel_mm / 1200)
    left = np.cumsum(bone, axis=0)
    right = left[-1:] - left
    band = np.minimum(left, right)
    band = np.clip(band - np.float32(9), 0, 40)
    band *= (image > -20) & (image < 120)
    band = ndimage.gaussian_filter1d(band, 0.8, axis=1)
    image -= np.float32(strength) * band
    if rim_hu:
        near = ndimage.uniform_filter(bone, (5, 5, 1))
        image += np.float32(rim_hu) * np.clip(near, 0, 1) * (image < 150)


def cupping(image: FloatImage, pixel_mm: float, gain_hu: float, width_mm: float) -> None:
    """Soft tissue brighter towards the vault, as hardening of the beam leaves it after correction for water, in place.

    Near the vertex, where a slice cuts the vault aslant, more of it is bone, and all of the brain may be brighter.

    Parameters
    ----------
    image : float array, shape (i, j, s)
    pixel_mm : float
    gain_hu : float
        HU gained next to bone.
    width_mm : float
        Standard deviation of the Gaussian that spreads what bone adds to its surroundings.
    """
    width = width_mm / pixel_mm
    share = ndimage.gaussian_filter((image > BONE_HU).astype(np.float32), (width, width, 0), truncate=3.0)
    share *= np.float32(2 / erf(CUPPING_BONE_MM / width_mm / np.sqrt(2)))
    image += np.float32(gain_hu) * np.clip(share, 0, 1) * (image < BONE_HU) * (image > -200)


def motion(image: FloatImage, rng: np.random.Generator) -> None:
    """Edges doubled in some of the slices, which the head moved in, in place."""
    ns = image.shape[2]
    first = int(rng.integers(0, max(1, ns - 3)))
    last = min(ns, first + int(rng.integers(3, max(4, ns // 2))))
    part = image[:, :, first:last]
    shift = (rng.uniform(-1.6, 1.6), rng.uniform(-1.6, 1.6), 0.0)
    moved = ndimage.shift(part, shift, order=1, mode="nearest")
    share = np.float32(rng.uniform(0.2, 0.5))
    image[:, :, first:last] = (1 - share) * part + share * moved
