"""Charts: what is drawn is what was counted."""

import itertools
import re

import numpy as np
import pytest

from cormack.core.measures import Histogram
from cormack.report.charts import HEIGHT, WIDTH, brain_chart, distance_bars, head_chart, side_view
from cormack.report.content import StackFacts


def points(area):
    return np.array([[float(v) for v in p.split()] for p in re.split("[MLZ]", area) if p])


@pytest.fixture(scope="module")
def histogram():
    hu = np.arange(-1024, 3072)
    counts = (1e5 * np.exp(-((hu - 35) ** 2) / 128) + 50 * (hu > 300) * (hu < 1500)).astype(np.int64)
    return Histogram("head", -1024, counts, 0.001)


def test_peak_stands_where_the_tissue_is(histogram):
    drawn = points(brain_chart(histogram).area)
    x, _ = drawn[drawn[:, 1].argmin()]
    assert x / WIDTH * 130 - 20 == pytest.approx(35, abs=1)
    assert drawn[:, 1].min() == pytest.approx(HEIGHT * (1 - 1 / 1.05), abs=1)


def test_head_axis_is_stretched_as_cormack_units(histogram):
    chart = head_chart(histogram)
    places = {label: x for x, label in chart.x_ticks}
    assert (places["50"] - places["0"]) / (places["1000"] - places["500"]) == pytest.approx(1.0)
    assert (places["−100"] - places["−500"]) / (places["0"] - places["−50"]) == pytest.approx(0.8)
    drawn = points(chart.area)
    assert drawn[:, 0].min() >= 0
    assert drawn[:, 0].max() <= WIDTH
    assert drawn[:, 1].min() == pytest.approx(0, abs=4)


def test_labels_of_ranges_do_not_overlap(histogram):
    for chart in (head_chart(histogram), brain_chart(histogram)):
        for row in range(chart.rows):
            bands = [b for b in chart.bands if b.row == row]
            for left, right in itertools.pairwise(bands):
                gap = (right.x + right.width / 2) - (left.x + left.width / 2)
                assert gap >= 3.1 * (len(left.name) + len(right.name))


def test_empty_histogram_is_drawn_flat():
    empty = Histogram("brain", -1024, np.zeros(4096, np.int64), 0.001)
    assert "which is empty" in brain_chart(empty).alt
    assert np.all(points(head_chart(empty).area)[:, 1] == HEIGHT)


def facts(positions, **more):
    return StackFacts((4, 4, len(positions)), (1.0, 1.0), tuple(positions), 0.0, True, **more)


def test_distances_are_drawn_only_where_they_differ():
    assert distance_bars(facts([0, 2, 4, 6.01])) is None
    bars = distance_bars(facts([0, 2, 4, 8]))
    heights = [h for _, _, h in bars.bars]
    assert heights[2] == pytest.approx(2 * heights[0])
    assert "2.00 to 4.00 mm" in bars.alt


def test_side_view_leans_as_the_stack_does(content):
    view = side_view(content.stack)
    assert view.letters == ("A", "P", "S", "I")
    assert len(view.lines) == 5
    first, last = view.lines[0], view.lines[-1]
    # Slice after slice goes 15 mm along the normal and 3 mm along it; lengths are those of 50 pixels of 2 mm.
    assert abs(first[1] - last[1]) == pytest.approx(15)
    assert abs(first[0] - last[0]) == pytest.approx(3)
    assert abs(first[2] - first[0]) == pytest.approx(98)
    assert side_view(facts([0, 1])) is None
