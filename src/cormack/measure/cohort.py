"""Agreement over many subjects: summaries per structure, and tests of one method against another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import isfinite, nan
from typing import Literal

import numpy as np

from cormack.core.errors import InputError
from cormack.measure.agreement import StructureAgreement
from cormack.measure.metrics import Metric
from cormack.measure.statistics import PairedTest, Regression, categorical_regression, holm, paired_test


@dataclass(frozen=True)
class Case:
    """One structure of one subject as one method drew it."""

    subject: str
    method: str
    agreement: StructureAgreement


@dataclass(frozen=True)
class Summary:
    """A metric of one structure by one method over all subjects; `undefined` counts those for which it is NaN."""

    method: str
    index: int
    structure: str
    metric: str
    subjects: int
    undefined: int
    mean: float = nan
    standard_deviation: float = nan
    minimum: float = nan
    quartiles: tuple[float, float, float] = (nan, nan, nan)
    maximum: float = nan


@dataclass(frozen=True)
class MethodTest:
    """Two methods on the same subjects, for one structure and metric; `p_holm` is corrected over the whole table."""

    first: str
    second: str
    structure: str
    metric: str
    test: PairedTest
    p_holm: float


def structures(cases: Sequence[Case]) -> dict[int, str]:
    """Names of all structures by their number, ascending."""
    return dict(sorted({case.agreement.index: case.agreement.name for case in reversed(cases)}.items()))


def methods(cases: Sequence[Case]) -> tuple[str, ...]:
    """All methods in the order in which they come."""
    return tuple(dict.fromkeys(case.method for case in cases))


def values_of(cases: Sequence[Case], metric: Metric, method: str, index: int) -> dict[str, float]:
    """A metric of one structure by one method, by subject."""
    return {
        case.subject: metric.of(case.agreement)
        for case in cases
        if case.method == method and case.agreement.index == index
    }


def summarise(cases: Sequence[Case], metrics: Sequence[Metric]) -> tuple[Summary, ...]:
    """Summaries of every metric, structure and method."""
    return tuple(
        _summary(method, index, name, metric, list(values_of(cases, metric, method, index).values()))
        for metric in metrics
        for index, name in structures(cases).items()
        for method in methods(cases)
    )


def _summary(method: str, index: int, name: str, metric: Metric, values: Sequence[float]) -> Summary:
    finite = np.array(values)[np.isfinite(values)]
    undefined = len(values) - finite.size
    if not finite.size:
        return Summary(method, index, name, metric.name, len(values), undefined)
    low, middle, high = np.percentile(finite, (25, 50, 75)).tolist()
    return Summary(
        method,
        index,
        name,
        metric.name,
        len(values),
        undefined,
        mean=float(finite.mean()),
        standard_deviation=float(finite.std(ddof=1)) if finite.size > 1 else nan,
        minimum=float(finite.min()),
        quartiles=(low, middle, high),
        maximum=float(finite.max()),
    )


def compare_methods(
    cases: Sequence[Case], metrics: Sequence[Metric], test: Literal["wilcoxon", "t"] = "wilcoxon"
) -> tuple[MethodTest, ...]:
    """Test each two methods on the subjects that both have; p values are corrected after Holm over all tests."""
    done = []
    for metric in metrics:
        for index, name in structures(cases).items():
            for first, second in combinations(methods(cases), 2):
                a, b = (values_of(cases, metric, method, index) for method in (first, second))
                shared = [subject for subject in a if subject in b]
                found = paired_test([a[s] for s in shared], [b[s] for s in shared], test)
                done.append((first, second, name, metric.name, found))
    corrected = holm([found.p_value for *_, found in done])
    return tuple(MethodTest(*row, p) for row, p in zip(done, corrected, strict=True))


def regress(cases: Sequence[Case], metric: Metric) -> Regression | None:
    """Regress a metric on method and structure, as far as there are several of them; None if nothing can be told."""
    values = [metric.of(case.agreement) for case in cases]
    factors = {
        "method": [case.method for case in cases],
        "structure": [case.agreement.name for case in cases],
    }
    several = {
        name: levels
        for name, levels in factors.items()
        if len({level for level, value in zip(levels, values, strict=True) if isfinite(value)}) > 1
    }
    if not several:
        return None
    try:
        return categorical_regression(values, several)
    except InputError:
        return None
