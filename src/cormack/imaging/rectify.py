"""Rectifying: slices as acquired to an orthogonal, evenly spaced grid, in one interpolation."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cormack.core.errors import GeometryError, InputError
from cormack.core.volume import GRID_TOLERANCE_MM, AnyArray, FloatArray, SliceStack, Volume
from cormack.imaging.orient import axis_codes, reorient

#: "finest" takes the smallest distance that at least this share of the gaps does not exceed.
FINEST_SHARE = 0.25
#: A gap is bridged by interpolation up to this multiple of the larger of its neighbours, with a margin for rounding.
BRIDGED_GAP_RATIO = 2.0
GAP_RATIO_MARGIN = 1.05
#: Rules by which the distance of the rectified slices follows from those acquired.
SPACING_RULES = ("finest", "median", "minimum")
#: A rectified grid larger than this many voxels is refused: something is wrong with the positions.
MAX_VOXELS = 2_000_000_000
#: Processor threads; a slice is the unit of work.
THREADS = 2


@dataclass(frozen=True, eq=False)
class Rectified:
    """A volume on the rectified grid.

    Attributes
    ----------
    volume : Volume
        Orthogonal, evenly spaced, its axes those closest to R, A and S.
    measured : bool array, shape (i, j, k)
        False where no slice measured: beyond the tilted stack's edge, in padding, in gaps that were not bridged.
    interpolated : bool
        False if the native slices lay on the grid already, so that no value changed.
    unbridged_gaps_mm : tuple of float
        Widths of the gaps that were left as outside.
    """

    volume: Volume
    measured: npt.NDArray[np.bool_]
    interpolated: bool
    unbridged_gaps_mm: tuple[float, ...] = ()


@dataclass(frozen=True)
class _Plane:
    """How one rectified plane comes about: neighbouring slices with their weights; none in an unbridged gap."""

    slices: tuple[tuple[int, float], ...]


def slice_spacing(distances_mm: FloatArray, rule: str | float = "finest") -> float:
    """The distance between rectified slices, in millimetres.

    Parameters
    ----------
    distances_mm : array, shape (k − 1,)
        Distances between neighbouring native slices.
    rule : "finest", "median", "minimum" or a number of millimetres
        "finest" is the smallest distance that a quarter of the gaps do not exceed: thin groups keep their resolution,
        one odd pair of slices does not decide.

    Raises
    ------
    InputError
        If the rule is unknown or the distance is not positive.
    """
    ordered = np.sort(np.asarray(distances_mm, dtype=np.float64))
    if rule == "finest":
        return float(ordered[max(0, int(np.ceil(FINEST_SHARE * len(ordered))) - 1)])
    if rule == "median":
        return float(np.median(ordered))
    if rule == "minimum":
        return float(ordered[0])
    try:
        spacing = float(rule)
    except ValueError:
        spacing = np.nan
    if not (np.isfinite(spacing) and spacing > 0):
        raise InputError(f"slice spacing {rule!r}: give {', '.join(SPACING_RULES)} or a positive number of millimetres")
    return spacing


def rectify(
    stack: SliceStack,
    *,
    spacing: str | float = "finest",
    padded: npt.NDArray[np.bool_] | None = None,
    bridge_gaps: bool = False,
) -> Rectified:
    """Resample parallel slices to an orthogonal, evenly spaced grid, padded so that no voxel is lost.

    The planes of the grid are parallel to the slices. Where a native slice lies on a plane, its values are shifted
    within the plane by linear interpolation (not at all without tilt); elsewhere the two neighbouring slices are mixed
    linearly. Each value is interpolated once.

    Parameters
    ----------
    stack : SliceStack
        Conditioned: int16 HU.
    spacing : "finest", "median", "minimum" or a number of millimetres
        See `slice_spacing`.
    padded : bool array, shape (i, j, k), optional
        Native voxels that were never measured.
    bridge_gaps : bool
        Also interpolate across gaps wider than twice their neighbours.

    Raises
    ------
    GeometryError
        If there are fewer than two slices or the grid would be absurdly large.
    """
    if stack.data.shape[2] < 2:
        raise GeometryError("rectifying needs at least two slices")
    distances = stack.slice_distances_mm
    step_k = slice_spacing(distances, spacing)
    if np.ptp(distances) <= GRID_TOLERANCE_MM and abs(distances.mean() - step_k) <= GRID_TOLERANCE_MM:
        step_k = float(distances.mean())
    pixel = np.array([np.linalg.norm(stack.step_i), np.linalg.norm(stack.step_j)])
    axes = np.column_stack([stack.step_i / pixel[0], stack.step_j / pixel[1], stack.normal])
    offsets = (stack.origins - stack.origins[0]) @ axes
    first, shape, shifts = _in_plane_grid(offsets[:, :2], pixel, stack.data.shape[:2])
    gaps = np.zeros(len(distances), dtype=bool) if bridge_gaps else wide_gaps(distances)
    count = int(np.ceil((stack.slice_positions_mm[-1] - GRID_TOLERANCE_MM) / step_k)) + 1
    if shape[0] * shape[1] * count > MAX_VOXELS:
        raise GeometryError(
            f"the rectified grid would have {shape[0]} x {shape[1]} x {count} voxels; "
            "check the slice positions or choose a larger slice spacing"
        )
    planes = _planes(stack.slice_positions_mm, np.arange(count) * step_k, gaps)
    acquired = np.eye(4)
    acquired[:3, :3] = axes * np.array([*pixel, step_k])
    acquired[:3, 3] = stack.origins[0] + axes[:, :2] @ first
    empty, affine = reorient(np.broadcast_to(np.int16(0), (*shape, len(planes))), acquired)
    data = np.empty(empty.shape, dtype=np.int16, order="F")
    measured = np.empty(empty.shape, dtype=bool, order="F")
    codes = axis_codes(acquired)
    data_planes, measured_planes = reorient(data, affine, codes)[0], reorient(measured, affine, codes)[0]

    def fill(k: int) -> None:
        _fill_plane(stack, padded, planes[k], shifts, data_planes[:, :, k], measured_planes[:, :, k])

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(fill, range(len(planes))))
    whole = all(len(p.slices) == 1 for p in planes) and not np.any(shifts % 1)
    volume = Volume(data, affine, unit=stack.unit, outside=stack.outside, acquisition=stack.acquisition)
    return Rectified(volume, measured, not whole, tuple(float(d) for d in distances[gaps]))


def wide_gaps(distances_mm: FloatArray) -> npt.NDArray[np.bool_]:
    """Which gaps are wider than twice the larger of their neighbours, shape (k − 1,)."""
    neighbours = np.full(len(distances_mm), -np.inf)
    neighbours[1:] = distances_mm[:-1]
    neighbours[:-1] = np.maximum(neighbours[:-1], distances_mm[1:])
    return np.asarray((distances_mm > BRIDGED_GAP_RATIO * GAP_RATIO_MARGIN * neighbours) & np.isfinite(neighbours))


def _in_plane_grid(
    offsets: FloatArray, pixel: FloatArray, shape: tuple[int, ...]
) -> tuple[FloatArray, tuple[int, int], FloatArray]:
    """Origin (mm), shape (voxels) of the padded plane, and where each slice starts in it (voxels, shape (k, 2))."""
    spread = np.ptp(offsets, axis=0)
    first = np.where(spread < GRID_TOLERANCE_MM, 0.0, offsets.min(axis=0))
    extra = np.where(spread < GRID_TOLERANCE_MM, 0, np.ceil(spread / pixel - 1e-6)).astype(int)
    shifts = np.where(spread < GRID_TOLERANCE_MM, 0.0, (offsets - first) / pixel)
    near = np.rint(shifts)
    shifts = np.where(np.abs(shifts - near) * pixel < GRID_TOLERANCE_MM, near, shifts)
    return first, (int(shape[0] + extra[0]), int(shape[1] + extra[1])), shifts


def _planes(positions_mm: FloatArray, wanted_mm: FloatArray, gaps: npt.NDArray[np.bool_]) -> list[_Plane]:
    planes = []
    for position in wanted_mm:
        nearest = int(np.abs(positions_mm - position).argmin())
        if abs(positions_mm[nearest] - position) <= GRID_TOLERANCE_MM or position > positions_mm[-1]:
            planes.append(_Plane(((nearest, 1.0),)))
            continue
        below = int(np.searchsorted(positions_mm, position)) - 1
        if gaps[below]:
            planes.append(_Plane(()))
            continue
        weight = (position - positions_mm[below]) / (positions_mm[below + 1] - positions_mm[below])
        planes.append(_Plane(((below, 1.0 - weight), (below + 1, weight))))
    return planes


def _fill_plane(
    stack: SliceStack,
    padded: npt.NDArray[np.bool_] | None,
    plane: _Plane,
    shifts: FloatArray,
    data: AnyArray,
    measured: npt.NDArray[np.bool_],
) -> None:
    """Mix the plane's slices into `data` and mark what was measured; both are (i, j) views that are written."""
    data[...] = stack.outside
    measured[...] = bool(plane.slices)
    if len(plane.slices) == 1 and not np.any(shifts[plane.slices[0][0]] % 1):
        k = plane.slices[0][0]
        i, j = shifts[k].astype(int)
        place = (slice(i, i + stack.data.shape[0]), slice(j, j + stack.data.shape[1]))
        data[place] = stack.data[:, :, k]
        measured[...] = False
        measured[place] = True if padded is None else ~padded[:, :, k]
        return
    mixed = np.zeros(data.shape, dtype=np.float32)
    for k, weight in plane.slices:
        values = _shifted(stack.data[:, :, k].astype(np.float32), shifts[k], data.shape, stack.outside)
        mixed += np.float32(weight) * values
        present = np.ones(stack.data.shape[:2], np.float32) if padded is None else (~padded[:, :, k]).astype(np.float32)
        measured &= _shifted(present, shifts[k], data.shape, 0.0) > 1.0 - 1e-3
    if plane.slices:
        np.rint(mixed, out=mixed)
        data[...] = mixed


def _shifted(
    image: npt.NDArray[np.float32], shift: FloatArray, shape: tuple[int, ...], outside: float
) -> npt.NDArray[np.float32]:
    """An image placed in a larger plane at a fractional position, by linear interpolation along each axis."""
    for axis in (0, 1):
        whole = int(np.floor(shift[axis]))
        fraction = np.float32(shift[axis] - whole)
        size = image.shape[axis]
        placed_shape = list(image.shape)
        placed_shape[axis] = shape[axis]
        placed = np.full(placed_shape, outside, dtype=np.float32, order="F")
        index: list[slice] = [slice(None), slice(None)]
        index[axis] = slice(whole, whole + size)
        placed[tuple(index)] = image
        if fraction > 0:
            later = np.full(placed_shape, outside, dtype=np.float32, order="F")
            end = min(whole + 1 + size, shape[axis])
            index[axis] = slice(whole + 1, end)
            kept: list[slice] = [slice(None), slice(None)]
            kept[axis] = slice(0, end - whole - 1)
            later[tuple(index)] = image[tuple(kept)]
            placed += fraction * (later - placed)
        image = placed
    return image
