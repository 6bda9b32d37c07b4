"""What the head lies on: a headrest of carbon fibre around foam, a pillow, and the table below."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cormack.physics.fields import Waves
from cormack.physics.plane import Image, Plane


@dataclass(frozen=True)
class HeadSupport:
    """A trough along the table with a pillow in it, in air, RAS+ millimetres.

    Parameters
    ----------
    trough_y, trough_radius : the trough's axis (x = 0) and inner radius
    shell_mm, core_mm : thickness of each carbon-fibre skin and of the foam between them
    rim_y : how far up its sides reach
    """

    trough_y: float = -14.0
    trough_radius: float = 98.5
    shell_mm: float = 1.3
    core_mm: float = 8.0
    rim_y: float = -42.0
    table_y: float = -127.0
    shell_hu: float = 60.0
    core_hu: float = -900.0
    pillow_hu: float = -955.0

    def paint(self, plane: Plane, canvas: Image) -> None:
        """Paint on a canvas of shape (rows, columns), in place."""
        x, y, z = plane.coordinates()
        if float(y.min()) > self.rim_y + plane.edge_mm:
            return
        beyond = np.hypot(x, y - self.trough_y) - self.trough_radius
        outer = 2 * self.shell_mm + self.core_mm
        upper = y - self.rim_y - 0.0 * x
        pillow = np.maximum(np.maximum(beyond, y + 60.0), -beyond - 16.0)
        foam = self.pillow_hu + 12.0 * Waves(9.0, 5, 11)(x, y, z)
        canvas += plane.coverage(pillow) * (foam - canvas)
        trough = np.maximum(np.maximum(-beyond, beyond - outer), upper)
        canvas += plane.coverage(trough) * (self.shell_hu - canvas)
        core = np.maximum(np.maximum(self.shell_mm - beyond, beyond - outer + self.shell_mm), upper + self.shell_mm)
        canvas += plane.coverage(core) * (self.core_hu - canvas)
        table = self.table_y + 0.0011 * x**2 - y
        self._paint_table(plane, canvas, np.asarray(table + 0.0 * z))

    def _paint_table(self, plane: Plane, canvas: Image, below: Image) -> None:
        canvas += plane.coverage(np.abs(below - 0.7) - 0.7) * (self.shell_hu - canvas)
