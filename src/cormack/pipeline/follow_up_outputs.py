"""What a comparison of two scans is made of, and what it leaves on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cormack.core.findings import Finding
from cormack.core.labels import BRAIN, LabelMap
from cormack.core.provenance import generated_by, package_version, software_versions
from cormack.core.transforms import TransformChain
from cormack.core.volume import MODALITIES, Unit, Volume
from cormack.files.nifti import write_volume
from cormack.files.outputs import OutputSet
from cormack.files.sidecar import to_json
from cormack.files.tables import write_table
from cormack.files.transforms import write_transforms
from cormack.measure.change import StructureChange, mean_values
from cormack.register.halfway import Halfway
from cormack.report.follow_up import FollowUpContent, render_follow_up
from cormack.report.tables import Row, number

#: Edge of the voxels on which two scans are compared (mm).
SPACING_MM = 1.0
COLUMNS = ("structure", "first_ml", "second_ml", "change_ml", "change_percent", "dice")
#: Masks of both scans by name.
Masks = Mapping[str, tuple[LabelMap, LabelMap]]


@dataclass(frozen=True)
class FollowUpOptions:
    """How two scans are compared.

    Parameters
    ----------
    metric : str
        What the registration maximises; see `cormack.register.register.register_volumes`.
    spacing_mm : float
        Edge of the voxels halfway.
    order : 1 linear, 3 cubic
        Of the one interpolation.
    assume_mm : bool
        Take NIfTI headers without a unit of length for millimetres.
    """

    metric: str = "mi"
    spacing_mm: float = SPACING_MM
    order: int = 1
    assume_mm: bool = False


@dataclass(frozen=True)
class FollowUp:
    """What was found.

    Attributes
    ----------
    turn_deg, shift_mm : float
        How the second scan lies to the first: angle, and how far the middle of the common field of view moved.
    changes : tuple of StructureChange
    findings : tuple of Finding
    report : Path
    """

    turn_deg: float
    shift_mm: float
    changes: tuple[StructureChange, ...]
    findings: tuple[Finding, ...]
    report: Path


@dataclass(frozen=True, eq=False)
class Pair:
    """Both scans on one grid halfway, and what both cover."""

    first: Volume
    second: Volume
    covered: npt.NDArray[np.bool_]

    @property
    def subtractable(self) -> bool:
        """True if both are in Hounsfield units."""
        return self.first.unit is Unit.HU and self.second.unit is Unit.HU

    @property
    def alike(self) -> bool:
        """True if both are CT or both MR, so that masks of them hold the same."""
        return self.first.unit is self.second.unit and self.first.unit in MODALITIES


def write_follow_up(
    out: Path,
    pair: Pair,
    halfway: Halfway,
    masks: Masks,
    made: FollowUp,
    options: FollowUpOptions,
) -> None:
    """Write both scans halfway, their difference, the transforms, the table and the page, together or not at all."""
    difference = _difference(pair)
    with OutputSet(out) as outputs:
        write_volume(outputs.part("first.nii.gz"), _stored(pair.first))
        write_volume(outputs.part("second.nii.gz"), _stored(pair.second))
        if difference is not None:
            write_volume(outputs.part("difference.nii.gz"), _stored(difference))
        for name, way in (("first", halfway.to_first), ("second", halfway.to_second)):
            folder = Path("transforms") / name
            write_transforms(outputs, TransformChain((way,)), moving=name, fixed="halfway", folder=folder)
        rows = [dict(zip(COLUMNS, row, strict=True)) for row in _table(made.changes)]
        write_table(outputs.part("volumes.tsv"), COLUMNS, rows, suffix=".tsv")
        outputs.write_text("report.html", render_follow_up(_content(pair, halfway, masks, made, difference, options)))
        outputs.write_text("follow_up.json", to_json(_record(pair, halfway, made, options)))


def _difference(pair: Pair) -> Volume | None:
    """Second minus first where both were measured, 0 elsewhere."""
    if not pair.subtractable:
        return None
    difference = np.where(pair.covered, pair.second.data - pair.first.data, np.float32(0))
    return pair.first.with_data(difference, outside=0.0)


def _stored(volume: Volume) -> Volume:
    """Whole Hounsfield units, which need half the space."""
    return volume.with_data(np.rint(volume.data).astype(np.int16)) if volume.unit is Unit.HU else volume


def _table(changes: tuple[StructureChange, ...]) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (
            change.name,
            f"{change.first_ml:.3f}",
            f"{change.second_ml:.3f}",
            f"{change.change_ml:+.3f}",
            "" if change.change_percent is None else f"{change.change_percent:+.3f}",
            f"{change.overlap:.4f}",
        )
        for change in changes
    )


def _content(
    pair: Pair,
    halfway: Halfway,
    masks: Masks,
    made: FollowUp,
    difference: Volume | None,
    options: FollowUpOptions,
) -> FollowUpContent:
    heads = masks.get("head")
    shown = pair.covered if heads is None else (heads[0].data > 0) | (heads[1].data > 0)
    brain = {name: mask for name, mask in masks.items() if name == "brain"}
    return FollowUpContent(
        first=pair.first,
        second=pair.second,
        difference=difference,
        shown=LabelMap(shown, pair.first.affine, BRAIN),
        masks=brain,
        key_rows=_key_rows(pair, halfway, masks, made),
        changes=_table(made.changes),
        findings=made.findings,
        method=_method(halfway, options, masks),
        versions=software_versions(),
    )


def _key_rows(pair: Pair, halfway: Halfway, masks: Masks, made: FollowUp) -> tuple[Row, ...]:
    rows = [
        Row("Turned by", number(made.turn_deg, 1), "°", "second scan against the first"),
        Row("Shifted by", number(made.shift_mm, 1), "mm", "in the middle of what both cover"),
        Row("Directions agree to", number(halfway.disagreement_mm, 2), "mm", "at the surface of a head"),
    ]
    if "brain" in masks and pair.subtractable:
        both = (masks["brain"][0].data > 0) & (masks["brain"][1].data > 0) & pair.covered
        before, after, apart = mean_values(pair.first, pair.second, both)
        rows.append(Row("Brain, mean", f"{before:.1f} → {after:.1f}", "HU", f"mean absolute difference {apart:.1f}"))
    return tuple(rows)


def _method(halfway: Halfway, options: FollowUpOptions, masks: Masks) -> str:
    kernel = {1: "linear", 3: "cubic"}[options.order]
    names = " and ".join(first.table[1].name for first, _ in masks.values())
    found = (
        f"{names[:1].upper()}{names[1:]} were found on that grid, in each scan alone; volumes" if names else "Volumes"
    )
    return (
        f"Two scans were aligned rigidly in both directions ({halfway.registrations[0].engine}, {options.metric}); the "
        "mean of both answers was halved (matrix square root), so that each scan was brought halfway to the other (cf. "
        "Reuter and Fischl 2011, doi 10.1016/j.neuroimage.2011.02.076). Both were resampled by one "
        f"{kernel} interpolation onto a common grid of {options.spacing_mm:g} mm. "
        f"{found} are compared where both scans cover the head. "
        f"Cormack {package_version('cormack')}, research use only."
    )


def _record(pair: Pair, halfway: Halfway, made: FollowUp, options: FollowUpOptions) -> dict[str, object]:
    return {
        "GeneratedBy": generated_by(),
        "ResearchUseOnly": True,
        "Software": software_versions(),
        "Engine": halfway.registrations[0].engine,
        "Metric": options.metric,
        "Spacing": options.spacing_mm,
        "Turn": round(made.turn_deg, 4),
        "Shift": round(made.shift_mm, 4),
        "Disagreement": round(halfway.disagreement_mm, 4),
        "Covered": round(float(pair.covered.mean()), 4),
        "Units": [str(pair.first.unit), str(pair.second.unit)],
        "Warnings": [{"Code": f.code, "Message": f.message, "Evidence": dict(f.evidence)} for f in made.findings],
    }
