"""One result alone: the converted volume, or a mask."""

from __future__ import annotations

from contextlib import closing
from enum import StrEnum
from pathlib import Path

import numpy as np

from cormack.core.errors import InputError, OutputError, ValuesError
from cormack.core.findings import Finding
from cormack.core.provenance import Provenance
from cormack.core.volume import SliceStack, Unit
from cormack.files.nifti import is_nifti, write_planes, write_uneven, write_volume
from cormack.files.outputs import OutputSet, check_apart, check_writable
from cormack.files.sidecar import to_json
from cormack.imaging.condition import check_hounsfield
from cormack.imaging.rectify import Rectification
from cormack.imaging.units import hu_to_cormack, to_unit
from cormack.pipeline.grids import PLAN_STEPS
from cormack.pipeline.load import Loaded, locate
from cormack.pipeline.options import LoadOptions
from cormack.pipeline.progress import Progress, Silent
from cormack.pipeline.runner import run_steps
from cormack.pipeline.sidecars import grid_sidecar, native_sidecar, unit_fields


class Target(StrEnum):
    """Which grid to convert to."""

    RECTIFIED = "rectified"
    NATIVE = "native"
    BOTH = "both"


def convert(
    source: Path,
    out: Path,
    options: LoadOptions = LoadOptions(),  # noqa: B008  (frozen)
    *,
    target: Target = Target.RECTIFIED,
    unit: Unit = Unit.HU,
    source_uids: bool = False,
    progress: Progress | None = None,
) -> tuple[Finding, ...]:
    """Write a scan as NIfTI with a JSON sidecar; returns what was noticed.

    Parameters
    ----------
    source : Path
        DICOM folder, file or archive, or NIfTI file.
    out : Path
        `….nii.gz` or `….nii`. With `Target.BOTH` the native slices get `_native` before the ending.
    options : LoadOptions
    target : Target
        The native grid keeps the values as stored, padding included.
    unit : Unit
        HU or Cormack units, for the rectified grid of a CT; values of an MR stay as they are.
    source_uids : bool
        Name the SOPInstanceUID of every native slice in the sidecar: identifiers, to whoever holds the archive.
    progress : Progress, optional

    Raises
    ------
    CormackError
        If the input or output cannot be used.
    """
    listener = progress or Silent()
    check_target(source, out)
    located = locate(source, options, listener)
    given = {"located": located, "load_options": options, "progress": listener}
    steps = PLAN_STEPS[:1] if target is Target.NATIVE else PLAN_STEPS
    keep = {"loaded"} if target is Target.NATIVE else {"loaded", "planned"}
    with closing(located):
        results = run_steps(steps, given, keep=keep, provenance=Provenance(), progress=listener)
    loaded: Loaded = results["loaded"]
    if unit is Unit.CORMACK and loaded.stack.unit is not Unit.HU:
        raise ValuesError("only a CT has Cormack units; the series chosen is no CT: leave out --unit")
    uids = {"SOPInstanceUIDs": list(loaded.stack.sop_instance_uids)} if source_uids else {}
    findings = loaded.findings
    listener.step("Writing files")
    with OutputSet(out.parent) as outputs:
        if target is not Target.RECTIFIED:
            path = out.with_name(stem(out) + "_native" + _ending(out)) if target is Target.BOTH else out
            codes = loaded.orientation if located.kind == "NIfTI" else None
            _write_native(outputs.part(path.name), loaded.stack, codes)
            outputs.write_text(stem(path) + ".json", to_json({**native_sidecar(loaded), **uids}))
        if target is not Target.NATIVE:
            planned, facts = results["planned"]
            findings = facts.findings
            _write_rectified(outputs.part(out.name), planned, facts.orientation, unit)
            units = unit_fields(unit if facts.unit is Unit.HU else facts.unit)
            outputs.write_text(stem(out) + ".json", to_json({**grid_sidecar(facts), **units, **uids}))
    return findings


def convert_units(
    source: Path, out: Path, unit: Unit, *, assume_mm: bool = False, progress: Progress | None = None
) -> None:
    """Convert a NIfTI volume between Hounsfield and Cormack units, on its own grid.

    Raises
    ------
    CormackError
        If the input is not a 3-D NIfTI volume or the output cannot be written.
    """
    listener = progress or Silent()
    check_target(source, out)
    if not is_nifti(source):
        raise InputError(f"{source}: give a NIfTI file; DICOM is converted by `cormack convert --unit cormack`")
    located = locate(source, LoadOptions(assume_mm=assume_mm), listener)
    listener.step("Converting")
    loaded = located.load(listener)
    volume = loaded.stack.to_volume()
    given = Unit.HU if unit is Unit.CORMACK else Unit.CORMACK
    if given is Unit.HU:
        check_hounsfield(volume.data)
    with OutputSet(out.parent) as outputs:
        converted = to_unit(
            volume.with_data(volume.data, unit=given, outside=0.0 if given is Unit.CORMACK else -1024.0), unit
        )
        write_volume(outputs.part(out.name), converted, codes=loaded.orientation)
        outputs.write_text(stem(out) + ".json", to_json(unit_fields(unit)))


def check_target(source: Path, out: Path) -> None:
    """Refuse an output that is no NIfTI name, lies in the input, or stands where a folder is.

    Raises
    ------
    OutputError
        Saying which.
    """
    if not is_nifti(out):
        raise OutputError(f"{out}: the output must end in .nii.gz or .nii")
    if out.is_dir():
        raise OutputError(f"{out}: a folder stands there; give the name of a file")
    check_apart(source, out)
    check_writable(out.parent)


def _write_rectified(path: Path, planned: Rectification, codes: str, unit: Unit) -> None:
    """Write plane by plane where the slices allow it, so that the volume need not be in memory."""
    streamed = planned.planes(codes)
    if streamed is None:
        volume = planned.volume().volume
        write_volume(path, to_unit(volume, unit) if volume.unit is Unit.HU else volume, codes=codes)
        return
    affine, shape, planes = streamed
    if unit is Unit.CORMACK:
        planes = (np.rint(hu_to_cormack(plane)).astype(np.int16) for plane in planes)
    write_planes(path, planes, shape, planned.slices.dtype, affine)


def _write_native(path: Path, stack: SliceStack, codes: str | None) -> None:
    if stack.affine is None:
        write_uneven(path, stack)
    else:
        write_volume(path, stack.to_volume(), codes=codes)


def stem(path: Path) -> str:
    """File name without its NIfTI ending."""
    return path.name[: -len(_ending(path))]


def _ending(path: Path) -> str:
    return ".nii.gz" if path.name.lower().endswith(".nii.gz") else ".nii"
