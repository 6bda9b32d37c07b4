"""STAPLE: the truth behind several opinions, and how good each of them is, for any number of labels.

Warfield et al. 2004, doi 10.1109/TMI.2004.828354.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cormack.core.errors import InputError
from cormack.core.labels import LabelMap
from cormack.core.volume import FloatArray

#: Expectation maximisation ends when no parameter changes by more than this, or after so many rounds.
CONVERGED = 1e-7
MOST_ITERATIONS = 500
#: Labels with the same probability to this are tied; the greater one wins.
_TIE = 1e-9


@dataclass(frozen=True, eq=False)
class Staple:
    """What STAPLE found.

    Attributes
    ----------
    labels : LabelMap
        The most probable label of each voxel.
    probability : array of float32, shape (i, j, k)
        How probable that label is.
    indices : tuple of int
        The labels that occur, 0 (background) among them, ascending.
    performance : array, shape (raters, labels, labels)
        [r, s, t]: probability that rater r says s where the truth is t. For one label, [r, 1, 1] is the sensitivity and
        [r, 0, 0] the specificity.
    iterations : int
    """

    labels: LabelMap
    probability: npt.NDArray[np.float32]
    indices: tuple[int, ...]
    performance: FloatArray
    iterations: int


def staple(opinions: Sequence[LabelMap]) -> Staple:
    """Estimate the truth and every rater's performance together.

    The prior of a label is its share among all opinions, over the whole grid. Voxels with the same opinions are worked
    on together, so that the time hardly depends on the size of the grid.

    Parameters
    ----------
    opinions : sequence of LabelMap
        At least two, on one grid.

    Raises
    ------
    InputError
        If there are fewer, or their grids differ.
    """
    check_opinions(opinions)
    indices = np.unique(np.concatenate([np.unique(opinion.data) for opinion in opinions]).astype(np.int64))
    indices = np.union1d(indices, [0])
    patterns, where, counts = _patterns(opinions, indices)
    performance, iterations = _converged(patterns, counts, len(indices))
    posterior = _posterior(patterns, performance, _prior(patterns, counts, len(indices)))
    best = posterior >= posterior.max(axis=1, keepdims=True) - _TIE
    winner = len(indices) - 1 - np.argmax(best[:, ::-1], axis=1)
    first = opinions[0]
    dtype = np.result_type(*(opinion.data.dtype for opinion in opinions))
    labels = LabelMap(
        indices[winner][where].astype(dtype), first.affine, first.table, f"STAPLE of {len(opinions)} label maps"
    )
    probability = posterior[np.arange(len(winner)), winner].astype(np.float32)[where]
    return Staple(labels, probability, tuple(indices.tolist()), performance, iterations)


def check_opinions(opinions: Sequence[LabelMap]) -> None:
    """Refuse fewer than two label maps, or maps on different grids.

    Raises
    ------
    InputError
        Saying which.
    """
    if len(opinions) < 2:
        raise InputError(f"{len(opinions)} label map(s) to fuse; give at least two")
    first = opinions[0]
    for number, opinion in enumerate(opinions[1:], start=2):
        if opinion.data.shape != first.data.shape or not np.allclose(opinion.affine, first.affine, atol=1e-3):
            raise InputError(
                f"label map {number} has shape {opinion.data.shape} and another grid than the first "
                f"({first.data.shape}); carry all to the grid of the scan before they are fused"
            )


def _patterns(
    opinions: Sequence[LabelMap], indices: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.int64]]:
    """Combinations of opinions (as positions in `indices`), which one each voxel has, and how often each occurs."""
    codes = np.zeros(opinions[0].data.shape, dtype=np.int64)
    rows = np.zeros((1, 0), dtype=np.intp)
    for opinion in opinions:
        codes = codes * len(indices) + np.searchsorted(indices, opinion.data)
        # Renumbered after every rater, so that codes stay small however many there are.
        used, codes = _renumbered(codes, len(rows) * len(indices))
        rows = np.column_stack([rows[used // len(indices)], used % len(indices)])
    return rows, codes, np.bincount(codes.ravel(), minlength=len(rows))


def _renumbered(codes: npt.NDArray[np.int64], count: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int64]]:
    """The codes that occur, ascending, and every code as its position among them."""
    present = np.bincount(codes.ravel(), minlength=count) > 0
    return np.flatnonzero(present), (np.cumsum(present) - 1)[codes]


def _prior(patterns: npt.NDArray[np.intp], counts: npt.NDArray[np.int64], labels: int) -> FloatArray:
    share = np.zeros(labels)
    for opinion in patterns.T:
        share += np.bincount(opinion, weights=counts, minlength=labels)
    return np.asarray(share / share.sum())


def _posterior(patterns: npt.NDArray[np.intp], performance: FloatArray, prior: FloatArray) -> FloatArray:
    """Probability of every label for every pattern, shape (patterns, labels)."""
    with np.errstate(divide="ignore"):
        log = np.log(prior) + sum(
            np.log(rater)[opinion] for rater, opinion in zip(performance, patterns.T, strict=True)
        )
    log = log - log.max(axis=1, keepdims=True)
    weights = np.exp(log)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def _converged(patterns: npt.NDArray[np.intp], counts: npt.NDArray[np.int64], labels: int) -> tuple[FloatArray, int]:
    raters, prior = patterns.shape[1], _prior(patterns, counts, labels)
    # The majority is a better start than trust in everybody: a bad rater is seen in the first round.
    votes = np.stack([np.count_nonzero(patterns == label, axis=1) for label in range(labels)], axis=1)
    posterior: FloatArray = votes / raters
    performance = np.zeros((raters, labels, labels))
    iterations, change = 0, np.inf
    while change >= CONVERGED and iterations < MOST_ITERATIONS:
        before, performance = performance, _performance(patterns, posterior * counts[:, None])
        change = float(np.abs(performance - before).max())
        posterior = _posterior(patterns, performance, prior)
        iterations += 1
    return performance, iterations


def _performance(patterns: npt.NDArray[np.intp], weights: FloatArray) -> FloatArray:
    """What each rater says where the truth is probably this or that, shape (raters, said, true)."""
    labels = weights.shape[1]
    said = np.empty((patterns.shape[1], labels, labels))
    for rater, opinion in enumerate(patterns.T):
        for true in range(labels):
            said[rater, :, true] = np.bincount(opinion, weights=weights[:, true], minlength=labels)
    totals = said.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(said, totals, out=np.full_like(said, 1 / labels), where=totals > 0))
