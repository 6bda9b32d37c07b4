"""Tests of differences between methods measured on the same subjects, and regression on categories.

As in Cai et al. 2020 (doi 10.1148/ryai.2020190183) and Kaliyugarasan et al. 2020: paired tests corrected after Holm,
and linear regression on categorical factors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import Literal

import numpy as np

from cormack.core.errors import InputError
from cormack.core.volume import FloatArray

#: Fewer pairs than this give no test.
LEAST_PAIRS = 3


@dataclass(frozen=True)
class PairedTest:
    """Two methods on the same subjects.

    Attributes
    ----------
    pairs, left_out : int
        Subjects for which both values are numbers, and the others, which do not count.
    mean_difference, median_difference : float
        Second minus first.
    statistic, p_value : float
        Two-sided; NaN with fewer than `LEAST_PAIRS` pairs. Where nothing differs at all, p is 1.
    """

    pairs: int
    left_out: int
    mean_difference: float = nan
    median_difference: float = nan
    statistic: float = nan
    p_value: float = nan


def paired_test(
    first: Sequence[float], second: Sequence[float], test: Literal["wilcoxon", "t"] = "wilcoxon"
) -> PairedTest:
    """Test whether the second values differ from the first.

    Parameters
    ----------
    first, second : sequence of float
        One value per subject, in the same order; pairs with NaN are left out.
    test : "wilcoxon" or "t"
        Wilcoxon's signed ranks, or Student's t of the differences.

    Raises
    ------
    InputError
        If there are not as many values of both.
    """
    from scipy import stats

    a, b = (np.asarray(values, dtype=np.float64) for values in (first, second))
    if a.shape != b.shape:
        raise InputError(f"paired tests need one value of both per subject, not {a.size} and {b.size}")
    difference = (b - a)[np.isfinite(a) & np.isfinite(b)]
    pairs, left_out = difference.size, a.size - difference.size
    if not pairs:
        return PairedTest(0, left_out)
    centre = float(difference.mean()), float(np.median(difference))
    if pairs < LEAST_PAIRS:
        return PairedTest(pairs, left_out, *centre)
    if not difference.any():
        return PairedTest(pairs, left_out, *centre, 0.0, 1.0)
    if test == "t":
        spread = difference.std(ddof=1) / np.sqrt(pairs)
        # Equal differences everywhere leave no spread: infinitely sure.
        statistic = float(difference.mean() / spread) if spread > 0 else float(np.copysign(np.inf, centre[0]))
        return PairedTest(pairs, left_out, *centre, statistic, 2 * float(stats.t.sf(abs(statistic), pairs - 1)))
    found = stats.wilcoxon(difference)
    return PairedTest(pairs, left_out, *centre, float(found.statistic), float(found.pvalue))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """P values corrected for their number by Holm's step-down method (1979, jstor 4615733); NaN stays and counts not.

    >>> holm([0.01, 0.04, 0.03])
    (0.03, 0.06, 0.06)
    """
    values = np.asarray(p_values, dtype=np.float64)
    tested = np.flatnonzero(np.isfinite(values))
    order = tested[np.argsort(values[tested], kind="stable")]
    corrected = np.full(values.shape, nan)
    corrected[order] = np.minimum(np.maximum.accumulate(values[order] * np.arange(len(order), 0, -1)), 1.0)
    return tuple(corrected.tolist())


@dataclass(frozen=True)
class Coefficient:
    """How much a level of a factor differs from the factor's first level, other factors being equal; 95 % interval."""

    factor: str
    level: str
    estimate: float
    standard_error: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True)
class Regression:
    """Linear regression on categorical factors.

    Attributes
    ----------
    intercept : float
        Expected value where every factor has its first level.
    coefficients : tuple of Coefficient
    factor_p : mapping of str to float
        P value of each factor as a whole (F test of the model against that without it).
    r_squared : float
    values, left_out : int
        Values that count, and NaN.
    """

    intercept: float
    coefficients: tuple[Coefficient, ...]
    factor_p: Mapping[str, float]
    r_squared: float
    values: int
    left_out: int


def categorical_regression(values: Sequence[float], factors: Mapping[str, Sequence[str]]) -> Regression:
    """Regress values on categorical factors by least squares, each level against the factor's first one.

    Parameters
    ----------
    values : sequence of float
        Such as Dice coefficients; NaN does not count.
    factors : mapping of str to sequence of str
        Levels of each factor (method, structure, site), one per value; the first level is the one that comes first.

    Raises
    ------
    InputError
        If lengths differ, a factor has one level only, factors cannot be told apart, or too few values remain.
    """
    from scipy import stats

    y = np.asarray(values, dtype=np.float64)
    if any(len(levels) != y.size for levels in factors.values()):
        raise InputError(f"{y.size} values need as many levels of every factor ({', '.join(factors)})")
    kept = np.isfinite(y)
    y, left_out = y[kept], int(np.count_nonzero(~kept))
    columns, matrix = _design({factor: np.asarray(levels)[kept].tolist() for factor, levels in factors.items()}, y.size)
    free = y.size - matrix.shape[1]
    if free < 1 or np.linalg.matrix_rank(matrix) < matrix.shape[1]:
        raise InputError(
            f"{y.size} values are too few for {matrix.shape[1]} coefficients, or two factors always change together"
        )
    estimates, residual = _fitted(matrix, y)
    errors = np.sqrt(np.diag(np.linalg.inv(matrix.T @ matrix)) * residual / free)
    reach = stats.t.ppf(0.975, free) * errors
    with np.errstate(divide="ignore", invalid="ignore"):
        p_values = 2 * stats.t.sf(np.abs(estimates / errors), free)
    numbers = np.stack([estimates, errors, estimates - reach, estimates + reach, p_values], axis=1)[1:].tolist()
    total = float(((y - y.mean()) ** 2).sum())
    return Regression(
        float(estimates[0]),
        tuple(Coefficient(*column, *row) for column, row in zip(columns, numbers, strict=True)),
        {factor: _factor_p(matrix, y, residual, free, [f == factor for f, _ in columns]) for factor in factors},
        1 - residual / total if total > 0 else nan,
        y.size,
        left_out,
    )


def _design(factors: Mapping[str, list[str]], count: int) -> tuple[list[tuple[str, str]], FloatArray]:
    """Factor and level of every column but the first, and the columns: 1, then whether each value has that level."""
    columns: list[tuple[str, str]] = []
    design = [np.ones(count)]
    for factor, levels in factors.items():
        others = list(dict.fromkeys(levels))[1:]
        if not others:
            raise InputError(
                f"factor {factor}: all values that count have one level; give two or more, or leave it out"
            )
        columns += [(factor, level) for level in others]
        design += [np.array([level == other for level in levels], dtype=np.float64) for other in others]
    return columns, np.stack(design, axis=1)


def _fitted(matrix: FloatArray, y: FloatArray) -> tuple[FloatArray, float]:
    """Coefficients of least squares and the sum of the squared residuals."""
    estimates = np.asarray(np.linalg.lstsq(matrix, y, rcond=None)[0], dtype=np.float64)
    return estimates, float(((y - matrix @ estimates) ** 2).sum())


def _factor_p(matrix: FloatArray, y: FloatArray, residual: float, free: int, of_factor: Sequence[bool]) -> float:
    """F test of the whole model against the one without a factor."""
    from scipy import stats

    _, without = _fitted(matrix[:, ~np.array([False, *of_factor])], y)
    if residual <= 0:
        return nan
    count = sum(of_factor)
    return float(stats.f.sf((without - residual) / count / (residual / free), count, free))
