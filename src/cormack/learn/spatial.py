"""Random turns, sizes, shifts and bends of a case, cut out in one interpolation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cormack.core.volume import AnyArray, FloatArray
from cormack.learn.config import AugmentationOptions

FloatImage = npt.NDArray[np.float32]


def turns(options: AugmentationOptions) -> bool:
    """True if there is anything to interpolate."""
    return any((options.rotation_deg, options.scaling, options.translation_mm, options.elastic_mm))


def random_places(
    shape: Sequence[int],
    centre: FloatArray,
    spacing_mm: Sequence[float],
    options: AugmentationOptions,
    rng: np.random.Generator,
    *,
    flat: int | None = None,
) -> FloatImage:
    """Where the voxels of a cut-out come from.

    Parameters
    ----------
    shape : (i, j, k)
        Of the cut-out.
    centre : array, shape (3,)
        Its middle in voxels of the case.
    spacing_mm : three floats
        Of both.
    flat : int, optional
        The axis of slices that must stay whole slices: nothing moves along it.

    Returns
    -------
    float32 array, shape (3, i, j, k)
        Voxel indices of the case.
    """
    step = np.asarray(spacing_mm, dtype=np.float64)
    axes = [(np.arange(n) - (n - 1) / 2) * h for n, h in zip(shape, step, strict=True)]
    points = np.stack(np.meshgrid(*axes, indexing="ij")).astype(np.float32)
    size = np.exp(rng.uniform(-1, 1, 3) * np.log1p(options.scaling))
    shift = rng.uniform(-options.translation_mm, options.translation_mm, 3)
    bend = _smooth(shape, step, options, rng) if options.elastic_mm else np.zeros((3, 1, 1, 1), np.float32)
    if flat is not None:
        size[flat], shift[flat], bend[flat] = 1, 0, 0
    matrix = _rotation(np.radians(options.rotation_deg), rng, flat) @ np.diag(size)
    moved = np.tensordot(matrix.astype(np.float32), points, axes=1) + bend
    offset = (shift / step + centre).astype(np.float32)
    return np.asarray(moved / step.astype(np.float32)[:, None, None, None] + offset[:, None, None, None])


def sampled(
    image: AnyArray, places: FloatImage, outside: float, *, order: int = 1, flat: int | None = None
) -> FloatImage:
    """Values at places, `outside` beyond the edges; along `flat` the edge goes on."""
    if flat is not None:
        places = places.copy()
        np.clip(places[flat], 0, image.shape[flat] - 1, out=places[flat])
    low = [max(0, int(np.floor(p.min())) - 1) for p in places]
    high = [min(n, int(np.ceil(p.max())) + 2) for n, p in zip(image.shape, places, strict=True)]
    if any(a >= b for a, b in zip(low, high, strict=True)):
        return np.full(places.shape[1:], outside, np.float32)
    part = np.asarray(image[tuple(slice(a, b) for a, b in zip(low, high, strict=True))], dtype=np.float32)
    local = places - np.asarray(low, dtype=np.float32)[:, None, None, None]
    return np.asarray(ndimage.map_coordinates(part, local, np.float32, order=order, mode="grid-constant", cval=outside))


def cropped(
    image: AnyArray, shape: Sequence[int], centre: FloatArray, outside: float, *, flat: int | None = None
) -> AnyArray:
    """A cut-out around a place, without interpolation; beyond the edges as in `sampled`."""
    start = np.round(centre - (np.asarray(shape) - 1) / 2).astype(int)
    stop = start + np.asarray(shape)
    low, high = np.clip(start, 0, image.shape), np.clip(stop, 0, image.shape)
    if flat is not None:
        index = np.clip(np.arange(start[flat], stop[flat]), 0, image.shape[flat] - 1)
        start[flat], stop[flat] = low[flat], high[flat] = 0, len(index)
        image = np.take(image, index, flat)
    part = image[tuple(slice(a, max(a, b)) for a, b in zip(low, high, strict=True))]
    margins = [(int(a - s), int(e - b)) for s, a, b, e in zip(start, low, high, stop, strict=True)]
    if min(part.shape) == 0:
        return np.full(tuple(shape), outside, image.dtype)
    return np.pad(part, margins, constant_values=outside)


def _rotation(most: float, rng: np.random.Generator, flat: int | None) -> FloatArray:
    """A turn about each axis in turn; with `flat` about that one alone."""
    matrix = np.eye(3)
    for axis in range(3):
        angle = rng.uniform(-most, most)
        if flat is not None and axis != flat:
            continue
        a, b = (axis + 1) % 3, (axis + 2) % 3
        turn = np.eye(3)
        turn[a, a] = turn[b, b] = np.cos(angle)
        turn[a, b], turn[b, a] = -np.sin(angle), np.sin(angle)
        matrix = turn @ matrix
    return matrix


def _smooth(
    shape: Sequence[int], step: FloatArray, options: AugmentationOptions, rng: np.random.Generator
) -> FloatImage:
    """A displacement of three components (mm): random at control points, cubic between them."""
    coarse = [max(2, int(np.ceil(n * h / options.elastic_grid_mm)) + 1) for n, h in zip(shape, step, strict=True)]
    control = rng.standard_normal((3, *coarse)) * options.elastic_mm
    zoom = [(n - 1) / (c - 1) if n > 1 else 1.0 for n, c in zip(shape, coarse, strict=True)]
    places = np.meshgrid(*(np.arange(n) / z for n, z in zip(shape, zoom, strict=True)), indexing="ij")
    return np.stack([ndimage.map_coordinates(part, places, np.float32, order=3, mode="nearest") for part in control])
