"""Route `network`: a network looks at the brain twice, as it is and in the mirror."""

from __future__ import annotations

import numpy as np

from cormack.core.errors import WeightsError
from cormack.core.labels import LabelMap
from cormack.core.neuroanatomy import NEUROANATOMY_FINE
from cormack.core.volume import Volume
from cormack.nn.predict import predict_grid
from cormack.nn.store import Network, load_network
from cormack.segment.brain_grid import brain_on_grid
from cormack.segment.haematoma import HAEMATOMA, VALUE, haematoma_findings, told_apart
from cormack.segment.opinion import FloatImage, Opinion, likeliest, overlap

#: The packaged network.
NAME = "ct-neuroanatomy"


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
    if list(known) not in (sixteen, [*sixteen, VALUE]) or known.get(VALUE, HAEMATOMA) != HAEMATOMA:
        raise WeightsError(
            f"the network {chosen.task.name} gives {len(known)} labels; expected are the {len(sixteen)} structures of "
            f"neuroanatomy, in their order, and perhaps {HAEMATOMA}"
        )
    grid, inside = brain_on_grid(volume, brain, chosen.task.input, codes=codes)
    sideways = next(axis for axis, letter in enumerate(chosen.task.input.orientation) if letter in "RL")
    probability = predict_grid(grid, chosen).probability
    mirrored = Volume(np.ascontiguousarray(np.flip(grid.data, sideways)), grid.affine, grid.unit, grid.outside)
    second = np.flip(predict_grid(mirrored, chosen).probability, sideways + 1)

    def view(seen: FloatImage) -> tuple[FloatImage, float]:
        return told_apart(seen, inside, grid.voxel_volume_ml)

    views = [np.where(inside, likeliest(view(seen)[0])[0], 0).astype(np.uint8) for seen in (probability, second)]
    probability += second
    probability *= np.float32(0.5)
    mean, blood_ml = view(probability)
    return Opinion(
        mean,
        inside,
        grid.affine,
        f"network {chosen.task.name}, mean of the brain and its mirror image",
        overlap(*views),
        "the network on the brain and on its mirror image",
        haematoma_findings(blood_ml),
    )
