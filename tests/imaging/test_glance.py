"""Brain within a skull, and filled vessels, in images made by formula."""

import numpy as np
import pytest

from cormack.imaging.glance import CONTRAST_ML, filled_vessels_ml, section

SPACING_MM = (0.6, 0.6, 1.25)
SHAPE = (320, 360, 40)


def _grid():
    x, y, z = (
        ((np.arange(n) - n / 2) * s).reshape([-1 if axis == a else 1 for axis in range(3)])
        for a, (n, s) in enumerate(zip(SHAPE, SPACING_MM, strict=True))
    )
    return x, y, z


def _head(noise_hu=8.0, skull_hu=1000.0, seed=0):
    x, y, z = _grid()
    r = np.sqrt((x / 66) ** 2 + (y / 82) ** 2 + (z / 90) ** 2)
    hu = np.where(r < 1, 34.0, np.where(r < 1.09, skull_hu, np.where(r < 1.17, 40.0, -1000.0)))
    return hu + np.random.default_rng(seed).normal(0, noise_hu, SHAPE)


def _with_vessels(hu, vessel_hu=300.0):
    """Two tubes of 3 mm, one rising beside the midline, one running to the side."""
    x, y, z = _grid()
    rising = (x - 4 - 0.2 * z) ** 2 + (y - 30 + 0.3 * z) ** 2 < 1.5**2
    sideways = (np.abs(x) < 35) & ((y - 5) ** 2 + (z - 0.1 * x) ** 2 < 1.5**2)
    return np.where(rising | sideways, vessel_hu, hu)


def _trunk():
    """Soft tissue in fat, with lungs, a spine and ribs."""
    x, y, z = _grid()
    r = np.sqrt((x / 92) ** 2 + (y / 75) ** 2)
    hu = np.where(r < 0.8, 45.0, np.where(r < 0.98, -100.0, -1000.0)) + 0 * z
    lungs = ((np.abs(x) - 40) / 26) ** 2 + (y / 40) ** 2 < 1
    spine = x**2 + (y - 45) ** 2 < 14**2
    ribs = (np.abs(r - 0.82) < 0.03) & (np.sin(6 * np.arctan2(y, x)) > 0.6)
    hu = np.where(lungs, -850.0, np.where(spine | ribs, 600.0, hu))
    return hu + np.random.default_rng(1).normal(0, 8, SHAPE)


@pytest.mark.parametrize("noise_hu", [0.0, 10.0, 100.0])
def test_a_head_shows_brain_within_a_skull(noise_hu):
    found = section(_head(noise_hu)[:, :, 20].astype(np.float32), SPACING_MM[:2])
    assert found.shows_brain
    assert found.area_cm2 == pytest.approx(np.pi * 6.6 * 8.2, rel=0.06)


def test_a_trunk_does_not():
    assert not section(_trunk()[:, :, 20], SPACING_MM[:2]).shows_brain


@pytest.mark.parametrize("image", [np.full((80, 90), -1000, np.int16), np.zeros((80, 90), np.int16), np.zeros((1, 1))])
def test_nothing_shows_nothing(image):
    assert not section(image, (1.0, 1.0)).shows_brain


def test_soft_tissue_up_to_the_border_of_the_image_is_no_skull():
    assert not section(_trunk()[100:220, 100:260, 20], SPACING_MM[:2]).shows_brain


def test_filled_vessels_are_told_from_a_plain_head():
    plain = filled_vessels_ml(_head().astype(np.int16), SPACING_MM)
    filled = filled_vessels_ml(_with_vessels(_head()).astype(np.int16), SPACING_MM)
    assert plain == 0
    # Two tubes of 3 mm, 50 and 70 mm long, less what blurs below the limit.
    assert CONTRAST_ML < filled < 1.3 * np.pi * 1.5**2 * 120 / 1000


def test_calcified_plexus_and_pineal_are_no_vessels():
    x, y, z = _grid()
    hu = _head()
    for where in ((0, 20), (14, 25), (-14, 25)):
        hu = np.where((x - where[0]) ** 2 + (y - where[1]) ** 2 + z**2 < 5**2, 300.0, hu)
    assert filled_vessels_ml(hu.astype(np.int16), SPACING_MM) == 0


def test_vessels_are_not_told_from_noise():
    assert filled_vessels_ml(_head(noise_hu=120.0).astype(np.float32), SPACING_MM) is None
    assert filled_vessels_ml(_trunk()[:20, :20].astype(np.float32), SPACING_MM) is None
