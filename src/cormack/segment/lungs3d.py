"""Lungs in three dimensions, with what thresholds lose: nodules at the wall and at the hilum, vessels, bronchi."""

from __future__ import annotations

import numpy as np

from cormack.core.volume import AnyArray, Volume
from cormack.imaging.workgrid import BoolArray, Box, FloatImage, WorkGrid, bounding_box
from cormack.segment.airway import main_airway
from cormack.segment.inside_air import inside_air
from cormack.segment.lung_sides import Labels, lung_sides
from cormack.segment.lung_surface import closed_lungs, native_lungs

#: Edge of the voxels on which lungs are found (mm).
COARSE_MM = 2.2
#: Values beyond are the same to lungs (HU).
LOWEST_HU, HIGHEST_HU = -1024, 500
#: Kept around the lungs on the coarse grid (mm).
MARGIN_MM = 8.0


def lungs_3d(volume: Volume) -> tuple[Labels, bool]:
    """Right (1) and left lung (2) on the voxels of a volume, and whether a trachea was found.

    Parameters
    ----------
    volume : Volume
        HU, shape (i, j, k), axes closest to R, A, S.

    Returns
    -------
    labels : uint8 array, shape (i, j, k)
        All 0 where there is no lung.
    airway_found : bool

    Raises
    ------
    ExtractionError
        If there is no body.
    """
    grid = WorkGrid.over(_whole(volume), volume.spacing_mm, COARSE_MM)
    hu = grid.coarsen(volume.data, _clipped)
    inside = inside_air(hu, grid.spacing_mm)
    grid, box = _around(grid, inside.mask)
    hu, air, midline = hu[box], inside.mask[box], inside.midline - box[0].start
    airway = main_airway(air, hu, midline, grid.spacing_mm)
    airway_found = bool(airway.any())
    sides, depth = lung_sides(air & ~airway, hu, midline, grid.spacing_mm)
    if not sides.any():
        return np.zeros(volume.shape, dtype=np.uint8), airway_found
    lung_hu = float(np.median(hu[(sides > 0) & (depth > COARSE_MM)]))
    grid, box = _around(grid, sides > 0)
    sides, airway, midline = sides[box], airway[box], midline - box[0].start
    closed = closed_lungs(sides, airway, midline, grid.spacing_mm)
    return native_lungs(volume.data, grid, closed, sides > 0, airway, lung_hu), airway_found


def _whole(volume: Volume) -> Box:
    i, j, k = (slice(0, n) for n in volume.shape)
    return i, j, k


def _around(grid: WorkGrid, mask: BoolArray) -> tuple[WorkGrid, Box]:
    """The part of a grid that holds a mask with a margin, and which part that is."""
    i, j, k = (int(np.ceil(MARGIN_MM / h)) for h in grid.spacing_mm)
    return grid.part(bounding_box(mask, (i, j, k)))


def _clipped(data: AnyArray) -> FloatImage:
    """Values as float32 between those of air and of bone; what was not measured counts as air."""
    values = np.clip(data, LOWEST_HU, HIGHEST_HU).astype(np.float32)
    return np.nan_to_num(values, copy=False, nan=LOWEST_HU) if data.dtype.kind == "f" else values
