"""How the slices were made: spacing, thickness, kernel, and whether the values are those of a brain in HU."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cormack.core.acquisition import Acquisition
from cormack.core.findings import Finding, Measurement
from cormack.core.kernels import KernelClass, kernel_class
from cormack.core.volume import SliceStack, Volume
from cormack.measure.noise import PATCH_MM, Noise

#: Slices thicker than this blur small structures through their depth (mm).
THICK_SLICE_MM = 3.5
#: Slice distances count as uneven when they differ by more than this share of their median.
UNEVEN_SHARE = 0.02
#: Slices leave gaps when their distance is above this multiple of their thickness.
GAP_FACTOR = 1.1
#: Noise above which grey and white matter cannot be told apart in single voxels (HU).
NOISY_HU = 12.0
#: Noise finer than this comes from a sharp kernel (cycles per mm); soft ones of three vendors gave 0.28.
SHARP_PER_MM = 0.45
#: Fine noise shows only where pixels are at most this large (mm), and noise is at least this strong (HU).
FINE_PIXEL_MM = 0.6
FINE_NOISE_HU = 4.0
#: Medians of brain that a CT in Hounsfield units gives, with contrast medium or without (HU).
PLAUSIBLE_MEDIAN_HU = (15.0, 60.0)


@dataclass(frozen=True)
class SliceSpacing:
    """Distances between slices along their normal, and the stated thickness (mm); `even` within 2 % of the median."""

    median_mm: float
    smallest_mm: float
    largest_mm: float
    thickness_mm: float | None

    @property
    def even(self) -> bool:
        """True if all distances are alike."""
        return self.largest_mm - self.smallest_mm <= UNEVEN_SHARE * self.median_mm


def slice_spacing(volume: Volume, stack: SliceStack | None) -> SliceSpacing:
    """Measure slice distances on the native stack, or, where there is none, take those of the volume's third axis."""
    if stack is not None and len(stack.origins) > 1:
        distances = stack.slice_distances_mm
        thickness = stack.acquisition.slice_thickness_mm
    else:
        distances = np.array([volume.spacing_mm[2]])
        thickness = volume.acquisition.slice_thickness_mm
    return SliceSpacing(float(np.median(distances)), float(distances.min()), float(distances.max()), thickness)


def slice_measurements(spacing: SliceSpacing) -> tuple[Measurement, ...]:
    """Slice distance and thickness in millimetres."""
    stated = spacing.thickness_mm is not None
    return (
        Measurement("slice distance", spacing.median_mm, "mm", "median distance of slices along their normal"),
        Measurement(
            "slice thickness",
            spacing.thickness_mm,
            "mm",
            "as the header states it, (0018,0050)" if stated else "not measured: the source does not state it",
        ),
    )


def noise_measurements(noise: Noise | None) -> tuple[Measurement, ...]:
    """Noise in HU, its frequency in cycles per millimetre."""
    nowhere = "not measured: no patch of brain is large enough"
    return (
        Measurement(
            "noise HU",
            None if noise is None else noise.deviation_hu,
            "HU",
            nowhere if noise is None else f"most frequent standard deviation of {PATCH_MM:.0f} mm patches of brain",
        ),
        Measurement(
            "noise frequency",
            None if noise is None else noise.frequency_per_mm,
            "1/mm",
            nowhere if noise is None else "of that noise along rows, from the correlation of neighbouring pixels",
        ),
    )


def slice_findings(spacing: SliceSpacing) -> list[Finding]:
    """Warn of thick or gapped slices.

    Uneven distances and missing slices are the reader's to report: it knows what was expected.
    """
    findings = []
    evidence: dict[str, object] = {
        "median_distance_mm": round(spacing.median_mm, 3),
        "smallest_distance_mm": round(spacing.smallest_mm, 3),
        "largest_distance_mm": round(spacing.largest_mm, 3),
        "stated_thickness_mm": spacing.thickness_mm,
    }
    thickness = spacing.thickness_mm
    if spacing.even and thickness and spacing.median_mm > GAP_FACTOR * thickness:
        findings.append(
            Finding(
                "slices-gapped",
                f"Slices of {thickness:g} mm lie {spacing.median_mm:.1f} mm apart: the tissue between them was not "
                "measured.",
                evidence,
            )
        )
    thickest = max(thickness or 0.0, spacing.median_mm)
    if thickest > THICK_SLICE_MM:
        findings.append(
            Finding(
                "slices-thick",
                f"Slices are thick ({thickest:.1f} mm): surfaces that run along them, vertex and skull base, are "
                "blurred and volumes less exact.",
                evidence,
            )
        )
    return findings


def kernel_findings(acquisition: Acquisition, noise: Noise | None) -> list[Finding]:
    """Warn of sharp kernels and of noise."""
    sharpness = kernel_class(acquisition.convolution_kernel, acquisition.manufacturer)
    evidence: dict[str, object] = {
        "convolution_kernel": acquisition.convolution_kernel,
        "kernel_class": None if sharpness is None else sharpness.value,
        "noise_hu": None if noise is None else round(noise.deviation_hu, 1),
        "noise_frequency_per_mm": None if noise is None else round(noise.frequency_per_mm, 2),
    }
    if sharpness is KernelClass.SHARP:
        message = (
            f"The kernel {acquisition.convolution_kernel} is a sharp one, made for bone: brain is noisy and edges "
            "overshoot. A series of the same scan with a soft kernel would serve better."
        )
        return [Finding("kernel-sharp", message, evidence)]
    if noise is None:
        return []
    stated = "the kernel is not known" if sharpness is None else f"the header states a {sharpness.value} one"
    if (
        noise.frequency_per_mm >= SHARP_PER_MM
        and noise.pixel_mm <= FINE_PIXEL_MM
        and noise.deviation_hu >= FINE_NOISE_HU
    ):
        message = (
            f"The noise is as fine as that of a sharp kernel ({noise.frequency_per_mm:.2f} cycles per mm); {stated}."
        )
        return [Finding("kernel-sharp-suspected", message, evidence)]
    if noise.deviation_hu > NOISY_HU:
        message = f"Noise in the brain is high: {noise.deviation_hu:.0f} HU, above {NOISY_HU:.0f}."
        return [Finding("noise-high", message, evidence)]
    return []


def value_findings(median_hu: float | None) -> list[Finding]:
    """Warn of values that are hardly HU."""
    low, high = PLAUSIBLE_MEDIAN_HU
    if median_hu is None or low <= median_hu <= high:
        return []
    return [
        Finding(
            "brain-hu-implausible",
            f"The median inside the brain mask is {median_hu:.0f} HU, outside {low:.0f} to {high:.0f}: the values may "
            "not be Hounsfield units, or the mask is not the brain.",
            {"median_hu": median_hu, "expected_low_hu": low, "expected_high_hu": high},
        )
    ]
