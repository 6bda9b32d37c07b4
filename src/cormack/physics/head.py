"""A digital head: an analytic composition in patient millimetres whose intracranial space is known exactly.

No image of a person went into it. It is a likeness for demonstrations, tests and pictures, not a model of anatomy.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from cormack.physics.brain import Brain
from cormack.physics.cavity import BOX, FORAMEN_Z, bone_thickness, inner_table
from cormack.physics.face import (
    AIR_SPACES,
    BONES,
    CAVITIES_OF_BONE,
    EARS,
    FACE_BOX,
    SOFT_PARTS,
    head_surface,
    paint_air_cells,
)
from cormack.physics.fields import Tube, Waves, smooth_max
from cormack.physics.phantom import AIR_HU
from cormack.physics.plane import Box, Image, Part, Plane
from cormack.physics.support import HeadSupport

HEAD_BOX: Box = ((-95.0, -118.0, -400.0), (95.0, 120.0, 112.0))
#: Rows painted at a time: few enough for all intermediate fields to stay in the processor's cache.
STRIP_ROWS = 128
SOFT_LAYER, AIR_LAYER = (*EARS, *SOFT_PARTS), (*CAVITIES_OF_BONE, *AIR_SPACES)
INNER_TABLE_MM, OUTER_TABLE_MM = 1.7, 1.9
#: The spinal canal with its cord, from the foramen magnum down.
CANAL = Tube(((0, -31, -39), (0, -31, -47), (0, -33, -60), (0, -34, -400)), (14.5, 14.0, 11.0, 10.5), 9.0)
CORD = Tube(((0, -29, -44), (0, -32, -60), (0, -33, -400)), (7.0, 6.0, 5.5), 33.0)


@dataclass(frozen=True)
class HeadParameters:
    """What the head is made of.

    Parameters
    ----------
    table_hu, diploe_hu : Hounsfield units of the skull's compact tables and of the spongy bone between them
    scalp_mm : thickness of skin, fat and muscle over the vault
    skin_hu, fat_hu, muscle_hu : soft tissue outside of the skull
    brain : what fills the intracranial space
    support : headrest, pillow and table; None for a head in free air
    seed : of the texture of bone and fat
    """

    table_hu: float = 1300.0
    diploe_hu: float = 520.0
    scalp_mm: float = 6.0
    skin_hu: float = 35.0
    fat_hu: float = -95.0
    muscle_hu: float = 55.0
    brain: Brain = field(default_factory=Brain)
    support: HeadSupport | None = field(default_factory=HeadSupport)
    seed: int = 3


@dataclass(frozen=True)
class DigitalHead:
    """The head as a phantom, with the truth about its intracranial space.

    The intracranial space is all inside the inner table, down to the plane of the foramen magnum; its surface lies at
    half the step from what fills it to bone.
    """

    parameters: HeadParameters = field(default_factory=HeadParameters)

    def hu(self, plane: Plane) -> Image:
        """Hounsfield units on a plane, float32 of shape (rows, columns)."""
        canvas = np.full((plane.rows, plane.columns), AIR_HU, dtype=np.float32)
        layers = tuple(_meeting(plane, parts) for parts in (SOFT_LAYER, BONES, AIR_LAYER))
        for start in range(0, plane.rows, STRIP_ROWS):
            rows = slice(start, min(start + STRIP_ROWS, plane.rows))
            strip = plane.crop((rows, slice(0, plane.columns)))
            if self.parameters.support is not None:
                self.parameters.support.paint(strip, canvas[rows])
            window = strip.window(HEAD_BOX)
            if window is not None:
                self._paint_head(strip.crop(window), canvas[rows][window], layers)
        return canvas

    def intracranial_distance_mm(self, plane: Plane) -> Image:
        """Signed distance to the surface of the intracranial space, negative inside; shape (rows, columns)."""
        x, y, z = plane.coordinates()
        return np.asarray(np.maximum(inner_table(x, y, z), FORAMEN_Z - z))

    def intracranial_mask(self, affine: npt.ArrayLike, shape: tuple[int, int, int]) -> npt.NDArray[np.bool_]:
        """Which voxel centres lie in the intracranial space, for a grid with an affine to RAS+ mm; shape (i, j, k)."""
        matrix = np.asarray(affine, dtype=np.float64)
        mask = np.zeros(shape, dtype=bool)
        for k in range(shape[2]):
            origin = matrix[:3, 3] + k * matrix[:3, 2]
            plane = Plane(origin, matrix[:3, 0], matrix[:3, 1], shape[1], shape[0], 1.0)
            window = plane.window(BOX)
            if window is not None:
                rows, columns = window
                mask[columns, rows, k] = self.intracranial_distance_mm(plane.crop(window)).T < 0
        return mask

    @cached_property
    def intracranial_volume_ml(self) -> float:
        """Volume of the intracranial space, by integration on a grid of 1 mm with soft edges."""
        low, high = BOX
        columns, rows, slices = (int(np.ceil(b - a)) for a, b in zip(low, high, strict=True))
        total = 0.0
        for k in range(slices):
            origin = np.array([low[0] + 0.5, low[1] + 0.5, FORAMEN_Z + 0.5 + k])
            plane = Plane(origin, np.array([1.0, 0, 0]), np.array([0, 1.0, 0]), rows, columns, 1.0)
            x, y, z = plane.coordinates()
            total += float(plane.coverage(inner_table(x, y, z)).sum(dtype=np.float64))
        return total / 1000.0

    def _paint_head(self, plane: Plane, canvas: Image, layers: tuple[tuple[Part, ...], ...]) -> None:
        x, y, z = plane.coordinates()
        thickness = bone_thickness(x, y, z)
        surface = head_surface(x, y, z, self.parameters.scalp_mm + thickness)
        self._paint_soft_tissue(plane, canvas, surface)
        for part in layers[0]:
            part.paint(plane, canvas)
        table = inner_table(x, y, z)
        self._paint_vault(plane, canvas, table, thickness)
        for part in layers[1]:
            part.paint(plane, canvas)
        window = plane.window(FACE_BOX)
        if window is not None:
            paint_air_cells(plane.crop(window), canvas[window])
        for cavity in layers[2]:
            cavity.paint(plane, canvas)
        self._paint_inner_table(plane, canvas, table)
        CANAL.paint(plane, canvas)
        CORD.paint(plane, canvas)
        inside = plane.window(BOX)
        if inside is not None:
            part_plane, depth = plane.crop(inside), -table[inside]
            brain = self.parameters.brain.hu(part_plane, depth)
            canvas[inside] += part_plane.coverage(-depth) * (brain - canvas[inside])

    def _paint_soft_tissue(self, plane: Plane, canvas: Image, surface: Image) -> None:
        """Skin, fat of varying thickness, muscle below."""
        p = self.parameters
        x, y, z = plane.coordinates()
        marbling = Waves(36.0, 7, p.seed)(x, y, z)
        front = 3.5 * np.clip((y - 20.0) / 50.0, 0, 1) * np.clip((-5.0 - z) / 30.0, 0, 1)
        fat_mm = 3.6 + front + 1.2 * marbling * np.clip((20.0 - z) / 40.0, 0.3, 1)
        tissue = p.muscle_hu + plane.coverage(-surface - 1.8 - fat_mm) * (p.fat_hu - p.muscle_hu)
        deep = plane.coverage((0.9 - marbling) * 2.0) + plane.coverage((np.abs(marbling + 0.5) - 0.09) * 6.0)
        tissue += np.clip((-10.0 - z) / 12.0, 0, 0.9) * np.minimum(deep, 1) * (p.fat_hu - tissue)
        tissue += plane.coverage(-surface - 1.8) * (p.skin_hu - tissue)
        canvas += plane.coverage(surface) * (tissue - canvas)

    def _paint_vault(self, plane: Plane, canvas: Image, table: Image, thickness: Image) -> None:
        """Two tables and the diploë between them."""
        p = self.parameters
        x, y, z = plane.coordinates()
        texture = Waves(5.0, 8, p.seed + 1)(x, y, z)
        spongy = p.diploe_hu + 130.0 * texture
        between = smooth_max(INNER_TABLE_MM - table, table - thickness + OUTER_TABLE_MM, 0.2)
        bone = p.table_hu + plane.coverage(between) * (spongy - p.table_hu)
        canvas += plane.coverage(table - thickness) * (bone - canvas)

    def _paint_inner_table(self, plane: Plane, canvas: Image, table: Image) -> None:
        """Once more the inner table, so that no air space of the face opens into the skull."""
        compact = np.abs(table - 0.5 * INNER_TABLE_MM) - 0.5 * INNER_TABLE_MM
        canvas += plane.coverage(compact) * (self.parameters.table_hu - 100.0 - canvas)


def digital_head(parameters: HeadParameters | None = None) -> DigitalHead:
    """A believable head for CT, in RAS+ mm with the origin near the middle of the brain.

    Examples
    --------
    >>> 1300 < digital_head().intracranial_volume_ml < 1600
    True
    """
    return DigitalHead(parameters or HeadParameters())


def _meeting(plane: Plane, parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """The parts that a plane may cut, in their order."""
    return tuple(part for part in parts if plane.window(part.box) is not None)
