"""What an assembly tells the reader of a report about the geometry of its slices, in plain words with numbers."""

from __future__ import annotations

import numpy as np

from cormack.core.findings import Finding
from cormack.dicom.geometry import STRAIGHT_LINE_MM, StackGeometry

#: A stack leans when its tilt is at least this (degrees).
TILT_DEG = 0.1
#: Slices count as parallel when no corner leaves the plane that is followed by more than this (mm).
PARALLEL_MM = 0.01
#: Stated and measured tilt agree when their amounts differ by less than this (degrees).
TILT_AGREEMENT_DEG = 0.5


def geometry_findings(
    geometry: StackGeometry, stated_tilt_deg: float | None, field_of_view_mm: float
) -> tuple[Finding, ...]:
    """Gaps, doubled positions, unequal distances, tilt, slices off the straight line or not quite parallel."""
    found = [
        _gaps(geometry),
        _doubled(geometry),
        _uneven(geometry),
        _tilt(geometry, stated_tilt_deg),
        _off_line(geometry),
        _not_parallel(geometry, field_of_view_mm),
    ]
    return tuple(finding for finding in found if finding is not None)


def _gaps(geometry: StackGeometry) -> Finding | None:
    gaps = geometry.gaps
    if not gaps:
        return None
    missing = sum(gap.missing for gap in gaps)
    places = ", ".join(
        f"{gap.distance_mm:.2f} mm after slice {gap.after + 1} where {gap.usual_mm:.2f} mm is usual" for gap in gaps[:5]
    )
    more = f" and {len(gaps) - 5} more" if len(gaps) > 5 else ""
    return Finding(
        "gap",
        f"{missing} slice{'s are' if missing != 1 else ' is'} missing: {places}{more}",
        {
            "missing": missing,
            "after_slice": [gap.after + 1 for gap in gaps],
            "distance_mm": [round(gap.distance_mm, 4) for gap in gaps],
            "usual_mm": [round(gap.usual_mm, 4) for gap in gaps],
        },
    )


def _doubled(geometry: StackGeometry) -> Finding | None:
    count = len(geometry.doubled)
    if not count:
        return None
    return Finding(
        "doubled-positions",
        f"{count} image{'s lie' if count != 1 else ' lies'} at a position that another one has; the first was kept",
        {"images": count},
    )


def _uneven(geometry: StackGeometry) -> Finding | None:
    if geometry.evenly_spaced:
        return None
    gaps = {gap.after for gap in geometry.gaps}
    rest = np.array([d for m, d in enumerate(geometry.distances_mm) if m not in gaps])
    if rest.size < 2 or rest.max() - rest.min() < 0.02:
        return None
    return Finding(
        "unequal-spacing",
        f"the distance between slices varies from {rest.min():.2f} to {rest.max():.2f} mm; "
        "the slices are kept where they are",
        {"least_mm": round(float(rest.min()), 4), "greatest_mm": round(float(rest.max()), 4)},
    )


def _tilt(geometry: StackGeometry, stated: float | None) -> Finding | None:
    measured = geometry.tilt_deg
    evidence = {"measured_deg": round(measured, 3), "stated_deg": stated}
    if stated is not None and abs(abs(stated) - abs(measured)) > TILT_AGREEMENT_DEG:
        message = (
            f"the header states a gantry tilt of {stated:+.1f}°, the slice positions show {measured:+.1f}°; "
            "the positions are followed"
        )
        return Finding("tilt-disagrees", message, evidence)
    if abs(measured) < TILT_DEG:
        return None
    said = (
        "the header states none"
        if stated is None
        else f"the header states {stated:+.1f}°, whose sign differs between vendors"
    )
    return Finding("tilt", f"the gantry was tilted: {measured:+.1f}° measured from the positions ({said})", evidence)


def _off_line(geometry: StackGeometry) -> Finding | None:
    off = geometry.off_line_mm
    if off <= STRAIGHT_LINE_MM:
        return None
    return Finding(
        "slices-shifted",
        f"slices are shifted within their plane by up to {off:.2f} mm; each is kept where its header puts it",
        {"greatest_mm": round(off, 3)},
    )


def _not_parallel(geometry: StackGeometry, field_of_view_mm: float) -> Finding | None:
    off = geometry.orientation_spread * field_of_view_mm
    if off <= PARALLEL_MM:
        return None
    return Finding(
        "orientation-varies",
        f"the stated orientation varies from slice to slice by up to {off:.2f} mm at the edge of the image; "
        "the one in the middle is followed for all",
        {"greatest_mm": round(off, 4)},
    )
