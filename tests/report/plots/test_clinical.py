"""Pictures of clinical measures: lines where they were measured, sides where the letters say, words of the caption."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from cormack.core.clinical import ClinicalMeasure, MeasuredLine, MeasuredPlane
from cormack.core.errors import InputError
from cormack.core.labels import Label, LabelMap, LabelTable
from cormack.core.volume import Volume
from cormack.report.plots.clinical import measure_caption, measure_picture, plot_measure

TABLE = LabelTable((Label(1, "brain", "b", (200, 200, 200)), Label(2, "right mark", "r", (255, 0, 0))))
TURN = np.radians(20)
#: An axial plane of a head that is bent by 20 degrees to the side.
PLANE = MeasuredPlane(
    "axial",
    np.array([0.0, 0.0, 5.0]),
    np.array([np.cos(TURN), 0, np.sin(TURN)]),
    np.array([0.0, 1.0, 0.0]),
)
WIDTH = MeasuredLine("width", PLANE.point_mm + np.outer([-20, 20], PLANE.right))
MEASURE = ClinicalMeasure("width ratio", 0.5, "", "width by width", "10.1000/x", plane=PLANE, lines=(WIDTH,))


@pytest.fixture(scope="module")
def labels():
    data = np.zeros((60, 80, 60), np.uint8)
    data[5:55, 5:75, 5:55] = 1
    data[45:55, 35:45, 5:55] = 2
    affine = np.eye(4)
    affine[:3, 3] = (-30, -40, -25)
    return LabelMap(data, affine, TABLE)


def test_lines_are_drawn_at_their_length_in_the_middle_of_what_is_labelled(labels):
    ax = plot_measure(MEASURE, labels)
    drawn = [line.get_xydata() for line in ax.lines if len(line.get_xydata()) == 2 and line.get_marker() == "o"]
    assert len(drawn) == 1
    assert np.linalg.norm(drawn[0][1] - drawn[0][0]) == pytest.approx(40, abs=1e-6)
    assert drawn[0][0][0] > drawn[0][1][0]  # the patient's right is on the left
    assert ax.get_title() == "width ratio: 0.500"


def test_the_right_side_is_on_the_left_of_the_picture(labels):
    picture = plot_measure(MEASURE, labels).images[0].get_array()
    red = np.argwhere((picture[..., 0] > 120) & (picture[..., 1] < 20))
    assert len(red) > 50
    assert red[:, 1].max() < picture.shape[1] / 2


def test_a_scan_is_shown_below_the_labels(labels):
    volume = Volume(np.full(labels.data.shape, 40, np.int16), labels.affine)
    grey = plot_measure(MEASURE, labels, volume).images[0].get_array()
    alone = plot_measure(MEASURE, labels).images[0].get_array()
    assert grey.shape == alone.shape
    middle = tuple(n // 2 + 9 for n in grey.shape[:2])
    assert 100 < grey[middle].mean() < 160  # half of the brain window, with a little tint


def test_picture_is_the_same_twice_and_a_png(labels):
    first = measure_picture(MEASURE, labels)
    assert first == measure_picture(MEASURE, labels)
    with Image.open(BytesIO(first)) as image:
        assert image.format == "PNG"
        assert min(image.size) > 300


def test_caption_says_value_definition_and_reference():
    assert measure_caption(MEASURE) == "Width ratio: 0.500. Width by width (doi 10.1000/x)."
    shift = ClinicalMeasure("midline shift", 3.04, "mm", "distance", side="left")
    assert measure_caption(shift) == "Midline shift: 3.0 mm to the left. Distance."


def test_what_has_no_plane_is_refused(labels):
    missing = ClinicalMeasure("callosal angle", None, "°", "angle", reason="no ventricle")
    with pytest.raises(InputError, match="not measured: no ventricle"):
        plot_measure(missing, labels)
