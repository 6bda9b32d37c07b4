"""How the slices were made and how noisy they are: spacing, thickness, kernel, noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cormack.core.acquisition import Acquisition
from cormack.core.findings import Finding, Measurement
from cormack.core.kernels import KernelClass, kernel_class
from cormack.core.volume import SliceStack, Volume

from .boxes import Region

#: Slices thicker than this blur small structures through their depth (mm).
THICK_SLICE_MM = 3.5
#: Slice distances count as uneven when they differ by more than this share of their median.
UNEVEN_SHARE = 0.02
#: Slices leave gaps when their distance is above this multiple of their thickness.
GAP_FACTOR = 1.1
#: Side of the patches in which noise is measured (mm), and the tissue that they must lie in (HU).
PATCH_MM = 6.0
TISSUE_HU = (0.0, 80.0)
#: Noise is read off this many sections.
NOISE_SECTIONS = 12
#: Noise above which grey and white matter cannot be told apart in single voxels (HU).
NOISY_HU = 12.0
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


def noise_hu(volume: Volume, brain: Region) -> float | None:
    """Noise of the volume as given: the most frequent standard deviation of 6 mm patches of brain, in HU.

    The global noise level of Christianson et al. (AJR 2015, "Automated technique to measure noise in clinical CT
    examinations"), in patches that lie in brain of 0 to 80 HU. Resampling lowers it. None where no such patch exists.
    """
    if brain.empty:
        return None
    size = tuple(max(3, round(PATCH_MM / step)) for step in volume.spacing_mm[:2])
    span = brain.box[2]
    wanted = np.linspace(0, span.stop - span.start - 1, NOISE_SECTIONS + 2)[1:-1]
    deviations = [
        _patch_deviations(volume.data[brain.box[0], brain.box[1], span.start + n], brain.mask[:, :, n], size)
        for n in np.unique(wanted.astype(int))
    ]
    return _mode(np.concatenate(deviations))


def _patch_deviations(
    section: npt.NDArray[np.generic], mask: npt.NDArray[np.bool_], size: tuple[int, ...]
) -> npt.NDArray[np.float32]:
    """Standard deviation of all patches of a section that lie wholly in tissue."""
    hu = section.astype(np.float32)
    low, high = TISSUE_HU
    tissue = ndimage.uniform_filter(mask.astype(np.float32), size)
    mean = ndimage.uniform_filter(hu, size)
    variance = ndimage.uniform_filter(hu * hu, size) - mean * mean
    kept = (tissue > 0.999) & (mean >= low) & (mean <= high)
    count = size[0] * size[1]
    return np.asarray(np.sqrt(np.maximum(variance[kept], 0) * count / (count - 1)))


def _mode(values: npt.NDArray[np.float32]) -> float | None:
    if values.size < 50:
        return None
    top = float(np.percentile(values, 99))
    counts, edges = np.histogram(values, bins=np.linspace(0, max(top, 1.0), 101))
    smooth = ndimage.gaussian_filter1d(counts.astype(np.float64), 2)
    peak = int(smooth.argmax())
    return float((edges[peak] + edges[peak + 1]) / 2)


def quality_measurements(spacing: SliceSpacing, noise: float | None) -> tuple[Measurement, ...]:
    """Slice distance and thickness in millimetres, noise in HU."""
    stated = spacing.thickness_mm is not None
    return (
        Measurement("slice distance", spacing.median_mm, "mm", "median distance of slices along their normal"),
        Measurement(
            "slice thickness",
            spacing.thickness_mm,
            "mm",
            "as the header states it, (0018,0050)" if stated else "not measured: the source does not state it",
        ),
        Measurement(
            "noise HU",
            noise,
            "HU",
            f"most frequent standard deviation of {PATCH_MM:.0f} mm patches of brain in the rectified volume"
            if noise is not None
            else "not measured: no patch of brain is large enough",
        ),
    )


def quality_findings(
    spacing: SliceSpacing, noise: float | None, median_hu: float | None, acquisition: Acquisition
) -> tuple[Finding, ...]:
    """Warn of thick or gapped slices, of sharp kernels, of noise, and of values that are hardly HU.

    Uneven distances and missing slices are the reader's to report: it knows what was expected.
    """
    return (*_slice_findings(spacing), *_kernel_findings(acquisition, noise), *_value_findings(median_hu))


def _slice_findings(spacing: SliceSpacing) -> list[Finding]:
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


def _kernel_findings(acquisition: Acquisition, noise: float | None) -> list[Finding]:
    findings = []
    sharpness = kernel_class(acquisition.convolution_kernel, acquisition.manufacturer)
    evidence: dict[str, object] = {
        "convolution_kernel": acquisition.convolution_kernel,
        "kernel_class": None if sharpness is None else sharpness.value,
        "noise_hu": None if noise is None else round(noise, 1),
    }
    noisy = noise is not None and noise > NOISY_HU
    if sharpness is KernelClass.SHARP:
        findings.append(
            Finding(
                "kernel-sharp",
                f"The kernel {acquisition.convolution_kernel} is a sharp one, made for bone: brain is noisy and edges "
                "overshoot. A series of the same scan with a soft kernel would serve better.",
                evidence,
            )
        )
    elif noisy and sharpness is None:
        findings.append(
            Finding(
                "kernel-sharp-suspected",
                f"Noise of {noise:.0f} HU in the brain suggests a sharp kernel or a very low dose; the kernel is not "
                "known.",
                evidence,
            )
        )
    elif noisy:
        findings.append(
            Finding("noise-high", f"Noise in the brain is high: {noise:.0f} HU, above {NOISY_HU:.0f}.", evidence)
        )
    return findings


def _value_findings(median_hu: float | None) -> list[Finding]:
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
