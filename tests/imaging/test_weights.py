import numpy as np
import pytest
import SimpleITK

from cormack.imaging.weights import interpolation_weights


@pytest.mark.parametrize("order", [1, 3])
def test_whole_positions_take_one_sample(order):
    np.testing.assert_allclose(interpolation_weights(np.arange(9.0), 9, order=order).toarray(), np.eye(9), atol=1e-7)


def test_cubic_reproduces_a_parabola_and_linear_a_line():
    x = np.arange(20.0)
    centres = np.linspace(3, 15, 40)
    np.testing.assert_allclose(interpolation_weights(centres, 20, order=3) @ x**2, centres**2, rtol=1e-5)
    np.testing.assert_allclose(interpolation_weights(centres, 20, order=1) @ x, centres, rtol=1e-6)


def test_linear_agrees_with_simpleitk():
    signal = np.random.default_rng(1).normal(size=(1, 30)).astype(np.float32)
    image = SimpleITK.GetImageFromArray(signal)
    shifted = SimpleITK.Resample(image, SimpleITK.TranslationTransform(2, (0.3, 0)), SimpleITK.sitkLinear)
    ours = interpolation_weights(np.arange(30) + 0.3, 30) @ signal[0]
    np.testing.assert_allclose(ours[:-1], SimpleITK.GetArrayFromImage(shifted)[0][:-1], atol=1e-5)


def test_stretched_kernel_averages_and_edges_lose_weight():
    wide = interpolation_weights(np.array([10.0]), 20, width=4.0)
    assert wide.sum() == pytest.approx(1)
    assert (wide.toarray() > 0).sum() == 7
    assert interpolation_weights(np.array([-0.5]), 20).sum() == pytest.approx(0.5)
