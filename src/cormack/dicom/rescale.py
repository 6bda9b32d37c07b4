"""Stored values to Hounsfield units and back: RescaleSlope and RescaleIntercept (PS3.3 C.11.1), exactly."""

from __future__ import annotations

import math
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from cormack.core.errors import DicomError
from cormack.core.volume import SliceStack, Unit
from cormack.dicom import headers
from cormack.dicom.multiframe import frame_rescale

INT16 = np.iinfo(np.int16)


def slope_and_intercept(dataset: Any, frame: int | None) -> tuple[float, float]:
    """Rescale of one image or frame; (1, 0) where the header states none.

    Raises
    ------
    DicomError
        If the values are mapped by a table instead, the slope is zero, or what is stated is no number.
    """
    framed = frame_rescale(dataset, frame) if frame is not None else None
    if framed is None:
        slope, intercept = (headers.stated_number(dataset, name) for name in ("RescaleSlope", "RescaleIntercept"))
        if slope is None and headers.value(dataset, "ModalityLUTSequence"):
            raise DicomError("values mapped by a lookup table")
        framed = (1.0 if slope is None else slope, 0.0 if intercept is None else intercept)
    if framed[0] == 0:
        raise DicomError("a RescaleSlope of zero")
    return framed


def rescaled(values: npt.NDArray[Any], slope: float, intercept: float) -> npt.NDArray[Any]:
    """Stored values × slope + intercept: int16 if the result is whole and fits, else float32.

    Parameters
    ----------
    values : array of integers or floats, any shape
    slope, intercept : float
    """
    if values.dtype.kind in "iu" and slope.is_integer() and intercept.is_integer():
        low, high = int(values.min()) * slope + intercept, int(values.max()) * slope + intercept
        if INT16.min <= min(low, high) and max(low, high) <= INT16.max:
            # Products and sums stay below 2**31 for stored values of up to 16 bits; wider ones take the wide road.
            wide = (
                np.int32 if values.dtype.itemsize <= 2 and abs(slope) < 2**14 and abs(intercept) < 2**30 else np.int64
            )
            if slope == 1 and values.dtype == np.int16 and abs(intercept) <= INT16.max:
                return np.asarray(values + np.int16(intercept), dtype=np.int16)
            whole: npt.NDArray[Any] = values.astype(wide) * int(slope) + int(intercept)
            return whole.astype(np.int16)
    return (values.astype(np.float64) * slope + intercept).astype(np.float32)


def fitting_rescale(stack: SliceStack) -> tuple[float, float]:
    """Slope and intercept by which a stack fits signed 16 bits.

    1 and the usual −1024 or 0 where whole numbers (and Hounsfield units, rounded) fit; else the smallest slope of 1, 2
    or 5 times a power of ten that its range allows.
    """
    low, high = float(stack.data.min()), float(stack.data.max())
    whole = stack.data.dtype.kind in "bui" or stack.unit is Unit.HU
    for intercept in (-1024.0, 0.0) if stack.unit is Unit.HU else (0.0,):
        if whole and low - intercept >= -32768 and high - intercept <= 32767:
            return 1.0, intercept
    # Round numbers, so that their decimal strings are exact.
    wanted = max((high - low) / 65_000, 1e-9)
    power = 10.0 ** math.floor(math.log10(wanted))
    slope = next(step * power for step in (1, 2, 5, 10) if step * power >= wanted * (1 - 1e-9))
    intercept = round((low + high) / 2 / slope) * slope if low < -32000 * slope or high > 32000 * slope else 0.0
    return slope, intercept


class SliceBuffer:
    """Slices in memory as (k, j, i), int16 until one of them needs float32."""

    def __init__(self, slices: int, rows: int, columns: int) -> None:
        try:
            self._lock = Lock()
            self.data: npt.NDArray[Any] = np.zeros((slices, rows, columns), dtype=np.int16)
        except (MemoryError, ValueError) as error:
            raise DicomError(
                f"{slices} slices of {rows} x {columns} do not fit in memory; use a machine with more"
            ) from error

    def put(self, k: int, values: npt.NDArray[Any]) -> None:
        """Store one slice, shape (rows, columns); from any thread."""
        with self._lock:
            if values.dtype == np.float32 and self.data.dtype == np.int16:
                self.data = self.data.astype(np.float32)
            self.data[k] = values
