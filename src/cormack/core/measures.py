"""What was measured in one scan: numbers, histograms and the suspicions that arose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cormack.core.findings import Finding, Measurement
from cormack.core.volume import Unit


@dataclass(frozen=True, eq=False)
class Histogram:
    """Voxel counts in bins of even width: bin b holds the voxels around `first` + b · `width`.

    Parameters
    ----------
    region : str
        What was counted ("intracranial space", "head").
    first : float
        Value of the first bin, in the volume's unit.
    counts : array of int64, shape (bins,)
    voxel_volume_ml : float
    width : float
        Of a bin: 1 HU for CT.
    unit : Unit
    """

    region: str
    first: float
    counts: npt.NDArray[np.int64]
    voxel_volume_ml: float
    width: float = 1.0
    unit: Unit = Unit.HU

    @property
    def values(self) -> npt.NDArray[np.float64]:
        """The value of every bin, shape (bins,)."""
        return np.asarray(self.first + self.width * np.arange(len(self.counts)), dtype=np.float64)

    @property
    def total(self) -> int:
        """Number of voxels counted."""
        return int(self.counts.sum())

    def fraction(self, low: float, high: float) -> float:
        """Share of the voxels with low <= value <= high; 0.0 of an empty histogram."""
        inside = (self.values >= low) & (self.values <= high)
        return float(self.counts[inside].sum()) / max(self.total, 1)

    def percentile(self, percent: float) -> float | None:
        """Return the smallest value at or below which `percent` of the voxels lie; None of an empty histogram."""
        if self.total == 0:
            return None
        cumulative = np.cumsum(self.counts)
        return float(self.first + self.width * int(np.searchsorted(cumulative, percent / 100.0 * cumulative[-1])))

    def moments(self) -> tuple[float, float] | None:
        """Mean and (population) standard deviation; None of an empty histogram."""
        if self.total == 0:
            return None
        values = self.values
        mean = float(values @ self.counts) / self.total
        return mean, float(np.sqrt(((values - mean) ** 2) @ self.counts / self.total))


@dataclass(frozen=True, eq=False)
class ScanMeasures:
    """The measurements of a scan, histograms of values inside the masks of brain and head, what looks suspicious."""

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
