from __future__ import annotations

from math import isnan

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813 - the name that its own documentation uses

from cormack.core.errors import GeometryError, InputError
from cormack.core.labels import Label, LabelMap, LabelTable
from cormack.measure.agreement import compare_labels, drawn_slices
from cormack.measure.metrics import METRICS, metric_values, undefined
from cormack.measure.overlap import average_surface_distance_mm, hausdorff_mm, surface_dice

TABLE = LabelTable(
    (Label(1, "ball", "B", (255, 0, 0)), Label(2, "cube", "C", (0, 255, 0)), Label(7, "none", "N", (0, 0, 9)))
)
AFFINE = np.diag([1.0, 1.5, 2.0, 1.0])


def maps():
    """A ball and a cube, the second map moved and grown a little."""
    made = []
    for shift, edge in ((0, 8), (1, 9)):
        data = np.zeros((40, 36, 30), np.uint8)
        i, j, k = np.indices(data.shape)
        data[(i - 12 - shift) ** 2 + (1.5 * (j - 14)) ** 2 + (2 * (k - 12)) ** 2 < 81] = 1
        data[28 + shift : 28 + edge, 20:28, 18:26] = 2
        made.append(LabelMap(data, AFFINE, TABLE))
    return made


def image(labels):
    made = sitk.GetImageFromArray(labels.data.T)
    made.SetSpacing([1.0, 1.5, 2.0])
    return made


def test_every_structure_as_simpleitk_and_the_single_functions_say():
    reference, predicted = maps()
    overlap = sitk.LabelOverlapMeasuresImageFilter()
    overlap.Execute(image(predicted), image(reference))
    found = compare_labels(reference, predicted, tolerance_mm=1.2)
    assert [a.index for a in found] == [1, 2, 7]
    assert [a.name for a in found] == ["ball", "cube", "none"]
    for agreement in found[:2]:
        key = agreement.index
        assert agreement.dice == pytest.approx(overlap.GetDiceCoefficient(key))
        assert agreement.counts.jaccard == pytest.approx(overlap.GetJaccardCoefficient(key))
        assert 1 - agreement.counts.sensitivity == pytest.approx(overlap.GetFalseNegativeError(key))
        assert 1 - agreement.counts.precision == pytest.approx(overlap.GetFalseDiscoveryRate(key))
        assert 1 - agreement.counts.specificity == pytest.approx(overlap.GetFalsePositiveError(key))
        assert agreement.reference_ml == pytest.approx(reference.volume_ml(key))
        assert agreement.predicted_ml == pytest.approx(predicted.volume_ml(key))
        pair = {"a": reference, "b": predicted, "key": key}
        assert agreement.hausdorff_mm == hausdorff_mm(**pair, percentile=100)
        assert agreement.hausdorff95_mm == hausdorff_mm(**pair)
        assert agreement.average_surface_distance_mm == average_surface_distance_mm(**pair)
        assert agreement.surface_dice == surface_dice(reference, predicted, 1.2, key=key)
        assert undefined(agreement) == {}


def test_what_is_absent_has_no_number_but_a_reason():
    reference, predicted = maps()
    none = compare_labels(reference, predicted)[2]
    values = metric_values(none)
    assert values["reference_ml"] == values["predicted_ml"] == values["difference_ml"] == 0
    assert values["specificity"] == 1
    assert {name for name, value in values.items() if isnan(value)} == set(undefined(none))
    assert set(undefined(none).values()) == {"absent in both"}
    only = LabelMap(np.where(predicted.data == 1, 1, 0).astype(np.uint8), AFFINE, TABLE)
    cube = compare_labels(reference, only)[1]
    assert cube.dice == cube.counts.sensitivity == 0
    assert undefined(cube)["hausdorff_mm"] == "absent in the prediction"
    assert undefined(compare_labels(only, reference)[1])["sensitivity"] == "absent in the reference"
    without = compare_labels(reference, predicted, surfaces=False)[0]
    assert undefined(without)["surface_dice"] == "surfaces were not measured"
    same = compare_labels(reference, reference)[0]
    assert undefined(same)["positive_likelihood_ratio_low"] == "a count of the confusion table is 0"


def test_labels_without_a_name_are_compared_too():
    reference, predicted = maps()
    data = predicted.data.copy()
    data[0, 0, 0] = 9
    found = compare_labels(reference, LabelMap(data, AFFINE, LabelTable(())))
    assert found[-1].name == "label 9"
    assert found[-1].counts.false_positive == 1


def test_a_reference_on_some_slices_is_compared_there_alone():
    reference, predicted = maps()
    kept = (9, 12, 20)
    drawn = np.zeros_like(reference.data)
    drawn[:, :, kept] = reference.data[:, :, kept]
    sparse = LabelMap(drawn, AFFINE, TABLE)
    assert drawn_slices(sparse) == kept
    ball, cube, _ = compare_labels(sparse, predicted, slices=drawn_slices(sparse))
    a, b = (m.data[:, :, kept] == 1 for m in (reference, predicted))
    assert ball.dice == pytest.approx(2 * np.sum(a & b) / (a.sum() + b.sum()))
    assert ball.counts.true_negative == np.sum(~a & ~b)
    # The ball is moved by a millimetre along i within every slice.
    assert ball.hausdorff_mm == 1.0
    assert ball.surface_dice == 1
    assert cube.slices_left_out == 0
    moved = LabelMap(np.roll(predicted.data, 4, axis=2), AFFINE, TABLE)
    cube = compare_labels(reference, moved, slices=(18, 27))[1]
    assert cube.slices_left_out == 2
    assert undefined(cube)["hausdorff_mm"] == "no slice shows it in both"
    with pytest.raises(InputError, match="some of 0 to 29; given are none"):
        compare_labels(reference, predicted, slices=())


def test_undecided_voxels_do_not_count():
    reference, predicted = maps()
    data = reference.data.copy()
    wrong = reference.data != predicted.data
    data[wrong] = 255
    unsure = LabelMap(data, AFFINE, TABLE)
    ball, cube, _ = compare_labels(unsure, predicted, undecided=255)
    assert ball.dice == cube.dice == 1
    assert ball.hausdorff_mm == 0
    total = sum((ball.counts.true_positive, ball.counts.true_negative))
    assert total == data.size - np.count_nonzero(wrong)
    assert compare_labels(unsure, predicted)[-1].index == 255


def test_other_grids_and_tolerances_are_refused():
    reference, predicted = maps()
    with pytest.raises(GeometryError, match="does not lie on the grid"):
        compare_labels(reference, LabelMap(predicted.data[1:], AFFINE, TABLE))
    with pytest.raises(GeometryError, match="does not lie on the grid"):
        compare_labels(reference, LabelMap(predicted.data, np.eye(4), TABLE))
    with pytest.raises(InputError, match="tolerance_mm is -1"):
        compare_labels(reference, predicted, tolerance_mm=-1)


def test_one_structure_with_two_numbers_is_refused():
    reference, predicted = maps()
    other = LabelTable((Label(3, "ball", "B", (0, 0, 0)),))
    with pytest.raises(InputError, match="ball is number 1 in the reference, but 3"):
        compare_labels(reference, LabelMap(predicted.data, AFFINE, other))


def test_metrics_are_named_once():
    names = [metric.name for metric in METRICS]
    assert len(names) == len(set(names))
    assert all(metric.definition for metric in METRICS)
