"""What a report of a CT and one of an MR have of their own, as a table: windows, charts, words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from cormack.core.labels import LabelMap
from cormack.core.measures import ScanMeasures
from cormack.core.volume import Unit, Volume
from cormack.imaging.windows import WINDOWS, Window
from cormack.report.charts import Chart, brain_chart, head_chart, intensity_chart

#: An MR is shown between these percentiles of the brain, stretched by this share of their distance at both ends …
MR_PERCENTILES, MR_STRETCH = (1.0, 99.0), 0.15
#: … and its head from 0 to this percentile.
MR_HEAD_PERCENTILE = 99.5


@dataclass(frozen=True)
class View:
    """Values shown as greys: the window, what it is called, and what a caption says of it."""

    window: Window
    name: str
    caption: str


@dataclass(frozen=True)
class Kind:
    """What the page of one modality shows.

    Parameters
    ----------
    title : str
    value : str
        What values are called in the names of measurements; `unit` stands behind them.
    views : callable
        From volume, head and brain to two views: of the brain with contours, and of the head without.
    charts : callable
        Histograms of head and brain.
    lean : str
        What it means that the stack of slices leans.
    """

    title: str
    value: str
    unit: str
    views: Callable[[Volume, LabelMap, LabelMap], tuple[View, View]]
    charts: Callable[[ScanMeasures], tuple[Chart, ...]]
    lean: str


def _ct_views(volume: Volume, head: LabelMap, brain: LabelMap) -> tuple[View, View]:
    soft, bone = WINDOWS["brain"], WINDOWS["bone"]
    return (
        View(soft, "brain window", f"Brain window, level {soft.level_hu:g}, width {soft.width_hu:g} HU."),
        View(bone, "bone window", f"Bone window, level {bone.level_hu:g}, width {bone.width_hu:g} HU"),
    )


def _mr_views(volume: Volume, head: LabelMap, brain: LabelMap) -> tuple[View, View]:
    low, high = _percentiles(volume, brain, MR_PERCENTILES)
    more = MR_STRETCH * (high - low)
    low, high = max(0.0, low - more), high + more
    top = _percentiles(volume, head, (0.0, MR_HEAD_PERCENTILE))[1]
    first, last = MR_PERCENTILES
    return (
        View(
            _window(low, high),
            "greys of the brain",
            f"Greys from {low:.3g} to {high:.3g}: the {first:g}st to {last:g}th percentile of the brain, and a little "
            "more.",
        ),
        View(
            _window(0.0, top),
            "greys of the head",
            f"Greys from 0 to {top:.3g}, the {MR_HEAD_PERCENTILE:g}th percentile of the head",
        ),
    )


def _percentiles(volume: Volume, mask: LabelMap, percent: tuple[float, float]) -> tuple[float, float]:
    values = volume.data[mask.data > 0]
    values = values[np.isfinite(values)]
    low, high = np.percentile(values if values.size else volume.data, percent)
    return float(low), float(high)


def _window(low: float, high: float) -> Window:
    return Window((low + high) / 2, max(high - low, 1e-6 * max(abs(low), 1.0)))


KINDS: Mapping[Unit, Kind] = {
    Unit.HU: Kind(
        "head CT report",
        "HU",
        "HU",
        _ct_views,
        lambda measures: (head_chart(measures.head_histogram), brain_chart(measures.histogram)),
        "Gantry tilt, measured",
    ),
    Unit.ARBITRARY: Kind(
        "head MR report",
        "intensity",
        "",
        _mr_views,
        lambda measures: (
            intensity_chart(measures.head_histogram, "Head"),
            intensity_chart(measures.histogram, "Brain and CSF"),
        ),
        "Lean of the slices",
    ),
}


def kind_of(volume: Volume) -> Kind:
    """What the page of a volume shows; a CT's for any other unit than an MR's."""
    return KINDS.get(volume.unit, KINDS[Unit.HU])
