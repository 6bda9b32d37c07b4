"""The brain, or rather the intracranial space, of a head CT: one function, several methods."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from cormack.core.errors import InputError
from cormack.core.findings import Finding
from cormack.core.labels import BRAIN, LabelMap
from cormack.core.volume import Unit, Volume
from cormack.extract import bet, network, skull
from cormack.extract.methods import DEFAULT_METHOD
from cormack.imaging.workgrid import BoolArray

#: A mask, and what was noticed while it was drawn.
Found = tuple[BoolArray, tuple[Finding, ...]]


@dataclass(frozen=True)
class Method:
    """How a brain is found: the function, what its surface follows, and the paper to cite."""

    find: Callable[[Volume, LabelMap | None], Found]
    surface: str
    citation: str


def _silent(find: Callable[[Volume, LabelMap | None], BoolArray]) -> Callable[[Volume, LabelMap | None], Found]:
    """A method that notices nothing beside the mask."""
    return lambda volume, head: (find(volume, head), ())


#: Every method by name; adding one is one entry.
METHODS: Mapping[str, Method] = {
    "network": Method(network.network_mask, network.SURFACE, "Aubert-Broche et al. 2006, doi 10.1109/TMI.2006.883453"),
    "skull": Method(_silent(skull.skull_mask), skull.SURFACE, "Grady 2006, doi 10.1109/TPAMI.2006.233"),
    "bet": Method(
        _silent(bet.bet_mask),
        bet.SURFACE,
        "Muschelli et al. 2015, doi 10.1016/j.neuroimage.2015.03.074; Smith 2002, doi 10.1002/hbm.10062",
    ),
}


def brain_mask(volume: Volume, *, method: str = DEFAULT_METHOD, head: LabelMap | None = None) -> LabelMap:
    """The intracranial space of a rectified head CT.

    Parameters
    ----------
    volume : Volume
        Hounsfield units, shape (i, j, k), orthogonal, axes closest to right, anterior, superior.
    method : {"network", "skull", "bet"}
        `network`: the inside of the skull as a network finds it, surface as of `skull`; turned heads are recognised.
        `skull`: inside of the skull, surface at half the step from brain to bone.
        `bet`: the recipe of Muschelli et al. 2015 (doi 10.1016/j.neuroimage.2015.03.074), surface at the inner edge
        of bone (100 HU), 3 to 6 % smaller.
    head : LabelMap, optional
        The head on the same grid, as `head_mask` gives it; it keeps metal in headrests from being taken for bone.

    Returns
    -------
    LabelMap
        Label 1 on the grid of the volume; `description` says what the surface follows and which method drew it,
        `findings` what the method noticed.

    Raises
    ------
    InputError
        If the method is unknown, the volume is not in HU, or the head lies on another grid.
    ExtractionError
        If no skull or no space inside it is found.
    """
    if method not in METHODS:
        raise InputError(f"unknown method {method!r}; known are {', '.join(METHODS)}")
    if volume.unit is not Unit.HU:
        raise InputError(
            f"a brain is extracted from Hounsfield units, not from {volume.unit}: convert the volume first"
        )
    if head is not None and not head.on_grid_of(volume):
        raise InputError(
            f"the head mask (shape {head.data.shape}) is not on the grid of the volume (shape {volume.shape})"
        )
    chosen = METHODS[method]
    mask, findings = chosen.find(volume, head)
    return LabelMap(mask.astype(np.uint8), volume.affine, BRAIN, f"{chosen.surface}; method {method}", findings)
