"""Volumes of ellipsoids against their formula, and what is called implausible."""

import pytest

from analytic_heads import BRAIN_MM, HEAD_MM, ellipsoid_ml, make_head
from cormack.core.findings import Measurement
from cormack.measure.boxes import region
from cormack.measure.volumes import volume_findings, volume_measurements


def measured(head):
    volume = head.volume
    found = volume_measurements(volume, region(volume, head.head), region(volume, head.brain), head.head, head.brain)
    return {m.name: m for m in found}


@pytest.mark.parametrize(("spacing", "rotation"), [((2, 2, 2), 0), ((1.5, 1.5, 5), 0), ((2, 2, 3), 20)])
def test_volume_of_ellipsoids_within_one_percent(spacing, rotation):
    found = measured(make_head(spacing, rotation_deg=rotation, low_mm=(-90, -125, -125), high_mm=(90, 125, 125)))
    assert found["intracranial volume"].value == pytest.approx(ellipsoid_ml(BRAIN_MM), rel=0.01)
    assert found["head volume"].value == pytest.approx(ellipsoid_ml(HEAD_MM), rel=0.01)


def test_definition_says_which_surface_the_mask_follows():
    found = measured(make_head((6, 6, 6)))
    assert "analytic brain" in found["intracranial volume"].definition
    assert found["intracranial volume"].unit == "ml"


@pytest.mark.parametrize(
    ("intracranial", "head", "codes"),
    [
        (1400, 3500, []),
        (700, 2500, ["intracranial-volume-small"]),
        (2300, 4500, ["intracranial-volume-large"]),
        (0, 3000, ["intracranial-volume-small"]),
        (1400, 1500, ["brain-share-implausible"]),
        (300, 4000, ["intracranial-volume-small", "brain-share-implausible"]),
    ],
)
def test_implausible_volumes_are_reported(intracranial, head, codes):
    findings = volume_findings(
        Measurement("intracranial volume", intracranial, "ml", ""), Measurement("head volume", head, "ml", "")
    )
    assert [f.code for f in findings] == codes
    assert all(f.evidence["intracranial_volume_ml"] == intracranial for f in findings)
