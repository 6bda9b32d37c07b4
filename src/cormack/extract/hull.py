"""The hull of the skull: bone with its defects bridged from outside, and how far a point is enclosed by bone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from cormack.imaging.workgrid import AnyArray, BoolArray, WorkGrid, distance_mm, largest_component

#: A ball of this radius rolls over the skull from outside (mm); it sinks into no defect smaller than the vault.
BALL_MM = 60.0
#: The hull is found on voxels of about this size (mm).
GRID_MM = 4.0
#: How far a line of sight is followed (mm) and in what steps.
SIGHT_MM, SIGHT_STEP_MM = 130.0, 2.0


def bone_hull(bone: BoolArray, spacing_mm: tuple[float, float, float]) -> BoolArray:
    """Everything that a large ball outside cannot reach: the skull, what it encloses, and its defects.

    The array is continued beyond its borders, so that a skull cut by the field of view is not open there.

    Parameters
    ----------
    bone : bool array, shape (i, j, k)
    spacing_mm : three floats

    Returns
    -------
    bool array, shape (i, j, k)
    """
    whole = tuple(slice(0, n) for n in bone.shape)
    grid = WorkGrid.over(whole, spacing_mm, GRID_MM)  # type: ignore[arg-type]
    coarse = largest_component(grid.coarsen(bone, lambda slab: slab.astype(np.float32)) > 0.2)
    pad = [int(BALL_MM / h) + 1 for h in grid.spacing_mm]
    wide = np.pad(coarse, [(n, n) for n in pad], mode="edge")
    centres = distance_mm(~wide, grid.spacing_mm) > BALL_MM
    # A ball inside the skull is no ball outside: only those count that reach the sides of the widened array.
    labels, _ = ndimage.label(centres)
    sides = np.unique(np.concatenate([face.ravel() for a in (0, 1) for face in _faces(labels, a)]))
    outside = np.isin(labels, sides[sides > 0])
    hull = distance_mm(~outside, grid.spacing_mm) > BALL_MM
    hull = hull[tuple(slice(n, n + m) for n, m in zip(pad, coarse.shape, strict=True))]
    full = WorkGrid(whole, (1, 1, 1), (1, 1, 1), spacing_mm)  # type: ignore[arg-type]
    return np.asarray(grid.onto(hull.astype(np.float32), full) >= 0.5)


def _faces(values: AnyArray, axis: int) -> tuple[AnyArray, AnyArray]:
    return np.take(values, 0, axis=axis), np.take(values, -1, axis=axis)


def enclosed_fraction(
    bone: BoolArray, point: Sequence[int | np.integer], spacing_mm: tuple[float, float, float]
) -> float:
    """Share of the lines of sight from a voxel, evenly spread over all directions, that meet bone.

    Lines that leave the array above or below before they meet any tell nothing and are left out: scans end there.
    """
    n = 200
    # A Fibonacci sphere: evenly spread without clusters at the poles.
    z = 1 - (2 * np.arange(n) + 1) / n
    turn = np.pi * (3 - np.sqrt(5)) * np.arange(n)
    radius = np.sqrt(1 - z**2)
    directions = np.stack([radius * np.cos(turn), radius * np.sin(turn), z], axis=1)
    steps = np.arange(SIGHT_STEP_MM, SIGHT_MM, SIGHT_STEP_MM)
    at = np.asarray(point) + directions[:, None] * steps[None, :, None] / np.asarray(spacing_mm)
    index = np.round(at).astype(np.intp)
    seen = np.all((index >= 0) & (index < bone.shape), axis=-1)
    beyond = (index[..., 2] < 0) | (index[..., 2] >= bone.shape[2])
    index = np.where(seen[..., None], index, 0)
    hit = (bone[tuple(np.moveaxis(index, -1, 0))] & seen).any(axis=1)
    sideways = ~hit & ~np.take_along_axis(beyond, (~seen).argmax(axis=1)[:, None], axis=1)[:, 0]
    told = np.count_nonzero(hit | sideways)
    return float(np.count_nonzero(hit) / told) if told else 0.0
