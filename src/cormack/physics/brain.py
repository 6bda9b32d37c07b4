"""What fills the intracranial space of the digital head: folded cortex, ventricles, cisterns, folds of the dura.

Positions in RAS+ millimetres, values in Hounsfield units as textbooks give them for unenhanced CT at 120 kV:
cortex 37 to 41, white matter 25 to 32, cerebrospinal fluid 4 to 10, dura and venous blood 50 to 60.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from cormack.physics.cavity import HALF_LENGTH, HALF_WIDTH, HEIGHT, egg, petrous_y
from cormack.physics.fields import Tube, Waves, bump, ellipsoid, smooth_min
from cormack.physics.phantom import Ball
from cormack.physics.plane import Box, Image, Part, Plane

CORTEX_HU, WHITE_HU, FLUID_HU, DURA_HU, BLOOD_HU = 38.5, 27.5, 7.0, 52.0, 58.0
CORTEX_MM, SULCUS_DEPTH_MM = 3.6, 13.5
#: How much sulci point to the middle of the brain (1) rather than run anywhere (0).
SULCUS_RADIAL = 0.62
#: Grey nuclei: Hounsfield units, centre and semi-axes on the right; each has its mirror image.
NUCLEI = (
    (38.0, (26.0, 5.0, 11.0), (6.0, 18.0, 10.0)),
    (38.0, (10.5, -12.0, 15.0), (8.5, 14.5, 9.0)),
    (38.5, (13.0, 20.0, 17.0), (4.6, 9.5, 10.0)),
)
#: Ventricles, right side.
LATERAL = Tube(
    ((7.5, 31, 17), (6.8, 22, 22), (7.0, 4, 29), (10.5, -18, 31), (20, -38, 26), (26, -48, 17), (24, -70, 11)),
    (2.6, 4.6, 4.4, 4.2, 5.4, 6.2, 1.4),
)
TEMPORAL_HORN = Tube(((26, -46, 16), (34, -30, 2), (33, -10, -9), (29, 1, -11)), (5.0, 2.6, 2.0, 1.4))
AQUEDUCT = Tube(((0, -22, 4), (0, -27, -6), (0, -33, -12)), (1.2, 1.2, 1.6))
MEDULLA = Tube(((0, -22, -24), (0, -29, -46), (0, -32, -60)), (8.5, 7.0, 6.0))
STRAIGHT_SINUS = Tube(((0, -44, 15), (0, -64, 9), (0, -86, 1)), (1.4, 1.8, 2.6))
VESSELS: tuple[Tube, ...] = (
    Tube(((0, 1.0, -22), (0.8, 2.5, -12), (0, 4.5, -4)), (1.8, 1.8, 1.8), 46.0),
    *(
        Tube(((s * 9, 13, -2), (s * 16, 14, 0.5), (s * 27, 12, 0), (s * 36, 10, 2)), (1.7, 1.5, 1.4, 1.2), 46.0)
        for s in (-1, 1)
    ),
    *(Tube(((s * 9, 13, -2), (s * 1.5, 24, 2), (s * 1.2, 38, 12)), (1.5, 1.2, 1.0), 46.0) for s in (-1, 1)),
)
#: Vessels, then the pineal gland and the choroid plexus with their chalk.
DETAILS: tuple[Part, ...] = (
    *VESSELS,
    Ball((0.3, -31.0, 13.0), 2.6, 160.0),
    Ball((24.5, -46.0, 15.0), 2.8, 130.0),
    Ball((-25.5, -47.5, 16.0), 2.2, 120.0),
)
#: Where parts can be; nothing is computed beyond.
CEREBRUM_BOX: Box = ((-80, -99, -40), (80, 90, 95))
BELOW_BOX: Box = ((-70, -99, -60), (70, 26, 21))
VENTRICLE_BOX: Box = ((-44, -76, -28), (44, 36, 40))
SYLVIAN_BOX: Box = ((-75, -38, -10), (75, 36, 32))
MIDLINE_BOX: Box = ((-12, -99, -10), (12, 90, 95))
TENTORIUM_BOX: Box = ((-80, -99, -24), (80, 12, 22))


@dataclass(frozen=True, eq=False)
class Patch:
    """Points of a plane with the coordinates that the brain's parts are defined in; all broadcast to one shape.

    `ax` is |x| without the head's asymmetry, `depth` the distance (mm) below the inner table, `u`, `v`, `w` the
    coordinates in units of the vault's half axes.
    """

    plane: Plane
    x: Image
    ax: Image
    y: Image
    z: Image
    depth: Image
    u: Image
    v: Image
    w: Image

    @classmethod
    def of(cls, plane: Plane, depth: Image) -> Patch:
        """The points of a plane at known depths below the inner table."""
        x, y, z = plane.coordinates()
        straight, u, v, w = egg(x, y, z)
        straight = straight + 1.1 * np.sin(y / 31.0 + z / 40.0)
        return cls(plane, straight, np.abs(straight), y, z, depth, u, v, w)

    def within(self, box: Box) -> tuple[tuple[slice, slice], Patch] | None:
        """The window of a box in this patch and the patch in it; None where they do not meet."""
        at = self.plane.window(box)
        if at is None:
            return None
        fields = (self.x, self.ax, self.y, self.z, self.depth, self.u, self.v, self.w)
        return at, Patch(self.plane.crop(at), *(_cut(f, at) for f in fields))


def _cut(field: Image, at: tuple[slice, slice]) -> Image:
    """The part of a field in a window; lines stay lines."""
    rows, columns = at
    return field[rows if field.shape[0] > 1 else slice(None), columns if field.shape[1] > 1 else slice(None)]


@dataclass(frozen=True)
class Brain:
    """Soft tissue inside the inner table.

    Parameters
    ----------
    seed : int
        Another seed, other gyri.
    fluid_gap_mm : float
        Width of the fluid between brain and bone; more with age.
    ventricle_growth_mm : float
        Added to the radii of the lateral ventricles.
    """

    seed: int = 7
    fluid_gap_mm: float = 1.6
    ventricle_growth_mm: float = 0.0

    def hu(self, plane: Plane, depth: Image) -> Image:
        """Hounsfield units at points of a plane, whatever lies outside; `depth` (mm) is that below the inner table."""
        patch = Patch.of(plane, depth)
        image: Image = np.full(depth.shape, FLUID_HU, dtype=np.float32)
        layers: tuple[tuple[Box, Callable[[Patch, Image], None]], ...] = (
            (CEREBRUM_BOX, self._cerebrum),
            (BELOW_BOX, _hindbrain),
            (VENTRICLE_BOX, self._ventricles),
            (MIDLINE_BOX, _falx),
            (TENTORIUM_BOX, _tentorium),
        )
        for box, paint in layers:
            found = patch.within(box)
            if found is not None:
                paint(found[1], image[found[0]])
        for part in DETAILS:
            part.paint(plane, image)
        return image

    def _cerebrum(self, p: Patch, image: Image) -> None:
        """Ribbon of cortex around white matter, and the grey nuclei."""
        fluid = self._distance_to_fluid(p)
        tissue = CORTEX_HU + (WHITE_HU - CORTEX_HU) * p.plane.coverage((CORTEX_MM - fluid) * 0.5)
        for hu, center, semi in NUCLEI:
            found = p.within(_mirrored_box(center, semi))
            if found is not None:
                at, q = found
                tissue[at] += q.plane.coverage(ellipsoid(q.ax, q.y, q.z, center, semi) * 0.6) * (hu - tissue[at])
        image += p.plane.coverage(-fluid) * (tissue - image)

    def _distance_to_fluid(self, p: Patch) -> Image:
        """Distance (mm) from the cerebrum's points to the nearest fluid; negative in fluid and below the cerebrum."""
        radius = np.maximum(np.sqrt(p.u * p.u + (p.v * p.v + p.w * p.w)), 0.2)
        scale = radius ** np.float32(-SULCUS_RADIAL)
        surface = p.depth - (self.fluid_gap_mm + 1.0 * bump(((p.y - 70) / 30) ** 2 + ((p.z - 35) / 40) ** 2))
        folds = Waves(24.0, 14, self.seed)(HALF_WIDTH * p.u * scale, HALF_LENGTH * p.v * scale, HEIGHT * p.w * scale)
        beside = 4.6 / scale * np.abs(folds)
        beyond = np.maximum(surface - SULCUS_DEPTH_MM, 0)
        fluid = np.sqrt(beside * beside + beyond * beyond) - np.clip(1.15 - 0.06 * surface, 0.3, 1.3)
        callosum = np.sqrt(((p.y + 11) / 41) ** 2 + ((p.z - 11) / 30) ** 2)
        fissure = np.hypot(np.maximum(p.ax - 0.5, 0), 34.0 * np.maximum(1.0 - callosum, 0)) - 0.7
        fluid = np.asarray(np.minimum(np.minimum(fluid, surface), fissure))
        for box, part in ((SYLVIAN_BOX, _sylvian), (BELOW_BOX, _below_cerebrum)):
            found = p.within(box)
            if found is not None:
                at, q = found
                fluid[at] = np.minimum(fluid[at], part(q))
        return fluid

    def _ventricles(self, p: Patch, image: Image) -> None:
        lateral = LATERAL.distance(p.ax, p.y, p.z) - self.ventricle_growth_mm
        lateral = np.minimum(lateral, TEMPORAL_HORN.distance(p.ax, p.y, p.z))
        for _, center, semi in NUCLEI[1:]:
            lateral = np.maximum(lateral, -ellipsoid(p.ax, p.y, p.z, center, semi))
        lateral = np.maximum(lateral, 0.9 - p.ax)
        third = ellipsoid(p.ax, p.y, p.z, (0, -6, 10), (2.2, 16, 11))
        fourth = ellipsoid(p.ax, p.y, p.z, (0, -35, -17), (8.5, 4.6, 9))
        aqueduct = AQUEDUCT.distance(p.ax, p.y, p.z)
        fluid = np.minimum(np.minimum(lateral, third), np.minimum(fourth, aqueduct))
        image += p.plane.coverage(fluid) * (6.0 - image)


def tentorium_z(ax: Image, y: Image) -> Image:
    """Height of the tentorium at |x| and y: high in the middle, falling to the sides, back and petrous ridge."""
    aside = -0.30 * np.sqrt(ax**2 + 16.0) - 0.004 * np.maximum(ax - 30, 0) ** 2
    tent = aside + (15.0 - 0.23 * np.maximum(-y - 42.0, 0))
    return np.asarray(np.minimum(tent, 0.9 * (petrous_y(ax) - y) - 4.0))


def _mirrored_box(center: tuple[float, float, float], semi: tuple[float, float, float]) -> Box:
    """A box around a body and its mirror image, with a margin for the head's asymmetry."""
    (x, y, z), (a, b, c) = center, semi
    return (-x - a - 4, y - b - 1, z - c - 1), (x + a + 4, y + b + 1, z + c + 1)


def _sylvian(p: Patch) -> Image:
    """Distance (mm) to the Sylvian fissure and the cistern over the insula; the left one lies flatter."""
    rise = np.where(p.x > 0, np.float32(0.36), np.float32(0.30))
    height = 1.0 + rise * (26.0 - p.y) + 2.0 * np.sin(p.ax / 8.0)
    sheet = np.maximum(np.abs(p.z - height) * 0.92 - 0.9, np.maximum(38.0 - p.ax, np.abs(p.y + 2.0) - 33.0))
    insula = 37.5 + 0.006 * (p.y - 2.0) ** 2 + 1.3 * np.sin(p.y / 4.6 + p.z / 5.0)
    cistern = np.maximum(np.abs(p.ax - insula) - 1.1, np.hypot((p.y - 1.0) / 1.6, p.z - height - 3.0) - 11.0)
    return np.asarray(np.minimum(sheet, cistern))


def _below_cerebrum(p: Patch) -> Image:
    """Distance (mm) to what is no cerebrum: posterior fossa, space around the stem, cistern over the sella."""
    tent = tentorium_z(p.ax, p.y)
    behind = np.maximum(p.z - tent - 0.8, p.y - petrous_y(p.ax) - 1.0)
    around = ellipsoid(p.ax, p.y, p.z, (0, -17, 2), (17.5, 14.0, 14.5))
    under = np.maximum(ellipsoid(p.ax, p.y, p.z, (0, -12, -20), (17, 22, 24)), p.z + 2.0)
    sella = ellipsoid(p.ax, p.y, p.z, (0, 12, -2), (11.5, 10.5, 7.0))
    return np.asarray(np.minimum(np.minimum(np.minimum(behind, around), under), sella))


def _hindbrain(p: Patch, image: Image) -> None:
    """Cerebellum and brainstem."""
    tent = tentorium_z(p.ax, p.y)
    lobes = ellipsoid(p.ax, p.y, p.z, (23, -50, -17), (34, 37, 27))
    vermis = ellipsoid(p.ax, p.y, p.z, (0, -58, -14), (15, 29, 27))
    cerebellum = smooth_min(lobes, vermis, 8.0)
    stem_space = ellipsoid(p.ax, p.y, p.z, (0, -17, -10), (18, 16, 32))
    cerebellum = np.maximum(np.maximum(cerebellum, p.z - tent + 1.0), np.maximum(2.0 - p.depth, 1.0 - stem_space))
    cerebellum = np.maximum(cerebellum, p.y - petrous_y(p.ax) + 3.0)
    folia = np.cos(cerebellum * 1.25 + 0.9 * np.sin(p.ax / 7.0) + 0.15 * p.z)
    hu = 36.0 + 3.0 * folia * bump((cerebellum / 8.0) ** 2)
    core = ellipsoid(p.ax, p.y, p.z, (20, -50, -22), (15, 13, 9))
    hu = hu + p.plane.coverage(core * 0.25) * (29.5 - hu)
    image += p.plane.coverage(cerebellum) * (hu - image)
    midbrain = ellipsoid(p.ax, p.y, p.z, (0, -16.5, 5), (16.5, 11.5, 16))
    pons = ellipsoid(p.ax, p.y, p.z, (0, -15, -14), (17.0, 15.0, 13.5))
    stem = smooth_min(midbrain, pons, 6.0)
    peduncles = Tube(((10, -18, -14), (22, -38, -18)), (7.0, 9.0)).distance(p.ax, p.y, p.z)
    stem = smooth_min(np.minimum(stem, peduncles), MEDULLA.distance(p.ax, p.y, p.z), 6.0)
    notch = np.hypot(p.ax / 1.1, p.y - 0.5) - 6.0
    stem = np.maximum(np.maximum(stem, 1.2 - p.depth), np.minimum(-notch, p.z + 3.0))
    image += p.plane.coverage(stem) * (33.0 - image)


def _falx(p: Patch, image: Image) -> None:
    """The falx with the sagittal and the straight sinus."""
    tent = tentorium_z(p.ax, p.y)
    reach = np.sqrt(((p.y + 14) / 52) ** 2 + ((p.z - 8) / 42) ** 2)
    falx = np.maximum(p.ax - 0.6, (1.0 - reach) * 45.0)
    falx = np.maximum(falx, np.where(p.y > 0, np.float32(4.0) - p.z, tent - p.z))
    sagittal = np.maximum(p.ax - np.maximum(4.2 - 0.75 * p.depth, 0.6), p.depth - 6.0)
    sagittal = np.maximum(sagittal, np.where(p.y > -60, np.float32(20.0) - p.z, tent - 3.0 - p.z))
    blood = np.minimum(sagittal, STRAIGHT_SINUS.distance(p.ax, p.y, p.z))
    image += p.plane.coverage(falx) * (DURA_HU - image)
    image += p.plane.coverage(blood) * (BLOOD_HU - image)


def _tentorium(p: Patch, image: Image) -> None:
    """The tentorium with the transverse sinuses along its edge."""
    tent = tentorium_z(p.ax, p.y)
    incisura = (np.hypot(p.ax / 22.0, (p.y + 14.0) / 34.0) - 1.0) * 22.0
    sheet = np.maximum(np.abs(p.z - tent) * 0.8 - 0.5, np.maximum(-incisura, p.y - petrous_y(p.ax)))
    transverse = np.maximum(np.abs(p.z - tent) - 3.8 + 0.4 * p.depth, np.maximum(p.depth - 5.5, p.y + 42.0))
    image += p.plane.coverage(sheet) * (DURA_HU - 4.0 - image)
    image += p.plane.coverage(transverse) * (BLOOD_HU - image)
