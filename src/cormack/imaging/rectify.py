"""Rectifying: slices as acquired to an orthogonal, evenly spaced grid, in one interpolation."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cormack.core.errors import GeometryError, InputError
from cormack.core.volume import GRID_TOLERANCE_MM, AnyArray, FloatArray, SliceStack, Unit, Volume
from cormack.imaging.condition import HU_RANGE, Conditioned
from cormack.imaging.in_plane import PlaneGrid, in_plane_grid
from cormack.imaging.orient import axis_codes, axis_order, reorient
from cormack.imaging.spacing import slice_spacing, slice_weights, wide_gaps
from cormack.imaging.weights import SUPPORT, interpolation_weights

#: A rectified grid larger than this many voxels is refused: something is wrong with the positions.
MAX_VOXELS = 2_000_000_000
#: A voxel counts as measured if this share of what it was made from was measured.
WHOLLY_MEASURED = 1.0 - 1e-3
#: Planes that are made ahead of the one that is asked for.
STREAMED_PLANES = 4
#: Processor threads; a plane is the unit of work.
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


def rectify(
    slices: SliceStack | Conditioned,
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
    slices : Conditioned, or SliceStack
        Of any unit; only Hounsfield units are winsorised. The grid holds int16 where the stack does, else float32.
    spacing : "finest", "median", "minimum" or a number of millimetres
        Distance of the planes; see `cormack.imaging.spacing.slice_spacing`.
    voxel_mm : float, optional
        Isotropic voxels of this size instead of the native pixels and `spacing`; anti-aliased where they are larger.
    order : 1 linear, 3 cubic convolution
        Between unevenly spaced slices interpolation is always linear.
    padded : bool array, shape (i, j, k), optional
        Native voxels of a SliceStack that were never measured.
    bridge_gaps : bool
        Also interpolate across gaps wider than twice their neighbours.

    Raises
    ------
    GeometryError
        If there are fewer than two slices or the grid would be absurdly large.
    InputError
        If a spacing is not positive or the order unknown.
    """
    plan = plan_rectification(
        slices, spacing=spacing, voxel_mm=voxel_mm, order=order, padded=padded, bridge_gaps=bridge_gaps
    )
    return plan.volume()


def plan_rectification(
    slices: SliceStack | Conditioned,
    *,
    spacing: str | float = "finest",
    voxel_mm: float | None = None,
    order: int = 1,
    padded: npt.NDArray[np.bool_] | None = None,
    bridge_gaps: bool = False,
) -> Rectification:
    """Work out the rectified grid and what each of its planes is made of; parameters and errors as in `rectify`."""
    stack = slices.source if isinstance(slices, Conditioned) else slices
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
    plane = in_plane_grid(((stack.origins - stack.origins[0]) @ axes)[:, :2], pixel, new_pixel, stack.data.shape[:2])
    gaps = np.zeros(len(distances), dtype=bool) if bridge_gaps else wide_gaps(distances)
    count = int(np.ceil((stack.slice_positions_mm[-1] - GRID_TOLERANCE_MM) / step_k)) + 1
    if np.prod([float(n) for n in (*plane.shape, count)]) > MAX_VOXELS:
        raise GeometryError(
            f"the rectified grid would have {plane.shape[0]} x {plane.shape[1]} x {count} voxels; "
            "check the slice positions or choose a larger spacing"
        )
    makers = slice_weights(stack.slice_positions_mm, step_k, count, gaps=gaps, order=order if even else 1)
    affine = np.eye(4)
    affine[:3, :3] = axes * np.array([*new_pixel, step_k])
    affine[:3, 3] = stack.origins[0] + axes[:, :2] @ plane.first_mm
    given = slices if isinstance(slices, Conditioned) else _Plain(stack, padded)
    return Rectification(given, affine, plane, tuple(makers), order, tuple(float(d) for d in distances[gaps]))


@dataclass(frozen=True, eq=False)
class _Plain:
    """Slices of a stack as they are, with what was not measured, in the manner of `Conditioned`."""

    source: SliceStack
    padded: npt.NDArray[np.bool_] | None

    @property
    def outside(self) -> float:
        return self.source.outside

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.int16 if self.source.unit is Unit.HU or self.source.data.dtype == np.int16 else np.float32)

    @property
    def limits(self) -> tuple[float, float]:
        if self.source.unit is Unit.HU:
            return HU_RANGE
        return (-32768, 32767) if self.dtype.kind == "i" else (-np.inf, np.inf)

    def slice_values(self, k: int) -> AnyArray:
        return self.source.data[:, :, k]

    def slice_padded(self, k: int) -> npt.NDArray[np.bool_]:
        if self.padded is None:
            return np.zeros(self.source.data.shape[:2], dtype=bool, order="F")
        return self.padded[:, :, k]


@dataclass(frozen=True, eq=False)
class Rectification:
    """A rectified grid whose planes are made one by one, in the order of the slices.

    Attributes
    ----------
    affine : array, shape (4, 4)
        Of the planes as `fill` gives them: (i, j) as in the slices, k from plane to plane.
    unbridged_gaps_mm : tuple of float
    """

    slices: Conditioned | _Plain
    affine: FloatArray
    plane: PlaneGrid
    makers: tuple[tuple[tuple[int, float], ...], ...]
    order: int
    unbridged_gaps_mm: tuple[float, ...]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along (i, j, plane)."""
        return (*self.plane.shape, len(self.makers))

    @property
    def interpolates(self) -> bool:
        """False if the slices lie on the grid already."""
        alone = all(len(made_of) == 1 for made_of in self.makers)
        return not (alone and all(self.plane.is_whole(k) for k in range(len(self.plane.starts))))

    def volume(self) -> Rectified:
        """Make all planes, in memory, with the axes closest to R, A and S."""
        empty, affine = reorient(np.broadcast_to(np.int16(0), self.shape), self.affine)
        data = np.empty(empty.shape, dtype=self.slices.dtype, order="F")
        measured = np.empty(empty.shape, dtype=bool, order="F")
        codes = axis_codes(self.affine)
        into, where = reorient(data, affine, codes)[0], reorient(measured, affine, codes)[0]
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(lambda k: self.fill(k, into[:, :, k], where[:, :, k]), range(self.shape[2])))
        source = self.slices.source
        volume = Volume(data, affine, unit=source.unit, outside=self.slices.outside, acquisition=source.acquisition)
        return Rectified(volume, measured, self.interpolates, self.unbridged_gaps_mm)

    def planes(self, codes: str) -> tuple[FloatArray, tuple[int, ...], Iterator[AnyArray]] | None:
        """Affine, shape and the planes one by one, with the axes in the directions of `codes`.

        None where the slices would not follow each other along the last axis, so that no plane is ready alone.
        """
        order, flipped = axis_order(axis_codes(self.affine), codes)
        if order[2] != 2:
            return None
        view, affine = reorient(np.broadcast_to(np.int16(0), self.shape), self.affine, codes)
        numbers = range(self.shape[2])[:: -1 if flipped[2] else 1]
        turn = tuple(slice(None, None, -1 if flip else 1) for flip in flipped[:2])

        def make(k: int) -> AnyArray:
            plane = np.empty(view.shape[:2], dtype=self.slices.dtype, order="F")
            # Made where it shall lie, so that it need not be turned afterwards.
            self.fill(k, plane[turn].transpose(order[:2]))
            return plane

        return affine, view.shape, _ahead(make, numbers) if self.interpolates else map(make, numbers)

    def fill(self, plane: int, data: AnyArray, measured: npt.NDArray[np.bool_] | None = None) -> None:
        """Write one plane's values into `data`, and what of it was measured into `measured`; both of shape (i, j)."""
        made_of = self.makers[plane]
        if measured is not None:
            measured[...] = False
        if len(made_of) == 1 and self.plane.is_whole(made_of[0][0]):
            self._copy(made_of[0][0], data, measured)
        elif made_of:
            self._mix(made_of, data, measured)
        else:
            data[...] = self.slices.outside

    def _copy(self, k: int, data: AnyArray, measured: npt.NDArray[np.bool_] | None) -> None:
        image = self.slices.slice_values(k)
        if image.shape != data.shape:
            data[...] = self.slices.outside
        i, j = (-self.plane.starts[k]).astype(int)
        place = (slice(i, i + image.shape[0]), slice(j, j + image.shape[1]))
        data[place] = image
        if measured is not None:
            measured[place] = ~self.slices.slice_padded(k)

    def _mix(
        self, made_of: tuple[tuple[int, float], ...], data: AnyArray, measured: npt.NDArray[np.bool_] | None
    ) -> None:
        outside = np.float32(self.slices.outside)
        mixed = np.full(data.shape, outside, dtype=np.float32, order="F")
        wholly = np.ones(data.shape, dtype=bool, order="F")
        for k, weight in made_of:
            image = self.slices.slice_values(k).astype(np.float32) - outside
            mixed += np.float32(weight) * self._resampled(image, k, self.order)
            if measured is not None:
                present = (~self.slices.slice_padded(k)).astype(np.float32)
                wholly &= self._resampled(present, k, 1) > WHOLLY_MEASURED
        mixed = np.clip(mixed, *self.slices.limits)
        data[...] = np.rint(mixed) if data.dtype.kind == "i" else mixed
        if measured is not None:
            measured[...] = wholly

    def _resampled(self, image: npt.NDArray[np.float32], k: int, order: int) -> npt.NDArray[np.float32]:
        """A slice's image on the plane's grid, 0 outside of it."""
        plane = self.plane
        for axis in (1, 0):
            if plane.shape[axis] == image.shape[axis] and plane.ratio[axis] == 1 and plane.starts[k, axis] == 0:
                continue
            width = max(1.0, float(plane.ratio[axis]))
            weights = interpolation_weights(plane.centres(k, axis), image.shape[axis], width=width, order=order)
            image = weights @ image if axis == 0 else (weights @ image.T).T
        return image


def _ahead(make: Callable[[int], AnyArray], numbers: Iterable[int]) -> Iterator[AnyArray]:
    """Planes in order, a few of them made before they are asked for."""
    waiting: deque[Future[AnyArray]] = deque()
    with ThreadPoolExecutor(THREADS) as pool:
        for k in numbers:
            waiting.append(pool.submit(make, k))
            if len(waiting) > STREAMED_PLANES:
                yield waiting.popleft().result()
        yield from (plane.result() for plane in waiting)
