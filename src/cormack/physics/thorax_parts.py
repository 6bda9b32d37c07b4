"""Shapes of the made thorax, RAS+ millimetres with the origin between the hila: cavity, mediastinum, bones, airways.

Distances are signed, negative inside, exact to first order at the surface.
"""

from __future__ import annotations

import numpy as np

from cormack.physics.fields import Tube, ellipsoid, smooth_max, smooth_min, smooth_step
from cormack.physics.phantom import AIR_HU
from cormack.physics.plane import Box, Image

LUNG_BOX: Box = ((-132.0, -96.0, -176.0), (132.0, 92.0, 148.0))
#: Edges where two surfaces of a lung meet are rounded over about this (mm).
ROUNDING_MM = 4.0
#: Half the thickness of the mediastinum where the lungs come closest (mm).
JUNCTION_MM = 2.0
WALL_HU, BLOOD_HU = 25.0, 48.0
#: Wall of trachea and main bronchi, and of the bronchi beyond (mm).
AIRWAY_WALL_MM, BRONCHUS_WALL_MM = 1.5, 1.0

TRACHEA = Tube(((0, -16, 260), (0, -17, 120), (0, -22, 52)), (9.0, 9.0, 8.5), AIR_HU)
MAIN_BRONCHI = (
    Tube(((0, -22, 52), (20, -24, 38), (37, -22, 26)), (7.5, 7.0, 6.5), AIR_HU),
    Tube(((0, -22, 52), (-24, -26, 34), (-44, -26, 22)), (7.0, 6.5, 6.0), AIR_HU),
)
MAIN_AIRWAY = (TRACHEA, *MAIN_BRONCHI)
BRONCHI = (
    Tube(((37, -22, 26), (58, -16, 52), (70, -8, 84)), (4.5, 3.5, 2.2), AIR_HU),
    Tube(((37, -22, 26), (46, -26, -8), (58, -44, -50), (66, -56, -88)), (5.5, 4.5, 3.0, 2.0), AIR_HU),
    Tube(((46, -26, -8), (66, 10, -22), (80, 36, -34)), (3.5, 2.6, 1.8), AIR_HU),
    Tube(((-44, -26, 22), (-60, -8, 50), (-70, 6, 78)), (4.5, 3.4, 2.2), AIR_HU),
    Tube(((-44, -26, 22), (-58, -44, -28), (-70, -58, -78)), (5.0, 3.6, 2.0), AIR_HU),
)
#: Gas in the stomach below the left dome and in the colon below the right one: centre and semi-axes.
BOWEL_GAS = (((-62.0, 26.0, -136.0), (36.0, 26.0, 24.0)), ((84.0, 42.0, -150.0), (22.0, 18.0, 16.0)))


def walls(tubes: tuple[Tube, ...], thickness_mm: float) -> tuple[Tube, ...]:
    """The same tubes with their walls, solid."""
    return tuple(Tube(t.points_mm, tuple(r + thickness_mm for r in t.radii_mm), WALL_HU) for t in tubes)


def cavity(x: Image, y: Image, z: Image) -> Image:
    """Inside of the ribs, from the apex far below the diaphragm."""
    return ellipsoid(x, y, z, (0, 0, -40), (130, 90, 185))


def mediastinum(x: Image, y: Image, z: Image) -> Image:
    """Heart, great vessels and spine with what surrounds them."""
    middle = ellipsoid(x, y, 0 * z, (0, -6, 0), (27, 54, 1))
    heart = ellipsoid(x, y, z, (-26, 26, -62), (62, 46, 58))
    spine = np.hypot(x, y + 80.0) - 27.0
    aorta = np.maximum(np.hypot(x + 27.0, y + 54.0) - 13.0, z - 78.0)
    return smooth_min(smooth_min(np.asarray(middle), heart, 10.0), np.minimum(spine, aorta), 6.0)


def diaphragm(x: Image, y: Image, z: Image) -> Image:
    """All below the two domes."""
    right = ellipsoid(x, y, z, (60, 0, -192), (76, 84, 110))
    left = ellipsoid(x, y, z, (-60, 0, -202), (74, 82, 106))
    return smooth_min(right, left, 12.0)


def lungs(x: Image, y: Image, z: Image, sides: tuple[int, ...]) -> Image:
    """The lungs with all that lies in them; `sides` holds 1 for the right one, −1 for the left one."""
    above = smooth_max(cavity(x, y, z), -diaphragm(x, y, z), ROUNDING_MM)
    recess = (0.35 * y - 132.0) - z
    field = smooth_max(np.maximum(above, recess), -mediastinum(x, y, z), ROUNDING_MM)
    beside = np.abs(x) if len(sides) > 1 else x * sides[0]
    return np.asarray(np.maximum(field, JUNCTION_MM - beside))


def body(x: Image, y: Image, z: Image) -> Image:
    """Skin, wide at the chest and narrow at the neck."""
    scale = 1.0 - 0.55 * smooth_step(z - 168.0, 9.0)
    u, v = x / (168.0 * scale), (y + 5.0) / (122.0 * scale)
    radius = np.sqrt(u * u + v * v)
    slope = np.sqrt((u / (168.0 * scale)) ** 2 + (v / (122.0 * scale)) ** 2)
    return np.asarray((radius * radius - radius) / np.maximum(slope, 1e-6))


def bones(x: Image, y: Image, z: Image) -> Image:
    """Ribs, sternum, vertebral bodies and the arches behind them."""
    outside = cavity(x, y, z)
    level = np.mod(z + 0.35 * y + 12.0, 24.0) - 12.0
    ribs = np.maximum(np.maximum(np.abs(outside - 7.0) - 3.5, np.abs(level) - 5.5), z - 150.0)
    sternum = np.maximum(np.maximum(np.abs(outside - 9.0) - 5.0, np.abs(x) - 15.0), np.maximum(10.0 - y, -60.0 - z))
    vertebra = np.maximum(np.hypot(x, y + 78.0) - 19.0, np.abs(np.mod(z, 26.0) - 13.0) - 10.5)
    arch = np.abs(np.hypot(x, y + 106.0) - 11.0) - 3.0
    return np.asarray(np.minimum(np.minimum(ribs, sternum), np.minimum(vertebra, arch)))
