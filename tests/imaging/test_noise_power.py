import numpy as np
import pytest
from scipy import ndimage

from cormack.core.errors import InputError
from cormack.core.volume import Volume
from cormack.imaging.noise_power import harmonize_kernel, noise_power

PIXEL_MM = 0.5


def water(sigma_mm=0.0, *, deviation=20.0, seed=0):
    """Even tissue of 35 HU with noise as coarse as a Gaussian of this width."""
    noise = np.random.default_rng(seed).normal(size=(192, 192, 16))
    if sigma_mm:
        noise = ndimage.gaussian_filter(noise, (sigma_mm / PIXEL_MM, sigma_mm / PIXEL_MM, 0))
    return Volume((35 + deviation * noise / noise.std()).astype(np.float32), np.diag([PIXEL_MM, PIXEL_MM, 2.0, 1.0]))


def test_white_noise_has_a_flat_spectrum_of_its_variance():
    spectrum = noise_power(water())
    # The most even quarter of the patches is taken: a little less than the whole variance.
    np.testing.assert_allclose(spectrum.power_hu2_mm2, 400 * PIXEL_MM**2, rtol=0.12)
    assert spectrum.frequency_per_mm[-1] < 0.5 / PIXEL_MM


def test_smoothed_noise_falls_as_the_square_of_a_gaussian():
    spectrum = noise_power(water(0.6))
    expected = np.exp(-((2 * np.pi * 0.6 * spectrum.frequency_per_mm) ** 2))
    low = spectrum.frequency_per_mm < 0.4
    ratio = spectrum.power_hu2_mm2[low] / expected[low]
    np.testing.assert_allclose(ratio / ratio.mean(), 1, atol=0.3)


def test_the_width_between_two_kernels_is_found():
    """Gaussians add in quadrature: from 0.3 to 0.8 mm it takes √(0.8² − 0.3²) = 0.742 mm."""
    soft = noise_power(water(0.8, deviation=6, seed=1))
    made = harmonize_kernel(water(0.3, seed=2), soft)
    assert made.sigma_mm == pytest.approx(0.742, rel=0.03)
    assert made.after.mean_frequency_per_mm == pytest.approx(soft.mean_frequency_per_mm, rel=0.02)
    assert made.after.deviation_hu < made.before.deviation_hu


def test_a_number_may_be_the_target():
    made = harmonize_kernel(water(0.2), 0.25)
    assert made.target_per_mm == 0.25
    assert made.after.mean_frequency_per_mm == pytest.approx(0.25, abs=2e-3)


def test_targets_that_cannot_be_reached():
    with pytest.raises(InputError, match="as soft already"):
        harmonize_kernel(water(0.8), noise_power(water(0.3)))
    with pytest.raises(InputError, match="wider than"):
        harmonize_kernel(water(0.3), 0.1001)


def test_air_holds_no_tissue_to_measure():
    with pytest.raises(InputError, match="only 0 patches"):
        noise_power(Volume(np.full((64, 64, 5), -1000, np.int16), np.diag([0.5, 0.5, 2, 1])))
