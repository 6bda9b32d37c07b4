from __future__ import annotations

from math import isnan

import numpy as np
import pytest

from cormack.measure.agreement import StructureAgreement
from cormack.measure.cohort import Case, compare_methods, methods, regress, structures, summarise, values_of
from cormack.measure.confusion import Confusion
from cormack.measure.metrics import METRICS

BY_NAME = {metric.name: metric for metric in METRICS}


def case(subject, method, index, right, wrong, hausdorff_mm=float("nan")):
    """A structure of which `right` voxels are found and `wrong` are missed."""
    name = {1: "brain", 2: "lesion"}[index]
    return Case(subject, method, StructureAgreement(index, name, Confusion(right, 0, wrong, 100), 0.001, hausdorff_mm))


CASES = [
    *(case(str(n), "good", 1, 90 + n, 10 - n, 1.0 + n) for n in range(5)),
    *(case(str(n), "poor", 1, 70 + n, 30 - n, 4.0 + 2 * n) for n in range(4)),
    case("0", "good", 2, 0, 0),
]


def test_structures_and_methods_in_order():
    assert structures(CASES) == {1: "brain", 2: "lesion"}
    assert methods(CASES) == ("good", "poor")
    assert values_of(CASES, BY_NAME["sensitivity"], "poor", 1) == {"0": 0.7, "1": 0.71, "2": 0.72, "3": 0.73}


def test_summaries_leave_out_what_is_undefined():
    good, poor, none, absent = summarise(CASES, [BY_NAME["sensitivity"]])
    assert (good.method, good.structure, good.subjects, good.undefined) == ("good", "brain", 5, 0)
    assert good.mean == pytest.approx(0.92)
    assert good.standard_deviation == pytest.approx(np.std([0.9, 0.91, 0.92, 0.93, 0.94], ddof=1))
    assert good.quartiles == pytest.approx((0.91, 0.92, 0.93))
    assert (good.minimum, good.maximum) == (0.9, 0.94)
    assert poor.subjects == 4
    assert (none.subjects, none.undefined) == (1, 1)
    assert isnan(none.mean)
    assert absent.subjects == 0


def test_methods_are_tested_on_the_subjects_that_both_have():
    brain, _, distance, _ = compare_methods(CASES, [BY_NAME["dice"], BY_NAME["hausdorff_mm"]])
    assert (brain.first, brain.second, brain.structure) == ("good", "poor", "brain")
    assert brain.test.pairs == 4
    # All four differences have one sign: p = 2 / 16; two tests of this kind are corrected to twice that.
    assert brain.test.p_value == pytest.approx(0.125)
    assert brain.p_holm == pytest.approx(0.25)
    assert distance.test.mean_difference == pytest.approx(np.mean([3, 4, 5, 6]))


def test_structures_that_one_method_lacks_have_no_test():
    (*_, lesion) = compare_methods(CASES, [BY_NAME["dice"]])
    assert (lesion.structure, lesion.test.pairs) == ("lesion", 0)
    assert isnan(lesion.p_holm)


def test_regression_where_there_is_something_to_regress():
    found = regress(CASES, BY_NAME["dice"])
    assert [c.level for c in found.coefficients] == ["poor"]
    assert found.coefficients[0].estimate < 0
    assert found.left_out == 1
    assert regress(CASES[:5], BY_NAME["dice"]) is None
    assert regress([CASES[0], CASES[-1]], BY_NAME["dice"]) is None
