"""The histogram of a volume with the usual ranges of tissues, and what was never measured told apart."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from cormack.core.errors import InputError
from cormack.core.volume import Unit, Volume
from cormack.imaging.condition import HU_RANGE
from cormack.imaging.tissues import TISSUES, Tissue
from cormack.imaging.units import cormack_to_hu, hu_to_cormack
from cormack.report.plots.canvas import STYLE, new_axes

#: Bins for values of no unit; Hounsfield units are counted one by one and drawn in steps of this many.
BINS, STEP_HU = 256, 2
#: Slices counted at a time: the memory of a volume is not taken twice.
_SLAB = 16
TICKS_HU = (-1000, -500, -100, -50, 0, 50, 100, 500, 1000, 2000, 3000)
_TICKS_LINEAR_HU = tuple(range(-1000, 3001, 500))
#: A range narrower than this share of the axis has its name beside it.
_ROW = 0.055


def plot_histogram(
    volume: Volume,
    ax: Axes | None = None,
    *,
    unmeasured: npt.NDArray[np.bool_] | None = None,
    log: bool = True,
    stretched: bool = True,
    tissues: Sequence[Tissue] = TISSUES,
) -> Axes:
    """Draw how many millilitres of a volume have which value.

    Parameters
    ----------
    volume : Volume
        Shape (i, j, k).
    ax : matplotlib Axes, optional
        Where to draw; axes in a figure of their own by default.
    unmeasured : bool array, shape (i, j, k), optional
        Where nothing was measured: padding, gaps. By default voxels of the value `outside` and NaN; a scanner that
        clips puts real air there, too, and the picture says so.
    log : bool
        Logarithmic counts, so that air does not dwarf everything.
    stretched : bool
        An axis on which soft tissue, −100 to 100 HU, takes as much room as in Cormack units.
    tissues : sequence of Tissue
        Ranges to mark; for Hounsfield units only.

    Returns
    -------
    Axes

    Raises
    ------
    InputError
        If nothing was measured.
    """
    ax = new_axes(7.2, 4.2) if ax is None else ax
    is_hu = volume.unit is Unit.HU
    edges, counts, outside = _counted(volume, unmeasured)
    if not counts.any():
        raise InputError("the volume holds no measured voxel: only padding, NaN or the value of what lies outside")
    litres = counts * volume.voxel_volume_ml / np.diff(edges)
    with mpl.rc_context(STYLE):
        if is_hu and stretched:
            ax.set_xscale("function", functions=(_stretch, _unstretch))
        ax.fill_between(edges, np.append(litres, litres[-1]), step="post", color="#4d4d4d", linewidth=0)
        if log:
            ax.set_yscale("log")
        _limits(ax, edges, litres, is_hu=is_hu, log=log)
        if is_hu:
            ax.set_xticks(TICKS_HU if stretched else _TICKS_LINEAR_HU, minor=False)
            ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}".replace("-", "\N{MINUS SIGN}"))
            _mark(ax, tissues)
        ax.set_xlabel("Hounsfield units" if is_hu else f"value ({volume.unit})")
        ax.set_ylabel("ml per HU" if is_hu else "ml per unit")
        _tell_outside(ax, volume, outside, stated=unmeasured is not None)
        ax.spines[["top", "right"]].set_visible(False)
    return ax


def _counted(
    volume: Volume, unmeasured: npt.NDArray[np.bool_] | None
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64], int]:
    """Edges of the bins, voxels in each, and how many were not measured."""
    edges = _edges(volume)
    counts = np.zeros(len(edges) - 1, dtype=np.int64)
    outside = 0
    for start in range(0, volume.shape[2], _SLAB):
        values = volume.data[:, :, start : start + _SLAB]
        if unmeasured is None:
            lost = ~np.isfinite(values) | (values == volume.outside)
        else:
            lost = unmeasured[:, :, start : start + _SLAB] | ~np.isfinite(values)
        outside += int(np.count_nonzero(lost))
        kept = values[~lost]
        # What lies beyond the axis is counted at its ends: nothing is dropped in silence.
        ends = float(edges[0]), float(edges[-1])
        counts += np.histogram(np.clip(kept, *ends), len(counts), range=ends)[0]
    return edges, counts, outside


def _edges(volume: Volume) -> npt.NDArray[np.float64]:
    """Bins of whole Hounsfield units from −1024, or evenly spread ones over the range of the values."""
    if volume.unit is Unit.HU:
        return np.arange(HU_RANGE[0], HU_RANGE[1] + STEP_HU + 1, STEP_HU, dtype=np.float64) - 0.5
    finite = volume.data[np.isfinite(volume.data)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    return np.linspace(low, high if high > low else low + 1, BINS + 1)


def _limits(
    ax: Axes, edges: npt.NDArray[np.float64], litres: npt.NDArray[np.float64], *, is_hu: bool, log: bool
) -> None:
    filled = np.flatnonzero(litres)
    low, high = edges[filled[0]], edges[filled[-1] + 1]
    if is_hu:
        low, high = min(low, -1024.0), max(high, 300.0)
    margin = 0.0 if is_hu else 0.02 * (high - low)
    ax.set_xlim(low - margin, high + margin)
    top = float(litres.max())
    if log:
        ax.set_ylim(max(float(litres[litres > 0].min()) / 2, top * 1e-7), top * 2)
    else:
        ax.set_ylim(0, top * 1.05)


def _mark(ax: Axes, tissues: Sequence[Tissue]) -> None:
    """Ranges as bars above the plot, in as few rows as keep their names apart, and faintly behind it."""
    low, high = ax.get_xlim()
    to_axes = ax.transScale.transform
    ends = to_axes([[low, ax.get_ylim()[0]], [high, ax.get_ylim()[0]]])[:, 0]

    def share(hu: float) -> float:
        at = to_axes([[hu, ax.get_ylim()[0]]])[0, 0]
        return float(np.clip((at - ends[0]) / (ends[1] - ends[0]), 0, 1))

    rows: list[float] = []
    for tissue in tissues:
        if tissue.low_hu >= high or tissue.high_hu <= low:
            continue
        first, last = share(tissue.low_hu), share(tissue.high_hu)
        left = (first + last) / 2 - max(last - first, 0.0115 * len(tissue.name)) / 2
        right = left + max(last - first, 0.0115 * len(tissue.name)) + 0.008
        row = next((n for n, taken in enumerate(rows) if taken <= left), len(rows))
        rows[row : row + 1] = [right]
        y = 1.03 + row * _ROW
        ax.axvspan(tissue.low_hu, tissue.high_hu, color=tissue.color, alpha=0.13, linewidth=0, zorder=0)
        ax.plot([first, last], [y, y], color=tissue.color, linewidth=3, transform=ax.transAxes, clip_on=False,
                solid_capstyle="butt")  # fmt: skip
        ax.text((first + last) / 2, y + 0.008, tissue.name, transform=ax.transAxes, ha="center", va="bottom", size=7)


def _tell_outside(ax: Axes, volume: Volume, outside: int, *, stated: bool) -> None:
    if not outside:
        return
    share = 100 * outside / volume.data.size
    value = "NaN" if np.isnan(volume.outside) else f"{volume.outside:g}".replace("-", "\N{MINUS SIGN}")
    what = "outside the bore (padding)" if stated else f"outside the bore, or clipped (at {value})"
    text = f"not counted, {what}: {outside * volume.voxel_volume_ml:.0f} ml, {share:.0f} % of the voxels"
    ax.text(0.99, 0.98, text, transform=ax.transAxes, ha="right", va="top", size=7, color="#555555")


def _stretch(hu: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Cormack units, continued below −1000 HU so that the axis has no end there."""
    values = np.asarray(hu, dtype=np.float64)
    return np.where(values < -1000, values + 1000, hu_to_cormack(np.maximum(values, -1000)))


def _unstretch(units: npt.ArrayLike) -> npt.NDArray[np.float64]:
    values = np.asarray(units, dtype=np.float64)
    return np.where(values < 0, values - 1000, cormack_to_hu(np.maximum(values, 0)))
