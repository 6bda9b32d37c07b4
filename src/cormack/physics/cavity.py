"""The intracranial space of the digital head: a vault over three fossae, and the thickness of the bone around it.

All in RAS+ millimetres; the origin lies above the sella, midway between forehead and occiput. Left and right differ
slightly, as they do in people.
"""

from __future__ import annotations

import numpy as np

from cormack.physics.fields import bump, smooth_max, smooth_step
from cormack.physics.plane import Box, Image

#: The vault: centre, half width, half length, height above and depth below the centre.
CENTER_Y, CENTER_Z = -7.0, 18.0
HALF_WIDTH, HALF_LENGTH, HEIGHT, DEPTH = 68.0, 85.0, 69.0, 78.0
#: Plane of the foramen magnum, where the intracranial space ends.
FORAMEN_Z = -45.0
#: From here up the floor is more than 20 mm away, where only its sign matters.
FLOOR_REACH_Z = 58.0
#: A box that holds the whole intracranial space.
BOX: Box = ((-76.0, -98.0, FORAMEN_Z - 3.0), (76.0, 84.0, 92.0))


def vault(x: Image, y: Image, z: Image) -> Image:
    """Signed distance (mm) to the vault alone, as if the base were rounded too; negative inside."""
    _, u, v, w = egg(x, y, z)
    uu, vv, ww = u * u, v * v, w * w
    square = np.maximum(uu * (1 - 0.3 * vv) + (vv + ww), 1e-6)
    slope2 = uu * (1 / HALF_WIDTH**2) + (vv * (1 / HALF_LENGTH**2) + ww * (1 / HEIGHT**2))
    return np.asarray((square - np.sqrt(square)) / np.sqrt(np.maximum(slope2, 1e-8)))


def egg(x: Image, y: Image, z: Image) -> tuple[Image, Image, Image, Image]:
    """X without the asymmetry of the head, and the three coordinates in units of the vault's half axes."""
    x = x + 1.4 * np.sin((y + 30.0) / 48.0)
    width = HALF_WIDTH * (1.0 - 0.0012 * (y + 22.0))
    height = np.where(z > CENTER_Z, np.float32(HEIGHT), np.float32(DEPTH))
    return x, x / width, (y - CENTER_Y) / HALF_LENGTH, (z - CENTER_Z) / height


def petrous_y(ax: Image) -> Image:
    """Y of the petrous ridge at a distance from the midline."""
    return np.asarray(6.0 - 0.72 * (ax - 10.0))


def floor_z(ax: Image, y: Image) -> Image:
    """Height of the floor of the three fossae at |x| and y; foramina are closed."""
    anterior = 8.0 * bump(((ax - 31) / 13) ** 2) * bump(((y - 50) / 17) ** 2) + (3.0 - 4.0 * bump((ax / 6) ** 2))
    middle = 0.012 * (ax - 40.0) ** 2 + (0.010 * (y - 6.0) ** 2 - 25.0)
    posterior = 0.006 * np.maximum(ax - 26.0, 0) ** 2 + (0.009 * np.maximum(-y - 58.0, 0) ** 2 + FORAMEN_Z)
    wing = y - (15.0 + 0.33 * (ax - 10.0))
    ridge = y - petrous_y(ax)
    floor = posterior + (middle - posterior) * smooth_step(ridge, 3.0)
    floor = floor + (anterior - floor) * smooth_step(wing, 3.0)
    petrous = -5.0 - 1.5 * np.sqrt(ridge**2 * 0.66 + 4.0) + 0.02 * (ax - 30)
    sella = -3.0 - 6.0 * bump(((y - 14.0) / 3.6) ** 2)
    clivus = np.where(y > 8.0, sella, sella - 1.9 * (8.0 - y))
    central = (clivus - 3.0 * np.maximum(y - 24.0, 0)) - 1.7 * np.maximum(ax - 10.0, 0)
    return smooth_max(smooth_max(floor, petrous, 3.0), central, 3.0)


def floor_distance(x: Image, y: Image, z: Image) -> Image:
    """Signed distance (mm) to the floor, exact to first order; negative above it."""
    ax = np.abs(x)
    height = floor_z(ax, y)
    across, along = floor_z(ax + 0.5, y) - height, floor_z(ax, y + 0.5) - height
    return np.asarray((height - z) / np.sqrt(1.0 + 4.0 * (across**2 + along**2)))


def inner_table(x: Image, y: Image, z: Image) -> Image:
    """Signed distance (mm) to the inner table; negative inside the intracranial space."""
    distance = vault(x, y, z)
    if float(z.min()) > FLOOR_REACH_Z:
        return distance
    return smooth_max(distance, floor_distance(x, y, z), 4.0)


def bone_thickness(x: Image, y: Image, z: Image) -> Image:
    """Thickness of the skull (mm): thick at occiput and forehead, thin at the temples."""
    thickness = 6.3 + 2.4 * bump(((y + 92) / 22) ** 2) + 1.8 * bump(((y - 78) / 22) ** 2)
    thickness = thickness - 2.8 * bump(((z + 2) / 24) ** 2 + ((y - 10) / 34) ** 2)
    return np.asarray(thickness + np.sin(x / 17.0 + 1.0) * (0.35 * np.sin(y / 19.0) * np.cos(z / 23.0)))
