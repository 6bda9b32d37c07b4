"""Analytic objects against their formulas."""

import numpy as np
import pytest

from cormack.core.errors import InputError
from cormack.physics.phantom import AIR_HU, Ball, Composition, Ellipsoid, rotation_matrix
from cormack.physics.plane import Plane


def plane(origin=(0, 0, 0), step_i=(0.5, 0, 0), step_j=(0, 0.5, 0), rows=9, columns=11, edge_mm=0.5):
    return Plane(np.array(origin, float), np.array(step_i, float), np.array(step_j, float), rows, columns, edge_mm)


def test_the_rotation_turns_right_handed():
    np.testing.assert_allclose(rotation_matrix(z_deg=90) @ [1, 0, 0], [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(rotation_matrix(x_deg=90) @ [0, 1, 0], [0, 0, 1], atol=1e-12)
    np.testing.assert_allclose(rotation_matrix(y_deg=90) @ [0, 0, 1], [1, 0, 0], atol=1e-12)


def test_a_ball_knows_its_volume_and_box():
    ball = Ball((1, 2, 3), 10)
    assert ball.volume_ml == pytest.approx(4 / 3 * np.pi)
    assert ball.box == ((-9, -8, -7), (11, 12, 13))


def test_the_box_of_a_turned_ellipsoid_touches_it():
    turned = Ellipsoid((0, 0, 0), (30, 20, 10), rotation_matrix(20, -35, 50))
    directions = np.random.default_rng(0).normal(size=(200_000, 3))
    surface = directions / np.linalg.norm(directions, axis=1, keepdims=True) * [30, 20, 10] @ turned.rotation.T
    np.testing.assert_allclose(surface.max(axis=0), turned.box[1], atol=0.05)
    assert (surface.max(axis=0) <= np.array(turned.box[1]) + 1e-9).all()


def test_distance_is_exact_for_a_ball():
    points = plane(origin=(-3, -4, 2), step_i=(1.0, 0, 0), step_j=(0, 0.8, 0.6), rows=12, columns=10)
    x, y, z = points.coordinates()
    expected = np.sqrt((x - 1) ** 2 + (y - 2) ** 2 + (z - 3) ** 2) - 4
    np.testing.assert_allclose(Ball((1, 2, 3), 4).distance_mm(points), expected, atol=1e-4)


@pytest.mark.parametrize("step_j", [(0, 0.5, 0), (0, 0.4, 0.3), (0, 0.3, -0.4)])
def test_painting_in_a_window_equals_painting_everywhere(step_j):
    points = plane(origin=(-20, -20, -5), step_i=(0.5, 0, 0), step_j=step_j, rows=80, columns=90)
    turned = Ellipsoid((-5, -6, -4), (9, 6, 5), rotation_matrix(10, 20, 30), hu=55.0)
    everywhere = AIR_HU + points.coverage(turned.distance_mm(points)) * (55.0 - AIR_HU)
    np.testing.assert_allclose(Composition((turned,)).hu(points), everywhere, atol=0.01)


def test_what_is_painted_last_is_on_top():
    both = Composition((Ball((2, 2, 0), 30, hu=40.0), Ball((2, 2, 0), 1, hu=3000.0)))
    image = both.hu(plane())
    assert image[4, 4] == 3000.0
    assert image[0, 10] == 40.0


def test_a_plane_that_misses_has_no_window():
    assert plane(origin=(0, 0, 50)).window(Ball((0, 0, 0), 10).box) is None
    assert plane(origin=(100, 0, 0)).window(Ball((0, 0, 0), 10).box) is None


@pytest.mark.parametrize(
    "wrong", [{"semi_axes_mm": (1, 0, 1)}, {"semi_axes_mm": (1, 1, 1), "rotation": np.ones((3, 3))}]
)
def test_impossible_ellipsoids_are_refused(wrong):
    with pytest.raises(InputError, match="must be"):
        Ellipsoid((0, 0, 0), **wrong)
