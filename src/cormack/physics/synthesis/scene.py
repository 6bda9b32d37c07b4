"""A working copy of an anatomy that lesions are painted into."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from cormack.core.volume import FloatArray
from cormack.physics.synthesis.anatomy import (
    BRAIN_TISSUES,
    DEPTH_STEPS_PER_MM,
    Anatomy,
    BoolArray,
    Codes,
    FloatImage,
    Tissue,
)
from cormack.physics.synthesis.deform import Bump
from cormack.physics.synthesis.smooth import smooth_field

Box = tuple[slice, slice, slice]
#: Tissues that count as bone when it is cut, drilled or thickened.
BONE_TISSUES = (Tissue.BONE, Tissue.MARROW, Tissue.PETROUS, Tissue.MASTOID, Tissue.SINUS)


@dataclass(eq=False)
class Scene:
    """Tissues and truth that may be changed; voxels of about 1 mm.

    Parameters
    ----------
    anatomy : Anatomy
        Is not changed.
    rng : Generator
    facts : dict
        What was put in is noted here.
    haematoma : int
        Target of haematomas between bone and brain; 0: that of the place.
    """

    anatomy: Anatomy
    rng: np.random.Generator
    facts: dict[str, Any]
    haematoma: int = 0
    tissues: Codes = field(init=False)
    targets: Codes = field(init=False)
    bumps: list[Bump] = field(default_factory=list)
    #: HU of tissues that this image gives another range.
    hounsfield: dict[str, tuple[float, float]] = field(default_factory=dict)
    #: Voxels at which metal sits, shape (3,).
    metals: list[FloatArray] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tissues = self.anatomy.tissues.copy()
        self.targets = self.anatomy.targets.copy()

    @property
    def middle(self) -> FloatArray:
        """Voxel in the middle of the target's bounding box, shape (3,)."""
        first, last = self.anatomy.bounds
        return np.asarray((first + last) / 2)

    @property
    def height(self) -> float:
        """Height of the target in voxels."""
        first, last = self.anatomy.bounds
        return float(last[2] - first[2])

    @cached_property
    def extra_axial(self) -> int:
        """Target of what lies between bone and brain: the most frequent one of fluid just below the inner table."""
        coarse = (slice(None, None, 3),) * 3
        depth = self.anatomy.depth[coarse]
        fluid = (self.anatomy.tissues[coarse] == Tissue.CSF) & (depth > 0) & (depth < 6 * DEPTH_STEPS_PER_MM)
        return int(np.bincount(self.anatomy.targets[coarse][fluid], minlength=2)[1:].argmax()) + 1

    def collect(self, box: Box, where: BoolArray, tissue: Tissue) -> None:
        """Paint what gathers between bone and brain.

        It gets the target of that place, blood its own where there is one; folds of dura keep theirs.
        """
        if self.anatomy.several:
            moved = where & (self.targets[box] > 0) & ~FOLDS[self.tissues[box]]
            blood = tissue in (Tissue.BLOOD, Tissue.OLD_BLOOD)
            self.targets[box][moved] = (blood and self.haematoma) or self.extra_axial
        self.paint(box, where, tissue)

    def box(self, centre: FloatArray, reach: FloatArray | float) -> Box:
        """The part of the arrays within `reach` voxels of a centre."""
        parts = []
        for middle, radius, n in zip(centre, np.broadcast_to(reach, 3), self.tissues.shape, strict=True):
            low = int(np.clip(np.floor(middle - radius), 0, n - 1))
            parts.append(slice(low, int(np.clip(np.ceil(middle + radius) + 1, low + 1, n))))
        return parts[0], parts[1], parts[2]

    def offsets(self, box: Box, centre: FloatArray) -> tuple[FloatImage, FloatImage, FloatImage]:
        """Voxels from a centre along each axis; they broadcast to the box."""
        i, j, k = (
            np.arange(s.start, s.stop, dtype=np.float32) - np.float32(c) for s, c in zip(box, centre, strict=True)
        )
        return i[:, None, None], j[None, :, None], k[None, None, :]

    def depth(self, box: Box) -> FloatImage:
        """Distance below the inner table (mm), negative outside."""
        return self.anatomy.depth[box].astype(np.float32) / np.float32(DEPTH_STEPS_PER_MM)

    def brain_place(self, deep_mm: tuple[float, float] = (0.0, 31.0)) -> FloatArray:
        """A random voxel of the target between two depths, shape (3,)."""
        low, high = (d * DEPTH_STEPS_PER_MM for d in deep_mm)
        coarse = (slice(None, None, 5),) * 3
        depth = self.anatomy.depth[coarse]
        places = np.argwhere((self.anatomy.targets[coarse] > 0) & (depth >= low) & (depth <= high))
        if not len(places):
            places = np.argwhere(self.anatomy.targets[coarse] > 0)
        return np.asarray(places[self.rng.integers(len(places))] * 5.0 + self.rng.uniform(-2, 2, 3))

    def vault_place(self, above: float = 0.4) -> tuple[FloatArray, FloatArray]:
        """A random voxel on the inner table of the vault, shape (3,), and the unit vector outwards."""
        low, high = self.anatomy.bounds
        middle = (low + high) / 2
        middle[2] = low[2] + above * (high[2] - low[2])
        angle, rise = self.rng.uniform(0, 2 * np.pi), self.rng.uniform(0.0, 1.0)
        flat = np.sqrt(1 - rise**2)
        outwards = np.array([np.cos(angle) * flat, np.sin(angle) * flat, rise])
        steps = middle + np.arange(0, 160)[:, None] * outwards
        inner = np.clip(steps.round().astype(int), 0, np.array(self.tissues.shape) - 1)
        inside = self.anatomy.depth[tuple(inner.T)] > 0
        last = int(np.flatnonzero(inside)[-1]) if inside.any() else 0
        return np.asarray(steps[last]), outwards

    def blob(self, centre: FloatArray, radii: FloatArray | float, rough: float = 0.35) -> tuple[Box, FloatImage]:
        """An irregular body: its box, and a field that is below 1 inside (the squared radius, disturbed)."""
        radii = np.broadcast_to(np.asarray(radii, dtype=np.float64), 3)
        box = self.box(centre, radii * (1 + rough))
        i, j, k = self.offsets(box, centre)
        a, b, c = (np.float32(r) for r in radii)
        squared = (i / a) ** 2 + (j / b) ** 2 + (k / c) ** 2
        waves = smooth_field(squared.shape, max(3.0, float(radii.mean()) * 0.5), self.rng)
        return box, np.asarray(squared + np.float32(rough) * waves, dtype=np.float32)

    def paint(self, box: Box, where: BoolArray, tissue: Tissue, over: tuple[Tissue, ...] = BRAIN_TISSUES) -> int:
        """Give voxels of a box another tissue where one of `over` is now; the number changed."""
        part = self.tissues[box]
        changed = where & OVER[over][part] if over in OVER else where & np.isin(part, over)
        part[changed] = tissue
        return int(np.count_nonzero(changed))

    def world(self, voxel: FloatArray) -> FloatArray:
        """RAS+ mm of the anatomy at a voxel."""
        return np.asarray(self.anatomy.affine[:3, :3] @ voxel + self.anatomy.affine[:3, 3])

    def press(self, centre: FloatArray, sigma_mm: float, gain: float, push_mm: FloatArray | None = None) -> None:
        """Let what lies around a voxel swell (gain above 0), shrink, or be pushed."""
        self.bumps.append(Bump(self.world(centre), np.full(3, sigma_mm), gain, push_mm))


def _table(tissues: tuple[Tissue, ...]) -> BoolArray:
    return np.isin(np.arange(256), tissues)


#: Look-up tables of frequent sets, far quicker than `isin`.
OVER = {tissues: _table(tissues) for tissues in (BRAIN_TISSUES, BONE_TISSUES)}
#: Tissues of the folds of dura, by code.
FOLDS = _table((Tissue.DURA, Tissue.VEIN))
