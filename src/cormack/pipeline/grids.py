"""From what was found on disk to the rectified grid: load, condition, rectify."""

from __future__ import annotations

from dataclasses import dataclass

from cormack.core.findings import Finding
from cormack.core.volume import Volume
from cormack.imaging import condition as conditioning
from cormack.imaging import rectify as rectifying
from cormack.pipeline.load import Loaded, Located
from cormack.pipeline.options import LoadOptions
from cormack.pipeline.progress import Progress
from cormack.pipeline.runner import Step
from cormack.report.content import StackFacts


@dataclass(frozen=True, eq=False)
class Grids:
    """A scan on its rectified grid, and how it came there.

    Attributes
    ----------
    rectified : Rectified
        The volume (int16 HU, orthogonal, axes closest to R, A, S) with the mask of what was measured.
    facts : StackFacts
        The native slices without their voxels.
    padding_hu : tuple of float
    findings : tuple of Finding
        What reading and rectifying noticed.
    orientation : str
        Axis directions in which files are written; see `Loaded`.
    interpolation : "linear", "cubic" or None
        None if no value changed.
    """

    rectified: rectifying.Rectified
    facts: StackFacts
    padding_hu: tuple[float, ...]
    findings: tuple[Finding, ...]
    orientation: str = "RAS"
    interpolation: str | None = None

    @property
    def volume(self) -> Volume:
        """The rectified volume."""
        return self.rectified.volume


#: Orders of interpolation by name.
ORDERS = {"linear": 1, "cubic": 3}


def load(located: Located, progress: Progress) -> Loaded:
    """Decode the slices of the scan that was found."""
    return located.load(progress)


def condition(loaded: Loaded) -> conditioning.Conditioned:
    """Tell padding from air and winsorise."""
    return conditioning.condition(loaded.stack, loaded.padding_hu)


def rectify(conditioned: conditioning.Conditioned, loaded: Loaded, load_options: LoadOptions) -> Grids:
    """Bring the slices onto an orthogonal, even grid."""
    rectified = rectifying.rectify(
        conditioned.stack,
        spacing=load_options.slice_spacing,
        voxel_mm=load_options.voxel_mm,
        order=ORDERS[load_options.interpolation],
        padded=conditioned.padded,
        bridge_gaps=load_options.bridge_gaps,
    )
    findings = list(loaded.findings)
    if rectified.unbridged_gaps_mm:
        widths = ", ".join(f"{gap:.1f}" for gap in rectified.unbridged_gaps_mm)
        findings.append(
            Finding(
                "gap-left-open",
                f"Slices are missing: gaps of {widths} mm are more than twice as wide as their neighbours and were "
                "left empty in the rectified volume; --bridge-gaps interpolates across them.",
                {"gaps_mm": rectified.unbridged_gaps_mm},
            )
        )
    facts = StackFacts.of(conditioned.stack, missing_slices=loaded.missing_slices)
    interpolation = load_options.interpolation if rectified.interpolated else None
    return Grids(rectified, facts, conditioned.padding_hu, tuple(findings), loaded.orientation, interpolation)


GRID_STEPS = (
    Step("loaded", "Reading slices", load),
    Step("conditioned", "Conditioning values", condition),
    Step("grids", "Rectifying", rectify),
)
