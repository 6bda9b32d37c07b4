"""Sections through a volume: one plane, the three planes through a point, two scans against each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from cormack.core.errors import InputError
from cormack.core.labels import LabelMap
from cormack.core.volume import FloatArray, Unit, Volume
from cormack.imaging.sections import PLANES, Box, Frame, body_box, direction_letters, frame, section
from cormack.imaging.windows import Mapping, tones_by_name
from cormack.report.plots.canvas import (
    PICTURE_INCHES,
    STYLE,
    TISSUE_COLORS,
    draw_letters,
    draw_picture,
    draw_scale_bar,
    draw_thinned,
    draw_title,
    grey_or_color,
    new_axes,
    new_figure,
)
from cormack.report.plots.palette import label_colors

Plane = str | Sequence[float]
PairKind = Literal["side", "checkerboard", "difference"]

#: Edge of the squares of a checkerboard (mm).
SQUARE_MM = 25.0
#: Differences are shown from minus to plus this quantile of their size.
_DIFFERENCE_QUANTILE = 0.995


def plot_plane(
    volume: Volume,
    plane: Plane = "axial",
    ax: Axes | None = None,
    *,
    at_mm: npt.ArrayLike | None = None,
    window: str = "auto",
    sigmoid: bool = False,
    color_map: str | None = None,
    labels: LabelMap | None = None,
    opacity: float = 0.4,
    box: Box | None = None,
    title: str | None = None,
) -> Axes:
    """Draw one plane of a volume at right proportions, with a scale bar and the patient's directions.

    Parameters
    ----------
    volume : Volume
        Shape (i, j, k), any affine, tilted ones included: planes are those of the patient, not of the scanner.
    plane : "axial", "coronal", "sagittal", or three floats
        The normal of an oblique plane in RAS+.
    ax : matplotlib Axes, optional
        Where to draw; axes in a figure of their own by default. Data units become millimetres.
    at_mm : three floats, optional
        A point of the plane in RAS+ millimetres; the middle of the body by default.
    window : str
        A preset of `cormack.imaging.windows.WINDOWS`, "LEVEL,WIDTH", "auto" (the brain window for HU, the range of
        values otherwise), "equalised" or "all-range".
    sigmoid : bool
        Let the window fade out instead of cutting off.
    color_map : str, optional
        Name of a matplotlib colour map; grey for windows, `magma` for "equalised", and for "all-range" `tissue`, on
        which lung is blue, fat golden, brain and muscle red, bone ivory.
    labels : LabelMap, optional
        Drawn over it in the colours of its table; on any grid of the same space.
    opacity : float
        Of the labels.
    box : array, shape (2, 3), optional
        RAS+ millimetres to show; the body with a margin by default.
    title : str, optional
        The plane and its position by default.

    Returns
    -------
    Axes

    Raises
    ------
    InputError
        If the plane, the window or the colour map is unknown, or the point lies outside the volume.
    """
    shown = body_box(volume) if box is None else box
    at = shown.mean(axis=0) if at_mm is None else _inside(volume, at_mm)
    where = frame(volume, plane, at, box=shown)
    tones = tones_by_name(window, volume, sigmoid=sigmoid)
    picture = _picture(volume, where, tones, color_map or default_colors(window))
    if labels is not None:
        picture = painted(picture, section(labels, where), labels, opacity)
    if ax is None:
        width, height = where.size_mm
        ax = new_axes(PICTURE_INCHES * width / height, PICTURE_INCHES + 0.3)
    _draw(ax, picture, where, place(plane, at) if title is None else title, volume)
    return ax


def plot_planes(
    volume: Volume, axes: Sequence[Axes] | None = None, *, planes: Sequence[Plane] = tuple(PLANES), **options: object
) -> tuple[Axes, ...]:
    """Draw several planes through one point side by side, to one scale; options as in `plot_plane`.

    Parameters
    ----------
    volume : Volume
    axes : sequence of matplotlib Axes, optional
        One for each plane; in a figure of their own by default.
    planes : sequence of planes
        Axial, coronal and sagittal by default.

    Raises
    ------
    InputError
        As `plot_plane`, and if there is not one Axes for each plane.
    """
    box = options.pop("box", None)
    shown = body_box(volume) if box is None else np.asarray(box)
    if axes is None:
        at = options.get("at_mm")
        centre = shown.mean(axis=0) if at is None else _inside(volume, at)  # type: ignore[arg-type]
        axes = side_by_side([frame(volume, plane, centre, box=shown).size_mm for plane in planes])
    if len(axes) != len(planes):
        raise InputError(f"{len(planes)} planes need as many axes, not {len(axes)}")
    return tuple(
        plot_plane(volume, plane, ax, box=shown, **options)  # type: ignore[arg-type]
        for plane, ax in zip(planes, axes, strict=True)
    )


def plot_pair(
    before: Volume,
    after: Volume,
    axes: Sequence[Axes] | None = None,
    *,
    kind: PairKind = "side",
    plane: Plane = "axial",
    at_mm: npt.ArrayLike | None = None,
    window: str = "auto",
    titles: tuple[str, str] = ("before", "after"),
) -> tuple[Axes, ...]:
    """Draw two scans of one space against each other; they need not lie on one grid.

    Parameters
    ----------
    before, after : Volume
    axes : sequence of matplotlib Axes, optional
        Two for "side", one for "checkerboard" and "difference".
    kind : "side", "checkerboard" or "difference"
        Next to each other; squares of 25 mm of one and the other in turn, where edges meet if the two are aligned;
        after less before, in the unit of the volumes.
    plane, at_mm, window
        As in `plot_plane`.
    titles : two of str

    Raises
    ------
    InputError
        If the kind, plane or window is unknown, or the number of axes is another.
    """
    box = body_box(before)
    at = box.mean(axis=0) if at_mm is None else _inside(before, at_mm)
    where = frame(before, plane, at, box=box)
    count = {"side": 2, "checkerboard": 1, "difference": 1}.get(kind)
    if count is None:
        raise InputError(f"kind {kind!r}: give side, checkerboard or difference")
    axes = side_by_side([where.size_mm] * count) if axes is None else axes
    if len(axes) != count:
        raise InputError(f"a picture of the kind {kind} needs {count} axes, not {len(axes)}")
    tones = [tones_by_name(window, volume) for volume in (before, after)]
    if kind == "difference":
        _draw_difference(axes[0], section(after, where) - section(before, where), where, before.unit)
        draw_title(axes[0], f"{titles[1]} less {titles[0]}, {place(plane, at)}")
        return tuple(axes)
    first, second = (
        _picture(volume, where, mapping, default_colors(window))
        for volume, mapping in zip((before, after), tones, strict=True)
    )
    if kind == "side":
        for ax, picture, title in zip(axes, (first, second), titles, strict=True):
            _draw(ax, picture, where, f"{title}, {place(plane, at)}", before)
        return tuple(axes)
    rows, columns = (np.arange(n) * where.pixel_mm // SQUARE_MM for n in where.shape)
    odd = ((rows[:, None] + columns) % 2 > 0)[..., None]
    title = f"{titles[0]} and {titles[1]} in turn, {place(plane, at)}"
    _draw(axes[0], np.where(odd, second, first), where, title, before)
    return tuple(axes)


def default_colors(window: str) -> str:
    """Grey for windows; a map with more steps to tell apart for the mappings that show everything."""
    return {"all-range": TISSUE_COLORS.name, "equalised": "magma"}.get(window, "gray")


def check_color_map(name: str) -> str:
    """The name of a colour map.

    Raises
    ------
    InputError
        If there is none.
    """
    if name not in (*mpl.colormaps, TISSUE_COLORS.name):
        raise InputError(f"colour map {name!r} is not one of matplotlib's; gray, bone, magma and viridis are")
    return name


def place(plane: Plane, at_mm: npt.ArrayLike) -> str:
    """A plane with its position, such as "axial, S 12.0 mm", or an oblique one with its normal and point."""
    at = np.asarray(at_mm, dtype=np.float64)
    if isinstance(plane, str):
        axis = {"sagittal": 0, "coronal": 1, "axial": 2}[plane]
        return f"{plane}, {position(at[axis], axis)}"
    normal = np.asarray(plane, dtype=np.float64)
    point = ", ".join(position(at[a], a).removesuffix(" mm") for a in range(3))
    return f"oblique, normal {direction_letters(normal)}, through {point}"


def position(coordinate_mm: float, axis: int) -> str:
    """A coordinate as the side of the origin and the distance from it.

    >>> position(-12.25, 2)
    'I 12.2 mm'
    """
    letter = ("RL", "AP", "SI")[axis][0 if coordinate_mm >= 0 else 1]
    return f"{letter} {abs(coordinate_mm):.1f} mm"


def painted(
    picture: npt.NDArray[np.uint8], numbers: npt.NDArray[np.float32], labels: LabelMap, opacity: float
) -> npt.NDArray[np.uint8]:
    """A picture, shape (rows, columns, 3), with labels over it: a tint within, their borders in full colour."""
    numbers = np.nan_to_num(numbers).astype(np.int64)
    result = picture.astype(np.float32)
    border = np.zeros(numbers.shape, dtype=bool)
    for axis in (0, 1):
        for shift in (1, -1):
            border |= np.roll(numbers, shift, axis) != numbers
    for index, color in label_colors(labels).items():
        here = numbers == index
        ink = np.array(to_rgb(color)) * 255
        result[here] += (ink - result[here]) * np.float32(opacity)
        result[here & border] = ink
    return np.asarray(np.rint(result), dtype=np.uint8)


def side_by_side(sizes_mm: Sequence[tuple[float, float]]) -> tuple[Axes, ...]:
    """Axes in one row to one scale, for pictures of these widths and heights."""
    height = max(h for _, h in sizes_mm)
    inches = PICTURE_INCHES / height
    figure = new_figure(sum(w for w, _ in sizes_mm) * inches + 0.1 * len(sizes_mm), PICTURE_INCHES + 0.4)
    with mpl.rc_context(STYLE):
        row = figure.subplots(1, len(sizes_mm), squeeze=False, width_ratios=[w for w, _ in sizes_mm])
    return tuple(row[0])


def _picture(volume: Volume, where: Frame, tones: Mapping, color_map: str) -> npt.NDArray[np.uint8]:
    values = section(volume, where)
    values[values == volume.outside] = np.nan if volume.unit is not Unit.HU else volume.outside
    return np.asarray(grey_or_color(tones(values), check_color_map(color_map)))


def _inside(volume: Volume, at_mm: npt.ArrayLike) -> FloatArray:
    at = np.asarray(at_mm, dtype=np.float64)
    voxel = volume.voxel(at)
    if at.shape != (3,) or not ((voxel >= -0.5) & (voxel <= np.array(volume.shape) - 0.5)).all():
        corner = volume.world([0, 0, 0]), volume.world(np.array(volume.shape) - 1)
        spans = zip("xyz", *np.sort(corner, axis=0), strict=True)
        span = "; ".join(f"{axis} {low:.0f} to {high:.0f}" for axis, low, high in spans)
        raise InputError(f"the point {at.tolist()} (RAS+ mm) lies outside the volume, which spans {span}")
    return at


def _draw(ax: Axes, picture: npt.NDArray[np.uint8], where: Frame, title: str, volume: Volume) -> None:
    draw_picture(ax, picture, where.size_mm, interpolation="antialiased")
    draw_scale_bar(ax, where.size_mm)
    draw_letters(ax, where.letters, where.size_mm)
    draw_thinned(ax, where.size_mm, where.pixel_mm, min(volume.spacing_mm))
    draw_title(ax, title)


def _draw_difference(ax: Axes, difference: npt.NDArray[np.float32], where: Frame, unit: Unit) -> None:
    """Red where it rose, blue where it fell, with a scale."""
    known = np.abs(difference[np.isfinite(difference)])
    top = max(float(np.quantile(known, _DIFFERENCE_QUANTILE)) if known.size else 0.0, 1e-6)
    draw_picture(ax, difference, where.size_mm, cmap="RdBu_r", vmin=-top, vmax=top)
    draw_scale_bar(ax, where.size_mm, color="#222222", halo="#ffffff")
    draw_letters(ax, where.letters, where.size_mm, color="#222222", halo="#ffffff")
    ax.figure.colorbar(ax.images[0], ax=ax, shrink=0.7, label=str(unit))
