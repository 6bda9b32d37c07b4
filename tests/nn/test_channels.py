import numpy as np
import pytest

from cormack.core.labels import BRAIN
from cormack.nn.channels import GUIDE_SCALE, guide, network_input, slice_input
from cormack.nn.task import Channel, Task, TaskInput, TaskOutput


def task_of(*channels, **given):
    return Task("t", "", "CT", TaskInput(channels, (1.0, 1.0, 1.0), **given), TaskOutput(BRAIN))


def test_windows_reach_from_minus_one_to_one():
    data = np.array([-2000.0, -100.0, 50.0, 200.0, 3000.0, np.nan]).reshape(6, 1, 1)
    out = network_input(data, task_of(Channel("window", -100, 200), Channel("window", -1000, 1500)))
    assert out.dtype == np.float32
    np.testing.assert_allclose(out[0].ravel(), [-1, -1, 0, 1, 1, -1])
    np.testing.assert_allclose(out[1].ravel(), [-1, -0.28, -0.16, -0.04, 1, -1], rtol=1e-5)


def test_scores_leave_out_what_was_not_measured():
    rng = np.random.default_rng(0)
    data = rng.normal(300, 40, (8, 8, 8))
    data[:2] = 0.0
    data[2, 0, 0] = np.inf
    measured = data[2:][np.isfinite(data[2:])]
    out = network_input(data, task_of(Channel("zscore"), Channel("percentile", 5, 95), pad_value=0.0))
    assert out[0, 3, 3, 3] == pytest.approx((data[3, 3, 3] - measured.mean()) / measured.std(), rel=1e-4)
    low, high = np.percentile(measured, [5, 95])
    expected = np.clip((data[3] - low) / (high - low), 0, 1) * 2 - 1
    np.testing.assert_allclose(out[1, 3], expected, atol=1e-4)


def test_roots_spread_what_is_dark():
    data = np.array([0.0, 4.0, 9.0, 64.0, 100.0]).reshape(5, 1, 1)
    out = network_input(data, task_of(Channel("root", 0, 100), Channel("percentile", 0, 100), pad_value=-1.0))
    # By hand: twice the square root of 0, 0.04, 0.09, 0.64 and 1, less one.
    np.testing.assert_allclose(out[0].ravel(), [-1.0, -0.6, -0.4, 0.6, 1.0], atol=1e-6)
    np.testing.assert_allclose(out[1].ravel(), [-1.0, -0.92, -0.82, 0.28, 1.0], atol=1e-6)


@pytest.mark.parametrize("value", [0.0, 7.0])
def test_an_even_or_empty_image_stays_finite(value):
    out = network_input(
        np.full((3, 3, 3), value),
        task_of(Channel("zscore"), Channel("percentile", 1, 99), Channel("root", 1, 99), pad_value=0.0),
    )
    assert np.isfinite(out).all()


def test_slices_come_with_their_neighbours():
    image = np.arange(2 * 3 * 4 * 5, dtype=np.float32).reshape(2, 3, 4, 5)
    task = task_of(Channel("zscore"), Channel("zscore"), dimensions=2.5, context=1, slice_axis=1)
    batch = slice_input(image, task, [0, 2])
    assert batch.shape == (2, 6, 3, 5)
    np.testing.assert_array_equal(batch[0], np.concatenate([image[:, :, 0], image[:, :, 0], image[:, :, 1]]))
    np.testing.assert_array_equal(batch[1], np.concatenate([image[:, :, 1], image[:, :, 2], image[:, :, 3]]))


def test_a_guide_is_what_another_network_says_the_background_first():
    said = np.array([[0.5, 0.0, 1.0], [0.25, 0.0, 0.0]], dtype=np.float32)
    out = guide(said)
    # By hand: the background has the rest, nothing counts as a thousandth, and ln 0.001 stands at -1.
    probability = np.array([[0.25, 1.0, 0.001], [0.5, 0.001, 1.0], [0.25, 0.001, 0.001]])
    np.testing.assert_allclose(out, 1 - 2 * np.log(probability) / np.log(0.001), atol=1e-6)
    np.testing.assert_allclose(np.exp(GUIDE_SCALE * (out - 1)), probability, rtol=1e-5)


def test_the_guide_of_one_label_is_the_logarithm_of_its_odds():
    said = np.array([[0.5, 0.0, 1.0, 0.9]], dtype=np.float32)
    out = guide(said)
    # By hand: ln 999 and ln 9, and ln 1000 stands at 1.
    wanted = np.array([[0.0, -np.log(999), np.log(999), np.log(9)]]) / np.log(1000)
    np.testing.assert_allclose(out, wanted, atol=1e-5)
    np.testing.assert_allclose(2 * GUIDE_SCALE * out, wanted * np.log(1000), atol=1e-4)
