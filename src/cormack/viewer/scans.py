"""A scan made ready for the page: whole numbers of 16 bits on an even grid with axes R, A, S, and facts about it."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from cormack.core.volume import AnyArray, SliceStack, Unit, Volume
from cormack.files.nifti import is_nifti
from cormack.files.nifti_header import nifti_header
from cormack.imaging.blocks import block_mean
from cormack.imaging.orient import reorient
from cormack.imaging.rectify import plan_rectification
from cormack.pipeline.grids import condition_any, plan
from cormack.pipeline.images import Kind, read_image
from cormack.pipeline.load import locate
from cormack.pipeline.options import LoadOptions
from cormack.pipeline.progress import Silent
from cormack.viewer.sources import Source
from cormack.viewer.structures import Overlay, combine

Int16Array = npt.NDArray[np.int16]

#: More voxels than this (half a gigabyte) are averaged in blocks before they are sent to the browser.
MOST_VOXELS = 2**28
#: No graphics card of the last ten years holds a 3-D texture with a longer edge than this.
LONGEST_EDGE = 2048
#: The 3-D picture is made of at most so many voxels along each axis: it must turn without waiting.
PREVIEW_EDGE = 160
#: Denser than this is a body rather than air; values that are no HU are compared with what is dark in their window.
BODY_HU = -300.0
#: Share of the body that may lie outside of the first view, such as a headrest (at each end of an axis), and its rim.
LEFT_OUT, RIM_MM = 0.004, 8.0
#: Every so many voxels are looked at to find the range of values that is worth showing.
SAMPLED = 50_021


@dataclass(frozen=True, eq=False)
class Prepared:
    """A scan as the page gets it.

    Attributes
    ----------
    volume : Volume
        int16; see `slope` and `intercept` in the facts.
    overlay : Overlay
    facts : mapping
        All that the page must know beside the voxels, as plain values.
    """

    volume: Volume
    overlay: Overlay
    facts: dict[str, Any]

    @property
    def voxels(self) -> tuple[bytes, memoryview]:
        """Header and voxels of a NIfTI-1 file."""
        return _nifti(self.volume)

    @property
    def labels(self) -> memoryview:
        """Combinations of structures on the same grid, without a header; empty if there are none."""
        return _bytes(self.overlay.combinations) if self.overlay.structures else memoryview(b"")

    @cached_property
    def preview(self) -> tuple[bytes, memoryview]:
        """The same in few voxels, for the 3-D picture; made when asked for, since the slices are shown first."""
        return _nifti(shrunken(self.volume, _few(self.volume.shape)))

    @cached_property
    def preview_labels(self) -> memoryview:
        """Labels on the grid of the preview."""
        few, shape = _few(self.volume.shape), self.volume.shape
        middles = tuple(slice(f // 2, n // f * f, f) for f, n in zip(few, shape, strict=True))
        return (
            _bytes(np.asfortranarray(self.overlay.combinations[middles]))
            if self.overlay.structures
            else memoryview(b"")
        )


def prepare(source: Source) -> Prepared:
    """Read a scan and its labels, and make them ready.

    Raises
    ------
    InputError
        If a file is gone, broken, 4-D, holds colours, or no labels where these are expected.
    """
    volume, notes = _read(source)
    factors = display_factors(volume.shape)
    if max(factors) > 1:
        size = " x ".join(str(n) for n in volume.shape)
        blocks = " x ".join(str(f) for f in factors)
        notes.append(f"Too large for a browser ({size} voxels): means of {blocks} voxels are shown and measured.")
        volume = shrunken(volume, factors)
    overlay = combine(source.labels, volume)
    data, slope, intercept = as_int16(volume)
    window = _window(volume)
    facts = {
        **_grid_facts(volume),
        "slope": slope,
        "intercept": intercept,
        "window": window,
        "view": _view(data, volume.spacing_mm, window, slope, intercept),
        "range": [float(data.min()) * slope + intercept, float(data.max()) * slope + intercept],
        "reduced": max(factors) > 1,
        "notes": [*notes, *overlay.notes],
        **_overlay_facts(overlay),
    }
    return Prepared(volume.with_data(data), overlay, facts)


def _few(shape: tuple[int, int, int]) -> tuple[int, int, int]:
    """How many voxels are averaged along each axis for the 3-D picture."""
    i, j, k = (-(-n // PREVIEW_EDGE) for n in shape)
    return i, j, k


def _read(source: Source) -> tuple[Volume, list[str]]:
    """The scan on an even, orthogonal grid with axes closest to R, A, S, and what was done to it."""
    if is_nifti(source.image):
        found = read_image(source.image, Kind.VALUES, assume_mm=True).image
        volume = found if isinstance(found, Volume) else Volume(found.data, found.affine, unit=Unit.ARBITRARY)
        if volume.is_orthogonal:
            data, affine = reorient(volume.data, volume.affine)
            return replace(volume, data=np.asfortranarray(data), affine=affine), []
        stack = SliceStack(
            volume.data,
            volume.affine[:3, 0],
            volume.affine[:3, 1],
            volume.affine[:3, 3] + np.arange(volume.shape[2])[:, None] * volume.affine[:3, 2],
            unit=volume.unit,
            outside=volume.outside,
        )
        return plan_rectification(stack).volume().volume, ["The slices are tilted: shown on an upright grid."]
    options = LoadOptions()
    with closing(locate(source.image, options, Silent())) as located:
        loaded = located.load(Silent())
    planned, facts = plan(condition_any(loaded), loaded, options)
    return planned.volume().volume, [finding.message for finding in facts.findings]


def display_factors(shape: tuple[int, int, int]) -> tuple[int, int, int]:
    """How many voxels are averaged along each axis so that a browser can hold the rest."""
    factors = [-(-n // LONGEST_EDGE) for n in shape]
    while np.prod([float(n // f) for n, f in zip(shape, factors, strict=True)]) > MOST_VOXELS:
        longest = int(np.argmax([n / f for n, f in zip(shape, factors, strict=True)]))
        factors[longest] += 1
    return factors[0], factors[1], factors[2]


def shrunken(volume: Volume, factors: tuple[int, int, int]) -> Volume:
    """Means of blocks of voxels, in the data type that was given."""
    if max(factors) == 1:
        return volume
    means = block_mean(volume.data, factors)
    data = np.asfortranarray(np.rint(means) if volume.data.dtype.kind in "iu" else means, dtype=volume.data.dtype)
    affine = volume.affine.copy()
    affine[:3, :3] *= factors
    affine[:3, 3] = volume.world([(f - 1) / 2 for f in factors])
    return replace(volume, data=data, affine=affine)


def as_int16(volume: Volume) -> tuple[Int16Array, float, float]:
    """Values as int16 with the slope and intercept that give them back; NaN becomes what stands outside."""
    data = volume.data
    if data.dtype == np.int16:
        return np.asfortranarray(data), 1.0, 0.0
    outside = volume.outside if np.isfinite(volume.outside) else 0.0
    values = np.nan_to_num(data.astype(np.float32, copy=False), nan=outside, posinf=outside, neginf=outside)
    low, high = float(values.min()), float(values.max())
    if low >= -32768 and high <= 32767 and np.array_equal(np.rint(values), values):
        return np.asfortranarray(values, dtype=np.int16), 1.0, 0.0
    slope = max(high - low, 1e-12) / 65_534
    middle = (high + low) / 2
    return np.asfortranarray(np.rint((values - middle) / slope), dtype=np.int16), slope, middle


def _window(volume: Volume) -> list[float] | None:
    """The range worth showing of values that are no Hounsfield units (2nd to 98th percentile of what is not zero)."""
    if volume.unit is Unit.HU:
        return None
    sample = volume.data.ravel(order="K")[:: max(1, volume.data.size // SAMPLED)].astype(np.float64)
    sample = sample[np.isfinite(sample) & (sample != 0)]
    if len(sample) < 2 or sample.min() == sample.max():
        return [0.0, 1.0]
    low, high = np.percentile(sample, [2, 98])
    return [float(low), float(max(high, low + 1e-6))]


def _view(
    data: Int16Array, spacing_mm: tuple[float, ...], window: list[float] | None, slope: float, intercept: float
) -> list[list[float]]:
    """From where to where the body reaches along each axis (0 to 1): what the first view shows."""
    threshold = BODY_HU if window is None else window[0] + (window[1] - window[0]) / 10
    i, j, k = data.shape
    steps = _few((i, j, k))
    body = data[tuple(slice(None, None, step) for step in steps)] > (threshold - intercept) / slope
    view = []
    for axis, (n, step, edge_mm) in enumerate(zip(data.shape, steps, spacing_mm, strict=True)):
        grown = np.cumsum(body.sum(axis=tuple({0, 1, 2} - {axis})))
        low, high = np.searchsorted(grown, [grown[-1] * LEFT_OUT, grown[-1] * (1 - LEFT_OUT)]) if grown[-1] else (0, n)
        rim = RIM_MM / edge_mm
        view.append([max(0.0, (float(low) * step - rim) / n), min(1.0, (float(high + 1) * step + rim) / n)])
    return view


def _grid_facts(volume: Volume) -> dict[str, Any]:
    return {
        "shape": list(volume.shape),
        "spacing_mm": list(volume.spacing_mm),
        "affine": volume.affine.tolist(),
        "unit": str(volume.unit),
    }


def _overlay_facts(overlay: Overlay) -> dict[str, Any]:
    structures = [
        {
            "name": s.label.name,
            "abbreviation": s.label.abbreviation,
            "color": list(s.label.color),
            "volume_ml": s.volume_ml,
            "source": s.source,
        }
        for s in overlay.structures
    ]
    members = [list(combination) for combination in overlay.members]
    return {"structures": structures, "members": members, "label_bytes": overlay.combinations.dtype.itemsize}


def _nifti(volume: Volume) -> tuple[bytes, memoryview]:
    return nifti_header(volume.shape, volume.data.dtype, volume.affine), _bytes(volume.data)


def _bytes(data: AnyArray) -> memoryview:
    """The voxels as they lie in memory, i fastest."""
    return data.T.data.cast("B")
