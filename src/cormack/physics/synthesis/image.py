"""A synthetic image with its truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cormack.core.volume import Unit, Volume
from cormack.physics.synthesis.anatomy import FloatImage


@dataclass(frozen=True, eq=False)
class SyntheticImage:
    """An image, its truth on the same grid, and what was put in.

    Parameters
    ----------
    volume : Volume
        float32; HU for CT, arbitrary units for MR.
    target : Volume
        Share of every voxel inside the target, 0 to 1; at 0.5 the surface lies half-way between brain and inner table.
    facts : dict
        What was drawn: sizes, kernel, lesions; for tables and for choosing test cases.
    """

    volume: Volume
    target: Volume
    facts: dict[str, Any]


def finished(
    image: FloatImage,
    share: FloatImage,
    axes: tuple[FloatImage, FloatImage, FloatImage],
    facts: dict[str, Any],
    *,
    unit: Unit = Unit.HU,
    outside: float = -1000.0,
) -> SyntheticImage:
    """Image and share on the grid of positions along x, y and z (mm)."""
    affine = np.diag([*(float(a[1] - a[0]) for a in axes), 1.0])
    affine[:3, 3] = [float(a[0]) for a in axes]
    volume = Volume(image, affine, unit=unit, outside=outside)
    target = Volume(np.clip(share, 0, 1), affine, unit=Unit.PROBABILITY, outside=0.0)
    return SyntheticImage(volume, target, facts)
