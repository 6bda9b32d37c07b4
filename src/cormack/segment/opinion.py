"""What one route says of the structures of a head: how likely every voxel of a coarse grid belongs to each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from cormack.core.findings import Finding
from cormack.core.neuroanatomy import COARSE_OF_FINE, NEUROANATOMY, NEUROANATOMY_FINE
from cormack.core.volume import FloatArray

FloatImage = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.uint8]

#: Rows of a probability that are parts of "brainstem and cerebrum", and the rows of all other structures.
_PARTS = np.flatnonzero(COARSE_OF_FINE[1:] == NEUROANATOMY["brainstem and cerebrum"].index)
_OTHERS = np.setdiff1d(np.arange(len(NEUROANATOMY_FINE)), _PARTS)


@dataclass(frozen=True, eq=False)
class Opinion:
    """What one route says.

    Parameters
    ----------
    probability : float32 array, shape (16, i, j, k)
        In the order of `NEUROANATOMY_FINE`.
    inside : bool array, shape (i, j, k)
        The intracranial space.
    affine : array, shape (4, 4)
        The coarse grid: voxel indices to RAS+ millimetres.
    description : str
        How it was come by.
    agreement : mapping of str to float
        How far the route's own observers agree (Sørensen–Dice), by the structure's name in either table; empty where
        there was one observer.
    observers : str
        Who they are.
    findings : tuple of Finding
        What the route noticed.
    background : float32 array, shape (i, j, k), or None
        How likely a voxel is none of the sixteen: bone or air that the mask holds. None where that was not asked, and
        every voxel inside is one of them.
    """

    probability: FloatImage
    inside: BoolArray
    affine: FloatArray
    description: str
    agreement: Mapping[str, float] = field(default_factory=dict)
    observers: str = ""
    findings: tuple[Finding, ...] = ()
    background: FloatImage | None = None

    def labels(self) -> Labels:
        """The likeliest of the sixteen inside, shape (i, j, k); 0 outside, and where background is likelier."""
        label, share = likeliest(self.probability)
        here = self.inside if self.background is None else self.inside & (self.background <= share)
        return np.where(here, label, 0).astype(np.uint8)


@dataclass(frozen=True)
class Confidence:
    """How sure a route is of one structure.

    Attributes
    ----------
    probability : float
        Its mean probability where it was drawn.
    entropy : float
        Mean entropy there: 0 where one structure is certain, 1 where all sixteen are equally likely.
    agreement : float or None
        Sørensen–Dice of the route's observers.
    """

    probability: float
    entropy: float
    agreement: float | None = None


def likeliest(probability: FloatImage) -> tuple[Labels, FloatImage]:
    """The label of sixteen, and the probability of its structure among eleven.

    Lobes, thalamus and brainstem stand together against the others, and only then among themselves: a voxel that may
    be of two lobes is no less brain for that.

    Parameters
    ----------
    probability : float32 array, shape (16, …)

    Returns
    -------
    tuple
        uint8 and float32 arrays of shape (…); label 0 where nothing is likely at all.
    """
    part, _ = _greatest(probability, _PARTS)
    label, share = _greatest(probability, _OTHERS)
    brain = probability[_PARTS[0]].copy()
    for row in _PARTS[1:]:
        brain += probability[row]
    np.copyto(label, part, where=brain >= share)
    return np.where(np.maximum(brain, share) > 0, label, 0).astype(np.uint8, copy=False), np.maximum(brain, share)


def _greatest(probability: FloatImage, rows: npt.NDArray[np.intp]) -> tuple[Labels, FloatImage]:
    """The label of the greatest of some rows, and its probability."""
    best = probability[rows[0]].copy()
    for row in rows[1:]:
        np.maximum(best, probability[row], out=best)
    label = np.full(best.shape, 255, dtype=np.uint8)
    alike = np.empty(best.shape, dtype=bool)
    # Without a branch, row by row in the processor's cache: many times faster than argmax across rows.
    number = alike.view(np.uint8)
    for row in rows:
        np.equal(probability[row], best, out=alike)
        # The row's number where it is the greatest, 255 elsewhere.
        np.subtract(number, np.uint8(1), out=number)
        np.bitwise_or(number, np.uint8(row + 1), out=number)
        np.minimum(label, number, out=label)
    return label, best


def overlap(a: Labels, b: Labels) -> dict[str, float]:
    """Sørensen–Dice of every structure of both tables that one of the two maps, shape (i, j, k), holds; by name."""
    count = len(NEUROANATOMY_FINE) + 1
    pairs = np.zeros((count, count), dtype=np.int64)
    # Plane by plane: whole scans of half a millimetre have a hundred million voxels.
    for k in range(a.shape[2]):
        both = a[:, :, k].astype(np.intp) * count + b[:, :, k]
        pairs += np.bincount(both.ravel(), minlength=count * count).reshape(count, count)
    members = {label.name: label.index == COARSE_OF_FINE for label in NEUROANATOMY}
    members |= {label.name: np.arange(count) == label.index for label in NEUROANATOMY_FINE}
    found: dict[str, float] = {}
    for name, own in members.items():
        total = pairs[own].sum() + pairs[:, own].sum()
        if total:
            found[name] = float(2.0 * pairs[np.ix_(own, own)].sum() / total)
    return found


def confidence(opinion: Opinion) -> dict[str, Confidence]:
    """How sure a route is of the structures that it drew, by name in either table."""
    labels = opinion.labels()
    drawn = opinion.inside
    values = opinion.probability[:, drawn]
    entropy = _entropy(values)
    inner = labels[drawn]
    sums = np.stack([values[COARSE_OF_FINE[1:] == label.index].sum(axis=0) for label in NEUROANATOMY])
    found = {}
    for table, shares, numbers in ((NEUROANATOMY, sums, COARSE_OF_FINE[inner]), (NEUROANATOMY_FINE, values, inner)):
        for row, label in zip(shares, table, strict=True):
            here = numbers == label.index
            if here.any():
                found[label.name] = Confidence(
                    float(row[here].mean()), float(entropy[here].mean()), opinion.agreement.get(label.name)
                )
    return found


def _entropy(values: FloatImage) -> FloatImage:
    """Entropy of probabilities of shape (16, voxels) as a share of the greatest, shape (voxels,)."""
    shares = values / np.maximum(values.sum(axis=0), 1e-6)
    logs = np.log(np.maximum(shares, 1e-9))
    return np.asarray(-(shares * logs).sum(axis=0) / np.log(len(values)), dtype=np.float32)
