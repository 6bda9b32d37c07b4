"""Heads cut by the box they are scanned in: the areas are those of ellipses, the warnings name the side."""

import numpy as np
import pytest

from analytic_heads import BRAIN_MM, make_head
from cormack.measure.boxes import Region, region
from cormack.measure.coverage import BASE_CUT_CM2, coverage_findings, coverage_measurements, edge_contact


def contacts(head, measured=None):
    volume = head.volume
    return (
        edge_contact(volume, region(volume, head.brain), measured),
        edge_contact(volume, region(volume, head.head), measured),
    )


def codes(head, measured=None):
    return [f.code for f in coverage_findings(*contacts(head, measured))]


def section_cm2(z_mm):
    """Area of the brain's axial section at a height."""
    return np.pi * BRAIN_MM[0] * BRAIN_MM[1] * (1 - (z_mm / BRAIN_MM[2]) ** 2) / 100


WHOLE = {"low_mm": (-90, -110, -95), "high_mm": (90, 110, 95)}
#: The lower end of a brain cut where the ellipsoid is as wide as a foramen magnum.
FORAMEN = {"low_mm": (-90, -110, -69), "high_mm": (90, 110, 95)}


@pytest.mark.parametrize("spacing", [(2, 2, 2), (1, 1, 5), (2, 2, 1)])
def test_a_whole_head_is_not_cut(spacing):
    head = make_head(spacing, **WHOLE)
    assert codes(head) == []
    assert codes(head, np.ones(head.volume.shape, bool)) == []


def test_a_scan_that_begins_at_the_foramen_magnum_is_complete():
    head = make_head((2, 2, 1), **FORAMEN)
    brain, _ = contacts(head)
    assert 2 < brain.area_cm2["base"] < BASE_CUT_CM2
    assert codes(head) == []


@pytest.mark.parametrize("spacing", [(2, 2, 2), (2, 2, 5)])
@pytest.mark.parametrize("rotation", [0, 18])
def test_cut_vertex(spacing, rotation):
    head = make_head(spacing, low_mm=(-90, -125, -110), high_mm=(90, 125, 40), rotation_deg=rotation)
    found = {f.code: f for f in coverage_findings(*contacts(head))}
    assert set(found) == {"vertex-cut", "head-cut"}
    assert "top" in found["head-cut"].message
    if rotation == 0:
        assert found["vertex-cut"].evidence["area_at_edge_cm2"] == pytest.approx(section_cm2(40), rel=0.02)
        t = 40 / BRAIN_MM[2]
        missing_ml = np.pi * np.prod(BRAIN_MM) / 1000 * (2 / 3 - t + t**3 / 3)
        assert found["vertex-cut"].evidence["missing_if_round_ml"] == pytest.approx(missing_ml, rel=0.08)
        assert found["vertex-cut"].evidence["largest_section_cm2"] == pytest.approx(section_cm2(0), rel=0.02)


def test_cut_base():
    head = make_head((2, 2, 2), low_mm=(-90, -110, -40), high_mm=(90, 110, 95))
    assert codes(head) == ["base-cut"]
    assert contacts(head)[0].area_cm2["base"] == pytest.approx(section_cm2(-40), rel=0.02)


@pytest.mark.parametrize(
    ("side", "box"),
    [
        ("left", {"low_mm": (-50, -110, -95), "high_mm": (90, 110, 95)}),
        ("right", {"low_mm": (-90, -110, -95), "high_mm": (50, 110, 95)}),
        ("back", {"low_mm": (-90, -70, -95), "high_mm": (90, 110, 95)}),
        ("front", {"low_mm": (-90, -110, -95), "high_mm": (90, 70, 95)}),
    ],
)
def test_lateral_cuts_name_the_side(side, box):
    found = coverage_findings(*contacts(make_head((2, 2, 2), **box)))
    assert [f.code for f in found] == ["brain-cut-laterally", "head-cut"]
    assert all(side in f.message for f in found)


def test_reconstruction_circle_cuts_inside_the_grid():
    head = make_head((2, 2, 2), **WHOLE)
    circle = np.hypot(head.xyz[..., 0], head.xyz[..., 1]) < 75
    assert codes(head) == []
    found = {f.code: f for f in coverage_findings(*contacts(head, circle & (head.xyz[..., 2] < 60)))}
    assert set(found) == {"vertex-cut", "brain-cut-laterally", "head-cut"}
    assert "back and front" in found["brain-cut-laterally"].message
    assert found["vertex-cut"].evidence["area_at_edge_cm2"] == pytest.approx(section_cm2(59), rel=0.02)


def test_measured_field_and_bare_grid_agree():
    head = make_head((2, 2, 3), low_mm=(-90, -110, -95), high_mm=(90, 110, 30))
    bare, _ = contacts(head)
    given, _ = contacts(head, np.ones(head.volume.shape, bool))
    assert given.area_cm2 == bare.area_cm2


def test_shares_are_measured_in_percent():
    brain, _ = contacts(make_head((2, 2, 2), low_mm=(-90, -110, -95), high_mm=(90, 110, 41)))
    values = {m.name: m.value for m in coverage_measurements(brain)}
    assert values["brain at vertex edge"] == pytest.approx(100 * (1 - (41 / BRAIN_MM[2]) ** 2), rel=0.02)
    assert values["brain at base edge"] == 0


def test_empty_mask_touches_nothing():
    head = make_head((8, 8, 8))
    contact = edge_contact(head.volume, Region((slice(0, 0),) * 3, np.zeros((0, 0, 0), bool)))
    assert contact.largest_section_cm2 == 0
    assert contact.share("vertex") == 0
