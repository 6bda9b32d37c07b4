"""Two volumes on one grid, side by side: which sections are shown, and the checkerboard of both."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cormack.core.labels import LabelMap
from cormack.core.volume import Unit, Volume
from cormack.imaging.windows import WINDOWS, Window
from cormack.report.planes import AXIAL, CORONAL, PLANE_NAMES, SAGITTAL, Box, Panel, panel

#: Edge of the squares of the checkerboard (mm).
SQUARE_MM = 25.0
#: Axial sections shown, from base to vertex.
SECTIONS = 4
#: Values without a unit are shown up to this quantile of what is not background.
_BRIGHT = 0.995


def checkerboard(first: Volume, second: Volume, windows: tuple[Window, Window]) -> Volume:
    """Cubes of one scan and the other in turn, each windowed to 0 … 100, so that edges show whether they meet.

    Parameters
    ----------
    first, second : Volume
        On one grid.
    windows : two of Window
    """
    squares = [np.arange(n) * step // SQUARE_MM for n, step in zip(first.shape, first.spacing_mm, strict=True)]
    odd = (squares[0][:, None, None] + squares[1][:, None] + squares[2]) % 2 > 0
    a, b = (_windowed(volume, window) for volume, window in zip((first, second), windows, strict=True))
    return first.with_data(np.where(odd, b, a), unit=Unit.ARBITRARY, outside=0.0)


def _windowed(volume: Volume, window: Window) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    low, high = window.limits_hu
    scaled = (np.nan_to_num(volume.data.astype(np.float32), nan=low) - low) * np.float32(100 / (high - low))
    return np.clip(scaled, 0, 100)


def window_of(volume: Volume) -> Window:
    """The brain window for HU; for other values what is not background."""
    if volume.unit is Unit.HU:
        return WINDOWS["brain"]
    bright = volume.data[volume.data > 0]
    high = float(np.quantile(bright, _BRIGHT)) if bright.size else 1.0
    return Window(high / 2, high)


def cuts(shown: LabelMap) -> tuple[Box, tuple[tuple[int, int], ...]]:
    """The box that holds what is to be shown, and the sections through it: axis and index."""
    spans = []
    for axis in range(3):
        filled = np.flatnonzero(shown.data.any(axis=tuple(a for a in range(3) if a != axis)))
        spans.append(slice(int(filled[0]), int(filled[-1]) + 1) if len(filled) else slice(0, shown.data.shape[axis]))
    middle = [(span.start + span.stop) // 2 for span in spans]
    length = spans[AXIAL].stop - spans[AXIAL].start
    axial = [spans[AXIAL].start + round(length * share) for share in np.linspace(0.45, 0.9, SECTIONS)]
    cuts = ((SAGITTAL, middle[SAGITTAL]), (CORONAL, middle[CORONAL]), *((AXIAL, k) for k in axial))
    return (spans[0], spans[1], spans[2]), cuts


def cut(
    volume: Volume, window: Window, box: Box, where: tuple[int, int], masks: Mapping[str, LabelMap], what: str
) -> Panel:
    """One section as a picture; `where` is its axis and index, `what` says what it shows."""
    axis, index = where
    alt = f"{PLANE_NAMES[axis].capitalize()} section {'ijk'[axis]} = {index}: {what}."
    return panel(volume, axis, index, box, window, masks, alt=alt)
