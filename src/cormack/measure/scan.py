"""Measure a scan: one call that gathers volumes, intensities, coverage and quality."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cormack.core.errors import GeometryError
from cormack.core.labels import LabelMap
from cormack.core.measures import ScanMeasures
from cormack.core.volume import SliceStack, Volume
from cormack.measure.boxes import region
from cormack.measure.coverage import coverage_findings, coverage_measurements, edge_contact
from cormack.measure.foreign import foreign_findings, foreign_measurements, metal, vessels
from cormack.measure.intensity import histogram, intensity_measurements
from cormack.measure.noise import brain_noise
from cormack.measure.quality import quality_findings, quality_measurements, slice_spacing
from cormack.measure.volumes import volume_findings, volume_measurements


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
        HU, shape (i, j, k), axes closest to right, anterior, superior.
    head, brain : LabelMap
        On the grid of `volume`; label 1 is the head and the intracranial space.
    measured : bool array, shape (i, j, k), optional
        True where the scanner measured; without it the whole grid counts as measured.
    stack : SliceStack, optional
        The native slices, for their distances and thickness.

    Raises
    ------
    GeometryError
        If a mask or `measured` does not lie on the volume's grid.
    """
    if measured is not None and measured.shape != volume.shape:
        raise GeometryError(
            f"measured has the shape {measured.shape}, the volume {volume.shape}: they must be the same"
        )
    head_region, brain_region = region(volume, head), region(volume, brain)
    volumes = volume_measurements(volume, head_region, brain_region, head, brain)
    inside = histogram(volume, brain_region, "intracranial space")
    whole = histogram(volume, head_region, "head")
    brain_contact = edge_contact(volume, brain_region, measured)
    head_contact = edge_contact(volume, head_region, measured)
    filled = vessels(volume, brain_region)
    dense = metal(volume, head_region, brain_region)
    spacing = slice_spacing(volume, stack)
    noise = brain_noise(volume, brain_region)
    return ScanMeasures(
        measurements=(
            *volumes,
            *intensity_measurements(inside),
            *coverage_measurements(brain_contact),
            *quality_measurements(spacing, noise),
            *foreign_measurements(filled, dense),
        ),
        histogram=inside,
        head_histogram=whole,
        findings=(
            *volume_findings(volumes[0].value or 0.0, volumes[1].value or 0.0),
            *coverage_findings(brain_contact, head_contact),
            *quality_findings(spacing, noise, inside.percentile_hu(50), volume.acquisition),
            *foreign_findings(filled, dense, volume.acquisition),
        ),
    )
