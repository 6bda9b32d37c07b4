"""Charts of a report as plain numbers for SVG: histograms and the places of the slices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cormack.core.measures import Histogram
from cormack.imaging.units import hu_to_cormack
from cormack.report.content import StackFacts

FloatArray = npt.NDArray[np.float64]

WIDTH, HEIGHT = 720.0, 250.0
#: Height of one row of range labels above the plot.
BAND_ROW = 17.0


@dataclass(frozen=True)
class HuRange:
    """Hounsfield units that a tissue usually has at about 120 kV."""

    name: str
    low_hu: float
    high_hu: float
    css_class: str


_CUSTOMARY = "Shaded: ranges that tissues usually have at 120 kV."
_MARKED = "Dashed: median, 5th and 95th percentile."
#: Histograms of intensities are smoothed by a Gaussian of this share of the axis.
SMOOTHED = 0.015
#: The axis of intensities ends at this percentile: vessels and fat beside a coil would press all else together.
SHOWN_PERCENT = 99.8
#: Typical ranges in the head; they overlap, and shift with tube voltage and beam hardening.
HEAD_RANGES = (
    HuRange("air", -1024, -900, "air"),
    HuRange("fat", -115, -50, "fat"),
    HuRange("water, CSF", 0, 15, "fluid"),
    HuRange("brain", 20, 45, "brain"),
    HuRange("clotted blood", 50, 90, "blood"),
    HuRange("spongy bone", 200, 700, "bone"),
    HuRange("compact bone", 700, 2000, "bone"),
    HuRange("metal", 2800, 3071, "metal"),
)
BRAIN_RANGES = (
    HuRange("CSF", 0, 15, "fluid"),
    HuRange("white matter", 20, 31, "brain"),
    HuRange("grey matter", 32, 44, "brain"),
    HuRange("clotted blood", 50, 90, "blood"),
)


@dataclass(frozen=True)
class Band:
    """A range drawn behind a histogram: left edge, width and row of its label."""

    name: str
    title: str
    css_class: str
    x: float
    width: float
    row: int


@dataclass(frozen=True)
class Chart:
    """A histogram ready to draw: path data of its area, bands, ticks as (position, label), marks of percentiles."""

    title: str
    area: str
    bands: tuple[Band, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    marks: tuple[tuple[float, str], ...]
    y_label: str
    rows: int
    alt: str
    note: str = ""
    unit: str = "HU"
    width: float = WIDTH
    height: float = HEIGHT


def head_chart(histogram: Histogram) -> Chart:
    """Chart the whole head on an axis stretched as Cormack units are: air, soft tissue and bone in one picture."""
    low, high = hu_to_cormack([-1024.0, 3071.0])

    def x_of(hu: npt.ArrayLike) -> FloatArray:
        return np.asarray((hu_to_cormack(hu).astype(np.float64) - low) / (high - low) * WIDTH, dtype=np.float64)

    hu = histogram.values
    columns, heights_ml = _by_column(x_of(hu), histogram.counts * histogram.voxel_volume_ml)
    floor = 1e-3
    top = max(float(heights_ml.max(initial=0.0)), 10 * floor)
    decades = np.log10(np.maximum(heights_ml, floor) / floor) / np.log10(top / floor)
    exponents = range(-3, int(np.floor(np.log10(top))) + 1)
    y_ticks = tuple(
        (HEIGHT - HEIGHT * float((e + 3) / np.log10(top / floor)), f"{10.0**e:g}") for e in exponents if e % 2 == 0
    )
    ticks = (-1000, -500, -100, -50, 0, 50, 100, 500, 1000, 2000, 3000)
    bands, rows = _bands(HEAD_RANGES, x_of)
    return Chart(
        title="Head",
        area=_area(columns, decades * HEIGHT),
        bands=bands,
        x_ticks=tuple((float(x_of(t)), _signed(t)) for t in ticks),
        y_ticks=y_ticks,
        marks=(),
        y_label="ml per HU, logarithmic",
        rows=rows,
        alt=f"Histogram of Hounsfield units in the head, {histogram.total * histogram.voxel_volume_ml:.0f} ml.",
        note="The axis of Hounsfield units is stretched tenfold between −100 and 100 HU, as Cormack units are. "
        + _CUSTOMARY,
    )


def brain_chart(histogram: Histogram, low_hu: int = -20, high_hu: int = 110) -> Chart:
    """Chart the inside of the brain mask from −20 to 110 HU, linear, with median and percentiles marked."""

    def x_of(hu: npt.ArrayLike) -> FloatArray:
        return (np.asarray(hu, dtype=np.float64) - low_hu) / (high_hu - low_hu) * WIDTH

    hu = histogram.values
    shown = (hu >= low_hu) & (hu <= high_hu)
    heights_ml = histogram.counts[shown] * histogram.voxel_volume_ml
    top = float(heights_ml.max(initial=0.0)) * 1.05 or 1.0
    bands, rows = _bands(BRAIN_RANGES, x_of)
    beyond = 1.0 - histogram.fraction(low_hu, high_hu) if histogram.total else 0.0
    median = histogram.percentile(50)
    return Chart(
        title="Intracranial space",
        area=_area(x_of(hu[shown]), heights_ml / top * HEIGHT),
        bands=bands,
        x_ticks=tuple((float(x_of(t)), _signed(t)) for t in range(low_hu, high_hu + 1, 10)),
        y_ticks=_linear_ticks(top),
        marks=_marks(histogram, x_of, low_hu, high_hu),
        y_label=f"ml per HU; {beyond:.1%} lie outside this range",
        rows=rows,
        alt="Histogram of Hounsfield units inside the brain mask"
        + (f", median {median:.0f} HU." if median is not None else ", which is empty."),
        note=f"{_MARKED} {_CUSTOMARY}",
    )


def intensity_chart(histogram: Histogram, title: str) -> Chart:
    """Chart the intensities of an MR from 0 on, linear, with median and percentiles marked."""
    end = histogram.percentile(SHOWN_PERCENT) or float(histogram.values[-1])

    def x_of(values: npt.ArrayLike) -> FloatArray:
        return np.asarray(values, dtype=np.float64) / end * WIDTH

    shown = histogram.values <= end
    # Stored values may lie farther apart than bins: the picture would be a comb.
    spread = SMOOTHED * end / histogram.width
    smooth = ndimage.gaussian_filter1d(histogram.counts.astype(np.float64), spread, mode="constant")
    columns, heights_ml = _by_column(x_of(histogram.values[shown]), smooth[shown] * histogram.voxel_volume_ml)
    top = float(np.max(heights_ml, initial=0.0)) * 1.05 or 1.0
    beyond = 1.0 - histogram.fraction(0.0, end) if histogram.total else 0.0
    step = float(10 ** np.floor(np.log10(end / 2)))
    step *= 5 if end / step > 50 else 2 if end / step > 20 else 1
    median = histogram.percentile(50)
    return Chart(
        title=title,
        area=_area(columns, heights_ml / top * HEIGHT),
        bands=(),
        x_ticks=tuple((float(x_of(t)), f"{t:g}") for t in np.arange(0.0, end, step)),
        y_ticks=_linear_ticks(top),
        marks=_marks(histogram, x_of, 0.0, end),
        y_label=f"ml per {histogram.width:.3g} of intensity; {beyond:.1%} lie beyond this range",
        rows=0,
        alt=f"Histogram of intensities inside the mask of the {histogram.region}"
        + (f", median {median:.4g}." if median is not None else ", which is empty."),
        note=f"Smoothed. {_MARKED}",
        unit="intensity",
    )


def _marks(
    histogram: Histogram, x_of: Callable[[npt.ArrayLike], FloatArray], low: float, high: float
) -> tuple[tuple[float, str], ...]:
    """Median and percentiles that lie within the axis."""
    return tuple(
        (float(x_of(value)), name)
        for name, percent in (("5 %", 5), ("median", 50), ("95 %", 95))
        if (value := histogram.percentile(percent)) is not None and low <= value <= high
    )


def _signed(value: float) -> str:
    return f"−{-value:g}" if value < 0 else f"{value:g}"


def _by_column(x: FloatArray, heights: npt.NDArray[np.floating]) -> tuple[FloatArray, FloatArray]:
    """Average the bins that fall into the same column of the picture."""
    column = np.clip(x.astype(np.intp), 0, int(WIDTH) - 1)
    counts = np.bincount(column, minlength=int(WIDTH))
    sums = np.bincount(column, weights=heights, minlength=int(WIDTH))
    filled = np.flatnonzero(counts)
    return filled.astype(np.float64) + 0.5, sums[filled].astype(np.float64) / counts[filled]


def _area(x: FloatArray, y: npt.NDArray[np.floating]) -> str:
    points = "L".join(f"{a:.1f} {HEIGHT - b:.1f}" for a, b in zip(x, y, strict=True))
    return f"M{x[0]:.1f} {HEIGHT:.0f}L{points}L{x[-1]:.1f} {HEIGHT:.0f}Z" if len(x) else ""


def _linear_ticks(top: float) -> tuple[tuple[float, str], ...]:
    step = 10 ** np.floor(np.log10(top))
    step = step / 2 if top / step < 2 else step if top / step < 5 else 2 * step
    return tuple((HEIGHT - HEIGHT * v / top, f"{v:g}") for v in np.arange(0, top, step).tolist())


def _bands(ranges: Sequence[HuRange], x_of: Callable[[npt.ArrayLike], FloatArray]) -> tuple[tuple[Band, ...], int]:
    """Place the labels of ranges in as few rows as keep them apart."""
    bands: list[Band] = []
    ends: list[float] = []
    for item in ranges:
        left, right = float(x_of(item.low_hu)), float(x_of(item.high_hu))
        half = max(right - left, 6.2 * len(item.name) + 8) / 2
        middle = (left + right) / 2
        row = next((n for n, end in enumerate(ends) if end <= middle - half), len(ends))
        if row == len(ends):
            ends.append(0.0)
        ends[row] = middle + half
        title = f"{item.name}: about {_signed(item.low_hu)} to {_signed(item.high_hu)} HU"
        bands.append(Band(item.name, title, item.css_class, left, right - left, row))
    return tuple(bands), len(ends)


@dataclass(frozen=True)
class SideView:
    """Slices seen from the side, in a box of millimetres: lines as (x1, y1, x2, y2), letters of the four sides."""

    width: float
    height: float
    lines: tuple[tuple[float, float, float, float], ...]
    letters: tuple[str, str, str, str]
    alt: str


OPPOSITE = {"R": "L", "A": "P", "S": "I"}


def side_view(stack: StackFacts) -> SideView | None:
    """Where the slices lie in the patient, seen along their rows; None if the facts hold no view."""
    if len(stack.side_view_mm) < 2:
        return None
    ends = np.array(stack.side_view_mm)
    # The picture's left is anterior or right, its top superior: both coordinates fall to the right and downwards.
    points = -(ends - ends.reshape(-1, 2).max(axis=0))
    width, height = points.reshape(-1, 2).max(axis=0)
    across, up = stack.side_view_axes
    gaps = stack.slice_distances_mm
    return SideView(
        width=float(width),
        height=float(height),
        lines=tuple((float(a[0]), float(a[1]), float(b[0]), float(b[1])) for a, b in points),
        letters=(across, OPPOSITE[across], up, OPPOSITE[up]),
        alt=f"{len(ends)} slices seen from the side, {min(gaps):.2f} to {max(gaps):.2f} mm apart.",
    )


@dataclass(frozen=True)
class Bars:
    """Slice distances as bars: (x, width, height) in a box, and the ticks of the vertical axis."""

    width: float
    height: float
    bars: tuple[tuple[float, float, float], ...]
    y_ticks: tuple[tuple[float, str], ...]
    alt: str


def distance_bars(stack: StackFacts, width: float = 420.0, height: float = 150.0) -> Bars | None:
    """Distance from each slice to the next; None where all are alike to 2 %."""
    gaps = np.array(stack.slice_distances_mm)
    if len(gaps) < 2 or gaps.max() - gaps.min() <= 0.02 * float(np.median(gaps)):
        return None
    top = float(gaps.max()) * 1.05
    step = width / len(gaps)
    ticks = tuple((height * (y / HEIGHT), label) for y, label in _linear_ticks(top))
    return Bars(
        width,
        height,
        tuple((n * step, step, float(gap) / top * height) for n, gap in enumerate(gaps)),
        ticks,
        f"Bars of {len(gaps)} slice distances, from {gaps.min():.2f} to {gaps.max():.2f} mm.",
    )
