"""Triangles to pixels with a depth buffer: what is nearer hides what is farther, pixel by pixel."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from cormack.core.volume import FloatArray

IntArray = npt.NDArray[np.int64]

#: So many triangles are gone through at once; what they cover stays within some hundred megabytes.
_BATCH = 50_000
#: Areas below this (pixels²) are seen edge on.
_EDGE_ON = 1e-9


def rasterise(corners: FloatArray, shape: tuple[int, int]) -> tuple[FloatArray, IntArray]:
    """Find the nearest triangle at each pixel's centre, seen in parallel along the third axis.

    Parameters
    ----------
    corners : array, shape (triangles, 3, 3)
        Column, row and depth of the corners; the pixel in row r and column c has its centre at (c, r).
    shape : (rows, columns)

    Returns
    -------
    depth : array, shape (rows, columns)
        Infinite where there is nothing.
    triangle : integer array, shape (rows, columns)
        −1 where there is none.
    """
    depth = np.full(shape[0] * shape[1], np.inf)
    triangle = np.full(shape[0] * shape[1], -1, dtype=np.int64)
    for numbers, pixel, far in _fragments(corners, shape):
        np.minimum.at(depth, pixel, far)
        nearest = far == depth[pixel]
        triangle[pixel[nearest]] = numbers[nearest]
    return depth.reshape(shape), triangle.reshape(shape)


def corner_weights(corners: FloatArray, points: FloatArray) -> FloatArray:
    """Shares of the three corners at points within their triangles; (n, 3, 3) and (n, 2) to (n, 3)."""
    a, b, c = (corners[:, n, :2] for n in range(3))
    area = _cross(b - a, c - a)
    second, third = _cross(points - a, c - a) / area, _cross(b - a, points - a) / area
    return np.clip(np.column_stack([1 - second - third, second, third]), 0, 1)


def _fragments(corners: FloatArray, shape: tuple[int, int]) -> Iterator[tuple[IntArray, IntArray, FloatArray]]:
    """Triangle, pixel and depth of everything that the triangles cover, batch by batch."""
    a = corners[:, 0]
    u, v = corners[:, 1] - a, corners[:, 2] - a
    area = _cross(u, v)
    solid = np.flatnonzero(np.abs(area) > _EDGE_ON)
    for start in range(0, len(solid), _BATCH):
        part = solid[start : start + _BATCH]
        number, row = _expanded(corners[part, :, 1].min(axis=1), corners[part, :, 1].max(axis=1), shape[0])
        left, right = _span(corners[part[number]], row)
        line, column = _expanded(left, right, shape[1])
        numbers, rows = part[number[line]], row[line]
        # The plane through the corners: depth changes evenly along columns and rows.
        by_column = (u[numbers, 2] * v[numbers, 1] - v[numbers, 2] * u[numbers, 1]) / area[numbers]
        by_row = (v[numbers, 2] * u[numbers, 0] - u[numbers, 2] * v[numbers, 0]) / area[numbers]
        far = a[numbers, 2] + by_column * (column - a[numbers, 0]) + by_row * (rows - a[numbers, 1])
        yield numbers, rows * shape[1] + column, far


def _expanded(low: FloatArray, high: FloatArray, size: int) -> tuple[IntArray, IntArray]:
    """All whole numbers from low to high within 0 … size − 1: which pair each belongs to, and the number."""
    first = np.maximum(np.ceil(low), 0).astype(np.int64)
    last = np.minimum(np.floor(high), size - 1).astype(np.int64)
    counts = np.maximum(last - first + 1, 0)
    owner = np.repeat(np.arange(len(counts)), counts)
    before = np.cumsum(counts) - counts
    return owner, np.arange(len(owner)) - before[owner] + first[owner]


def _span(corners: FloatArray, row: IntArray) -> tuple[FloatArray, FloatArray]:
    """From which to which column each triangle covers its row."""
    left, right = np.full(len(row), np.inf), np.full(len(row), -np.inf)
    for n in range(3):
        p, q = corners[:, n], corners[:, (n + 1) % 3]
        height = q[:, 1] - p[:, 1]
        with np.errstate(divide="ignore", invalid="ignore"):
            share = (row - p[:, 1]) / height
            at = p[:, 0] + share * (q[:, 0] - p[:, 0])
        met = (share >= 0) & (share <= 1)
        left, right = np.where(met, np.fmin(left, at), left), np.where(met, np.fmax(right, at), right)
    return left, right


def _cross(u: FloatArray, v: FloatArray) -> FloatArray:
    return np.asarray(u[..., 0] * v[..., 1] - u[..., 1] * v[..., 0])
