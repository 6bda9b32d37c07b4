"""Label maps and the tables that say what their numbers mean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cormack.core.errors import GeometryError, InputError
from cormack.core.findings import Finding
from cormack.core.volume import FloatArray, Volume


@dataclass(frozen=True)
class Label:
    """One structure: the number it has in a map, its names, its colour and, where verified, its SNOMED CT code."""

    index: int
    name: str
    abbreviation: str
    color: tuple[int, int, int]
    snomed_ct: str | None = None


@dataclass(frozen=True)
class LabelTable:
    """The labels of a map, each index and each name once; 0 is always background and not listed.

    Raises
    ------
    InputError
        If an index or a name occurs twice, or an index is not positive.
    """

    labels: tuple[Label, ...]

    def __post_init__(self) -> None:
        indices = [label.index for label in self.labels]
        names = [label.name for label in self.labels]
        if len(set(indices)) != len(indices) or len(set(names)) != len(names):
            raise InputError("a LabelTable holds each index and each name once")
        if min(indices, default=1) < 1:
            raise InputError("a LabelTable holds positive indices only; 0 is background")

    def __iter__(self) -> Iterator[Label]:
        return iter(self.labels)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, key: int | str) -> Label:
        for label in self.labels:
            if key in (label.index, label.name, label.abbreviation):
                return label
        raise KeyError(key)


HEAD = LabelTable((Label(1, "head", "head", (86, 180, 233), "69536005"),))
BRAIN = LabelTable((Label(1, "intracranial space", "brain", (230, 159, 0)),))
#: What MR shows of it: bone and dura, dark as the fluid beside them, leave no edge to follow.
BRAIN_AND_CSF = LabelTable((Label(1, "brain and CSF", "brain", (230, 159, 0)),))


@dataclass(frozen=True, eq=False)
class LabelMap:
    """Whole numbers on the grid of a Volume, with the table that names them.

    Parameters
    ----------
    data : integer or bool array, shape (i, j, k)
    affine : array, shape (4, 4)
        Voxel indices to RAS+ millimetres.
    table : LabelTable
    description : str
        What the surface follows and which method drew it; goes into sidecars and reports.
    findings : tuple of Finding
        What the method noticed about the scan while it drew.
    """

    data: npt.NDArray[Any]
    affine: FloatArray
    table: LabelTable
    description: str = ""
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        if self.data.ndim != 3 or self.data.dtype.kind not in "bui":
            raise GeometryError(
                f"a LabelMap needs a 3-D array of whole numbers, not {self.data.dtype} of shape {self.data.shape}"
            )
        object.__setattr__(self, "affine", np.asarray(self.affine, dtype=np.float64))

    @property
    def voxel_volume_ml(self) -> float:
        """Volume of one voxel in millilitres."""
        return float(abs(np.linalg.det(self.affine[:3, :3]))) / 1000.0

    def mask(self, key: int | str = 1) -> npt.NDArray[np.bool_]:
        """Voxels of one label, as a boolean array of shape (i, j, k)."""
        return np.asarray(self.data == self.table[key].index)

    def volume_ml(self, key: int | str = 1) -> float:
        """Volume of one label in millilitres."""
        return float(np.count_nonzero(self.mask(key))) * self.voxel_volume_ml

    def on_grid_of(self, volume: Volume) -> bool:
        """True if the map lies voxel by voxel on the volume."""
        return self.data.shape == volume.shape and bool(np.allclose(self.affine, volume.affine, atol=1e-3))
