from dataclasses import replace

import numpy as np
import pytest

from cormack.core.errors import InputError
from cormack.core.labels import LabelMap
from cormack.physics.synthesis.anatomy import Tissue, load_anatomy, save_anatomy
from cormack.physics.synthesis.ct import synthesize_ct
from cormack.physics.synthesis.hounsfield import HU_RANGES
from cormack.physics.synthesis.mr import synthesize_mr
from cormack.physics.synthesis.options import CtSynthesis, PoseOptions
from cormack.physics.synthesis.pathology import Pathology

HEALTHY = Pathology(1.0, calcifications=0.0, contrast_agent=0.0)

SHAPE = (40, 44, 40)
STILL = PoseOptions((1.0, 1.0), 0.0, 0.0, 0.0, 0.0, 0.0, ((64.0, 0.0),), (0.0, 0.0), 0.0)


def quiet(**changes: object) -> CtSynthesis:
    values: dict[str, object] = {
        "pose": STILL, "variation_hu": (0.0, 0.0), "thin": 1.0, "tilted": 0.0, "noise_hu": (0.01, 0.02), "sharp": 0.0,
        "blur_px": (0.0, 0.0), "base_cut": 0.0, "top_cut": 0.0, "neck": 1.0, "narrow_view": 0.0, "rest": 0.0,
        "table": 0.0, "pathology": HEALTHY, "beam_hardening": 0.0, "motion": 0.0, "blanket": 0.0,
    }  # fmt: skip
    return CtSynthesis(**(values | changes))  # type: ignore[arg-type]


def test_a_still_ball_keeps_its_volume_and_its_hounsfield_units(ball):
    made = synthesize_ct(ball, np.random.default_rng(1), quiet(), shape=(72, 72, 72))
    volume_ml = float(made.target.data.sum()) * made.target.voxel_volume_ml
    assert volume_ml == pytest.approx(4 / 3 * np.pi * 5.0**3, rel=0.01)
    i, j, k = np.ogrid[:72, :72, :72]
    radius = 2 * np.sqrt((i - 35.5) ** 2 + (j - 35.5) ** 2 + (k - 35.5) ** 2)
    for within, tissue in (
        (radius < 8, "csf"),
        ((radius > 16) & (radius < 26), "white"),
        ((radius > 34) & (radius < 46), "gray"),
    ):
        low, high = HU_RANGES[tissue]
        assert low <= made.volume.data[within].mean() <= high
        assert made.volume.data[within].std() < 0.5


def test_scale_and_bends_change_image_and_target_alike(ball):
    pose = PoseOptions(scale=(0.8, 0.8), stretch=0.0, ventricles=(0.0, 0.0))
    made = synthesize_ct(ball, np.random.default_rng(2), quiet(pose=pose), shape=(72, 72, 72))
    volume_ml = float(made.target.data.sum()) * made.target.voxel_volume_ml
    assert volume_ml == pytest.approx(4 / 3 * np.pi * 4.0**3, rel=0.15)
    seen = (made.volume.data > 15) & (made.volume.data < 60)
    assert np.mean(made.target.data[seen] > 0.5) > 0.95


def test_same_seed_same_image_other_seed_other_image(ball):
    first, again, other = (
        synthesize_ct(ball, np.random.default_rng(seed), shape=SHAPE, spacing_mm=4.0) for seed in (3, 3, 4)
    )
    assert np.array_equal(first.volume.data, again.volume.data)
    assert np.array_equal(first.target.data, again.target.data)
    assert first.facts == again.facts
    assert not np.array_equal(first.volume.data, other.volume.data)


def test_thick_slices_that_lean_keep_the_volume(ball):
    options = quiet(thin=0.0, thickness_mm=(5.0, 5.0), tilted=1.0, tilt_deg=20.0)
    made = synthesize_ct(ball, np.random.default_rng(5), options, shape=(72, 80, 72))
    volume_ml = float(made.target.data.sum()) * made.target.voxel_volume_ml
    assert volume_ml == pytest.approx(4 / 3 * np.pi * 5.0**3, rel=0.02)
    assert abs(made.facts["tilt_deg"]) > 0


def test_anatomy_survives_the_disk(ball, tmp_path):
    save_anatomy(ball, tmp_path / "ball.npz")
    back = load_anatomy(tmp_path / "ball.npz")
    assert np.array_equal(back.tissues, ball.tissues)
    assert np.array_equal(back.depth, ball.depth)
    assert back.name == "ball"


def test_tiny_grids_and_unknown_tissues_are_refused(ball):
    with pytest.raises(InputError, match="at least 8 voxels"):
        synthesize_ct(ball, np.random.default_rng(0), shape=(4, 40, 40))
    with pytest.raises(InputError, match="no tissue"):
        synthesize_ct(ball, np.random.default_rng(0), CtSynthesis(hounsfield={"grey": (1, 2)}), shape=SHAPE)


@pytest.mark.parametrize("synthesize", [synthesize_ct, synthesize_mr])
def test_several_targets_come_back_as_labels(ball, synthesize):
    targets = np.where(ball.tissues == Tissue.WHITE, 2, ball.targets).astype(np.uint8)
    made = synthesize(replace(ball, targets=targets), np.random.default_rng(7), shape=SHAPE, spacing_mm=4.0)
    assert isinstance(made.target, LabelMap)
    assert set(np.unique(made.target.data)) == {0, 1, 2}
    assert made.target.on_grid_of(made.volume)


def test_labels_lie_where_the_share_lies(ball):
    targets = np.where(np.arange(150)[:, None, None] < 75, ball.targets * 2, ball.targets).astype(np.uint8)
    options = quiet(tilted=1.0, tilt_deg=15.0, thin=0.0, thickness_mm=(4.0, 4.0))
    share, labels = (
        synthesize_ct(anatomy, np.random.default_rng(8), options, shape=(72, 80, 72)).target.data
        for anatomy in (ball, replace(ball, targets=targets))
    )
    both, either = ((share > 0.5) & (labels > 0)).sum(), ((share > 0.5) | (labels > 0)).sum()
    assert both / either > 0.97
