"""What does not belong to a plain head: contrast medium in the vessels, and metal."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cormack.core.acquisition import Acquisition
from cormack.core.findings import Finding, Measurement
from cormack.core.volume import Volume
from cormack.imaging.blocks import block_mean
from cormack.imaging.vessels import (
    AWAY_FROM_BONE_MM,
    BLOCK_MM,
    BONE_HU,
    VESSEL_EXTENT_MM,
    VESSEL_HU,
    box_size,
    grown,
    shrunk,
    vessel_clusters,
)
from cormack.measure.boxes import Region

#: Vessels are looked for this far inside the brain mask: no partial volumes (mm).
AWAY_FROM_MASK_EDGE_MM = 3.0
#: Volume of vessel-like clusters from which contrast medium is suspected (ml).
CONTRAST_ML = 0.4

#: Denser than any bone or enamel with a soft or medium kernel (HU); the upper end of 12-bit CT is 3071.
METAL_HU = 2800.0
#: Volume of such voxels in the head from which metal is suspected (ml).
METAL_ML = 0.02
#: Values in the brain that streaks give and tissue does not (HU).
STREAK_HU = (-60.0, 150.0)


@dataclass(frozen=True)
class Vessels:
    """Bright tube-like clusters inside the brain: volume (ml), share of the volume searched, longest extent (mm)."""

    volume_ml: float
    share: float
    extent_mm: float
    mean_hu: float


@dataclass(frozen=True)
class Metal:
    """Voxels denser than bone: volume (ml), highest value (HU), and how much of the brain beside them is streaked."""

    volume_ml: float
    highest_hu: float
    streaked_share: float
    streaked_share_elsewhere: float
    beside_brain: bool


def vessels(volume: Volume, brain: Region) -> Vessels:
    """Look for vessels filled with contrast medium, away from bone and from the edge of the brain mask.

    Clusters of 110 to 650 HU in blocks of about 0.8 mm, at least 30 mm long.
    """
    if brain.empty:
        return Vessels(0.0, 0.0, 0.0, 0.0)
    factors = tuple(max(1, round(BLOCK_MM / step)) for step in volume.spacing_mm)
    block_factors = (factors[0], factors[1], factors[2])
    step_mm = np.array(volume.spacing_mm) * factors
    hu = block_mean(volume.data[brain.box], block_factors)
    inside = block_mean(brain.mask, block_factors) > 0.5
    search = shrunk(inside, box_size(AWAY_FROM_MASK_EDGE_MM, step_mm))
    search &= ~grown(hu > BONE_HU, box_size(AWAY_FROM_BONE_MM, step_mm))
    searched = int(np.count_nonzero(search))
    kept, longest_mm = vessel_clusters(hu, search, step_mm)
    if longest_mm == 0 or searched == 0:
        return Vessels(0.0, 0.0, 0.0, 0.0)
    voxels = int(np.count_nonzero(kept))
    block_ml = volume.voxel_volume_ml * float(np.prod(factors))
    mean_hu = float(hu[kept].mean()) if voxels else 0.0
    return Vessels(voxels * block_ml, voxels / searched, longest_mm, mean_hu)


def metal(volume: Volume, head: Region, brain: Region) -> Metal:
    """Look for voxels denser than bone in the head, and for streaks in the brain of the same slices."""
    if head.empty:
        return Metal(0.0, 0.0, 0.0, 0.0, False)
    data = volume.data[head.box]
    highest = float(data.max(where=head.mask, initial=-1024))
    if highest < METAL_HU:
        return Metal(0.0, highest, 0.0, 0.0, False)
    dense = (data >= METAL_HU) & head.mask
    volume_ml = float(np.count_nonzero(dense)) * volume.voxel_volume_ml
    first = head.box[2].start
    slices = np.flatnonzero(dense.any(axis=(0, 1))) + first
    beside, elsewhere = _streaks(volume, brain, slices)
    span = brain.box[2]
    beside_brain = bool(((slices >= span.start) & (slices < span.stop)).any())
    return Metal(volume_ml, highest, beside, elsewhere, beside_brain)


def _streaks(volume: Volume, brain: Region, slices: npt.NDArray[np.intp]) -> tuple[float, float]:
    """Share of brain voxels with values that no tissue has: in the slices given, and in all others."""
    if brain.empty:
        return 0.0, 0.0
    counts = np.zeros((2, 2))
    span = brain.box[2]
    for n, k in enumerate(range(span.start, span.stop)):
        values = volume.data[brain.box[0], brain.box[1], k][brain.mask[:, :, n]]
        streaked = np.count_nonzero((values < STREAK_HU[0]) | (values > STREAK_HU[1]))
        counts[int(k in slices)] += (streaked, values.size)
    shares = counts[:, 0] / np.maximum(counts[:, 1], 1)
    return float(shares[1]), float(shares[0])


def foreign_measurements(found: Vessels, dense: Metal) -> tuple[Measurement, ...]:
    """Volumes of vessel-like bright clusters and of voxels denser than bone, in millilitres."""
    low, high = VESSEL_HU
    return (
        Measurement(
            "bright vessel volume",
            found.volume_ml,
            "ml",
            f"clusters of {low:.0f} to {high:.0f} HU at least {VESSEL_EXTENT_MM:.0f} mm long, "
            f"{AWAY_FROM_MASK_EDGE_MM:.0f} mm inside the brain mask and away from bone",
        ),
        Measurement("metal volume", dense.volume_ml, "ml", f"voxels of the head mask at or above {METAL_HU:.0f} HU"),
    )


def foreign_findings(found: Vessels, dense: Metal, acquisition: Acquisition) -> tuple[Finding, ...]:
    """Warn of contrast medium (stated or seen) and of metal."""
    findings = []
    seen = found.volume_ml >= CONTRAST_ML
    evidence: dict[str, object] = {
        "bright_vessel_volume_ml": round(found.volume_ml, 2),
        "longest_extent_mm": round(found.extent_mm, 1),
        "mean_hu": round(found.mean_hu),
        "limit_ml": CONTRAST_ML,
        "stated_in_header": bool(acquisition.contrast_bolus_agent_present),
    }
    if acquisition.contrast_bolus_agent_present:
        picture = "and the vessels look filled" if seen else "though no filled vessels were found"
        findings.append(Finding("contrast-stated", f"The header states a contrast medium, {picture}.", evidence))
    elif seen:
        findings.append(
            Finding(
                "contrast-suspected",
                f"Contrast medium is suspected: {found.volume_ml:.1f} ml inside the brain look like filled vessels "
                f"(up to {found.extent_mm:.0f} mm long), unless it is a catheter or calcified dura. With contrast "
                "medium, Hounsfield units of the brain are raised.",
                evidence,
            )
        )
    if dense.volume_ml >= METAL_ML:
        findings.append(_metal_finding(dense))
    return tuple(findings)


def _metal_finding(dense: Metal) -> Finding:
    if not dense.beside_brain:
        streaks = " All of it lies in slices without brain: dental work, probably."
    elif dense.streaked_share > 2 * dense.streaked_share_elsewhere + 0.01:
        streaks = f" Streaks reach the brain: {dense.streaked_share:.1%} of it has values of no tissue in these slices."
    else:
        streaks = " No streaks were found in the brain."
    return Finding(
        "metal-suspected",
        f"Metal is suspected: {dense.volume_ml:.2f} ml of the head are denser than bone or enamel "
        f"(up to {dense.highest_hu:.0f} HU).{streaks}",
        {
            "metal_volume_ml": round(dense.volume_ml, 3),
            "highest_hu": round(dense.highest_hu),
            "threshold_hu": METAL_HU,
            "streaked_share_beside_metal": round(dense.streaked_share, 4),
            "streaked_share_elsewhere": round(dense.streaked_share_elsewhere, 4),
        },
    )
