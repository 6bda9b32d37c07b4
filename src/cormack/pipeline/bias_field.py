"""The bias field of an MR, taken out by N4 before anything is looked for, where that is asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from cormack.core.volume import Volume
from cormack.imaging.filters import in_type_of
from cormack.imaging.n4 import n4
from cormack.pipeline.grids import GRID_STEPS, Grids
from cormack.pipeline.options import RunOptions
from cormack.pipeline.runner import Step

#: Foreground of values without a unit: this share of the bright ones.
FOREGROUND_SHARE = 0.1


def foreground(volume: Volume) -> npt.NDArray[np.bool_]:
    """What is not background in a volume whose background is dark, shape (i, j, k)."""
    bright = float(np.nanquantile(volume.data, 0.99))
    return np.asarray(volume.data > FOREGROUND_SHARE * bright)


def without_bias_field(shaded: Grids) -> Grids:
    """The scan with its slow shading divided out; the mean of its foreground and the type of its values stay."""
    corrected, _ = n4(shaded.volume, foreground(shaded.volume))
    rectified = replace(shaded.rectified, volume=in_type_of(corrected, shaded.volume))
    return Grids(rectified, replace(shaded.facts, bias_field_correction="N4"))


BIAS_FIELD_STEP = Step("grids", "Correcting the bias field", without_bias_field)


def grid_steps(options: RunOptions) -> tuple[Step, ...]:
    """The steps to the grid, with N4 after them where it is asked for."""
    if not options.n4:
        return GRID_STEPS
    *before, rectify = GRID_STEPS
    return (*before, replace(rectify, gives="shaded"), BIAS_FIELD_STEP)
