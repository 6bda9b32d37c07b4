"""Labels painted over sections, surfaces in colours, and the part of a report about structures."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from cormack.core.clinical import ClinicalMeasure
from cormack.core.labels import LabelMap
from cormack.core.neuroanatomy import NEUROANATOMY, NEUROANATOMY_FINE
from cormack.core.volume import Volume
from cormack.imaging.windows import WINDOWS
from cormack.report.painted_labels import painted_labels
from cormack.report.planes import AXIAL, panel
from cormack.report.structure_surfaces import structure_surfaces
from cormack.report.structures import StructureRow, StructuresContent, structure_section

FRONTAL, CAUDATE = NEUROANATOMY_FINE["frontal lobe"], NEUROANATOMY_FINE["caudate nucleus"]


def picture(uri: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2]))).convert("RGB")).astype(int)


@pytest.fixture
def labels() -> LabelMap:
    """A block of frontal lobe, a caudate nucleus to its right, in front and above its middle."""
    data = np.zeros((60, 70, 40), dtype=np.uint8)
    data[10:40, 10:60, 10:30] = FRONTAL.index
    data[45:55, 50:60, 22:30] = CAUDATE.index
    return LabelMap(data, np.diag([1.0, 1.0, 1.0, 1.0]), NEUROANATOMY_FINE)


def near(pixels: np.ndarray, color: tuple[int, int, int]) -> np.ndarray:
    """Where a picture has the hue of a colour, at any brightness."""
    size = np.linalg.norm(pixels, axis=2)
    cosine = pixels @ np.array(color) / np.maximum(size * np.linalg.norm(color), 1)
    return (cosine > 0.97) & (size > 40)


def test_edges_have_the_whole_colour_and_the_inside_a_tint(labels):
    grey = np.full((40, 50), 100, dtype=np.uint8)
    marks = np.zeros((40, 50), dtype=np.uint8)
    marks[10:20, 10:20] = CAUDATE.index
    painted = painted_labels(grey, marks, labels)
    assert tuple(painted[10, 10]) == CAUDATE.color
    assert tuple(painted[0, 0]) == (100, 100, 100)
    np.testing.assert_allclose(painted[15, 15], 70 + 0.3 * np.array(CAUDATE.color), atol=1)


def test_sections_show_labels_on_the_side_where_they_are(labels):
    volume = Volume(np.full(labels.data.shape, 30, dtype=np.int16), labels.affine)
    box = tuple(slice(0, n) for n in labels.data.shape)
    shown = picture(panel(volume, AXIAL, 25, box, WINDOWS["brain"], {}, alt="", painted=labels).image)
    rows, columns = np.nonzero(near(shown, CAUDATE.color))
    # The patient's right and front are at the left and at the top.
    assert columns.mean() < 0.3 * shown.shape[1]
    assert rows.mean() < 0.3 * shown.shape[0]


def test_surfaces_are_seen_from_three_sides(labels):
    front, left, above = structure_surfaces(labels, ["frontal lobe", "caudate nucleus"], "the block")
    assert front.alt == "The block in three dimensions, seen from the front."
    for view, letters in ((front, ("R", "L")), (left, ("A", "P")), (above, ("L", "R"))):
        assert view.letters == letters
        shown = picture(view.uri)
        assert shown.shape[:2] == (view.height_mm, view.width_mm)
        assert near(shown, FRONTAL.color).any()
    from_front, from_above = (np.nonzero(near(picture(view.uri), CAUDATE.color))[1] for view in (front, above))
    assert from_front.mean() < front.width_mm / 2 < from_above.mean()
    # From the left the frontal lobe hides the caudate nucleus behind it.
    assert np.count_nonzero(near(picture(left.uri), CAUDATE.color)) < 30
    assert structure_surfaces(labels, ["thalamus"], "nothing") == ()


def test_the_section_has_rows_measures_and_pictures(labels):
    volume = Volume(np.full(labels.data.shape, 30, dtype=np.int16), labels.affine)
    rows = (StructureRow("caudate nucleus", 1.25, 2.0, 0.876), StructureRow("frontal lobe", 10.0, 20.0, routes=0.9))
    measures = (
        ClinicalMeasure("midline shift", None, "mm", "how far", reason="no septum is labelled"),
        ClinicalMeasure("ventricular volume", 12.34, "ml", "voxels", "10.1/x"),
    )
    made = structure_section(volume, StructuresContent(labels, labels, NEUROANATOMY, rows, measures, "By hand"))
    assert [row["name"] for row in made.rows] == ["caudate nucleus", "frontal lobe"]
    assert (made.rows[0]["total"], made.rows[0]["probability"], made.rows[0]["part"]) == ("3.2", "0.88", "")
    assert (made.rows[1]["part"], made.rows[1]["routes"], made.has_routes) == ("part", "0.90", True)
    assert made.measures[0]["value"] == "not measured: no septum is labelled"
    assert made.measures[1]["value"] == "12.3 ml"
    assert made.measured == ()
    assert list(made.surfaces) == ["The brain", "Deep structures"]
    assert len(made.planes) == 3
    assert all(re.fullmatch("#[0-9a-f]{6}", color) for color, _ in made.legend)
