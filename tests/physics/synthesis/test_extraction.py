from dataclasses import replace

import numpy as np
import pytest

from cormack.core.errors import InputError
from cormack.physics.synthesis.ct import synthesize_ct
from cormack.physics.synthesis.options import CtSynthesis, PoseOptions
from cormack.physics.synthesis.pathology import Pathology

STILL = PoseOptions((1.0, 1.0), 0.0, 0.0, 0.0, 0.0, 0.0, ((64.0, 0.0),), (0.0, 0.0), 0.0)
BARE = CtSynthesis(
    pose=STILL, variation_hu=(0.0, 0.0), thin=1.0, tilted=0.0, noise_hu=(0.01, 0.02), sharp=0.0, blur_px=(0.0, 0.0),
    base_cut=0.0, top_cut=0.0, neck=1.0, narrow_view=0.0, rest=0.0, table=0.0, blanket=0.0, beam_hardening=0.0,
    motion=0.0, pathology=Pathology(1.0, calcifications=0.0, contrast_agent=0.0), brain_extracted=1.0,
    mask_cut_mm=(0.0, 0.0),
)  # fmt: skip
SHAPE = (72, 72, 72)


def radii() -> np.ndarray:
    i, j, k = np.ogrid[:72, :72, :72]
    return 1.5 * np.sqrt((i - 35.5) ** 2 + (j - 35.5) ** 2 + (k - 35.5) ** 2)


@pytest.mark.parametrize("error_mm", [-3.0, 0.0, 3.0])
def test_the_mask_ends_where_it_is_told(shells, error_mm):
    options = replace(BARE, mask_error_mm=(error_mm, error_mm))
    made = synthesize_ct(shells, np.random.default_rng(1), options, shape=SHAPE, spacing_mm=1.5)
    # Below the lowest target nothing is left.
    left = (made.volume.data > -1000) | (np.arange(72) < 36)
    radius = radii()
    assert left[radius < 49 + error_mm].all()
    left &= np.arange(72) >= 36
    assert not left[radius > 51 + error_mm].any()
    # Bone that is left in is no structure; structures that are cut off are none any more.
    assert (made.target.data > 0)[radius < 49 + min(error_mm, 0)].all()
    assert not (made.target.data > 0)[radius > 51 + min(error_mm, 0)].any()


def test_errors_differ_from_place_to_place_within_their_range(shells):
    options = replace(BARE, mask_error_mm=(-2.0, 2.0))
    made = synthesize_ct(shells, np.random.default_rng(3), options, shape=SHAPE, spacing_mm=1.5)
    left = made.volume.data > -1000
    radius = radii()
    upper = np.broadcast_to(np.arange(72) >= 36, SHAPE)
    assert left[(radius < 47) & upper].all()
    assert not left[radius > 53].any()
    rim = (radius > 48.5) & (radius < 51.5)
    assert 0 < left[rim].mean() < 1
    assert made.facts["mask_error_mm"] == pytest.approx(0, abs=2)


def test_the_mask_is_cut_below(shells):
    options = replace(BARE, mask_error_mm=(0.0, 0.0), mask_cut_mm=(15.0, 15.0))
    made = synthesize_ct(shells, np.random.default_rng(1), options, shape=SHAPE, spacing_mm=1.5)
    lowest = np.flatnonzero((made.target.data > 0).any(axis=(0, 1)))[0]
    assert -1.5 * (35.5 - lowest) == pytest.approx(-50 + 15, abs=1.6)


def test_labels_are_those_of_the_anatomy(shells):
    made = synthesize_ct(shells, np.random.default_rng(1), BARE, shape=SHAPE, spacing_mm=1.5)
    volume_ml = [np.count_nonzero(made.target.data == n) * 1.5**3 / 1000 for n in (5, 10)]
    assert volume_ml == pytest.approx([4 / 3 * np.pi * (4.6**3 - 1.2**3), 4 / 3 * np.pi * 1.2**3], rel=0.03)


def test_one_target_is_the_mask_itself(ball):
    with pytest.raises(InputError, match="several targets"):
        synthesize_ct(ball, np.random.default_rng(1), BARE, shape=SHAPE, spacing_mm=1.5)
