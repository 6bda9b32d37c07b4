"""A head of boxes and ellipsoids with the sixteen labels: every clinical measure of it is known beforehand.

Coordinates are mm to the right, to anterior and to superior of the anterior commissure. The centres of the landmarks
are those of adults, so that the axes are known, too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cormack.core.labels import BRAIN, LabelMap
from cormack.core.neuroanatomy import NEUROANATOMY_FINE

SKULL_CENTRE_MM, SKULL_MM = np.array([0.0, -20.0, 10.0]), np.array([68.0, 85.0, 66.0])
HORN_MM, ROOF_MM, CAUDATE_MM = 17.0, 19.0, 17.0
#: Levels of the widest part of the frontal horns, in front of the caudate nuclei, and of the callosal angle's vertex.
ROOF_LEVELS_MM, VERTEX_MM = (12.0, 20.0), 14.0


@dataclass(frozen=True)
class Shape:
    """What varies: septum and inner walls shifted to the right (mm), callosal angle (degrees), falx, septum."""

    shift_mm: float = 0.0
    angle_deg: float = 80.0
    right_caudate: float = 1.0
    falx: bool = True
    septum: bool = True
    ventricles: bool = True


@dataclass(frozen=True, eq=False)
class AnalyticHead:
    labels: LabelMap
    brain: LabelMap
    xyz: np.ndarray


def turn(about_right_deg: float = 0, about_anterior_deg: float = 0, about_superior_deg: float = 0) -> np.ndarray:
    """A rotation, about each axis in turn."""
    turned = np.eye(3)
    for axis, degrees in enumerate((about_right_deg, about_anterior_deg, about_superior_deg)):
        c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        one, two = [a for a in range(3) if a != axis]
        step = np.eye(3)
        step[one, one] = step[two, two] = c
        step[one, two], step[two, one] = -s, s
        turned = step @ turned
    return turned


def make_neuroanatomy(
    spacing_mm: tuple[float, float, float] = (1.5, 1.5, 1.5),
    *,
    rotation: np.ndarray | None = None,
    shape: Shape | None = None,
    reach_mm: float = 99.0,
    top_mm: float | None = None,
) -> AnalyticHead:
    """The head on a grid whose slices it meets at any angle; `top_mm` cuts the field of view (above the middle)."""
    rotation = np.eye(3) if rotation is None else rotation
    spacing = np.array(spacing_mm)
    low, high = -np.full(3, reach_mm), np.full(3, reach_mm)
    high[2] = reach_mm if top_mm is None else top_mm
    counts = np.round((high - low) / spacing).astype(int) + 1
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = low
    at = np.stack(np.meshgrid(*(low[a] + spacing[a] * np.arange(counts[a]) for a in range(3)), indexing="ij"), -1)
    xyz = at @ rotation + SKULL_CENTRE_MM
    data = _labelled(xyz, shape or Shape())
    brain = LabelMap((data > 0).astype(np.uint8), affine, BRAIN, "analytic skull")
    return AnalyticHead(LabelMap(data, affine, NEUROANATOMY_FINE, "analytic structures"), brain, xyz)


def skull_width_mm(level_mm: float, anterior_mm: float = SKULL_CENTRE_MM[1]) -> float:
    """Inner width of the skull at a level, along a line."""
    rest = 1 - ((np.array([anterior_mm, level_mm]) - SKULL_CENTRE_MM[1:]) ** 2 / SKULL_MM[1:] ** 2).sum()
    return float(2 * SKULL_MM[0] * np.sqrt(rest))


def _labelled(xyz: np.ndarray, shape: Shape) -> np.ndarray:
    x, y, z = np.moveaxis(xyz, -1, 0)
    side = np.abs(x)
    number = {label.name: label.index for label in NEUROANATOMY_FINE}
    radius = np.sqrt((((xyz - SKULL_CENTRE_MM) / SKULL_MM) ** 2).sum(-1))
    data = np.zeros(x.shape, np.uint8)

    def put(name: str, where: np.ndarray) -> None:
        data[where & (radius < 1)] = number[name]

    def ellipsoid(centre: tuple[float, float, float], axes: tuple[float, float, float]) -> np.ndarray:
        return (
            ((side - centre[0]) / axes[0]) ** 2 + ((y - centre[1]) / axes[1]) ** 2 + ((z - centre[2]) / axes[2]) ** 2
        ) < 1

    put("frontal lobe", radius < 1)
    put("subarachnoid space", (radius > 0.95) | ((side < 1) & (radius > 0.55)))
    if shape.falx:
        put("dural folds and venous sinuses", (side < 1) & (radius > 0.7) & (z > -20))
    put("cerebellum", ellipsoid((0, -58.5, -32.4), (40, 20, 11)))
    put("lentiform nucleus", ellipsoid((33, -2.6, 3.3), (6, 16, 8)))
    put("insular cortex", ellipsoid((45, 0.5, 3.4), (2.5, 18, 12)))
    put("thalamus", ellipsoid((10, -21.1, 7.3), (7, 10, 2.7)))
    caudate = (np.abs(y - 5.6) < 11.6) & (np.abs(z - 13) < 10)
    put("caudate nucleus", caudate & (x < -CAUDATE_MM) & (x > -CAUDATE_MM - 8))
    put("caudate nucleus", caudate & (x > CAUDATE_MM) & (x < CAUDATE_MM + 8 * shape.right_caudate))
    if shape.ventricles:
        put("ventricular system", (side < HORN_MM) & (y > -9) & (y < 24) & (z > 2) & (z < 28))
        wide = (side < ROOF_MM) & (y > 17.2) & (y < 24) & (z > ROOF_LEVELS_MM[0]) & (z < ROOF_LEVELS_MM[1])
        put("ventricular system", wide)
        slope = np.tan(np.radians(shape.angle_deg / 2))
        wing = (side > slope * (z - VERTEX_MM)) & (side < 30) & (z > 10) & (z < 32)
        put("ventricular system", wing & (y > -45) & (y < -9))
    if shape.septum:
        put("septum pellucidum", (np.abs(x - shape.shift_mm) < 1) & (y > -6) & (y < 24) & (z > 2) & (z < 28))
    return data
