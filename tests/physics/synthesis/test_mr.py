import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from cormack.core.errors import InputError
from cormack.core.volume import Unit
from cormack.physics.synthesis.anatomy import Tissue
from cormack.physics.synthesis.lesions import widen_sulci
from cormack.physics.synthesis.mr import synthesize_mr
from cormack.physics.synthesis.options import MrSynthesis, PoseOptions
from cormack.physics.synthesis.pathology import Pathology
from cormack.physics.synthesis.scene import Scene

STILL = PoseOptions((1.0, 1.0), 0.0, 0.0, 0.0, 0.0, 0.0, ((64.0, 0.0),), (0.0, 0.0), 0.0)
QUIET = MrSynthesis(
    pose=STILL, bias=(0.0, 0.0), variation=(0.0, 0.0), noise=(0.0, 0.0), thick=0.0, ghosting=0.0, ringing=0.0,
    defaced=0.0, neck_cut=0.0, pathology=Pathology(1.0, calcifications=0.0, contrast_agent=0.0),
)  # fmt: skip


def test_t1_orders_the_tissues_and_keeps_the_volume(ball):
    made = synthesize_mr(ball, np.random.default_rng(1), QUIET, shape=(72, 72, 72))
    line = made.volume.data[36, 36]
    csf, white, gray, bone = line[36], line[46], line[56], line[62]
    assert bone < csf < gray < white
    assert made.volume.unit is Unit.ARBITRARY
    volume_ml = float(made.target.data.sum()) * made.target.voxel_volume_ml
    assert volume_ml == pytest.approx(4 / 3 * np.pi * 5.0**3, rel=0.01)


def test_everything_at_once_is_finite_positive_and_repeats(ball):
    options = MrSynthesis(thick=1.0, ghosting=1.0, ringing=1.0, defaced=1.0, neck_cut=1.0, random_contrast=1.0)
    first, again = (
        synthesize_mr(ball, np.random.default_rng(2), options, shape=(40, 48, 40), spacing_mm=4.0) for _ in range(2)
    )
    assert np.array_equal(first.volume.data, again.volume.data)
    assert np.isfinite(first.volume.data).all()
    assert first.volume.data.min() >= 0
    assert first.facts["random_contrast"]
    assert {"thickness_mm", "ghosting", "ringing", "defaced", "neck_cut"} <= set(first.facts)


def test_rician_noise_in_air_has_the_mean_of_a_rayleigh_distribution(ball):
    options = MrSynthesis(**(vars(QUIET) | {"noise": (0.05, 0.05)}))
    made = synthesize_mr(ball, np.random.default_rng(3), options, shape=(72, 72, 72))
    air = made.volume.data[:4, :4]
    assert air.mean() == pytest.approx(0.05 * 500 * np.sqrt(np.pi / 2), rel=0.1)


def test_a_raised_head_lies_so_far_above_the_middle(ball):
    options = MrSynthesis(**(vars(QUIET) | {"raised_mm": (10.0, 10.0)}))
    made = synthesize_mr(ball, np.random.default_rng(4), options, shape=(72, 72, 96))
    heights = np.flatnonzero((made.target.data > 0.5).any(axis=(0, 1)))
    assert made.volume.world(np.array([35.5, 35.5, heights.mean()]))[2] == pytest.approx(10.0, abs=1.0)


def test_nothing_is_measured_where_the_image_was_cut_off(ball):
    options = MrSynthesis(**(vars(QUIET) | {"neck_cut": 1.0, "noise": (0.05, 0.05), "ghosting": 1.0}))
    made = synthesize_mr(ball, np.random.default_rng(5), options, shape=(72, 72, 96))
    empty = (made.volume.data == 0).all(axis=(0, 1))
    assert empty[0]
    assert not empty[48:].any()
    # The target is never cut away.
    assert not made.target.data[:, :, empty].any()


def test_sharpness_adds_what_the_gaussian_takes_away(ball):
    plain, sharp, soft = (
        synthesize_mr(
            ball, np.random.default_rng(6), MrSynthesis(**(vars(QUIET) | {"sharpness": (s, s)})), shape=(72, 72, 72)
        ).volume.data
        for s in (0.0, 1.0, -1.0)
    )
    assert soft == pytest.approx(gaussian_filter(plain, 0.7), abs=0.5)
    bright = 2 * plain - gaussian_filter(plain, 0.7)
    assert sharp == pytest.approx(np.maximum(bright, 0), abs=0.5)
    assert bright.min() < -5
    assert sharp.min() == 0


def test_wide_sulci_take_a_millimetre_of_cortex(shells):
    counts = []
    for wide in (0.0, 1.0):
        options = MrSynthesis(**(vars(QUIET) | {"wide_sulci": wide}))
        made = synthesize_mr(shells, np.random.default_rng(7), options, shape=(128,) * 3, spacing_mm=1.0)
        counts.append(np.bincount(made.target.data.astype(np.uint8).ravel(), minlength=11))
        assert made.facts.get("wide_sulci", False) == bool(wide)
    assert np.array_equal(*counts), "the truth does not change"
    scene = Scene(shells, np.random.default_rng(8), {})
    widen_sulci(scene)
    became = (shells.tissues == Tissue.GRAY) & (scene.tissues == Tissue.CSF)
    gray_before, gray = (np.count_nonzero(t == Tissue.GRAY) for t in (shells.tissues, scene.tissues))
    radius = np.linalg.norm(np.argwhere(became) - 74.5, axis=1)
    assert radius.min() > 44.5
    assert 0.2 < len(radius) / (4 * np.pi * 46**2) < 1.0
    assert np.count_nonzero(shells.tissues == Tissue.CSF) + len(radius) == np.count_nonzero(scene.tissues == Tissue.CSF)
    assert gray <= gray_before
    assert np.array_equal(shells.tissues == Tissue.BONE, scene.tissues == Tissue.BONE)


def test_unknown_tissues_are_refused(ball):
    with pytest.raises(InputError, match="no tissue"):
        synthesize_mr(ball, np.random.default_rng(0), MrSynthesis(intensities={"grey": (0, 1)}), shape=(16, 16, 16))
