"""The page about two scans of one person: where they differ, in one file that opens offline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from cormack.core.findings import Finding
from cormack.core.labels import LabelMap
from cormack.core.volume import Unit, Volume
from cormack.imaging.windows import WINDOWS, Window
from cormack.report.pages import page_template
from cormack.report.planes import AXIAL, CORONAL, PLANE_NAMES, SAGITTAL, Box, Panel, panel
from cormack.report.tables import Row

#: Edge of the squares of the checkerboard (mm).
SQUARE_MM = 25.0
#: Differences are shown from black (less by half of this) to white (more by half of this), grey where nothing changed.
DIFFERENCE = Window(0, 80)
#: Axial sections shown, from base to vertex.
SECTIONS = 4
#: Values without a unit are shown up to this quantile of what is not background.
_BRIGHT = 0.995


@dataclass(frozen=True, eq=False)
class FollowUpContent:
    """What the page says.

    Parameters
    ----------
    first, second : Volume
        On one grid, axes closest to right, anterior, superior.
    difference : Volume or None
        Second minus first in HU; None where the two cannot be subtracted.
    shown : bool array, shape of the volumes
        The head, or what both scans cover: the pictures are cut to it.
    masks : mapping of name to LabelMap
        Outlines drawn over the scans.
    key_rows : tuple of Row
        How the scans lie to each other.
    changes : tuple of tuple of str
        Structure, first (ml), second (ml), change (ml), change (%), Sørensen–Dice.
    findings : tuple of Finding
    method : str
        A paragraph for the methods section of a paper.
    """

    first: Volume
    second: Volume
    difference: Volume | None
    shown: LabelMap
    masks: Mapping[str, tuple[LabelMap, LabelMap]]
    key_rows: tuple[Row, ...]
    changes: tuple[tuple[str, ...], ...]
    findings: tuple[Finding, ...]
    method: str
    versions: Mapping[str, str] = field(default_factory=dict)


def render_follow_up(content: FollowUpContent) -> str:
    """Write the page as one self-contained HTML document (text of UTF-8)."""
    box, cuts = _cuts(content.shown)
    windows = _window(content.first), _window(content.second)
    board = checkerboard(content.first, content.second, windows)
    rows = {
        "First": [_cut(content.first, windows[0], box, cut, _outlines(content, 0), "first scan") for cut in cuts],
        "Second": [_cut(content.second, windows[1], box, cut, _outlines(content, 1), "second scan") for cut in cuts],
        "Checkerboard": [_cut(board, Window(50, 100), box, cut, {}, "checkerboard of both scans") for cut in cuts],
    }
    if content.difference is not None:
        rows["Difference"] = [
            _cut(content.difference, DIFFERENCE, box, cut, {}, "difference, second minus first") for cut in cuts
        ]
    return page_template("follow_up.html.j2").render(content=content, rows=rows, difference=DIFFERENCE)


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


def _window(volume: Volume) -> Window:
    if volume.unit is Unit.HU:
        return WINDOWS["brain"]
    bright = volume.data[volume.data > 0]
    high = float(np.quantile(bright, _BRIGHT)) if bright.size else 1.0
    return Window(high / 2, high)


def _outlines(content: FollowUpContent, side: int) -> dict[str, LabelMap]:
    return {name: pair[side] for name, pair in content.masks.items()}


def _cuts(shown: LabelMap) -> tuple[Box, tuple[tuple[int, int], ...]]:
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


def _cut(
    volume: Volume, window: Window, box: Box, cut: tuple[int, int], masks: Mapping[str, LabelMap], what: str
) -> Panel:
    axis, index = cut
    alt = f"{PLANE_NAMES[axis].capitalize()} section {'ijk'[axis]} = {index}: {what}."
    return panel(volume, axis, index, box, window, masks, alt=alt)
