"""Anatomies for MR: label maps from MR with a neck, and the brain as what is to be learnt."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import ndimage

from cormack.core.labels import LabelMap
from cormack.physics.synthesis.anatomy import Anatomy, BoolArray, Tissue
from cormack.physics.synthesis.head import head_anatomy
from cormack.physics.synthesis.smooth import distance, largest

#: The shoulders begin so far below a model (mm): in fields of view of MR, which reach lower than those of CT.
SHOULDERS_MM = (50.0, 115.0)
#: Tissues of the brain and the fluid around it.
BRAIN = (Tissue.CSF, Tissue.GRAY, Tissue.WHITE)
#: Folds of dura and vessels narrower than twice this belong to the brain (mm).
CLOSING_MM = 2.0


def model_anatomy(labels: LabelMap, rng: np.random.Generator, *, name: str = "", painted: bool = False) -> Anatomy:
    """A head for MR with neck and shoulders, which fields of view of MR reach; its target is the intracranial space.

    Parameters
    ----------
    labels : LabelMap
        A BrainWeb model at 1 mm, RAS+ axes (`files.minc.read_brainweb`).
    rng : Generator
        Decides on neck and shoulders, and on what is painted.
    name : str
    painted : bool
        Another skull, scalp, face and cortex, as `head_anatomy` makes them for CT; else the model's own.
    """
    return head_anatomy(labels, rng, name=name, as_it_is=not painted, shoulders_mm=SHOULDERS_MM)


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
    found = np.zeros_like(target)
    # Distances on the brain's box alone: most of an anatomy is air and neck.
    for box in ndimage.find_objects(brain.astype(np.uint8)):
        found[box] = _smoothed(_closed(brain[box]) & target[box])
    return replace(anatomy, targets=found.astype(np.uint8))


def _closed(brain: BoolArray) -> BoolArray:
    padded = np.pad(brain, 4)
    closed = distance(distance(~padded) <= CLOSING_MM) > CLOSING_MM
    return np.asarray(ndimage.binary_fill_holes(closed[4:-4, 4:-4, 4:-4] | brain))


def _smoothed(mask: BoolArray) -> BoolArray:
    return np.asarray(ndimage.gaussian_filter(mask.astype(np.float32), 0.8, mode="constant") > 0.5)
