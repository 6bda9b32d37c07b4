"""Measure a scan: one call that gathers volumes, intensities, coverage and quality."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cormack.core.labels import LabelMap
from cormack.core.measures import ScanMeasures
from cormack.core.volume import SliceStack, Volume

from .intensity import histogram, intensity_measurements
from .volumes import volume_measurements


def measure_scan(
    volume: Volume,
    head: LabelMap,
    brain: LabelMap,
    *,
    measured: npt.NDArray[np.bool_] | None = None,
    stack: SliceStack | None = None,
) -> ScanMeasures:
    """Measure a rectified scan with its head and brain masks.

    Parameters
    ----------
    volume : Volume
        HU, shape (i, j, k), axes closest to RAS+.
    head, brain : LabelMap
        On the grid of `volume`.
    measured : bool array, shape (i, j, k), optional
        True where the scanner measured; without it all voxels above `volume.outside` count.
    stack : SliceStack, optional
        The native slices, for spacing and thickness.

    Raises
    ------
    GeometryError
        If a mask or `measured` does not lie on the volume's grid.
    """
    inside = histogram(volume, brain)
    whole = histogram(volume, head)
    return ScanMeasures(
        measurements=(*volume_measurements(head, brain), *intensity_measurements(inside)),
        histogram=inside,
        head_histogram=whole,
        findings=(),
    )
