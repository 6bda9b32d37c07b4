"""Surfaces as triangles: where a volume crosses a level, the border of a label, and the same with fewer triangles."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import fast_simplification
import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.measure import marching_cubes

from cormack.core.errors import InputError
from cormack.core.labels import LabelMap
from cormack.core.mesh import Mesh
from cormack.core.volume import AnyArray, FloatArray, Volume
from cormack.imaging.blocks import block_mean

BoolArray = npt.NDArray[np.bool_]

#: Voxels that are finer than this are averaged before a surface is traced (mm): skin and bone are smoother than noise.
TRACED_MM = 1.0
#: Width of the Gaussian by which a volume is smoothed before its surface is traced (mm).
SMOOTHING_MM = 0.7
#: Width of the Gaussian by which the stairs of a label are smoothed, in voxels: the least that takes them away.
LABEL_SMOOTHING = 0.8
#: Relative step by which values are moved off the level.
_NUDGE = 1e-5
#: Voxels around the part of a volume that holds the surface.
_RIM = 3


def iso_surface(
    volume: Volume,
    level: float,
    *,
    spacing_mm: float = TRACED_MM,
    smoothing_mm: float = SMOOTHING_MM,
    least_ml: float = 0.0,
    name: str = "surface",
) -> Mesh:
    """The surface at which a volume crosses a level.

    Marching cubes (Lewiner et al. 2003, doi 10.1080/10867651.2003.10487582). What reaches the edge of the volume is
    closed there, so that the mesh encloses a solid.

    Parameters
    ----------
    volume : Volume
        Shape (i, j, k), any affine; NaN and what lies beyond count as below the level.
    level : float
        In the unit of the volume.
    spacing_mm : float
        Finer voxels are averaged to about this edge first; 0 keeps them.
    smoothing_mm : float
        Width of a Gaussian that takes away noise and the terraces of hard edges; 0 for none.
    least_ml : float
        Pieces above the level that are smaller than this are left out.
    name : str

    Raises
    ------
    InputError
        If nothing, or everything, lies above the level.
    """
    data, affine = _coarser(volume, spacing_mm)
    solid = data > level
    if not solid.any() or solid.all():
        low, high = float(data.min()), float(data.max())
        raise InputError(f"no surface at {level:g}: the values run from {low:g} to {high:g}; choose a level between")
    if least_ml > 0:
        kept = _large_pieces(solid, least_ml * 1000 / abs(np.linalg.det(affine[:3, :3])))
        if not kept.any():
            raise InputError(f"no piece above {level:g} is as large as {least_ml:g} ml; lower the limit or the level")
        data = np.where(solid & ~kept, np.float32(_below(level)), data)
        solid = kept
    box = _box(solid)
    floor = min(float(data.min()), _below(level))
    framed = _framed(data, box, floor)
    if smoothing_mm > 0:
        sigma = smoothing_mm / np.linalg.norm(affine[:3, :3], axis=0)
        framed = ndimage.gaussian_filter(framed, sigma, mode="nearest", truncate=3.0)
    if not (framed > level).any():
        raise InputError(f"what lies above {level:g} is finer than the smoothing of {smoothing_mm:g} mm; smooth less")
    return _traced(framed, affine, box, level, name)


def label_surface(labels: LabelMap, key: int | str | None = None, *, smoothing: float = LABEL_SMOOTHING) -> Mesh:
    """The surface of one label, its stairs smoothed by a Gaussian.

    Parameters
    ----------
    labels : LabelMap
        Shape (i, j, k).
    key : int or str, optional
        Number, or name in the table; all labels as one solid by default.
    smoothing : float
        Width of the Gaussian in voxels; 0 keeps the voxels' corners.

    Raises
    ------
    InputError
        If the label has no voxel.
    """
    mask, name = _chosen(labels, key)
    if not mask.any():
        raise InputError(f"the label map has no voxel of {name}")
    box = _box(mask, rim=_RIM + round(4 * smoothing))
    share = _framed(mask[box].astype(np.float32), tuple(slice(0, n) for n in mask[box].shape), 0.0)
    smooth = ndimage.gaussian_filter(share, smoothing, mode="constant") if smoothing else share
    # A thin or tiny structure would smooth away: its level is lowered until the volume is that of its voxels.
    level = min(0.5, _level_of_volume(smooth, int(np.count_nonzero(mask)))) if smoothing else 0.5
    return _traced(smooth, labels.affine, box, level, name)


def decimate(mesh: Mesh, faces: int) -> Mesh:
    """The mesh with about so many faces, edges collapsed where that moves the surface least.

    Quadric error metric (Garland and Heckbert 1997, doi 10.1145/258734.258849). A closed mesh stays closed; a few
    edges may come to be shared by four faces (`Mesh.pinched_edges`).

    Parameters
    ----------
    mesh : Mesh
    faces : int
        A mesh that has no more is returned as it is.

    Raises
    ------
    InputError
        If fewer than four faces are asked for.
    """
    if faces < 4:
        raise InputError(f"{faces} faces enclose nothing; give at least 4")
    if len(mesh.faces) <= faces:
        return mesh
    middle = mesh.vertices.mean(axis=0)  # single precision is finer near the origin
    vertices, kept = fast_simplification.simplify(
        (mesh.vertices - middle).astype(np.float32), mesh.faces, target_count=faces
    )
    fewer = replace(mesh, vertices=vertices.astype(np.float64) + middle, faces=kept.astype(np.int32))
    return closed(fewer) if mesh.is_closed else fewer


def closed(mesh: Mesh) -> Mesh:
    """The mesh with every loop of open edges filled by a fan.

    For meshes that are closed but for a triangle here and there, as marching cubes leaves them where a cube can be
    read in two ways, and decimation where edges collapse. A mesh that is closed is returned as it is.
    """
    if mesh.is_closed:
        return mesh
    onward: dict[int, list[int]] = {}
    for start, end in mesh.open_edges.tolist():
        onward.setdefault(end, []).append(start)
    fans = []
    for first in list(onward):
        while onward[first]:
            # As many open edges lead to a vertex as away from it, so that a walk ends where it began.
            loop = [first]
            while (after := onward[loop[-1]].pop()) != first:
                loop.append(after)
            fans += [(first, b, c) for b, c in pairwise(loop[1:])]
    return replace(mesh, faces=np.concatenate([mesh.faces, np.array(fans, dtype=np.int32).reshape(-1, 3)]))


def _coarser(volume: Volume, spacing_mm: float) -> tuple[npt.NDArray[np.float32], FloatArray]:
    """Data without NaN in blocks of about the spacing, and their affine."""
    data = volume.data
    if data.dtype.kind == "f":
        data = np.nan_to_num(data, nan=volume.outside if np.isfinite(volume.outside) else float(np.nanmin(data)))
    factors = [max(1, int(spacing_mm / step + 1e-3)) for step in volume.spacing_mm]
    affine = volume.affine.copy()
    if max(factors) == 1:
        return data.astype(np.float32), affine
    affine[:3, 3] = volume.world((np.array(factors) - 1) / 2)
    affine[:3, :3] *= factors
    return block_mean(data, (factors[0], factors[1], factors[2])), affine


def _large_pieces(solid: BoolArray, voxels: float) -> BoolArray:
    pieces, _ = ndimage.label(solid)
    large = np.bincount(pieces.ravel()) >= voxels
    large[0] = False
    return np.asarray(large[pieces])


def _below(level: float) -> float:
    """A value as far below a level as air is below skin: the surface of what is cut lies where the voxels end."""
    return level - max(1.0, abs(level))


def _box(mask: BoolArray, rim: int = _RIM) -> tuple[slice, slice, slice]:
    """The part that holds a mask, with a rim, within the grid."""
    spans = []
    for axis, length in enumerate(mask.shape):
        filled = np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis)))
        spans.append(slice(max(0, int(filled[0]) - rim), min(length, int(filled[-1]) + 1 + rim)))
    return spans[0], spans[1], spans[2]


def _framed(data: AnyArray, box: tuple[slice, ...], floor: float) -> npt.NDArray[np.float32]:
    """The part with one voxel of the floor all round, so that surfaces close."""
    return np.pad(data[box].astype(np.float32, copy=False), 1, constant_values=floor)


def _level_of_volume(smooth: npt.NDArray[np.float32], voxels: int) -> float:
    """The level above which a smoothed mask holds as many voxels as before: between the last of them and the next."""
    ordered = np.partition(smooth.ravel(), (-voxels - 1, -voxels))
    return float(ordered[-voxels - 1] + ordered[-voxels]) / 2


def _traced(
    framed: npt.NDArray[np.float32], affine: FloatArray, box: tuple[slice, ...], level: float, name: str
) -> Mesh:
    # A voxel at the very level would make triangles without area, and where these are dropped the mesh opens.
    framed[framed == level] -= max(abs(level), 1.0) * _NUDGE
    vertices, faces, _, _ = marching_cubes(np.ascontiguousarray(framed), level)
    voxels = vertices.astype(np.float64) + [span.start - 1 for span in box]
    points = voxels @ affine[:3, :3].T + affine[:3, 3]
    # scikit-image turns faces inwards on a right-handed grid, where values fall outwards.
    if np.linalg.det(affine[:3, :3]) > 0:
        faces = faces[:, ::-1]
    return Mesh(points, faces, name)


def _chosen(labels: LabelMap, key: int | str | None) -> tuple[BoolArray, str]:
    if key is None:
        return labels.data > 0, "all labels"
    listed = [label for label in labels.table if key in (label.index, label.name, label.abbreviation)]
    if listed:
        return labels.mask(key), listed[0].name
    if isinstance(key, str):
        names = ", ".join(label.name for label in labels.table) or "none"
        raise InputError(f"no label is called {key!r}; the table holds: {names}")
    return np.asarray(labels.data == key), f"label {key}"
