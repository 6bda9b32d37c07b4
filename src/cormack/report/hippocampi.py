"""The part of a report about the hippocampi: labels over sections, volumes with their spread."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from cormack.core.labels import LabelMap
from cormack.core.volume import AnyArray, Volume
from cormack.imaging.filled_box import filled_box
from cormack.imaging.windows import Window
from cormack.report.planes import AXIAL, CORONAL, PLANE_NAMES, SAGITTAL, Box, Panel, panel
from cormack.report.structures import legend
from cormack.report.tables import number

#: Coronal sections with labels, from the tail to the head of the hippocampi.
SECTIONS = 10
#: Shown around the labels, and pixels of the pictures (mm): they are small, and enlarged on the page.
MARGIN_MM, PIXEL_MM = 20.0, 0.4
#: Greys run between these percentiles of what is shown.
SHOWN_PERCENT = (0.5, 99.5)


@dataclass(frozen=True)
class HippocampusRow:
    """A hippocampus, or a part of one: its volume as drawn, mean and standard deviation over views (mm³)."""

    name: str
    volume_mm3: float
    mean_mm3: float
    sd_mm3: float
    is_part: bool = False


@dataclass(frozen=True, eq=False)
class HippocampiContent:
    """What is told of the hippocampi: labels on the grid of the report's volume, and their volumes."""

    labels: LabelMap
    rows: tuple[HippocampusRow, ...]


@dataclass(frozen=True)
class HippocampiSection:
    """What the page shows: ready for the template."""

    template: ClassVar[str] = "hippocampi.html.j2"

    legend: tuple[tuple[str, str], ...]
    planes: tuple[Panel, ...]
    sections: tuple[Panel, ...]
    rows: tuple[Mapping[str, str], ...]
    method: str


def hippocampi_section(volume: Volume, content: HippocampiContent) -> HippocampiSection:
    """Draw everything that the page shows of the hippocampi.

    Parameters
    ----------
    volume : Volume
        MR, shape (i, j, k), axes closest to right, anterior, superior.
    content : HippocampiContent
        With one label at least.
    """
    labels = content.labels
    box = _box(labels)
    low, high = np.nanpercentile(volume.data[box], SHOWN_PERCENT)
    window = Window(float(low + high) / 2, max(float(high - low), 1e-6))

    def cut(axis: int, index: int) -> Panel:
        alt = f"{PLANE_NAMES[axis].capitalize()} section {'ijk'[axis]} = {index} with the hippocampus in colours."
        return panel(volume, axis, index, box, window, {}, alt=alt, painted=labels, pixel_mm=PIXEL_MM)

    filled = np.flatnonzero(_profile(labels.data > 0, CORONAL))
    return HippocampiSection(
        legend=legend(labels.table),
        planes=tuple(cut(axis, index) for axis, index in _planes(labels)),
        sections=tuple(cut(CORONAL, int(j)) for j in np.linspace(filled[0], filled[-1], SECTIONS + 2).round()[1:-1]),
        rows=tuple(_row(row) for row in content.rows),
        method=labels.description[:1].upper() + labels.description[1:],
    )


def _planes(labels: LabelMap) -> list[tuple[int, int]]:
    """An axial section through all, and a sagittal one through each side that was found, the right one first."""
    sides = {label.name.split()[0] for label in labels.table}
    masks = [np.isin(labels.data, [lb.index for lb in labels.table if lb.name.startswith(side)]) for side in sides]
    sagittal = sorted((_middle(_profile(mask, SAGITTAL)) for mask in masks if mask.any()), reverse=True)
    return [(AXIAL, _middle(_profile(labels.data > 0, AXIAL))), *((SAGITTAL, i) for i in sagittal)]


def _box(labels: LabelMap) -> Box:
    """The labelled part of the grid with a margin; all of it where nothing is."""
    i, j, k = (int(np.ceil(MARGIN_MM / h)) for h in np.linalg.norm(labels.affine[:3, :3], axis=0))
    whole = (slice(0, labels.data.shape[0]), slice(0, labels.data.shape[1]), slice(0, labels.data.shape[2]))
    return filled_box(labels.data, (i, j, k)) or whole


def _profile(mask: AnyArray, axis: int) -> AnyArray:
    """How many voxels of a mask each plane holds."""
    return np.asarray(np.count_nonzero(mask, axis=tuple(a for a in range(3) if a != axis)))


def _middle(profile: AnyArray) -> int:
    """The plane below which half of the voxels lie."""
    return int(np.searchsorted(np.cumsum(profile), profile.sum() / 2))


def _row(row: HippocampusRow) -> dict[str, str]:
    share = 100 * row.sd_mm3 / row.mean_mm3 if row.mean_mm3 else None
    return {
        "name": row.name,
        "part": "part" if row.is_part else "",
        "volume": number(row.volume_mm3, 0),
        "mean": number(row.mean_mm3, 0),
        "sd": number(row.sd_mm3, 0),
        "share": number(share, 1),
    }
