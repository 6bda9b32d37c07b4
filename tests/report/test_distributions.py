"""Box and violin plots as SVG."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from cormack.report.distributions import COLORS, distribution_svg

RNG = np.random.default_rng(0)
GROUPS = {
    "brain": {"bet": RNG.normal(0.95, 0.01, 12), "network": RNG.normal(0.98, 0.005, 12)},
    "ventricular system": {"bet": [0.8, np.nan, 0.85], "network": [np.nan]},
}


def points(svg, color):
    """Markers of a colour: matplotlib draws one `use` for each."""
    root = ElementTree.fromstring(svg)
    uses = root.iter("{http://www.w3.org/2000/svg}use")
    return sum(1 for use in uses if f"fill: {color}; fill-opacity: 0.8" in use.get("style", ""))


@pytest.mark.parametrize("kind", ["box", "violin"])
def test_every_value_is_a_point_and_nan_is_none(kind):
    svg = distribution_svg(GROUPS, label="Sørensen–Dice", kind=kind)
    assert points(svg, COLORS[0]) == 12 + 2
    assert points(svg, COLORS[1]) == 12
    texts = re.findall(r"<text[^>]*>([^<]+)</text>", svg)
    assert {"brain", "ventricular system", "Sørensen–Dice", "bet", "network"} <= set(texts)


def test_the_same_values_give_the_same_file():
    assert distribution_svg(GROUPS, label="x", kind="violin") == distribution_svg(GROUPS, label="x", kind="violin")


def test_few_or_equal_values_are_a_box_and_one_series_has_no_legend():
    few = {"brain": {"all": [0.9, 0.91]}, "c": {"all": [0.5] * 9}}
    assert distribution_svg(few, label="x", kind="violin") == distribution_svg(few, label="x", kind="box")
    assert ">all<" not in distribution_svg(few, label="x")


def test_nothing_to_draw_is_an_empty_plot():
    assert "<svg" in distribution_svg({}, label="x")
    assert "<svg" in distribution_svg({"brain": {"bet": [np.nan]}}, label="x")
