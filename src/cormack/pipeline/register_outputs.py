"""What a registration is made of, and what it leaves on disk."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cormack.core.errors import GeometryError
from cormack.core.findings import Finding
from cormack.core.labels import LabelMap
from cormack.core.provenance import generated_by, package_version, software_versions
from cormack.core.volume import Unit, Volume
from cormack.files.nifti import write_volume
from cormack.files.outputs import OutputSet
from cormack.files.sidecar import to_json
from cormack.files.transforms import write_transforms
from cormack.imaging.warp import warp
from cormack.register.agreement import LEAST_AGREEMENT
from cormack.register.engine import Metric
from cormack.register.register import Registration
from cormack.register.templates import Template
from cormack.report.registration import RegistrationContent, render_registration
from cormack.report.tables import Row, number

if TYPE_CHECKING:
    from cormack.pipeline.register import RegisterFiles

WARPED, RECORD, PAGE = "warped.nii.gz", "registration.json", "report.html"


@dataclass(frozen=True, eq=False)
class Side:
    """One of the two volumes, and what counts of it.

    Parameters
    ----------
    volume : Volume
        On its own grid, not interpolated.
    space : str
        Label of its space in BIDS names.
    given, brain, mask : LabelMap or None
        The mask that the user gave, a brain that is known, and the one chosen for the registration.
    template : Template or None
    findings : tuple of Finding
    codes : str
        Directions of the file's voxel axes.
    """

    volume: Volume
    space: str
    given: LabelMap | None = None
    brain: LabelMap | None = None
    mask: LabelMap | None = None
    template: Template | None = None
    findings: tuple[Finding, ...] = ()
    codes: str = "RAS"

    def masked_by(self, mask: LabelMap) -> Side:
        """The same with a mask chosen."""
        return replace(self, mask=mask)


def write_registration(
    out: Path, moving: Side, fixed: Side, made: Registration, options: RegisterFiles, notes: tuple[Finding, ...]
) -> None:
    """Write a registration into a folder, together or not at all; of a failed one only what says why.

    Raises
    ------
    OutputError
        If the file system refuses.
    """
    findings = (*notes, *made.findings, *(() if made.failure is None else (made.failure,)))
    warped, carried = _carried(moving, fixed, made)
    with OutputSet(out) as outputs:
        if made.ok:
            write_volume(outputs.part(WARPED), _stored(warped), codes=fixed.codes)
            outputs.write_text("warped.json", to_json(warped_sidecar(warped, fixed.space)))
            write_transforms(outputs, made.transform, moving=moving.space, fixed=fixed.space)
        outputs.write_text(RECORD, to_json(record(moving, fixed, made, options, findings)))
        outputs.write_text(PAGE, render_registration(content(moving, fixed, made, (warped, carried), findings)))


def _carried(moving: Side, fixed: Side, made: Registration) -> tuple[Volume, LabelMap | None]:
    """The moving volume and its mask on the fixed grid; background only where a failed transform leads astray."""
    grid = fixed.volume.affine, fixed.volume.shape
    try:
        warped = warp(moving.volume, made.transform, *grid)
        return warped, None if moving.mask is None else warp(moving.mask, made.transform, *grid)
    except GeometryError:
        outside = moving.volume.outside
        empty = np.full(fixed.volume.shape, outside, dtype=np.float32)
        return fixed.volume.with_data(empty, unit=moving.volume.unit, outside=outside), None


def _stored(volume: Volume) -> Volume:
    """HU as whole numbers, which is what a scanner gives."""
    if volume.unit is not Unit.HU or volume.data.dtype == np.int16:
        return volume
    return volume.with_data(np.rint(volume.data).astype(np.int16))


def warped_sidecar(warped: Volume, space: str) -> dict[str, object]:
    """Sidecar of a volume in another space."""
    return {
        "Space": space,
        "Units": str(warped.unit),
        "OutsideValue": warped.outside,
        "Interpolation": "linear, once",
        "GeneratedBy": generated_by(),
    }


def record(
    moving: Side, fixed: Side, made: Registration, options: RegisterFiles, findings: tuple[Finding, ...]
) -> dict[str, object]:
    """The evidence, the choices and the template as plain values."""
    return {
        "GeneratedBy": generated_by(),
        "ResearchUseOnly": True,
        "Failed": None if made.failure is None else made.failure.code,
        "From": moving.space,
        "To": fixed.space,
        "Kind": str(made.kind),
        "Metric": str(made.metric),
        "Agreement": made.agreement,
        "Engine": made.engine,
        "Region": {"moving": region_of(moving), "fixed": region_of(fixed)},
        "LesionsMasked": options.lesions is not None,
        "Options": {
            "SpacingMm": options.options.spacing_mm,
            "Values": options.options.values,
            "Search": options.options.search,
            "Seed": options.options.seed,
        },
        "Evidence": None if made.evidence is None else made.evidence.as_dict(),
        "Template": None if fixed.template is None else template_record(fixed.template),
        "Warnings": [{"Code": f.code, "Message": f.message, "Evidence": dict(f.evidence)} for f in findings],
    }


def template_record(template: Template) -> dict[str, object]:
    """Which template it is, and on what terms it may be used."""
    entry = template.entry
    return {
        "Name": entry.name,
        "Title": entry.title,
        "Space": entry.space,
        "SHA256": entry.image.sha256,
        "Citation": entry.citation,
        "DOI": entry.doi,
        "Licence": entry.licence,
        "Terms": entry.terms,
    }


def region_of(side: Side) -> str:
    """What counted of a side, in words."""
    if side.mask is None:
        return "whole volume"
    return "given mask" if side.mask is side.given else side.mask.table[1].name


def content(
    moving: Side,
    fixed: Side,
    made: Registration,
    carried: tuple[Volume, LabelMap | None],
    findings: tuple[Finding, ...],
) -> RegistrationContent:
    """What the page says; `carried` are the moving volume and its mask on the fixed grid."""
    entry = None if fixed.template is None else fixed.template.entry
    return RegistrationContent(
        title=f"{moving.space} to {fixed.space}",
        warped=carried[0],
        fixed=fixed.volume,
        warped_mask=carried[1],
        fixed_mask=fixed.mask or fixed.brain,
        key_rows=key_rows(made),
        findings=findings,
        method=method(moving, fixed, made),
        reference=None if entry is None else f"{entry.citation} doi:{entry.doi}. {entry.licence}; {entry.terms}.",
        versions=software_versions(),
    )


def key_rows(made: Registration) -> tuple[Row, ...]:
    """The numbers on top of the page."""
    found = made.evidence
    if found is None:
        return (Row("Result", "failed"),)
    before = "none" if found.similarity_before is None else number(round(found.similarity_before, 3))
    after = "none" if found.similarity_after is None else number(round(found.similarity_after, 3))
    consistency = found.inverse_consistency_mm
    return (
        Row("Result", "accepted" if made.ok else "failed"),
        Row("Similarity", after, "", f"{found.metric}; {before} as the headers say"),
        Row("Overlap", number(round(found.overlap, 3)), "", "Sørensen–Dice of what counted"),
        Row("Covered", number(round(100 * found.covered, 1)), "%", "of the fixed volume's foreground"),
        Row(
            "Jacobian", f"{found.jacobian_min:.2f} to {found.jacobian_max:.2f}", "", f"folded: {found.folded_share:.2%}"
        ),
        Row("Out and back", "–" if consistency is None else number(round(consistency, 3)), "mm", "mean"),
        *_agreement_row(made),
    )


def _agreement_row(made: Registration) -> tuple[Row, ...]:
    """Why the deformable stage took its metric, if it was left to choose."""
    if made.agreement is None:
        return ()
    took = "least squares" if made.metric is Metric.LS else "mutual information"
    note = f"of the variance after the linear stage; deformed by {took} (least squares from {LEAST_AGREEMENT})"
    return (Row("Values agree", number(round(made.agreement, 2)), "", note),)


def method(moving: Side, fixed: Side, made: Registration) -> str:
    """A paragraph for a paper."""
    kinds = {"rigid": "rigidly", "affine": "affinely", "syn": "affinely, then by symmetric normalisation (SyN),"}
    metrics = {
        "mi": "mutual information",
        "nmi": "normalised mutual information",
        "ls": "least squares",
        "cc": "mutual information and local cross-correlation",
    }
    words = metrics[made.metric]
    if made.agreement is not None and made.metric is Metric.LS:
        words = "mutual information in the linear stages and, as values agreed, least squares in the deformable one"
    target = fixed.template.entry.title if fixed.template else "the fixed scan"
    return (
        f"The moving scan ({region_of(moving)}) was registered {kinds[made.kind]} to {target} ({region_of(fixed)}) "
        f"with {made.engine} by {words}, after a search over all orientations that does not rely on the "
        f"headers, by Cormack {package_version('cormack')}. The warped scan was interpolated once."
    )
