import numpy as np
import pytest

from cormack.physics.synthesis import lesions
from cormack.physics.synthesis.anatomy import Anatomy, Tissue
from cormack.physics.synthesis.ct import synthesize_ct
from cormack.physics.synthesis.options import CtSynthesis, PoseOptions
from cormack.physics.synthesis.pathology import FINDINGS
from cormack.physics.synthesis.scene import Scene


@pytest.mark.parametrize(
    "name", ["intracerebral_haemorrhage", "infarct", "tumour", "resection", "white_matter_disease"]
)
def test_what_grows_in_the_brain_keeps_its_label(shells, name):
    scene = Scene(shells, np.random.default_rng(5), {})
    FINDINGS[name](scene)
    assert (scene.tissues != shells.tissues).any()
    kept = scene.tissues != Tissue.BONE
    assert np.array_equal(scene.targets[kept], shells.targets[kept])


@pytest.mark.parametrize("name", ["subdural_haematoma", "subdural_hygroma", "epidural_haematoma"])
def test_what_gathers_below_the_bone_has_the_label_of_fluid(shells, name):
    scene = Scene(shells, np.random.default_rng(2), {})
    FINDINGS[name](scene)
    changed = (scene.tissues != shells.tissues) & (shells.targets > 0)
    assert changed.any()
    assert (scene.targets[changed] == 2).all()
    elsewhere = ~changed & (shells.targets != scene.targets)
    assert (shells.tissues[elsewhere] == Tissue.CSF).all()


@pytest.mark.parametrize("name", ["subdural_haematoma", "subdural_hygroma", "epidural_haematoma"])
def test_blood_below_the_bone_has_a_label_of_its_own_if_one_is_given(shells, name):
    scene = Scene(shells, np.random.default_rng(2), {}, haematoma=9)
    FINDINGS[name](scene)
    changed = (scene.tissues != shells.tissues) & (shells.targets > 0)
    assert (scene.targets[changed] == (2 if name == "subdural_hygroma" else 9)).all()
    blood = np.isin(scene.tissues, (Tissue.BLOOD, Tissue.OLD_BLOOD))
    assert blood.any() == (name != "subdural_hygroma")
    assert not (scene.targets[~blood & (shells.tissues != Tissue.CSF)] == 9).any()


def test_folds_of_dura_keep_theirs_in_a_haematoma(shells):
    tissues, targets = shells.tissues.copy(), shells.targets.copy()
    tissues[74:76, :, 80:][targets[74:76, :, 80:] > 0] = Tissue.DURA
    targets[(tissues == Tissue.DURA) & (targets > 0)] = 3
    scene = Scene(Anatomy(tissues, targets, shells.depth, shells.affine), np.random.default_rng(2), {})
    lesions.subdural_haematoma(scene)
    assert np.array_equal(scene.targets == 3, targets == 3)


def test_leukoaraiosis_lies_around_the_ventricles(shells):
    scene = Scene(shells, np.random.default_rng(1), {})
    lesions.leukoaraiosis(scene)
    places = np.argwhere(scene.tissues == Tissue.OEDEMA)
    away = np.linalg.norm(places - 74.5, axis=1) - 12
    assert len(places) > 500
    assert np.median(away) < 15
    assert (shells.tissues[scene.tissues == Tissue.OEDEMA] == Tissue.WHITE).all()


def test_wide_ventricles_do_not_fold_nor_thicken_what_lies_between_them():
    i, j, k = np.ogrid[:170, :190, :160]
    x, y, z = i - 84.5, j - 94.5, k - 79.5
    inside = (x / 70) ** 2 + (y / 85) ** 2 + (z / 70) ** 2 < 1
    ventricle = ((np.abs(x) - 9) / 8) ** 2 + ((y + 18) / 28) ** 2 + ((z - 14) / 10) ** 2 < 1
    targets = (inside * 5).astype(np.uint8)
    targets[ventricle & (np.abs(x) > 1)] = 10
    targets[ventricle & (np.abs(x) <= 1)] = 4
    tissues = np.where(inside, Tissue.WHITE, Tissue.AIR).astype(np.uint8)
    affine = np.eye(4)
    affine[:3, 3] = -84.5, -94.5, -79.5
    anatomy = Anatomy(tissues, targets, np.where(inside, 40, -40).astype(np.int8), affine)

    def thickness_and_volume(gain: float) -> tuple[float, int]:
        pose = PoseOptions((1.0, 1.0), 0.0, 0.0, 0.0, 0.0, 0.0, ((64.0, 0.0),), (gain, gain), 0.0)
        options = CtSynthesis(pose=pose, thin=1.0, tilted=0.0, base_cut=0.0, top_cut=0.0, neck=0.0, narrow_view=0.0)
        labels = synthesize_ct(anatomy, np.random.default_rng(1), options, shape=(112, 128, 112), spacing_mm=1.5).target
        sheet = labels.data == 4
        return float(sheet.sum(axis=0).max()), int((labels.data == 10).sum())

    thin, small = thickness_and_volume(0.0)
    thick, large = thickness_and_volume(1.5)
    assert large > 2 * small
    assert thick <= thin + 1
