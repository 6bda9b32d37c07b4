"""The made thorax: tissues where anatomy has them, lungs whose surface lies at half height, nodules that touch it."""

import numpy as np
import pytest

from cormack.core.errors import InputError
from cormack.physics.plane import Plane
from cormack.physics.thorax import LEFT, RIGHT, Thorax, ThoraxParameters


@pytest.fixture(scope="module")
def thorax():
    return Thorax()


def hu_at(thorax, *point):
    plane = Plane(np.array(point, float), np.array([0.1, 0, 0]), np.array([0, 0.1, 0]), 1, 1, 0.5)
    return float(thorax.hu(plane)[0, 0])


def grid(spacing, low=(-140.0, -100.0, -180.0), high=(140.0, 100.0, 155.0)):
    affine = np.diag([spacing, spacing, spacing, 1.0])
    affine[:3, 3] = low
    return affine, tuple(int((b - a) / spacing) for a, b in zip(low, high, strict=True))


@pytest.mark.parametrize(
    ("where", "low", "high"),
    [
        ((100.0, 30.0, 0.0), -900, -780),  # right lung
        ((-100.0, 30.0, 0.0), -900, -780),  # left lung
        ((0.0, -17.0, 100.0), -1000, -990),  # trachea
        ((-30.0, 30.0, -60.0), 40, 60),  # heart
        ((0.0, -78.0, 13.0), 440, 460),  # vertebra
        ((70.0, 0.0, -150.0), 40, 60),  # liver
        ((-70.0, 30.0, -140.0), -1000, -990),  # gas in the stomach
        ((0.0, 112.0, -150.0), -110, -90),  # fat
        ((0.0, -143.0, 0.0), -930, -910),  # foam of the table
        ((0.0, 150.0, 0.0), -1000, -990),  # air before it
    ],
)
def test_tissues_are_where_anatomy_has_them(thorax, where, low, high):
    assert low <= hu_at(thorax, *where) <= high


def test_volumes_are_those_of_a_person_and_do_not_depend_on_the_grid(thorax):
    counted = []
    for spacing in (3.0, 4.0):
        labels = thorax.labels(*grid(spacing))
        counted.append([np.count_nonzero(labels == side) * spacing**3 / 1000 for side in (1, 2)])
    assert 2000 < counted[0][1] < counted[0][0] < 3500
    np.testing.assert_allclose(counted[0], counted[1], rtol=0.01)


def test_the_surface_lies_at_half_height(thorax):
    y, z = 10.0, 20.0
    line = Plane(np.array([100.0, y, z]), np.array([0.05, 0, 0]), np.array([0, 0.05, 0]), 1, 800, 1.0)
    hu, distance = thorax.hu(line)[0], thorax.lung_distance_mm(line)[0]
    lung, tissue = hu[distance < -1.0][-1], hu[distance > 1.0][0]
    crossed = int(np.argmax(hu > (lung + tissue) / 2))
    assert abs(distance[crossed]) < 0.06


def test_nodules_lie_at_the_surface_and_mostly_in_the_lung(thorax):
    affine, shape = grid(1.0)
    for nodule in thorax.nodules:
        _, inside = thorax.nodule_mask(nodule, affine, shape)
        share = np.count_nonzero(inside) / (4 / 3 * np.pi * nodule.radius_mm**3)
        assert 0.4 < share < 0.97, nodule
    assert hu_at(thorax, *thorax.nodules[-1].center_mm) > 30


def test_one_lung_alone_leaves_fluid_and_no_bronchus(thorax):
    left = Thorax(ThoraxParameters(sides=(LEFT,)))
    assert hu_at(left, 100.0, 30.0, 0.0) > 0
    assert hu_at(left, 20.0, -24.0, 38.0) > 0
    assert set(np.unique(left.labels(*grid(6.0)))) == {0, 2}
    with pytest.raises(InputError, match="sides"):
        ThoraxParameters(sides=(LEFT, RIGHT))


def test_a_prone_patient_lies_on_the_front():
    prone = Thorax(ThoraxParameters(prone=True))
    assert hu_at(prone, 0.0, 133.0, 0.0) < -900
    assert hu_at(prone, 0.0, -143.0, 0.0) < -990
