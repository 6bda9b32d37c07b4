"""Anatomies for MR."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from cormack.core.labels import LabelMap
from cormack.files.minc import BRAINWEB
from cormack.physics.synthesis.anatomy import Tissue
from cormack.physics.synthesis.model import MARGIN, model_anatomy, with_brain

SIDE = 90


def balls() -> np.ndarray:
    """A brain of 30 mm in 3 mm of fluid, 3 mm of dura and 5 mm of bone, with a vessel in it and a fold from above."""
    i, j, k = np.ogrid[:SIDE, :SIDE, :SIDE]
    middle = (SIDE - 1) / 2
    radius = np.sqrt((i - middle) ** 2 + (j - middle) ** 2 + (k - middle) ** 2)
    labels = np.zeros((SIDE,) * 3, dtype=np.uint8)
    for reach, tissue in ((41, 7), (36, 10), (33, 1), (30, 2), (20, 3)):
        labels[radius < reach] = tissue
    labels[44:46, 44:46, 30:60] = Tissue.VESSEL
    labels[44:46, 30:60, 60:81] = Tissue.DURA
    return labels


def model() -> LabelMap:
    affine = np.eye(4)
    affine[:3, 3] = (-45, -45, -45)
    return LabelMap(balls(), affine, BRAINWEB)


def test_a_model_is_kept_as_it_is_within_air() -> None:
    anatomy = model_anatomy(model())

    inner = anatomy.tissues[MARGIN:-MARGIN, MARGIN:-MARGIN, MARGIN:-MARGIN]
    np.testing.assert_array_equal(inner, balls())
    assert anatomy.tissues[0].max() == Tissue.AIR
    np.testing.assert_allclose(anatomy.affine @ [MARGIN, MARGIN, MARGIN, 1], [-45, -45, -45, 1])


def test_the_brain_is_its_tissue_with_fluid_vessels_and_folds_but_without_the_outer_dura() -> None:
    anatomy = with_brain(model_anatomy(model()))

    volume = float(anatomy.targets.sum())
    assert abs(volume / (4 / 3 * np.pi * 33**3) - 1) < 0.02
    # What lies within the brain belongs to it; one part, no holes.
    assert anatomy.targets[47:49, 47:49, 35:75].all()
    assert ndimage.label(anatomy.targets)[1] == 1
    assert not anatomy.targets[48, 48, 48 + 36 :].any()
