"""A scan in the space of a template, as a step of a run: the transform, the scan there, the template's brain here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cormack.core.errors import GeometryError
from cormack.core.findings import Finding
from cormack.core.labels import LabelMap
from cormack.core.volume import MODALITIES, Volume
from cormack.files.bids import DATATYPES, ScanName
from cormack.files.nifti import write_labels, write_volume
from cormack.files.outputs import OutputSet
from cormack.files.sidecar import to_json
from cormack.files.transforms import write_transforms
from cormack.imaging.warp import warp
from cormack.pipeline.grids import Grids
from cormack.pipeline.options import RunOptions, SpaceOptions
from cormack.pipeline.progress import Progress
from cormack.pipeline.runner import Step
from cormack.pipeline.sidecars import mask_sidecar
from cormack.report.tables import Row

# The room of registration takes a third of a second to import; runs that ask for no space do without.
if TYPE_CHECKING:
    from cormack.pipeline.register_outputs import Side
    from cormack.register.register import Registration


@dataclass(frozen=True, eq=False)
class InSpace:
    """A scan and a template brought together; `warped` and `template_brain` are None where the registration failed.

    Attributes
    ----------
    fixed_space, fixed_codes : str
        Label of the template's space, and directions of its file's voxel axes.
    made : Registration
    warped : Volume or None
        The scan on the template's grid.
    template_brain : LabelMap or None
        The brain of the template on the scan.
    record : mapping
        Evidence and choices as plain values.
    """

    fixed_space: str
    fixed_codes: str
    made: Registration
    warped: Volume | None
    template_brain: LabelMap | None
    record: dict[str, object]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the registration noticed, its failure last."""
        return (*self.made.findings, *(() if self.made.failure is None else (self.made.failure,)))

    @property
    def key_rows(self) -> tuple[Row, ...]:
        """The evidence for the report."""
        from cormack.pipeline.register_outputs import key_rows

        return key_rows(self.made)


def by_brain(grids: Grids, brain: LabelMap, options: RunOptions, progress: Progress) -> InSpace:
    """Register the brain to that of the template."""
    return _in_space(grids, brain, options.space or SpaceOptions(), progress)


def by_head(grids: Grids, head: LabelMap, options: RunOptions, progress: Progress) -> InSpace:
    """Register the head to that of the template, before the brain is known."""
    return _in_space(grids, head, options.space or SpaceOptions(before_brain=True), progress)


def _in_space(grids: Grids, mask: LabelMap, options: SpaceOptions, progress: Progress) -> InSpace:
    from cormack.pipeline.register import RegisterFiles, find_fixed, register_sides
    from cormack.pipeline.register_outputs import Side, record

    directory = None if options.template_dir is None else Path(options.template_dir)
    files = RegisterFiles(
        kind=options.kind,
        metric=options.metric,
        region="head" if options.before_brain else "brain",
        template_dir=directory,
    )
    fixed = find_fixed(options.name, files, progress)
    if fixed.brain is not None and not options.before_brain:
        fixed = fixed.masked_by(fixed.brain)
    moving = Side(grids.volume, DATATYPES[MODALITIES[grids.volume.unit]][1], mask=mask)
    made = register_sides(moving, fixed, files)
    warped = carried = None
    if made.ok:
        warped = warp(grids.volume, made.transform, fixed.volume.affine, fixed.volume.shape)
        carried = _template_brain(fixed, made, grids.volume)
    written = record(moving, fixed, made, files, made.findings)
    return InSpace(fixed.space, fixed.codes, made, warped, carried, written)


def _template_brain(fixed: Side, made: Registration, scan: Volume) -> LabelMap | None:
    if fixed.brain is None:
        return None
    try:
        return warp(fixed.brain, made.transform.inverse(), scan.affine, scan.shape)
    except GeometryError:
        return None


BRAIN_SPACE_STEP = Step("space", "Registering to the template", by_brain)
HEAD_SPACE_STEP = Step("space", "Registering to the template", by_head)


def write_space(outputs: OutputSet, name: ScanName, space: InSpace, codes: str) -> list[Path]:
    """Write what a run leaves of a registration; returns the files, relative to the data set."""
    from cormack.pipeline.register_outputs import warped_sidecar

    written: list[Path] = []

    def file(suffix: str, extension: str) -> Path:
        written.append(name.file(suffix, extension))
        return outputs.part(written[-1])

    def text(suffix: str, content: dict[str, Any]) -> None:
        file(suffix, ".json").write_text(to_json(content), encoding="utf-8")

    text("registration", space.record)
    if space.warped is not None:
        suffix = f"space-{space.fixed_space}_{name.suffix}"
        write_volume(file(suffix, ".nii.gz"), space.warped, codes=space.fixed_codes)
        text(suffix, warped_sidecar(space.warped, space.fixed_space))
        written += write_transforms(
            outputs,
            space.made.transform,
            moving=name.suffix,
            fixed=space.fixed_space,
            stem=f"{name.stem}_",
            folder=name.folder,
        )
    if space.template_brain is not None:
        suffix = "desc-templatebrain_mask"
        write_labels(file(suffix, ".nii.gz"), space.template_brain, codes=codes)
        text(suffix, mask_sidecar(space.template_brain, name))
    return written
