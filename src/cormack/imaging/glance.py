"""What a few slices show at a glance, to choose a series by: brain within a skull, and filled vessels.

No mask is made: a slice shows brain if the largest stretch of soft tissue in it is large enough and has bone all round.
In a chest, abdomen or neck the largest stretch of soft tissue borders on fat and air.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cormack.core.volume import AnyArray
from cormack.imaging.blocks import block_mean
from cormack.imaging.vessels import (
    AWAY_FROM_BONE_MM,
    BLOCK_MM,
    BONE_HU,
    BoolArray,
    box_size,
    grown,
    shrunk,
    vessel_clusters,
)

Pair = tuple[float, float]

#: Slices are averaged in blocks of about this size before a skull is looked for (mm).
COARSE_MM = 1.6
#: Brain and fluid with room for noise, and filled vessels as far as blocks blur them into the brain.
SOFT_HU = (-20.0, 130.0)
#: The inner table, as far as blocks blur it.
SKULL_HU = 250.0
#: Bridges of soft tissue thinner than twice this are cut, so that brain ends at the holes of the skull (mm).
BRIDGE_MM = 3.0
#: Bone may lie this far from the border of the soft tissue (mm).
NEAR_BONE_MM = 5.0
#: A slice shows brain from this area, with this share of its outline along bone. Measured on all slices of four
#: heads: at least 0.88 in those that show the brain; of a chest and abdomen: at most 0.51, in all but two at most 0.43.
BRAIN_AREA_CM2 = 40.0
SKULL_SHARE = 0.65
#: Holes that vessels leave in the soft tissue are closed up to this width (mm).
VESSEL_WIDTH_MM = 8.0
#: Vessels are looked for this far inside the soft tissue (mm).
INSIDE_MM = 5.0
#: Volume of vessel-like clusters from which contrast medium is told (ml).
CONTRAST_ML = 0.2
#: With more noise than this in the blocks (standard deviation, HU), noise alone makes bright clusters.
MOST_NOISE_HU = 22.0


@dataclass(frozen=True)
class Section:
    """The largest stretch of soft tissue in a slice: its area (cm²), and the share of its outline along bone."""

    area_cm2: float
    skull_share: float

    @property
    def shows_brain(self) -> bool:
        """True if it is large, and bone surrounds it."""
        return self.enclosed_cm2 >= BRAIN_AREA_CM2

    @property
    def enclosed_cm2(self) -> float:
        """The area if bone surrounds it, else 0."""
        return self.area_cm2 if self.skull_share >= SKULL_SHARE else 0.0


def section(image: AnyArray, spacing_mm: Pair) -> Section:
    """Look for brain within a skull in one slice of any plane.

    Parameters
    ----------
    image : array, shape (i, j)
        Hounsfield units.
    spacing_mm : pair of float
        Distances of its pixels along i and j.
    """
    hu, step_mm = _coarse(image, spacing_mm)
    tissue = _largest_tissue(hu, step_mm)
    outline = grown(tissue, [3, 3]) & ~tissue
    if not outline.any():
        return Section(0.0, 0.0)
    bone = grown(hu > SKULL_HU, box_size(NEAR_BONE_MM, step_mm))
    area_cm2 = np.count_nonzero(tissue) * float(step_mm.prod()) / 100
    return Section(area_cm2, float(np.count_nonzero(outline & bone) / np.count_nonzero(outline)))


def filled_vessels_ml(slab: AnyArray, spacing_mm: tuple[float, float, float]) -> float | None:
    """Volume of vessels filled with contrast medium inside the skull: bright clusters of at least 30 mm.

    None if the slices show too little of the brain, or are too noisy to tell.

    Parameters
    ----------
    slab : array, shape (i, j, k)
        Hounsfield units of neighbouring slices that show brain, above the base of the skull.
    spacing_mm : triple of float
    """
    factors = _factors(BLOCK_MM, spacing_mm[:2])
    hu = block_mean(slab, (*factors, 1))
    step_mm = np.array(spacing_mm) * (*factors, 1)
    search = np.stack([_inside(slab[:, :, k], spacing_mm[:2], hu.shape[:2]) for k in range(slab.shape[2])], axis=2)
    away = box_size(AWAY_FROM_BONE_MM, step_mm)[:2]
    search &= ~grown(hu > BONE_HU, [*away, 1])
    if not search.any():
        return None
    values = hu[search]
    noise_hu = 1.4826 * float(np.median(np.abs(values - np.median(values))))
    if noise_hu > MOST_NOISE_HU:
        return None
    clusters, _ = vessel_clusters(hu, search, step_mm)
    return float(np.count_nonzero(clusters) * step_mm.prod()) / 1000


def _factors(size_mm: float, spacing_mm: Pair) -> tuple[int, int]:
    return max(1, round(size_mm / spacing_mm[0])), max(1, round(size_mm / spacing_mm[1]))


def _coarse(image: AnyArray, spacing_mm: Pair) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
    factors = _factors(COARSE_MM, spacing_mm)
    return block_mean(image[:, :, None], (*factors, 1))[:, :, 0], np.array(spacing_mm) * factors


def _largest_tissue(hu: npt.NDArray[np.float32], step_mm: npt.NDArray[np.float64]) -> BoolArray:
    """Largest stretch of soft tissue without thin bridges, holes filled."""
    size = box_size(BRIDGE_MM, step_mm)
    # Over 3 × 3 blocks: a bone kernel's noise on thin slices would otherwise tear soft tissue to pieces.
    smooth = ndimage.uniform_filter(hu, 3)
    labels, count = ndimage.label(shrunk((smooth > SOFT_HU[0]) & (smooth < SOFT_HU[1]), size))
    if count == 0:
        return np.zeros(hu.shape, dtype=np.bool_)
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    return np.asarray(ndimage.binary_fill_holes(grown(labels == areas.argmax(), size)))


def _inside(image: AnyArray, spacing_mm: Pair, shape: tuple[int, ...]) -> BoolArray:
    """Well inside the soft tissue, vessels included; on a finer grid of blocks."""
    hu, step_mm = _coarse(image, spacing_mm)
    closed = grown(_largest_tissue(hu, step_mm), box_size(VESSEL_WIDTH_MM / 2, step_mm))
    inside = shrunk(np.asarray(ndimage.binary_fill_holes(closed)), box_size(VESSEL_WIDTH_MM / 2 + INSIDE_MM, step_mm))
    fine = _factors(BLOCK_MM, spacing_mm)
    coarse = _factors(COARSE_MM, spacing_mm)
    i, j = (
        np.minimum((np.arange(n) * f) // c, m - 1) for n, f, c, m in zip(shape, fine, coarse, inside.shape, strict=True)
    )
    return inside[np.ix_(i, j)]
