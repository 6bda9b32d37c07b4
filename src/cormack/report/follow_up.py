"""The page about two scans of one person: where they differ, in one file that opens offline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cormack.core.findings import Finding
from cormack.core.labels import LabelMap
from cormack.core.volume import Volume
from cormack.imaging.windows import Window
from cormack.report.comparison import checkerboard, cut, cuts, window_of
from cormack.report.pages import page_template
from cormack.report.tables import Row

#: Differences are shown from black (less by half of this) to white (more by half of this), grey where nothing changed.
DIFFERENCE = Window(0, 80)


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
    box, places = cuts(content.shown)
    windows = window_of(content.first), window_of(content.second)
    board = checkerboard(content.first, content.second, windows)
    shown: dict[str, tuple[Volume, Window, int | None, str]] = {
        "First": (content.first, windows[0], 0, "first scan"),
        "Second": (content.second, windows[1], 1, "second scan"),
        "Checkerboard": (board, Window(50, 100), None, "checkerboard of both scans"),
    }
    if content.difference is not None:
        shown["Difference"] = (content.difference, DIFFERENCE, None, "difference, second minus first")
    rows = {
        name: [cut(volume, window, box, place, _outlines(content, side), what) for place in places]
        for name, (volume, window, side, what) in shown.items()
    }
    return page_template("follow_up.html.j2").render(content=content, rows=rows, difference=DIFFERENCE)


def _outlines(content: FollowUpContent, side: int | None) -> dict[str, LabelMap]:
    return {} if side is None else {name: pair[side] for name, pair in content.masks.items()}
