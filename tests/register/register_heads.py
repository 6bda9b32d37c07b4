"""A small head with features, made of ellipsoids: quick to register, with known displacements."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from cormack.core.labels import BRAIN, LabelMap
from cormack.core.transforms import Affine, Transform, grid_points
from cormack.core.volume import Volume

SPACING_MM = 4.0
SHAPE = (52, 60, 50)


def grid() -> np.ndarray:
    affine = np.diag([SPACING_MM] * 3 + [1.0])
    affine[:3, 3] = -(np.array(SHAPE) - 1) / 2 * SPACING_MM
    return affine


def ellipsoid(points: np.ndarray, centre: tuple[float, ...], axes: tuple[float, ...]) -> np.ndarray:
    return (((points - np.array(centre)) / np.array(axes)) ** 2).sum(axis=-1) <= 1


def hu_at(points: np.ndarray) -> np.ndarray:
    """HU of the head at places, RAS+ mm: skin, nose, skull, brain with a pattern, ventricles, a bleed on the right."""
    hu = np.full(points.shape[:-1], -1000.0)
    for value, centre, axes in (
        (20, (0, 0, 0), (76, 94, 84)),
        (30, (0, 96, -20), (12, 14, 16)),
        (900, (0, 0, 2), (70, 88, 78)),
        (34, (0, 0, 2), (64, 82, 72)),
        (26, (0, 0, 10), (50, 66, 50)),
        (40, (0, -50, -45), (45, 25, 20)),
        (6, (-12, 8, 10), (7, 28, 14)),
        (6, (12, 4, 10), (7, 26, 13)),
        (70, (36, 20, 20), (12, 16, 12)),
        (10, (-40, -40, 10), (10, 14, 16)),
    ):
        inside = ellipsoid(points, centre, axes)
        hu[inside] = value
        if value in (26, 34):
            x, y, z = np.moveaxis(points[inside], -1, 0)
            hu[inside] += 8 * np.sin(x / 9 + 1) * np.cos(y / 11) + 8 * np.sin(z / 10 + y / 17)
    return hu


def head(
    transform: Transform | None = None, *, noise_hu: float = 2.0, seed: int = 0, affine=None, shape=SHAPE
) -> Volume:
    """The head on a grid; with a transform, of which the value at x is that of the head at T(x). Thrice oversampled."""
    affine = grid() if affine is None else affine
    fine = affine @ np.diag([1 / 3, 1 / 3, 1 / 3, 1.0])
    fine[:3, 3] = affine[:3, 3] - affine[:3, :3] @ np.full(3, 1 / 3)
    points = grid_points(fine, tuple(3 * n for n in shape))
    values = hu_at(points if transform is None else transform.apply(points))
    values = values.reshape(shape[0], 3, shape[1], 3, shape[2], 3).mean(axis=(1, 3, 5))
    noisy = values + np.random.default_rng(seed).normal(0, noise_hu, shape)
    return Volume(np.rint(noisy).astype(np.int16), affine)


def brain(volume: Volume, transform: Transform | None = None) -> LabelMap:
    points = grid_points(volume.affine, volume.shape)
    places = points if transform is None else transform.apply(points)
    return LabelMap(ellipsoid(places, (0, 0, 2), (64, 82, 72)).astype(np.uint8), volume.affine, BRAIN)


def turned(angles_deg: tuple[float, ...], shift_mm: tuple[float, ...], scale: float = 1.0) -> Affine:
    from scipy.spatial.transform import Rotation

    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", angles_deg, degrees=True).as_matrix() * scale
    matrix[:3, 3] = shift_mm
    return Affine(matrix)


def smooth_field(mean_mm: float, *, sigma_mm: float = 24.0, seed: int = 1) -> np.ndarray:
    """A smooth displacement per voxel of the grid, RAS+ mm, of which the mean length is given."""
    rng = np.random.default_rng(seed)
    field = np.stack(
        [ndimage.gaussian_filter(rng.standard_normal(SHAPE), sigma_mm / SPACING_MM) for _ in range(3)], axis=-1
    )
    return field * mean_mm / np.linalg.norm(field, axis=-1).mean()


def error_mm(found: Transform, true: Transform, volume: Volume) -> np.ndarray:
    """Distance of what was found from the truth, at the voxels of the brain."""
    points = volume.world(np.argwhere(brain(volume, true).data > 0))
    return np.linalg.norm(found.apply(points) - true.apply(points), axis=1)
