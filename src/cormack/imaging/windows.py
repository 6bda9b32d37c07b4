"""Display windows and tones: which values are black, which are white, and what lies between."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cormack.core.errors import InputError
from cormack.core.volume import AnyArray, Unit, Volume
from cormack.imaging.condition import HU_RANGE
from cormack.imaging.units import hu_to_cormack

#: Values to tones: 0 black to 1 white, float32 of the same shape; NaN stays NaN.
Mapping = Callable[[AnyArray], npt.NDArray[np.float32]]

#: Values of no unit are shown from the first to the second of these quantiles of a sample.
SHOWN_QUANTILES = (0.01, 0.995)
#: About so many voxels, evenly spread, stand for all of them.
_SAMPLED_VOXELS = 2e6


@dataclass(frozen=True)
class Window:
    """A linear display window by level (centre) and width, both in HU (DICOM PS3.3 C.11.2.1.2)."""

    level_hu: float
    width_hu: float

    @property
    def limits_hu(self) -> tuple[float, float]:
        """HU shown as black and as white."""
        return self.level_hu - self.width_hu / 2, self.level_hu + self.width_hu / 2


#: Named presets, those of Radiopaedia ("Windowing (CT)", radiopaedia.org/articles/windowing-ct) but for angiography,
#: which is customary. Of the range given for subdural (W 130-300 L 50-100) the middle is taken; soft tissue is that of
#: the abdomen (the neck's is W 350-400 L 20-60), bone that of the temporal bones. Stroke-narrow is for early ischaemia
#: (Lev et al., Radiology 1999, doi 10.1148/radiology.213.1.r99oc10150).
WINDOWS = {
    "brain": Window(40, 80),
    "subdural": Window(75, 215),
    "stroke": Window(40, 40),
    "stroke-narrow": Window(32, 8),
    "soft-tissue": Window(50, 400),
    "bone": Window(600, 2800),
    "lung": Window(-600, 1500),
    "mediastinum": Window(50, 350),
    "liver": Window(30, 150),
    "spine": Window(50, 250),
    "spine-bone": Window(400, 1800),
    "angiography": Window(300, 600),
}
#: Mappings that are no linear windows, by name.
TONES = ("equalised", "all-range")


def apply_window(hu: npt.NDArray[Any], window: Window) -> npt.NDArray[np.uint8]:
    """Hounsfield units to grey values 0…255, any shape."""
    low, high = window.limits_hu
    scaled = (np.asarray(hu, dtype=np.float32) - low) * (255.0 / (high - low))
    return np.asarray(np.clip(np.rint(scaled), 0, 255), dtype=np.uint8)


def linear_tones(window: Window) -> Mapping:
    """The window as DICOM's LINEAR_EXACT function."""
    low, high = window.limits_hu
    scale = np.float32(1.0 / (high - low))
    return lambda values: np.clip((values.astype(np.float32) - np.float32(low)) * scale, 0, 1)


def sigmoid_tones(window: Window) -> Mapping:
    """The window as DICOM's SIGMOID function (PS3.3 C.11.2.1.3.1): nothing is cut off, what is far away is compressed.

    >>> sigmoid_tones(WINDOWS["brain"])(np.array([40.0])).tolist()
    [0.5]
    """
    level, width = np.float32(window.level_hu), np.float32(window.width_hu)

    def tones(values: AnyArray) -> npt.NDArray[np.float32]:
        exponent = np.clip(-4 * (values.astype(np.float32) - level) / width, -80, 80)
        return np.asarray(1 / (1 + np.exp(exponent)))

    return tones


def equalised_tones(volume: Volume) -> Mapping:
    """Each value by the share of the measured voxels below it, so that all tones occur equally often.

    Voxels at `outside`, and in Hounsfield units air, do not count: they would take half of the tones.
    """
    sample = _sample(volume)
    floor = -900.0 if volume.unit is Unit.HU else volume.outside
    counted = sample[sample > floor]
    knots = np.unique(np.quantile(counted if counted.size else sample, np.linspace(0, 1, 257)))
    shares = np.linspace(0, 1, len(knots)) if len(knots) > 1 else np.array([0.5])
    # Several quantiles fall on one value where many voxels share it: it gets the tone in their middle.
    if len(knots) > 1:
        ordered = np.sort(counted)
        middle = (np.searchsorted(ordered, knots, "left") + np.searchsorted(ordered, knots, "right")) / 2
        shares = middle / len(ordered)
    return lambda values: _interpolated(values, knots, shares)


def all_range_tones() -> Mapping:
    """The range of a CT, −1024 to 3071 HU, stretched as Cormack units are: a third of the tones for soft tissue."""
    low, high = (float(v) for v in hu_to_cormack(np.array(HU_RANGE)))
    scale = np.float32(1.0 / (high - low))

    def tones(values: AnyArray) -> npt.NDArray[np.float32]:
        return np.asarray((hu_to_cormack(np.clip(values, *HU_RANGE)) - np.float32(low)) * scale, dtype=np.float32)

    return tones


def auto_window(volume: Volume) -> Window:
    """The brain window for HU; otherwise the range of the values without the extremes."""
    if volume.unit is Unit.HU:
        return WINDOWS["brain"]
    low, high = (float(v) for v in np.quantile(_sample(volume), SHOWN_QUANTILES))
    return Window((low + high) / 2, max(high - low, 1e-6 * max(abs(low), 1.0)))


def tones_by_name(name: str, volume: Volume, *, sigmoid: bool = False) -> Mapping:
    """The mapping of a preset, of `LEVEL,WIDTH`, of "auto", "equalised" or "all-range".

    Raises
    ------
    InputError
        If the name is none of these, or "all-range" is asked of values that are not Hounsfield units.
    """
    if name == "equalised":
        return equalised_tones(volume)
    if name == "all-range":
        if volume.unit is not Unit.HU:
            raise InputError(f"the mapping all-range is that of Hounsfield units; these values are {volume.unit}")
        return all_range_tones()
    window = auto_window(volume) if name == "auto" else window_by_name(name)
    return sigmoid_tones(window) if sigmoid else linear_tones(window)


def window_by_name(name: str) -> Window:
    """A preset, or level and width in HU as `LEVEL,WIDTH`.

    Raises
    ------
    InputError
        If it is neither, or the width is not positive.

    >>> window_by_name("40,80") == window_by_name("brain")
    True
    """
    if name in WINDOWS:
        return WINDOWS[name]
    try:
        level, width = (float(part) for part in name.split(","))
    except ValueError:
        level = width = np.nan
    if not (np.isfinite(level) and np.isfinite(width) and width > 0):
        known = ", ".join((*WINDOWS, *TONES))
        raise InputError(f"window {name!r}: give one of {known}, or LEVEL,WIDTH in HU with a positive width")
    return Window(level, width)


def _sample(volume: Volume) -> AnyArray:
    """Finite values of evenly spread voxels, at least one (`outside` where none is finite)."""
    step = max(1, round((volume.data.size / _SAMPLED_VOXELS) ** (1 / 3)))
    sample = volume.data[::step, ::step, ::step]
    sample = sample[np.isfinite(sample)]
    return sample if sample.size else np.array([0.0])


def _interpolated(values: AnyArray, knots: AnyArray, shares: AnyArray) -> npt.NDArray[np.float32]:
    return np.asarray(np.interp(values, knots, shares), dtype=np.float32)
