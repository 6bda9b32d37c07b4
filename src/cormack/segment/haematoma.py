"""What has bled between bone and brain, where a network tells it apart from the fluid, which it counts as.

Bright brain next to bone can look like blood, in places, so that a haematoma has to be of some size.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cormack.core.findings import Finding
from cormack.core.neuroanatomy import NEUROANATOMY_FINE
from cormack.segment.opinion import BoolArray, FloatImage

#: The network's name for it, its value after the sixteen, and the structure that it counts as.
HAEMATOMA, VALUE = "haematoma beside the brain", len(NEUROANATOMY_FINE) + 1
FLUID = NEUROANATOMY_FINE["subarachnoid space"]
#: Where a haematoma is likelier than this, there is one …
LIKELY = 0.5
#: … if a piece has this volume (ml).
LEAST_ML = 5.0
#: Voxels hang together across faces, edges and corners.
_NEIGHBOURS: npt.NDArray[np.bool_] = ndimage.generate_binary_structure(3, 3)


def told_apart(probability: FloatImage, inside: BoolArray, voxel_ml: float) -> tuple[FloatImage, float]:
    """Probabilities of the sixteen, haematomas being fluid, and how much of these there is.

    Parameters
    ----------
    probability : float32 array, shape (16 or 17, i, j, k)
        The last of seventeen is the haematoma's.
    inside : bool array, shape (i, j, k)
        The intracranial space.
    voxel_ml : float

    Returns
    -------
    tuple
        float32 array of shape (16, i, j, k), and ml. Where a haematoma is not believed, the others stand to each other
        as they do without it.
    """
    sixteen = probability[: VALUE - 1]
    if len(probability) < VALUE:
        return sixteen, 0.0
    share = probability[VALUE - 1]
    blood = _of_some_size((share > LIKELY) & inside, voxel_ml)
    sixteen = sixteen / np.where(blood, np.float32(1), np.maximum(1 - share, np.float32(1e-6)))
    sixteen[FLUID.index - 1][blood] += share[blood]
    return sixteen, float(np.count_nonzero(blood) * voxel_ml)


def haematoma_findings(ml: float) -> tuple[Finding, ...]:
    """What is told of haematomas of this volume."""
    if not ml:
        return ()
    return (
        Finding(
            "haematoma-suspected",
            f"{ml:.0f} ml between bone and brain look like a haematoma to the network; they count as {FLUID.name}. "
            "Bright brain next to bone can look so, too, and not every haematoma does: look at the picture.",
            {"volume_ml": round(ml, 1)},
        ),
    )


def _of_some_size(likely: BoolArray, voxel_ml: float) -> BoolArray:
    """Pieces that are large enough."""
    pieces, _ = ndimage.label(likely, _NEIGHBOURS)
    large = np.bincount(pieces.ravel()) * voxel_ml >= LEAST_ML
    large[0] = False
    return np.asarray(large[pieces])
