"""Structures in three dimensions: their surfaces in the colours of their table, seen along the axes of the scan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cormack.core.labels import Label, LabelMap
from cormack.imaging.resample import resample
from cormack.imaging.workgrid import bounding_box
from cormack.report.planes import jpeg_uri
from cormack.report.surface import shaded

FloatImage = npt.NDArray[np.float32]
Rgb = npt.NDArray[np.uint8]

#: Pixels of a picture and voxels that it is made of (mm); a Gaussian of so many voxels smooths the stairs of labels.
PIXEL_MM, SMOOTHING = 1.0, 1.0
#: Air around what is shown (voxels).
MARGIN = 4


@dataclass(frozen=True)
class Direction:
    """From where structures are looked at.

    Attributes
    ----------
    name : str
    axis : int
        The line of sight, an axis of (right, anterior, superior) …
    from_end : bool
        … looked along from its end, not from its beginning.
    across_reversed : bool
        True if the first column of the picture shows the end of the axis across.
    letters : (str, str)
        What is at the left and at the right side of the picture.
    """

    name: str
    axis: int
    from_end: bool
    across_reversed: bool
    letters: tuple[str, str]


DIRECTIONS = (
    Direction("from the front", 1, True, True, ("R", "L")),
    Direction("from the left", 0, False, True, ("A", "P")),
    Direction("from above", 2, True, False, ("L", "R")),
)


@dataclass(frozen=True)
class SurfacePicture:
    """A picture as a data URI, what is at its left and right, its size (mm), and what it shows."""

    uri: str
    letters: tuple[str, str]
    width_mm: float
    height_mm: float
    alt: str


def structure_surfaces(labels: LabelMap, shown: Sequence[int | str], what: str) -> tuple[SurfacePicture, ...]:
    """Some structures from all directions; empty if none of them is labelled.

    Parameters
    ----------
    labels : LabelMap
        Shape (i, j, k), axes closest to right, anterior, superior.
    shown : sequence of int or str
        Keys of the table.
    what : str
        What they are together, for those who cannot see the pictures.
    """
    wanted = [labels.table[key] for key in shown]
    even = resample(labels, PIXEL_MM, order=0)
    mask = np.isin(even.data, [label.index for label in wanted])
    if not mask.any():
        return ()
    data = np.pad(even.data[bounding_box(mask)], MARGIN)
    solids = [(label, _smooth(data == label.index)) for label in wanted if (data == label.index).any()]
    return tuple(_picture(solids, direction, what) for direction in DIRECTIONS)


def _smooth(mask: npt.NDArray[np.bool_]) -> FloatImage:
    return np.asarray(ndimage.gaussian_filter(mask.astype(np.float32), SMOOTHING, truncate=3.0))


def _picture(solids: Sequence[tuple[Label, FloatImage]], direction: Direction, what: str) -> SurfacePicture:
    nearest: FloatImage | None = None
    picture: Rgb | None = None
    for label, solid in solids:
        depth = _depth_mm(solid, direction)
        colored = np.rint(shaded(depth, PIXEL_MM)[..., None] / 255 * np.array(label.color)).astype(np.uint8)
        if nearest is None or picture is None:
            nearest, picture = depth, colored
            continue
        front = ~np.isnan(depth) & ~(nearest <= depth)
        nearest, picture = np.where(front, depth, nearest), np.where(front[..., None], colored, picture)
    if picture is None:
        raise ValueError("nothing to show")
    rows = picture.transpose(1, 0, 2)
    name = f"{what[:1].upper()}{what[1:]} in three dimensions, seen {direction.name}."
    return SurfacePicture(
        jpeg_uri(np.ascontiguousarray(rows)),
        direction.letters,
        rows.shape[1] * PIXEL_MM,
        rows.shape[0] * PIXEL_MM,
        name,
    )


def _depth_mm(solid: FloatImage, direction: Direction) -> FloatImage:
    """Distance to the surface, shape (columns, rows) from top left; NaN where none is hit."""
    along = np.moveaxis(solid, direction.axis, 2)
    along = along[:, ::-1, ::-1] if direction.from_end else along[:, ::-1]
    along = along[::-1] if direction.across_reversed else along
    inside = along > 0.5
    first = inside.argmax(axis=2)
    here, before = (
        np.take_along_axis(along, index[..., None], axis=2)[..., 0] for index in (first, np.maximum(first - 1, 0))
    )
    depth = (first - np.clip((here - 0.5) / np.maximum(here - before, 1e-6), 0, 1)) * PIXEL_MM
    return np.where(inside.any(axis=2), depth, np.nan).astype(np.float32)
