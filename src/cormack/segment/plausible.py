"""What structures look like in any head: as how many pieces they come. Pieces beyond that are someone else's."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cormack.core.neuroanatomy import NEUROANATOMY_FINE
from cormack.imaging.filled_box import filled_box
from cormack.segment.opinion import BoolArray, Opinion


@dataclass(frozen=True)
class Pieces:
    """A structure comes in at most so many pieces, each with at least this share of the largest."""

    most: int
    least_share: float = 0.1


#: By abbreviation. Sulci, folds, fluid and the ventricles come in many pieces: of these only specks go.
PIECES = {
    # With what lies between insula and lentiform nucleus on either side.
    "BSD": Pieces(3),
    "SAS": Pieces(10_000, 1e-5),
    "DFVS": Pieces(10_000, 2e-3),
    "SP": Pieces(2, 0.2),
    "CB": Pieces(1),
    "CN": Pieces(2),
    "LN": Pieces(2),
    "IC": Pieces(2),
    "ICap": Pieces(2),
    "VS": Pieces(12, 2e-3),
    "CS": Pieces(12, 0.05),
    "FL": Pieces(2),
    "PL": Pieces(2),
    "OL": Pieces(2),
    "TL": Pieces(2),
    "Th": Pieces(2),
}
#: Voxels hang together across faces, edges and corners.
_NEIGHBOURS: npt.NDArray[np.bool_] = ndimage.generate_binary_structure(3, 3)


def without_islands(opinion: Opinion) -> Opinion:
    """The opinion with no structure in more pieces than it can have; what such a piece was is the next likeliest."""
    labels = opinion.labels()
    probability = opinion.probability.copy(order="K")
    for row, label in zip(probability, NEUROANATOMY_FINE, strict=True):
        mask = labels == label.index
        box = filled_box(mask)
        if box is not None:
            row[box][_islands(mask[box], PIECES[label.abbreviation])] = 0
    return replace(opinion, probability=probability)


def _islands(mask: BoolArray, allowed: Pieces) -> BoolArray:
    """The pieces that a structure has too many."""
    pieces, count = ndimage.label(mask, _NEIGHBOURS)
    if count < 2:
        return np.zeros_like(mask)
    sizes = np.bincount(pieces.ravel())
    sizes[0] = 0
    order = np.argsort(-sizes, kind="stable")
    kept = np.zeros(count + 1, dtype=bool)
    kept[order[: allowed.most]] = True
    kept &= sizes >= allowed.least_share * sizes.max()
    return np.asarray(mask & ~kept[pieces])
