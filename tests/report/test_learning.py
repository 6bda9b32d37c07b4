"""Pictures of a training are whole SVG documents that hold what they show."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import numpy as np

from cormack.report.learning import confusion_svg, curves_svg


def test_curves_name_every_structure() -> None:
    rows = [
        {"step": 20.0, "loss": 0.9},
        {"step": 40.0, "loss": 0.5, "validation_loss": 0.6, "dice_B": 0.8, "dice_C": 0.4},
    ]
    svg = curves_svg(rows, ["B", "C"])
    ElementTree.fromstring(svg)
    assert all(word in svg for word in (">B<", ">C<", ">training<", ">validation<"))
    assert svg == curves_svg(rows, ["B", "C"])


def test_a_confusion_matrix_shows_its_shares() -> None:
    svg = confusion_svg(np.array([[0.975, 0.025], [np.nan, np.nan]]), ["background", "brain"])
    ElementTree.fromstring(svg)
    assert ">97.5<" in svg
    assert "nan" not in svg.lower()
