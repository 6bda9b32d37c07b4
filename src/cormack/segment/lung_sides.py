"""Which air is lung, and whether it is the right or the left one, on a coarse grid."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cormack.imaging.workgrid import BoolArray, FloatImage, distance_mm

RIGHT, LEFT = 1, 2
#: A lung is somewhere as deep as this (mm) and all lungs in view together not smaller (ml).
LEAST_DEPTH_MM, LEAST_LUNG_ML = 8.0, 40.0
#: Pieces beside the lungs are as deep (mm) and large (ml), and no farther from them (mm).
PIECE_DEPTH_MM, LEAST_PIECE_ML, PIECE_DISTANCE_MM = 3.5, 1.0, 25.0
#: A region below this share of the largest lung is a piece.
PIECE_SHARE = 0.15
#: Gas in bowel or sinuses is darker than any lung (median, HU), in small regions than most lungs; these are below (ml).
GAS_HU, SMALL_GAS_HU, SMALL_ML = -955.0, -930.0, 200.0
#: Stool with gas is more uneven than lung (range of 80 % of the values, HU), nose with sinuses than small lungs.
UNEVEN_HU, SMALL_UNEVEN_HU = 480.0, 260.0
#: A region with at least this share on each side of the midline may be two lungs that touch.
STRADDLING_SHARE = 0.1
#: Necks between two lungs are up to twice as wide as this (mm).
NECKS_MM = (1.0, 2.5, 4.0, 6.0, 8.0, 10.0, 12.0)
#: Two pleural sheets that touch are brighter than the lung, the less so the more they are blurred (HU).
SHEETS_HU = (150.0, 80.0)
#: The middle of each of two parted lungs lies at least this far from the midline (mm), with at least this share.
APART_MM, APART_SHARE = 20.0, 0.12
#: Smaller parts go to the nearest larger one.
SEED_SHARE = 0.02

Labels = npt.NDArray[np.uint8]
Spacing = tuple[float, float, float]


def lung_sides(air: BoolArray, hu: FloatImage, midline: float, spacing_mm: Spacing) -> tuple[Labels, FloatImage]:
    """Tell right lung (1), left lung (2) and other air (0) apart.

    Parameters
    ----------
    air : bool array, shape (i, j, k)
        Air inside the body without trachea and main bronchi; axes closest to R, A, S.
    hu : float array, shape (i, j, k)
    midline : float
        Index along i.
    spacing_mm : three floats

    Returns
    -------
    labels : uint8 array, shape (i, j, k)
    depth_mm : float array, shape (i, j, k)
        Distance of each voxel of `air` to the nearest that is not.
    """
    depth = distance_mm(air, spacing_mm)
    found = np.zeros(air.shape, dtype=np.uint8)
    regions, _ = ndimage.label(air)
    boxes = ndimage.find_objects(regions)
    for n in _lungs(regions, hu, depth, spacing_mm):
        box = boxes[n - 1]
        region = regions[box] == n
        found[box][region] = _sides(region, hu[box], depth[box], midline - box[0].start, spacing_mm)[region]
    return found, depth


def _lungs(regions: npt.NDArray[np.int32], hu: FloatImage, depth: FloatImage, spacing_mm: Spacing) -> list[int]:
    """Which regions of air are lungs or pieces of them; none where all together are too small."""
    voxel_ml = float(np.prod(spacing_mm)) / 1000
    sizes_ml = np.bincount(regions.ravel()) * voxel_ml
    sizes_ml[0] = 0.0
    boxes = ndimage.find_objects(regions)
    likely = [
        n
        for n in np.flatnonzero(sizes_ml >= LEAST_PIECE_ML).tolist()
        if _like_lung(regions[boxes[n - 1]] == n, hu[boxes[n - 1]], depth[boxes[n - 1]], sizes_ml[n])
    ]
    largest_ml = max((sizes_ml[n] for n in likely), default=0.0)
    lungs = [n for n in likely if sizes_ml[n] >= PIECE_SHARE * largest_ml]
    whole = np.isin(regions, lungs)
    if sizes_ml[lungs].sum() < LEAST_LUNG_ML or depth[whole].max() < LEAST_DEPTH_MM:
        return []
    away = distance_mm(~whole, spacing_mm)
    return lungs + [
        n for n in set(likely) - set(lungs) if away[boxes[n - 1]][regions[boxes[n - 1]] == n].min() <= PIECE_DISTANCE_MM
    ]


def _like_lung(region: BoolArray, hu: FloatImage, depth: FloatImage, size_ml: float) -> bool:
    """Whether a region is lung by the values inside it, where partial volume hardly reaches."""
    deepest = float(depth[region].max())
    if deepest < PIECE_DEPTH_MM:
        return False
    low, median, high = np.percentile(hu[region & (depth > 0.4 * deepest)], (10, 50, 90))
    gas, uneven = (SMALL_GAS_HU, SMALL_UNEVEN_HU) if size_ml < SMALL_ML else (GAS_HU, UNEVEN_HU)
    return bool(median > gas and high - low < uneven)


def _sides(region: BoolArray, hu: FloatImage, depth: FloatImage, midline: float, spacing_mm: Spacing) -> Labels:
    """A region as one lung, or as two where it can be parted: at a neck, or along a sheet brighter than lung."""
    profile = np.count_nonzero(region, axis=(1, 2))
    right_share = profile[max(0, int(np.ceil(midline))) :].sum() / profile.sum()
    if STRADDLING_SHARE < right_share < 1 - STRADDLING_SHARE:
        for sheet_hu in (np.inf, *SHEETS_HU):
            apart = region & (hu < np.median(hu[region]) + sheet_hu)
            inside = depth * region if np.isinf(sheet_hu) else distance_mm(apart, spacing_mm)
            seeds = _two_seeds(inside, midline, spacing_mm)
            if seeds is not None:
                _, nearest = ndimage.distance_transform_edt(seeds == 0, sampling=spacing_mm, return_indices=True)
                return np.asarray(seeds[tuple(nearest)])
    return np.full(region.shape, RIGHT if right_share > 0.5 else LEFT, dtype=np.uint8)


def _two_seeds(depth: FloatImage, midline: float, spacing_mm: Spacing) -> Labels | None:
    """The deep parts of a region: two large ones on either side of the midline, at the narrowest neck between them."""
    for neck_mm in NECKS_MM:
        parts, count = ndimage.label(depth > neck_mm)
        if count < 2:
            continue
        sizes = np.bincount(parts.ravel())[1:]
        means = ndimage.center_of_mass(parts > 0, parts, np.arange(1, count + 1))
        off_mm = (np.array([mean[0] for mean in means]) - midline) * spacing_mm[0]
        right, left = (np.where(side, sizes, 0) for side in (off_mm > APART_MM, off_mm < -APART_MM))
        if min(right.max(), left.max()) >= APART_SHARE * sizes.sum():
            side_of = np.zeros(count + 1, dtype=np.uint8)
            large = sizes >= SEED_SHARE * sizes.sum()
            side_of[1:][large] = np.where(off_mm[large] > 0, RIGHT, LEFT)
            return np.asarray(side_of[parts])
    return None
