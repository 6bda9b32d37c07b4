"""The way back to the archive: a mask, label map or volume as a derived DICOM series on the slices it came from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cormack.core.errors import InputError, OutputError
from cormack.core.findings import Finding
from cormack.dicom.derive import native_slices, write_derived_series
from cormack.dicom.inventory import take_inventory
from cormack.dicom.select import select_series
from cormack.dicom.source import open_source
from cormack.files.nifti import is_nifti
from cormack.files.outputs import check_apart, check_writable
from cormack.imaging.native import to_native
from cormack.imaging.windows import Window
from cormack.pipeline.images import Kind, read_image
from cormack.pipeline.options import LoadOptions
from cormack.pipeline.progress import Progress, Silent


@dataclass(frozen=True)
class NativeExport:
    """What was written.

    Attributes
    ----------
    folder : Path
    kind : Kind
        As what the file was taken.
    slices, filled : int
        Slices in all, and those that hold a label or lie within the volume.
    findings : tuple of Finding
        What reading the DICOM noticed.
    """

    folder: Path
    kind: Kind
    slices: int
    filled: int
    findings: tuple[Finding, ...]


def write_native(
    volume: Path,
    source: Path,
    out: Path,
    options: LoadOptions = LoadOptions(),  # noqa: B008  (frozen)
    *,
    kind: Kind = Kind.AUTO,
    description: str | None = None,
    window: Window | None = None,
    progress: Progress | None = None,
) -> NativeExport:
    """Write a NIfTI mask, label map or volume as a derived DICOM series on the native slices of a scan.

    Every slice has the geometry of its source slice and refers to its SOPInstanceUID. The series belongs to the
    patient and the study of the source: it carries their identifiers, as an archive needs them.

    Parameters
    ----------
    volume : Path
        `….nii.gz` or `….nii`, on any grid in the patient space of the scan.
    source : Path
        DICOM folder, file or archive.
    out : Path
        A folder that appears whole or not at all; must not exist, or be empty.
    options : LoadOptions
        `series`, `rules` and `assume_mm` count.
    kind : Kind
        By itself: labels if the numbers are whole, from 0 upwards, and at most 200 different ones.
    description : str, optional
        SeriesDescription.
    window : Window, optional
        How viewers show it at first.
    progress : Progress, optional

    Raises
    ------
    CormackError
        If the input or output cannot be used, or the volume does not overlap the series.
    """
    listener = progress or Silent()
    _check_paths(volume, source, out)
    listener.step("Reading headers")
    with open_source(source) as files:
        inventory = take_inventory(files, on_progress=listener.advance)
        selection = select_series(inventory, options.series, rules=options.rules)
        listener.step("Reading the volume")
        found = read_image(volume, kind, assume_mm=options.assume_mm)
        listener.step("Resampling to the native slices")
        stack = to_native(found.image, native_slices(selection.entry))
        listener.step("Writing files")
        named = description or f"Cormack: {found.kind} on the native slices"
        write_derived_series(stack, selection.entry, out, description=named, window=window)
    filled = np.any(stack.data != stack.outside, axis=(0, 1))
    return NativeExport(out, found.kind, len(filled), int(np.count_nonzero(filled)), selection.findings)


def _check_paths(volume: Path, source: Path, out: Path) -> None:
    if not is_nifti(volume):
        raise InputError(f"{volume}: give a NIfTI file (.nii.gz or .nii) with the mask or volume to bring back")
    if is_nifti(source) and source.is_file():
        raise InputError(
            f"{source}: give the DICOM that the volume came from; a NIfTI file has no slices to go back to"
        )
    check_apart(source, out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputError(f"{out} exists and is not an empty folder; name a new one or remove it")
    check_writable(out.parent)
