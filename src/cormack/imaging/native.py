"""The way back: a mask, label map or volume of any grid on the native slices; and any volume as slices."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from cormack.core.errors import GeometryError, InputError
from cormack.core.labels import LabelMap
from cormack.core.volume import GRID_TOLERANCE_MM, ORTHOGONAL_COSINE, FloatArray, SliceStack, Unit, Volume
from cormack.imaging.orient import reorient
from cormack.imaging.sample import as_type, label_sampler, value_sampler

#: Processor threads; a slice is the unit of work.
THREADS = 2
#: Directions of (i, j, k) in which slices of a plane are shown, as DICOM viewers expect them.
PLANE_CODES = {"axial": "LPS", "coronal": "LIP", "sagittal": "PIR"}


def to_native(volume: Volume | LabelMap, stack: SliceStack, *, order: int = 1) -> SliceStack:
    """A volume or label map of any grid on the slices of a stack, each value interpolated once.

    Every pixel takes the value at its centre; nothing is averaged over the slice thickness. A voxel reaches half a step
    beyond its centre, so that the volume ends where its outermost voxels do; beyond is `volume.outside`, 0 for labels.
    Where the pixels of a slice lie on those of the grid to 0.01 mm, they get their very values.

    Parameters
    ----------
    volume : Volume or LabelMap
        Shape (i, j, k), on any grid in the same patient space; NaN counts as never measured.
    stack : SliceStack
        Gives the slices; its values are not used.
    order : 0 nearest, 1 linear, 3 cubic
        For labels 1 interpolates the share of every label linearly and takes the largest (a single mask is drawn where
        its share is at least half); 3 is for volumes only.

    Returns
    -------
    SliceStack
        The data type of `volume` (float32 for any float) on the geometry, acquisition and SOPInstanceUIDs of `stack`.

    Raises
    ------
    InputError
        If `order` is none of these, or cubic with labels or NaN.
    GeometryError
        If no pixel of the slices lies within the volume.
    """
    sample, outside = (
        (label_sampler(volume.data, order), 0.0)
        if isinstance(volume, LabelMap)
        else (value_sampler(volume, order), volume.outside)
    )
    shape = np.array(volume.data.shape)
    from_world = np.linalg.inv(volume.affine)
    steps: FloatArray = np.asarray(from_world[:3, :3] @ np.column_stack([stack.step_i, stack.step_j]))
    origins = stack.origins @ from_world[:3, :3].T + from_world[:3, 3]
    tolerance = GRID_TOLERANCE_MM / np.linalg.norm(volume.affine[:3, :3], axis=0)
    columns, rows, count = stack.data.shape
    dtype = np.dtype(np.float32) if volume.data.dtype.kind == "f" else volume.data.dtype
    slices = np.full((count, rows, columns), outside, dtype=dtype)

    def fill(k: int) -> bool:
        voxels, inside = _voxels(origins[k], steps, (rows, columns), shape, tolerance)
        if inside.any():
            slices[k][inside] = as_type(sample(voxels[:, inside]), dtype)
        return bool(inside.any())

    with ThreadPoolExecutor(THREADS) as pool:
        touched = list(pool.map(fill, range(count)))
    if not any(touched):
        raise GeometryError(_apart(volume, stack))
    unit = Unit.ARBITRARY if isinstance(volume, LabelMap) else volume.unit
    return stack.with_data(slices.transpose(2, 1, 0), unit=unit, outside=outside)


def volume_to_stack(volume: Volume, *, plane: str = "axial") -> SliceStack:
    """Any volume as slices, so that it can be written like a scan; nothing is interpolated.

    Parameters
    ----------
    volume : Volume
        The axes nearest to the plane become rows and columns; the third may be sheared against them.
    plane : "axial", "coronal" or "sagittal"

    Raises
    ------
    InputError
        If there is no such plane.
    GeometryError
        If rows and columns are not at right angles.
    """
    if plane not in PLANE_CODES:
        raise InputError(f"plane {plane!r}: give axial, coronal or sagittal")
    data, affine = reorient(volume.data, volume.affine, PLANE_CODES[plane])
    step_i, step_j, step_k = affine[:3, :3].T
    cosine = float(step_i @ step_j / np.linalg.norm(step_i) / np.linalg.norm(step_j))
    if abs(cosine) > ORTHOGONAL_COSINE:
        raise GeometryError(
            f"rows and columns of the {plane} plane are not at right angles (cosine {cosine:.4f}); rectify the volume"
        )
    origins = affine[:3, 3] + np.arange(data.shape[2])[:, None] * step_k
    return SliceStack(
        data, step_i, step_j, origins, unit=volume.unit, outside=volume.outside, acquisition=volume.acquisition
    )


def _voxels(
    origin: FloatArray, steps: FloatArray, size: tuple[int, int], shape: npt.NDArray[Any], tolerance: FloatArray
) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Voxel indices of the pixels of a slice, shape (3, rows, columns), and which of them lie in the volume."""
    rows, columns = size
    n, near = shape[:, None, None], tolerance[:, None, None]
    j, i = np.arange(rows)[:, None], np.arange(columns)[None, :]
    voxels = origin[:, None, None] + steps[:, 0, None, None] * i + steps[:, 1, None, None] * j
    inside = np.all((voxels >= -0.5 - near) & (voxels <= n - 0.5 + near), axis=0)
    np.clip(voxels, 0, n - 1, out=voxels)
    whole = np.rint(voxels)
    for axis in range(3):
        if np.abs(voxels[axis] - whole[axis]).max() <= tolerance[axis]:
            voxels[axis] = whole[axis]
    return voxels, np.asarray(inside, dtype=bool)


def _apart(volume: Volume | LabelMap, stack: SliceStack) -> str:
    """What to say of two boxes that do not meet."""
    last = np.array(volume.data.shape) - 1
    theirs = np.array([volume.affine[:3, :3] @ (last * corner) for corner in product((0, 1), repeat=3)])
    columns, rows, count = np.array(stack.data.shape) - 1
    ours = stack.world([[i, j, k] for i in (0, columns) for j in (0, rows) for k in (0, count)])
    return (
        f"the volume spans {_box(theirs + volume.affine[:3, 3])}, the slices {_box(ours)}: they do not overlap; "
        "give a volume in the scanner coordinates of these very slices"
    )


def _box(points: FloatArray) -> str:
    low, high = points.min(axis=0), points.max(axis=0)
    return ", ".join(f"{axis} {a:.0f} to {b:.0f}" for axis, a, b in zip("xyz", low, high, strict=True)) + " mm"
