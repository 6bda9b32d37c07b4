"""Label maps that commands are given: one file each, or folders with files of the same names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cormack.core.errors import InputError
from cormack.core.labels import LabelMap, LabelTable
from cormack.files.label_tables import read_label_table
from cormack.files.nifti import is_nifti
from cormack.imaging.orient import reorient
from cormack.pipeline.images import Kind, read_image

#: Entities of a BIDS name that tell scans apart.
_ENTITIES = re.compile(r"(?:^|_)((?:sub|ses|run)-[0-9A-Za-z]+)")


@dataclass(frozen=True)
class LabelFiles:
    """The files of one subject: the reference, and the prediction of every method that has one."""

    subject: str
    reference: Path
    predictions: dict[str, Path]


def read_labels(path: Path, names: Path | None = None, *, assume_mm: bool = False) -> LabelMap:
    """Read a label map from NIfTI, axes closest to right, anterior, superior.

    Parameters
    ----------
    path : Path
    names : Path, optional
        Table of the structures' names; else `….tsv` beside the map if it is there.
    assume_mm : bool
        Take a header without a unit of length for millimetres.

    Raises
    ------
    InputError
        If the file cannot be read, or holds other numbers than labels.
    """
    if not is_nifti(path):
        raise InputError(f"{path}: label maps are read from NIfTI (.nii.gz, .nii); `cormack labels import` makes one")
    image = read_image(path, Kind.LABELS, assume_mm=assume_mm).image
    data, affine = reorient(image.data, image.affine)
    beside = path.with_name(path.name.removesuffix(".gz").removesuffix(".nii") + ".tsv")
    chosen = names or (beside if beside.is_file() else None)
    return LabelMap(data, affine, LabelTable(()) if chosen is None else read_label_table(chosen))


def pair_files(reference: Path, predictions: Sequence[Path]) -> tuple[list[LabelFiles], int]:
    """The files of every subject; and how many predictions are missing.

    Subjects are files of the same name in folders. They are named by the entities of a BIDS name (`sub-01_ses-2`), else
    numbered in the order of the names, since file names may hold what must not get into a result. Methods are named as
    the paths were typed.

    Raises
    ------
    InputError
        If files and folders are mixed, or nothing is there to compare.
    """
    if any(prediction.is_dir() != reference.is_dir() for prediction in predictions):
        raise InputError("give the reference and every prediction as files, or all of them as folders")
    titles = method_names(predictions)
    if not reference.is_dir():
        return [LabelFiles("1", reference, dict(zip(titles, predictions, strict=True)))], 0
    files = sorted(path for path in reference.iterdir() if is_nifti(path) and path.is_file())
    found, missing = [], 0
    for number, path in enumerate(files, start=1):
        there = {
            title: folder / path.name
            for title, folder in zip(titles, predictions, strict=True)
            if (folder / path.name).is_file()
        }
        missing += len(predictions) - len(there)
        if there:
            found.append(LabelFiles(_subject(path, number), path, there))
    if not found:
        raise InputError(
            f"{reference}: none of its {len(files)} NIfTI files has a prediction of the same name elsewhere; "
            "give the files equal names"
        )
    return found, missing


def method_names(paths: Sequence[Path]) -> list[str]:
    """A short name for each path as it was typed; the whole path where short names are the same."""
    short = [path.resolve().name.removesuffix(".gz").removesuffix(".nii") for path in paths]
    return [name if short.count(name) == 1 else str(path) for name, path in zip(short, paths, strict=True)]


def _subject(path: Path, number: int) -> str:
    return "_".join(_ENTITIES.findall(path.name)) or str(number)
