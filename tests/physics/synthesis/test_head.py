import numpy as np
import pytest
from scipy import ndimage

from cormack.core.errors import InputError
from cormack.core.labels import LabelMap
from cormack.files.minc import BRAINWEB
from cormack.physics.synthesis.anatomy import Anatomy, Tissue
from cormack.physics.synthesis.head import MARGIN, head_anatomy

SHAPE = (120, 140, 100)
HARD = (Tissue.BONE, Tissue.MARROW, Tissue.PETROUS, Tissue.MASTOID, Tissue.SINUS)


def model() -> LabelMap:
    """A head like a model of BrainWeb: an egg of brain in fluid with a canal below, a skull with holes, a scalp."""
    i, j, k = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    x, y, z = i - 59.5, j - 69.5, k - 50.0
    radius = np.sqrt((x / 45) ** 2 + (y / 52) ** 2 + (z / 40) ** 2)
    canal = np.hypot(x, y + 10) / 14 + 0 * z
    near = np.minimum(radius, np.where(z < -25, canal, 9))
    labels = np.zeros(SHAPE, np.uint8)
    labels[(radius < 1.28) | ((np.hypot(x, y) < 48) & (z < 0))] = Tissue.SKIN
    labels[near < 1.1] = Tissue.BONE
    labels[(near < 1.1) & (x > 30) & (np.abs(y) < 10)] = Tissue.SKIN
    labels[near < 1.0] = Tissue.CSF
    labels[near < 0.94] = Tissue.GRAY
    labels[near < 0.8] = Tissue.WHITE
    return LabelMap(labels, np.diag([1.0, 1.0, 1.0, 1.0]), BRAINWEB)


@pytest.fixture(scope="module")
def head() -> Anatomy:
    return head_anatomy(model(), np.random.default_rng(1), name="egg")


def test_the_target_is_the_space_within_the_skull_above_the_foramen(head):
    i, j, k = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    egg = ((i - 59.5) / 45) ** 2 + ((j - 69.5) / 52) ** 2 + ((k - 50.0) / 40) ** 2 < 1
    _, parts = ndimage.label(head.targets)
    assert parts == 1
    assert head.targets.sum() == pytest.approx(egg.sum(), rel=0.03)
    assert not head.targets[:, :, : MARGIN[2][0]].any()


def test_the_canal_goes_on_below_with_a_cord_in_vertebrae(head):
    below = head.tissues[:, :, : MARGIN[2][0]]
    inside = head.depth[:, :, : MARGIN[2][0]] > 0
    assert inside.any(axis=(0, 1))[10:].all()
    assert np.isin(below[inside], (Tissue.CSF, Tissue.CORD, Tissue.DURA)).all()
    assert {Tissue.CORD, Tissue.VERTEBRA, Tissue.DISC, Tissue.AIRWAY, Tissue.TOOTH} <= set(np.unique(below))


def test_bone_closes_around_the_target_where_the_model_has_a_hole(head):
    target = head.targets > 0
    shell = ndimage.binary_dilation(target) & ~target
    shell[:, :, : MARGIN[2][0] + 25] = False
    assert np.isin(head.tissues[shell], HARD).mean() > 0.99


def test_the_target_holds_no_bone_and_keeps_its_brain(head):
    within = head.tissues[head.targets > 0]
    assert not np.isin(within, HARD).any()
    white = np.count_nonzero(model().data == Tissue.WHITE)
    assert np.count_nonzero(within == Tissue.WHITE) == pytest.approx(white, rel=0.05)


def test_the_grid_lies_where_the_model_lay(head):
    first = np.linalg.inv(head.affine) @ np.array([59.5, 69.5, 50.0, 1.0])
    assert first[:3] == pytest.approx([59.5 + MARGIN[0][0], 69.5 + MARGIN[1][0], 50 + MARGIN[2][0] - 1])
    assert head.centre_mm[:2] == pytest.approx([59.5, 69.5], abs=1.0)


def test_other_voxels_than_1_mm_are_refused():
    labels = LabelMap(np.zeros((8, 8, 8), np.uint8), np.diag([0.5, 0.5, 0.5, 1.0]), BRAINWEB)
    with pytest.raises(InputError, match="1 mm"):
        head_anatomy(labels, np.random.default_rng(0))
