"""Several opinions about one image, put to the vote."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from cormack.core.errors import InputError
from cormack.core.labels import LabelMap
from cormack.imaging.staple import check_opinions

FloatImage = npt.NDArray[np.float32]

#: Scores that differ by less than this share are tied.
_TIE = 1e-6


def majority(opinions: Sequence[LabelMap], *, undecided: int | None = None) -> LabelMap:
    """The label that most opinions give each voxel.

    Parameters
    ----------
    opinions : sequence of LabelMap
        At least two, on one grid.
    undecided : int, optional
        Becomes the label of voxels of which no label has more than half of the opinions. Without it the label with
        most opinions wins, the greater one where several have as many.

    Returns
    -------
    LabelMap
        With the table of the first opinion.

    Raises
    ------
    InputError
        If there are fewer than two opinions, their grids differ, or `undecided` is the number of a structure.
    """
    check_opinions(opinions)
    if undecided is None:
        return vote(opinions, None, "majority")
    check_undecided(opinions, undecided)
    open_, votes = _disputed_votes(opinions)
    winner = np.full(votes.shape[1], undecided, dtype=np.promote_types(votes.dtype, np.min_scalar_type(undecided)))
    for label in np.unique(votes):
        winner[2 * np.count_nonzero(votes == label, axis=0) > len(opinions)] = label
    return _decided(opinions[0], open_, winner, f"majority of {len(opinions)} label maps")


def check_undecided(opinions: Sequence[LabelMap], undecided: int) -> None:
    """Refuse a number for undecided voxels that means something else already.

    Raises
    ------
    InputError
        If it is not positive, or occurs in an opinion or its table.
    """
    named = {label.index for opinion in opinions for label in opinion.table}
    if undecided < 1 or undecided in named or any((opinion.data == undecided).any() for opinion in opinions):
        raise InputError(f"the number {undecided} of undecided voxels names a structure (or background): take another")


def vote(opinions: Sequence[LabelMap], weights: Sequence[FloatImage] | None, name: str) -> LabelMap:
    """The label with the largest sum of weights, the greater one of equals.

    Parameters
    ----------
    opinions : sequence of LabelMap
        On one grid.
    weights : sequence of array, shape (i, j, k), optional
        One per opinion; all 1 if not given.
    name : str
        For the description.
    """
    open_, votes = _disputed_votes(opinions)
    shares = np.ones(votes.shape, dtype=np.float32) if weights is None else np.stack([w[open_] for w in weights])
    best = np.zeros(votes.shape[1], dtype=np.float32)
    winner = np.zeros(votes.shape[1], dtype=votes.dtype)
    for label in np.unique(votes):
        score = np.where(votes == label, shares, 0).sum(axis=0)
        better = score >= best * (1 - _TIE)
        winner[better], best[better] = label, np.maximum(score, best)[better]
    return _decided(opinions[0], open_, winner, f"{name} of {len(opinions)} label maps")


def disputed(opinions: Sequence[LabelMap]) -> npt.NDArray[np.bool_]:
    """Where not all opinions agree, shape (i, j, k)."""
    different = np.zeros(opinions[0].data.shape, dtype=bool)
    for opinion in opinions[1:]:
        different |= opinion.data != opinions[0].data
    return different


def _disputed_votes(opinions: Sequence[LabelMap]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.integer]]:
    """Where opinions differ, and what each says there, shape (opinions, voxels): nothing else needs counting."""
    open_ = disputed(opinions)
    return open_, np.stack([opinion.data[open_] for opinion in opinions])


def _decided(
    first: LabelMap, open_: npt.NDArray[np.bool_], winner: npt.NDArray[np.integer], description: str
) -> LabelMap:
    """What all agree upon, and the winner where they did not."""
    fused = first.data.astype(winner.dtype)
    fused[open_] = winner
    return LabelMap(fused, first.affine, first.table, description)
