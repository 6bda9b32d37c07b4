"""What changed between two scans: volumes of structures, before and after."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan

import numpy as np

from cormack.core.errors import GeometryError
from cormack.core.labels import LabelMap
from cormack.core.volume import Volume
from cormack.measure.agreement import compare_labels
from cormack.measure.boxes import BoolArray


@dataclass(frozen=True)
class StructureVolume:
    """Volume of one structure in one scan."""

    index: int
    name: str
    voxels: int
    volume_ml: float


@dataclass(frozen=True)
class StructureChange:
    """One structure in two scans.

    Attributes
    ----------
    name : str
    first_ml, second_ml : float
    overlap : float
        Sørensen–Dice coefficient; 1 if both are empty.
    """

    name: str
    first_ml: float
    second_ml: float
    overlap: float

    @property
    def change_ml(self) -> float:
        """Second minus first."""
        return self.second_ml - self.first_ml

    @property
    def change_percent(self) -> float | None:
        """Change in percent of the mean of both, so that exchanging the scans changes the sign alone; None if empty."""
        mean = (self.first_ml + self.second_ml) / 2
        return 100.0 * self.change_ml / mean if mean > 0 else None


def structure_volumes(labels: LabelMap) -> tuple[StructureVolume, ...]:
    """Volumes of all structures of a map, by voxel counting: those of its table, and whatever else occurs.

    Structures of the table that are absent have volume 0; numbers that the table does not name are called `label <n>`.
    """
    counts = np.bincount(labels.data.ravel().astype(np.intp))
    names = {label.index: label.name for label in labels.table}
    indices = sorted(set(names) | set(np.flatnonzero(counts[1:]) + 1))
    found = []
    for index in indices:
        voxels = int(counts[index]) if index < len(counts) else 0
        name = names.get(index, f"label {index}")
        found.append(StructureVolume(int(index), name, voxels, voxels * labels.voxel_volume_ml))
    return tuple(found)


def volume_changes(first: LabelMap, second: LabelMap, within: BoolArray) -> tuple[StructureChange, ...]:
    """Volumes of every structure in two scans, and how far they overlap.

    Parameters
    ----------
    first, second : LabelMap
        On one grid.
    within : bool array, shape (i, j, k)
        What both scans cover: a structure that one of them cuts would seem to shrink.

    Raises
    ------
    GeometryError
        If the shapes differ.
    """
    if not first.data.shape == second.data.shape == within.shape:
        raise GeometryError(
            f"label maps of shape {first.data.shape} and {second.data.shape}, covered {within.shape}: bring them onto "
            "one grid first"
        )
    a, b = (LabelMap(np.where(within, m.data, m.data.dtype.type(0)), m.affine, m.table) for m in (first, second))
    return tuple(
        # Two empty structures lie on each other as well as they can.
        StructureChange(found.name, found.reference_ml, found.predicted_ml, 1.0 if isnan(found.dice) else found.dice)
        for found in compare_labels(a, b, surfaces=False)
    )


def mean_values(first: Volume, second: Volume, within: BoolArray) -> tuple[float, float, float]:
    """Mean of both volumes and the mean absolute difference where `within` holds, in their unit; NaN if nowhere."""
    a, b = first.data[within].astype(np.float64), second.data[within].astype(np.float64)
    if not a.size:
        return (np.nan,) * 3
    return float(a.mean()), float(b.mean()), float(np.abs(b - a).mean())
