"""A made thorax whose lungs are known exactly: for tests, benchmarks and pictures of lung segmentation.

No image of a person went into it. It is a likeness, not a model of anatomy.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from cormack.core.errors import InputError
from cormack.physics import thorax_parts as parts
from cormack.physics.fields import Tube, Waves, ellipsoid
from cormack.physics.phantom import AIR_HU, Ball, Triple
from cormack.physics.plane import Image, Plane

RIGHT, LEFT = 1, -1
HILUM_MM: dict[int, Triple] = {RIGHT: (40.0, -20.0, 20.0), LEFT: (-46.0, -22.0, 18.0)}
#: Share of a nodule's radius by which its centre lies inside the lung's surface.
NODULE_DEPTH = 0.4


@dataclass(frozen=True)
class Nodule:
    """A solid ball at the lung's surface; what of it lies in the lung belongs to the lung.

    Parameters
    ----------
    place : "wall" or "hilum"
        On the side of the ribs or of the mediastinum.
    center_mm : (x, y, z), RAS+ millimetres
    radius_mm : float
    """

    place: str
    center_mm: Triple
    radius_mm: float


@dataclass(frozen=True)
class ThoraxParameters:
    """What the thorax is made of.

    Parameters
    ----------
    sides : 1 for the right lung, −1 for the left one; one alone after pneumonectomy, with fluid in its place
    lung_hu, soft_hu, fat_hu, bone_hu : Hounsfield units
    wall_radii_mm, hilar_radii_mm : of the nodules
    table : whether it lies on one
    prone : whether it lies on its front
    seed : of vessels and texture
    """

    sides: tuple[int, ...] = (RIGHT, LEFT)
    lung_hu: float = -850.0
    soft_hu: float = 45.0
    fat_hu: float = -100.0
    bone_hu: float = 450.0
    wall_radii_mm: tuple[float, ...] = (3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0)
    hilar_radii_mm: tuple[float, ...] = (4.0, 5.0, 6.0)
    table: bool = True
    prone: bool = False
    seed: int = 5

    def __post_init__(self) -> None:
        if self.sides not in ((RIGHT, LEFT), (RIGHT,), (LEFT,)):
            raise InputError(f"sides must be (1, -1), (1,) or (-1,), not {self.sides}")


@dataclass(frozen=True)
class Thorax:
    """The thorax as a phantom, with the truth about its lungs.

    The lungs hold their vessels, bronchi and nodules, not the trachea and the main bronchi with their walls. Their
    surface lies at half the step from lung to what surrounds it.
    """

    parameters: ThoraxParameters = field(default_factory=ThoraxParameters)

    def hu(self, plane: Plane) -> Image:
        """Hounsfield units on a plane, float32 of shape (rows, columns)."""
        canvas = np.full((plane.rows, plane.columns), AIR_HU, dtype=np.float32)
        if self.parameters.table:
            self._paint_table(plane, canvas)
        self._paint_body(plane, canvas)
        window = plane.window(parts.LUNG_BOX)
        if window is not None:
            self._paint_lungs(plane.crop(window), canvas[window])
        for tube in (*parts.walls(parts.MAIN_AIRWAY, parts.AIRWAY_WALL_MM), *parts.MAIN_AIRWAY):
            if self._breathes(tube):
                tube.paint(plane, canvas)
        for center, semi in parts.BOWEL_GAS:
            gas = ellipsoid(*plane.coordinates(), center, semi)
            canvas += plane.coverage(gas) * (np.float32(AIR_HU) - canvas)
        return canvas

    def lung_distance_mm(self, plane: Plane) -> Image:
        """Signed distance to the surface of the lungs, negative inside; shape (rows, columns)."""
        x, y, z = plane.coordinates()
        inside = parts.lungs(x, y, z, self.parameters.sides)
        for tube in parts.walls(parts.MAIN_AIRWAY, parts.AIRWAY_WALL_MM):
            window = plane.window(tube.box)
            if window is not None:
                airway = tube.distance(*plane.crop(window).coordinates())
                inside[window] = np.maximum(inside[window], -airway)
        return inside

    def labels(self, affine: npt.ArrayLike, shape: tuple[int, int, int]) -> npt.NDArray[np.uint8]:
        """1 where voxel centres lie in the right lung, 2 in the left one; affine to RAS+ mm, shape (i, j, k)."""
        matrix = np.asarray(affine, dtype=np.float64)
        found = np.zeros(shape, dtype=np.uint8)
        for k in range(shape[2]):
            plane = Plane(matrix[:3, 3] + k * matrix[:3, 2], matrix[:3, 0], matrix[:3, 1], shape[1], shape[0], 1.0)
            window = plane.window(parts.LUNG_BOX)
            if window is not None:
                part = plane.crop(window)
                side = np.where(part.coordinates()[0] > 0, np.uint8(1), np.uint8(2))
                rows, columns = window
                found[columns, rows, k] = np.where(self.lung_distance_mm(part) < 0, side, 0).T
        return found

    def nodule_mask(
        self, nodule: Nodule, affine: npt.ArrayLike, shape: tuple[int, int, int]
    ) -> tuple[tuple[slice, slice, slice], npt.NDArray[np.bool_]]:
        """The box around a nodule in a grid aligned with the patient, and where its voxels lie in the lung."""
        matrix = np.asarray(affine, dtype=np.float64)
        corners = np.asarray(nodule.center_mm) + nodule.radius_mm * np.array([[-1.0] * 3, [1.0] * 3])
        voxels = (corners - matrix[:3, 3]) @ np.linalg.inv(matrix[:3, :3]).T
        low, high = np.floor(voxels.min(axis=0)).astype(int), np.ceil(voxels.max(axis=0)).astype(int) + 1
        low = np.clip(low, 0, shape)
        high = np.clip(high, low, shape)
        box = (slice(low[0], high[0]), slice(low[1], high[1]), slice(low[2], high[2]))
        origin = matrix[:3, :3] @ low + matrix[:3, 3]
        moved = np.array(matrix)
        moved[:3, 3] = origin
        size = (int(high[0] - low[0]), int(high[1] - low[1]), int(high[2] - low[2]))
        grid = np.stack(np.meshgrid(*(np.arange(n) for n in size), indexing="ij"), axis=-1) @ matrix[:3, :3].T + origin
        ball = np.linalg.norm(grid - np.asarray(nodule.center_mm), axis=-1) < nodule.radius_mm
        return box, ball & (self.labels(moved, size) > 0)

    @cached_property
    def nodules(self) -> tuple[Nodule, ...]:
        """Nodules at the wall and at the hila, spread over the lungs."""
        made = []
        sides = self.parameters.sides
        for place, radii in (("wall", self.parameters.wall_radii_mm), ("hilum", self.parameters.hilar_radii_mm)):
            for n, radius in enumerate(radii):
                side = sides[n % len(sides)]
                if place == "wall":
                    start: Triple = (side * 68.0, -8.0, -70.0 + 26.0 * n)
                    angle = np.radians(-60.0 + 40.0 * (n % 4))
                    ray = (side * float(np.cos(angle)), float(np.sin(angle)), 0.0)
                else:
                    start, ray = (side * 75.0, -8.0 - 14.0 * n, -6.0 + 22.0 * n), (-float(side), 0.0, 0.0)
                made.append(Nodule(place, self._below_surface(start, ray, NODULE_DEPTH * radius), radius))
        return tuple(made)

    @cached_property
    def vessels(self) -> tuple[Tube, ...]:
        """Branching tubes from the hila into the lungs, three generations."""
        rng = np.random.default_rng(self.parameters.seed)
        grown: list[Tube] = []
        for side in self.parameters.sides:
            hilum = np.array(HILUM_MM[side])
            for direction in rng.normal(size=(9, 3)):
                direction[0] = side * abs(direction[0]) * 0.8
                self._grow(hilum, direction / np.linalg.norm(direction), 4.5, 46.0, rng, grown)
        return tuple(grown)

    def _grow(
        self,
        start: npt.NDArray[np.float64],
        direction: npt.NDArray[np.float64],
        radius_mm: float,
        length_mm: float,
        rng: np.random.Generator,
        grown: list[Tube],
    ) -> None:
        end = start + length_mm * direction
        points = tuple((float(p[0]), float(p[1]), float(p[2])) for p in (start, end))
        grown.append(Tube(points, (radius_mm, 0.7 * radius_mm), parts.BLOOD_HU))
        if radius_mm > 2.0:
            for _ in range(2):
                turned = direction + 0.55 * rng.normal(size=3)
                self._grow(end, turned / np.linalg.norm(turned), 0.65 * radius_mm, 0.75 * length_mm, rng, grown)

    def _breathes(self, tube: Tube) -> bool:
        """Whether the lung that a main bronchus or a bronchus leads to is there."""
        end = tube.points_mm[-1][0]
        return end == 0 or (RIGHT if end > 0 else LEFT) in self.parameters.sides

    def _below_surface(self, start: Triple, ray: Triple, depth_mm: float) -> Triple:
        """The point on a ray from within a lung that lies so deep below the lung's surface."""
        steps = np.arange(0.0, 200.0, 0.1, dtype=np.float32)
        x, y, z = (np.float32(p) + np.float32(d) * steps for p, d in zip(start, ray, strict=True))
        crossed = int(np.flatnonzero(parts.lungs(x, y, z, self.parameters.sides) > -depth_mm)[0])
        return float(x[crossed]), float(y[crossed]), float(z[crossed])

    def _paint_body(self, plane: Plane, canvas: Image) -> None:
        p = self.parameters
        x, y, z = plane.coordinates()
        surface = parts.body(x, y, z)
        tissue = p.soft_hu + plane.coverage(-surface - 16.0) * (p.fat_hu - p.soft_hu)
        tissue += plane.coverage(-surface - 2.0) * (p.soft_hu - tissue)
        canvas += plane.coverage(surface) * (tissue - canvas)
        bone = np.maximum(parts.bones(x, y, z), surface + 6.0)
        canvas += plane.coverage(bone) * (np.float32(p.bone_hu) - canvas)

    def _paint_lungs(self, plane: Plane, canvas: Image) -> None:
        p = self.parameters
        x, y, z = plane.coordinates()
        share = plane.coverage(parts.lungs(x, y, z, p.sides))
        if not share.any():
            return
        lower = y if p.prone else -y
        tissue = p.lung_hu + 0.35 * lower + 18.0 * Waves(11.0, 6, p.seed)(x, y, z)
        tissue = np.broadcast_to(tissue, share.shape).astype(np.float32)
        for tube in (*self.vessels, *parts.walls(parts.BRONCHI, parts.BRONCHUS_WALL_MM), *parts.BRONCHI):
            tube.paint(plane, tissue)
        for nodule in self.nodules:
            Ball(nodule.center_mm, nodule.radius_mm, p.soft_hu).paint(plane, tissue)
        canvas += share * (tissue - canvas)

    def _paint_table(self, plane: Plane, canvas: Image) -> None:
        x, y, _ = plane.coordinates()
        below = (y - 119.0 if self.parameters.prone else -129.0 - y) + 0.0012 * x * x
        shell = np.maximum(np.abs(below - 14.0) - 14.0, np.abs(x) - 210.0)
        canvas += plane.coverage(np.asarray(shell)) * (-60.0 - canvas)
        canvas += plane.coverage(np.asarray(shell + 2.0)) * (-920.0 - canvas)
