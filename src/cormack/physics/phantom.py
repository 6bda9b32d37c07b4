"""Analytic objects in patient space (RAS+ millimetres): ellipsoids, marker balls, and compositions of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from cormack.core.errors import InputError
from cormack.physics.plane import Box, Image, Part, Plane

AIR_HU = -1000.0
Triple = tuple[float, float, float]
IDENTITY: tuple[Triple, Triple, Triple] = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


def rotation_matrix(x_deg: float = 0.0, y_deg: float = 0.0, z_deg: float = 0.0) -> npt.NDArray[np.float64]:
    """Rotation by angles in degrees about the patient's x, then y, then z axis; shape (3, 3), right-handed."""
    cos, sin = np.cos(np.radians((x_deg, y_deg, z_deg))), np.sin(np.radians((x_deg, y_deg, z_deg)))
    about_x = np.array([[1, 0, 0], [0, cos[0], -sin[0]], [0, sin[0], cos[0]]])
    about_y = np.array([[cos[1], 0, sin[1]], [0, 1, 0], [-sin[1], 0, cos[1]]])
    about_z = np.array([[cos[2], -sin[2], 0], [sin[2], cos[2], 0], [0, 0, 1]])
    return np.asarray(about_z @ about_y @ about_x)


@dataclass(frozen=True, eq=False)
class Ellipsoid:
    """A solid ellipsoid of one Hounsfield value.

    Parameters
    ----------
    center_mm : (x, y, z), RAS+ millimetres
    semi_axes_mm : lengths of the semi-axes, positive
    rotation : array_like, shape (3, 3)
        Its columns are the directions of the semi-axes.
    hu : Hounsfield units inside

    Raises
    ------
    InputError
        If a semi-axis is not positive or `rotation` is no rotation.

    Examples
    --------
    >>> round(Ellipsoid((0, 0, 0), (10, 10, 10), hu=40.0).volume_ml, 3)
    4.189
    """

    center_mm: Triple
    semi_axes_mm: Triple
    rotation: npt.ArrayLike = IDENTITY
    hu: float = 40.0

    def __post_init__(self) -> None:
        rotation = np.asarray(self.rotation, dtype=np.float64)
        if min(self.semi_axes_mm) <= 0:
            raise InputError(f"semi_axes_mm must be positive, not {self.semi_axes_mm}")
        if rotation.shape != (3, 3) or not np.allclose(rotation.T @ rotation, np.eye(3), atol=1e-9):
            raise InputError("rotation must be a 3 x 3 matrix with orthonormal columns; see rotation_matrix()")
        object.__setattr__(self, "rotation", rotation)

    @property
    def volume_ml(self) -> float:
        """Exact volume in millilitres."""
        return float(4.0 / 3.0 * np.pi * np.prod(self.semi_axes_mm)) / 1000.0

    @cached_property
    def box(self) -> Box:
        """The tightest box around it, aligned with the patient's axes."""
        reach = np.linalg.norm(np.asarray(self.rotation) * np.asarray(self.semi_axes_mm), axis=1)
        low, high = np.asarray(self.center_mm) - reach, np.asarray(self.center_mm) + reach
        return (float(low[0]), float(low[1]), float(low[2])), (float(high[0]), float(high[1]), float(high[2]))

    def distance_mm(self, plane: Plane) -> Image:
        """Signed distance to the surface, negative inside; exact to first order at the surface."""
        x, y, z = plane.coordinates()
        rotation: Any = np.asarray(self.rotation, dtype=np.float32)
        x, y, z = (p - np.float32(c) for p, c in zip((x, y, z), self.center_mm, strict=True))
        square, gradient = np.float32(0), np.float32(0)
        for axis, semi in enumerate(self.semi_axes_mm):
            along = x * rotation[0, axis] + y * rotation[1, axis] + z * rotation[2, axis]
            scaled = along * np.float32(1.0 / semi)
            square = square + scaled**2
            gradient = gradient + (scaled * np.float32(1.0 / semi)) ** 2
        radius = np.sqrt(square)
        slope = np.sqrt(gradient) / np.maximum(radius, 1e-6)
        smallest = np.float32(1.0 / max(self.semi_axes_mm))
        return np.broadcast_to((radius - 1) / np.maximum(slope, smallest), (plane.rows, plane.columns))

    def paint(self, plane: Plane, canvas: Image) -> None:
        """Paint on a canvas of shape (rows, columns), in place."""
        window = plane.window(self.box)
        if window is not None:
            part = plane.crop(window)
            canvas[window] += part.coverage(self.distance_mm(part)) * (np.float32(self.hu) - canvas[window])


def Ball(center_mm: Triple, radius_mm: float, hu: float = 3000.0) -> Ellipsoid:  # noqa: N802 (a noun, like Ellipsoid)
    """A marker: a ball of one Hounsfield value, bright by default."""
    return Ellipsoid(center_mm, (radius_mm, radius_mm, radius_mm), hu=hu)


@dataclass(frozen=True, eq=False)
class Composition:
    """Parts painted one over the other, the last on top, in air or another background."""

    parts: tuple[Part, ...]
    background_hu: float = AIR_HU

    def hu(self, plane: Plane) -> Image:
        """Hounsfield units on a plane, float32 of shape (rows, columns)."""
        canvas = np.full((plane.rows, plane.columns), self.background_hu, dtype=np.float32)
        for part in self.parts:
            part.paint(plane, canvas)
        return canvas
