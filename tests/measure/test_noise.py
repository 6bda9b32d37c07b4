"""Strength and fineness of noise put into analytic heads."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from analytic_heads import make_head
from cormack.measure.boxes import Region, region
from cormack.measure.noise import brain_noise


def noise_of(head, data=None):
    volume = head.volume if data is None else head.volume.with_data(data)
    return brain_noise(volume, region(volume, head.brain))


@pytest.mark.parametrize("deviation", [3.0, 8.0, 30.0])
def test_strength_is_the_standard_deviation_put_in(deviation):
    noise = noise_of(make_head((1.5, 1.5, 5), noise_hu=deviation))
    assert noise.deviation_hu == pytest.approx(deviation, rel=0.08)
    assert noise.pixel_mm == pytest.approx(1.5)


def test_structures_in_the_brain_do_not_count_as_noise():
    head = make_head((1.5, 1.5, 5), noise_hu=4)
    ventricle = (np.abs(head.xyz[..., 0]) < 12) & head.brain.mask()
    data = head.volume.data - (26 * ventricle).astype(np.int16)
    assert noise_of(head, data).deviation_hu == pytest.approx(4, rel=0.15)


@pytest.mark.parametrize("sigma", [0.0, 0.7, 1.2])
def test_fineness_follows_the_correlation_put_in(sigma):
    head = make_head((1.0, 1.0, 12))
    grain = np.random.default_rng(2).normal(0, 100, head.volume.shape)
    grain = gaussian_filter(grain, (sigma, sigma, 0)) if sigma else grain
    grain *= 10 / grain.std()
    # Smoothed white noise has the autocorrelation exp(-d² / 4σ²); a patch of 6 x 6 loses the part that its mean takes.
    at = np.stack(np.meshgrid(np.arange(6), np.arange(6)), -1).reshape(-1, 2)
    distance2 = ((at[:, None] - at[None]) ** 2).sum(-1)
    correlation = np.exp(-distance2 / (4 * sigma**2)) if sigma else distance2 == 0
    next_one = np.exp(-1 / (4 * sigma**2)) if sigma else 0.0
    expected = np.arccos(1 - (1 - next_one) / (1 - correlation.mean())) / (2 * np.pi)
    data = np.rint(head.volume.data + grain).astype(np.int16)
    assert noise_of(head, data).frequency_per_mm == pytest.approx(expected, rel=0.2)


def test_an_even_brain_has_neither():
    noise = noise_of(make_head((3, 3, 6)))
    assert noise.deviation_hu < 0.1
    assert noise.frequency_per_mm == 0


def test_noise_needs_brain():
    head = make_head((8, 8, 8))
    assert brain_noise(head.volume, Region((slice(0, 0),) * 3, np.zeros((0, 0, 0), bool))) is None
    assert brain_noise(head.volume, Region((slice(5, 6),) * 3, np.ones((1, 1, 1), bool))) is None
