import numpy as np
import pytest

from cormack.physics.synthesis.artefacts import beam_hardening, cupping, metal_streaks, motion


def test_streaks_fade_with_distance_and_stay_near_the_slice():
    image = np.zeros((64, 64, 9), np.float32)
    metal_streaks(image, [(32.0, 32.0, 4.0)], 1.0, np.random.default_rng(0))
    size = np.abs(image[:, :, 4])
    assert size[28:36, 28:36].mean() > size[:4].mean() > 0
    assert np.abs(image[:, :, 0]).max() == 0


def test_no_metal_no_streaks():
    image = np.zeros((16, 16, 3), np.float32)
    metal_streaks(image, [], 1.0, np.random.default_rng(0))
    assert not image.any()


def test_soft_tissue_between_two_dense_bones_darkens():
    image = np.full((60, 20, 1), 35.0, np.float32)
    image[2:17, 5:15] = image[43:58, 5:15] = 1800.0
    beam_hardening(image, 2.0, 1.0, 0.0)
    assert image[30, 10, 0] < 30
    assert image[30, 1, 0] > 34


def test_motion_doubles_edges_in_some_slices_only():
    image = np.zeros((32, 32, 12), np.float32)
    image[10:20, 10:20] = 100.0
    still = image.copy()
    motion(image, np.random.default_rng(1))
    changed = np.abs(image - still).max(axis=(0, 1)) > 1
    assert changed.any()
    assert not changed.all()


def test_cupping_brightens_soft_tissue_next_to_the_vault_alone() -> None:
    for pixel_mm in (0.5, 1.5):
        n = round(180 / pixel_mm)
        x = (np.arange(n) - (n - 1) / 2) * pixel_mm
        below_mm = 64 - np.hypot(x[:, None], x[None, :])
        image = np.select([below_mm > 0, below_mm > -7], [35.0, 900.0], -1000.0).astype(np.float32)[:, :, None]
        before = image.copy()
        cupping(image, pixel_mm, 10.0, 6.0)
        gained = (image - before)[:, :, 0]
        assert gained[(below_mm > 0) & (below_mm < 1)].mean() == pytest.approx(9, abs=1.5)
        assert gained[(below_mm > 4.5) & (below_mm < 5.5)].mean() == pytest.approx(5, abs=1)
        assert np.abs(gained[(below_mm > 19) | (below_mm < 0)]).max() < 0.05
