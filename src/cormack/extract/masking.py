"""A volume with everything outside a mask taken away."""

from __future__ import annotations

from typing import Literal

import numpy as np

from cormack.core.errors import GeometryError, InputError
from cormack.core.labels import LabelMap
from cormack.core.volume import Unit, Volume

#: What lies outside where the caller does not choose: air, in HU never 0, which is water; an MR's darkest.
AIR = {Unit.HU: -1024, Unit.ARBITRARY: 0}
AIR_HU = AIR[Unit.HU]
#: Added to all values by `shift`, so that 0 can mean outside: every HU from −1024 stays above it.
SHIFT_HU = 1025

Outside = Literal["air", "nan", "shift"]


def apply_mask(volume: Volume, mask: LabelMap, *, outside: Outside = "air") -> Volume:
    """The volume inside a mask; outside it what the caller chooses.

    Parameters
    ----------
    volume : Volume
        Hounsfield units of a CT or values of no unit of an MR, shape (i, j, k).
    mask : LabelMap
        On the grid of the volume; every label counts as inside.
    outside : {"air", "nan", "shift"}
        −1024 HU, 0 in an MR; NaN (float32); or all HU raised by 1025 with 0 outside.

    Returns
    -------
    Volume
        Its `unit` and `outside` say what was chosen.

    Raises
    ------
    GeometryError
        If the mask does not lie on the grid of the volume.
    InputError
        If `outside` is none of the three, or the volume is of another unit.

    Examples
    --------
    >>> from cormack.core.labels import BRAIN
    >>> volume = Volume(np.full((1, 1, 2), 30, np.int16), np.eye(4))
    >>> mask = LabelMap(np.array([[[1, 0]]], np.uint8), np.eye(4), BRAIN)
    >>> apply_mask(volume, mask, outside="shift").data.tolist()
    [[[1055, 0]]]
    """
    if not mask.on_grid_of(volume):
        raise GeometryError(
            f"the mask (shape {mask.data.shape}) is not on the volume's grid (shape {volume.shape}): reslice it first"
        )
    if volume.unit not in AIR:
        raise InputError(
            f"a mask is applied to Hounsfield units or to values of no unit, not to {volume.unit}: convert the volume"
        )
    inside = mask.data > 0
    if outside == "air":
        air = AIR[volume.unit]
        return volume.with_data(np.where(inside, volume.data, volume.data.dtype.type(air)), outside=air)
    if outside == "nan":
        data = np.where(inside, volume.data.astype(np.float32), np.float32(np.nan))
        return volume.with_data(data, outside=float("nan"))
    if outside == "shift" and volume.unit is Unit.HU:
        # Values below −1024 are padding; they would fall to 0 or less and be taken for outside.
        shifted = np.maximum(volume.data, volume.data.dtype.type(AIR_HU)) + volume.data.dtype.type(SHIFT_HU)
        return volume.with_data(np.where(inside, shifted, volume.data.dtype.type(0)), unit=Unit.SHIFTED_HU, outside=0.0)
    raise InputError(f'outside is "air", "nan" or "shift", which is for Hounsfield units alone; not {outside!r}')
