"""Structures of a scan: a label map, the table of its labels, their volumes, and a picture."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from cormack.core.errors import InputError, OutputError
from cormack.core.labels import LabelMap
from cormack.core.provenance import Provenance
from cormack.core.volume import AnyArray, FloatArray, Volume
from cormack.dicom.rules import DEFAULT_RULES, SelectionRules
from cormack.files.label_tables import write_label_table
from cormack.files.nifti import write_labels, write_volume
from cormack.files.outputs import OutputSet, check_apart, check_writable
from cormack.files.sidecar import to_json
from cormack.imaging.orient import axis_codes, reorient
from cormack.imaging.reslice import reslice
from cormack.imaging.sample import label_sampler
from cormack.imaging.windows import WINDOWS, auto_window
from cormack.pipeline.convert import check_target, stem
from cormack.pipeline.grids import GRID_STEPS, Grids
from cormack.pipeline.load import locate
from cormack.pipeline.neuroanatomy_segment import NEUROANATOMY_STEPS
from cormack.pipeline.options import LoadOptions
from cormack.pipeline.progress import Progress, Silent
from cormack.pipeline.runner import Step, run_steps
from cormack.pipeline.sidecars import segmentation_sidecar
from cormack.report.label_picture import CHEST_WINDOW, label_picture
from cormack.segment.segmentation import Segmentation
from cormack.segment.tasks import TASKS, Task

#: Which series of a DICOM folder is taken, by the region of a task.
REGION_RULES = {
    "head": DEFAULT_RULES,
    "chest": replace(
        DEFAULT_RULES,
        other_parts=(),
        min_extent_mm=200.0,
        preferences=tuple(
            name
            for name in DEFAULT_RULES.preferences
            if name not in ("head-in-image", "whole-head", "head-sized", "no-contrast")
        ),
    ),
}
#: Windows of pictures, by the region of a task.
REGION_WINDOWS = {"head": WINDOWS["brain"], "chest": CHEST_WINDOW}
#: Steps of the tasks that need more than a volume, from what was found on disk on; the last gives `segmentation`.
STEPS: Mapping[str, tuple[Step, ...]] = {"neuroanatomy": NEUROANATOMY_STEPS}


@dataclass(frozen=True)
class SegmentOptions:
    """How structures are found and what is written.

    Parameters
    ----------
    load : LoadOptions
        Rules other than the default ones replace those of the task's region.
    method : str or None
        One of the task's methods; its first if None.
    picture : Path or None
        A PNG with sections of the scan and its labels.
    own : mapping of str to bool or Path
        What the task alone offers, by the names of `Task.options`.
    """

    load: LoadOptions = field(default_factory=LoadOptions)
    method: str | None = None
    picture: Path | None = None
    own: Mapping[str, Any] = field(default_factory=dict)


def segment_structures(
    source: Path,
    out: Path,
    task: str,
    options: SegmentOptions = SegmentOptions(),
    *,
    progress: Progress | None = None,
) -> Segmentation:
    """Write the label map of a task with its table of labels (`.tsv`) and a JSON sidecar with volumes.

    The labels lie on the rectified grid of a DICOM series, and on the very voxels of a NIfTI file.

    Parameters
    ----------
    source : Path
        DICOM folder, file or archive, or NIfTI file.
    out : Path
        `….nii.gz` or `….nii`.
    task : str
        A key of `cormack.segment.tasks.TASKS`, such as "lungs".
    options : SegmentOptions
    progress : Progress, optional

    Returns
    -------
    Segmentation
        The labels as written; the findings of reading the scan come first.

    Raises
    ------
    CormackError
        If the input or output cannot be used, or the structures are not in view.
    """
    listener = progress or Silent()
    if task not in TASKS:
        raise InputError(f"task {task!r}: known tasks are {', '.join(TASKS)}")
    chosen = TASKS[task]
    method = options.method or chosen.default_method
    further = _further_outputs(chosen, options.own)
    _check_outputs(source, out, options.picture, further)
    load = replace(_with_rules(options.load, REGION_RULES[chosen.region]), modality=chosen.modality)
    located = locate(source, load, listener)
    given = {"located": located, "load_options": load, "progress": listener, "method": method, "own": options.own}
    keep = {"segmentation", "grids"} | ({"loaded"} if located.kind == "NIfTI" else set())
    with closing(located):
        results = run_steps(_steps(chosen), given, keep=keep, provenance=Provenance(), progress=listener)
    grids: Grids = results["grids"]
    found: Segmentation = results["segmentation"]
    listener.step("Writing files")
    window = auto_window(grids.volume) if chosen.modality == "MR" else REGION_WINDOWS[chosen.region]
    picture = None if options.picture is None else label_picture(grids.volume, found.labels, window)
    native = None if located.kind == "DICOM" else results["loaded"].stack.to_volume()
    labels = found.labels if native is None else _onto_input(found.labels, native)
    written = replace(found, labels=labels, findings=(*grids.facts.findings, *found.findings))
    codes = grids.facts.orientation
    with OutputSet(out.parent) as outputs:
        write_labels(outputs.part(out.name), labels, codes=codes)
        write_label_table(outputs.part(stem(out) + ".tsv"), labels.table)
        outputs.write_text(stem(out) + ".json", to_json(segmentation_sidecar(written, task, method, grids.facts)))
        for name, path in further.items():
            _write_map(outputs.part(path.resolve()), found.maps[name], native, codes)
        if picture is not None and options.picture is not None:
            outputs.part(options.picture.resolve()).write_bytes(picture)
    return written


def _steps(task: Task) -> tuple[Step, ...]:
    """What is done for a task, from what was found on disk to its segmentation."""
    if task.name in STEPS:
        return STEPS[task.name]

    def segment(grids: Grids, method: str) -> Segmentation:
        return task.load()(grids.volume, method=method)

    return (*GRID_STEPS, Step("segmentation", f"Segmenting: {task.name}", segment))


def _further_outputs(task: Task, own: Mapping[str, Any]) -> dict[str, Path]:
    """The files that the task's own options ask for, by the names of these."""
    known = {option.name: option for option in task.options}
    unknown = sorted(set(own) - set(known))
    if unknown:
        offered = ", ".join(known) or "none"
        raise InputError(f"task {task.name} has no option {unknown[0]!r}; it has {offered}")
    return {name: Path(value) for name, value in own.items() if known[name].output and value is not None}


def _write_map(part: Path, image: Volume | LabelMap, native: Volume | None, codes: str) -> None:
    """Write a further map on the grid of the labels."""
    if isinstance(image, LabelMap):
        write_labels(part, image if native is None else _onto_input(image, native), codes=codes)
    else:
        write_volume(part, image if native is None else reslice(image, native.affine, native.shape), codes=codes)


def _check_outputs(source: Path, out: Path, picture: Path | None, further: Mapping[str, Path]) -> None:
    for target in (out, *further.values()):
        check_target(source, target)
    if picture is None:
        return
    if picture.suffix.lower() != ".png" or picture.is_dir():
        raise OutputError(f"{picture}: the picture must be a file that ends in .png")
    check_apart(source, picture)
    check_writable(picture.parent)


def _with_rules(load: LoadOptions, rules: SelectionRules) -> LoadOptions:
    """The user's own rules, or else those of the region."""
    return load if load.rules != DEFAULT_RULES else replace(load, rules=rules)


def _onto_input(labels: LabelMap, native: Volume) -> LabelMap:
    """The labels on the voxels of the file they were made from; the nearest ones where these are sheared."""
    data, affine = reorient(labels.data, labels.affine, axis_codes(native.affine))
    if data.shape != native.shape or not np.allclose(affine, native.affine, atol=1e-3):
        data = _nearest(labels, native.affine, native.shape)
    return replace(labels, data=data, affine=native.affine)


def _nearest(labels: LabelMap, affine: FloatArray, shape: tuple[int, int, int]) -> AnyArray:
    """The nearest label at each voxel of another grid, 0 beyond the first one; slice by slice."""
    sample = label_sampler(labels.data, 0)
    to_labels = np.linalg.inv(labels.affine) @ affine
    data = np.zeros(shape, dtype=labels.data.dtype, order="F")
    i, j = np.meshgrid(np.arange(shape[0]), np.arange(shape[1]), indexing="ij")
    last = np.array(labels.data.shape)[:, None] - 1
    for k in range(shape[2]):
        ijk = np.stack([i.ravel(), j.ravel(), np.full(i.size, k)])
        voxels = to_labels[:3, :3] @ ijk + to_labels[:3, 3:]
        inside = ((voxels >= -0.5) & (voxels <= last + 0.5)).all(axis=0)
        plane = np.zeros(i.size, dtype=data.dtype)
        plane[inside] = sample(np.clip(voxels[:, inside], 0, last))
        data[:, :, k] = plane.reshape(shape[:2])
    return data
