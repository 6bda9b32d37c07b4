"""Images and grids that commands are given: a scan as DICOM or NIfTI, values or labels."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import numpy as np

from cormack.core.errors import InputError
from cormack.core.findings import Finding
from cormack.core.labels import LabelMap, LabelTable
from cormack.core.volume import AnyArray, FloatArray, SliceStack, Unit, Volume
from cormack.files.nifti import is_nifti, read_stack
from cormack.imaging.condition import AIR_CEILING_HU
from cormack.imaging.orient import reorient
from cormack.pipeline.grids import condition_any, plan
from cormack.pipeline.load import locate
from cormack.pipeline.options import LoadOptions
from cormack.pipeline.progress import Progress

#: A file of whole numbers from 0 upwards with no more different ones than this is taken for labels.
MAX_LABELS = 200
_MAX_LABEL = 65_535


class Kind(StrEnum):
    """What the numbers of a file are: names of structures, or a measure that may be interpolated."""

    AUTO = "auto"
    LABELS = "labels"
    VALUES = "values"


@dataclass(frozen=True, eq=False)
class Found:
    """An image as it was found.

    Attributes
    ----------
    image : Volume or LabelMap
    kind : Kind
        Labels or values.
    codes : str
        Directions of the file's voxel axes, such as "LAS"; "RAS" for DICOM.
    findings : tuple of Finding
        What reading noticed.
    """

    image: Volume | LabelMap
    kind: Kind
    codes: str = "RAS"
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, eq=False)
class Grid:
    """Where the voxels of an image lie, without their values; `codes` as in `Found`."""

    affine: FloatArray
    shape: tuple[int, int, int]
    codes: str


def find_image(path: Path, options: LoadOptions, progress: Progress, *, kind: Kind = Kind.VALUES) -> Found:
    """Find and read a scan without interpolating it: the sheared grid of a tilted series stays as it is.

    Parameters
    ----------
    path : Path
        DICOM folder, file or archive, or a NIfTI file.
    options : LoadOptions
    progress : Progress
    kind : Kind
        For NIfTI; DICOM holds values.

    Raises
    ------
    InputError
        If nothing usable is there, or the numbers are no labels where labels were asked for.
    """
    if is_nifti(path) and path.is_file():
        return read_image(path, kind, assume_mm=options.assume_mm)
    if kind is Kind.LABELS:
        raise InputError(f"{path}: labels are read from NIfTI files only")
    with closing(locate(path, options, progress)) as located:
        loaded = located.load(progress)
    conditioned = condition_any(loaded)
    stack = conditioned if isinstance(conditioned, SliceStack) else conditioned.stack
    volume = stack.to_volume() if stack.affine is not None else plan(conditioned, loaded, options)[0].volume().volume
    return Found(volume, Kind.VALUES, findings=loaded.findings)


def find_grid(path: Path, options: LoadOptions, progress: Progress) -> Grid:
    """The grid of a NIfTI file as it is, or the rectified one of a DICOM series.

    Raises
    ------
    InputError
        If nothing usable is there.
    """
    if is_nifti(path) and path.is_file():
        stack, codes = read_stack(path, assume_mm=options.assume_mm)
        volume = stack.to_volume()
        return Grid(volume.affine, volume.shape, codes)
    with closing(locate(path, options, progress)) as located:
        loaded = located.load(progress)
    planned, _ = plan(condition_any(loaded), loaded, options)
    empty, affine = reorient(np.broadcast_to(np.int16(0), planned.shape), planned.affine)
    i, j, k = empty.shape
    return Grid(affine, (i, j, k), "RAS")


def read_image(path: Path, kind: Kind = Kind.AUTO, *, assume_mm: bool = False) -> Found:
    """Read a NIfTI file as labels or values, as told or as its numbers say.

    Raises
    ------
    InputError
        If the file cannot be read, or holds other numbers than labels where these were asked for.
    """
    stack, codes = read_stack(path, assume_mm=assume_mm)
    grid = stack.to_volume()
    labels = _as_labels(grid.data) if kind is not Kind.VALUES else None
    if labels is not None and (kind is Kind.LABELS or _distinct(labels) <= MAX_LABELS):
        return Found(LabelMap(labels, grid.affine, LabelTable(())), Kind.LABELS, codes)
    if kind is Kind.LABELS:
        raise InputError(f"{path}: labels are whole numbers from 0 to {_MAX_LABEL}; these are not: give them as values")
    unit = _unit(path, grid.data)
    return Found(replace(grid, unit=unit, outside=-1024.0 if unit is Unit.HU else 0.0), Kind.VALUES, codes)


def _as_labels(data: AnyArray) -> AnyArray | None:
    """Whole numbers from 0 to 65,535 in the smallest type; None if there are others."""
    if not np.isfinite(data).all() or data.min() < 0 or data.max() > _MAX_LABEL:
        return None
    labels = data.astype(np.uint8 if data.max() < 256 else np.uint16)
    return labels if data.dtype.kind in "iu" or np.array_equal(labels, data) else None


def _distinct(labels: AnyArray) -> int:
    """How many different labels there are; slice by slice, since indexing takes eight bytes per voxel."""
    seen = np.zeros(_MAX_LABEL + 1, dtype=bool)
    for k in range(labels.shape[2]):
        seen[labels[:, :, k]] = True
    return int(np.count_nonzero(seen))


def _unit(path: Path, data: AnyArray) -> Unit:
    """What the sidecar says; without one Hounsfield units if there is air."""
    ending = ".nii.gz" if path.name.lower().endswith(".nii.gz") else ".nii"
    try:
        stated = json.loads(path.with_name(path.name[: -len(ending)] + ".json").read_text(encoding="utf-8"))
        return Unit(stated["Units"])
    except (OSError, ValueError, KeyError, TypeError):
        return Unit.HU if np.fmin.reduce(data, axis=None) < AIR_CEILING_HU else Unit.ARBITRARY
