"""Anatomies for MR: label maps from MR as they are, and the brain as what is to be learnt."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import ndimage

from cormack.core.labels import LabelMap
from cormack.physics.synthesis.anatomy import DEPTH_STEPS_PER_MM, Anatomy, BoolArray, Tissue
from cormack.physics.synthesis.skull import intracranial
from cormack.physics.synthesis.smooth import distance, largest, signed

#: Air around the model, so that what lies beyond it is air, too (voxels).
MARGIN = 3
#: Tissues of the brain and the fluid around it.
BRAIN = (Tissue.CSF, Tissue.GRAY, Tissue.WHITE)
#: Folds of dura and vessels narrower than twice this belong to the brain (mm).
CLOSING_MM = 2.0


def model_anatomy(labels: LabelMap, *, name: str = "") -> Anatomy:
    """A whole-head label map as it is, ending where it ends; its target is the intracranial space.

    Parameters
    ----------
    labels : LabelMap
        A BrainWeb model at 1 mm, RAS+ axes (`files.minc.read_brainweb`).
    name : str
    """
    codes = np.pad(np.asarray(labels.data, dtype=np.uint8), MARGIN)
    inside = intracranial(codes)
    depth = np.clip(np.rint(signed(inside) * DEPTH_STEPS_PER_MM), -127, 127).astype(np.int8)
    affine = np.array(labels.affine, dtype=np.float64)
    affine[:3, 3] -= affine[:3, :3] @ np.full(3, float(MARGIN))
    return Anatomy(codes, inside.astype(np.uint8), depth, affine, name)


def with_brain(anatomy: Anatomy) -> Anatomy:
    """The same head with the brain for its target: gray and white matter with the fluid in and around them.

    That is the intracranial space without dura and vessels along the skull, and what skull stripping of MR aims at.

    Parameters
    ----------
    anatomy : Anatomy
        Its target is the intracranial space.
    """
    target = anatomy.targets == 1
    brain = largest(target & np.isin(anatomy.tissues, BRAIN))
    return replace(anatomy, targets=_smoothed(_closed(brain) & target).astype(np.uint8))


def _closed(brain: BoolArray) -> BoolArray:
    padded = np.pad(brain, 4)
    closed = distance(distance(~padded) <= CLOSING_MM) > CLOSING_MM
    return np.asarray(ndimage.binary_fill_holes(closed[4:-4, 4:-4, 4:-4] | brain))


def _smoothed(mask: BoolArray) -> BoolArray:
    return np.asarray(ndimage.gaussian_filter(mask.astype(np.float32), 0.8) > 0.5)
