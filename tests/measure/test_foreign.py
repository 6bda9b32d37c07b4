"""Vessels of contrast medium and metal put into analytic heads."""

import numpy as np
import pytest

from analytic_heads import make_head
from cormack.core.acquisition import Acquisition
from cormack.measure.boxes import Region, region
from cormack.measure.foreign import foreign_findings, foreign_measurements, metal, vessels

SMALL = {"low_mm": (-90, -110, -95), "high_mm": (90, 110, 95)}
EMPTY = Region((slice(0, 0),) * 3, np.zeros((0, 0, 0), bool))


def findings(head, acquisition=None):
    volume = head.volume
    brain = region(volume, head.brain)
    return foreign_findings(
        vessels(volume, brain), metal(volume, region(volume, head.head), brain), acquisition or Acquisition()
    )


def tube(head, length_mm, radius_mm=2.0, x=10.0):
    """A straight tube along j through the middle of the brain."""
    return (np.hypot(head.xyz[..., 0] - x, head.xyz[..., 2]) <= radius_mm) & (np.abs(head.xyz[..., 1]) <= length_mm / 2)


@pytest.fixture(scope="module")
def head():
    return make_head((1.5, 1.5, 1.5), noise_hu=5)


def test_a_plain_head_raises_no_suspicion(head):
    assert findings(head) == ()


def test_long_bright_tubes_are_contrast_medium(head):
    found = findings(head.with_values(tube(head, 80), 300))
    assert [f.code for f in found] == ["contrast-suspected"]
    evidence = found[0].evidence
    assert evidence["bright_vessel_volume_ml"] == pytest.approx(
        np.count_nonzero(tube(head, 80)) * 1.5**3 / 1000, rel=0.02
    )
    assert evidence["longest_extent_mm"] == pytest.approx(80, rel=0.1)
    assert evidence["mean_hu"] == pytest.approx(300, abs=10)


@pytest.mark.parametrize(("length", "hu"), [(12, 300), (80, 70), (80, 1500)])
def test_calcifications_clots_and_bone_are_not(head, length, hu):
    assert "contrast-suspected" not in [f.code for f in findings(head.with_values(tube(head, length), hu))]


def test_bright_rim_of_a_mask_that_includes_bone_is_not(head):
    rim = (head.radius(np.array([65.0, 85, 71])) > 0.98) & head.brain.mask()
    assert findings(head.with_values(rim, 300)) == ()


def test_header_that_states_contrast_medium_is_believed(head):
    stated = Acquisition(contrast_bolus_agent_present=True)
    (without,) = findings(head, stated)
    assert without.code == "contrast-stated"
    assert "no filled vessels" in without.message
    (seen,) = findings(head.with_values(tube(head, 80), 300), stated)
    assert "look filled" in seen.message


def block(head, centre, size):
    return (np.abs(head.xyz - np.array(centre)) <= size / 2).all(axis=-1)


def test_metal_in_the_jaw_and_in_the_brain():
    head = make_head((2, 2, 2), **SMALL)
    below = head.with_values(block(head, (0, 0, -80), 6), 3071)
    (dental,) = findings(below)
    assert dental.code == "metal-suspected"
    assert "without brain" in dental.message
    inside = head.with_values(block(head, (0, 0, 0), 6), 3071)
    (clip,) = findings(inside)
    assert "No streaks" in clip.message
    assert clip.evidence["metal_volume_ml"] == pytest.approx(np.count_nonzero(block(head, (0, 0, 0), 6)) * 0.008)
    streaked = inside.with_values(
        (np.abs(head.xyz[..., 2]) < 2) & (np.abs(head.xyz[..., 0]) < 15) & head.brain.mask(), -200
    )
    (streaks,) = findings(streaked.with_values(block(head, (0, 0, 0), 6), 3071))
    assert "Streaks reach the brain" in streaks.message


def test_single_dense_voxels_are_not_metal():
    head = make_head((1.5, 1.5, 1.5))
    data = head.volume.data
    data[tuple(np.argwhere(head.head.mask())[100])] = 2900
    assert findings(head) == ()


def test_empty_masks_find_nothing(head):
    assert vessels(head.volume, EMPTY).volume_ml == 0
    assert metal(head.volume, EMPTY, EMPTY).volume_ml == 0
    dense = head.with_values(block(head, (0, 0, 0), 6), 3071)
    assert not metal(dense.volume, region(dense.volume, dense.head), EMPTY).beside_brain
    names = [m.name for m in foreign_measurements(vessels(head.volume, EMPTY), metal(head.volume, EMPTY, EMPTY))]
    assert names == ["bright vessel volume", "metal volume"]
