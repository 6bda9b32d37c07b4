import numpy as np
import pytest

from cormack.core.errors import InputError
from cormack.core.neuroanatomy import NEUROANATOMY_FINE
from cormack.physics.synthesis.anatomy import Anatomy, Tissue
from cormack.physics.synthesis.labelled_head import MARGIN, Fine, manual_head, tightened

SHAPE = (84, 100, 84)


def labelled() -> np.ndarray:
    """An ellipsoid of brain in 3 mm of fluid, with ventricles, one sinus above them and a cerebellum."""
    i, j, k = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    x, y, z = i - 41.5, j - 49.5, k - 41.5
    radius = np.sqrt((x / 36) ** 2 + (y / 44) ** 2 + (z / 36) ** 2)
    labels = np.zeros(SHAPE, np.uint8)
    labels[radius < 1] = Fine.SUBARACHNOID
    labels[radius < 0.9] = Fine.FRONTAL
    labels[(np.hypot(y + 20, z + 18) < 12) & (np.abs(x) < 18)] = Fine.CEREBELLUM
    for side in (-1, 1):
        labels[np.sqrt((x - side * 8) ** 2 + (y / 2) ** 2 + z**2) < 6] = Fine.VENTRICLES
        labels[np.sqrt((x - side * 16) ** 2 + (y / 2) ** 2 + z**2) < 3] = Fine.CAUDATE
    labels[(np.abs(x) < 1) & (z > 15) & (labels > 0)] = Fine.DURA
    labels[(np.hypot(x, z - 28) < 5) & (labels > 0)] = Fine.DURA
    labels[49:51, 49:51, 41:43] = 0
    return labels


@pytest.fixture(scope="module")
def head() -> Anatomy:
    return manual_head(labelled(), np.random.default_rng(4), name="toy")


def test_the_values_are_those_of_the_table():
    assert [label.index for label in NEUROANATOMY_FINE] == [value for value in Fine if value]
    words = {Fine.SUBARACHNOID: "subarachnoid", Fine.CAPSULE: "capsule", Fine.DURA: "dural", Fine.THALAMUS: "thalamus"}
    assert all(word in NEUROANATOMY_FINE[int(value)].name for value, word in words.items())


def test_targets_are_the_labels_with_their_holes_filled(head):
    inner = tuple(slice(MARGIN, -MARGIN) for _ in range(3))
    labels = labelled()
    changed = head.targets[inner] != labels
    assert changed.sum() == 8
    assert (head.targets[inner][changed] == Fine.VENTRICLES).all()
    assert (head.tissues[inner][changed] == Tissue.CALCIFICATION).all()
    assert head.several


def test_tissues_follow_the_labels(head):
    tissues, targets = head.tissues, head.targets
    assert np.mean(tissues[targets == Fine.VENTRICLES] == Tissue.CSF) > 0.99
    assert (tissues[targets == Fine.CAUDATE] == Tissue.GRAY).all()
    assert set(np.unique(tissues[targets == Fine.SUBARACHNOID])) <= {Tissue.CSF, Tissue.GRAY}
    lobe = targets == Fine.FRONTAL
    assert set(np.unique(tissues[lobe])) == {Tissue.GRAY, Tissue.WHITE}
    # The cortex lies outside, white matter inside.
    depth = head.depth / 4
    assert np.mean(tissues[lobe & (depth < 5)] == Tissue.GRAY) > 0.9
    assert np.mean(tissues[lobe & (depth > 25)] == Tissue.WHITE) > 0.9
    # A sheet of 2 mm is dura, a tube of 10 mm a vein.
    i, _, k = np.indices(head.tissues.shape) - np.array([41.5, 49.5, 41.5])[:, None, None, None] - MARGIN
    assert (tissues[(targets == Fine.DURA) & (np.hypot(i, k - 28) > 8)] == Tissue.DURA).all()
    assert np.mean(tissues[(targets == Fine.DURA) & (np.hypot(i, k - 28) < 4)] == Tissue.VEIN) > 0.9


def test_bone_and_scalp_lie_around(head):
    outside = head.targets == 0
    away = -head.depth / 4
    assert (away[outside] > 0).all()
    assert np.isin(head.tissues[outside & (away < 3.5)], (Tissue.BONE, Tissue.MARROW)).all()
    assert (head.tissues[away < 1][outside[away < 1]] == Tissue.BONE).all()
    assert np.isin(head.tissues[(away > 10) & (away < 12)], (Tissue.FAT, Tissue.SKIN, Tissue.AIR)).all()
    assert (head.tissues[away > 20] == Tissue.AIR).all()


def test_the_ventricles_lie_where_a_synthesis_swells_them(head):
    places = np.argwhere(head.targets == Fine.VENTRICLES)
    lateral = (places @ head.affine[:3, :3].T + head.affine[:3, 3]).mean(axis=0)
    assert lateral == pytest.approx([0, -16, 14], abs=1.5)


def test_another_generator_another_cortex():
    first, second = (manual_head(labelled(), np.random.default_rng(seed)) for seed in (1, 2))
    assert np.array_equal(first.targets, second.targets)
    assert not np.array_equal(first.tissues, second.tissues)


def test_a_map_without_ventricles_is_refused():
    labels = labelled()
    labels[labels == Fine.CAUDATE] = Fine.FRONTAL
    with pytest.raises(InputError, match="caudate"):
        manual_head(labels, np.random.default_rng(1))


def test_a_tight_head_keeps_its_space_and_has_less_fluid():
    usual, tight = (
        manual_head(labelled(), np.random.default_rng(1), tighten_mm=by_mm, name="toy") for by_mm in (0.0, 2.0)
    )
    assert np.array_equal(usual.targets > 0, tight.targets > 0)
    before, after = (np.bincount(head.targets.ravel(), minlength=17) for head in (usual, tight))
    assert 0.2 < after[Fine.SUBARACHNOID] / before[Fine.SUBARACHNOID] < 0.7
    assert after[Fine.VENTRICLES] <= before[Fine.VENTRICLES]
    for kept in (Fine.DURA, Fine.CAUDATE):
        assert before[kept] <= after[kept] <= 1.2 * before[kept]
    # Nothing but fluid is given away, and what it becomes is brain.
    changed = usual.targets != tight.targets
    assert np.isin(usual.targets[changed], (Fine.SUBARACHNOID, Fine.VENTRICLES)).all()
    assert np.isin(tight.targets[changed], (Fine.FRONTAL, Fine.CEREBELLUM, Fine.CAUDATE)).all()


def test_tissues_are_tightened_along_with_the_labels():
    labels = np.pad(np.full((20, 20, 20), Fine.SUBARACHNOID, np.uint8), 1)
    labels[1:9] = Fine.PARIETAL
    labels[12:14] = Fine.CENTRAL_SULCUS
    tissues = np.where(labels == Fine.PARIETAL, np.uint8(Tissue.GRAY), np.uint8(Tissue.CSF))
    found = tightened(labels, 3.0, np.random.default_rng(1), tissues)
    became = (found == Fine.PARIETAL) & (labels == Fine.SUBARACHNOID)
    assert became[9, 1:-1, 1:-1].mean() > 0.9
    assert (tissues[became] == Tissue.GRAY).all()
    assert (tissues[found == Fine.SUBARACHNOID] == Tissue.CSF).all()
    # The sulcus, three voxels away, gives nothing at half the reach.
    assert np.array_equal(found == Fine.CENTRAL_SULCUS, labels == Fine.CENTRAL_SULCUS)
