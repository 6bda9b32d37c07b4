"""Pictures of a training: curves over its steps, and which structures are taken for which."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cormack.report.distributions import COLORS, SVG_SETTINGS

#: Edge of one cell of a confusion matrix, and the least width of the picture (inches).
CELL_IN, LEAST_IN = 0.6, 3.0


def curves_svg(rows: Sequence[Mapping[str, float]], structures: Sequence[str]) -> str:
    """Loss and Dice over the steps of a training.

    Parameters
    ----------
    rows : sequence of mapping
        Of `metrics.csv`: `step`, `loss`, and where it was measured `validation_loss` and `dice_…` of every structure.
    structures : sequence of str
        The names behind `dice_`.

    Returns
    -------
    str
        An SVG document that loads nothing from elsewhere; the same values give the same text.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(SVG_SETTINGS):
        figure = Figure(figsize=(8.0, 3.2), layout="constrained")
        left, right = figure.subplots(1, 2)
        for n, name in enumerate(("loss", "validation_loss")):
            left.plot(*_series(rows, name), color=COLORS[n], label=("training", "validation")[n], linewidth=1.2)
        for n, name in enumerate(structures):
            right.plot(*_series(rows, f"dice_{name}"), color=COLORS[n % len(COLORS)], label=name, linewidth=1.2)
        for axes, label in ((left, "loss"), (right, "Dice on the validation set")):
            axes.set_xlabel("step")
            axes.set_ylabel(label)
            axes.spines[["top", "right"]].set_visible(False)
            axes.legend(frameon=False)
        right.set_ylim(0, 1)
        return _svg(figure)


def confusion_svg(shares: npt.NDArray[Any], names: Sequence[str]) -> str:
    """A confusion matrix as shares of the reference.

    Parameters
    ----------
    shares : array, shape (class, class)
        Row: the reference's class; column: the prediction's. NaN where the reference lacks a class.
    names : sequence of str
        Of the classes, the background first.

    Returns
    -------
    str
        An SVG document.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    size = max(LEAST_IN, CELL_IN * len(names) + 1.2)
    with mpl.rc_context(SVG_SETTINGS):
        figure = Figure(figsize=(size, size), layout="constrained")
        axes = figure.subplots()
        axes.imshow(np.nan_to_num(shares), cmap="Blues", vmin=0, vmax=1)
        for (row, column), share in np.ndenumerate(shares):
            text = "" if np.isnan(share) else f"{100 * share:.1f}"
            axes.text(
                column, row, text, ha="center", va="center", color="white" if share > 0.5 else "black", fontsize=7
            )
        axes.set_xticks(range(len(names)), names, rotation=90)
        axes.set_yticks(range(len(names)), names)
        axes.set_xlabel("prediction")
        axes.set_ylabel("reference (rows are 100 %)")
        return _svg(figure)


def _series(rows: Sequence[Mapping[str, float]], name: str) -> tuple[list[float], list[float]]:
    known = [row for row in rows if name in row]
    return [row["step"] for row in known], [row[name] for row in known]


def _svg(figure: Any) -> str:
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return text.getvalue()
