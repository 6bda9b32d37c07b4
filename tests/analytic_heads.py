"""Analytic heads for the tests of measure and report: ellipsoids of skin, bone and brain on any grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cormack.core.acquisition import Acquisition
from cormack.core.labels import BRAIN, HEAD, LabelMap
from cormack.core.volume import Volume

HEAD_MM = np.array([78.0, 98.0, 84.0])
SKULL_MM = HEAD_MM - 6.0
BRAIN_MM = HEAD_MM - 13.0


@dataclass(frozen=True, eq=False)
class Head:
    """A head and its masks; `radius(semi_axes_mm)` is 1 on the surface of an ellipsoid around the centre."""

    volume: Volume
    head: LabelMap
    brain: LabelMap
    xyz: np.ndarray

    def radius(self, semi_axes_mm: np.ndarray) -> np.ndarray:
        return np.sqrt(((self.xyz / semi_axes_mm) ** 2).sum(axis=-1))

    def with_values(self, where: np.ndarray, hu: float) -> Head:
        data = self.volume.data.copy()
        data[where] = hu
        return Head(self.volume.with_data(data), self.head, self.brain, self.xyz)


def grid_affine(spacing_mm: tuple[float, float, float], low_mm: np.ndarray, rotation_deg: float = 0.0) -> np.ndarray:
    """Grid whose first voxel lies at `low_mm` in axes rotated about the left-right axis."""
    angle = np.radians(rotation_deg)
    rotation = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])
    affine = np.eye(4)
    affine[:3, :3] = rotation * np.array(spacing_mm)
    affine[:3, 3] = rotation @ low_mm
    return affine


def make_head(
    spacing_mm: tuple[float, float, float] = (2.0, 2.0, 2.0),
    *,
    low_mm: tuple[float, float, float] = (-90, -110, -95),
    high_mm: tuple[float, float, float] = (90, 110, 95),
    rotation_deg: float = 0.0,
    noise_hu: float = 0.0,
    acquisition: Acquisition | None = None,
) -> Head:
    """A head of skin (50 HU), skull (1200 HU) and brain (32 HU) in air, cut by the box from low to high."""
    low, high = np.array(low_mm, float), np.array(high_mm, float)
    shape = tuple(int(n) for n in np.round((high - low) / np.array(spacing_mm)).astype(int) + 1)
    affine = grid_affine(spacing_mm, low, rotation_deg)
    ijk = np.stack(np.meshgrid(*(np.arange(n, dtype=float) for n in shape), indexing="ij"), axis=-1)
    xyz = ijk @ affine[:3, :3].T + affine[:3, 3]
    r = [np.sqrt(((xyz / semi) ** 2).sum(axis=-1)) for semi in (HEAD_MM, SKULL_MM, BRAIN_MM)]
    data = np.full(shape, -1000.0)
    data[r[0] <= 1], data[r[1] <= 1], data[r[2] <= 1] = 50, 1200, 32
    if noise_hu:
        data += np.random.default_rng(1).normal(0, noise_hu, shape)
    volume = Volume(np.rint(data).astype(np.int16), affine, acquisition=acquisition or Acquisition(modality="CT"))
    return Head(
        volume,
        LabelMap((r[0] <= 1).astype(np.uint8), affine, HEAD, "analytic head"),
        LabelMap((r[2] <= 1).astype(np.uint8), affine, BRAIN, "analytic brain"),
        xyz,
    )


def ellipsoid_ml(semi_axes_mm: np.ndarray) -> float:
    """Volume of an ellipsoid."""
    return float(4 / 3 * np.pi * np.prod(semi_axes_mm)) / 1000
