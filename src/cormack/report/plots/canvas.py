"""What all plots share: axes of their own or the caller's, scale bars, letters, and files by their ending."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from cormack.core.errors import OutputError
from cormack.imaging.windows import all_range_tones

#: Endings of pictures, and what would make two runs differ.
ENDINGS: dict[str, dict[str, Any]] = {
    ".png": {"metadata": {"Software": None}},
    ".svg": {"metadata": {"Date": None, "Creator": None}},
    ".pdf": {"metadata": {"CreationDate": None, "Creator": None, "Producer": None}},
}
#: Sans-serif text in the sizes of printed figures; text stays text in SVG; the same names in each SVG of one picture.
STYLE: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.labelsize": 8,
    "svg.fonttype": "none",
    "svg.hashsalt": "cormack",
    "pdf.fonttype": 42,
}
DPI = 150
#: The whole range of a CT in one picture: air black, lung blue, fat golden, brain and muscle red, bone ivory.
_TISSUE_KNOTS = (
    (-1024, "#000000"), (-900, "#061030"), (-500, "#1f5fa8"), (-150, "#7a6a2c"), (-90, "#c9a53a"), (-40, "#8a5a3a"),
    (0, "#4a2238"), (20, "#8a2f3a"), (40, "#c2443f"), (70, "#f08060"), (100, "#f7b08a"), (300, "#e8d9b5"),
    (1000, "#fff6e0"), (3071, "#ffffff"),
)  # fmt: skip
TISSUE_COLORS = LinearSegmentedColormap.from_list(
    "tissue", [(float(all_range_tones()(np.array(hu))), color) for hu, color in _TISSUE_KNOTS], N=4096
)
#: Light text that can be read on any tissue.
INK, HALO = "#f5f5f5", "#000000"
#: Lengths of scale bars (mm); the longest that takes no more than this share of the width is drawn.
BAR_LENGTHS_MM = (1, 2, 5, 10, 20, 50, 100, 200)
_BAR_SHARE = 0.3
#: Titles of more letters are written smaller.
_LONG_TITLE = 36
#: Pixels coarser than voxels by more than this factor are told; the mark by which that text is found again.
_COARSER, _THINNED = 1.05, "thinned"
#: Height of pictures of sections (inches).
PICTURE_INCHES = 4.0


def new_figure(width: float, height: float) -> Figure:
    """A figure of its own, tied to no window and to no global state; size in inches."""
    with mpl.rc_context(STYLE):
        return Figure(figsize=(width, height), layout="constrained")


def new_axes(width: float, height: float) -> Axes:
    """Axes in a figure of their own; size in inches."""
    figure = new_figure(width, height)
    with mpl.rc_context(STYLE):
        return figure.add_subplot()


def check_picture(path: Path, further: tuple[str, ...] = ()) -> str:
    """The ending of a picture's file name, in lower case.

    Raises
    ------
    OutputError
        If it is none of PNG, SVG, PDF and those in `further`.
    """
    ending = path.suffix.lower()
    known = (*ENDINGS, *further)
    if ending not in known:
        raise OutputError(f"{path}: the output must end in {', '.join(known)}")
    return ending


def save_axes(ax: Axes, path: Path, ending: str, *, dpi: int = DPI) -> None:
    """Write the figure that axes belong to; the same figure gives the same bytes."""
    figure = ax.get_figure(root=True)
    if figure is None:
        raise OutputError("these axes belong to no figure any more: nothing can be written")
    with mpl.rc_context(STYLE):
        figure.savefig(path, format=ending[1:], dpi=dpi, facecolor="white", **ENDINGS[ending])


def bar_length_mm(width_mm: float) -> int:
    """Length of the scale bar for a picture of this width."""
    fitting = [length for length in BAR_LENGTHS_MM if length <= _BAR_SHARE * width_mm]
    return fitting[-1] if fitting else BAR_LENGTHS_MM[0]


def draw_picture(ax: Axes, image: Any, size_mm: tuple[float, float], **options: Any) -> None:
    """An image, shape (rows, columns[, RGB]), with axes in millimetres from the upper left corner and no frame."""
    width, height = size_mm
    ax.imshow(image, extent=(0, width, height, 0), aspect="equal", **options)
    ax.set_axis_off()


def draw_title(ax: Axes, text: str) -> None:
    """A title, smaller where it is long."""
    ax.set_title(text, fontsize=9 if len(text) < _LONG_TITLE else 6.5, pad=4)


def draw_scale_bar(ax: Axes, size_mm: tuple[float, float], *, color: str = INK, halo: str = HALO) -> None:
    """A bar with its length at the lower left, in data units of millimetres."""
    width, height = size_mm
    length = bar_length_mm(width)
    x, y = 0.03 * width, 0.965 * height
    for thickness, ink in ((3.6, halo), (2.0, color)):
        ax.plot([x, x + length], [y, y], color=ink, linewidth=thickness, solid_capstyle="butt")
    _text(ax, x, y - 0.012 * height, f"{length} mm", "left", "bottom", color, halo, size=7)


def draw_letters(
    ax: Axes, letters: tuple[str, ...], size_mm: tuple[float, float], *, color: str = INK, halo: str = HALO
) -> None:
    """Directions at the middle of the left, right, upper and lower side."""
    width, height = size_mm
    left, right, up, down = letters
    for x, y, letter, across, along in (
        (0.015, 0.5, left, "left", "center"),
        (0.985, 0.5, right, "right", "center"),
        (0.5, 0.015, up, "center", "top"),
        (0.5, 0.985, down, "center", "bottom"),
    ):
        _text(ax, x * width, y * height, letter, across, along, color, halo, weight="bold")


def draw_note(ax: Axes, x_mm: float, y_mm: float, text: str, *, size: float = 7) -> None:
    """A line of text at the upper left of a tile."""
    _text(ax, x_mm, y_mm, text, "left", "top", INK, HALO, size=size)


def _text(
    ax: Axes, x: float, y: float, text: str, across: str, along: str, color: str, halo: str, **options: Any
) -> None:
    from matplotlib.patheffects import withStroke

    options.setdefault("size", 8)
    written = ax.text(x, y, text, color=color, ha=across, va=along, clip_on=True, **options)
    written.set_path_effects([withStroke(linewidth=1.6, foreground=halo)])


def draw_thinned(ax: Axes, size_mm: tuple[float, float], pixel_mm: float, voxel_mm: float) -> None:
    """Say at the lower right that pixels are coarser than the voxels they were picked from, if they are."""
    if pixel_mm > voxel_mm * _COARSER:
        text = f"pixels of {pixel_mm:.2g} mm, voxels of {voxel_mm:.2g} mm"
        x, y = 0.985 * size_mm[0], 0.985 * size_mm[1]
        _text(ax, x, y, text, "right", "bottom", INK, HALO, size=6, gid=_THINNED)


def thinned_text(ax: Axes) -> str | None:
    """What `draw_thinned` said."""
    return next((text.get_text() for text in ax.texts if text.get_gid() == _THINNED), None)


def grey_or_color(tones: Any, color_map: str) -> Any:
    """Tones 0…1 with NaN (outside the voxels) as black, through a colour map; uint8 of shape (…, 3)."""
    colors = TISSUE_COLORS if color_map == TISSUE_COLORS.name else mpl.colormaps[color_map]
    mapped = colors(np.nan_to_num(tones, nan=0.0), bytes=True)[..., :3]
    mapped[np.isnan(tones)] = 0
    return mapped
