"""What an engine of registration must do, so that another one can take the place of ANTs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
import numpy.typing as npt

from cormack.core.transforms import Transform, TransformChain
from cormack.core.volume import Volume

BoolArray = npt.NDArray[np.bool_]


class Kind(StrEnum):
    """How freely the moving space may change: turned and shifted; scaled and sheared, too; bent everywhere."""

    RIGID = "rigid"
    AFFINE = "affine"
    SYN = "syn"


class Metric(StrEnum):
    """What is made as large (or small) as can be.

    Mutual information, and least squares in the deformable stage where the values agree (auto); mutual information
    throughout; normalised mutual information; least squares of the values (one modality and unit only); squared local
    correlation coefficient (in the deformable stage; the linear ones take mutual information).
    """

    AUTO = "auto"
    MI = "mi"
    NMI = "nmi"
    LS = "ls"
    CC = "cc"


@dataclass(frozen=True, eq=False)
class Task:
    """Two volumes that roughly lie on each other, and what to do with them.

    Parameters
    ----------
    moving, fixed : Volume
        float32 from 0 (background) to 1, orthogonal grids, in one space: the start is in the affine of the moving one.
    kind : Kind
    metric : Metric
        Any but auto.
    moving_mask, fixed_mask : bool array on the grids, or None
        Voxels that count; all if None.
    linear : TransformChain or None
        What the linear stages found, so that only the deformable one is left to do.
    seed : int
        Of the random samples that an engine draws.
    """

    moving: Volume
    fixed: Volume
    kind: Kind
    metric: Metric
    moving_mask: BoolArray | None = None
    fixed_mask: BoolArray | None = None
    linear: TransformChain | None = None
    seed: int = 1


class Engine(Protocol):
    """Finds the transform; refuses with `RegistrationError` where it cannot."""

    @property
    def name(self) -> str:
        """Name and version, for reports and manifests."""

    def align(self, task: Task) -> TransformChain:
        """The transform from points of the fixed space to points of the moving one, RAS+ mm.

        Raises
        ------
        RegistrationError
            If the engine gives up.
        """


@dataclass(frozen=True)
class GivenEngine:
    """An engine that answers with what it was given: for tests, and to judge a transform that another program made."""

    answer: Transform
    name: str = "given transform"

    def align(self, task: Task) -> TransformChain:
        """The given transform, whatever the task."""
        return TransformChain((self.answer,))
