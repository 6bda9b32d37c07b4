"""Hounsfield units inside a mask: histogram, mean, spread and percentiles."""

from __future__ import annotations

import numpy as np

from cormack.core.findings import Measurement
from cormack.core.measures import Histogram
from cormack.core.volume import Volume
from cormack.measure.boxes import Region

#: The range of a 12-bit CT; values beyond it are counted in its first and last bin (HU).
HISTOGRAM_RANGE_HU = (-1024, 3071)
PERCENTILES = (5, 25, 75, 95)


def histogram(volume: Volume, part: Region, name: str) -> Histogram:
    """Count the voxels of a region in bins of 1 HU from −1024 to 3071.

    Values are rounded to whole HU and clamped to the range. Works plane by plane: no copy of the volume is made.
    """
    low, high = HISTOGRAM_RANGE_HU
    counts = np.zeros(high - low + 1, dtype=np.int64)
    data, mask = volume.data[part.box], part.mask
    # Picking by a mask runs along the last axis: the one that is fastest in memory should be it.
    if abs(data.strides[0]) < abs(data.strides[2]):
        data, mask = data.T, mask.T
    for plane, inside in zip(data, mask, strict=True):
        values = plane[inside]
        if values.dtype.kind == "f":
            values = np.rint(np.nan_to_num(values, nan=low))
        counts += np.bincount(np.clip(values, low, high).astype(np.int64) - low, minlength=len(counts))
    return Histogram(name, low, counts, volume.voxel_volume_ml)


def intensity_measurements(inside: Histogram) -> tuple[Measurement, ...]:
    """Mean, standard deviation, median and percentiles of the HU that a histogram counted."""
    where = f"of HU inside the mask of the {inside.region}"
    moments = inside.moments_hu()
    if moments is None:
        empty = f"not measured: the mask of the {inside.region} is empty"
        names = ("mean", "standard deviation", "median", *(f"{p}th percentile" for p in PERCENTILES))
        return tuple(Measurement(f"{name} HU", None, "HU", empty) for name in names)
    mean, deviation = moments
    return (
        Measurement("mean HU", mean, "HU", f"mean {where}"),
        Measurement("standard deviation HU", deviation, "HU", f"population standard deviation {where}"),
        Measurement("median HU", inside.percentile_hu(50), "HU", f"median {where}, to 1 HU"),
        *(
            Measurement(f"{p}th percentile HU", inside.percentile_hu(p), "HU", f"{p}th percentile {where}, to 1 HU")
            for p in PERCENTILES
        ),
    )
