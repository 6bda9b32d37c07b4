"""What there is to see in what the user gave: scans, and the labels that lie on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cormack.core.errors import InputError
from cormack.files.bids import DATATYPES, is_dataset, scan_name
from cormack.files.nifti import is_nifti

#: Words in a file's name that say that its numbers are labels.
LABEL_WORDS = ("_mask.nii", "_dseg.nii", "_seg.nii", "label", "segmentation")
#: Files that other commands write as a pair: the two scans of a comparison.
PAIRS = (("first", "second"),)
#: Files in the output of a command that are no pictures.
NOT_SHOWN = ("_xfm.nii",)


@dataclass(frozen=True)
class Source:
    """A scan to show.

    Attributes
    ----------
    name : str
        What the page calls it.
    image : Path
        A NIfTI file, or a DICOM folder, file or archive.
    labels : tuple of Path
        NIfTI files of labels, in the order in which they are drawn.
    """

    name: str
    image: Path
    labels: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Sources:
    """All scans, and whether the first two belong side by side."""

    scans: tuple[Source, ...]
    paired: bool = False


def find_sources(paths: Sequence[Path], labels: Sequence[Path] = ()) -> Sources:
    """Sort what the user gave into scans and labels, without reading any voxel.

    Parameters
    ----------
    paths : sequence of Path
        NIfTI files, DICOM folders or archives, folders that a command of Cormack wrote, folders of NIfTI files.
    labels : sequence of Path
        NIfTI files of labels whatever their names say, shown on every scan.

    Raises
    ------
    InputError
        If a path does not exist, a label file is no NIfTI file, or there are labels only.
    """
    for path in (*paths, *labels):
        if not path.exists():
            raise InputError(f"{path}: no such file or folder")
    for path in labels:
        if not is_nifti(path):
            raise InputError(f"{path}: labels are read from NIfTI files only (.nii, .nii.gz)")
    found = [scan for path in paths for scan in _in_path(path)]
    loose = tuple(labels) + tuple(p for p in paths if _is_label(p))
    if not found:
        raise InputError("there is no scan to show: give a scan (NIfTI or DICOM) beside the labels")
    scans = tuple(replace(scan, labels=(*scan.labels, *loose)) for scan in found)
    files = [path for path in paths if not _is_label(path)]
    paired = len(files) == 2 or (len(files) == 1 and _pair_in(files[0]) is not None)
    return Sources(_told_apart(scans), paired=paired)


def _in_path(path: Path) -> tuple[Source, ...]:
    """The scans of one path; none if it is a file of labels."""
    if path.is_file():
        return () if _is_label(path) else (Source(_stem(path), path),)
    if is_dataset(path) and (scans := _of_dataset(path)):
        return scans
    files = _nifti_files(path, path.glob("*"))
    if not files:
        return (Source(path.resolve().name, path),)
    pair = _pair_in(path) or ()
    images = sorted((file for file in files if not _is_label(file)), key=lambda file: (file not in pair, file.name))
    drawn = tuple(file for file in files if _is_label(file))
    return tuple(Source(_stem(image), image, drawn) for image in images)


def _of_dataset(root: Path) -> tuple[Source, ...]:
    """The scans of a BIDS data set or of its derivatives, each with the masks and labels of its space."""
    folders = sorted(place for folder, _ in DATATYPES.values() for place in root.glob(f"sub-*/**/{folder}"))
    files = _nifti_files(root, (file for folder in folders for file in folder.glob("*")))
    suffixes = tuple(f"_{suffix}" for _, suffix in DATATYPES.values())
    images = [file for file in files if _stem(file).endswith(suffixes)]
    labels = [file for file in files if _is_label(file)]
    scans = []
    # Scans as they were taken come before what was made of them.
    for image in sorted(images, key=lambda file: ("_desc-" in file.name or "_space-" in file.name, file.name)):
        own = scan_name(image)
        subject = _stem(image).rpartition("_")[0] if own is None else own.stem
        origin = subject.partition("_desc-")[0].partition("_space-")[0]
        beside = [f for f in labels if f.parent == image.parent and f.name.startswith(origin + "_")]
        drawn = tuple(f for f in beside if _space(f) == _space(image))
        scans.append(Source(subject.replace("_", " "), image, drawn))
    return tuple(scans)


def _space(path: Path) -> str:
    """The BIDS entity `space` of a name, or nothing."""
    return next((part for part in _stem(path).split("_") if part.startswith("space-")), "")


def _nifti_files(root: Path, entries: Iterable[Path]) -> list[Path]:
    """The NIfTI files among `entries`; links that lead out of the folder are passed over."""
    inside = root.resolve()
    return sorted(
        entry
        for entry in entries
        if is_nifti(entry)
        and entry.is_file()
        and entry.resolve().is_relative_to(inside)
        and not any(word in entry.name for word in NOT_SHOWN)
    )


def _is_label(path: Path) -> bool:
    return is_nifti(path) and path.is_file() and any(word in path.name.lower() for word in LABEL_WORDS)


def _stem(path: Path) -> str:
    name = path.name
    for ending in (".nii.gz", ".nii"):
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    return name


def _pair_in(folder: Path) -> tuple[Path, Path] | None:
    """The two files of a pair in a folder."""
    by_stem = {_stem(entry): entry for entry in folder.glob("*.nii*")} if folder.is_dir() else {}
    return next(((by_stem[a], by_stem[b]) for a, b in PAIRS if a in by_stem and b in by_stem), None)


def _told_apart(scans: tuple[Source, ...]) -> tuple[Source, ...]:
    """The same scans, equal names numbered."""
    names = [scan.name for scan in scans]
    return tuple(
        scan if names.count(scan.name) == 1 else replace(scan, name=f"{scan.name} ({names[: i + 1].count(scan.name)})")
        for i, scan in enumerate(scans)
    )
