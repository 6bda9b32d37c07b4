from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from cormack.extract.hull import bone_hull, enclosed_fraction
from cormack.extract.potential import potential, resistance
from cormack.imaging.workgrid import (
    WorkGrid,
    bounding_box,
    component_with,
    distance_mm,
    largest_component,
    signed_distance_mm,
)


@pytest.mark.parametrize("order", ["C", "F"])
def test_block_means_to_the_last_incomplete_block(order):
    data = np.asarray(np.random.default_rng(0).integers(-1000, 3000, (11, 9, 7)), np.int16, order=order)
    grid = WorkGrid.over((slice(1, 11), slice(0, 9), slice(0, 7)), (0.5, 0.5, 1.0), 2.0)
    assert grid.pool == (4, 4, 2)
    coarse = grid.coarsen(data)
    assert coarse.shape == grid.shape() == (3, 3, 4)
    assert coarse[0, 0, 0] == pytest.approx(data[1:5, :4, :2].mean(), rel=1e-5)
    assert coarse[2, 2, 3] == pytest.approx(data[9:11, 8:, 6:].mean(), rel=1e-5)


def test_a_linear_field_survives_the_way_to_another_grid_and_back():
    whole = (slice(0, 40), slice(0, 36), slice(0, 12))
    spacing = (0.5, 0.7, 5.0)
    x, y, z = np.meshgrid(*(np.arange(n) * h for n, h in zip((40, 36, 12), spacing, strict=True)), indexing="ij")
    ramp = (x + 2 * y - z).astype(np.float32)
    grid, fine = WorkGrid.over(whole, spacing, 2.0), WorkGrid.over(whole, spacing, 1.0)
    assert grid.split == (1, 1, 2)
    there = grid.onto(grid.coarsen(ramp), fine)
    inner = np.s_[3:-3, 3:-3, 5:-5]
    np.testing.assert_allclose(there[inner], fine.coarsen(ramp)[inner], atol=1e-3)
    planes = dict(fine.native_planes(fine.coarsen(ramp)))
    np.testing.assert_allclose(planes[6][4:-4, 4:-4], ramp[4:-4, 4:-4, 6], atol=1e-3)
    axes = [fine.centres_mm(a, spacing[a]) for a in range(3)]
    assert axes[2][1] - axes[2][0] == pytest.approx(1.0)


def test_threshold_is_false_outside_the_box():
    grid = WorkGrid.over((slice(2, 6), slice(2, 6), slice(2, 6)), (1.0, 1.0, 1.0), 1.0)
    mask = grid.threshold_native(np.ones((4, 4, 4), np.float32), (8, 8, 8))
    assert mask.sum() == 64
    assert bounding_box(mask, (1, 0, 9)) == (slice(1, 7), slice(2, 6), slice(0, 8))
    assert bounding_box(~(mask | True)) == (slice(0, 8),) * 3


def test_components():
    mask = np.zeros((9, 3, 3), bool)
    mask[:2], mask[4:8] = True, True
    assert largest_component(mask).sum() == 36
    seeds = np.zeros_like(mask)
    seeds[0, 0, 0] = True
    assert component_with(mask, seeds).sum() == 18
    assert not component_with(mask, ~mask).any()
    assert (distance_mm(np.ones((2, 2, 2), bool), (1, 1, 1)) == 10_000).all()


def test_the_potential_falls_linearly_along_a_bar_and_across_its_highest_resistance():
    inside, outside = np.zeros((2, 11, 1, 1), bool)
    inside[0], outside[-1] = True, True
    even = potential(np.ones((11, 1, 1), np.float32), inside, outside, (2, 1, 1), tolerance=1e-8)
    np.testing.assert_allclose(even[:, 0, 0], np.linspace(1, 0, 11), atol=1e-5)
    resistances = np.ones((11, 1, 1), np.float32)
    resistances[7] = 1000
    wall = potential(resistances, inside, outside, (2, 1, 1), tolerance=1e-8)
    assert wall[6] > 0.98
    assert wall[7] == pytest.approx(0.5, abs=0.01)
    assert wall[8] < 0.02


def test_resistances_of_tissues():
    brain, blood, fat, bone, air = resistance(np.array([30, 60, -100, 1000, -5000], np.int16))
    assert brain == blood == 1
    assert 10 < fat < 50
    assert bone > 1000
    assert air > 1000


def shell(radius_mm, thickness_mm, spacing_mm):
    grid = np.ogrid[:60, :60, :60]
    r = np.sqrt(sum(((g - 30) * h) ** 2 for g, h in zip(grid, spacing_mm, strict=True)))
    return r, (r <= radius_mm) & (r > radius_mm - thickness_mm)


def test_the_hull_bridges_a_hole_and_stays_at_the_bone_elsewhere():
    spacing = (3.0, 3.0, 3.0)
    r, bone = shell(75, 8, spacing)
    hole = bone.copy()
    hole[48:, 22:38, 22:38] = False
    hull = bone_hull(hole, spacing)
    assert hull[r < 60].all()
    assert not hull[r > 80].any()
    assert ndimage.label(~hull)[1] == 1


def test_a_skull_cut_by_the_field_of_view_is_not_open_there():
    spacing = (3.0, 3.0, 3.0)
    r, bone = shell(75, 8, spacing)
    hull = bone_hull(bone[:, :, 30:], spacing)
    assert hull[(r < 60)[:, :, 30:]].all()


def test_the_centre_of_a_shell_is_enclosed_and_a_point_beside_it_is_not():
    spacing = (3.0, 3.0, 3.0)
    _, bone = shell(75, 8, spacing)
    assert enclosed_fraction(bone, (30, 30, 30), spacing) == 1
    assert enclosed_fraction(bone, (57, 57, 30), spacing) < 0.5
    # Cut above and below, what is seen of the shell still encloses.
    assert enclosed_fraction(bone[:, :, 22:38], (30, 30, 8), spacing) == 1
    assert enclosed_fraction(np.zeros((5, 5, 5), bool), (2, 2, 2), spacing) == 0


def test_signed_distance_of_a_ball_and_of_a_slab_at_the_border():
    x, y, z = np.mgrid[:60, :50, :40] * np.array([1.0, 1.5, 2.0])[:, None, None, None]
    radius = np.sqrt((x - 25) ** 2 + (y - 37) ** 2 + (z - 40) ** 2)
    ball = radius < 18
    found = signed_distance_mm(ball, (1.0, 1.5, 2.0))
    # Half a voxel's diagonal, and the difference of half a voxel along its axes.
    assert np.abs(found - (18 - radius)).max() < 1.35 + 0.25
    assert abs(np.mean(found - (18 - radius))) < 0.5
    near = signed_distance_mm(ball, (1.0, 1.5, 2.0), 6.0)
    assert near.dtype == found.dtype == np.float32
    np.testing.assert_array_equal(near[found > -6], found[found > -6])
    assert (near[found <= -6] <= -6 + 1e-5).all()
    slab = np.zeros((30, 8, 8), bool)
    slab[:5] = True
    expected = np.broadcast_to((4.5 - np.arange(30.0))[:, None, None], slab.shape)
    np.testing.assert_array_equal(signed_distance_mm(slab, (1.0, 1.0, 1.0)), expected)
    np.testing.assert_array_equal(signed_distance_mm(slab, (1.0, 1.0, 1.0), 30.0), expected)
