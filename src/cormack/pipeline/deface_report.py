"""What is told of a defaced head: numbers, findings, the page and the sidecar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cormack.core.findings import Finding
from cormack.core.provenance import Provenance, generated_by, package_version, software_versions
from cormack.extract.face import FOREHEAD_MM, MARGIN_MM
from cormack.measure.defaced import GONE_MM, removed_surface_share
from cormack.pipeline.face_paint import BLUR_MM, FacePainter, Mode
from cormack.pipeline.head_face import AIR_HU, HeadFace, Modality
from cormack.pipeline.progress import Progress
from cormack.report.defaced import DefacedContent, render_defaced
from cormack.report.tables import Row, number


@dataclass(frozen=True)
class DefaceOptions:
    """How a face is taken away.

    Parameters
    ----------
    mode : Mode
    parts : tuple of str
        Of `face`, `ears`, `teeth`; the face holds both jaws with their teeth.
    margin_mm : float
        Nothing nearer to the brain mask changes.
    modality : Modality
    show_before : bool
        Let the page show the head before, with its face.
    """

    mode: Mode = Mode.REMOVE
    parts: tuple[str, ...] = ("face",)
    margin_mm: float = MARGIN_MM
    modality: Modality = Modality.AUTO
    show_before: bool = True


@dataclass(frozen=True)
class Description:
    """A defaced head in numbers and words.

    Attributes
    ----------
    modality : Modality
    changed : int
        Voxels whose value was replaced; none of them lies in the brain mask.
    surface_removed : float or None
        Share of the face's surface that is gone; None where none is in the field of view, and for a blur.
    findings : tuple of Finding
    fields : mapping
        The sidecar.
    page : str
        HTML.
    """

    modality: Modality
    changed: int
    surface_removed: float | None
    findings: tuple[Finding, ...]
    fields: Mapping[str, object]
    page: str


def describe(
    head: HeadFace,
    painter: FacePainter,
    options: DefaceOptions,
    progress: Progress,
    *,
    provenance: Provenance,
    findings: tuple[Finding, ...] = (),
) -> Description:
    """Measure and render a head before and after.

    Parameters
    ----------
    head : HeadFace
    painter : FacePainter
        When all planes were painted.
    options : DefaceOptions
    progress : Progress
    provenance : Provenance
        Seconds of the steps before.
    findings : tuple of Finding
        What reading noticed.
    """
    progress.step("Rendering")
    after, levels, pose = painter.volume(), head.surfaces, head.region.pose
    share = None
    if options.mode is Mode.REMOVE:
        share = removed_surface_share(head.volume, after, levels["skin"], pose.matrix)
    told = (*findings, *_findings(head, painter))
    page = render_defaced(
        DefacedContent(
            before=head.volume if options.show_before else None,
            after=after,
            brain=head.brain,
            levels=levels,
            head_to_world=pose.matrix,
            rows=_rows(head, painter, share, provenance),
            method=_method(head, options),
            findings=told,
            versions=software_versions(),
        )
    )
    fields = _fields(head, painter, options, share, told)
    return Description(head.modality, painter.changed, share, told, fields, page)


def _fields(
    head: HeadFace, painter: FacePainter, options: DefaceOptions, share: float | None, findings: tuple[Finding, ...]
) -> dict[str, object]:
    """The sidecar."""
    pose = head.region.pose
    return {
        "Defaced": list(options.parts),
        "DefacingMode": str(options.mode),
        "MarginToBrain": options.margin_mm,
        "DefacedAs": head.modality.upper(),
        "ReplacedBy": _replacement(head, options),
        "VoxelsChanged": painter.changed,
        "BrainVoxelsChanged": 0,
        "FaceSurfaceRemoved": None if share is None else round(share, 4),
        "HeadLean": round(pose.lean_deg, 1),
        "PoseFit": round(pose.fit_mm, 2),
        "Description": _method(head, options),
        "Warnings": [finding.message for finding in findings],
        "GeneratedBy": generated_by(),
    }


def _findings(head: HeadFace, painter: FacePainter) -> tuple[Finding, ...]:
    found = []
    if head.leaves_face:
        ml = head.region.in_face_ml
        found.append(
            Finding(
                "face-kept-with-brain",
                f"{ml:.0f} ml of the brain mask lie where only eyes and nose can be; what is there stays, and parts of "
                "the face may be left: look at the pictures",
                {"brain_mask_in_face_ml": round(ml, 1)},
            )
        )
    if not painter.changed:
        found.append(
            Finding("face-not-in-view", "no voxel was changed: the field of view holds nothing of the face", {})
        )
    return tuple(found)


def _rows(head: HeadFace, painter: FacePainter, share: float | None, provenance: Provenance) -> tuple[Row, ...]:
    pose = head.region.pose
    surface = "not measured" if share is None else number(100 * share, 1)
    return (
        Row("Voxels changed", number(painter.changed)),
        Row("Brain voxels changed", "0", "", "checked on every plane; else nothing is written"),
        Row(
            "Surface of the face removed",
            surface,
            "" if share is None else "%",
            f"skin from brows to chin that is farther than {GONE_MM:g} mm from any surface left",
        ),
        Row("Lean of the head", number(pose.lean_deg, 1), "°", "against the axes of the grid"),
        Row("Fit of the pose", number(pose.fit_mm, 1), "mm", "median distance of a skull's inner surface to the mask"),
        *(Row(step, number(seconds, 1), "s") for step, seconds in provenance.seconds.items()),
    )


def _replacement(head: HeadFace, options: DefaceOptions) -> str:
    if options.mode is Mode.BLUR:
        return f"the head smoothed by a Gaussian with a standard deviation of {BLUR_MM:g} mm"
    return f"air ({AIR_HU:g} HU)" if head.modality is Modality.CT else "0"


def _method(head: HeadFace, options: DefaceOptions) -> str:
    """A paragraph for a paper."""
    brain = (
        "the intracranial space (inside of the skull)"
        if head.modality is Modality.CT
        else "a generous region around the brain (BET, doi 10.1002/hbm.10062, joined with a cranium laid on it)"
    )
    return (
        f"Defaced with Cormack {package_version('cormack')} ({', '.join(options.parts)}): the head's pose was taken "
        f"from {brain}, and everything in front of and below the brain beyond planes fixed to that pose was replaced "
        f"by {_replacement(head, options)}, in the manner of QuickShear (doi 10.1007/978-3-642-22348-8_26). Nothing "
        f"within {options.margin_mm:g} mm of the brain mask was changed (over the forehead within "
        f"{options.margin_mm + FOREHEAD_MM:g} mm)."
    )
