"""One mask alone."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np

from cormack.core.findings import Finding
from cormack.core.labels import LabelMap
from cormack.core.provenance import Provenance
from cormack.core.volume import SliceStack, Unit, Volume
from cormack.extract.methods import WITHOUT_HEAD
from cormack.files.nifti import write_labels
from cormack.files.outputs import OutputSet
from cormack.files.sidecar import to_json
from cormack.imaging.orient import axis_codes, reorient
from cormack.imaging.reslice import reslice
from cormack.measure.boxes import region as region_of
from cormack.measure.coverage import brain_findings, edge_contact
from cormack.pipeline.bias_field import grid_steps
from cormack.pipeline.convert import check_target, stem
from cormack.pipeline.grids import Grids
from cormack.pipeline.load import locate
from cormack.pipeline.masks import BRAIN_ALONE_STEP, BRAIN_STEP, HEAD_STEP
from cormack.pipeline.options import RunOptions, check_options
from cormack.pipeline.progress import Progress, Silent
from cormack.pipeline.runner import run_steps
from cormack.pipeline.sidecars import mask_sidecar


def extract_mask(
    source: Path,
    out: Path,
    region: str,
    options: RunOptions = RunOptions(),  # noqa: B008  (frozen)
    *,
    progress: Progress | None = None,
) -> tuple[LabelMap, tuple[Finding, ...]]:
    """Write the mask of the head or the brain with a JSON sidecar; returns the mask and what was noticed.

    The mask lies on the rectified grid of a DICOM series, and on the very voxels of a NIfTI file.

    Parameters
    ----------
    source : Path
    out : Path
        `….nii.gz` or `….nii`.
    region : "head" or "brain"
    options : RunOptions
    progress : Progress, optional

    Raises
    ------
    CormackError
        If the input or output cannot be used, or the region cannot be found.
    """
    listener = progress or Silent()
    check_target(source, out)
    located = locate(source, options.load, listener)
    if region == "brain":
        check_options(options, located.modality)
    given = {"located": located, "load_options": options.load, "options": options, "progress": listener}
    wanted = (HEAD_STEP,) if region == "head" else (HEAD_STEP, BRAIN_STEP)
    if region == "brain" and options.method in WITHOUT_HEAD:
        wanted = (BRAIN_ALONE_STEP,)
    steps = (*grid_steps(options), *wanted)
    keep = {region, "grids"} | ({"loaded"} if located.kind == "NIfTI" else set())
    with closing(located):
        results = run_steps(steps, given, keep=keep, provenance=Provenance(), progress=listener)
    grids: Grids = results["grids"]
    mask: LabelMap = results[region]
    # What is cut off is told of the brain alone: where a head ends is a matter of taste.
    cut = brain_cut(grids, mask) if region == "brain" else ()
    if located.kind == "NIfTI":
        mask = _onto_input(mask, results["loaded"].stack)
    listener.step("Writing files")
    with OutputSet(out.parent) as outputs:
        write_labels(outputs.part(out.name), mask, codes=grids.facts.orientation)
        outputs.write_text(stem(out) + ".json", to_json(mask_sidecar(mask)))
    return mask, (*grids.facts.findings, *mask.findings, *cut)


def brain_cut(grids: Grids, brain: LabelMap) -> tuple[Finding, ...]:
    """Warnings where the field of view cuts the brain."""
    contact = edge_contact(grids.volume, region_of(grids.volume, brain), grids.rectified.measured)
    return brain_findings(contact)


def _onto_input(mask: LabelMap, stack: SliceStack) -> LabelMap:
    """The mask on the voxels of the file it was made from; exact unless these are sheared."""
    native = stack.to_volume()
    data, affine = reorient(mask.data, mask.affine, axis_codes(native.affine))
    if data.shape == native.shape and np.allclose(affine, native.affine, atol=1e-3):
        return replace(mask, data=data, affine=native.affine)
    grid = Volume(mask.data.astype(np.float32), mask.affine, unit=Unit.PROBABILITY, outside=0.0)
    shares = reslice(grid, native.affine, native.shape).data
    return replace(mask, data=(shares >= 0.5).astype(np.uint8), affine=native.affine)
