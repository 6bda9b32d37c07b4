"""The page about one defaced head: its surface before and after, and what was done, in one file that opens offline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from cormack.core.findings import Finding
from cormack.core.labels import LabelMap
from cormack.core.volume import FloatArray, Volume
from cormack.imaging.windows import WINDOWS, Window
from cormack.report.pages import page_template
from cormack.report.planes import SAGITTAL, Panel, jpeg_uri, panel
from cormack.report.surface import VIEWS, render_surfaces
from cormack.report.tables import Row

#: The pictures' middle, in millimetres of the digital head: the head with its chin is in the middle.
CENTRE_MM = (0.0, -5.0, -18.0)


@dataclass(frozen=True, eq=False)
class DefacedContent:
    """What the page says.

    Parameters
    ----------
    before : Volume or None
        The rectified head as it was; None leaves out the pictures that show the face.
    after : Volume
        The same without the face.
    brain : LabelMap
        On the same grid.
    levels : mapping of name to level
        Surfaces to render, in the unit of the volumes.
    head_to_world : array, shape (4, 4)
        Millimetres of the digital head to RAS+ millimetres.
    rows : tuple of Row
        Numbers.
    method : str
        A paragraph for the methods section of a paper.
    findings : tuple of Finding
    """

    before: Volume | None
    after: Volume
    brain: LabelMap
    levels: Mapping[str, float]
    head_to_world: FloatArray
    rows: tuple[Row, ...]
    method: str
    findings: tuple[Finding, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Picture:
    """A rendering as a data URI, with what it shows."""

    uri: str
    alt: str


def render_defaced(content: DefacedContent) -> str:
    """Write the page as one self-contained HTML document (text of UTF-8)."""
    before = {} if content.before is None else _pictures(content.before, content, "before")
    after = _pictures(content.after, content, "after")
    surfaces = {name: {"before": before.get(name, ()), "after": after[name]} for name in content.levels}
    return page_template("defaced.html.j2").render(content=content, surfaces=surfaces, section=_section(content))


def _pictures(volume: Volume, content: DefacedContent, when: str) -> dict[str, tuple[Picture, ...]]:
    """The surfaces by name, each from all views."""
    left, _, right = np.linalg.svd(content.head_to_world[:3, :3])
    centre = content.head_to_world[:3, :3] @ np.array(CENTRE_MM) + content.head_to_world[:3, 3]
    shown = render_surfaces(volume, content.levels, centre_mm=centre, axes=left @ right)
    return {
        name: tuple(
            Picture(jpeg_uri(shown[name, view.name]), f"The {name} {view.name}, {when} defacing.") for view in VIEWS
        )
        for name in content.levels
    }


def _section(content: DefacedContent) -> Panel:
    """A sagittal section through the middle of the brain, after."""
    volume, brain = content.after, content.brain
    middle = int(np.median(np.flatnonzero(brain.data.any(axis=(1, 2)))))
    box = tuple(slice(0, n) for n in volume.shape)
    window = WINDOWS["brain"] if "bone" in content.levels else _window(volume)
    alt = "Sagittal section after defacing, with the outline of the brain mask."
    return panel(volume, SAGITTAL, middle, box, window, {"brain": brain}, alt=alt)  # type: ignore[arg-type]


def _window(volume: Volume) -> Window:
    high = float(np.quantile(volume.data[volume.data > 0], 0.98)) if (volume.data > 0).any() else 1.0
    return Window(high / 2, high)
