"""Scalar fields on points of patient space, in millimetres: building blocks of anatomy. All arrays are float32.

Coordinates may be lines that broadcast to a plane. Sums start with y and z, which in the usual scans share the rows:
they stay lines for as long as possible.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from cormack.physics.plane import Box, Image, Plane


def smooth_step(value: Image, width: float) -> Image:
    """From 0 to 1 around 0, within about `width` either way."""
    return np.asarray(0.5 + 0.5 * np.tanh(value / width))


def smooth_max(a: Image, b: Image, width: float) -> Image:
    """The greater of two fields, rounded where they differ by less than `width`."""
    near = np.maximum(width - np.abs(a - b), 0)
    return np.asarray(np.maximum(a, b) + near * near * (0.25 / width))


def smooth_min(a: Image, b: Image, width: float) -> Image:
    """The smaller of two fields, rounded where they differ by less than `width`."""
    near = np.maximum(width - np.abs(a - b), 0)
    return np.asarray(np.minimum(a, b) - near * near * (0.25 / width))


def bump(square: Image) -> Image:
    """A Gaussian of a squared distance in units of its standard deviation."""
    return np.asarray(np.exp(-0.5 * square))


def ellipsoid(
    x: Image, y: Image, z: Image, center: tuple[float, float, float], semi: tuple[float, float, float]
) -> Image:
    """Signed distance to an ellipsoid along the axes, exact to first order at its surface."""
    u, v, w = (x - center[0]) / semi[0], (y - center[1]) / semi[1], (z - center[2]) / semi[2]
    uu, vv, ww = u * u, v * v, w * w
    square = uu + (vv + ww)
    slope2 = uu * (1 / semi[0] ** 2) + (vv * (1 / semi[1] ** 2) + ww * (1 / semi[2] ** 2))
    return np.asarray((square - np.sqrt(square)) / np.sqrt(np.maximum(slope2, 1e-8)))


@dataclass(frozen=True)
class Waves:
    """A smooth random field of one wavelength, mean 0 and variance 1: its zero set folds like cortex.

    Parameters
    ----------
    wavelength_mm : float
    count : int
        Plane waves that are summed.
    seed : int
    """

    wavelength_mm: float
    count: int
    seed: int

    def __call__(self, x: Image, y: Image, z: Image) -> Image:
        """The field at points, broadcast."""
        total: Image = np.zeros(np.broadcast_shapes(x.shape, y.shape, z.shape), dtype=np.float32)
        for a, b, c, phase in _waves(self):
            total += np.cos((a * x + phase) + (b * y + c * z))
        total *= np.float32(np.sqrt(2.0 / self.count))
        return total


@lru_cache(maxsize=64)
def _waves(field: Waves) -> list[tuple[float, float, float, float]]:
    """Wave vectors (radians per mm) and phases."""
    rng = np.random.default_rng(field.seed)
    directions = rng.normal(size=(field.count, 3))
    directions *= 2 * np.pi / field.wavelength_mm / np.linalg.norm(directions, axis=1, keepdims=True)
    phases = rng.uniform(0, 2 * np.pi, field.count)
    return [(float(a), float(b), float(c), float(p)) for (a, b, c), p in zip(directions, phases, strict=True)]


@dataclass(frozen=True)
class Tube:
    """A chain of round cones along points: vessels, ventricles, bony bars.

    Parameters
    ----------
    points_mm : tuple of (x, y, z)
    radii_mm : tuple of float, one for each point
    hu : Hounsfield units inside
    """

    points_mm: tuple[tuple[float, float, float], ...]
    radii_mm: tuple[float, ...]
    hu: float = 40.0

    @cached_property
    def box(self) -> Box:
        """A box around it, aligned with the patient's axes."""
        points, radii = np.array(self.points_mm), np.array(self.radii_mm)[:, None]
        low, high = (points - radii).min(axis=0), (points + radii).max(axis=0)
        return (float(low[0]), float(low[1]), float(low[2])), (float(high[0]), float(high[1]), float(high[2]))

    def distance(self, x: Image, y: Image, z: Image) -> Image:
        """Signed distance to the surface at points, negative inside (approximate where radii change)."""
        nearest: Image = np.full(np.broadcast_shapes(x.shape, y.shape, z.shape), 1e6, dtype=np.float32)
        for n in range(len(self.points_mm) - 1):
            a, b = self.points_mm[n], self.points_mm[n + 1]
            d = (b[0] - a[0], b[1] - a[1], b[2] - a[2])
            length2 = d[0] ** 2 + d[1] ** 2 + d[2] ** 2
            rx, ry, rz = x - a[0], y - a[1], z - a[2]
            along = rx * (d[0] / length2) + (ry * (d[1] / length2) + rz * (d[2] / length2))
            t = np.minimum(np.maximum(along, 0), 1)
            square = rx * rx + (ry * ry + rz * rz)
            away = np.sqrt(np.maximum(square + t * (t - 2 * along) * length2, 0))
            radius = self.radii_mm[n] + t * (self.radii_mm[n + 1] - self.radii_mm[n])
            np.minimum(nearest, away - radius, out=nearest)
        return nearest

    def paint(self, plane: Plane, canvas: Image) -> None:
        """Paint on a canvas of shape (rows, columns), in place."""
        window = plane.window(self.box)
        if window is not None:
            part = plane.crop(window)
            covered = part.coverage(self.distance(*part.coordinates()))
            canvas[window] += covered * (np.float32(self.hu) - canvas[window])
