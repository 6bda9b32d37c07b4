from dataclasses import fields

import numpy as np
import pytest

from cormack.physics.synthesis.anatomy import Tissue
from cormack.physics.synthesis.ct import synthesize_ct
from cormack.physics.synthesis.options import CtSynthesis
from cormack.physics.synthesis.pathology import FINDINGS, Pathology, put_in
from cormack.physics.synthesis.scene import Scene

NONE = {field.name: 0.0 for field in fields(Pathology)}


def only(*names: str) -> Pathology:
    return Pathology(**(NONE | dict.fromkeys(names, 1.0)))


def scene_with(ball, name: str, seed: int = 0) -> Scene:
    scene = Scene(ball, np.random.default_rng(seed), {})
    put_in(scene, only(name))
    return scene


def test_every_finding_has_its_probability():
    assert {field.name for field in fields(Pathology)} - {"healthy"} == set(FINDINGS)


@pytest.mark.parametrize("name", FINDINGS)
def test_each_finding_is_named_and_leaves_the_anatomy_alone(ball, name):
    before = ball.tissues.copy()
    scene = scene_with(ball, name, seed=3)
    assert scene.facts["findings"] == [name]
    assert np.array_equal(ball.tissues, before)


@pytest.mark.parametrize(
    ("name", "tissue"),
    [
        ("intracerebral_haemorrhage", Tissue.BLOOD),
        ("epidural_haematoma", Tissue.BLOOD),
        ("infarct", Tissue.INFARCT),
        ("tumour", Tissue.TUMOUR),
        ("resection", Tissue.CAVITY),
    ],
)
def test_lesions_lie_within_the_skull_and_leave_the_target(ball, name, tissue):
    scene = scene_with(ball, name, seed=5)
    painted = scene.tissues == tissue
    assert painted.any()
    assert (ball.targets[painted] == 1).all()
    if name != "tumour":
        assert np.array_equal(scene.targets, ball.targets)


def test_missing_bone_leaves_the_target_and_pushes_the_brain(ball):
    scene = scene_with(ball, "craniectomy", seed=1)
    lost = (ball.tissues == Tissue.BONE) & (scene.tissues != Tissue.BONE)
    assert lost.sum() > 1000
    assert (scene.targets[lost] == 0).all()
    assert np.array_equal(scene.targets > 0, ball.targets > 0)
    assert any(bump.push_mm is not None for bump in scene.bumps)


def test_bone_that_grows_inwards_takes_from_the_target(ball):
    scene = scene_with(ball, "hyperostosis", seed=2)
    grown = (scene.tissues == Tissue.BONE) & (ball.tissues != Tissue.BONE)
    assert grown.any()
    assert (scene.targets[grown] == 0).all()


def test_healthy_heads_have_no_lesions(ball):
    scene = Scene(ball, np.random.default_rng(0), {})
    put_in(scene, Pathology(healthy=1.0, calcifications=0.0))
    assert set(np.unique(scene.tissues)) == set(np.unique(ball.tissues))


def test_an_image_with_every_finding_is_whole(ball):
    options = CtSynthesis(pathology=only(*FINDINGS), beam_hardening=1.0, motion=1.0)
    made = synthesize_ct(ball, np.random.default_rng(0), options, shape=(48, 48, 48), spacing_mm=3.0)
    assert made.facts["findings"] == list(FINDINGS)
    assert np.isfinite(made.volume.data).all()
    assert made.target.data.min() >= 0
    assert made.target.data.max() <= 1
