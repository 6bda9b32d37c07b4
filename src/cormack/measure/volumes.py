"""Volumes in millilitres, and whether they are plausible for a human head."""

from __future__ import annotations

import numpy as np

from cormack.core.findings import Finding, Measurement
from cormack.core.labels import LabelMap
from cormack.core.volume import Unit, Volume
from cormack.measure.boxes import Region

#: What the volume of the brain mask is called: on MR bone and dura give no edge to follow, and are left out.
BRAIN_VOLUMES = {Unit.HU: "intracranial volume", Unit.ARBITRARY: "brain and CSF volume"}
#: Intracranial volumes of adults lie inside (ml); below is a small child, a cut scan or a failed mask.
PLAUSIBLE_INTRACRANIAL_ML = (900.0, 2100.0)
#: Share of the head that the intracranial space takes up in scans from skull base to vertex, generously.
PLAUSIBLE_SHARE = (0.15, 0.75)


def volume_measurements(
    volume: Volume, head_region: Region, brain_region: Region, head: LabelMap, brain: LabelMap
) -> tuple[Measurement, ...]:
    """Volume of the brain mask and of the head, as number of voxels times voxel volume (determinant of the affine)."""
    return (
        Measurement(
            BRAIN_VOLUMES[volume.unit],
            float(np.count_nonzero(brain_region.mask)) * volume.voxel_volume_ml,
            "ml",
            _definition("voxels of the brain mask times voxel volume", brain),
        ),
        Measurement(
            "head volume",
            float(np.count_nonzero(head_region.mask)) * volume.voxel_volume_ml,
            "ml",
            _definition("voxels of the head mask within the field of view times voxel volume", head),
        ),
    )


def _definition(counted: str, mask: LabelMap) -> str:
    return f"{counted}; {mask.description}" if mask.description else counted


def volume_findings(brain: Measurement, head: Measurement) -> tuple[Finding, ...]:
    """Warn of a volume of the brain mask that no adult has, or that does not fit to the head."""
    findings = []
    intracranial_ml, head_ml = brain.value or 0.0, head.value or 0.0
    low, high = PLAUSIBLE_INTRACRANIAL_ML
    share = intracranial_ml / head_ml if head_ml > 0 else 0.0
    evidence = {
        "intracranial_volume_ml": round(intracranial_ml, 1),
        "head_volume_ml": round(head_ml, 1),
        "share_of_head": round(share, 3),
    }
    if intracranial_ml < low:
        findings.append(
            Finding(
                "intracranial-volume-small",
                f"The {brain.name} of {intracranial_ml:.0f} ml is below {low:.0f} ml, the least expected of an "
                "adult: a child, a scan that does not cover the whole brain, or a failed mask. Look at the contours.",
                evidence,
            )
        )
    elif intracranial_ml > high:
        findings.append(
            Finding(
                "intracranial-volume-large",
                f"The {brain.name} of {intracranial_ml:.0f} ml is above {high:.0f} ml, the most expected of an "
                "adult: the mask has probably leaked out of the skull. Look at the contours.",
                evidence,
            )
        )
    if intracranial_ml > 0 and not PLAUSIBLE_SHARE[0] <= share <= PLAUSIBLE_SHARE[1]:
        findings.append(
            Finding(
                "brain-share-implausible",
                f"The brain mask takes up {share:.0%} of the head mask, outside the expected "
                f"{PLAUSIBLE_SHARE[0]:.0%} to {PLAUSIBLE_SHARE[1]:.0%}: one of the two masks is probably wrong.",
                evidence,
            )
        )
    return tuple(findings)
