"""Histograms and statistics of HU inside a mask against numpy."""

import numpy as np
import pytest

from analytic_heads import make_head
from cormack.measure.boxes import Region, region
from cormack.measure.intensity import histogram, intensity_measurements


@pytest.fixture(scope="module")
def head():
    return make_head((3, 3, 3), noise_hu=6)


@pytest.mark.parametrize("order", ["C", "F"])
def test_statistics_are_those_of_the_voxels(head, order):
    volume = head.volume.with_data(np.asarray(head.volume.data, order=order))
    inside = volume.data[head.brain.mask()]
    found = {m.name: m.value for m in intensity_measurements(histogram(volume, region(volume, head.brain), "brain"))}
    assert found["mean HU"] == pytest.approx(inside.mean())
    assert found["standard deviation HU"] == pytest.approx(inside.std())
    assert found["median HU"] == np.percentile(inside, 50, method="inverted_cdf")
    assert found["95th percentile HU"] == np.percentile(inside, 95, method="inverted_cdf")


def test_values_beyond_the_range_are_clamped_and_nan_is_air(head):
    data = head.volume.data.astype(np.float32)
    where = np.argwhere(head.brain.mask())[:3]
    data[tuple(where[0])], data[tuple(where[1])], data[tuple(where[2])] = 9000, -5000, np.nan
    counted = histogram(head.volume.with_data(data), region(head.volume, head.brain), "brain")
    assert counted.counts[-1] == 1
    assert counted.counts[0] == 2
    assert counted.total == np.count_nonzero(head.brain.data)


def test_empty_mask_is_not_measured_and_says_why(head):
    empty = Region((slice(0, 0),) * 3, np.zeros((0, 0, 0), bool))
    found = intensity_measurements(histogram(head.volume, empty, "brain"))
    assert all(m.value is None and "empty" in m.definition for m in found)
