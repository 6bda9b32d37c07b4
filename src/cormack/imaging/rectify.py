"""Rectifying: slices as acquired to an orthogonal, evenly spaced grid, in one interpolation."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cormack.core.errors import GeometryError, InputError
from cormack.core.volume import GRID_TOLERANCE_MM, AnyArray, FloatArray, SliceStack, Volume
from cormack.imaging.condition import HU_RANGE
from cormack.imaging.orient import axis_codes, reorient
from cormack.imaging.weights import SUPPORT, interpolation_weights, kernel

#: "finest" takes the smallest distance that at least this share of the gaps does not exceed.
FINEST_SHARE = 0.25
#: A gap is bridged by interpolation up to this multiple of the larger of its neighbours, with a margin for rounding.
BRIDGED_GAP_RATIO = 2.0
GAP_RATIO_MARGIN = 1.05
#: Rules by which the distance of the rectified slices follows from those acquired.
SPACING_RULES = ("finest", "median", "minimum")
#: A rectified grid larger than this many voxels is refused: something is wrong with the positions.
MAX_VOXELS = 2_000_000_000
#: A voxel counts as measured if this share of what it was made from was measured.
WHOLLY_MEASURED = 1.0 - 1e-3
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
    voxel_mm: float | None = None,
    order: int = 1,
    padded: npt.NDArray[np.bool_] | None = None,
    bridge_gaps: bool = False,
) -> Rectified:
    """Resample parallel slices to an orthogonal, evenly spaced grid, padded so that no voxel is lost.

    The planes of the grid are parallel to the slices. Where a native slice lies on a plane, its values are shifted
    within the plane (not at all without tilt); elsewhere neighbouring slices are mixed. Each value is interpolated
    once, by a kernel that is the product of one per axis.

    Parameters
    ----------
    stack : SliceStack
        Conditioned: int16 HU.
    spacing : "finest", "median", "minimum" or a number of millimetres
        Distance of the planes; see `slice_spacing`.
    voxel_mm : float, optional
        Isotropic voxels of this size instead of the native pixels and `spacing`; anti-aliased where they are larger.
    order : 1 linear, 3 cubic convolution
        Between unevenly spaced slices interpolation is always linear.
    padded : bool array, shape (i, j, k), optional
        Native voxels that were never measured.
    bridge_gaps : bool
        Also interpolate across gaps wider than twice their neighbours.

    Raises
    ------
    GeometryError
        If there are fewer than two slices or the grid would be absurdly large.
    InputError
        If a spacing is not positive or the order unknown.
    """
    if stack.data.shape[2] < 2:
        raise GeometryError("rectifying needs at least two slices")
    if order not in SUPPORT:
        raise InputError(f"interpolation order {order!r}: give 1 (linear) or 3 (cubic)")
    distances = stack.slice_distances_mm
    even = bool(np.ptp(distances) <= GRID_TOLERANCE_MM)
    step_k = slice_spacing(distances, spacing if voxel_mm is None else voxel_mm)
    if even and abs(distances.mean() - step_k) <= GRID_TOLERANCE_MM:
        step_k = float(distances.mean())
    pixel = np.array([np.linalg.norm(stack.step_i), np.linalg.norm(stack.step_j)])
    new_pixel = pixel if voxel_mm is None else np.full(2, float(voxel_mm))
    axes = np.column_stack([stack.step_i / pixel[0], stack.step_j / pixel[1], stack.normal])
    plane = _in_plane_grid(((stack.origins - stack.origins[0]) @ axes)[:, :2], pixel, new_pixel, stack.data.shape[:2])
    gaps = np.zeros(len(distances), dtype=bool) if bridge_gaps else wide_gaps(distances)
    count = int(np.ceil((stack.slice_positions_mm[-1] - GRID_TOLERANCE_MM) / step_k)) + 1
    shape = (*plane.shape, count)
    if np.prod([float(n) for n in shape]) > MAX_VOXELS:
        raise GeometryError(
            f"the rectified grid would have {shape[0]} x {shape[1]} x {shape[2]} voxels; "
            "check the slice positions or choose a larger spacing"
        )
    planes = slice_weights(stack.slice_positions_mm, step_k, count, gaps=gaps, order=order if even else 1)
    acquired = np.eye(4)
    acquired[:3, :3] = axes * np.array([*new_pixel, step_k])
    acquired[:3, 3] = stack.origins[0] + axes[:, :2] @ plane.first_mm
    empty, affine = reorient(np.broadcast_to(np.int16(0), shape), acquired)
    data = np.empty(empty.shape, dtype=np.int16, order="F")
    measured = np.empty(empty.shape, dtype=bool, order="F")
    codes = axis_codes(acquired)
    data_planes, measured_planes = reorient(data, affine, codes)[0], reorient(measured, affine, codes)[0]

    def fill(k: int) -> None:
        filler = _PlaneFiller(stack, padded, plane, order)
        filler.fill(planes[k], data_planes[:, :, k], measured_planes[:, :, k])

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(fill, range(count)))
    whole = all(len(slices) == 1 for slices in planes) and all(plane.is_whole(k) for k in range(len(stack.origins)))
    volume = Volume(data, affine, unit=stack.unit, outside=stack.outside, acquisition=stack.acquisition)
    return Rectified(volume, measured, not whole, tuple(float(d) for d in distances[gaps]))


def wide_gaps(distances_mm: FloatArray) -> npt.NDArray[np.bool_]:
    """Which gaps are wider than twice the larger of their neighbours, shape (k − 1,)."""
    neighbours = np.full(len(distances_mm), -np.inf)
    neighbours[1:] = distances_mm[:-1]
    neighbours[:-1] = np.maximum(neighbours[:-1], distances_mm[1:])
    return np.asarray((distances_mm > BRIDGED_GAP_RATIO * GAP_RATIO_MARGIN * neighbours) & np.isfinite(neighbours))


def slice_weights(
    positions_mm: FloatArray, step_mm: float, count: int, *, gaps: npt.NDArray[np.bool_], order: int = 1
) -> list[tuple[tuple[int, float], ...]]:
    """Which slices make each plane, and how much of each; none in a gap.

    Parameters
    ----------
    positions_mm : array, shape (k,)
        Ascending positions of the slices; the planes lie at 0, step_mm, 2 · step_mm …
    step_mm, count : float, int
    gaps : bool array, shape (k − 1,)
        Distances that are not bridged.
    order : 1 linear, 3 cubic convolution (for even distances)
    """
    planes: list[tuple[tuple[int, float], ...]] = []
    thickness = np.gradient(positions_mm)
    for position in np.arange(count) * step_mm:
        nearest = int(np.abs(positions_mm - position).argmin())
        below = int(np.clip(np.searchsorted(positions_mm, position) - 1, 0, len(gaps) - 1))
        distance = positions_mm[below + 1] - positions_mm[below]
        exact = abs(positions_mm[nearest] - position) <= GRID_TOLERANCE_MM
        if position > positions_mm[-1] or (exact and step_mm <= distance + GRID_TOLERANCE_MM):
            planes.append(((nearest, 1.0),))
        elif gaps[below] and not exact:
            planes.append(())
        elif order == 1 and step_mm <= distance + GRID_TOLERANCE_MM:
            share = float((position - positions_mm[below]) / distance)
            planes.append(((below, 1.0 - share), (below + 1, share)))
        else:
            away = np.abs(positions_mm - position) / max(distance, step_mm)
            weights = kernel(away, order) * thickness
            slices = np.flatnonzero(weights)
            planes.append(tuple((int(k), float(weights[k] / weights.sum())) for k in slices))
    return planes


@dataclass(frozen=True, eq=False)
class _Plane:
    """The grid within a plane: where it begins, its shape, and where its voxels lie in each slice (voxels)."""

    first_mm: FloatArray
    shape: tuple[int, int]
    ratio: FloatArray
    starts: FloatArray

    def is_whole(self, k: int) -> bool:
        """True if the voxels of slice k lie on the grid."""
        return bool(np.all(self.ratio == 1) and not np.any(self.starts[k] % 1))

    def centres(self, k: int, axis: int) -> FloatArray:
        """Positions of the plane's voxels along an axis, in voxels of slice k."""
        return np.asarray(self.starts[k, axis] + np.arange(self.shape[axis]) * self.ratio[axis])


def _in_plane_grid(offsets: FloatArray, pixel: FloatArray, new_pixel: FloatArray, shape: tuple[int, ...]) -> _Plane:
    """The padded grid; `offsets` (shape (k, 2), mm) say where the slices begin within the plane."""
    spread = np.ptp(offsets, axis=0)
    still = spread < GRID_TOLERANCE_MM
    first = np.where(still, 0.0, offsets.min(axis=0))
    extent = (np.array(shape) - 1) * pixel + np.where(still, 0.0, spread)
    counts = np.ceil(extent / new_pixel - 1e-6).astype(int) + 1
    starts = np.where(still, 0.0, (first - offsets) / pixel)
    near = np.rint(starts)
    starts = np.where(np.abs(starts - near) * pixel < GRID_TOLERANCE_MM, near, starts)
    return _Plane(first, (int(counts[0]), int(counts[1])), new_pixel / pixel, starts)


@dataclass(frozen=True, eq=False)
class _PlaneFiller:
    """Resamples slices into planes."""

    stack: SliceStack
    padded: npt.NDArray[np.bool_] | None
    plane: _Plane
    order: int

    def fill(self, slices: tuple[tuple[int, float], ...], data: AnyArray, measured: npt.NDArray[np.bool_]) -> None:
        """Mix slices into `data` and mark what was measured; both are (i, j) views that are written."""
        data[...] = self.stack.outside
        measured[...] = bool(slices)
        if len(slices) == 1 and self.plane.is_whole(slices[0][0]):
            self._copy(slices[0][0], data, measured)
        elif slices:
            self._mix(slices, data, measured)

    def _copy(self, k: int, data: AnyArray, measured: npt.NDArray[np.bool_]) -> None:
        i, j = (-self.plane.starts[k]).astype(int)
        place = (slice(i, i + self.stack.data.shape[0]), slice(j, j + self.stack.data.shape[1]))
        data[place] = self.stack.data[:, :, k]
        measured[...] = False
        measured[place] = True if self.padded is None else ~self.padded[:, :, k]

    def _mix(self, slices: tuple[tuple[int, float], ...], data: AnyArray, measured: npt.NDArray[np.bool_]) -> None:
        mixed = np.full(data.shape, self.stack.outside, dtype=np.float32, order="F")
        for k, weight in slices:
            image = self.stack.data[:, :, k].astype(np.float32) - np.float32(self.stack.outside)
            mixed += np.float32(weight) * self._resampled(image, k, self.order)
            present = np.ones(image.shape) if self.padded is None else ~self.padded[:, :, k]
            measured &= self._resampled(present.astype(np.float32), k, 1) > WHOLLY_MEASURED
        low, high = HU_RANGE if self.stack.data.dtype == np.int16 else (mixed.min(), mixed.max())
        data[...] = np.rint(np.clip(mixed, low, high))

    def _resampled(self, image: npt.NDArray[np.float32], k: int, order: int) -> npt.NDArray[np.float32]:
        """A slice's image on the plane's grid, 0 outside of it."""
        plane = self.plane
        for axis in (1, 0):
            if plane.shape[axis] == image.shape[axis] and plane.ratio[axis] == 1 and plane.starts[k, axis] == 0:
                continue
            width = max(1.0, plane.ratio[axis])
            weights = interpolation_weights(plane.centres(k, axis), image.shape[axis], width=width, order=order)
            image = weights @ image if axis == 0 else (weights @ image.T).T
        return image
