"""A folder of images and labels: what belongs together, checked, and brought onto the grid of the network once."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cormack.core.errors import GeometryError, InputError
from cormack.core.volume import AnyArray, Unit, Volume
from cormack.files.nifti import is_nifti, read_stack
from cormack.learn.sample import WHOLE
from cormack.nn.channels import network_input
from cormack.nn.grid import onto_grid
from cormack.nn.task import Task
from cormack.pipeline.progress import Progress

#: Says which files and which task the prepared cases come from.
_KEY_FILE = "made-from.sha256"
_SUBJECT = re.compile(r"(sub-[0-9A-Za-z]+)(_|$)")


@dataclass(frozen=True)
class Case:
    """A pair of files.

    Parameters
    ----------
    number : int
        Place among the cases in alphabetical order, from 1.
    image, labels : Path
    subject : str
        Scans of one subject are never on both sides of a split.
    """

    number: int
    image: Path
    labels: Path
    subject: str

    @property
    def name(self) -> str:
        """What messages and tables call it: BIDS names, else its number, since a file may be named after a person."""
        stem = _stem(self.image)
        return stem if _SUBJECT.match(stem) else f"case-{self.number:03d}"


def find_cases(folder: Path) -> list[Case]:
    """The pairs of `images/` and `labels/`.

    Raises
    ------
    InputError
        If there are none, or an image has no labels.
    """
    images = sorted(p for p in (folder / "images").glob("*") if is_nifti(p))
    if not images:
        raise InputError(f"{folder}: no NIfTI files in its folder images; labels of the same names belong into labels")
    labels = {_stem(p): p for p in (folder / "labels").glob("*") if is_nifti(p)}
    alone = [n for n, image in enumerate(images, 1) if _stem(image) not in labels]
    if alone:
        raise InputError(
            f"{folder}: {len(alone)} of {len(images)} images have no labels of the same name, the first is number "
            f"{alone[0]} in alphabetical order"
        )
    return [Case(n, image, labels[_stem(image)], _subject(image)) for n, image in enumerate(images, 1)]


def read_case(case: Case, *, assume_mm: bool = False) -> tuple[Volume, AnyArray]:
    """Image and labels of a case on the image's own grid.

    Raises
    ------
    GeometryError
        If the labels do not lie on the image's grid.
    """
    volumes = [read_stack(path, assume_mm=assume_mm)[0].to_volume() for path in (case.image, case.labels)]
    image, labels = volumes
    if image.shape != labels.shape or not np.allclose(image.affine, labels.affine, atol=1e-3):
        raise GeometryError(
            f"{case.name}: the labels ({_size(labels)}) are not on the grid of the image ({_size(image)}); "
            "bring them there: cormack transform LABELS OUT --reference IMAGE --labels"
        )
    return image, labels.data


@dataclass(frozen=True)
class Prepared:
    """Where a prepared case lies: `image` float16 (channel, i, j, k) and `target` uint8 (i, j, k), as in `Sample`."""

    case: Case
    folder: Path

    def path(self, part: str) -> Path:
        """A file of the case."""
        return self.folder / f"{self.case.number:05d}-{part}.npy"

    def load(self, part: str) -> AnyArray:
        """Read a part where it lies, without loading it whole."""
        return np.asarray(np.load(self.path(part), mmap_mode="r"))


def prepare(cases: Sequence[Case], task: Task, folder: Path, progress: Progress, *, assume_mm: bool) -> None:
    """Bring cases onto the grid of the network; what lies in `folder` of the same files and task is kept.

    Raises
    ------
    GeometryError, NiftiError
        If a case cannot be used.
    """
    folder.mkdir(parents=True, exist_ok=True)
    progress.step("Preparing the cases")
    key, known = _key(cases, task), folder / _KEY_FILE
    if not known.exists() or known.read_text(encoding="utf-8") != key:
        for path in folder.glob("*.npy"):
            path.unlink()
        known.write_text(key, encoding="utf-8")
    for case in cases:
        prepared = Prepared(case, folder)
        if not prepared.path("target").exists():
            _prepare(prepared, task, assume_mm=assume_mm)
        progress.advance(case.number, len(cases))


def on_network_grid(image: Volume, labels: AnyArray, task: Task) -> tuple[AnyArray, npt.NDArray[np.uint8]]:
    """Image and target on the grid that `nn` brings an image to.

    Returns
    -------
    image : float32 array, shape (i, j, k)
    target : uint8 array, shape (i, j, k)
        As in `Sample`.
    """
    data = onto_grid(image, task.input).data
    empty = replace(task.input, pad_value=0.0)
    masks = (np.asarray(labels == label.index, dtype=np.float32) for label in task.output.labels)
    shares = [onto_grid(Volume(mask, image.affine, unit=Unit.PROBABILITY), empty).data for mask in masks]
    if len(shares) == 1:
        return data, np.asarray(np.rint(np.clip(shares[0], 0, 1) * WHOLE), dtype=np.uint8)
    background = 1 - np.sum(shares, axis=0)
    return data, np.asarray(np.argmax(np.stack([background, *shares]), axis=0), dtype=np.uint8)


def _key(cases: Sequence[Case], task: Task) -> str:
    """Changes when a file, the task's grid, its channels or its labels do."""
    stats = [path.stat() for case in cases for path in (case.image, case.labels)]
    about = (task.input, task.output, [(s.st_size, s.st_mtime_ns) for s in stats])
    return hashlib.sha256(repr(about).encode()).hexdigest()


def _prepare(prepared: Prepared, task: Task, *, assume_mm: bool) -> None:
    image, labels = read_case(prepared.case, assume_mm=assume_mm)
    data, target = on_network_grid(image, labels, task)
    _save(prepared.path("image"), network_input(data, task).astype(np.float16))
    _save(prepared.path("target"), target)


def _save(path: Path, array: AnyArray) -> None:
    part = path.with_name(f".{path.stem}.part.npy")
    np.save(part, array)
    part.replace(path)


def _stem(path: Path) -> str:
    return path.name.removesuffix(".gz").removesuffix(".nii")


def _subject(path: Path) -> str:
    stem = _stem(path)
    match = _SUBJECT.match(stem)
    return match[1] if match else stem


def _size(volume: Volume) -> str:
    voxels, spacing = (" x ".join(f"{n:.4g}" for n in part) for part in (volume.shape, volume.spacing_mm))
    return f"{voxels} voxels of {spacing} mm"
