"""Histograms against numpy's own statistics."""

import numpy as np
import pytest

from cormack.core.findings import Measurement
from cormack.core.measures import Histogram, ScanMeasures


@pytest.fixture
def values():
    return np.random.default_rng(3).normal(35, 8, 10_001).round().astype(int)


@pytest.fixture
def histogram(values):
    return Histogram("brain", -100, np.bincount(values + 100, minlength=300), 0.001)


def test_moments_and_percentiles_are_numpys(values, histogram):
    mean, deviation = histogram.moments()
    assert mean == pytest.approx(values.mean())
    assert deviation == pytest.approx(values.std())
    for percent in (5, 25, 50, 95):
        expected = np.percentile(values, percent, method="inverted_cdf")
        assert histogram.percentile(percent) == expected


def test_fraction_counts_both_ends(values, histogram):
    assert histogram.fraction(30, 40) == pytest.approx(((values >= 30) & (values <= 40)).mean())
    assert histogram.total == len(values)
    assert histogram.values[0] == -100


def test_empty_histogram_has_no_statistics():
    empty = Histogram("brain", 0, np.zeros(10, dtype=np.int64), 1.0)
    assert empty.moments() is None
    assert empty.percentile(50) is None
    assert empty.fraction(0, 5) == 0.0


def test_value_by_name(histogram):
    measures = ScanMeasures((Measurement("noise HU", 4.0, "HU", "x"),), histogram, histogram, ())
    assert measures.value("noise HU") == 4.0
    with pytest.raises(KeyError):
        measures.value("mood")
