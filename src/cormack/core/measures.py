"""What was measured in one scan: numbers, histograms and the suspicions that arose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cormack.core.findings import Finding, Measurement


@dataclass(frozen=True, eq=False)
class Histogram:
    """Voxel counts in bins of 1 HU: bin b holds the voxels of `first_hu` + b.

    Parameters
    ----------
    region : str
        What was counted ("intracranial space", "head").
    first_hu : int
    counts : array of int64, shape (bins,)
    voxel_volume_ml : float
    """

    region: str
    first_hu: int
    counts: npt.NDArray[np.int64]
    voxel_volume_ml: float

    @property
    def hu(self) -> npt.NDArray[np.int64]:
        """The HU of every bin, shape (bins,)."""
        return self.first_hu + np.arange(len(self.counts), dtype=np.int64)

    @property
    def total(self) -> int:
        """Number of voxels counted."""
        return int(self.counts.sum())

    def fraction(self, low_hu: float, high_hu: float) -> float:
        """Share of the voxels with low_hu <= HU <= high_hu; 0.0 of an empty histogram."""
        inside = (self.hu >= low_hu) & (self.hu <= high_hu)
        return float(self.counts[inside].sum()) / max(self.total, 1)

    def percentile_hu(self, percent: float) -> float | None:
        """Return the smallest HU at or below which `percent` of the voxels lie; None of an empty histogram."""
        if self.total == 0:
            return None
        cumulative = np.cumsum(self.counts)
        return float(self.first_hu + int(np.searchsorted(cumulative, percent / 100.0 * cumulative[-1])))

    def moments_hu(self) -> tuple[float, float] | None:
        """Mean and (population) standard deviation in HU; None of an empty histogram."""
        if self.total == 0:
            return None
        hu = self.hu.astype(np.float64)
        mean = float(hu @ self.counts) / self.total
        return mean, float(np.sqrt(((hu - mean) ** 2) @ self.counts / self.total))


@dataclass(frozen=True, eq=False)
class ScanMeasures:
    """The measurements of a scan, histograms of HU inside the brain and the head mask, and what looks suspicious."""

    measurements: tuple[Measurement, ...]
    histogram: Histogram
    head_histogram: Histogram
    findings: tuple[Finding, ...]

    def value(self, name: str) -> float | None:
        """Value of one measurement by name; None where it was not measured.

        Raises
        ------
        KeyError
            If no measurement has this name.
        """
        for measurement in self.measurements:
            if measurement.name == name:
                return measurement.value
        raise KeyError(name)
