import numpy as np
import pytest

from cormack.core.errors import InputError
from cormack.physics.synthesis.between_slices import between_slices
from cormack.physics.synthesis.smooth import smooth_field

SPACING = (0.5, 0.5, 4.0)


def test_a_cone_is_round_between_its_slices():
    i, j = np.mgrid[:120, :120]
    radius = 0.5 * np.hypot(i - 59.5, j - 59.5)
    labels = np.stack([(radius < 26 - 2 * k) for k in range(10)], axis=2).astype(np.uint8)
    fine = between_slices(labels, SPACING)
    assert fine.shape == (60, 60, 40)
    for k in range(2, 38):
        expected = 26 - 2 * ((k + 0.5) / 4 - 0.5)
        assert np.sqrt(fine[:, :, k].sum() / np.pi) == pytest.approx(expected, abs=0.3)


def test_a_sheet_that_leans_stays_whole():
    # Each slice shows it 5 mm farther: nothing of one slice lies over anything of the next.
    labels = np.full((160, 80, 12), 1, np.uint8)
    for k in range(12):
        labels[20 + 10 * k : 26 + 10 * k, :, k] = 2
    fine = between_slices(labels, SPACING)
    share = (fine == 2).sum(axis=(0, 1)) / (labels == 2).sum(axis=(0, 1))[0] * 4
    assert share.min() > 0.5
    assert share.mean() == pytest.approx(1.0, abs=0.2)


def test_volumes_of_several_labels_stay():
    field = smooth_field((160, 160, 10), 20.0, np.random.default_rng(1))
    labels = np.digitize(field, [-0.8, 0.0, 0.9]).astype(np.uint8)
    fine = between_slices(labels, SPACING)
    before = np.bincount(labels.ravel(), minlength=4) * 1.0
    after = np.bincount(fine.ravel(), minlength=4) * 1.0
    assert after == pytest.approx(before, rel=0.05)


def test_thin_slices_are_refused():
    with pytest.raises(InputError, match="thick"):
        between_slices(np.zeros((8, 8, 8), np.uint8), (0.5, 0.5, 0.8))
