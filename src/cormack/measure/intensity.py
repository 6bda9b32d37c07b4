"""Values inside a mask, HU of a CT or intensities of an MR: histogram, mean, spread and percentiles."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cormack.core.findings import Measurement
from cormack.core.measures import Histogram
from cormack.core.volume import Unit, Volume
from cormack.measure.boxes import Region

#: The range of a 12-bit CT; values beyond it are counted in its first and last bin (HU).
HISTOGRAM_RANGE_HU = (-1024, 3071)
#: Bins for values of no unit, from the smallest to the largest.
BINS = 1024
PERCENTILES = (5, 25, 75, 95)
#: What values are called, and their unit.
WORDS: Mapping[Unit, tuple[str, str]] = {Unit.HU: ("HU", "HU"), Unit.ARBITRARY: ("intensity", "")}


def histogram(volume: Volume, part: Region, name: str) -> Histogram:
    """Count the voxels of a region: in bins of 1 HU from −1024 to 3071, other units in `BINS` over their range.

    HU are rounded and clamped to the range. Works plane by plane: no copy of the volume is made.
    """
    low, width, bins = _bins(volume, part)
    counts = np.zeros(bins, dtype=np.int64)
    data, mask = volume.data[part.box], part.mask
    # Picking by a mask runs along the last axis: the one that is fastest in memory should be it.
    if abs(data.strides[0]) < abs(data.strides[2]):
        data, mask = data.T, mask.T
    for plane, inside in zip(data, mask, strict=True):
        values = plane[inside]
        if width != 1.0 or values.dtype.kind == "f":
            values = np.rint((np.nan_to_num(values, nan=low) - low) / width) + low
        counts += np.bincount(np.clip(values, low, low + bins - 1).astype(np.int64) - int(low), minlength=bins)
    return Histogram(name, low, counts, volume.voxel_volume_ml, width, volume.unit)


def _bins(volume: Volume, part: Region) -> tuple[float, float, int]:
    """First value, width and number of the bins."""
    if volume.unit is Unit.HU:
        low, high = HISTOGRAM_RANGE_HU
        return low, 1.0, high - low + 1
    values = volume.data[part.box]
    largest = float(np.max(values, where=part.mask & np.isfinite(values), initial=0.0))
    return 0.0, largest / (BINS - 1) or 1.0, BINS


def intensity_measurements(inside: Histogram) -> tuple[Measurement, ...]:
    """Mean, standard deviation, median and percentiles of the values that a histogram counted."""
    word, unit = WORDS[inside.unit]
    where = f"of {word} inside the mask of the {inside.region}"
    moments = inside.moments()
    if moments is None:
        empty = f"not measured: the mask of the {inside.region} is empty"
        names = ("mean", "standard deviation", "median", *(f"{p}th percentile" for p in PERCENTILES))
        return tuple(Measurement(f"{name} {word}", None, unit, empty) for name in names)
    mean, deviation = moments
    to = f", to {inside.width:.3g} {unit}".rstrip()
    return (
        Measurement(f"mean {word}", mean, unit, f"mean {where}"),
        Measurement(f"standard deviation {word}", deviation, unit, f"population standard deviation {where}"),
        Measurement(f"median {word}", inside.percentile(50), unit, f"median {where}{to}"),
        *(
            Measurement(f"{p}th percentile {word}", inside.percentile(p), unit, f"{p}th percentile {where}{to}")
            for p in PERCENTILES
        ),
    )
