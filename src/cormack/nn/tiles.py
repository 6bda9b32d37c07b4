"""Grids larger than memory allows go through a network tile by tile, the tiles overlapping."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product

import numpy as np
import numpy.typing as npt

FloatImage = npt.NDArray[np.float32]

#: Neighbouring tiles share this part of their length.
OVERLAP = 0.5
#: A tile counts by a Gaussian of its centre with this standard deviation, as a share of its length.
SIGMA = 1 / 8
#: Nor does any voxel of a tile count less than this: corners of the grid lie in one tile only.
LEAST_WEIGHT = 1e-3
#: What a network of the default architecture holds for each voxel of its grid (bytes; `benchmarks/network.py`).
BYTES_PER_VOXEL = 220.0


def padded(image: FloatImage, multiple: int, fill: FloatImage) -> tuple[FloatImage, tuple[slice, ...]]:
    """An image of shape (channel, …) with every axis a multiple, and where it lies there; `fill`: one per channel."""
    shape = tuple(-(-n // multiple) * multiple for n in image.shape[1:])
    inside = tuple(slice((m - n) // 2, (m - n) // 2 + n) for n, m in zip(image.shape[1:], shape, strict=True))
    if shape == image.shape[1:]:
        return image, inside
    out = np.empty((len(image), *shape), dtype=np.float32)
    out[:] = fill.reshape(-1, *[1] * len(shape))
    out[(slice(None), *inside)] = image
    return out, inside


def tile_shape(
    shape: tuple[int, ...], wanted: tuple[int, ...] | None, multiple: int, memory_mb: float
) -> tuple[int, ...]:
    """As the task wants it (the whole grid without that), halved along its longest axis until memory allows it."""
    tile = list(shape if wanted is None else map(min, wanted, shape))
    most = memory_mb * 1e6 / BYTES_PER_VOXEL
    while np.prod(tile) > most and max(tile) > multiple:
        longest = int(np.argmax(tile))
        tile[longest] = -(-tile[longest] // (2 * multiple)) * multiple
    return tuple(tile)


def by_tiles(
    image: FloatImage,
    tile: tuple[int, ...],
    run: Callable[[FloatImage], FloatImage],
    *,
    done: Callable[[], None] = lambda: None,
) -> FloatImage:
    """Logits of a whole grid, tiles weighted by a Gaussian where they overlap.

    Parameters
    ----------
    image : array, shape (batch, channel, i, j[, k])
    tile : tuple of int
    run : callable
        Takes a tile of the image and gives logits of shape (batch, class, …).
    done : callable, optional
        Called after every tile.
    """
    shape = image.shape[2:]
    if tile == shape:
        logits = run(image)
        done()
        return logits
    weight = _gaussian(tile)
    total = np.zeros(0, dtype=np.float32)
    weights = np.zeros(shape, dtype=np.float32)
    for place in places(shape, tile):
        logits = run(np.ascontiguousarray(image[:, :, *place]))
        if not total.size:
            total = np.zeros((*logits.shape[:2], *shape), dtype=np.float32)
        total[:, :, *place] += logits * weight
        weights[place] += weight
        done()
    total /= weights
    return total


def places(shape: tuple[int, ...], tile: tuple[int, ...]) -> Iterator[tuple[slice, ...]]:
    """Where the tiles lie: evenly spread, overlapping by at least `OVERLAP`, together covering the grid."""
    along = []
    for n, t in zip(shape, tile, strict=True):
        count = 1 + int(np.ceil((n - t) / (t * (1 - OVERLAP)))) if n > t else 1
        along.append([slice(s, s + t) for s in np.linspace(0, n - t, count).round().astype(int).tolist()])
    yield from product(*along)


def _gaussian(tile: tuple[int, ...]) -> FloatImage:
    weight = np.ones((), dtype=np.float32)
    for n in tile:
        at = (np.arange(n) - (n - 1) / 2) / (SIGMA * n)
        weight = weight[..., None] * np.exp(-0.5 * at**2).astype(np.float32)
    return np.maximum(weight, np.float32(LEAST_WEIGHT))
