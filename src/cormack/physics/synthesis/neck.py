"""What lies below the last slice of a head: neck, jaw, spine and airway down to the shoulders."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cormack.physics.synthesis.anatomy import BoolArray, Codes, FloatImage, Tissue
from cormack.physics.synthesis.hounsfield import Range
from cormack.physics.synthesis.skull import Foramen
from cormack.physics.synthesis.smooth import ellipse, largest, signed, smooth_field

#: The canal takes its own shape within this distance below the head's last slice (mm).
CANAL_BLEND_MM = 12.0
#: The head's outline becomes the neck's within this distance (mm).
NECK_BLEND_MM = 55.0
#: The shoulders begin so far below the head's last slice (mm).
SHOULDERS_MM = (80.0, 130.0)
#: Height of a vertebra with its disc, below the axis (mm).
LEVEL_MM = 18.0


@dataclass(frozen=True)
class Build:
    """Measures of a neck (mm), drawn once per anatomy."""

    half_width: float
    half_depth: float
    lordosis: float
    lean: float
    airway: tuple[float, float]
    jaw_length: float
    fat_mm: float
    shoulders_from: float

    @classmethod
    def random(cls, rng: np.random.Generator, shoulders_mm: Range = SHOULDERS_MM) -> Build:
        """A build within the range of adults; the shoulders begin so far below the head's last slice."""
        return cls(
            half_width=rng.uniform(52, 72),
            half_depth=rng.uniform(52, 70),
            lordosis=rng.uniform(-3, 12),
            lean=rng.uniform(-0.1, 0.25),
            airway=(rng.uniform(5, 14), rng.uniform(3, 9)),
            jaw_length=rng.uniform(35, 55),
            fat_mm=rng.uniform(2.5, 14),
            shoulders_from=rng.uniform(*shoulders_mm),
        )


@dataclass(frozen=True, eq=False)
class Slab:
    """Places below the head's last slice: distance below it, and from the canal's axis to the right and to the front.

    Shapes broadcast to (i, j, k); k runs upwards, the last plane lies just below the head.
    """

    shape: tuple[int, int, int]
    below: FloatImage
    right: FloatImage
    front: FloatImage
    middle: FloatImage

    @classmethod
    def of(cls, shape: tuple[int, int, int], foramen: Foramen, build: Build) -> Slab:
        """Coordinates of the slab under a head whose foramen is given in the same voxels."""
        below = (shape[2] - np.arange(shape[2], dtype=np.float32))[None, None, :]
        bend = build.lordosis * np.sin(np.pi * below / 120.0) - build.lean * below
        middle = np.asarray(foramen.j + bend, dtype=np.float32)
        right = (np.arange(shape[0], dtype=np.float32) - np.float32(foramen.i))[:, None, None]
        front = np.arange(shape[1], dtype=np.float32)[None, :, None] - middle
        return cls(shape, below, right, np.asarray(front, dtype=np.float32), middle)


def canal(slab: Slab, inside: BoolArray) -> FloatImage:
    """Signed distance to the spinal canal, negative inside, going over from the head's last slice.

    Parameters
    ----------
    slab : Slab
    inside : bool array, shape (i, j)
        The intracranial space in the head's last slice.
    """
    share = np.clip(slab.below / CANAL_BLEND_MM, 0, 1)
    half_width = 12.5 + 3.0 * (1 - share)
    half_depth = 8.5 + 8.0 * (1 - share)
    own = ellipse(slab.right, slab.front, half_width, half_depth)
    first = np.maximum(-signed(largest(inside)), -12.0)[:, :, None]
    others = inside & ~largest(inside)
    if others.any():
        # A cerebellar tonsil or lobe that the last slice cut is closed by a dome.
        first = np.minimum(first, -signed(others)[:, :, None] + 1.5 * slab.below)
    return np.asarray((1 - share) * first + share * own, dtype=np.float32)


def outline(slab: Slab, head: BoolArray, build: Build) -> BoolArray:
    """The body below the head: neck, jaw and shoulders, shape (i, j, k)."""
    last = -signed(head)[:, :, None]
    share = np.clip(slab.below / NECK_BLEND_MM, 0, 1) ** 0.8
    wider = np.clip(slab.below - build.shoulders_from, 0, None)
    neck = ellipse(slab.right, slab.front - 14.0, build.half_width + 3.0 * wider, build.half_depth + 0.8 * wider)
    body = (1 - share) * last + share * neck
    chin = slab.below - build.jaw_length
    jaw = np.maximum(last + 3.0 + 0.25 * slab.below, np.maximum(-(slab.front - 15.0) * 0.6, chin))
    # Chin and cheeks are round, not cut off.
    jaw = np.where(chin > -15, jaw + 0.06 * (chin + 15) ** 2, jaw)
    return np.asarray(np.minimum(body, jaw) < 0)


def fill(slab: Slab, body: BoolArray, skin_mm: FloatImage, build: Build, rng: np.random.Generator) -> Codes:
    """Skin, fat and muscle of the body, then spine, jaw and airway; the canal is left to `paint_canal`."""
    code = np.zeros(slab.shape, dtype=np.uint8)
    code[body] = Tissue.MUSCLE
    septa = np.abs(smooth_field(slab.shape, 7.0, rng)) < rng.uniform(0.05, 0.3)
    code[body & septa] = Tissue.FAT
    code[body & (skin_mm < build.fat_mm)] = Tissue.FAT
    code[body & (skin_mm < 2.0)] = Tissue.SKIN
    _vessels(slab, code, body)
    _spine(slab, code, body, rng)
    _jaw(slab, code, body, skin_mm, build, rng)
    return code


def _vessels(slab: Slab, code: Codes, body: BoolArray) -> None:
    aside = np.abs(slab.right)
    carotid = np.hypot(aside - 26, slab.front - 24) < 3.2
    jugular = np.hypot(aside - 33, slab.front - 18) < 5.0
    vertebral = np.hypot(aside - 21, slab.front - 5) < 2.0
    code[body & carotid] = Tissue.VESSEL
    code[body & jugular] = Tissue.VEIN
    code[body & vertebral] = Tissue.VESSEL


def _spine(slab: Slab, code: Codes, body: BoolArray, rng: np.random.Generator) -> None:
    """Atlas, axis and the vertebrae below: bodies and discs in front of the canal, arches around it."""
    aside, front, below = np.abs(slab.right), slab.front, slab.below
    ring = ellipse(slab.right, front, 12.5, 8.5)
    start = rng.uniform(8, 12)
    level = np.floor((below - start - 18) / LEVEL_MM)
    phase = (below - start - 18) / LEVEL_MM - level
    atlas = (below >= start) & (below < start + 11)
    lower = level >= 0
    trunk = ellipse(slab.right, front - 17.0, 12.0 + 0.4 * np.maximum(level, 0), 8.0)
    disc = lower & (phase > 0.76)
    dens = (np.hypot(slab.right, front - 14.0) < 5.5) & (below > start - 3) & ~lower
    mass = ellipse(aside - 20.0, front - 3.0, 8.0, 7.5)
    # Joints between the masses are thin gaps.
    joint = np.abs(phase - 0.88) < 0.06
    arch = (ring < 5.5) & (ring > 0) & ((lower & (phase < 0.68)) | atlas)
    process = (aside < 3.2) & (front < -10) & (front > -20 - 2.5 * np.maximum(level, 0)) & lower & (phase < 0.5)
    shell = np.minimum(np.abs(trunk), np.abs(mass)) < 1.3
    bone = arch | dens | process | ((mass < 0) & ~joint & (below > 1)) | ((trunk < 0) & lower & ~disc)
    bone |= (np.hypot(slab.right, front - 23.0) < 5) & atlas
    bone &= body & (ring > 0)
    code[bone] = Tissue.VERTEBRA
    code[bone & (shell | arch | process)] = Tissue.BONE
    code[body & (trunk < 0) & disc & (ring > 0)] = Tissue.DISC
    code[body & (ring < 4.5) & (ring > 0) & ~bone] = Tissue.CONNECTIVE


def _jaw(slab: Slab, code: Codes, body: BoolArray, skin_mm: FloatImage, build: Build, rng: np.random.Generator) -> None:
    """Palate, teeth, mandible, and the air in front of the spine."""
    front, below = slab.front, slab.below
    face = np.flatnonzero(body[slab.shape[0] // 2, :, -1])
    tip = float(face[-1]) - slab.middle - 14.0 if len(face) else 75.0 - 0 * slab.middle
    reach = tip - 20.0
    bow = ellipse(slab.right, front - 20.0, 46.0, np.maximum(reach, 20.0))
    ahead = front > 16.0
    mandible = (np.abs(bow) < 5.0) & ahead & (below > build.jaw_length - 32) & (below < build.jaw_length - 8)
    ramus = (np.abs(np.abs(slab.right) - 46) < 4) & (front > 12) & (front < 40) & (below < build.jaw_length - 14)
    row = ellipse(slab.right, front - 35.0, 27.0, np.maximum(reach - 20.0, 15.0))
    gaps = np.sin(0.75 * slab.right + 0.75 * front) > -0.7
    middle = build.jaw_length - 30
    teeth = (np.abs(row) < 4.0) & (front > 40) & (np.abs(below - middle) < 11) & gaps
    palate = (row < 4) & (front > 35) & (below < middle - 10)
    deep = body & (skin_mm > 4)
    nose = (np.abs(slab.right) < 13) & (front > 28) & (below < middle - 16)
    air = smooth_field(slab.shape, 4.5, rng) > rng.uniform(-0.6, 0.5)
    code[deep & nose & air & (np.abs(slab.right) > 1.2)] = Tissue.AIRWAY
    code[deep & (mandible | ramus)] = Tissue.BONE
    code[deep & mandible & (np.abs(bow) < 3.0)] = Tissue.MARROW
    code[deep & palate & (below > middle - 16)] = Tissue.BONE
    if rng.random() < 0.85:
        code[deep & teeth] = Tissue.TOOTH
    wide, flat = build.airway
    wave = 1 + 0.35 * np.sin(below / rng.uniform(9, 16) + rng.uniform(0, 6))
    tube = ellipse(slab.right, front - 33.0 - flat, wide * wave, flat * wave + 0.02 * below)
    code[deep & (tube < 0)] = Tissue.AIRWAY


def paint_canal(slab: Slab, code: Codes, edge: FloatImage) -> None:
    """Dura, fluid and cord within the canal's surface."""
    code[edge < 0] = Tissue.DURA
    code[edge < -1.2] = Tissue.CSF
    size = 1.0 + 0.35 * np.clip(1 - slab.below / 25.0, 0, 1)
    cord = ellipse(slab.right, slab.front + 0.5, 6.5 * size, 4.6 * size)
    code[(cord < 0) & (edge < -1.2)] = Tissue.CORD
