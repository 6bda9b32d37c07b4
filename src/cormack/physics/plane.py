"""A plane of sample points in patient space: what every phantom is evaluated on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import ceil, floor, sqrt
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.floating[Any]]
#: Opposite corners (x, y, z) of a box in RAS+ millimetres.
Box = tuple[tuple[float, float, float], tuple[float, float, float]]


@dataclass(frozen=True, eq=False)
class Plane:
    """Points on a rectangular grid in a plane.

    Parameters
    ----------
    origin, step_i, step_j : array, shape (3,)
        RAS+ millimetres of the first point, and from column to column and row to row.
    rows, columns : int
    edge_mm : float
        Width of the ramp by which an edge is drawn: the in-plane resolution, which keeps edges free of stairs.
    """

    origin: npt.NDArray[np.float64]
    step_i: npt.NDArray[np.float64]
    step_j: npt.NDArray[np.float64]
    rows: int
    columns: int
    edge_mm: float

    def coordinates(self) -> tuple[Image, Image, Image]:
        """RAS+ x, y, z in millimetres, each of a shape that broadcasts to (rows, columns).

        A coordinate that does not change along rows or columns keeps length 1 there: most scans are nearly
        aligned with the patient, and phantoms then compute on lines instead of planes.
        """
        i = np.arange(self.columns, dtype=np.float64)[None, :]
        j = np.arange(self.rows, dtype=np.float64)[:, None]
        axes = []
        for axis in range(3):
            points = np.full((1, 1), self.origin[axis])
            if self.step_i[axis] != 0:
                points = points + i * self.step_i[axis]
            if self.step_j[axis] != 0:
                points = points + j * self.step_j[axis]
            axes.append(points.astype(np.float32))
        return axes[0], axes[1], axes[2]

    @cached_property
    def _directions(self) -> tuple[tuple[float, ...], ...]:
        """Row, column and normal direction and origin as plain numbers; rows and columns in units of their steps."""
        (ix, iy, iz), (jx, jy, jz) = self.step_i.tolist(), self.step_j.tolist()
        normal = (iy * jz - iz * jy, iz * jx - ix * jz, ix * jy - iy * jx)
        length = sqrt(normal[0] ** 2 + normal[1] ** 2 + normal[2] ** 2)
        ii, jj = ix * ix + iy * iy + iz * iz, jx * jx + jy * jy + jz * jz
        unit = (normal[0] / length, normal[1] / length, normal[2] / length)
        return (jx / jj, jy / jj, jz / jj), (ix / ii, iy / ii, iz / ii), unit, tuple(self.origin.tolist())

    def window(self, box: Box) -> tuple[slice, slice] | None:
        """Rows and columns that may meet a box in RAS+ millimetres; None where none does."""
        j, i, normal, (ox, oy, oz) = self._directions
        (x0, y0, z0), (x1, y1, z1) = box
        cx, cy, cz = 0.5 * (x0 + x1) - ox, 0.5 * (y0 + y1) - oy, 0.5 * (z0 + z1) - oz
        hx, hy, hz = 0.5 * (x1 - x0), 0.5 * (y1 - y0), 0.5 * (z1 - z0)
        spans = []
        for x, y, z in (normal, j, i):
            middle = x * cx + y * cy + z * cz
            reach = abs(x) * hx + abs(y) * hy + abs(z) * hz + self.edge_mm * (abs(x) + abs(y) + abs(z))
            spans.append((middle - reach, middle + reach))
        if spans[0][0] > 0 or spans[0][1] < 0:
            return None
        rows = max(0, floor(spans[1][0])), min(self.rows, ceil(spans[1][1]) + 1)
        columns = max(0, floor(spans[2][0])), min(self.columns, ceil(spans[2][1]) + 1)
        if rows[0] >= rows[1] or columns[0] >= columns[1]:
            return None
        return slice(*rows), slice(*columns)

    def crop(self, window: tuple[slice, slice]) -> Plane:
        """The part of the plane in a window of rows and columns."""
        rows, columns = window
        origin = self.origin + columns.start * self.step_i + rows.start * self.step_j
        return Plane(
            origin, self.step_i, self.step_j, rows.stop - rows.start, columns.stop - columns.start, self.edge_mm
        )

    def coverage(self, distance_mm: Image) -> Image:
        """Share of each point's surroundings, 0 to 1, inside a surface at a signed distance (negative inside)."""
        share = np.float32(0.5) - distance_mm * np.float32(1.0 / self.edge_mm)
        return np.asarray(np.minimum(np.maximum(share, np.float32(0)), np.float32(1)))


class Phantom(Protocol):
    """Anything with a known attenuation at each point of patient space."""

    def hu(self, plane: Plane) -> Image:
        """Hounsfield units on a plane, float32 of shape (rows, columns)."""
        ...


class Part(Protocol):
    """A part of a composition: it paints itself over what lies below."""

    @property
    def box(self) -> Box:
        """A box in RAS+ millimetres beyond which it paints nothing."""
        ...

    def paint(self, plane: Plane, canvas: Image) -> None:
        """Paint on a canvas of shape (rows, columns), in place."""
        ...
