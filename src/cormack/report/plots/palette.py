"""Colours of labels: those of their table, or told apart as well as so many can be."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import hsv_to_rgb, to_hex
from matplotlib.patches import Patch

from cormack.core.labels import LabelMap

#: Okabe and Ito 2008: told apart under the common colour-vision deficiencies.
FEW = ("#e69f00", "#56b4e9", "#009e73", "#f0e442", "#cc79a7", "#d55e00", "#0072b2")
#: Step of the hue for more labels: the golden ratio, so that neighbours in number differ most.
_HUE_STEP = 0.618034
#: A legend names no more than this many.
MOST_NAMED = 24


def label_colors(labels: LabelMap) -> dict[int, str]:
    """A colour for each number that occurs in the map, as hexadecimal text."""
    tabled = {label.index: to_hex([part / 255 for part in label.color]) for label in labels.table}
    present = [int(n) for n in np.unique(labels.data) if n > 0]
    spare = (color for n in count() if (color := _spare(n)) not in tabled.values())
    return {index: tabled[index] if index in tabled else next(spare) for index in present}


def label_names(labels: LabelMap) -> dict[int, str]:
    """The name of each number that occurs in the map."""
    tabled = {label.index: label.name for label in labels.table}
    return {index: tabled.get(index, f"label {index}") for index in label_colors(labels)}


def draw_legend(ax: Axes, labels: LabelMap, only: Iterable[int] | None = None) -> None:
    """Names and volumes of the labels below the picture, largest first."""
    colors, names = label_colors(labels), label_names(labels)
    counts = np.bincount(labels.data.astype(np.int64).ravel())
    chosen = sorted(set(colors if only is None else only) & set(colors), key=lambda n: -counts[n])
    patches = [
        Patch(color=colors[n], label=f"{names[n]}, {_millilitres(counts[n] * labels.voxel_volume_ml)}")
        for n in chosen[:MOST_NAMED]
    ]
    if len(chosen) > MOST_NAMED:
        patches.append(Patch(color="none", label=f"and {len(chosen) - MOST_NAMED} more"))
    columns = min(4, len(patches))
    ax.figure.legend(handles=patches, loc="outside lower center", ncols=max(1, columns), frameon=False, fontsize=7)


def _millilitres(volume_ml: float) -> str:
    """Three digits, or all before the point."""
    return f"{volume_ml:.0f} ml" if volume_ml >= 100 else f"{volume_ml:.3g} ml"


def _spare(number: int) -> str:
    if number < len(FEW):
        return FEW[number]
    saturation, value = 0.55 + 0.3 * (number % 2), 0.95 - 0.25 * (number % 3 == 2)
    return str(to_hex(hsv_to_rgb([number * _HUE_STEP % 1.0, saturation, value])))
