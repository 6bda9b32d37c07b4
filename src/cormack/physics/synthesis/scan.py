"""The slices of a scan, and the samples they are made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from cormack.physics.synthesis.anatomy import Anatomy, FloatImage
from cormack.physics.synthesis.deform import Pose, SampleGrid
from cormack.physics.synthesis.options import CtSynthesis
from cormack.physics.synthesis.slices import Slices


def draw_slices(
    anatomy: Anatomy,
    pose: Pose,
    z: FloatImage,
    y: FloatImage,
    rng: np.random.Generator,
    options: CtSynthesis,
    facts: dict[str, Any],
) -> Slices:
    """Thickness, tilt and range of the scan."""
    step = float(z[1] - z[0])
    thin = rng.random() < options.thin
    thickness = rng.uniform(0.5, step) if thin else rng.uniform(*np.maximum(options.thickness_mm, step))
    gap = max(step, thickness * (rng.uniform(0.8, 1.3) if rng.random() < 0.4 else 1.0))
    tilt = rng.uniform(-options.tilt_deg, options.tilt_deg) if rng.random() < options.tilted else 0.0
    slope = float(np.tan(np.radians(tilt)))
    bottom, top = _extent(anatomy, pose, slope)
    low = bottom - abs(rng.normal(0, 12)) - 2
    if rng.random() < options.neck:
        low = bottom - rng.uniform(20, 160)
    elif rng.random() < options.base_cut / max(1 - options.neck, 1e-3):
        low = bottom + rng.uniform(2, 55)
        facts["base_cut_mm"] = round(low - bottom, 1)
    high = top + rng.uniform(8, 40)
    if rng.random() < options.top_cut:
        high = top - rng.uniform(2, 45)
        facts["top_cut_mm"] = round(top - high, 1)
    reach = abs(slope) * float(y[-1])
    low, high = max(low, float(z[0]) - reach), min(high, float(z[-1]) + reach)
    count = max(3, int((high - low) / gap))
    positions = low + gap * (np.arange(count, dtype=np.float32) + rng.random())
    facts |= {"thickness_mm": round(thickness, 2), "gap_mm": round(gap, 2), "tilt_deg": round(tilt, 1)}
    return Slices(positions.astype(np.float32), thickness, slope)


def _extent(anatomy: Anatomy, pose: Pose, slope: float) -> tuple[float, float]:
    """Lowest and highest place of the target along the slices' axis (mm)."""
    where = np.argwhere(anatomy.targets[::6, ::6, ::6]) * 6.0
    points = pose.back(where @ anatomy.affine[:3, :3].T + anatomy.affine[:3, 3])
    heights = points[:, 2] + slope * points[:, 1]
    return float(heights.min()), float(heights.max())


def sample_grid(x: FloatImage, y: FloatImage, slices: Slices, spacing_mm: float) -> SampleGrid:
    """Samples that cover the slices, about as dense as the grid."""
    half = max(slices.thickness_mm, spacing_mm) / 2
    low, high = float(slices.positions_mm[0]) - half, float(slices.positions_mm[-1]) + half
    if slices.thickness_mm <= spacing_mm and np.diff(slices.positions_mm).max() <= spacing_mm * 1.001:
        return SampleGrid(x, y, slices.positions_mm, slices.slope)
    count = int(np.ceil((high - low) / spacing_mm)) + 1
    return SampleGrid(x, y, (low + spacing_mm * np.arange(count)).astype(np.float32), slices.slope)
