"""Find out whether the field of view cuts the brain or the head.

A mask is cut where its voxels border on what the scanner did not measure: the first or last slice, or the rim of the
reconstruction circle. Works on any grid whose third axis runs from base to vertex, oblique or with thick slices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cormack.core.findings import Finding, Measurement
from cormack.core.volume import Volume
from cormack.measure.boxes import BoolArray, Region

#: The mask counts as touching the edge if it comes this close to it (mm): masks often stop a voxel short.
REACH_MM = 1.5
#: Area of brain at the upper edge from which the vertex is called cut (cm²).
VERTEX_CUT_CM2 = 3.0
#: Area at the lower edge from which the base is called cut (cm²); a foramen magnum has 5 to 12.
BASE_CUT_CM2 = 15.0
#: Area at the sides, front and back from which brain or head are called cut (cm²).
LATERAL_CUT_CM2 = 1.0
#: Areas are counted on lines about this far apart (mm).
SAMPLING_MM = 1.0
#: Area of head at the upper edge from which its top is called cut (cm²); below, less than half a percent is missing.
HEAD_TOP_CUT_CM2 = 30.0

SIDES = {"left": (0, -1), "right": (0, 1), "back": (1, -1), "front": (1, 1), "base": (2, -1), "vertex": (2, 1)}


@dataclass(frozen=True)
class EdgeContact:
    """Area with which a mask touches the edge of what was measured, by side, and its largest axial section (cm²)."""

    area_cm2: Mapping[str, float]
    largest_section_cm2: float

    def share(self, side: str) -> float:
        """Area at one side relative to the largest axial section."""
        return self.area_cm2[side] / self.largest_section_cm2 if self.largest_section_cm2 > 0 else 0.0

    @property
    def missing_above_ml(self) -> float:
        """Volume beyond the upper edge if the top is a spherical cap on the section there."""
        radius = float(np.sqrt(self.largest_section_cm2 / np.pi))
        height = radius - float(np.sqrt(max(radius**2 - self.area_cm2["vertex"] / np.pi, 0.0)))
        return np.pi * height**2 * (3 * radius - height) / 3


def edge_contact(volume: Volume, part: Region, measured: BoolArray | None = None) -> EdgeContact:
    """Measure where a mask touches the edge of the measured field.

    Parameters
    ----------
    volume : Volume
        For its grid alone; axes (i, j, k) closest to right, anterior, superior.
    part : Region
        The mask in its bounding box.
    measured : bool array, shape of the volume, optional
        Without it the whole grid counts as measured.
    """
    if part.empty:
        return EdgeContact(dict.fromkeys(SIDES, 0.0), 0.0)
    steps = volume.affine[:3, :3]
    face_cm2 = [float(np.linalg.norm(np.cross(steps[:, (a + 1) % 3], steps[:, (a + 2) % 3]))) / 100 for a in range(3)]
    sections = np.count_nonzero(part.mask, axis=(0, 1))
    thin = tuple(max(1, round(SAMPLING_MM / step)) for step in volume.spacing_mm)
    lines = _lines_on_grid(part, volume, thin) if measured is None else _lines_in_field(part, volume, measured, thin)
    areas = {}
    for side, (axis, _) in SIDES.items():
        others = [t for a, t in enumerate(thin) if a != axis]
        areas[side] = face_cm2[axis] * others[0] * others[1] * lines[side]
    return EdgeContact(areas, float(sections.max()) * face_cm2[2])


def _reach(volume: Volume, axis: int) -> int:
    return max(1, round(REACH_MM / volume.spacing_mm[axis]))


def _lines_on_grid(part: Region, volume: Volume, thin: tuple[int, ...]) -> dict[str, int]:
    """Count, by side, the lines of voxels (thinned out across) on which the mask reaches the end of the grid."""
    counts = {}
    for side, (axis, sign) in SIDES.items():
        span, size = part.box[axis], part.mask.shape[axis]
        depth = _reach(volume, axis) - (volume.shape[axis] - span.stop if sign > 0 else span.start)
        cut = [slice(None, None, t) for t in thin]
        cut[axis] = slice(max(0, size - depth), size) if sign > 0 else slice(0, max(0, depth))
        counts[side] = int(np.count_nonzero(part.mask[tuple(cut)].any(axis=axis))) if depth > 0 else 0
    return counts


def _lines_in_field(part: Region, volume: Volume, measured: BoolArray, thin: tuple[int, ...]) -> dict[str, int]:
    """Count, by side, the thinned out lines on which the mask reaches the end of what was measured."""
    # Both are thinned along the line, too, which makes the reach longer by up to one step of thinning.
    aligned = tuple(slice(span.start % t, None, t) for span, t in zip(part.box, thin, strict=True))
    # Copied in the order of memory, whatever that is: turning an array over takes longer than all that follows.
    field = None if measured.all() else measured[aligned].copy(order="K")
    size = [-(-(n - cut.start) // t) for n, cut, t in zip(measured.shape, aligned, thin, strict=True)]
    mask = part.mask[tuple(slice(None, None, t) for t in thin)].copy(order="K")
    start = [span.start // t for span, t in zip(part.box, thin, strict=True)]
    box = [slice(first, first + n) for first, n in zip(start, mask.shape, strict=True)]
    counts = {}
    for side, (axis, sign) in SIDES.items():
        lines = tuple(slice(None) if a == axis else box[a] for a in range(3))
        beyond = size[axis] - box[axis].stop if sign > 0 else box[axis].start
        # argmax finds the first True from that side: the outermost voxel of the mask and of the field.
        edge = _towards(mask, axis, sign).argmax(axis=axis) + beyond
        end = 0 if field is None else _towards(field[lines], axis, sign).argmax(axis=axis)
        gap = (edge - end) * thin[axis]
        counts[side] = int(np.count_nonzero(mask.any(axis=axis) & (gap < _reach(volume, axis) + thin[axis] - 1)))
    return counts


def _towards(array: BoolArray, axis: int, sign: int) -> BoolArray:
    return np.flip(array, axis) if sign > 0 else array


def coverage_measurements(brain: EdgeContact) -> tuple[Measurement, ...]:
    """How much brain lies at the upper and the lower edge of the scan, in percent of its largest axial section."""
    ends = (("vertex", "upper"), ("base", "lower"))
    return tuple(
        Measurement(
            f"brain at {side} edge",
            100 * brain.share(side),
            "%",
            f"area of the brain mask within {REACH_MM} mm of the {edge} end of the measured field, "
            "relative to its largest axial section",
        )
        for side, edge in ends
    )


def coverage_findings(brain: EdgeContact, head: EdgeContact) -> tuple[Finding, ...]:
    """Warn where the field of view cuts brain or head; a scan that begins at the foramen magnum is complete."""
    return (*brain_findings(brain), *_head_findings(head))


def brain_findings(brain: EdgeContact) -> tuple[Finding, ...]:
    """Warn where the field of view cuts the brain."""
    findings = []
    if brain.area_cm2["vertex"] >= VERTEX_CUT_CM2:
        findings.append(
            Finding(
                "vertex-cut",
                f"The top of the brain is cut by the field of view: {brain.area_cm2['vertex']:.1f} cm² of brain lie at "
                f"the last measured slice, so about {brain.missing_above_ml:.0f} ml are missing from the volumes.",
                {
                    **_evidence(brain, "vertex", VERTEX_CUT_CM2),
                    "missing_if_round_ml": round(brain.missing_above_ml, 1),
                },
            )
        )
    if brain.area_cm2["base"] >= BASE_CUT_CM2:
        findings.append(
            Finding(
                "base-cut",
                f"The base of the brain is cut by the field of view: {brain.area_cm2['base']:.1f} cm² of brain lie at "
                "the first measured slice, more than a foramen magnum has. Volumes are too small.",
                _evidence(brain, "base", BASE_CUT_CM2),
            )
        )
    sides = [side for side in ("left", "right", "back", "front") if brain.area_cm2[side] >= LATERAL_CUT_CM2]
    if sides:
        findings.append(
            Finding(
                "brain-cut-laterally",
                f"The field of view cuts the brain at the {_words(sides)}. Volumes are too small.",
                _sides_evidence(brain, sides),
            )
        )
    return tuple(findings)


def _head_findings(head: EdgeContact) -> tuple[Finding, ...]:
    limits = {"left": LATERAL_CUT_CM2, "right": LATERAL_CUT_CM2, "back": LATERAL_CUT_CM2, "front": LATERAL_CUT_CM2}
    limits["vertex"] = HEAD_TOP_CUT_CM2
    cut = [side for side, limit in limits.items() if head.area_cm2[side] >= limit]
    if not cut:
        return ()
    words = ["top" if side == "vertex" else side for side in cut]
    message = f"The field of view cuts the head at the {_words(words)}: the head volume is incomplete."
    return (Finding("head-cut", message, _sides_evidence(head, cut)),)


def _words(words: list[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def _evidence(contact: EdgeContact, side: str, limit_cm2: float) -> dict[str, object]:
    return {
        "area_at_edge_cm2": round(contact.area_cm2[side], 1),
        "largest_section_cm2": round(contact.largest_section_cm2, 1),
        "share_of_largest_section": round(contact.share(side), 3),
        "limit_cm2": limit_cm2,
    }


def _sides_evidence(contact: EdgeContact, sides: list[str]) -> dict[str, object]:
    return {f"area_at_{side}_cm2": round(contact.area_cm2[side], 1) for side in sides}
