"""Samples: what one step of a training, or a validation, sees of one case. No torch: background processes use it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from cormack.core.errors import CormackError

#: Number that stands for the whole of a voxel where targets are shares.
WHOLE = 255


@dataclass(frozen=True, eq=False)
class Sample:
    """One image as the network takes it, and what it shall answer.

    Parameters
    ----------
    image : float16 array, shape (channel, i, j[, k])
    target : uint8 array, shape (i, j[, k])
        One structure: its share of the voxel, 255 being all of it; several: the class.
    name : str
        The case's label, never a name of a person.
    """

    image: npt.NDArray[np.float16]
    target: npt.NDArray[np.uint8]
    name: str


@dataclass(frozen=True)
class Made:
    """The training samples of one number from a background process, or why there are none."""

    number: int
    samples: Sequence[Sample] = ()
    error: CormackError | None = None


class Source(Protocol):
    """Makes samples; the same number gives the same ones."""

    def training(self, number: int) -> Sequence[Sample]:
        """Random samples of one case."""

    def validation(self, number: int) -> Sequence[Sample]:
        """Fixed samples of one case that is never trained on."""

    @property
    def validations(self) -> int:
        """How many numbers `validation` takes."""


def random(seed: int, stream: int, number: int) -> np.random.Generator:
    """Random numbers that depend on these three alone, so that a training goes on exactly where it stopped."""
    return np.random.default_rng((seed, stream, number))


def one_hot(target: npt.NDArray[np.uint8], classes: int) -> npt.NDArray[Any]:
    """Targets with a class axis: shares in [0, 1], float32, shape (class, i, j[, k])."""
    if classes == 1:
        return (target.astype(np.float32) / WHOLE)[None]
    numbers = np.arange(classes, dtype=np.uint8).reshape(-1, *[1] * target.ndim)
    return np.asarray(target == numbers, dtype=np.float32)
