"""Finding a scan, whatever it comes as, before anything is decoded: DICOM folder, file or archive, or NIfTI."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from cormack.core.errors import InputError
from cormack.core.findings import Finding
from cormack.core.volume import SliceStack
from cormack.files.nifti import is_nifti, read_stack
from cormack.pipeline.modality import as_modality, choose_series, modality_of_sidecar, modality_of_values
from cormack.pipeline.options import LoadOptions
from cormack.pipeline.progress import Progress

_BLOCK_BYTES = 1 << 20
#: Reasons for which the inventory skips a file that may be an image.
UNREADABLE = ("unreadable file", "unreadable folder", "damaged DICOM file", "archive that cannot be opened")


@dataclass(frozen=True, eq=False)
class Loaded:
    """A scan decoded: native slices with values as stored, and what reading it noticed.

    Attributes
    ----------
    stack : SliceStack
        HU of a CT, values of no unit of an MR; padding included.
    padding_hu : tuple of float
        Padding values that the header states, in values of the stack.
    findings : tuple of Finding
    missing_slices : int
    orientation : str
        Axis directions in which results are written: those of a NIfTI input, so that they lie on its voxels, or RAS.
    """

    stack: SliceStack
    padding_hu: tuple[float, ...] = ()
    findings: tuple[Finding, ...] = ()
    missing_slices: int = 0
    orientation: str = "RAS"


@dataclass(frozen=True, eq=False)
class Located:
    """A scan found but not decoded.

    Attributes
    ----------
    kind : "DICOM" or "NIfTI"
    modality : str
        As DICOM says it: "CT", "MR".
    selection : tuple of str
        One sentence per series: why it was taken or not. Empty for NIfTI.
    hash_files : callable
        Gives the SHA-256 of every file that the scan consists of, in a stable order; may be called until `close`.
    load : callable
        Decodes the scan; may be called until `close`.
    close : callable
        Gives back what is held open (an archive).
    """

    kind: str
    modality: str
    selection: tuple[str, ...]
    hash_files: Callable[[], tuple[str, ...]]
    load: Callable[[Progress], Loaded]
    close: Callable[[], None] = lambda: None

    @cached_property
    def hashes(self) -> tuple[str, ...]:
        """SHA-256 of every file, computed when first asked for."""
        return self.hash_files()

    @property
    def fingerprint(self) -> str:
        """One SHA-256 over all files."""
        return hashlib.sha256("\n".join(self.hashes).encode()).hexdigest()


def locate(path: Path, options: LoadOptions, progress: Progress) -> Located:
    """Find the scan to work on.

    Parameters
    ----------
    path : Path
        A folder with DICOM files (nested, any names), one DICOM file, a zip or tar of them, or a NIfTI file.
    options : LoadOptions
    progress : Progress

    Raises
    ------
    InputError
        If nothing is there, or nothing usable; see `cormack.core.errors` for the kinds.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file or folder")
    if is_nifti(path) and path.is_file():
        return _locate_nifti(path, options)
    if path.is_dir():
        _refuse_nifti_folder(path)
    return _locate_dicom(path, options, progress)


def _locate_dicom(path: Path, options: LoadOptions, progress: Progress) -> Located:
    # A NIfTI file is read without pydicom, which takes a quarter of a second to import.
    from cormack.dicom.assemble import assemble
    from cormack.dicom.inventory import take_inventory
    from cormack.dicom.source import open_source

    progress.step("Reading headers")
    source = open_source(path)
    try:
        inventory = take_inventory(source, on_progress=progress.advance)
        selection = choose_series(inventory, options)
    except BaseException:
        source.close()
        raise

    def load(listener: Progress) -> Loaded:
        assembly = assemble(selection.entry, on_progress=listener.advance)
        geometry = selection.entry.geometry
        missing = sum(gap.missing for gap in geometry.gaps) if geometry else 0
        findings = (*unreadable_files(inventory.skipped), *selection.findings, *assembly.findings)
        return Loaded(assembly.stack, assembly.padding_hu, findings, missing)

    def hash_files() -> tuple[str, ...]:
        files = {instance.item for instance in selection.entry.instances}
        return tuple(sorted(hashlib.sha256(source.read(source.items[number])).hexdigest() for number in files))

    lines = tuple(str(verdict) for verdict in selection.verdicts)
    for line in lines:
        progress.note(line)
    return Located("DICOM", selection.entry.modality, lines, hash_files, load, source.close)


def unreadable_files(skipped: Mapping[str, int]) -> tuple[Finding, ...]:
    """A warning if files were skipped that may hold images of the scan: damaged ones, and those that cannot be read."""
    counts = {reason: count for reason, count in skipped.items() if reason in UNREADABLE}
    if not counts:
        return ()
    told = ", ".join(f"{count} x {reason}" for reason, count in sorted(counts.items()))
    return (Finding("files-unreadable", f"files that may belong to the scan could not be read: {told}", counts),)


def _locate_nifti(path: Path, options: LoadOptions) -> Located:
    if options.series is not None:
        raise InputError(f"{path}: a series can be chosen from DICOM only, not from a NIfTI file")

    read = partial(read_stack, path, assume_mm=options.assume_mm)
    modality = options.modality if options.modality != "auto" else modality_of_sidecar(path)
    # Where nothing but the values tells, they are read now, and not once more.
    held = [] if modality else [read()]
    known = modality or modality_of_values(held[0][0])

    def load(listener: Progress) -> Loaded:
        stack, codes = held.pop() if held else read()
        return Loaded(as_modality(stack, known), orientation=codes)

    return Located("NIfTI", known, (), lambda: (file_sha256(path),), load)


def _refuse_nifti_folder(path: Path) -> None:
    """Say what to do with a folder that holds NIfTI files and nothing else."""
    names = [entry for entry in path.iterdir() if entry.is_file()] if _listable(path) else []
    volumes = [entry for entry in names if is_nifti(entry)]
    if volumes and len(volumes) == len(names):
        raise InputError(
            f"{path}: a folder of {len(volumes)} NIfTI file(s) without DICOM; give one of the files, or a BIDS data "
            "set (sub-*/ct/sub-*_ct.nii.gz with dataset_description.json)"
        )


def _listable(path: Path) -> bool:
    try:
        next(path.iterdir(), None)
    except OSError:
        return False
    return True


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's bytes.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as f:
            while block := f.read(_BLOCK_BYTES):
                digest.update(block)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check its permissions") from error
    return digest.hexdigest()
