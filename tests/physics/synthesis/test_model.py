"""Anatomies for MR."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from cormack.core.labels import LabelMap
from cormack.files.minc import BRAINWEB
from cormack.physics.synthesis.anatomy import Anatomy, Tissue
from cormack.physics.synthesis.head import FIRST_SLICE, MARGIN
from cormack.physics.synthesis.model import model_anatomy, with_brain
from cormack.physics.synthesis.neck import NECK_BLEND_MM

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


@pytest.fixture(scope="module")
def anatomy() -> Anatomy:
    return model_anatomy(model(), np.random.default_rng(1))


def test_a_model_is_kept_as_it_is_above_neck_and_shoulders(anatomy: Anatomy) -> None:
    (left, _), (back, _), (low, _) = MARGIN
    box = (slice(left, left + SIDE), slice(back, back + SIDE), slice(low, low + SIDE - FIRST_SLICE))
    np.testing.assert_array_equal(anatomy.tissues[box], balls()[:, :, FIRST_SLICE:])
    np.testing.assert_allclose(anatomy.affine @ [left, back, low, 1], [-45, -45, FIRST_SLICE - 45, 1])
    assert anatomy.targets[:, :, :low].max() == 0


def test_shoulders_are_wider_than_the_neck(anatomy: Anatomy) -> None:
    width = (anatomy.tissues > 0).any(axis=1).sum(axis=0)
    # The ball's own outline is left behind there.
    neck = width[: MARGIN[2][0] - round(NECK_BLEND_MM)].min()
    assert 95 <= neck <= 150
    assert width[0] > neck + 5


def test_the_brain_is_its_tissue_with_fluid_vessels_and_folds_but_without_the_outer_dura(anatomy: Anatomy) -> None:
    (left, _), (back, _), (low, _) = MARGIN
    anatomy = with_brain(anatomy)

    volume = float(anatomy.targets.sum())
    assert abs(volume / (4 / 3 * np.pi * 33**3) - 1) < 0.02
    # What lies within the brain belongs to it; one part, no holes.
    inner = anatomy.targets[left:, back:, low - FIRST_SLICE :]
    assert inner[44:46, 44:46, 32:72].all()
    assert ndimage.label(anatomy.targets)[1] == 1
    assert not inner[45, 45, 45 + 36 :].any()
