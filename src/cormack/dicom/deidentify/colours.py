"""Which stored value is black or air, and how an image looks to somebody who searches it for text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.pixels.processing import apply_color_lut

from cormack.dicom import headers
from cormack.dicom.deidentify.canvas import Canvas
from cormack.dicom.deidentify.pixel_grid import PIXEL_DATA
from cormack.dicom.deidentify.reasons import Reason, Refusal
from cormack.dicom.multiframe import frame_rescale

_AIR_HU = -1000.0
#: Black in the colour spaces of PS3.3 C.7.6.3.1.2, for samples of eight bits.
_BLACK = {
    "RGB": (0, 0, 0),
    "YBR_FULL": (0, 128, 128),
    "YBR_FULL_422": (0, 128, 128),
    "YBR_PARTIAL_420": (16, 128, 128),
    "YBR_RCT": (0, 128, 128),
    "YBR_ICT": (0, 128, 128),
}


def dark_colour(dataset: Any, canvas: Canvas) -> Sequence[int | float]:
    """Stored values of black, one per sample.

    Raises
    ------
    Refusal
        If the colour space is unknown.
    """
    grid = canvas.grid
    if grid.samples > 1:
        black = _BLACK.get(grid.photometric)
        if black is None or len(black) != grid.samples:
            raise Refusal(Reason.PIXELS, "its colours are of a kind that cannot be painted over")
        return [value << (grid.allocated - 8) for value in black]
    if grid.photometric == "PALETTE COLOR":
        return [_darkest_index(dataset, canvas)]
    if grid.tag != PIXEL_DATA:
        return [float(canvas.samples.min())]
    if grid.photometric == "MONOCHROME1":
        return [(1 << (grid.stored - grid.signed)) - 1]
    # Signed images keep their range, so that viewers without a window still show them.
    return [int(canvas.samples.min()) if grid.signed else 0]


def _darkest_index(dataset: Any, canvas: Canvas) -> int:
    first, last = int(canvas.samples.min()), int(canvas.samples.max())
    indices = np.arange(first, last + 1, dtype=canvas.samples.dtype)
    return int(indices[_in_colour(dataset, indices[None])[0].sum(axis=-1).argmin()])


def _in_colour(dataset: Any, indices: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    try:
        return np.asarray(apply_color_lut(indices, dataset), float)
    except headers.BACKEND_ERRORS as error:
        raise Refusal(Reason.PIXELS, "its colour palette cannot be read") from error


def air_values(dataset: Any, canvas: Canvas) -> list[int | float]:
    """Stored value of air in each frame: −1000 HU in CT, 0 elsewhere."""
    grid = canvas.grid
    if headers.text(dataset, "Modality") != "CT" or grid.samples > 1:
        return [0] * grid.frames
    return [_air(dataset, canvas, frame) for frame in range(grid.frames)]


def _air(dataset: Any, canvas: Canvas, frame: int) -> int | float:
    slope, intercept = frame_rescale(dataset, frame) or (
        headers.number(dataset, "RescaleSlope") or 1.0,
        headers.number(dataset, "RescaleIntercept") or 0.0,
    )
    if canvas.grid.tag != PIXEL_DATA:
        return (_AIR_HU - intercept) / slope
    stored = canvas.grid.stored
    low, high = (-(1 << (stored - 1)), (1 << (stored - 1)) - 1) if canvas.grid.signed else (0, (1 << stored) - 1)
    return int(np.clip(round((_AIR_HU - intercept) / slope), low, high))


def pictures_of(dataset: Any, canvas: Canvas, most: int) -> Iterator[npt.NDArray[np.uint8]]:
    """Frames for the eye, at most so many, spread evenly; of more also the brightest and darkest of all.

    Yields
    ------
    array of uint8, shape (rows, columns) if grey, else (rows, columns, 3)
    """
    frames = canvas.grid.frames
    for frame in np.unique(np.linspace(0, frames - 1, most).round().astype(int)):
        yield from _pictures(dataset, canvas, canvas.samples[frame])
    if frames > most and canvas.grid.photometric != "PALETTE COLOR":
        for extreme in (canvas.samples.max(axis=0), canvas.samples.min(axis=0)):
            yield from _pictures(dataset, canvas, extreme)


def _pictures(dataset: Any, canvas: Canvas, samples: npt.NDArray[Any]) -> Iterator[npt.NDArray[np.uint8]]:
    grid = canvas.grid
    if grid.is_subsampled:
        yield np.ascontiguousarray(samples[..., :2].reshape(grid.rows, grid.columns))
    elif grid.photometric == "PALETTE COLOR":
        yield _shown(_in_colour(dataset, samples[..., 0]))
    elif grid.photometric == "RGB":
        yield _shown(samples.astype(float))
    else:
        # The luminance of the other colour spaces shows text as well as all three samples do.
        grey = samples[..., 0].astype(float)
        yield _shown(grey)
        if grid.allocated > 8:
            # Text of 8 bits is faint among pixels of 16.
            yield _shown(np.clip(grey, *np.percentile(grey, (1, 90))))


def _shown(values: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    low, high = float(values.min()), float(values.max())
    return np.rint((values - low) * (255.0 / (high - low or 1.0))).astype(np.uint8)
