"""The brain of a scan alone on a coarse grid: what the routes to its structures look at."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cormack.core.errors import ExtractionError, InputError
from cormack.core.labels import LabelMap
from cormack.core.volume import Volume
from cormack.imaging.filled_box import filled_box
from cormack.imaging.workgrid import Box
from cormack.nn.grid import onto_grid
from cormack.nn.task import TaskInput

BoolArray = npt.NDArray[np.bool_]

#: Kept around the brain (mm).
MARGIN_MM = 6.0
#: Smaller masks hold no brain (ml).
LEAST_ML = 50.0


def brain_box(volume: Volume, brain: LabelMap) -> Box:
    """The part of the volume that holds the brain, with a margin.

    Raises
    ------
    InputError
        If the mask lies on another grid.
    ExtractionError
        If it is empty, or too small for a brain.
    """
    if not brain.on_grid_of(volume):
        raise InputError(
            f"the brain mask (shape {brain.data.shape}) is not on the grid of the scan (shape {volume.shape}); give "
            "the mask that was made of this very scan"
        )
    i, j, k = (int(np.ceil(MARGIN_MM / h)) for h in volume.spacing_mm)
    box = filled_box(brain.data, (i, j, k))
    if box is None:
        raise ExtractionError("the brain mask is empty: there is no brain to find structures in")
    ml = np.count_nonzero(brain.data[box]) * brain.voxel_volume_ml
    if ml < LEAST_ML:
        raise ExtractionError(
            f"the brain mask holds {ml:.0f} ml, less than {LEAST_ML:.0f}: there is no brain to find structures in"
        )
    return box


def brain_on_grid(
    volume: Volume, brain: LabelMap, wanted: TaskInput, *, codes: str | None = None
) -> tuple[Volume, BoolArray]:
    """The brain on a coarse grid, averaged over its own voxels alone, and where it is.

    What surrounds the brain, bone or what a mask left there, has no part in the values, so that scans with skull and
    without look the same.

    Parameters
    ----------
    volume : Volume
        HU, shape (i, j, k), at right angles.
    brain : LabelMap
        On the same grid.
    wanted : TaskInput
        The grid; its `pad_value` is what stands outside the brain.
    codes : str, optional
        Where the axes point in place of what the affine says; see `nn.grid.onto_grid`.

    Returns
    -------
    tuple
        Volume on the coarse grid, and bool array of its shape.
    """
    box = brain_box(volume, brain)
    mask = brain.data[box] > 0
    affine = volume.affine.copy()
    affine[:3, 3] = volume.world([s.start for s in box])
    outside = float(wanted.pad_value)
    values = np.where(mask, volume.data[box], np.float32(outside))
    grid = onto_grid(Volume(values, affine, volume.unit, outside, volume.acquisition), wanted, codes=codes)
    share = onto_grid(Volume(mask.astype(np.uint8), affine, volume.unit, 0.0), wanted, codes=codes).data
    inside = share >= 0.5
    grid.data[inside] = (grid.data[inside] - (1 - share[inside]) * outside) / share[inside]
    grid.data[~inside] = outside
    return grid, inside
