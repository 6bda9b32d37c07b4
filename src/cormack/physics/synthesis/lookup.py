"""Values of the anatomy at any points: image and truth by one trilinear interpolation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from cormack.physics.synthesis.anatomy import Codes, FloatImage

Pair = npt.NDArray[np.complex64]
#: Targets, or depths.
Small = npt.NDArray[np.uint8] | npt.NDArray[np.int8]
#: Points looked up at once: what they need stays in the processor's cache.
BLOCK = 1 << 15


def window(voxels: Sequence[FloatImage], shape: Sequence[int], margin: int = 2) -> tuple[slice, slice, slice]:
    """The part of an array that a set of points needs."""
    bounds = []
    for axis, n in zip(voxels, shape, strict=True):
        low = int(np.clip(np.floor(axis.min()) - margin, 0, n - 4))
        high = int(np.clip(np.ceil(axis.max()) + margin + 1, low + 4, n))
        bounds.append(slice(low, high))
    return bounds[0], bounds[1], bounds[2]


def averaged(codes: Codes, targets: Small, table: FloatImage) -> Pair:
    """Values of codes (real part) and targets (imaginary part), averaged over blocks of 2 x 2 x 2 voxels.

    The result is one voxel shorter along each axis: a value lies between its eight voxels.

    Parameters
    ----------
    codes : uint8 array, shape (i, j, k)
    targets : uint8 or int8 array, shape (i, j, k)
    table : float array, shape (256,)
        Value of every code.
    """
    ni, nj, nk = codes.shape
    result = np.empty((ni - 1, nj - 1, nk - 1), dtype=np.complex64)
    plane = np.empty((nj, nk), dtype=np.complex64)
    scaled = table / np.float32(8)
    # Plane by plane, so that what is added lies in the processor's cache.
    previous = None
    for n in range(ni):
        plane.real = scaled[codes[n]]
        plane.imag = targets[n]
        plane.imag /= 8
        rows = plane[1:] + plane[:-1]
        square = rows[:, 1:] + rows[:, :-1]
        if previous is not None:
            np.add(square, previous, out=result[n - 1])
        previous = square
    return result


def trilinear(pair: Pair, voxels: Sequence[FloatImage]) -> Pair:
    """Two images in one (real and imaginary part) at continuous voxel indices; the rim goes on outside.

    Parameters
    ----------
    pair : complex64 array, shape (a, b, c)
    voxels : three float32 arrays, shape (i, j, k)
    """
    flat = np.ascontiguousarray(pair).reshape(-1)
    strides = (pair.shape[1] * pair.shape[2], pair.shape[2], 1)
    places = [v.reshape(-1) for v in voxels]
    result = np.empty(places[0].size, dtype=np.complex64)
    for start in range(0, result.size, BLOCK):
        part = slice(start, start + BLOCK)
        base = np.zeros(result[part].size, dtype=np.int32)
        fractions = []
        for place, n, stride in zip(places, pair.shape, strides, strict=True):
            position = np.clip(place[part], 0, np.float32(n - 1.001))
            low = position.astype(np.int32)
            fractions.append(position - low)
            base += low * np.int32(stride)
        result[part] = _corners(flat, base, fractions, strides)
    return result.reshape(voxels[0].shape)


def _corners(
    flat: Pair, base: npt.NDArray[np.int32], fractions: list[FloatImage], strides: tuple[int, int, int]
) -> Pair:
    fi, fj, fk = fractions
    si, sj, sk = strides

    def along_k(offset: int) -> Pair:
        low = flat.take(base + np.int32(offset))
        low += fk * (flat.take(base + np.int32(offset + sk)) - low)
        return low

    def along_j(offset: int) -> Pair:
        low = along_k(offset)
        low += fj * (along_k(offset + sj) - low)
        return low

    low = along_j(0)
    low += fi * (along_j(si) - low)
    return low


def nearest(targets: Codes, voxels: Sequence[FloatImage]) -> Codes:
    """The label of the nearest voxel, shape (i, j, k)."""
    places = (np.clip(np.rint(v), 0, n - 1).astype(np.intp) for v, n in zip(voxels, targets.shape, strict=True))
    return np.asarray(targets[tuple(places)])


def looked_up(
    codes: Codes,
    targets: Small,
    table: FloatImage,
    voxels: list[FloatImage],
    part: tuple[slice, slice, slice],
) -> tuple[FloatImage, FloatImage]:
    """Values and share of the target at the samples, averaged over 2 x 2 x 2 voxels of the anatomy.

    Parameters
    ----------
    codes, targets : uint8 arrays
        The part `part` of an anatomy; in place of targets anything else that is small, as depths.
    table : float array, shape (256,)
        Value of every code.
    voxels : three float32 arrays, shape (i, j, k)
        Voxel indices of the whole anatomy; are changed.
    """
    pair = averaged(codes, targets, table)
    for axis, cut in zip(voxels, part, strict=True):
        # The mean of two neighbours lies half a voxel behind the first.
        axis -= np.float32(cut.start + 0.5)
    both = trilinear(pair, voxels)
    return np.ascontiguousarray(both.real), np.ascontiguousarray(both.imag)
