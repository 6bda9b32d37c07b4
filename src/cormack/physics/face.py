"""Everything of the digital head outside of the vault: surface, ears, face, skull base, air spaces, upper neck.

Tables of simple bodies in RAS+ millimetres, painted in their order; `_both` adds the mirror image.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cormack.physics.cavity import vault
from cormack.physics.fields import Tube, Waves, ellipsoid, smooth_min
from cormack.physics.phantom import Ball, Ellipsoid, rotation_matrix
from cormack.physics.plane import Box, Image, Part, Plane

Triple = tuple[float, float, float]
FACE_BOX: Box = ((-72.0, -48.0, -70.0), (72.0, 75.0, -2.0))
#: Face and neck do not shape the surface above this.
FACE_REACH_Z = 46.0
#: Spongy, cortical and dense bone, soft tissue, fat, air (HU).
SPONGY, CORTICAL, DENSE, TISSUE, FAT, AIR = 420.0, 1050.0, 1500.0, 45.0, -95.0, -1000.0


def _both(*parts: Ellipsoid | Tube) -> tuple[Part, ...]:
    """Each part and its mirror image in the plane x = 0."""
    mirrored: list[Part] = []
    for part in parts:
        mirrored.append(part)
        if isinstance(part, Tube):
            mirrored.append(replace(part, points_mm=tuple((-x, y, z) for x, y, z in part.points_mm)))
        else:
            flip = np.diag([-1.0, 1.0, 1.0])
            x, y, z = part.center_mm
            mirrored.append(
                Ellipsoid((-x, y, z), part.semi_axes_mm, flip @ np.asarray(part.rotation) @ flip, hu=part.hu)
            )
    return tuple(mirrored)


def _shell(center: Triple, semi: Triple, wall_mm: float, wall_hu: float, z_deg: float = 0.0) -> Ellipsoid:
    """The body whose inside, painted later with the given semi-axes, leaves a wall."""
    a, b, c = semi
    return Ellipsoid(center, (a + wall_mm, b + wall_mm, c + wall_mm), rotation_matrix(z_deg=z_deg), hu=wall_hu)


def head_surface(x: Image, y: Image, z: Image, over_vault_mm: Image) -> Image:
    """Signed distance (mm) to the skin, negative inside: vault, face, nose, jaws and neck in one."""
    surface: Image = vault(x, y, z) - over_vault_mm
    if float(z.min()) > FACE_REACH_Z:
        return surface
    ax = np.abs(x)
    face = ellipsoid(ax, y, z, (0, 38, -46), (66, 54, 62))
    nose = np.minimum(
        ellipsoid(ax, y, z, (0, 91, -31), (10.0, 17, 25)),
        ellipsoid(ax, y, z, (0, 99, -45), (14, 12, 8)),
    )
    neck = np.hypot(ax / 60.0, (y + 26.0) / 62.0)
    neck = np.maximum((neck - 1.0) * 60.0, z + 34.0)
    brow = ellipsoid(ax, y, z, (0, 74, 2), (44, 16, 13))
    temples = ellipsoid(ax, y, z, (0, -4, -22), (75.5, 56, 36))
    jaws = ellipsoid(ax, y, z, (0, 4, -60), (66, 46, 46))
    surface = smooth_min(smooth_min(surface, face, 14.0), smooth_min(temples, jaws, 8.0), 10.0)
    surface = smooth_min(surface, neck, 16.0)
    return smooth_min(smooth_min(surface, brow, 6.0), nose, 5.0)


ORBIT: tuple[Triple, Triple, float] = ((30.5, 51.0, -14.0), (18.0, 27.0, 17.0), -18.0)
MAXILLARY: tuple[Triple, Triple] = ((29.0, 52.0, -50.0), (14.0, 16.5, 16.0))
SPHENOID_SINUS: tuple[Triple, Triple] = ((8.0, 17.0, -20.0), (6.6, 10.5, 7.5))
FRONTAL_SINUS: tuple[Triple, Triple] = ((9.5, 82.5, 5.0), (9.0, 3.6, 10.0))

#: Pinnae.
EARS: tuple[Part, ...] = _both(
    Ellipsoid((80.0, -24.0, -16.0), (3.4, 14.0, 27.0), rotation_matrix(x_deg=12, z_deg=24), hu=15.0),
    Ellipsoid((79.5, -18.0, -15.0), (2.5, 8.0, 15.0), rotation_matrix(z_deg=20), hu=AIR),
    Ellipsoid((77.5, -13.0, -20.0), (4.0, 4.5, 7.0), hu=20.0),
)
#: Muscles of mastication, and fat behind the cheek.
SOFT_PARTS: tuple[Part, ...] = _both(
    Ellipsoid((58.5, 20.0, -14.0), (5.5, 25.0, 26.0), rotation_matrix(z_deg=12), hu=58.0),
    Ellipsoid((54.5, 10.0, -58.0), (7.0, 16.0, 24.0), rotation_matrix(z_deg=12), hu=58.0),
    Ellipsoid((37.0, 12.0, -50.0), (8.0, 14.0, 14.0), rotation_matrix(z_deg=35), hu=58.0),
    Ellipsoid((50.0, 36.0, -42.0), (8.0, 10.0, 18.0), hu=FAT),
    Ellipsoid((14.0, -64.0, -62.0), (12.0, 14.0, 20.0), hu=60.0),
    Ellipsoid((36.0, -54.0, -62.0), (13.0, 9.0, 22.0), rotation_matrix(z_deg=35), hu=58.0),
)
#: Bone outside of the vault, spongy cores after their cortex.
BONES: tuple[Part, ...] = (
    Ellipsoid((0.0, 13.0, -19.0), (18.0, 17.0, 14.5), hu=CORTICAL),
    Tube(((0, 2, -18), (0, -8, -32), (0, -14, -44)), (11.0, 8.0, 4.0), 900.0),
    Tube(((0, 1, -19), (0, -8, -32), (0, -13, -42)), (8.5, 5.5, 2.2), 330.0),
    *_both(
        Tube(((12, -1, -14), (30, -10, -16), (47, -21, -18)), (7.0, 9.5, 12.0), DENSE),
        Ellipsoid((55.0, -27.0, -28.0), (12.0, 16.0, 20.0), rotation_matrix(x_deg=15), hu=CORTICAL),
        Ball((31.0, -9.0, -16.0), 4.5, 2000.0),
        Tube(((15, 22, -4), (32, 29, -1), (50, 31, 6)), (3.2, 3.0, 3.0), 950.0),
        Tube(((20, 14, -27), (36, 14, -30)), (4.0, 2.5), CORTICAL),
        Tube(((17, 22, -32), (19, 19, -66)), (1.6, 1.6), CORTICAL),
        Tube(((13, 24, -32), (12, 20, -66)), (1.3, 1.3), CORTICAL),
        _shell(*ORBIT[:2], 2.0, 850.0, ORBIT[2]),
        _shell(*MAXILLARY, 1.6, 800.0),
        _shell(*FRONTAL_SINUS, 2.0, CORTICAL),
        Tube(((47, 67, 0), (50, 62, -18), (52, 56, -30)), (4.0, 4.5, 5.5), CORTICAL),
        Tube(((48, 66, 0), (50, 61, -18), (52, 56, -30)), (1.8, 2.2, 3.0), SPONGY),
        Tube(((51, 55, -31), (61, 36, -30), (65, 18, -28), (62, -3, -24)), (4.5, 3.2, 2.6, 3.5), CORTICAL),
        Tube(((52, 56, -31), (40, 66, -36), (26, 71, -34)), (4.5, 3.5, 2.6), 950.0),
        Tube(((11, 78, -2), (6, 83, -14), (8, 79, -30), (12, 73, -56)), (3.4, 2.0, 1.8, 3.0), CORTICAL),
        Ellipsoid((50.0, -3.0, -31.0), (9.0, 5.0, 5.5), rotation_matrix(z_deg=-15), hu=CORTICAL),
        Ellipsoid((50.0, -3.0, -31.0), (6.5, 2.8, 3.4), rotation_matrix(z_deg=-15), hu=SPONGY),
        Tube(((49, 0, -35), (48, 4, -60), (46, 8, -400)), (4.5, 5.0, 5.0), CORTICAL),
        Tube(((49, 0, -37), (48, 4, -60), (46, 8, -400)), (2.2, 2.6, 2.6), SPONGY),
        Tube(((27, -12, -34), (25, -8, -62)), (1.9, 1.2), CORTICAL),
        Ellipsoid((19.0, -22.0, -49.5), (6.5, 11.0, 5.5), rotation_matrix(z_deg=25), hu=950.0),
        Ellipsoid((23.0, -24.0, -61.5), (10.0, 11.0, 6.2), hu=CORTICAL),
        Ellipsoid((23.0, -24.0, -61.5), (7.4, 8.4, 4.0), hu=SPONGY),
        Tube(((24, -24, -62), (38, -26, -62)), (4.0, 3.5), CORTICAL),
        Tube(((22, -30, -62), (17, -44, -63), (0, -50, -63)), (4.2, 3.4, 3.6), CORTICAL),
        Tube(((20, -18, -61), (10, -10, -61), (0, -8.5, -61)), (4.0, 3.2, 3.6), CORTICAL),
    ),
    Tube(((0, -16, -52), (0, -16, -75), (0, -16, -400)), (4.5, 5.5, 10.0), CORTICAL),
    Tube(((0, -16, -54), (0, -16, -75), (0, -16, -400)), (2.6, 3.6, 8.0), SPONGY),
)
#: Orbits with eyes; the fat of the orbit goes first.
CAVITIES_OF_BONE: tuple[Part, ...] = _both(
    Ellipsoid((32.5, 71.0, -13.0), (16.5, 9.5, 13.5), hu=TISSUE),
    Ellipsoid(ORBIT[0], ORBIT[1], rotation_matrix(z_deg=ORBIT[2]), hu=-90.0),
    Tube(((21, 32, -12), (30, 45, -10), (33, 60, -10)), (2.2, 2.1, 2.6), 38.0),
    *(
        Tube(((20, 31, -12), (30 + 9.5 * a, 48, -13 + 9.5 * b), (32 + 11 * a, 64, -13 + 11 * b)), (1.0, 2.4, 1.0), 55.0)
        for a, b in ((1, 0), (-1, 0), (0, 1), (0, -1))
    ),
    Ellipsoid((32.5, 74.5, -13.0), (14.0, 5.0, 11.0), hu=30.0),
    Ball((32.5, 64.0, -13.0), 12.3, 55.0),
    Ball((32.5, 64.0, -13.0), 11.2, 12.0),
    Ellipsoid((32.5, 72.0, -13.0), (4.6, 1.9, 4.6), hu=85.0),
)
#: Air: pharynx, nose with its septum and turbinates, sinuses, ear canals.
AIR_SPACES: tuple[Part, ...] = (
    Ellipsoid((0.0, 12.0, -52.0), (12.0, 9.0, 15.0), hu=AIR),
    Tube(((0, 10, -60), (0, 4, -80), (0, 2, -400)), (9.0, 8.0, 9.0), AIR),
    Ellipsoid((0.0, 52.0, -46.0), (13.0, 33.0, 15.0), hu=AIR),
    Ellipsoid((0.0, 97.0, -45.0), (9.0, 7.0, 4.0), hu=AIR),
    Ellipsoid((0.8, 56.0, -42.0), (1.3, 42.0, 24.0), hu=95.0),
    *_both(
        Tube(((8.0, 34, -52), (8.5, 72, -52)), (3.0, 4.0), TISSUE),
        Tube(((7.0, 34, -41), (7.5, 66, -40)), (2.4, 3.2), TISSUE),
        Ellipsoid(*MAXILLARY, hu=AIR),
        Ellipsoid(*SPHENOID_SINUS, hu=AIR),
        Ellipsoid(*FRONTAL_SINUS, hu=AIR),
        Tube(((84, -14, -21), (66, -13, -22), (52, -13, -19)), (4.0, 3.2, 3.0), AIR),
        Ellipsoid((46.0, -14.0, -17.0), (4.0, 5.5, 6.5), hu=AIR),
        Ball((46.5, -14.5, -16.0), 1.6, 1100.0),
    ),
)


def paint_air_cells(plane: Plane, canvas: Image) -> None:
    """Ethmoid and mastoid air cells: pockets of air between thin walls, in place."""
    x, y, z = plane.coordinates()
    ax = np.abs(x)
    for center, semi, wavelength, wall_hu, wall in (
        ((0.0, 46.0, -15.0), (12.5, 23.0, 16.0), 13.0, 160.0, 0.22),
        ((56.0, -29.0, -30.0), (8.8, 12.0, 15.0), 9.0, 750.0, 0.42),
    ):
        region = ellipsoid(ax, y, z, center, semi)
        if float(region.min()) > plane.edge_mm:
            continue
        cells = np.abs(Waves(wavelength, 9, 23)(x, y, z))
        value = AIR + plane.coverage((cells - wall) * wavelength / 5.0) * (wall_hu - AIR)
        canvas += plane.coverage(region) * (value - canvas)
