"""Values and labels between the voxels: what a volume or label map holds at any place."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cormack.core.errors import InputError
from cormack.core.volume import AnyArray, FloatArray, Volume

#: Labels whose interpolated shares differ by less than this are tied; the greater one wins, so that half is inside.
TIE = 1e-6

#: Values at the continuous voxel indices of shape (3, points) that lie on the grid; shape (points,).
Sampler = Callable[[FloatArray], AnyArray]


def value_sampler(volume: Volume, order: int) -> Sampler:
    """Interpolate values; what is not finite takes no part in it.

    Parameters
    ----------
    volume : Volume
    order : 0 nearest, 1 linear, 3 cubic

    Raises
    ------
    InputError
        If the order is none of these, or cubic with NaN.
    """
    if order not in (0, 1, 3):
        raise InputError(f"order {order!r}: give 0 (nearest), 1 (linear) or 3 (cubic)")
    data = volume.data
    finite = None if data.dtype.kind != "f" else np.isfinite(data)
    if finite is not None and not finite.all():
        if order == 3:
            raise InputError("cubic interpolation of a volume that holds NaN; take order 1 or 0")
        data = np.where(finite, data, 0)
    else:
        finite = None
    if order == 3:
        data = ndimage.spline_filter(data, order=3, output=np.float32, mode="mirror")

    def at(array: AnyArray, voxels: FloatArray) -> npt.NDArray[np.float32]:
        return np.asarray(
            ndimage.map_coordinates(array, voxels, np.float32, order=order, mode="mirror", prefilter=False)
        )

    def sample(voxels: FloatArray) -> AnyArray:
        values = at(data, voxels)
        if finite is None:
            return values
        share = at(finite, voxels)
        return np.where(share >= 0.5, values / np.maximum(share, 0.5), np.float32(volume.outside))

    return sample


def label_sampler(data: AnyArray, order: int) -> Sampler:
    """The label with the largest linearly interpolated share, or the nearest one.

    Parameters
    ----------
    data : integer or bool array, shape (i, j, k)
    order : 0 nearest, 1 by share

    Raises
    ------
    InputError
        If the order is neither.
    """
    if order not in (0, 1):
        raise InputError(f"order {order!r} for labels: give 0 (nearest) or 1 (by linear interpolation of every label)")
    if order == 0:
        return lambda voxels: np.asarray(data[tuple(np.rint(voxels).astype(np.intp))])
    last = np.array(data.shape)[:, None] - 1
    uniform = _uniform(data)

    def sample(voxels: FloatArray) -> AnyArray:
        low = np.floor(voxels).astype(np.intp)
        result = data[tuple(low)]
        mixed = ~uniform[tuple(low)]
        low, fraction = low[:, mixed], voxels[:, mixed] - low[:, mixed]
        corners = [np.minimum(low + np.array(step)[:, None], last) for step in product((0, 1), repeat=3)]
        result[mixed] = _vote(np.stack([data[tuple(corner)] for corner in corners]), fraction)
        return np.asarray(result)

    return sample


def _uniform(data: AnyArray) -> npt.NDArray[np.bool_]:
    """Where a voxel and its seven neighbours at higher indices hold one label, so that nothing is to be decided."""
    uniform = np.ones_like(data, dtype=bool)
    for axis in range(3):
        this, later = [slice(None)] * 3, [slice(None)] * 3
        this[axis], later[axis] = slice(None, -1), slice(1, None)
        uniform[tuple(this)] &= uniform[tuple(later)] & (data[tuple(this)] == data[tuple(later)])
    return uniform


def _vote(labels: AnyArray, fraction: FloatArray) -> AnyArray:
    """The winner among the labels of the eight voxels around each point; (8, points) and (3, points) to (points,)."""
    weights = np.stack(
        [np.prod(np.where(np.array(step)[:, None], fraction, 1 - fraction), 0) for step in product((0, 1), repeat=3)]
    )
    shares = np.stack([np.where(labels == label, weights, 0).sum(axis=0) for label in labels])
    best = shares >= shares.max(axis=0) - TIE
    return np.asarray(np.where(best, labels, labels.dtype.type(0)).max(axis=0))


def as_type(values: AnyArray, dtype: np.dtype[Any]) -> AnyArray:
    """Values in another type: rounded and clipped to whole numbers, at least half for bool, as they are for floats."""
    if values.dtype == dtype or dtype.kind == "f":
        return values
    if dtype.kind == "b":
        return values >= 0.5
    limits = np.iinfo(dtype)
    return np.asarray(np.clip(np.rint(values), limits.min, limits.max), dtype=dtype)
