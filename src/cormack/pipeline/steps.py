"""The steps that a head CT or MR goes through, from what was found on disk to the text of its report."""

from __future__ import annotations

import resource
import sys
from datetime import UTC, datetime

from cormack.core.labels import LabelMap
from cormack.core.measures import ScanMeasures
from cormack.core.provenance import Provenance, software_versions
from cormack.core.volume import SliceStack, Unit, Volume
from cormack.extract.masking import apply_mask
from cormack.imaging import condition as conditioning
from cormack.imaging.condition import HU_RANGE
from cormack.measure.scan import measure_scan
from cormack.pipeline.bias_field import grid_steps
from cormack.pipeline.grids import GRID_STEPS, Grids
from cormack.pipeline.load import Located
from cormack.pipeline.masks import BRAIN_STEP, HEAD_STEP
from cormack.pipeline.options import OUTSIDE_TEXT, RunOptions
from cormack.pipeline.runner import Step
from cormack.pipeline.space import BRAIN_SPACE_STEP, HEAD_SPACE_STEP, InSpace
from cormack.pipeline.structures_of_run import StructuresOfRun
from cormack.report.content import Processing, ReportContent
from cormack.report.html import render_report


def brain_volume(grids: Grids, brain: LabelMap, options: RunOptions) -> Volume:
    """Mask the volume with the brain."""
    return apply_mask(grids.volume, brain, outside=options.outside)


def measures(
    conditioned: conditioning.Conditioned | SliceStack, grids: Grids, head: LabelMap, brain: LabelMap
) -> ScanMeasures:
    """Measure and look for what is suspicious."""
    stack = conditioned if isinstance(conditioned, SliceStack) else conditioned.source
    return measure_scan(grids.volume, head, brain, measured=grids.rectified.measured, stack=stack)


def structures(grids: Grids, brain: LabelMap, options: RunOptions) -> StructuresOfRun:
    """Find the structures of a CT or the hippocampi of an MR, unless they are not wanted."""
    if not options.structures:
        return StructuresOfRun()
    # What finds structures takes a while to import; runs without them do without.
    if grids.volume.unit is Unit.ARBITRARY:
        from cormack.pipeline.hippocampus_run import find_hippocampi

        return find_hippocampi(grids)
    from cormack.pipeline.neuroanatomy_run import find_neuroanatomy

    return find_neuroanatomy(grids, brain)


def report(
    located: Located,
    grids: Grids,
    head: LabelMap,
    brain: LabelMap,
    measures: ScanMeasures,
    options: RunOptions,
    provenance: Provenance,
    subject: str,
    space: InSpace | None,
    structures: StructuresOfRun,
) -> str:
    """Write the report's page."""
    processing = Processing(
        source=located.kind,
        winsorised_hu=HU_RANGE if grids.volume.unit is Unit.HU else None,
        interpolation=grids.facts.interpolation,
        padding_hu=grids.facts.padding,
        brain_method=options.method,
        outside=OUTSIDE_TEXT[located.modality][options.outside],
        cormack_units=options.cormack_units,
        bias_field_correction=grids.facts.bias_field_correction,
    )
    titles = {"locate": "Finding the scan", **{step.gives: step.title for step in steps_of(options)}}
    return render_report(
        ReportContent(
            subject=subject,
            volume=grids.volume,
            head=head,
            brain=brain,
            measures=measures,
            selection=located.selection,
            findings=(
                *grids.facts.findings,
                *brain.findings,
                *(() if space is None else space.findings),
                *structures.findings,
            ),
            stack=grids.facts.stack,
            processing=processing,
            versions=software_versions(),
            seconds={titles.get(step, step): seconds for step, seconds in provenance.seconds.items()},
            peak_memory_mb=peak_memory_mb(),
            template_brain=None if space is None else space.template_brain,
            registration=() if space is None else space.key_rows,
            structures=None if structures.found is None else structures.found.content(),
            no_structures=structures.reason,
            created=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        )
    )


def peak_memory_mb() -> float:
    """Largest resident memory of this process so far, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


RUN_STEPS = (
    *GRID_STEPS,
    HEAD_STEP,
    BRAIN_STEP,
    Step("brain_volume", "Masking", brain_volume),
    Step("measures", "Measuring", measures),
    Step("structures", "Finding structures", structures),
    Step("report", "Writing the report", report),
)


def steps_of(options: RunOptions) -> tuple[Step, ...]:
    """The steps of a run: with N4 after the grid's, and into a template's space around the brain's, where asked for."""
    steps = [*grid_steps(options), *RUN_STEPS[len(GRID_STEPS) :]]
    if options.space is None:
        return tuple(steps)
    place = steps.index(BRAIN_STEP)
    if options.space.before_brain:
        steps.insert(place, HEAD_SPACE_STEP)
    else:
        steps.insert(place + 1, BRAIN_SPACE_STEP)
    return tuple(steps)
