"""The brain on CT and MR of a head: one function, several methods."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from cormack.core.errors import InputError
from cormack.core.findings import Finding
from cormack.core.labels import BRAIN, BRAIN_AND_CSF, LabelMap, LabelTable
from cormack.core.volume import MODALITIES, Unit, Volume
from cormack.extract import bet, mr_network, network, skull
from cormack.extract.methods import BRAIN_METHODS, DEFAULT_METHOD
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


_CT_METHODS: Mapping[str, Method] = {
    "network": Method(network.network_mask, network.SURFACE, "Aubert-Broche et al. 2006, doi 10.1109/TMI.2006.883453"),
    "skull": Method(_silent(skull.skull_mask), skull.SURFACE, "Grady 2006, doi 10.1109/TPAMI.2006.233"),
    "bet": Method(
        _silent(bet.bet_mask),
        bet.SURFACE,
        "Muschelli et al. 2015, doi 10.1016/j.neuroimage.2015.03.074; Smith 2002, doi 10.1002/hbm.10062",
    ),
}
_MR_METHODS: Mapping[str, Method] = {
    name: Method(
        partial(mr_network.mr_network_mask, name=mr_network.NAME if name == DEFAULT_METHOD else name),
        mr_network.SURFACE,
        "Hoopes et al. 2022, doi 10.1016/j.neuroimage.2022.119474; Aubert-Broche et al. 2006, doi "
        "10.1109/TMI.2006.883453",
    )
    for name in BRAIN_METHODS["MR"]
}
#: Every method by the modality that it reads and by its name; adding one is one entry.
METHODS: Mapping[str, Mapping[str, Method]] = {"CT": _CT_METHODS, "MR": _MR_METHODS}
#: What a mask is of.
TABLES: Mapping[str, LabelTable] = {"CT": BRAIN, "MR": BRAIN_AND_CSF}


def brain_mask(volume: Volume, *, method: str = DEFAULT_METHOD, head: LabelMap | None = None) -> LabelMap:
    """The intracranial space of a rectified head CT, or the brain with its fluid on an MR.

    Parameters
    ----------
    volume : Volume
        Hounsfield units of a CT, or values of no unit of an MR; shape (i, j, k), orthogonal, axes closest to right,
        anterior, superior.
    method : str
        CT: `network`, the inside of the skull as a network finds it, surface as of `skull`, turned heads recognised;
        `skull`, inside of the skull, surface at half the step from brain to bone; `bet`, the recipe of Muschelli et
        al. 2015 (doi 10.1016/j.neuroimage.2015.03.074), surface at the inner edge of bone (100 HU), 3 to 6 % smaller.
        MR: `network` or `t1-brain-3d`, a network in three dimensions, its edge corrected in slices of about 1 mm;
        `t1-brain-2d`, one that sees slices.
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
        If the method is unknown or reads no such volume, or the head lies on another grid.
    ExtractionError
        If no skull or no space inside it is found, or on an MR no brain.
    """
    modality, chosen = _chosen(method, volume.unit)
    if head is not None and not head.on_grid_of(volume):
        raise InputError(
            f"the head mask (shape {head.data.shape}) is not on the grid of the volume (shape {volume.shape})"
        )
    mask, findings = chosen.find(volume, head)
    description = f"{chosen.surface}; method {method}"
    return LabelMap(mask.astype(np.uint8), volume.affine, TABLES[modality], description, findings)


def _chosen(method: str, unit: Unit) -> tuple[str, Method]:
    """Modality and method.

    Raises
    ------
    InputError
        If they do not fit together.
    """
    known = {name for methods in METHODS.values() for name in methods}
    if method not in known:
        raise InputError(f"unknown method {method!r}; known are {', '.join(sorted(known))}")
    if unit not in MODALITIES:
        raise InputError(
            f"a brain is extracted from Hounsfield units of a CT or arbitrary ones of an MR, not from {unit}: convert "
            "the volume first"
        )
    modality = MODALITIES[unit]
    if method not in METHODS[modality]:
        names = ", ".join(METHODS[modality])
        raise InputError(f"method {method!r} does not read {modality}; for {modality} there are {names}")
    return modality, METHODS[modality][method]
