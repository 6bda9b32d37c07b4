"""Trachea and main bronchi on a coarse grid: followed from slice to slice, grown until they would leak into lung."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from cormack.imaging.workgrid import BoolArray, FloatImage, bounding_box, component_with, distance_mm
from cormack.segment.inside_air import label_slices
from cormack.segment.lung_sides import GAS_HU

#: Cross-section of a trachea or a main bronchus with its partial volume (mm²), and how far from the midline (mm).
AREA_MM2 = (35.0, 900.0)
FROM_MIDLINE_MM = 45.0
#: A cross-section fills at least this share of the box around it, whose sides differ at most by this factor.
BOX_SHARE, BOX_RATIO = 0.45, 3.0
#: Shorter chains of cross-sections are no trachea (mm).
SHORTEST_MM = 20.0
#: Lungs are looked for among so many regions of air.
LARGEST_REGIONS = 6
#: Thresholds by which the lumen is grown (HU); the growth that multiplies the volume by more is a leak.
GROWTH_HU = np.arange(-975.0, -869.0, 15.0)
LEAK_RATIO, LEAK_ML = 1.4, 4.0
#: Bronchi narrower than twice this belong to the lung (mm).
MAIN_RADIUS_MM = 3.8
#: Wall between lumen and what lies beside it, and what partial volume adds (mm).
WALL_MM = 2.5


def main_airway(air: BoolArray, hu: FloatImage, midline: float, spacing_mm: tuple[float, float, float]) -> BoolArray:
    """Trachea and main bronchi with their walls; empty where no trachea is in view.

    Parameters
    ----------
    air : bool array, shape (i, j, k)
        Air inside the body; axes closest to R, A, S.
    hu : float array, shape (i, j, k)
    midline : float
        Index along i.
    spacing_mm : three floats
    """
    trachea = _trachea(air, hu, midline, spacing_mm)
    if not trachea.any():
        return trachea
    lumen = _grown(air, hu, trachea, float(np.prod(spacing_mm)) / 1000)
    margin = tuple(int(np.ceil(2 * WALL_MM / h)) + 1 for h in spacing_mm)
    box = bounding_box(lumen, margin)  # type: ignore[arg-type]
    part = lumen[box]
    wide = distance_mm(part, spacing_mm) >= MAIN_RADIUS_MM
    tubes = part & (distance_mm(~wide, spacing_mm) <= MAIN_RADIUS_MM + 1.0) | trachea[box]
    tubes = component_with(tubes, trachea[box])
    walled = np.zeros_like(air)
    walled[box] = distance_mm(~tubes, spacing_mm) <= WALL_MM
    return walled


def _trachea(air: BoolArray, hu: FloatImage, midline: float, spacing_mm: tuple[float, float, float]) -> BoolArray:
    """The largest chain of round cross-sections near the midline whose middle lies above that of the lungs."""
    labels, count = label_slices(air)
    round_ones = np.zeros(count + 1, dtype=bool)
    areas = np.bincount(labels.ravel(), minlength=count + 1) * spacing_mm[0] * spacing_mm[1]
    for n, box in enumerate(ndimage.find_objects(labels), start=1):
        if not AREA_MM2[0] <= areas[n] <= AREA_MM2[1]:
            continue
        wide, deep = ((s.stop - s.start) * h for s, h in zip(box[:2], spacing_mm, strict=False))
        off_mm = abs((box[0].start + box[0].stop - 1) / 2 - midline) * spacing_mm[0]
        ratio = max(wide, deep) / min(wide, deep)
        round_ones[n] = off_mm <= FROM_MIDLINE_MM and areas[n] >= BOX_SHARE * wide * deep and ratio <= BOX_RATIO
    chains, _ = ndimage.label(round_ones[labels])
    middle = _middle_of_lungs(air, hu)
    sizes = np.bincount(chains.ravel())
    best, largest = 0, 0
    for n, box in enumerate(ndimage.find_objects(chains), start=1):
        long_mm = (box[2].stop - box[2].start) * spacing_mm[2]
        if long_mm >= SHORTEST_MM and (box[2].start + box[2].stop - 1) / 2 > middle and sizes[n] > largest:
            best, largest = n, int(sizes[n])
    return np.asarray((chains == best) & (best > 0))


def _middle_of_lungs(air: BoolArray, hu: FloatImage) -> float:
    """Index along k of the middle of the largest region of air that is no gas; beyond the end if there is none."""
    cores, count = ndimage.label(ndimage.binary_erosion(air, iterations=2))
    sizes = np.bincount(cores.ravel(), minlength=count + 1)
    for n in np.argsort(-sizes[1:])[:LARGEST_REGIONS] + 1:
        core = cores == n
        if np.median(hu[core]) > GAS_HU:
            return float(np.average(np.arange(air.shape[2]), weights=np.count_nonzero(core, axis=(0, 1))))
    return float(air.shape[2])


def _grown(air: BoolArray, hu: FloatImage, trachea: BoolArray, voxel_ml: float) -> BoolArray:
    """The trachea and what hangs together with it at the brightest threshold that does not leak into the lung."""
    grown, before = trachea, float(np.count_nonzero(trachea)) * voxel_ml
    for threshold in GROWTH_HU:
        lumen = trachea | component_with(air & (hu < threshold), trachea)
        volume_ml = float(np.count_nonzero(lumen)) * voxel_ml
        if volume_ml > LEAK_RATIO * before + LEAK_ML:
            break
        grown, before = lumen, max(before, volume_ml)
    return grown
