"""Brains without skull are told from heads, and from MR."""

from __future__ import annotations

import numpy as np
import pytest

from cormack.core.errors import ValuesError
from cormack.imaging.stripped import alone, outside_of_brain


def brain(outside: float, *, cut: bool = False) -> np.ndarray:
    i, j, k = np.meshgrid(*(np.arange(40) - 20.0,) * 3, indexing="ij")
    inside = i**2 + j**2 + (k + 6 * cut) ** 2 < 15.0**2
    values = 35 + 6 * np.random.default_rng(0).standard_normal(inside.shape)
    return np.where(inside, values, outside)


@pytest.mark.parametrize("outside", [0.0, -1000.0, -1024.0, np.nan])
@pytest.mark.parametrize("cut", [False, True])
def test_a_constant_around_a_brain_is_seen(outside, cut):
    data = brain(outside, cut=cut)
    np.testing.assert_equal(outside_of_brain(data), outside)
    truth = ~np.isnan(data) if np.isnan(outside) else data != outside
    assert np.count_nonzero(alone(data, outside) != truth) < 5


def test_heads_are_no_brains_alone():
    data = brain(-1000.0)
    i, j, k = np.meshgrid(*(np.arange(40) - 20.0,) * 3, indexing="ij")
    radius = np.sqrt(i**2 + j**2 + k**2)
    data[(radius >= 15) & (radius < 18)] = 1000
    assert outside_of_brain(data) is None
    assert outside_of_brain(np.random.default_rng(0).normal(0, 300, (20, 20, 20))) is None
    assert outside_of_brain(np.zeros((5, 5, 5))) is None


def test_holes_belong_to_the_brain_and_specks_do_not():
    data = brain(0.0)
    data[20, 20, 20] = 0
    data[2, 2, 2] = 30
    found = alone(data, 0.0)
    assert found[20, 20, 20]
    assert not found[2, 2, 2]


@pytest.mark.parametrize("scale", [3.0, 0.1])
def test_brains_of_other_values_are_refused(scale):
    data = brain(0.0)
    spread = np.where(data == 0, 0, 20 + (data - 35) * 5) if scale < 1 else np.where(data == 0, 0, data * scale)
    with pytest.raises(ValuesError, match="brain alone"):
        outside_of_brain(spread)
