"""Agreement among observers who labelled one image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import nan

import numpy as np

from cormack.core.labels import LabelMap
from cormack.core.volume import FloatArray
from cormack.measure.agreement import TOLERANCE_MM, StructureAgreement, compare_labels
from cormack.measure.boxes import BoolArray, bounding_box


@dataclass(frozen=True)
class ObserverPair:
    """Two observers, counted from 1, and how far they agree on every structure; the first stands as the reference."""

    first: int
    second: int
    agreements: tuple[StructureAgreement, ...]


@dataclass(frozen=True)
class InterObserver:
    """How far all observers agree on one structure.

    Attributes
    ----------
    index : int
    name : str
    volumes_ml : tuple of float
        One per observer.
    dice : tuple of float
        One per pair, as `observer_pairs` orders them; NaN for a pair in which both left the structure out.
    kappa : float
        Fleiss' kappa of "in the structure or not", over the voxels of the box that holds all that anybody labelled.
    """

    index: int
    name: str
    volumes_ml: tuple[float, ...]
    dice: tuple[float, ...]
    kappa: float

    @property
    def volume_variation_percent(self) -> float:
        """Standard deviation of the volumes in percent of their mean; NaN if nobody drew it."""
        mean = float(np.mean(self.volumes_ml))
        return 100 * float(np.std(self.volumes_ml, ddof=1)) / mean if mean > 0 else nan


def observer_pairs(
    opinions: Sequence[LabelMap],
    *,
    tolerance_mm: float = TOLERANCE_MM,
    slices: Sequence[int] | None = None,
    surfaces: bool = True,
) -> tuple[ObserverPair, ...]:
    """Compare every observer with every other one.

    Parameters
    ----------
    opinions : sequence of LabelMap
        On one grid.
    tolerance_mm, slices, surfaces
        As in `cormack.measure.agreement.compare_labels`.
    """
    return tuple(
        ObserverPair(
            first + 1,
            second + 1,
            compare_labels(
                opinions[first], opinions[second], tolerance_mm=tolerance_mm, slices=slices, surfaces=surfaces
            ),
        )
        for first, second in combinations(range(len(opinions)), 2)
    )


def inter_observer(opinions: Sequence[LabelMap], pairs: Sequence[ObserverPair]) -> tuple[InterObserver, ...]:
    """Agreement of all observers, structure by structure, in ascending order of their numbers.

    Parameters
    ----------
    opinions : sequence of LabelMap
        At least two, on one grid.
    pairs : sequence of ObserverPair
        Of these opinions, from `observer_pairs`.
    """
    names = {a.index: a.name for pair in reversed(pairs) for a in pair.agreements}
    box = bounding_box(np.logical_or.reduce([opinion.data != 0 for opinion in opinions]))
    cut = [opinion.data[box] for opinion in opinions]
    volume_ml = opinions[0].voxel_volume_ml
    return tuple(
        InterObserver(
            index,
            names[index],
            tuple(int(np.count_nonzero(data == index)) * volume_ml for data in cut),
            tuple(next((a.dice for a in pair.agreements if a.index == index), nan) for pair in pairs),
            _mask_kappa([data == index for data in cut]),
        )
        for index in sorted(names)
    )


def fleiss_kappa(ratings: FloatArray, weights: FloatArray | None = None) -> float:
    """Fleiss' generalised kappa (1971, doi 10.1037/h0031619); NaN if all ratings are of one category.

    Parameters
    ----------
    ratings : array, shape (subjects, categories)
        How many raters put each subject into each category; the same number of raters for all, at least two.
    weights : array, shape (subjects,), optional
        How many subjects each row stands for; 1 if not given.
    """
    counts = np.ones(len(ratings)) if weights is None else weights
    total = counts.sum()
    if not total:
        return nan
    raters = ratings[0].sum()
    observed = counts @ ((ratings**2).sum(axis=1) - raters) / (raters * (raters - 1) * total)
    shares = counts @ ratings / (raters * total)
    expected = float(shares @ shares)
    return float((observed - expected) / (1 - expected)) if expected < 1 else nan


def _mask_kappa(masks: Sequence[BoolArray]) -> float:
    """Kappa of inside or outside; voxels with as many votes are one row."""
    raters = len(masks)
    votes = np.zeros(masks[0].shape, dtype=np.uint8 if raters < 256 else np.uint16)
    for mask in masks:
        votes += mask
    rows = np.arange(raters + 1, dtype=np.float64)
    ratings = np.stack([rows, raters - rows], axis=1)
    return fleiss_kappa(ratings, np.bincount(votes.ravel(), minlength=raters + 1).astype(np.float64))
