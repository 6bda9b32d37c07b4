"""The digital head: its truth, its closed skull, its tissues where anatomy has them."""

import numpy as np
import pytest
from scipy import ndimage

from cormack.physics.head import HeadParameters, digital_head
from cormack.physics.phantom import rotation_matrix
from cormack.physics.plane import Plane


@pytest.fixture(scope="module")
def head():
    return digital_head()


def sample(head, affine, shape):
    """HU at the voxel centres of a grid, shape (i, j, k)."""
    volume = np.empty(shape, np.float32)
    for k in range(shape[2]):
        origin = affine[:3, 3] + k * affine[:3, 2]
        volume[:, :, k] = head.hu(Plane(origin, affine[:3, 0], affine[:3, 1], shape[1], shape[0], 0.8)).T
    return volume


def hu_at(head, *point):
    return float(head.hu(Plane(np.array(point, float), np.array([0.1, 0, 0]), np.array([0, 0.1, 0]), 1, 1, 0.5))[0, 0])


def grid(spacing, low=(-100.0, -116.0, -50.0), high=(100.0, 120.0, 110.0)):
    affine = np.diag([spacing, spacing, spacing, 1.0])
    affine[:3, 3] = low
    return affine, tuple(int((b - a) / spacing) for a, b in zip(low, high, strict=True))


def test_the_volume_is_that_of_a_person(head):
    assert 1300 < head.intracranial_volume_ml < 1600


def test_the_mask_has_the_exact_volume_on_any_grid(head):
    affine, shape = grid(2.0)
    turned = affine.copy()
    turned[:3, :3] = rotation_matrix(14, -9, 20) @ affine[:3, :3]
    turned[:3, 3] = np.array([0, 0, 25]) - turned[:3, :3] @ (np.array([130, 130, 100]) / 2)
    for matrix, size in ((affine, shape), (turned, (130, 130, 100))):
        counted = np.count_nonzero(head.intracranial_mask(matrix, size)) * 2.0**3 / 1000
        assert counted == pytest.approx(head.intracranial_volume_ml, rel=0.003)


def test_the_skull_is_closed_down_to_the_foramen_magnum(head):
    affine, shape = grid(2.0)
    volume = sample(head, affine, shape)
    mask = head.intracranial_mask(affine, shape)
    soft = (volume > -200) & (volume < 500)
    soft[:, :, : int((-44.0 - affine[2, 3]) / 2.0) + 1] = False
    labels, _ = ndimage.label(soft)
    inside = labels == labels[tuple(np.rint(-affine[:3, 3] / 2.0).astype(int))]
    assert 2 * np.count_nonzero(inside & mask) / (np.count_nonzero(inside) + np.count_nonzero(mask)) > 0.98


@pytest.mark.parametrize(
    ("where", "low", "high"),
    [
        ((22.0, -20.0, 45.0), 24, 32),  # white matter
        ((10.5, -12.0, 15.0), 34, 42),  # thalamus
        ((7.0, 12.0, 26.0), 3, 10),  # lateral ventricle
        ((0.0, -20.0, -14.0), 28, 40),  # pons
        ((32.5, 60.0, -13.0), 5, 20),  # vitreous
        ((29.0, 52.0, -50.0), -1000, -950),  # maxillary sinus
        ((31.0, -9.0, -16.0), 1500, 2100),  # inner ear
        ((0.0, -31.0, -52.0), 5, 40),  # spinal canal
        ((0.0, 0.0, 106.0), -1000, -990),  # air over the vertex
    ],
)
def test_tissues_are_where_anatomy_has_them(head, where, low, high):
    assert low <= hu_at(head, *where) <= high


def test_the_skull_has_two_tables_and_spongy_bone_between(head):
    points = Plane(np.array([0.0, -60.0, 30.0]), np.array([0.25, 0, 0]), np.array([0.0, -0.25, 0.0]), 250, 1, 0.7)
    profile = head.hu(points)[:, 0]
    bone = np.flatnonzero(profile > 250)
    assert 5 < len(bone) * 0.25 < 12
    middle = profile[bone[0] + len(bone) // 2 - 3 : bone[0] + len(bone) // 2 + 3].mean()
    assert middle < 900
    assert profile[bone[0] : bone[0] + 8].max() > 1100
    assert profile[bone[-1] - 8 : bone[-1]].max() > 1100


def test_a_part_of_a_plane_shows_the_same(head):
    plane = Plane(np.array([90.0, 110.0, -10.0]), np.array([-1.5, 0, 0]), np.array([0, -1.4, -0.5]), 150, 120, 1.5)
    part = (slice(37, 101), slice(20, 90))
    np.testing.assert_allclose(head.hu(plane.crop(part)), head.hu(plane)[part], atol=2.0)


def test_without_support_only_the_head_is_there():
    bare = digital_head(HeadParameters(support=None))
    assert hu_at(bare, 0.0, -113.5, 0.0) == -1000.0
    assert hu_at(digital_head(), 0.0, -113.5, 0.0) > -900.0
