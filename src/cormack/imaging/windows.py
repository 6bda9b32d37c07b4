"""Display windows: which Hounsfield units are black, which are white."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Window:
    """A linear display window by level (centre) and width, both in HU (DICOM PS3.3 C.11.2.1.2)."""

    level_hu: float
    width_hu: float

    @property
    def limits_hu(self) -> tuple[float, float]:
        """HU shown as black and as white."""
        return self.level_hu - self.width_hu / 2, self.level_hu + self.width_hu / 2


#: Named presets as radiology departments use them.
WINDOWS = {
    "brain": Window(40, 80),
    "subdural": Window(75, 215),
    "stroke": Window(40, 40),
    "soft-tissue": Window(50, 400),
    "bone": Window(600, 2800),
}


def apply_window(hu: npt.NDArray[Any], window: Window) -> npt.NDArray[np.uint8]:
    """Hounsfield units to grey values 0…255, any shape."""
    low, high = window.limits_hu
    scaled = (np.asarray(hu, dtype=np.float32) - low) * (255.0 / (high - low))
    return np.asarray(np.clip(np.rint(scaled), 0, 255), dtype=np.uint8)
