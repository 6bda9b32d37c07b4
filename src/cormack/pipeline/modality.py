"""Which modality a scan is of: what was asked for, what header or sidecar state, or else what the values tell."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cormack.core.errors import SeriesError, ValuesError
from cormack.core.volume import MODALITIES, SliceStack, Unit
from cormack.dicom.rules import for_mr
from cormack.imaging.condition import check_hounsfield, holds_air
from cormack.pipeline.options import LoadOptions

# A NIfTI file is read without pydicom, which takes a quarter of a second to import.
if TYPE_CHECKING:
    from cormack.dicom.inventory import Inventory
    from cormack.dicom.select import Selection

#: The unit of a modality's values.
UNITS = {modality: unit for unit, modality in MODALITIES.items()}
#: An image with fewer different values is none; so many voxels are looked at.
LEAST_VALUES, SAMPLED = 24, 200_000
#: What voxels hold that were never measured.
OUTSIDE = {Unit.HU: -1024.0, Unit.ARBITRARY: 0.0}


def choose_series(inventory: Inventory, options: LoadOptions) -> Selection:
    """The head CT; or the MR, where that is asked for, or where it may be one and no CT is here.

    Raises
    ------
    SeriesError
        If no series can be taken, or the one asked for is of another modality.
    """
    from cormack.dicom.select import select_series

    if options.modality == "CT":
        return select_series(inventory, options.series, rules=options.rules)
    selection = _ct_or_mr(inventory, options)
    found = selection.entry.modality
    if found not in UNITS or options.modality not in ("auto", found):
        wanted = "CT or MR" if options.modality == "auto" else options.modality
        raise SeriesError(f"the series asked for is {found}; expected is {wanted}: ask for another one")
    return selection


def _ct_or_mr(inventory: Inventory, options: LoadOptions) -> Selection:
    from cormack.dicom.select import select_series

    mr = for_mr(options.rules)
    if options.modality == "MR":
        return select_series(inventory, options.series, rules=mr)
    try:
        return select_series(inventory, options.series, rules=options.rules)
    except SeriesError:
        if not any(entry.modality == "MR" for entry in inventory.series):
            raise
        return select_series(inventory, options.series, rules=mr)


def modality_of_sidecar(path: Path) -> str | None:
    """What the JSON beside a NIfTI file states: its `Modality` (BIDS), or else the unit that Cormack wrote."""
    ending = ".nii.gz" if path.name.lower().endswith(".nii.gz") else ".nii"
    try:
        stated = json.loads(path.with_name(path.name[: -len(ending)] + ".json").read_text(encoding="utf-8"))
        if stated.get("Modality") in UNITS:
            return str(stated["Modality"])
        unit = Unit(stated["Units"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    # Cormack units and others are refused where Hounsfield units are checked.
    return "MR" if unit is Unit.ARBITRARY else "CT"


def modality_of_values(stack: SliceStack) -> str:
    """CT if the values can be Hounsfield units or reach down to air; else MR.

    Raises
    ------
    ValuesError
        If they are too few to be an image.
    """
    try:
        check_hounsfield(stack.data)
    except ValuesError:
        if holds_air(stack.data):
            return "CT"
        # Every so many voxels along each axis: a view, where every so many of all would be a copy of the whole.
        step = max(1, round((stack.data.size / SAMPLED) ** (1 / 3)))
        different = len(np.unique(stack.data[::step, ::step, ::step]))
        if 1 < different < LEAST_VALUES:
            raise ValuesError(f"only {different} different values: this looks like a label map; give a scan") from None
        return "MR"
    return "CT"


def as_modality(stack: SliceStack, modality: str) -> SliceStack:
    """The stack with the unit and the acquisition of its modality; values stay."""
    unit = UNITS[modality]
    known = replace(stack.acquisition, modality=modality)
    return replace(stack, unit=unit, outside=OUTSIDE[unit], acquisition=known)
