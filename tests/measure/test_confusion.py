from __future__ import annotations

from math import inf, isnan

import pytest

from cormack.measure.confusion import Confusion


def test_shares_by_hand():
    table = Confusion(true_positive=60, false_positive=10, false_negative=20, true_negative=110)
    assert table.reference == 80
    assert table.predicted == 70
    assert table.dice == 120 / 150
    assert table.jaccard == 60 / 90
    assert table.sensitivity == 0.75
    assert table.specificity == pytest.approx(110 / 120)
    assert table.precision == 60 / 70


def test_likelihood_ratios_by_hand():
    # Under the roots: 1/60 - 1/80 + 1/10 - 1/120 and 1/20 - 1/80 + 1/110 - 1/120.
    table = Confusion(60, 10, 20, 110)
    positive, negative = table.positive_likelihood_ratio, table.negative_likelihood_ratio
    assert positive.value == pytest.approx(9.0)
    assert (positive.low, positive.high) == pytest.approx((4.9061, 16.510), rel=1e-4)
    assert negative.value == pytest.approx(3 / 11)
    assert (negative.low, negative.high) == pytest.approx((0.18588, 0.40015), rel=1e-4)


def test_what_divides_by_zero_is_not_a_number():
    nothing = Confusion(0, 0, 0, 100)
    for value in (nothing.dice, nothing.jaccard, nothing.sensitivity, nothing.precision):
        assert isnan(value)
    assert nothing.specificity == 1
    assert isnan(nothing.positive_likelihood_ratio.value)
    perfect = Confusion(10, 0, 0, 90)
    assert perfect.positive_likelihood_ratio.value == inf
    assert isnan(perfect.positive_likelihood_ratio.low)
    assert perfect.negative_likelihood_ratio.value == 0
    missed = Confusion(0, 5, 10, 85)
    assert missed.positive_likelihood_ratio.value == 0
    assert isnan(Confusion(0, 0, 10, 90).positive_likelihood_ratio.value)
