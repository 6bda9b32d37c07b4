from __future__ import annotations

from math import inf, isnan, nan

import numpy as np
import pytest
from scipy import stats

from cormack.core.errors import InputError
from cormack.measure.statistics import categorical_regression, holm, paired_test

RNG = np.random.default_rng(3)
FIRST = RNG.normal(0.9, 0.03, 14)
SECOND = FIRST + RNG.normal(0.02, 0.02, 14)


def test_t_is_that_of_scipy():
    found = paired_test(FIRST, SECOND, "t")
    theirs = stats.ttest_rel(SECOND, FIRST)
    assert (found.statistic, found.p_value) == pytest.approx((theirs.statistic, theirs.pvalue))
    assert found.mean_difference == pytest.approx(np.mean(SECOND - FIRST))
    assert found.pairs == 14


def test_wilcoxon_by_hand():
    # Differences 1, 2, -3, 4, 5 have the ranks 1 to 5; the negative ones sum to 3. Of the 32 sign patterns 5 have a
    # smaller or equal sum (0, 1, 2, 3, 1 + 2): p = 2 x 5 / 32.
    found = paired_test([0] * 5, [1, 2, -3, 4, 5])
    assert found.statistic == 3
    assert found.p_value == pytest.approx(10 / 32)
    assert found.median_difference == 2


def test_what_is_missing_is_counted():
    first = [*FIRST, nan, 0.5]
    second = [*SECOND, 0.5, nan]
    found = paired_test(first, second)
    assert (found.pairs, found.left_out) == (14, 2)
    assert found.p_value == paired_test(FIRST, SECOND).p_value
    few = paired_test([1, 2], [2, 4])
    assert few.mean_difference == 1.5
    assert isnan(few.p_value)
    assert paired_test([nan], [1]).pairs == 0
    assert paired_test(FIRST, FIRST).p_value == 1
    constant = paired_test([0.0] * 4, [1.0] * 4, "t")
    assert constant.statistic == inf
    assert constant.p_value == 0
    with pytest.raises(InputError, match="one value of both"):
        paired_test([1, 2], [1])


def test_holm_is_that_of_statsmodels():
    multitest = pytest.importorskip("statsmodels.stats.multitest")
    p_values = RNG.uniform(0, 0.2, 9)
    np.testing.assert_allclose(holm(p_values), multitest.multipletests(p_values, method="holm")[1])
    corrected = holm([0.01, nan, 0.02])
    assert corrected[0] == 0.02
    assert isnan(corrected[1])


def test_regression_is_that_of_statsmodels():
    linear = pytest.importorskip("statsmodels.regression.linear_model")
    method = [m for m in ("bet", "skull", "network") for _ in range(8)]
    site = ["a", "b"] * 12
    values = 0.9 + 0.05 * np.array([m == "network" for m in method]) + RNG.normal(0, 0.02, 24)
    found = categorical_regression([*values, nan], {"method": [*method, "bet"], "site": [*site, "a"]})
    columns = [np.ones(24)]
    columns += [np.array(f) == level for f, level in ((method, "skull"), (method, "network"), (site, "b"))]
    theirs = linear.OLS(values, np.stack(columns, axis=1).astype(float)).fit()
    assert [(c.factor, c.level) for c in found.coefficients] == [
        ("method", "skull"),
        ("method", "network"),
        ("site", "b"),
    ]
    assert found.intercept == pytest.approx(theirs.params[0])
    np.testing.assert_allclose([c.estimate for c in found.coefficients], theirs.params[1:])
    np.testing.assert_allclose([c.standard_error for c in found.coefficients], theirs.bse[1:])
    np.testing.assert_allclose([c.p_value for c in found.coefficients], theirs.pvalues[1:])
    np.testing.assert_allclose([(c.low, c.high) for c in found.coefficients], theirs.conf_int()[1:])
    assert found.r_squared == pytest.approx(theirs.rsquared)
    assert found.factor_p["site"] == pytest.approx(theirs.pvalues[3])
    both = theirs.f_test(np.eye(4)[1:3])
    assert found.factor_p["method"] == pytest.approx(float(both.pvalue))
    assert (found.values, found.left_out) == (24, 1)


def test_regression_of_one_factor_is_the_analysis_of_variance():
    groups = [RNG.normal(m, 1, 7) for m in (0, 0.5, 1)]
    found = categorical_regression(np.concatenate(groups), {"group": [g for g in "abc" for _ in range(7)]})
    assert found.factor_p["group"] == pytest.approx(stats.f_oneway(*groups).pvalue)


def test_what_cannot_be_regressed():
    with pytest.raises(InputError, match="as many levels"):
        categorical_regression([1, 2], {"f": ["a"]})
    with pytest.raises(InputError, match="have one level"):
        categorical_regression([1, 2, nan], {"f": ["a", "a", "b"]})
    with pytest.raises(InputError, match="too few for 2 coefficients"):
        categorical_regression([1, 2], {"f": ["a", "b"]})
    with pytest.raises(InputError, match="always change together"):
        categorical_regression([1, 2, 3, 4], {"f": list("abab"), "g": list("cdcd")})
