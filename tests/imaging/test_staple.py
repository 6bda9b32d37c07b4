"""STAPLE against raters whose errors are known, and SimpleITK."""

import numpy as np
import pytest

from cormack.core.errors import InputError
from cormack.core.labels import Label, LabelMap, LabelTable
from cormack.imaging.staple import staple

TABLE = LabelTable(tuple(Label(n, f"l{n}", f"l{n}", (0, 0, 0)) for n in (1, 2, 5)))
SHAPE = (40, 36, 30)


def truth(labels=(0, 1)):
    i, j, k = np.indices(SHAPE)
    zones = ((i > 12) & (i < 30) & (j > 8) & (j < 28) & (k > 6) & (k < 24)).astype(int)
    zones[(i > 18) & (i < 26) & (zones > 0)] = min(2, len(labels) - 1)
    return np.array(labels, np.uint8)[zones]


def raters(true, error_rates, labels=(0, 1), seed=0):
    """Opinions that are wrong independently, each voxel with the rater's own rate."""
    rng = np.random.default_rng(seed)
    opinions = []
    for rate in error_rates:
        data = true.copy()
        wrong = rng.random(SHAPE) < rate
        data[wrong] = rng.choice(np.array(labels, np.uint8), np.count_nonzero(wrong))
        opinions.append(LabelMap(data, np.eye(4), TABLE))
    return opinions


def test_performance_and_truth_are_found():
    true = truth()
    # A wrong voxel is drawn from both labels, so that half of the errors are none.
    rates = (0.02, 0.05, 0.1, 0.05, 0.2)
    found = staple(raters(true, rates))
    assert found.indices == (0, 1)
    for rater, rate in enumerate(rates):
        np.testing.assert_allclose(np.diag(found.performance[rater]), 1 - rate / 2, atol=0.02)
    np.testing.assert_allclose(found.performance.sum(axis=1), 1, atol=1e-9)
    assert np.mean(found.labels.data != true) < 1e-3
    assert found.probability.min() >= 0.5


def test_one_good_rater_outweighs_two_bad_ones():
    true = truth()
    opinions = raters(true, (0.02, 0.7, 0.7, 0.7), seed=3)
    majority = np.sum([opinion.data for opinion in opinions], axis=0) >= 2
    assert np.mean(staple(opinions).labels.data != true) < 0.2 * np.mean(majority != true)


@pytest.mark.parametrize("seed", [0, 1])
def test_simpleitk_estimates_the_same_binary(seed):
    sitk = pytest.importorskip("SimpleITK")
    opinions = raters(truth(), (0.1, 0.25, 0.4), seed=seed)
    filtered = sitk.STAPLEImageFilter()
    filtered.SetMaximumIterations(1000)
    theirs = filtered.Execute([sitk.GetImageFromArray(opinion.data) for opinion in opinions])
    ours = staple(opinions)
    np.testing.assert_allclose(ours.performance[:, 1, 1], filtered.GetSensitivity(), atol=1e-4)
    np.testing.assert_allclose(ours.performance[:, 0, 0], filtered.GetSpecificity(), atol=1e-4)
    inside = sitk.GetArrayFromImage(theirs)
    probability = np.where(ours.labels.data > 0, ours.probability, 1 - ours.probability)
    np.testing.assert_allclose(probability, inside, atol=1e-3)


def test_simpleitk_estimates_the_same_with_several_labels():
    sitk = pytest.importorskip("SimpleITK")
    labels = (0, 2, 5)
    opinions = raters(truth(labels), (0.1, 0.3, 0.3, 0.5), labels)
    filtered = sitk.MultiLabelSTAPLEImageFilter()
    theirs = sitk.GetArrayFromImage(filtered.Execute([sitk.GetImageFromArray(opinion.data) for opinion in opinions]))
    ours = staple(opinions)
    assert ours.indices == labels
    # SimpleITK calls ties undecided.
    assert np.mean(ours.labels.data != theirs) < 1e-3
    for rater in range(4):
        matrix = np.reshape(filtered.GetConfusionMatrix(rater), (-1, 6))
        np.testing.assert_allclose(matrix[np.ix_(labels, labels)], ours.performance[rater], atol=0.01)


def test_many_raters_and_agreement():
    true = truth()
    many = staple(raters(true, (0.3,) * 25))
    assert np.mean(many.labels.data != true) < 1e-3
    same = staple([LabelMap(true, np.eye(4), TABLE)] * 3)
    np.testing.assert_array_equal(same.labels.data, true)
    empty = staple([LabelMap(np.zeros(SHAPE, bool), np.eye(4), TABLE)] * 2)
    assert not empty.labels.data.any()
    assert empty.labels.data.dtype == bool


def test_what_cannot_be_fused():
    one = LabelMap(truth(), np.eye(4), TABLE)
    with pytest.raises(InputError, match="at least two"):
        staple([one])
    with pytest.raises(InputError, match="another grid"):
        staple([one, LabelMap(truth(), np.diag([2.0, 1, 1, 1]), TABLE)])
