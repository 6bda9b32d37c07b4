"""From what was found on disk to the rectified grid: load, condition, rectify."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cormack.core.acquisition import Acquisition
from cormack.core.findings import Finding
from cormack.core.volume import SliceStack, Unit, Volume
from cormack.imaging import condition as conditioning
from cormack.imaging import rectify as rectifying
from cormack.pipeline.load import Loaded, Located
from cormack.pipeline.options import LoadOptions
from cormack.pipeline.progress import Progress
from cormack.pipeline.runner import Step
from cormack.report.content import StackFacts


@dataclass(frozen=True, eq=False)
class GridFacts:
    """How a scan came onto its rectified grid, without the voxels.

    Attributes
    ----------
    acquisition : Acquisition
    stack : StackFacts
        The native slices.
    voxel_size_mm : three floats
        Along the axes of the slices: (i, j, k).
    unit : Unit
    padding : tuple of float
        Values that were taken for padding.
    findings : tuple of Finding
        What reading and rectifying noticed.
    unbridged_gaps_mm : tuple of float
    orientation : str
        Axis directions in which files are written; see `Loaded`.
    interpolation : "linear", "cubic" or None
        None if no value changed.
    bias_field_correction : str or None
        What took the slow shading out of an MR.
    """

    acquisition: Acquisition
    stack: StackFacts
    voxel_size_mm: tuple[float, ...]
    unit: Unit
    padding: tuple[float, ...]
    findings: tuple[Finding, ...]
    unbridged_gaps_mm: tuple[float, ...]
    orientation: str
    interpolation: str | None
    bias_field_correction: str | None = None


@dataclass(frozen=True, eq=False)
class Grids:
    """A scan on its rectified grid (orthogonal, axes closest to R, A, S; a CT in int16 HU), and how it came there."""

    rectified: rectifying.Rectified
    facts: GridFacts

    @property
    def volume(self) -> Volume:
        """The rectified volume."""
        return self.rectified.volume


#: Orders of interpolation by name.
ORDERS = {"linear": 1, "cubic": 3}


def load(located: Located, progress: Progress) -> Loaded:
    """Decode the slices of the scan that was found."""
    return located.load(progress)


def condition(loaded: Loaded, load_options: LoadOptions) -> conditioning.Conditioned | SliceStack:
    """Tell padding from air and winsorise; an MR, where one may be given, is looked at whether it is one."""
    if loaded.stack.unit is Unit.ARBITRARY and load_options.modality != "CT":
        return conditioning.condition_intensities(loaded.stack, loaded.padding_hu)
    return conditioning.condition(loaded.stack, loaded.padding_hu)


def condition_any(loaded: Loaded) -> conditioning.Conditioned | SliceStack:
    """Condition Hounsfield units; values of no unit, as those of MR, stay as they are."""
    if loaded.stack.unit is Unit.ARBITRARY:
        return loaded.stack
    return conditioning.condition(loaded.stack, loaded.padding_hu)


def plan(
    conditioned: conditioning.Conditioned | SliceStack, loaded: Loaded, load_options: LoadOptions
) -> tuple[rectifying.Rectification, GridFacts]:
    """Work out the rectified grid, and what there is to tell of it."""
    planned = rectifying.plan_rectification(
        conditioned,
        spacing=load_options.slice_spacing,
        voxel_mm=load_options.voxel_mm,
        order=ORDERS[load_options.interpolation],
        bridge_gaps=load_options.bridge_gaps,
    )
    return planned, grid_facts(conditioned, loaded, load_options, planned)


def rectify(conditioned: conditioning.Conditioned | SliceStack, loaded: Loaded, load_options: LoadOptions) -> Grids:
    """Bring the slices onto an orthogonal, even grid."""
    planned, facts = plan(conditioned, loaded, load_options)
    return Grids(planned.volume(), facts)


def grid_facts(
    conditioned: conditioning.Conditioned | SliceStack,
    loaded: Loaded,
    load_options: LoadOptions,
    planned: rectifying.Rectification,
) -> GridFacts:
    """What there is to tell of a rectified grid."""
    findings = list(loaded.findings)
    if planned.unbridged_gaps_mm:
        widths = ", ".join(f"{gap:.1f}" for gap in planned.unbridged_gaps_mm)
        findings.append(
            Finding(
                "gap-left-open",
                f"Slices are missing: gaps of {widths} mm are more than twice as wide as their neighbours and were "
                "left empty in the rectified volume; --bridge-gaps interpolates across them.",
                {"gaps_mm": planned.unbridged_gaps_mm},
            )
        )
    return GridFacts(
        acquisition=loaded.stack.acquisition,
        stack=StackFacts.of(loaded.stack, missing_slices=loaded.missing_slices),
        voxel_size_mm=tuple(float(step) for step in np.linalg.norm(planned.affine[:3, :3], axis=0)),
        unit=loaded.stack.unit,
        padding=loaded.padding_hu if isinstance(conditioned, SliceStack) else conditioned.padding_hu,
        findings=tuple(findings),
        unbridged_gaps_mm=planned.unbridged_gaps_mm,
        orientation=loaded.orientation,
        interpolation=load_options.interpolation if planned.interpolates else None,
    )


GRID_STEPS = (
    Step("loaded", "Reading slices", load),
    Step("conditioned", "Conditioning values", condition),
    Step("grids", "Rectifying", rectify),
)
PLAN_STEPS = (
    GRID_STEPS[0],
    Step("conditioned", "Conditioning values", condition_any),
    Step("planned", "Planning the grid", plan),
)
