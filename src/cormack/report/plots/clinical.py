"""Clinical measures drawn where they were taken: the plane through the scan, the labels' outlines, the lines."""

from __future__ import annotations

from io import BytesIO

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patheffects import withStroke

from cormack.core.clinical import ClinicalMeasure, MeasuredPlane
from cormack.core.errors import InputError
from cormack.core.labels import LabelMap
from cormack.core.volume import FloatArray, Unit, Volume
from cormack.imaging.sections import Frame, section
from cormack.imaging.windows import tones_by_name
from cormack.report.plots.canvas import (
    DPI,
    ENDINGS,
    HALO,
    INK,
    PICTURE_INCHES,
    STYLE,
    draw_letters,
    draw_picture,
    draw_scale_bar,
    draw_title,
    grey_or_color,
    new_axes,
)
from cormack.report.plots.palette import FEW
from cormack.report.plots.sections import painted

#: What is shown around the labels (mm), and the size of pixels (mm).
MARGIN_MM, PIXEL_MM = 8.0, 0.5
#: Tint of the labels within their outlines, over a scan and over nothing.
TINT, ALONE_TINT = 0.12, 0.6
#: Colours of the lines, in their order.
LINE_COLORS = (FEW[3], FEW[1], FEW[4])
#: Labelled voxels are looked at on lines of about this distance (mm) to find out what to show.
_SOUGHT_MM = 4.0


def measure_caption(measure: ClinicalMeasure) -> str:
    """A sentence or two for below the picture: name, value, definition and reference."""
    told = f"{measure.name[0].upper()}{measure.name[1:]}: {measure.text}."
    source = f" (doi {measure.reference})" if measure.reference else ""
    return f"{told} {measure.definition[0].upper()}{measure.definition[1:]}{source}."


def plot_measure(
    measure: ClinicalMeasure,
    labels: LabelMap,
    volume: Volume | None = None,
    ax: Axes | None = None,
    *,
    window: str = "brain",
) -> Axes:
    """Draw a measure on the plane in which it was taken, at right proportions, the patient's right on the left.

    Parameters
    ----------
    measure : ClinicalMeasure
        One that has a plane.
    labels : LabelMap
        Outlined and tinted in the colours of their table; any grid of the measure's space.
    volume : Volume, optional
        The scan; without one the labels stand alone.
    ax : matplotlib Axes, optional
        Where to draw; axes in a figure of their own by default. Data units become millimetres.
    window : str
        As in `cormack.report.plots.sections.plot_plane`.

    Raises
    ------
    InputError
        If the measure has no plane, or the window is unknown.
    """
    if measure.plane is None:
        raise InputError(f"{measure.name} was not measured in a plane: there is nothing to draw ({measure.text})")
    where = _frame(measure.plane, labels)
    picture = np.zeros((*where.shape, 3), dtype=np.uint8)
    if volume is not None:
        tones = tones_by_name(window if volume.unit is Unit.HU else "auto", volume)
        picture = np.asarray(grey_or_color(tones(section(volume, where)), "gray"))
    picture = painted(picture, section(labels, where), labels, ALONE_TINT if volume is None else TINT)
    if ax is None:
        width, height = where.size_mm
        ax = new_axes(PICTURE_INCHES * width / height, PICTURE_INCHES + 0.3)
    with mpl.rc_context(STYLE):
        draw_picture(ax, picture, where.size_mm, interpolation="antialiased")
        _draw_lines(ax, measure, where)
        draw_scale_bar(ax, where.size_mm)
        draw_letters(ax, where.letters, where.size_mm)
        draw_title(ax, f"{measure.name}: {measure.text}")
    return ax


def measure_picture(measure: ClinicalMeasure, labels: LabelMap, volume: Volume | None = None) -> bytes:
    """The same as PNG, to be put into a page; equal measures give equal bytes."""
    ax = plot_measure(measure, labels, volume)
    figure = ax.get_figure(root=True)
    buffer = BytesIO()
    with mpl.rc_context(STYLE):
        figure.savefig(buffer, format="png", dpi=DPI, facecolor="white", **ENDINGS[".png"])  # type: ignore[union-attr]
    return buffer.getvalue()


def _frame(plane: MeasuredPlane, labels: LabelMap) -> Frame:
    """The pixels of the plane that show all that is labelled."""
    steps = [max(1, int(_SOUGHT_MM / length)) for length in np.linalg.norm(labels.affine[:3, :3], axis=0)]
    filled = np.argwhere(labels.data[:: steps[0], :: steps[1], :: steps[2]]) * steps
    around = filled @ labels.affine[:3, :3].T + labels.affine[:3, 3] - plane.point_mm
    right, down = -plane.right, -plane.up
    along = np.stack([around @ right, around @ down], axis=1)
    low, high = along.min(axis=0) - MARGIN_MM, along.max(axis=0) + MARGIN_MM
    columns, rows = (int(n) for n in np.ceil((high - low) / PIXEL_MM))
    return Frame(plane.point_mm + right * low[0] + down * low[1], right, down, (rows, columns), PIXEL_MM)


def _draw_lines(ax: Axes, measure: ClinicalMeasure, where: Frame) -> None:
    """The lines with dots at their ends and their lengths in millimetres."""
    # The longest first: where lines lie on each other, the short ones stay to be seen.
    for line, color in sorted(zip(measure.lines, LINE_COLORS, strict=False), key=lambda drawn: -drawn[0].length_mm):
        x, y = _in_picture(line.points_mm, where).T
        (drawn,) = ax.plot(x, y, "-o", color=color, linewidth=1.3, markersize=2.5)
        drawn.set_path_effects([withStroke(linewidth=2.4, foreground=HALO)])
        if measure.unit != "°":
            written = ax.annotate(
                f"{line.length_mm:.1f} mm", (x[-1], y[-1]), (3, 3), textcoords="offset points", color=INK, size=7
            )
            written.set_path_effects([withStroke(linewidth=1.6, foreground=HALO)])


def _in_picture(points_mm: FloatArray, where: Frame) -> FloatArray:
    """Millimetres from the left and the upper edge of the picture, shape (points, 2)."""
    around = points_mm - where.corner_mm
    return np.stack([around @ where.right, around @ where.down], axis=1) + where.pixel_mm / 2
