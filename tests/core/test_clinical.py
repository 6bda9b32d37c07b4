"""Values in words, rows for tables, lengths of lines."""

import numpy as np
import pytest

from cormack.core.clinical import ClinicalMeasure, MeasuredLine, MeasuredPlane


@pytest.mark.parametrize(
    ("value", "unit", "side", "text"),
    [
        (0.3141, "", "", "0.314"),
        (57.46, "ml", "", "57.5 ml"),
        (97.4, "°", "", "97°"),
        (-5.83, "%", "", "-5.8 %"),
        (4.25, "mm", "right", "4.2 mm to the right"),
    ],
)
def test_text(value, unit, side, text):
    assert ClinicalMeasure("x", value, unit, "", side=side).text == text


def test_what_was_not_measured_says_why_in_its_row():
    measure = ClinicalMeasure("x", None, "mm", "distance", reason="no septum")
    assert measure.text == "not measured: no septum"
    assert (measure.measurement.value, measure.measurement.definition) == (None, "no septum")
    assert ClinicalMeasure("x", 1.0, "mm", "distance").measurement.definition == "distance"


def test_length_of_a_bent_line():
    assert MeasuredLine("x", np.array([[0.0, 0, 0], [3, 4, 0], [3, 4, 12]])).length_mm == pytest.approx(17)


def test_normal_of_an_axial_plane_is_superior():
    plane = MeasuredPlane("axial", np.zeros(3), np.array([1.0, 0, 0]), np.array([0.0, 1, 0]))
    assert plane.normal.tolist() == [0, 0, 1]
