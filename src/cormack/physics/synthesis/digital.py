"""The digital head as an anatomy: synthesis without anyone's data."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from cormack.physics.brain import Brain
from cormack.physics.head import DigitalHead, HeadParameters
from cormack.physics.plane import Plane
from cormack.physics.synthesis.anatomy import DEPTH_STEPS_PER_MM, Anatomy, BoolArray, Codes, FloatImage, Tissue
from cormack.physics.synthesis.smooth import signed

#: First voxel (mm) and number of voxels of 1 mm.
LOW_MM, SHAPE = (-105.0, -125.0, -125.0), (210, 255, 230)
#: The digital head is of usual size; anatomies are as large as the MNI brain, so that one range of scales fits all.
ENLARGED = 1.1
#: Upper ends (HU) of the tissues, inside and outside of the intracranial space.
INSIDE_HU = ((17, Tissue.CSF), (32.5, Tissue.WHITE), (45, Tissue.GRAY), (100, Tissue.DURA), (1e5, Tissue.CALCIFICATION))
OUTSIDE_HU = (
    (-500, Tissue.AIR),
    (-30, Tissue.FAT),
    (42, Tissue.SKIN),
    (150, Tissue.MUSCLE),
    (700, Tissue.MARROW),
    (1600, Tissue.BONE),
    (1e5, Tissue.TOOTH),
)


def digital_anatomy(rng: np.random.Generator, *, name: str = "digital") -> Anatomy:
    """The digital head with random gyri, ventricles, scalp and bone; takes about 8 s.

    Its truth is analytic: everything inside the inner table, cut at the plane of the foramen magnum.
    """
    brain = Brain(int(rng.integers(1 << 16)), rng.uniform(0.8, 3.0), rng.uniform(-1.0, 3.0))
    parameters = HeadParameters(scalp_mm=rng.uniform(4, 9), brain=brain, support=None, seed=int(rng.integers(1 << 16)))
    head = DigitalHead(parameters)
    affine = np.eye(4)
    affine[:3, 3] = LOW_MM
    target = head.intracranial_mask(affine, SHAPE)
    hu = _sampled(head)
    tissues = np.where(target, _classified(hu, INSIDE_HU), _classified(hu, OUTSIDE_HU))
    _air_inside(tissues)
    depth = signed(target) * np.float32(ENLARGED * DEPTH_STEPS_PER_MM)
    steps = np.clip(np.rint(depth), -127, 127).astype(np.int8)
    scaled = np.diag([ENLARGED, ENLARGED, ENLARGED, 1.0]) @ affine
    return Anatomy(tissues, target.astype(np.uint8), steps, scaled, name)


def _sampled(head: DigitalHead) -> FloatImage:
    hu = np.empty(SHAPE, dtype=np.float32)
    for k in range(SHAPE[2]):
        origin = np.array(LOW_MM) + np.array([0.0, 0.0, k])
        plane = Plane(origin, np.array([1.0, 0, 0]), np.array([0, 1.0, 0]), SHAPE[1], SHAPE[0], 1.0)
        hu[:, :, k] = head.hu(plane).T
    return hu


def _classified(hu: FloatImage, ends: tuple[tuple[float, Tissue], ...]) -> Codes:
    codes = np.array([tissue for _, tissue in ends], dtype=np.uint8)
    return np.asarray(codes[np.searchsorted(np.array([end for end, _ in ends[:-1]]), hu.ravel())].reshape(hu.shape))


def _air_inside(tissues: Codes) -> None:
    """Air that the skin encloses is a sinus or an airway, in place."""
    air: BoolArray = tissues == Tissue.AIR
    parts, _ = ndimage.label(air)
    tissues[air & (parts != parts[0, 0, -1])] = Tissue.SINUS
