"""How fast a structure changes: volumes at two times, with what is known of their uncertainty."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot


@dataclass(frozen=True)
class MeasuredVolume:
    """A volume and its standard deviation, None where that is not known; both in mm³."""

    volume_mm3: float
    sd_mm3: float | None = None


@dataclass(frozen=True)
class VolumeRate:
    """One structure at two times.

    Attributes
    ----------
    name : str
    first, second : MeasuredVolume
    years : float
        From the first to the second.
    """

    name: str
    first: MeasuredVolume
    second: MeasuredVolume
    years: float

    @property
    def change_mm3(self) -> float:
        """Second minus first."""
        return self.second.volume_mm3 - self.first.volume_mm3

    @property
    def change_percent(self) -> float | None:
        """Change in percent of the mean of both, so that exchanging the times changes the sign alone; None if empty."""
        return self._percent(self.change_mm3)

    @property
    def percent_per_year(self) -> float | None:
        """The symmetrised percent change per year (doi 10.1016/j.neuroimage.2012.02.084)."""
        percent = self.change_percent
        return None if percent is None else percent / self.years

    @property
    def percent_per_year_sd(self) -> float | None:
        """Standard deviation of that, the errors of both times being independent; None where one is not known."""
        if self.first.sd_mm3 is None or self.second.sd_mm3 is None:
            return None
        percent = self._percent(hypot(self.first.sd_mm3, self.second.sd_mm3))
        return None if percent is None else percent / self.years

    def _percent(self, mm3: float) -> float | None:
        mean = (self.first.volume_mm3 + self.second.volume_mm3) / 2
        return 100.0 * mm3 / mean if mean > 0 else None
