"""Route `network`: a network looks at the brain twice, as it is and in the mirror.

It may know one structure more, what has bled between bone and brain: told apart from fluid it can be asked for by a
threshold of its own, so that bright brain beside bone is not taken for blood.
"""

from __future__ import annotations

import numpy as np

from cormack.core.errors import WeightsError
from cormack.core.findings import Finding
from cormack.core.labels import LabelMap
from cormack.core.neuroanatomy import NEUROANATOMY_FINE
from cormack.core.volume import Volume
from cormack.nn.predict import predict_grid
from cormack.nn.store import Network, load_network
from cormack.segment.brain_grid import brain_on_grid
from cormack.segment.opinion import BoolArray, FloatImage, Opinion, likeliest, overlap

#: The packaged network.
NAME = "ct-neuroanatomy"
#: What a network may know beyond the sixteen, and the structure that it counts as.
HAEMATOMA, FLUID = "haematoma beside the brain", "subarachnoid space"
_EXTRA = len(NEUROANATOMY_FINE) + 1
#: It is one where it is likelier than this …
HAEMATOMA_SHARE = 0.5
#: … and from this volume on it is told (ml).
HAEMATOMA_ML = 5.0


def network_opinion(
    volume: Volume, brain: LabelMap, *, network: Network | None = None, codes: str | None = None
) -> Opinion:
    """What a network says of the structures of a brain.

    Structures have no sides in its eyes, so that the brain and its mirror image are two views of the same: their mean
    is what counts, and how far they agree is told.

    Parameters
    ----------
    volume : Volume
        HU, shape (i, j, k), at right angles.
    brain : LabelMap
        The intracranial space on the same grid.
    network : Network, optional
        Another one than the packaged network.
    codes : str, optional
        Where the volume's axes point in place of what its affine says.

    Raises
    ------
    InputError
        If the mask lies on another grid.
    ExtractionError
        If the mask holds no brain.
    WeightsError
        If there is no such network, or it does not give the sixteen structures.
    """
    chosen = network or load_network(NAME)
    known = {label.index: label.name for label in chosen.task.output.labels}
    sixteen = [label.index for label in NEUROANATOMY_FINE]
    if list(known) not in (sixteen, [*sixteen, _EXTRA]) or known.get(_EXTRA, HAEMATOMA) != HAEMATOMA:
        raise WeightsError(
            f"the network {chosen.task.name} gives {len(known)} labels; expected are the {len(sixteen)} structures of "
            f"neuroanatomy, in their order, and perhaps {HAEMATOMA}"
        )
    grid, inside = brain_on_grid(volume, brain, chosen.task.input, codes=codes)
    sideways = next(axis for axis, letter in enumerate(chosen.task.input.orientation) if letter in "RL")
    probability = predict_grid(grid, chosen).probability
    mirrored = Volume(np.ascontiguousarray(np.flip(grid.data, sideways)), grid.affine, grid.unit, grid.outside)
    second = np.flip(predict_grid(mirrored, chosen).probability, sideways + 1)
    views = [np.where(inside, likeliest(_sixteen(view)[0])[0], 0).astype(np.uint8) for view in (probability, second)]
    probability += second
    probability *= np.float32(0.5)
    sixteen, blood = _sixteen(probability)
    return Opinion(
        sixteen,
        inside,
        grid.affine,
        f"network {chosen.task.name}, mean of the brain and its mirror image",
        overlap(*views),
        "the network on the brain and on its mirror image",
        _haematoma(blood & inside, grid.voxel_volume_ml),
    )


def _sixteen(probability: FloatImage) -> tuple[FloatImage, BoolArray]:
    """Probabilities of the sixteen, shape (16, i, j, k), and where there is a haematoma, which is fluid among them."""
    count = len(NEUROANATOMY_FINE)
    sixteen = probability[:count]
    if len(probability) == count:
        return sixteen, np.zeros(sixteen.shape[1:], dtype=bool)
    share = probability[count]
    blood = share > HAEMATOMA_SHARE
    # Where it is not likely enough, the others stand to each other as they do without it.
    sixteen = sixteen / np.where(blood, np.float32(1), np.maximum(1 - share, np.float32(1e-6)))
    sixteen[NEUROANATOMY_FINE[FLUID].index - 1][blood] += share[blood]
    return sixteen, blood


def _haematoma(blood: BoolArray, voxel_ml: float) -> tuple[Finding, ...]:
    """What is told of a haematoma."""
    ml = np.count_nonzero(blood) * voxel_ml
    if ml < HAEMATOMA_ML:
        return ()
    return (
        Finding(
            "haematoma-suspected",
            f"{ml:.0f} ml between bone and brain look like a haematoma to the network; they count as {FLUID}. Bright "
            "brain next to bone can look so, too, and a haematoma as bright as brain does not: look at the picture.",
            {"volume_ml": round(ml, 1)},
        ),
    )
