"""Voxels and places beside dcm2niix and SimpleITK (GDCM), series by series, on the shared real data.

    CORMACK_SHARED=../shared python benchmarks/agreement.py [--all]

Every CT and MR series of `head_ct` and `dicom_edge` that makes a stack is read three times. Voxels are compared after
axes were turned round as each program's own affine says. `mm` is the greatest distance between the place that Cormack
gives a corner of a slice (from that slice's own header) and the place that the other program's affine gives it.
`--all` adds series of one slice. `tests/dicom/test_against_oracles.py` holds the same functions to what is explained
in `docs/explanation/compared-with-dcm2niix.md`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import numpy.typing as npt
import SimpleITK
from nibabel.orientations import apply_orientation, inv_ornt_aff, io_orientation

from cormack.core.errors import CormackError
from cormack.core.volume import SliceStack
from cormack.dicom.assemble import assemble
from cormack.dicom.geometry import EQUAL_SPACING_MM
from cormack.dicom.inventory import SeriesEntry, take_inventory
from cormack.dicom.source import open_source

DCM2NIIX = shutil.which("dcm2niix", path=str(Path(sys.executable).parent)) or shutil.which("dcm2niix")
#: Programs that are compared place a corner alike when they agree to this: headers and float32 affines round so far.
SAME_PLACE_MM = 0.01
#: float32 keeps seven digits of a rescaled value; whole numbers must be equal.
SAME_VALUE = 1e-6


@dataclass(frozen=True)
class Other:
    """What another program made of a series: its voxels, their affine to RAS+ mm, and that of the qform (NIfTI)."""

    data: npt.NDArray[np.generic]
    affine: npt.NDArray[np.float64]
    qform: npt.NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Agreement:
    """How far another program is from Cormack; `worst` is 0 where every voxel is equal."""

    worst: float
    place_mm: float
    reason: str
    qform_mm: float = float("nan")

    @property
    def equal(self) -> bool:
        """True if voxels and places are the same."""
        return self.worst == 0 and self.place_mm <= SAME_PLACE_MM


def data_root() -> Path:
    """The shared data."""
    return Path(os.environ.get("CORMACK_SHARED") or Path(__file__).resolve().parents[2] / "shared") / "data"


def series_of(root: Path, least: int = 2) -> Iterator[tuple[str, SeriesEntry]]:
    """Name and entry of each CT or MR series of grey images that makes a stack.

    Copies of one series in other transfer syntaxes lie in folders of their own, or are single multi-frame files: each
    is taken by itself.
    """
    for collection in ("head_ct", "dicom_edge"):
        files = sorted(p for p in (root / collection).rglob("*") if p.is_file())
        folders = sorted({p.parent for p in files if "reference" not in p.parts})
        for folder in folders:
            alone = "dicom-test-files" in folder.parts
            for path in sorted(folder.iterdir()) if alone else [folder]:
                yield from _entries(root, path, least)


def _entries(root: Path, path: Path, least: int) -> Iterator[tuple[str, SeriesEntry]]:
    name = str(path.relative_to(root)).replace("dicom_edge/dicom2nifti/tests/data/", "")
    name = name.replace("dicom_edge/dicom-test-files/data/", "").replace("head_ct/", "")
    try:
        with open_source(path) as source:
            entries = take_inventory(source).series
    except CormackError:
        return
    stacks = [
        e
        for e in entries
        if e.modality in ("CT", "MR") and e.first.samples == 1 and e.geometry is not None and e.n_slices >= least
    ]
    for entry in stacks:
        yield (f"{name} #{entry.number}" if len(stacks) > 1 else name), entry


def link_files(entry: SeriesEntry, folder: Path) -> None:
    """A folder that holds the files of one series and nothing else."""
    folder.mkdir(parents=True)
    for item in sorted({instance.item for instance in entry.instances}):
        (folder / f"{item:05d}.dcm").symlink_to(Path(entry.source.items[item].where).resolve())


def by_dcm2niix(folder: Path, out: Path, *options: str) -> dict[str, Other]:
    """Volumes that dcm2niix writes, by suffix ("" for the uncorrected stack)."""
    if DCM2NIIX is None:
        return {}
    out.mkdir(parents=True)
    command = [DCM2NIIX, "-z", "n", "-b", "n", "-f", "out", *options, "-o", str(out), str(folder)]
    subprocess.run(command, check=False, capture_output=True)
    images = {path.stem.removeprefix("out"): nib.load(path) for path in sorted(out.glob("*.nii"))}
    return {
        suffix: Other(np.asanyarray(image.dataobj), image.get_sform(), image.get_qform())
        for suffix, image in images.items()
    }


def by_simpleitk(folder: Path) -> Other | None:
    """The volume that SimpleITK's series reader (GDCM) makes; None where it makes none."""
    SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
    names = SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder))
    if not names:
        return None
    try:
        image = _read(SimpleITK.ImageSeriesReader() if len(names) > 1 else SimpleITK.ImageFileReader(), names)
    except RuntimeError:
        return None
    affine = np.eye(4)
    affine[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
    affine[:3, 3] = image.GetOrigin()
    return Other(SimpleITK.GetArrayFromImage(image).transpose(2, 1, 0), np.diag([-1, -1, 1, 1]) @ affine)


def _read(reader: SimpleITK.ImageReaderBase, names: tuple[str, ...]) -> SimpleITK.Image:
    reader.SetImageIO("GDCMImageIO")
    if isinstance(reader, SimpleITK.ImageSeriesReader):
        reader.SetFileNames(names)
    else:
        reader.SetFileName(names[0])
    return reader.Execute()


def straight_affine(stack: SliceStack) -> npt.NDArray[np.float64]:
    """The affine of the stack by the mean step between slices; exact only where `stack.affine` is not None."""
    affine = np.eye(4)
    n = len(stack.origins)
    affine[:3, 0], affine[:3, 1], affine[:3, 3] = stack.step_i, stack.step_j, stack.origins[0]
    affine[:3, 2] = (stack.origins[-1] - stack.origins[0]) / (n - 1) if n > 1 else stack.normal
    return affine


def expected_of_dcm2niix(stack: SliceStack) -> npt.NDArray[np.float64]:
    """The affine that dcm2niix states for its uncorrected stack (sform), from Cormack's places.

    The step between slices points from origin to origin, but is as long as the first distance along the normal.
    """
    affine = straight_affine(stack)
    step = stack.origins[1] - stack.origins[0]
    affine[:3, 2] = step / np.linalg.norm(step) * stack.slice_distances_mm[0]
    return affine


def expected_of_simpleitk(stack: SliceStack) -> npt.NDArray[np.float64]:
    """The affine of SimpleITK's series reader, from Cormack's places.

    The step between slices points along the normal, but is as long as the mean distance from origin to origin.
    """
    affine = straight_affine(stack)
    affine[:3, 2] = stack.normal * np.linalg.norm(affine[:3, 2])
    return affine


def turned(other: Other, stack: SliceStack) -> Other:
    """The same volume with its axes in Cormack's order and direction, by the affines of both."""
    ornt = io_orientation(np.linalg.inv(straight_affine(stack)) @ other.affine)
    turn = inv_ornt_aff(ornt, other.data.shape)
    qform = None if other.qform is None else other.qform @ turn
    return Other(apply_orientation(other.data, ornt), other.affine @ turn, qform)


def misplaced_mm(affine: npt.NDArray[np.float64], stack: SliceStack) -> float:
    """Greatest distance between the corners of the slices as an affine and as the stack place them."""
    ni, nj, nk = stack.data.shape
    corners = np.array([(i, j, k) for k in range(nk) for i in (0, ni - 1) for j in (0, nj - 1)])
    theirs = corners @ affine[:3, :3].T + affine[:3, 3]
    return float(np.linalg.norm(theirs - stack.world(corners), axis=1).max())


def compare(stack: SliceStack, other: Other) -> Agreement:
    """Values and places of another program's volume against the stack."""
    if other.data.ndim != 3 or sorted(other.data.shape) != sorted(stack.data.shape):
        return Agreement(float("inf"), float("inf"), f"shape {'x'.join(map(str, other.data.shape))}")
    theirs = turned(other, stack)
    if theirs.data.shape != stack.data.shape:
        return Agreement(float("inf"), float("inf"), "orientation")
    difference = np.abs(theirs.data.astype(np.float64) - stack.data)
    worst = float(difference.max())
    if stack.data.dtype.kind == "f" and worst <= SAME_VALUE * float(np.abs(stack.data).max()):
        worst = 0.0
    place = misplaced_mm(theirs.affine, stack)
    qform = float("nan") if theirs.qform is None else misplaced_mm(theirs.qform, stack)
    return Agreement(worst, place, "+".join(_reasons(stack, worst, place)) or "-", qform)


def _reasons(stack: SliceStack, worst: float, place: float) -> Iterator[str]:
    if worst:
        yield "values"
    if place > SAME_PLACE_MM:
        distances = stack.slice_distances_mm
        tilted, uneven = abs(stack.tilt_deg) > 0.05, np.ptp(distances) > EQUAL_SPACING_MM
        if tilted:
            yield "tilt"
        if uneven:
            yield "uneven"
        if not tilted and not uneven:
            yield "place"


def row(name: str, entry: SeriesEntry) -> str:
    """One line of the table."""
    start = f"{name:<42}{entry.modality:>3}"
    try:
        stack = assemble(entry, min_slices=1).stack
    except CormackError:
        return f"{start}{entry.n_slices:>5}  Cormack refuses it"
    with tempfile.TemporaryDirectory() as tmp:
        link_files(entry, Path(tmp) / "in")
        written = by_dcm2niix(Path(tmp) / "in", Path(tmp) / "out")
        others = (written.get(""), by_simpleitk(Path(tmp) / "in"))
    first, second = (None if other is None else compare(stack, other) for other in others)
    qform = "" if first is None else f"{first.qform_mm:.3f}"
    return f"{start}{stack.data.shape[2]:>5}{stack.tilt_deg:>7.1f}{_cell(first)}{qform:>9}{_cell(second)}"


def _cell(found: Agreement | None) -> str:
    if found is None:
        return f"{'reads none':>12}{'':>9} {'':<12}"
    return f"{'equal' if found.worst == 0 else f'{found.worst:.5g}':>12}{found.place_mm:>9.3f} {found.reason:<12}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="series of one slice, too")
    least = 1 if parser.parse_args().all else 2
    version = subprocess.run([str(DCM2NIIX), "--version"], check=False, capture_output=True, text=True).stdout.split()
    print(f"{'':<57}{f'dcm2niix {version[-1]}':>33}{'qform':>9}{'':>6}SimpleITK {SimpleITK.Version.VersionString()}")
    cell = f"{'voxels':>12}{'mm':>9} {'reason':<12}"
    print(f"{'series':<42}{'':>3}{'n':>5}{'tilt':>7}{cell}{'mm':>9}{cell}")
    for name, entry in series_of(data_root(), least):
        print(row(name, entry), flush=True)


if __name__ == "__main__":
    main()
