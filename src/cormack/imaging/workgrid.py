"""A coarse, nearly isotropic copy of a volume to find shapes on, and the way back to the native grid.

Topology (which side of the bone a voxel lies on) is settled on 2 mm voxels, cheap in time and memory; only the
position of a surface needs the native grid, and is taken there by interpolating smooth fields slab by slab.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

FloatImage = npt.NDArray[np.float32]
BoolArray = npt.NDArray[np.bool_]
AnyArray = npt.NDArray[Any]
Box = tuple[slice, slice, slice]

#: Farther than anything in a scan.
FAR_MM = 10_000.0


@dataclass(frozen=True)
class WorkGrid:
    """Blocks of native voxels averaged, thick slices interpolated: the geometry of a coarse copy.

    Parameters
    ----------
    box : three slices
        The part of the native grid that the coarse grid covers.
    pool : three ints
        Native voxels averaged into one coarse voxel along (i, j, k).
    split : three ints
        Coarse voxels interpolated from one block along (i, j, k); 1 except across thick slices.
    spacing_mm : three floats
        Spacing of the coarse grid.
    """

    box: Box
    pool: tuple[int, int, int]
    split: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]

    @staticmethod
    def over(box: Box, spacing_mm: tuple[float, float, float], target_mm: float) -> WorkGrid:
        """The grid over `box` whose spacing comes closest to `target_mm` in whole steps."""
        sizes = [s.stop - s.start for s in box]
        pool = tuple(max(1, min(n, round(target_mm / h))) for h, n in zip(spacing_mm, sizes, strict=True))
        split = tuple(max(1, round(h / target_mm)) if n > 1 else 1 for h, n in zip(spacing_mm, sizes, strict=True))
        coarse = tuple(h * p / q for h, p, q in zip(spacing_mm, pool, split, strict=True))
        return WorkGrid(box, pool, split, coarse)  # type: ignore[arg-type]

    def coarsen(self, data: AnyArray, value: Callable[[AnyArray], FloatImage] | None = None) -> FloatImage:
        """Block means of `value(data)` (of `data` itself by default) on the coarse grid, float32."""
        return self._divide(self._blocks(data, value))

    def _blocks(self, data: AnyArray, value: Callable[[AnyArray], FloatImage] | None) -> FloatImage:
        inside, pool = data[self.box], self.pool
        # Along the axis that is slowest in memory, slab by slab: one slab of full resolution is all that is held.
        backwards = abs(inside.strides[0]) < abs(inside.strides[2])
        if backwards:
            inside, pool = inside.transpose(2, 1, 0), pool[::-1]
        starts = [np.arange(0, n, p) for n, p in zip(inside.shape, pool, strict=True)]
        counts = [np.diff(np.append(s, n)) for s, n in zip(starts, inside.shape, strict=True)]
        out = np.empty([len(s) for s in starts], dtype=np.float32)
        for i, (start, count) in enumerate(zip(starts[0], counts[0], strict=True)):
            slab = inside[start : start + count]
            slab = slab.astype(np.float32) if value is None else value(slab)
            plane = np.add.reduceat(np.add.reduceat(slab.sum(axis=0), starts[1], axis=0), starts[2], axis=1)
            out[i] = plane / (count * counts[1][:, None] * counts[2][None, :])
        return np.ascontiguousarray(out.transpose(2, 1, 0)) if backwards else out

    def _divide(self, blocks: FloatImage) -> FloatImage:
        for axis, q in enumerate(self.split):
            if q > 1:
                n = blocks.shape[axis]
                at = np.clip((np.arange(n * q) + 0.5) / q - 0.5, 0, n - 1)
                blocks = _interpolate(blocks, at, axis)
        return blocks

    def shape(self) -> tuple[int, int, int]:
        """Number of coarse voxels along (i, j, k)."""
        i, j, k = (-(-(s.stop - s.start) // p) * q for s, p, q in zip(self.box, self.pool, self.split, strict=True))
        return i, j, k

    def part(self, box: Box) -> tuple[WorkGrid, Box]:
        """The grid of a box of coarse voxels, widened to whole blocks; with that box."""
        low = [s.start // q * q for s, q in zip(box, self.split, strict=True)]
        high = [-(-s.stop // q) * q for s, q in zip(box, self.split, strict=True)]
        native = tuple(
            slice(whole.start + a // q * p, min(whole.start + b // q * p, whole.stop))
            for whole, a, b, p, q in zip(self.box, low, high, self.pool, self.split, strict=True)
        )
        widened = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        return replace(self, box=native), widened  # type: ignore[arg-type, return-value]

    def centres_mm(self, axis: int, spacing_mm: float) -> npt.NDArray[np.float64]:
        """Position of every coarse voxel along one axis: millimetres from native voxel 0."""
        coarse = np.arange(self.shape()[axis])
        native = (coarse + 0.5) / self.split[axis] * self.pool[axis] - 0.5 + self.box[axis].start
        return np.asarray(native * spacing_mm)

    def index_matrix(self) -> npt.NDArray[np.float64]:
        """Native indices to coarse indices, shape (4, 4)."""
        matrix = np.eye(4)
        for axis, (box, pool, split) in enumerate(zip(self.box, self.pool, self.split, strict=True)):
            matrix[axis, axis] = split / pool
            matrix[axis, 3] = (0.5 - box.start) * split / pool - 0.5
        return matrix

    def affine(self, native: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Coarse indices to RAS+ mm, given the affine of the native grid."""
        return np.asarray(native @ np.linalg.inv(self.index_matrix()))

    def index_of(self, native: npt.NDArray[np.float64], axis: int) -> npt.NDArray[np.float64]:
        """Coarse index (continuous, clipped to the grid) of native indices along one axis."""
        index = (native - self.box[axis].start + 0.5) / self.pool[axis] * self.split[axis] - 0.5
        return np.asarray(np.clip(index, 0, self.shape()[axis] - 1))

    def onto(self, field: FloatImage, other: WorkGrid) -> FloatImage:
        """A field of this grid interpolated linearly onto another grid of the same volume; held at its border."""
        for axis in range(3):
            field = _interpolate(field, self.index_of(other.centres_mm(axis, 1.0), axis), axis)
        return field

    def threshold_native(self, field: FloatImage, shape: tuple[int, int, int]) -> BoolArray:
        """Where a coarse field, interpolated onto the native grid of `shape`, is positive; False outside the box."""
        out = np.zeros(shape, dtype=bool, order="F")
        for k, plane in self.native_planes(field):
            out[self.box[0], self.box[1], k] = plane > 0
        return out

    def native_planes(self, field: FloatImage) -> Iterator[tuple[int, FloatImage]]:
        """A coarse field on the native grid of the box, plane by plane: the native k and an array of shape (i, j)."""
        i, j, k = (self.index_of(np.arange(s.start, s.stop), axis) for axis, s in enumerate(self.box))
        columns = _interpolate(field, k, 2)
        for n, slice_k in enumerate(range(self.box[2].start, self.box[2].stop)):
            # Plane by plane: the interpolated field never exists at full resolution as a whole.
            yield slice_k, _interpolate(_interpolate(columns[:, :, n], i, 0), j, 1)


def _interpolate(values: FloatImage, at: npt.NDArray[np.floating], axis: int) -> FloatImage:
    """Linear interpolation of `values` along one axis at positions `at`."""
    low = np.clip(np.floor(at).astype(np.intp), 0, max(values.shape[axis] - 2, 0))
    high = np.minimum(low + 1, values.shape[axis] - 1)
    weight = (at - low).astype(np.float32)
    weight = weight.reshape([-1 if a == axis else 1 for a in range(values.ndim)])
    below = np.take(values, low, axis=axis)
    return np.asarray(below + (np.take(values, high, axis=axis) - below) * weight)


def bounding_box(mask: BoolArray, margin: tuple[int, int, int] = (0, 0, 0)) -> Box:
    """The smallest box around the true voxels, widened by `margin` voxels and cut at the border.

    An empty mask gives the whole array.
    """
    found = ndimage.find_objects(mask.astype(np.int8), max_label=1)
    if not found or found[0] is None:
        return tuple(slice(0, n) for n in mask.shape)  # type: ignore[return-value]
    return tuple(  # type: ignore[return-value]
        slice(max(0, s.start - m), min(n, s.stop + m)) for s, m, n in zip(found[0], margin, mask.shape, strict=True)
    )


def distance_mm(mask: BoolArray, spacing_mm: tuple[float, float, float]) -> FloatImage:
    """Distance in mm of every true voxel to the nearest false one, `FAR_MM` if there is none.

    The array's border is not a wall.
    """
    if mask.all():
        return np.full(mask.shape, FAR_MM, dtype=np.float32)
    return np.asarray(ndimage.distance_transform_edt(mask, sampling=spacing_mm), dtype=np.float32)


def signed_distance_mm(
    inside: BoolArray, spacing_mm: tuple[float, float, float], reach_mm: float | None = None
) -> FloatImage:
    """Distance in mm of every voxel's centre to the surface of `inside`, half a voxel from centres; positive inside.

    Parameters
    ----------
    inside : bool array, shape (i, j, k)
        The array's border is not a wall.
    spacing_mm : three floats
    reach_mm : float, optional
        What is certain to lie farther outside than this gets minus this, which saves time.

    Returns
    -------
    float32 array, shape (i, j, k)
    """
    half = np.float32(np.mean(spacing_mm) / 2)
    if reach_mm is None:
        return np.where(inside, distance_mm(inside, spacing_mm) - half, half - distance_mm(~inside, spacing_mm))
    depth = np.full(inside.shape, -reach_mm, dtype=np.float32)
    near = bounding_box(inside, tuple(int(np.ceil((reach_mm + half) / h)) for h in spacing_mm))  # type: ignore[arg-type]
    depth[near] = half - distance_mm(~inside[near], spacing_mm)
    tight = bounding_box(inside, (1, 1, 1))
    within = inside[tight]
    depth[tight][within] = distance_mm(within, spacing_mm)[within] - half
    return depth


def largest_component(mask: BoolArray) -> BoolArray:
    """The largest face-connected component; an empty mask stays empty."""
    labels, n = ndimage.label(mask)
    if n <= 1:
        return mask
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    return np.asarray(labels == sizes.argmax())


def component_with(mask: BoolArray, seeds: BoolArray) -> BoolArray:
    """The face-connected components of `mask` that hold at least one voxel of `seeds`."""
    labels, n = ndimage.label(mask)
    keep = np.zeros(n + 1, dtype=bool)
    keep[np.unique(labels[seeds & mask])] = True
    keep[0] = False
    return np.asarray(keep[labels])
