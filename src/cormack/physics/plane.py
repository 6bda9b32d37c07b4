"""A plane of sample points in patient space: what every phantom is evaluated on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.float32]
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

    def window(self, box: Box) -> tuple[slice, slice] | None:
        """Rows and columns that may meet a box in RAS+ millimetres; None where none does."""
        corners = np.array([[box[a][0], box[b][1], box[c][2]] for a in (0, 1) for b in (0, 1) for c in (0, 1)])
        offsets = corners - self.origin
        normal = np.cross(self.step_i, self.step_j)
        heights = offsets @ (normal / np.linalg.norm(normal))
        if heights.min() > self.edge_mm or heights.max() < -self.edge_mm:
            return None
        ranges = []
        for step, count in ((self.step_j, self.rows), (self.step_i, self.columns)):
            length = float(np.linalg.norm(step))
            along = offsets @ step / length**2
            margin = self.edge_mm / length
            first = max(0, int(np.floor(along.min() - margin)))
            last = min(count, int(np.ceil(along.max() + margin)) + 1)
            if first >= last:
                return None
            ranges.append(slice(first, last))
        return ranges[0], ranges[1]

    def crop(self, window: tuple[slice, slice]) -> Plane:
        """The part of the plane in a window of rows and columns."""
        rows, columns = window
        origin = self.origin + columns.start * self.step_i + rows.start * self.step_j
        return Plane(
            origin, self.step_i, self.step_j, rows.stop - rows.start, columns.stop - columns.start, self.edge_mm
        )

    def coverage(self, distance_mm: Image) -> Image:
        """Share of each point's surroundings, 0 to 1, inside a surface at a signed distance (negative inside)."""
        return np.asarray(np.clip(np.float32(0.5) - distance_mm * np.float32(1.0 / self.edge_mm), 0, 1))


class Phantom(Protocol):
    """Anything with a known attenuation at each point of patient space."""

    def hu(self, plane: Plane) -> Image:
        """Hounsfield units on a plane, float32 of shape (rows, columns)."""
        ...


class Part(Protocol):
    """A part of a composition: it paints itself over what lies below."""

    def paint(self, plane: Plane, canvas: Image) -> None:
        """Paint on a canvas of shape (rows, columns), in place."""
        ...
