"""Make src/cormack/extract/data/cranium.csv: points on the digital head's intracranial surface, in its coordinates.

`cormack.extract.pose` lays these points on the surface of a brain mask. The digital head is made of formulas: no image
of a person went into the table.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cormack.physics.cavity import CENTER_Y, CENTER_Z, FORAMEN_Z, inner_table

TABLE = Path(__file__).resolve().parent.parent / "src/cormack/extract/data/cranium.csv"
POINTS = 600
STEP_MM, REACH_MM = 0.25, 110.0


def surface_points() -> np.ndarray:
    """Where rays from the middle of the vault, evenly spread, leave the intracranial space; shape (points, 3)."""
    z = 1 - (2 * np.arange(POINTS) + 1) / POINTS
    turn = np.pi * (3 - np.sqrt(5)) * np.arange(POINTS)
    radius = np.sqrt(1 - z**2)
    directions = np.stack([radius * np.cos(turn), radius * np.sin(turn), z], axis=1)
    depths = np.arange(0, REACH_MM, STEP_MM)
    points = np.array([0.0, CENTER_Y, CENTER_Z]) + directions[:, None] * depths[None, :, None]
    x, y, z = (points[..., axis].astype(np.float32) for axis in range(3))
    outside = (inner_table(x, y, z) > 0) | (z < FORAMEN_Z)
    first = outside.argmax(axis=1)
    return points[np.arange(POINTS), first]


if __name__ == "__main__":
    header = "x_mm,y_mm,z_mm"
    np.savetxt(TABLE, surface_points(), fmt="%.1f", delimiter=",", header=header, comments="")
