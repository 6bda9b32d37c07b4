"""Measure a scan: one call that gathers volumes, intensities, coverage and quality."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cormack.core.errors import GeometryError
from cormack.core.findings import Finding, Measurement
from cormack.core.labels import LabelMap
from cormack.core.measures import Histogram, ScanMeasures
from cormack.core.volume import SliceStack, Unit, Volume
from cormack.measure.boxes import Region, region
from cormack.measure.coverage import coverage_findings, coverage_measurements, edge_contact
from cormack.measure.foreign import foreign_findings, foreign_measurements, metal, vessels
from cormack.measure.intensity import histogram, intensity_measurements
from cormack.measure.noise import brain_noise
from cormack.measure.quality import (
    kernel_findings,
    noise_measurements,
    slice_findings,
    slice_measurements,
    slice_spacing,
    value_findings,
)
from cormack.measure.volumes import volume_findings, volume_measurements


@dataclass(frozen=True)
class Gathered:
    """Some measurements, and what they make suspicious."""

    measurements: tuple[Measurement, ...] = ()
    findings: tuple[Finding, ...] = ()


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
        HU of a CT or values of no unit of an MR, shape (i, j, k), axes closest to right, anterior, superior.
    head, brain : LabelMap
        On the grid of `volume`; label 1 is the head, and the intracranial space or what an MR shows of it.
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
    inside = histogram(volume, brain_region, brain.table[1].name)
    whole = histogram(volume, head_region, head.table[1].name)
    brain_contact = edge_contact(volume, brain_region, measured)
    head_contact = edge_contact(volume, head_region, measured)
    spacing = slice_spacing(volume, stack)
    more = FURTHER.get(volume.unit, _nothing)(volume, head_region, brain_region, inside)
    return ScanMeasures(
        measurements=(
            *volumes,
            *intensity_measurements(inside),
            *coverage_measurements(brain_contact),
            *slice_measurements(spacing),
            *more.measurements,
        ),
        histogram=inside,
        head_histogram=whole,
        findings=(
            *volume_findings(*volumes),
            *coverage_findings(brain_contact, head_contact),
            *slice_findings(spacing),
            *more.findings,
        ),
    )


def _of_ct(volume: Volume, head: Region, brain: Region, inside: Histogram) -> Gathered:
    """Noise, kernel and values; contrast medium and metal."""
    noise = brain_noise(volume, brain)
    filled, dense = vessels(volume, brain), metal(volume, head, brain)
    return Gathered(
        (*noise_measurements(noise), *foreign_measurements(filled, dense)),
        (
            *kernel_findings(volume.acquisition, noise),
            *value_findings(inside.percentile(50)),
            *foreign_findings(filled, dense, volume.acquisition),
        ),
    )


def _nothing(volume: Volume, head: Region, brain: Region, inside: Histogram) -> Gathered:
    return Gathered()


#: What is measured of one modality alone, by the unit of its values.
FURTHER: Mapping[Unit, Callable[[Volume, Region, Region, Histogram], Gathered]] = {Unit.HU: _of_ct}
