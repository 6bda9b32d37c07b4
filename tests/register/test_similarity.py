import numpy as np
import pytest
from sklearn.metrics import mutual_info_score

from cormack.register.similarity import (
    BINS,
    correlation,
    joint_histogram,
    mutual_information,
    negative_mean_square,
    normalised_mutual_information,
)

RNG = np.random.default_rng(0)


def test_mutual_information_is_that_of_scikit_learn_where_values_fall_on_bins():
    a = RNG.integers(0, BINS, 5000)
    b = np.clip(a + RNG.integers(-3, 4, 5000), 0, BINS - 1)
    ours = mutual_information((a + 0.5) / BINS, b / (BINS - 1))
    assert ours == pytest.approx(mutual_info_score(a, b), rel=1e-9)


def test_limits():
    a = RNG.integers(0, BINS, 200_000)
    b = RNG.integers(0, BINS, 200_000)
    same = (a + 0.5) / BINS, a / (BINS - 1)
    apart = (a + 0.5) / BINS, b / (BINS - 1)
    assert normalised_mutual_information(*same) == pytest.approx(2)
    assert normalised_mutual_information(*apart) == pytest.approx(1, abs=1e-3)
    assert mutual_information(*apart) == pytest.approx(0, abs=5e-3)
    assert joint_histogram(*apart).sum() == pytest.approx(200_000)
    assert negative_mean_square(a, a) == 0
    assert correlation(a, -2.0 * a + 1) == pytest.approx(-1)
    assert correlation(a, np.ones(len(a))) == 0
