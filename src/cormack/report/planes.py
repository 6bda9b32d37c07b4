"""Cuts through a volume as pictures: greys as JPEG, mask contours as vectors, all in millimetres."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import numpy.typing as npt
from contourpy import contour_generator
from PIL import Image

from cormack.core.labels import LabelMap
from cormack.core.volume import AnyArray, Volume
from cormack.imaging.windows import Window, apply_window
from cormack.report.painted_labels import painted_labels

FloatImage = npt.NDArray[np.float32]
Box = tuple[slice, slice, slice]

#: Pixels of a picture are no smaller than this (mm): smaller ones show noise only.
FINEST_PIXEL_MM = 0.4
JPEG_QUALITY = 85
#: Contours are simplified to within this distance (mm).
CONTOUR_TOLERANCE_MM = 0.15
#: Contours shorter than this are not drawn (vertices): single voxels that a mask left out.
SHORTEST_CONTOUR = 12

AXIAL, CORONAL, SAGITTAL = 2, 1, 0
PLANE_NAMES = {AXIAL: "axial", CORONAL: "coronal", SAGITTAL: "sagittal"}
#: Letters at the left, right, upper and lower side; the patient's right is on the left, as radiologists look.
LETTERS = {AXIAL: ("R", "L", "A", "P"), CORONAL: ("R", "L", "S", "I"), SAGITTAL: ("A", "P", "S", "I")}


@dataclass(frozen=True)
class Panel:
    """One cut: a grey picture and contours over it, both in millimetres from the upper left corner.

    `contours` maps a name (head, brain) to the data of an SVG path; `letters` stand left, right, above and below.
    """

    plane: str
    width_mm: float
    height_mm: float
    image: str
    contours: Mapping[str, str]
    letters: tuple[str, str, str, str]
    label: str
    alt: str


def panel(
    volume: Volume,
    axis: int,
    index: int,
    box: Box,
    window: Window,
    masks: Mapping[str, LabelMap],
    *,
    alt: str,
    painted: LabelMap | None = None,
    pixel_mm: float | None = None,
) -> Panel:
    """Cut one plane out of a volume.

    Parameters
    ----------
    volume : Volume
        HU, shape (i, j, k), axes closest to right, anterior, superior.
    axis : int
        0 sagittal, 1 coronal, 2 axial.
    index : int
        Voxel index along that axis.
    box : tuple of slices
        What to show, in voxels.
    window : Window
    masks : mapping of name to LabelMap
        On the grid of the volume; every label above 0 is outlined.
    alt : str
        What the picture shows, for those who cannot see it.
    painted : LabelMap, optional
        On the grid of the volume; its labels are painted over the greys in the colours of their table.
    pixel_mm : float, optional
        Edge of the picture's pixels; by default that of the voxels, if it is not finer than `FINEST_PIXEL_MM`.
    """
    across, down = (a for a in range(3) if a != axis)
    spacing = volume.spacing_mm
    extent_mm = tuple((box[a].stop - box[a].start) * spacing[a] for a in (across, down))
    edge_mm = pixel_mm or max(FINEST_PIXEL_MM, min(spacing[across], spacing[down]))
    shape = max(2, round(extent_mm[1] / edge_mm)), max(2, round(extent_mm[0] / edge_mm))
    where = list(box)
    grey = apply_window(_resampled(_plane(volume.data, where, axis, index), shape), window)
    picture: npt.NDArray[np.uint8] = grey
    if painted is not None:
        picture = painted_labels(grey, _nearest(_plane(painted.data, where, axis, index), shape), painted)
    contours = {
        name: _contour_path(_resampled(_plane(mask.data, where, axis, index) > 0, shape), extent_mm, shape)
        for name, mask in masks.items()
    }
    return Panel(
        plane=PLANE_NAMES[axis],
        width_mm=extent_mm[0],
        height_mm=extent_mm[1],
        image=jpeg_uri(picture),
        contours={name: path for name, path in contours.items() if path},
        letters=LETTERS[axis],
        label=f"{'ijk'[axis]} = {index}",
        alt=alt,
    )


def _plane(data: AnyArray, where: list[slice], axis: int, index: int) -> AnyArray:
    """One plane as rows from top to bottom: both axes flipped, so that right and anterior come first."""
    cut: list[slice | int] = list(where)
    cut[axis] = index
    return data[tuple(cut)].T[::-1, ::-1]


def _resampled(plane: AnyArray, shape: tuple[int, int]) -> FloatImage:
    """A plane on square pixels, linearly along rows, then along columns."""
    result = plane.astype(np.float32)
    for axis in (0, 1):
        size = result.shape[axis]
        centres = (np.arange(shape[axis]) + 0.5) * (size / shape[axis]) - 0.5
        centres = np.clip(centres, 0, size - 1)
        low = np.floor(centres).astype(np.intp)
        high = np.minimum(low + 1, size - 1)
        weight = (centres - low).astype(np.float32)
        weight = weight[:, None] if axis == 0 else weight[None, :]
        result = result.take(low, axis) * (1 - weight) + result.take(high, axis) * weight
    return result


def _nearest(plane: AnyArray, shape: tuple[int, int]) -> AnyArray:
    """A plane on square pixels, each with the value of the nearest one."""
    rows, columns = (
        ((np.arange(n) + 0.5) * size / n).astype(np.intp) for n, size in zip(shape, plane.shape, strict=True)
    )
    return plane[np.ix_(rows, columns)]


def _contour_path(mask: FloatImage, extent_mm: tuple[float, ...], shape: tuple[int, int]) -> str:
    """SVG path data of the half-level contours of a mask, in millimetres."""
    parts = []
    scale = np.array([extent_mm[0] / shape[1], extent_mm[1] / shape[0]])
    # A rim of zeros closes contours at the edge of the picture; it moves pixel centres from 0.5 to 1.5.
    for line in contour_generator(z=np.pad(mask, 1)).lines(0.5):
        points = np.asarray(line)
        if len(points) < SHORTEST_CONTOUR:
            continue
        simple = _simplified((points - 0.5) * scale)
        parts.append("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in simple.tolist()))
    return "".join(parts)


def _simplified(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Drop every other vertex where the chord over it passes within tolerance, several times over."""
    for _ in range(4):
        before, here, after = points[0:-2:2], points[1:-1:2], points[2::2]
        if len(here) < 4:
            break
        chord = after[: len(here)] - before
        offset = here - before
        distance = np.abs(chord[:, 0] * offset[:, 1] - chord[:, 1] * offset[:, 0])
        needless = distance <= CONTOUR_TOLERANCE_MM * np.maximum(np.hypot(chord[:, 0], chord[:, 1]), 1e-9)
        kept = np.ones(len(points), dtype=bool)
        kept[1:-1:2] = ~needless
        points = points[kept]
    return points


def jpeg_uri(picture: npt.NDArray[np.uint8]) -> str:
    """A picture, shape (rows, columns) of greys or (rows, columns, 3) of colours, as a data URI."""
    buffer = BytesIO()
    # Colours at full resolution: edges of labels are one pixel wide.
    Image.fromarray(picture).save(buffer, format="JPEG", quality=JPEG_QUALITY, optimize=True, subsampling=0)
    return "data:image/jpeg;base64," + b64encode(buffer.getvalue()).decode("ascii")
