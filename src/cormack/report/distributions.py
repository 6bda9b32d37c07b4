"""Box and violin plots of values by group and series, as SVG."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Kind = Literal["box", "violin"]

#: Okabe and Ito's colours, told apart by colour-blind eyes.
COLORS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442")
#: A violin of fewer values would draw a shape that nobody measured; there is a box instead.
LEAST_FOR_VIOLIN = 6
#: Inches per box, of the margins, and height.
BOX_IN, MARGIN_IN, HEIGHT_IN = 0.42, 1.6, 3.4
#: Names of groups are turned if one is longer than this for each box of the group.
LETTERS_PER_BOX = 7
#: What makes the file the same each time.
SVG_SETTINGS = {"svg.fonttype": "none", "svg.hashsalt": "cormack", "font.family": "sans-serif", "font.size": 9}


def distribution_svg(
    groups: Mapping[str, Mapping[str, Sequence[float]]],
    *,
    label: str,
    kind: Kind = "box",
) -> str:
    """Plot the distribution of values: one group per structure, one box or violin in it per series.

    Every value is drawn as a point, too. Boxes hold the middle half, with the median; whiskers reach to the farthest
    value within 1.5 times their height.

    Parameters
    ----------
    groups : mapping of group to mapping of series to values
        NaN is left out; a series without a value leaves its place empty.
    label : str
        Of the axis of values, with its unit.
    kind : "box" or "violin"
        Violins of fewer than six values are drawn as boxes.

    Returns
    -------
    str
        An SVG document that loads nothing from elsewhere; the same values give the same text.
    """
    # Loaded when first needed: it takes a while.
    import matplotlib as mpl
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    series = tuple(dict.fromkeys(name for values in groups.values() for name in values))
    width = MARGIN_IN + BOX_IN * max(1, len(groups)) * (len(series) + 0.6)
    with mpl.rc_context(SVG_SETTINGS):
        figure = Figure(figsize=(max(width, 3.2), HEIGHT_IN), layout="constrained")
        canvas = FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        _draw(axes, groups, series, kind)
        _dress(axes, groups, series, label)
        text = io.StringIO()
        canvas.print_svg(text, metadata={"Date": None, "Creator": None})
    return text.getvalue()


def _draw(axes: Axes, groups: Mapping[str, Mapping[str, Sequence[float]]], series: Sequence[str], kind: Kind) -> None:
    stride = len(series) + 0.6
    for g, values in enumerate(groups.values()):
        for s, name in enumerate(series):
            known = np.asarray(values.get(name, ()), dtype=np.float64)
            known = known[np.isfinite(known)]
            if not known.size:
                continue
            place, color = g * stride + s, COLORS[s % len(COLORS)]
            if kind == "violin" and known.size >= LEAST_FOR_VIOLIN and np.ptp(known) > 0:
                _violin(axes, known, place, color)
            else:
                _box(axes, known, place, color)
            axes.scatter(place + _spread(known.size), known, s=7, color=color, linewidths=0, alpha=0.8, zorder=3)


def _violin(axes: Axes, values: npt.NDArray[np.float64], place: float, color: str) -> None:
    parts: dict[str, Any] = axes.violinplot(values, [place], widths=0.85, showextrema=False, showmedians=True)
    for body in parts["bodies"]:
        body.set(facecolor=color, edgecolor=color, alpha=0.3)
    parts["cmedians"].set(color=color, linewidth=1.5)


def _box(axes: Axes, values: npt.NDArray[np.float64], place: float, color: str) -> None:
    lines = {"color": color, "linewidth": 1.2}
    axes.boxplot(
        values, positions=[place], widths=0.6, showfliers=False, manage_ticks=False,
        boxprops=lines, whiskerprops=lines, capprops=lines, medianprops={**lines, "linewidth": 2},
    )  # fmt: skip


def _spread(count: int) -> npt.NDArray[np.float64]:
    """Offsets that keep points apart, the same each time."""
    return np.asarray(((np.arange(count) * 0.618) % 1 - 0.5) * 0.35)


def _dress(
    axes: Axes,
    groups: Mapping[str, object],
    series: Sequence[str],
    label: str,
) -> None:
    stride = len(series) + 0.6
    places = [g * stride + (len(series) - 1) / 2 for g in range(len(groups))]
    turned = max(map(len, groups), default=0) > LETTERS_PER_BOX * max(1, len(series))
    axes.set_xticks(places, list(groups), rotation=40 if turned else 0, ha="right" if turned else "center")
    axes.set_xlim(-0.8, max(len(groups), 1) * stride - 0.8)
    axes.set_ylabel(label)
    axes.grid(axis="y", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    if len(series) > 1:
        from matplotlib.lines import Line2D

        handles = [Line2D([], [], color=COLORS[s % len(COLORS)], linewidth=4) for s in range(len(series))]
        axes.legend(
            handles, series, frameon=False, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=min(4, len(series))
        )
