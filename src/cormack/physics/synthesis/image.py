"""A synthetic image with its truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cormack.core.labels import Label, LabelMap, LabelTable
from cormack.core.volume import Unit, Volume
from cormack.physics.synthesis.anatomy import Codes, FloatImage


@dataclass(frozen=True, eq=False)
class SyntheticImage:
    """An image, its truth on the same grid, and what was put in.

    Parameters
    ----------
    volume : Volume
        float32; HU for CT, arbitrary units for MR.
    target : Volume or LabelMap
        For one target its share of every voxel, 0 to 1: at 0.5 the surface lies half-way between brain and inner table.
        For an anatomy with several targets their labels.
    facts : dict
        What was drawn: sizes, kernel, lesions; for tables and for choosing test cases.
    """

    volume: Volume
    target: Volume | LabelMap
    facts: dict[str, Any]


def finished(
    image: FloatImage,
    target: FloatImage | Codes,
    axes: tuple[FloatImage, FloatImage, FloatImage],
    facts: dict[str, Any],
    *,
    unit: Unit = Unit.HU,
    outside: float = -1000.0,
) -> SyntheticImage:
    """Image and target, a share or uint8 labels, on the grid of positions along x, y and z (mm)."""
    affine = np.diag([*(float(a[1] - a[0]) for a in axes), 1.0])
    affine[:3, 3] = [float(a[0]) for a in axes]
    volume = Volume(image, affine, unit=unit, outside=outside)
    if target.dtype == np.uint8:
        count = int(target.max(initial=1))
        table = LabelTable(tuple(Label(n, f"target {n}", f"T{n}", (90, 160, 230)) for n in range(1, count + 1)))
        return SyntheticImage(volume, LabelMap(target, affine, table), facts)
    share = Volume(np.clip(target, 0, 1), affine, unit=Unit.PROBABILITY, outside=0.0)
    return SyntheticImage(volume, share, facts)
