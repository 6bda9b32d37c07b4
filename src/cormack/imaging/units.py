"""Hounsfield units to Cormack units and back.

Cormack units stretch the narrow range of soft tissue so that engines made for MR see it (Rorden et al. 2012,
doi 10.1016/j.neuroimage.2012.03.020). The pair here inverts exactly for HU ≥ −1000.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from cormack.core.errors import ValuesError
from cormack.core.volume import Unit, Volume

#: Hounsfield units below this are air and clamped.
AIR_HU = -1000.0
#: The range of soft tissue that is stretched, in HU, and by how much.
SOFT_TISSUE_HU = (-100.0, 100.0)
STRETCH = 10.0

_LOW, _HIGH = SOFT_TISSUE_HU
_C_LOW = _LOW - AIR_HU
_C_HIGH = _C_LOW + STRETCH * (_HIGH - _LOW)


def hu_to_cormack(hu: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Hounsfield units to Cormack units, any shape.

    C = HU + 1000 below −100 HU (clamped at −1000), 900 + 10 · (HU + 100) up to 100 HU, HU + 2800 above.

    >>> hu_to_cormack([-2000, -1000, -100, 0, 100, 1000]).tolist()
    [0.0, 0.0, 900.0, 1900.0, 2900.0, 3800.0]
    """
    values = np.maximum(np.asarray(hu, dtype=np.float32), AIR_HU)
    stretched = np.clip(values, _LOW, _HIGH)
    return np.asarray(values - AIR_HU + (STRETCH - 1.0) * (stretched - _LOW), dtype=np.float32)


def cormack_to_hu(cormack: npt.ArrayLike) -> npt.NDArray[np.float32]:
    """Cormack units to Hounsfield units, any shape; the exact inverse of `hu_to_cormack` from −1000 HU upwards.

    >>> cormack_to_hu([0, 900, 1900, 2900, 3800]).tolist()
    [-1000.0, -100.0, 0.0, 100.0, 1000.0]
    """
    values = np.maximum(np.asarray(cormack, dtype=np.float32), 0.0)
    stretched = np.clip(values, _C_LOW, _C_HIGH)
    return np.asarray(values + AIR_HU - (1.0 - 1.0 / STRETCH) * (stretched - _C_LOW), dtype=np.float32)


def to_unit(volume: Volume, unit: Unit) -> Volume:
    """The volume in Hounsfield or Cormack units, whole numbers staying whole; what lies outside follows.

    Raises
    ------
    ValuesError
        If the volume is in neither of the two units, or another is asked for.
    """
    convert: dict[tuple[Unit, Unit], Any] = {
        (Unit.HU, Unit.CORMACK): hu_to_cormack,
        (Unit.CORMACK, Unit.HU): cormack_to_hu,
    }
    if volume.unit == unit:
        return volume
    function = convert.get((volume.unit, unit))
    if function is None:
        raise ValuesError(f"cannot convert {volume.unit} to {unit}; known are HU and Cormack units")
    data = function(volume.data)
    if volume.data.dtype.kind in "iu":
        data = np.rint(data).astype(np.int16)
    return volume.with_data(data, unit=unit, outside=float(function(volume.outside)))
