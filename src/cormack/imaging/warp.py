"""Images and label maps through transforms: each value interpolated once, however long the chain."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import overload

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from cormack.core.errors import GeometryError
from cormack.core.fields import DisplacementField
from cormack.core.labels import LabelMap
from cormack.core.transforms import Affine, Transform, TransformChain, grid_points
from cormack.core.volume import GRID_TOLERANCE_MM, AnyArray, FloatArray, Volume
from cormack.imaging.sample import as_type, label_sampler, value_sampler

#: Processor threads; a slab of planes is the unit of work.
THREADS = 2
#: Points per slab: its coordinates stay in the processor's cache.
SLAB_POINTS = 1 << 17
#: Voxels that become larger by less than this factor are not smoothed: they differ by rounding, or hardly.
SHRINKING_FACTOR = 1.1
#: Full width at half maximum of a Gaussian in standard deviations.
_FWHM = 2.3548

_Map = Callable[[FloatArray], FloatArray]


@overload
def warp(
    image: Volume, transform: Transform, affine: npt.ArrayLike, shape: tuple[int, int, int], *, order: int = ...
) -> Volume: ...
@overload
def warp(
    image: LabelMap, transform: Transform, affine: npt.ArrayLike, shape: tuple[int, int, int], *, order: int = ...
) -> LabelMap: ...
def warp(
    image: Volume | LabelMap,
    transform: Transform,
    affine: npt.ArrayLike,
    shape: tuple[int, int, int],
    *,
    order: int = 1,
) -> Volume | LabelMap:
    """A volume or label map of the moving space on a grid of the reference space.

    The value at x is that of the image at T(x). All transforms of a chain are applied to the coordinates, the image is
    interpolated once. A voxel reaches half a step beyond its centre; farther out is `image.outside`, 0 for labels.

    Where the voxels of the grid are larger than those of a volume, it is smoothed first by a Gaussian whose width
    makes up the difference, so that detail is averaged, not aliased; labels are sampled at the voxels' centres.

    Parameters
    ----------
    image : Volume or LabelMap
        Shape (i, j, k), in the moving space; NaN counts as never measured.
    transform : Transform
        From the reference to the moving space.
    affine : array, shape (4, 4)
        The new grid in the reference space: voxel indices to RAS+ mm.
    shape : (i, j, k)
    order : 0 nearest, 1 linear, 3 cubic spline
        For labels 1 interpolates the share of every label linearly and takes the largest, so that surfaces are as
        smooth as the grid allows and volumes are kept, which nearest does not; 3 is for volumes only.

    Returns
    -------
    Volume or LabelMap
        On the new grid; the data type is kept, float32 for any float.

    Raises
    ------
    InputError
        If `order` is none of these, or cubic with labels or NaN.
    GeometryError
        If no voxel of the grid comes to lie within the image.
    """
    grid = np.asarray(affine, dtype=np.float64)
    chain = TransformChain((transform,))
    if isinstance(image, LabelMap):
        data = _sampled(image, chain, grid, shape, order, 0.0)
        return LabelMap(data, grid, image.table, image.description)
    if order > 0:
        image = _antialiased(image, chain, grid)
    data = _sampled(image, chain, grid, shape, order, image.outside)
    return Volume(data, grid, unit=image.unit, outside=image.outside, acquisition=image.acquisition)


def _sampled(
    image: Volume | LabelMap,
    chain: TransformChain,
    grid: FloatArray,
    shape: tuple[int, int, int],
    order: int,
    outside: float,
) -> AnyArray:
    sample = label_sampler(image.data, order) if isinstance(image, LabelMap) else value_sampler(image, order)
    dtype = np.dtype(np.float32) if image.data.dtype.kind == "f" else image.data.dtype
    result = np.full(shape, outside, dtype=dtype)
    to_voxels = Affine(np.asarray(np.linalg.inv(image.affine), dtype=np.float64))
    coordinates = _coordinates(TransformChain((chain, to_voxels)), grid, shape)
    last = np.array(image.data.shape)[:, None] - 1
    reach = 0.5 + GRID_TOLERANCE_MM / np.linalg.norm(image.affine[:3, :3], axis=0)[:, None]
    planes = max(1, SLAB_POINTS // (shape[1] * shape[2]))

    def fill(start: int) -> bool:
        slab = slice(start, min(start + planes, shape[0]))
        voxels = coordinates(slab)
        inside = np.all((voxels >= -reach) & (voxels <= last + reach), axis=0)
        if not inside.any():
            return False
        np.clip(voxels, 0, last, out=voxels)
        if inside.all():
            result[slab] = as_type(sample(voxels), dtype).reshape(result[slab].shape)
        else:
            result[slab][inside.reshape(result[slab].shape)] = as_type(sample(voxels[:, inside]), dtype)
        return True

    with ThreadPoolExecutor(THREADS) as pool:
        touched = list(pool.map(fill, range(0, shape[0], planes)))
    if not any(touched):
        raise GeometryError(
            "the image and the grid do not overlap under this transform; check that the transform belongs to these two "
            "images, and its direction"
        )
    return result


def _coordinates(chain: TransformChain, grid: FloatArray, shape: tuple[int, int, int]) -> Callable[[slice], FloatArray]:
    """Where the voxels of some planes of the grid come to lie, shape (3, points)."""
    parts = chain.transforms
    if isinstance(parts[0], Affine):
        # An affine that comes first costs nothing: it makes another grid.
        grid, parts = np.asarray(parts[0].matrix @ grid), parts[1:]
    first = parts[0] if parts else None
    exact = first if isinstance(first, DisplacementField) and _on_grid(first, grid, shape) else None
    maps = [_map(part) for part in (parts[1:] if exact else parts)]

    def mapped(slab: slice) -> FloatArray:
        points = np.ascontiguousarray(grid_points(grid, shape, slab).reshape(-1, 3).T)
        if exact:
            points += exact.displacement[slab].reshape(-1, 3).T
        for part in maps:
            points = part(points)
        return points

    return mapped


def _on_grid(field: DisplacementField, grid: FloatArray, shape: tuple[int, int, int]) -> bool:
    return field.shape == shape and np.allclose(field.affine, grid, rtol=0, atol=1e-5)


def _map(transform: Transform) -> _Map:
    """The transform for coordinates of shape (3, points)."""
    if isinstance(transform, Affine):
        matrix = transform.matrix
        return lambda points: _affine_map(matrix, points)
    return lambda points: transform.apply(points.T).T


def _affine_map(matrix: FloatArray, points: FloatArray) -> FloatArray:
    """A 4 x 4 matrix on points, shape (3, points): row by row, since a library's threads cost more than they bring."""
    mapped = np.empty_like(points)
    for (x, y, z, shift), row in zip(matrix[:3], mapped, strict=True):
        np.multiply(points[0], x, out=row)
        row += points[1] * y
        row += points[2] * z
        row += shift
    return mapped


def _antialiased(volume: Volume, chain: TransformChain, grid: FloatArray) -> Volume:
    """The volume smoothed along the axes on which the new voxels are larger, as the affine part of the chain says."""
    linear = np.linalg.inv(volume.affine)[:3, :3]
    for transform in reversed(chain.transforms):
        if isinstance(transform, Affine):
            linear = linear @ transform.matrix[:3, :3]
    factors = np.linalg.norm(linear @ grid[:3, :3], axis=1)
    sigmas = np.where(factors > SHRINKING_FACTOR, np.sqrt(np.maximum(factors**2 - 1, 0)) / _FWHM, 0.0)
    if not sigmas.any():
        return volume
    data = volume.data.astype(np.float32)
    measured = np.isfinite(data)
    if measured.all():
        smooth = ndimage.gaussian_filter(data, sigmas, mode="nearest")
    else:
        weights = ndimage.gaussian_filter(measured.astype(np.float32), sigmas, mode="nearest")
        smooth = ndimage.gaussian_filter(np.where(measured, data, 0), sigmas, mode="nearest")
        smooth = np.where(measured, smooth / np.maximum(weights, 1e-6), np.nan)
    return volume.with_data(as_type(smooth, volume.data.dtype))
