"""Many slices of a volume in one picture, each with its position."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from cormack.core.errors import GeometryError, InputError
from cormack.core.labels import LabelMap
from cormack.core.volume import AnyArray, FloatArray, Volume
from cormack.imaging.native import PLANE_CODES
from cormack.imaging.orient import reorient
from cormack.imaging.sections import PLANES, body_box, direction_letters
from cormack.imaging.windows import tones_by_name
from cormack.report.plots.canvas import (
    draw_letters,
    draw_note,
    draw_picture,
    draw_scale_bar,
    draw_thinned,
    grey_or_color,
    new_axes,
)
from cormack.report.plots.sections import check_color_map, default_colors, painted, position

#: Slices shown unless told otherwise.
SLICES = 36
#: A tile has about this many pixels along its longer side: more cannot be seen in a montage.
TILE_PIXELS = 300
#: Width and height over which the tiles are spread (relative), and the width of a picture in inches.
_ASPECT, _WIDTH_INCHES = 1.25, 9.0


def plot_montage(
    volume: Volume,
    ax: Axes | None = None,
    *,
    count: int = SLICES,
    every: int | None = None,
    plane: str = "axial",
    window: str = "auto",
    sigmoid: bool = False,
    color_map: str | None = None,
    labels: LabelMap | None = None,
    opacity: float = 0.4,
) -> Axes:
    """Draw evenly spread slices of a volume as it was scanned, each with its position in millimetres.

    Nothing is interpolated: slices are those of the grid, cropped to the body. Where a tile would have more than some
    300 pixels along a side, every n-th one is shown, and the picture says so.

    Parameters
    ----------
    volume : Volume
        Shape (i, j, k).
    ax : matplotlib Axes, optional
        Where to draw; axes in a figure of their own by default. Data units become millimetres.
    count : int
        How many slices.
    every : int, optional
        Every n-th slice of the whole volume instead.
    plane : "axial", "coronal" or "sagittal"
        The grid's axis nearest to it is gone along.
    window, sigmoid, color_map, labels, opacity
        As in `plot_plane`; labels must lie on the grid of the volume.

    Raises
    ------
    InputError
        If no slice is asked for, or the plane or window is unknown.
    GeometryError
        If the labels lie on another grid.
    """
    if plane not in PLANES:
        raise InputError(f"plane {plane!r}: give {', '.join(PLANES)}")
    if labels is not None and not labels.on_grid_of(volume):
        raise GeometryError("the labels lie on another grid than the volume; resample them first")
    colors = check_color_map(color_map or default_colors(window))
    data, affine = reorient(volume.data, volume.affine, PLANE_CODES[plane])
    box = _body_voxels(volume, data, affine)
    chosen = _chosen(data.shape[2], box[2], count, every)
    thin = max(1, round(max(span.stop - span.start for span in box[:2]) / TILE_PIXELS))
    tones = tones_by_name(window, volume, sigmoid=sigmoid)
    tiles = _tiles(data, box, chosen, thin)
    picture = np.asarray(grey_or_color(tones(tiles), colors))
    if labels is not None:
        numbers, _ = reorient(labels.data, labels.affine, PLANE_CODES[plane])
        cut = _tiles(numbers, box, chosen, thin).astype(np.float32)
        picture = np.stack([painted(p, n, labels, opacity) for p, n in zip(picture, cut, strict=True)])
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    tile_mm = picture.shape[2] * float(spacing[0]) * thin, picture.shape[1] * float(spacing[1]) * thin
    columns = _columns(len(chosen), tile_mm)
    axis = {"sagittal": 0, "coronal": 1, "axial": 2}[plane]
    middle = [(span.start + span.stop) / 2 for span in box[:2]]
    places = [position(float((affine @ [*middle, k, 1])[axis]), axis) for k in chosen]
    letters = [direction_letters(sign * affine[:3, axis] / spacing[axis]) for axis in (0, 1) for sign in (-1, 1)]
    ax = _drawn(ax, picture, tile_mm, columns, places)
    draw_letters(ax, tuple(letters), tile_mm)
    rows = -(-len(chosen) // columns)
    draw_thinned(ax, (columns * tile_mm[0], rows * tile_mm[1]), float(spacing[0]) * thin, float(spacing[0]))
    return ax


def _body_voxels(volume: Volume, data: AnyArray, affine: FloatArray) -> tuple[slice, slice, slice]:
    """The box around the body in voxels of the reoriented grid."""
    low, high = body_box(volume)
    corners = np.stack(np.meshgrid(*zip(low, high, strict=True), indexing="ij"), axis=-1).reshape(-1, 3)
    inverse = np.linalg.inv(affine)
    voxels = corners @ inverse[:3, :3].T + inverse[:3, 3]
    first = np.clip(np.floor(voxels.min(axis=0)), 0, np.array(data.shape) - 1).astype(int)
    last = np.clip(np.ceil(voxels.max(axis=0)), first, np.array(data.shape) - 1).astype(int)
    i, j, k = (slice(int(a), int(b) + 1) for a, b in zip(first, last, strict=True))
    return i, j, k


def _chosen(total: int, span: slice, count: int, every: int | None) -> list[int]:
    """Slices from the feet up, or from the back or the right."""
    if every is not None:
        if every < 1:
            raise InputError(f"every {every}-th slice: give 1 or more")
        return list(range(0, total, every))
    if count < 1:
        raise InputError(f"{count} slices: give 1 or more")
    length = span.stop - span.start
    steps = span.start + (np.arange(min(count, length)) + 0.5) * length / min(count, length)
    return [int(k) for k in np.clip(steps, 0, total - 1)]


def _tiles(data: AnyArray, box: tuple[slice, ...], chosen: list[int], thin: int) -> AnyArray:
    """The slices as pictures, shape (slices, rows, columns), every `thin`-th pixel."""
    i, j = (slice(span.start, span.stop, thin) for span in box[:2])
    return np.stack([data[i, j, k].T for k in chosen])


def _columns(count: int, tile_mm: tuple[float, float]) -> int:
    """The number of columns that leaves the fewest tiles empty near the aspect of a page."""
    wanted = np.sqrt(count * _ASPECT * tile_mm[1] / tile_mm[0])
    candidates = range(max(1, int(wanted * 0.75)), max(2, int(np.ceil(wanted * 1.35)) + 1))
    return min(candidates, key=lambda n: (-count % n + 0.6 * abs(n - wanted), n))


def _drawn(
    ax: Axes | None,
    tiles: npt.NDArray[np.uint8],
    tile_mm: tuple[float, float],
    columns: int,
    places: list[str],
) -> Axes:
    count, height, width = tiles.shape[:3]
    rows = -(-count // columns)
    mosaic = np.zeros((rows * height, columns * width, 3), dtype=np.uint8)
    for n, tile in enumerate(tiles):
        row, column = divmod(n, columns)
        mosaic[row * height : (row + 1) * height, column * width : (column + 1) * width] = tile
    size_mm = columns * tile_mm[0], rows * tile_mm[1]
    if ax is None:
        ax = new_axes(_WIDTH_INCHES, _WIDTH_INCHES * size_mm[1] / size_mm[0])
    draw_picture(ax, mosaic, size_mm, interpolation="antialiased")
    for n, text in enumerate(places):
        row, column = divmod(n, columns)
        draw_note(ax, (column + 0.02) * tile_mm[0], (row + 0.02) * tile_mm[1], text, size=6 if columns < 9 else 5)
    draw_scale_bar(ax, tile_mm)
    return ax
