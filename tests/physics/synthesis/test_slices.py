import numpy as np
import pytest

from cormack.physics.synthesis.detector import noise, sharpened
from cormack.physics.synthesis.slices import Slices, resliced
from cormack.physics.synthesis.supports import add_to_air, behind_head, support

Z = np.arange(0, 60, 2, dtype=np.float32)


def test_a_slice_is_the_mean_over_its_thickness():
    slices = Slices(np.array([20.0, 30.0], np.float32), 8.0, 0.0)
    weights = slices.averaging(Z)
    assert weights.sum(axis=1) == pytest.approx(1.0)
    assert weights @ Z == pytest.approx([20.0, 30.0], abs=1e-4)
    assert np.flatnonzero(weights[0]).tolist() == [8, 9, 10, 11, 12]


def test_what_no_slice_reaches_is_outside():
    slices = Slices(np.arange(20, 41, 5, dtype=np.float32), 5.0, 0.0)
    stack = np.full((4, 4, 5), 30.0, np.float32)
    image, share = resliced(stack, np.ones_like(stack), slices, np.zeros(4, np.float32), Z, -1000.0)
    within = (Z >= 17.5) & (Z <= 42.5)
    assert image[0, 0, within] == pytest.approx(30.0)
    assert (image[0, 0, ~within] == -1000).all()
    assert share[0, 0].tolist() == within.astype(float).tolist()


def test_slices_that_lean_give_back_a_plane_that_leans():
    y = np.linspace(-40, 40, 21).astype(np.float32)
    slices = Slices(np.arange(-60, 130, 2, dtype=np.float32), 2.0, float(np.tan(np.radians(20))))
    # Each slice holds its own position: a point's value is then z + slope * y.
    stack = np.broadcast_to(slices.positions_mm, (3, 21, len(slices.positions_mm))).astype(np.float32)
    image, _ = resliced(np.ascontiguousarray(stack), np.ones_like(stack), slices, y, Z, -1000.0)
    assert image[1] == pytest.approx(Z[None, :] + slices.slope * y[:, None], abs=1e-3)


def test_a_soft_kernel_blurs_and_a_bone_kernel_overshoots():
    image = np.zeros((40, 40, 2), np.float32)
    image[20:] = 100.0
    soft, bone = sharpened(image, 1.0, -1.0), sharpened(image, 1.0, 1.0)
    assert 0 < soft[19, 20, 0] < 50
    assert bone[20, 20, 0] > 100
    assert bone[19, 20, 0] < 0
    assert sharpened(image, 1.0, 0.0) is image


def test_noise_has_its_texture_within_slices_only():
    grain = noise((64, 64, 40), 0.2, 0.5, np.random.default_rng(0))
    assert grain.std() == pytest.approx(1.0, abs=0.05)
    beside = np.corrcoef(grain[:-1].ravel(), grain[1:].ravel())[0, 1]
    above = np.corrcoef(grain[:, :, :-1].ravel(), grain[:, :, 1:].ravel())[0, 1]
    assert beside > 0.3
    assert abs(above) < 0.02


def test_supports_lie_behind_the_head_and_leave_it_alone():
    axis = (np.arange(64, dtype=np.float32) - 31.5) * 3
    image = np.full((64, 64, 8), -1000.0, np.float32)
    image[np.hypot(axis[:, None], axis[None, :]) < 60] = 40.0
    back = behind_head(image, axis)
    assert back == pytest.approx(-58.5, abs=3.1)
    before = image.copy()
    add_to_air(image, support(axis, axis, back, "rest", np.random.default_rng(0)))
    changed = np.abs(image - before) > 0
    assert changed.any()
    assert not changed[before > 0].any()
    assert not support(axis, axis, back, "none", np.random.default_rng(0)).any()
