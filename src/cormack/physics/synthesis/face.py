"""What CT shows in the face and MR models lack: orbits, air cells, nasal cavity."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cormack.physics.synthesis.anatomy import BoolArray, Codes, FloatImage, Tissue
from cormack.physics.synthesis.skull import Foramen
from cormack.physics.synthesis.smooth import ellipse, smooth_field

#: Eyes above the foramen and beside the midline (mm) in models of the MNI brain's size.
EYE_UP_MM, EYE_ASIDE_MM = 28.0, 34.0
EYE_RADIUS_MM = 12.5
#: From the eye's centre to the apex of the orbit (mm).
ORBIT_MM = 44.0
#: Bone left between brain and an air cell or orbit (mm).
WALL_MM = 2.0


@dataclass(frozen=True, eq=False)
class Face:
    """Coordinates of a head: beside the midline, j, above the foramen; and where the eyes are.

    Arrays broadcast to (i, j, k); `front` is the j of the face's surface before the eyes.
    """

    aside: FloatImage
    right: FloatImage
    j: FloatImage
    up: FloatImage
    eye_j: float
    eye_up: float

    @classmethod
    def of(cls, skin_mm: FloatImage, foramen: Foramen) -> Face:
        """The face of a head with its depth below the skin (mm)."""
        shape = skin_mm.shape
        i, j, k = np.ogrid[: shape[0], : shape[1], : shape[2]]
        right = (i - foramen.i).astype(np.float32)
        up = (k - foramen.k).astype(np.float32)
        level = int(np.clip(round(foramen.k + EYE_UP_MM), 0, shape[2] - 1))
        fronts = []
        for side in (-1, 1):
            column = skin_mm[int(np.clip(foramen.i + side * EYE_ASIDE_MM, 0, shape[0] - 1)), :, level]
            solid = np.flatnonzero(column > 0)
            fronts.append(float(solid[-1]) if len(solid) else foramen.j + 110.0)
        return cls(np.abs(right), right, j.astype(np.float32), up, min(fronts) - EYE_RADIUS_MM - 1.5, EYE_UP_MM)


def paint_face(code: Codes, depth: FloatImage, skin_mm: FloatImage, foramen: Foramen, rng: np.random.Generator) -> None:
    """Orbits, frontal sinuses, ethmoid cells, nasal cavity and ear canals, in place.

    Parameters
    ----------
    code : uint8 array, shape (i, j, k)
        Tissues above the first slice.
    depth : float array
        Distance below the inner table, negative outside (mm).
    skin_mm : float array
        Distance below the skin (mm), 0 outside.
    """
    face = Face.of(skin_mm, foramen)
    free = (depth < -WALL_MM) & (skin_mm > 1.5)
    _nose(code, face, free, skin_mm, rng)
    _orbits(code, face, free)
    if rng.random() < 0.8:
        _frontal_sinus(code, face, depth, skin_mm, rng)
    canal = np.hypot(face.j - foramen.j - 10, face.up - 14) < rng.uniform(2.5, 4.5)
    code[canal & (face.aside > 48) & (depth < -WALL_MM)] = Tissue.AIR


def _orbits(code: Codes, face: Face, free: BoolArray) -> None:
    """A cone of fat with muscles and nerve behind each eye, in thin bone."""
    behind = (face.eye_j - face.j) / ORBIT_MM
    share = np.clip(behind, 0, 1)
    across = ellipse(face.aside - (EYE_ASIDE_MM - 19 * share), face.up - face.eye_up, 1.0, 1.0) + 1
    width = 17.5 - 13.0 * share**1.3
    cone = (behind > -0.35) & (behind < 1) & free
    code[cone & (across < width + 1.6) & (across >= width) & (behind > 0.1)] = Tissue.BONE
    code[cone & (across < width)] = Tissue.FAT
    ring = np.abs(across - 0.72 * width) < 1.8
    angle = np.arctan2(face.up - face.eye_up, face.aside - (EYE_ASIDE_MM - 19 * share))
    code[cone & ring & (np.cos(4 * angle) > 0.5) & (behind > 0.2)] = Tissue.MUSCLE
    code[cone & (across < 2.4) & (behind > 0.2)] = Tissue.MUSCLE
    ball = np.sqrt((face.aside - EYE_ASIDE_MM) ** 2 + (face.j - face.eye_j) ** 2 + (face.up - face.eye_up) ** 2)
    code[free & (ball < EYE_RADIUS_MM)] = Tissue.SKIN
    code[free & (ball < EYE_RADIUS_MM - 1.3)] = Tissue.EYE
    lens = np.sqrt(
        (face.aside - EYE_ASIDE_MM) ** 2 + (2.2 * (face.j - face.eye_j - 8)) ** 2 + (face.up - face.eye_up) ** 2
    )
    code[free & (lens < 4.5)] = Tissue.LENS


def _nose(code: Codes, face: Face, free: BoolArray, skin_mm: FloatImage, rng: np.random.Generator) -> None:
    """Ethmoid cells between the orbits, and below them air beside a septum, with turbinates."""
    shape = code.shape
    back, front = face.eye_j - ORBIT_MM, face.eye_j + 6
    cells = smooth_field(shape, 4.0, rng)
    ethmoid = (face.aside < 13) & (face.j > back + 4) & (face.j < front) & (np.abs(face.up - face.eye_up - 1) < 12)
    ethmoid &= free & (skin_mm > 4)
    code[ethmoid] = Tissue.BONE
    code[ethmoid & (cells > rng.uniform(-1.2, -0.4))] = Tissue.SINUS
    cavity = (face.aside < 15 - 0.1 * np.abs(face.up)) & (face.j > back - 6) & (face.up < face.eye_up - 10)
    cavity &= free & (skin_mm > 4.5)
    code[cavity] = Tissue.MUSCLE
    code[cavity & (cells > rng.uniform(-0.6, 0.6)) | (cavity & (face.j < back + 8))] = Tissue.AIRWAY
    code[cavity & (face.aside < 1.2) & (face.j > back + 8)] = Tissue.CARTILAGE


def _frontal_sinus(code: Codes, face: Face, depth: FloatImage, skin_mm: FloatImage, rng: np.random.Generator) -> None:
    """Air between the tables above the nose, each side of its own size."""
    thick = rng.uniform(5, 13)
    for side in (-1, 1):
        width, height = rng.uniform(6, 32), rng.uniform(8, 34)
        across = (side * face.right - 0.8) / width
        along = (face.up - face.eye_up - 8) / height
        reach = (across > 0) & (face.j > face.eye_j - 12) & (across**2 + np.clip(along, -0.2, None) ** 2 < 1)
        reach &= (face.up > face.eye_up + 4) & (skin_mm > 3.0)
        wall = reach & (depth < 0) & (depth > -thick - 2)
        code[wall] = Tissue.BONE
        code[wall & (depth < -WALL_MM) & (depth > -thick) & (skin_mm > 5.5)] = Tissue.SINUS
