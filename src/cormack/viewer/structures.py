"""Label files brought together for display: several may overlap, the page gets one map."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cormack.core.errors import GeometryError, InputError
from cormack.core.labels import Label, LabelMap, LabelTable
from cormack.core.transforms import Affine
from cormack.core.volume import AnyArray, FloatArray, Volume
from cormack.files.label_tables import COLORS, read_label_table
from cormack.imaging.orient import reorient
from cormack.imaging.warp import warp
from cormack.measure.change import structure_volumes
from cormack.pipeline.images import Kind, read_image

#: As many as two bytes can number.
_MOST_COMBINATIONS = 65_535
_MOST_PAIRS = 1 << 20
_TOO_MANY = "these label files overlap in too many ways to be shown together; give fewer of them"


@dataclass(frozen=True)
class Structure:
    """One structure that the page can show: its label, its volume on its own grid, and the file that it is from."""

    label: Label
    volume_ml: float
    source: str


@dataclass(frozen=True, eq=False)
class Overlay:
    """All structures of a scan in one map.

    Attributes
    ----------
    combinations : array of uint8 or uint16, shape (i, j, k)
        Which combination of structures a voxel belongs to.
    members : tuple of tuple of int
        The structures (positions in `structures`) of each combination; the first is empty.
    structures : tuple of Structure
    notes : tuple of str
        What could not be shown as it is.
    """

    combinations: AnyArray
    members: tuple[tuple[int, ...], ...]
    structures: tuple[Structure, ...]
    notes: tuple[str, ...] = ()


def read_labels(path: Path) -> LabelMap:
    """A label file with the names and colours of the table or the sidecar beside it.

    Raises
    ------
    InputError
        If the file holds no labels.
    """
    found = read_image(path, Kind.LABELS, assume_mm=True)
    if not isinstance(found.image, LabelMap):
        raise InputError(f"{path}: these numbers are no labels")
    present = structure_volumes(replace(found.image, table=LabelTable(())))
    named = {label.index: label for label in _table(path)}
    labels = tuple(named.get(s.index, _unnamed(path, s.index, alone=len(present) == 1)) for s in present)
    return replace(found.image, table=LabelTable(labels))


def _table(path: Path) -> tuple[Label, ...]:
    """The labels that the files beside a label file name: a table (BIDS `_dseg.tsv`), or a mask's sidecar."""
    stem = path.name.removesuffix(".gz").removesuffix(".nii")
    table = path.with_name(f"{stem}.tsv")
    if table.is_file():
        return tuple(read_label_table(table))
    try:
        names = json.loads(path.with_name(f"{stem}.json").read_text(encoding="utf-8"))["Label"]
        return tuple(
            replace(_unnamed(path, int(n), alone=len(names) == 1), name=str(name)) for n, name in names.items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ()


def _unnamed(path: Path, index: int, *, alone: bool) -> Label:
    """A label that nothing names: a mask is called as its file."""
    stem = path.name.removesuffix(".gz").removesuffix(".nii")
    entity = next((part.removeprefix("desc-") for part in stem.split("_") if part.startswith("desc-")), stem)
    name = entity if alone else f"label {index}"
    color = COLORS[(sum(stem.encode()) if alone else index) % len(COLORS)]
    return Label(index, name, name, color)


def combine(paths: tuple[Path, ...], grid: Volume) -> Overlay:
    """Bring label files onto the grid of a scan and into one map.

    Parameters
    ----------
    paths : tuple of Path
    grid : Volume
        Axes closest to R, A, S.

    Raises
    ------
    InputError
        If a file cannot be read or holds no labels.
    """
    codes: AnyArray = np.zeros(grid.shape, dtype=np.uint8, order="F")
    members: list[tuple[int, ...]] = [()]
    structures: list[Structure] = []
    notes: list[str] = []
    for path in paths:
        labels = read_labels(path)
        try:
            numbers, moved = _on_grid(labels, grid.affine, grid.shape)
        except GeometryError:
            notes.append(f"{path.name} lies outside of this scan and is not shown")
            continue
        if moved:
            notes.append(f"{path.name} was brought onto the grid of this scan for display; volumes are of its own grid")
        volumes = {s.index: s.volume_ml for s in structure_volumes(labels)}
        position = {label.index: len(structures) + n for n, label in enumerate(labels.table)}
        structures += [Structure(label, volumes[label.index], path.name) for label in labels.table]
        codes, members = _joined(codes, members, numbers, position)
    return Overlay(codes, tuple(members), tuple(structures), tuple(notes))


def _on_grid(labels: LabelMap, affine: FloatArray, shape: tuple[int, int, int]) -> tuple[AnyArray, bool]:
    """The numbers on a grid, and whether they had to be resampled."""
    data, own = reorient(labels.data, labels.affine)
    if data.shape == shape and np.allclose(own, affine, atol=1e-3):
        return data, False
    return warp(labels, Affine(np.eye(4)), affine, shape, order=0).data, True


def _joined(
    codes: AnyArray, members: list[tuple[int, ...]], numbers: AnyArray, position: dict[int, int]
) -> tuple[AnyArray, list[tuple[int, ...]]]:
    """The map of combinations with another label map on top.

    Raises
    ------
    InputError
        If there are more combinations than a map can hold.
    """
    width = int(numbers.max(initial=0)) + 1
    if len(members) * width > _MOST_PAIRS:
        raise InputError(_TOO_MANY)
    planes = range(codes.shape[-1])
    counts = np.zeros(len(members) * width, dtype=np.intp)
    for k in planes:
        counts += np.bincount(_pairs(codes, numbers, width, k), minlength=len(counts))
    present = np.union1d([0], np.flatnonzero(counts))
    if len(present) > _MOST_COMBINATIONS:
        raise InputError(_TOO_MANY)
    joined = [
        members[pair // width] + ((position[pair % width],) if pair % width in position else ())
        for pair in map(int, present)
    ]
    lookup = np.zeros(len(counts), dtype=np.uint8 if len(present) <= 256 else np.uint16)
    lookup[present] = np.arange(len(present))
    out = np.empty(codes.shape, dtype=lookup.dtype, order="F")
    for k in planes:
        out[:, :, k] = lookup[_pairs(codes, numbers, width, k)].reshape(codes.shape[:2])
    return out, joined


def _pairs(codes: AnyArray, numbers: AnyArray, width: int, k: int) -> npt.NDArray[np.int64]:
    """One number for each pair of a combination and a label, in one plane."""
    pairs = codes[:, :, k].astype(np.int64) * width + numbers[:, :, k]
    return pairs.ravel()
