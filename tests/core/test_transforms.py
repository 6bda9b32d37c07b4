"""Affines and chains: they compose, invert, halve and tell their Jacobian."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from scipy.spatial.transform import Rotation

from cormack.core.errors import GeometryError
from cormack.core.transforms import Affine, TransformChain, grid_points

POINTS = np.random.default_rng(1).uniform(-150, 150, (50, 3))

angles = st.tuples(*[st.floats(-60, 60)] * 3)
shifts = st.tuples(*[st.floats(-200, 200)] * 3)
scales = st.tuples(*[st.floats(0.5, 2)] * 3)


@st.composite
def affines(draw):
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", draw(angles), degrees=True).as_matrix() @ np.diag(draw(scales))
    matrix[:3, 3] = draw(shifts)
    return Affine(matrix)


@settings(max_examples=50, deadline=None)
@given(affines(), affines(), affines())
def test_composition_and_inverse(a, b, c):
    np.testing.assert_allclose((a @ b).apply(POINTS), a.apply(b.apply(POINTS)), atol=1e-8)
    np.testing.assert_allclose(((a @ b) @ c).apply(POINTS), (a @ (b @ c)).apply(POINTS), atol=1e-7)
    there = a @ b @ c
    np.testing.assert_allclose(there.inverse().apply(there.apply(POINTS)), POINTS, atol=1e-7)


@settings(max_examples=50, deadline=None)
@given(angles, shifts)
def test_half_of_a_rigid_transform_turns_by_half_the_angle(degrees, shift):
    matrix = np.eye(4)
    rotation = Rotation.from_euler("xyz", degrees, degrees=True)
    matrix[:3, :3], matrix[:3, 3] = rotation.as_matrix(), shift
    whole = Affine(matrix)
    if rotation.magnitude() > np.radians(175):
        return
    half = whole.half()
    np.testing.assert_allclose((half @ half).apply(POINTS), whole.apply(POINTS), atol=1e-7)
    turned = Rotation.from_matrix(half.matrix[:3, :3]).as_rotvec()
    np.testing.assert_allclose(turned, rotation.as_rotvec() / 2, atol=1e-7)
    # Halfway from the other side is the same place.
    np.testing.assert_allclose(whole.inverse().half().matrix, half.inverse().matrix, atol=1e-7)


def test_half_of_an_affine_is_scipys_square_root():
    matrix = np.array([[0.9, 0.2, 0, 3], [-0.2, 1, 0.1, 4], [0, -0.1, 1.1, 9], [0, 0, 0, 1]])
    np.testing.assert_allclose(Affine(matrix).half().matrix, np.real(sqrtm(matrix)), atol=1e-9)


@pytest.mark.parametrize("diagonal", [(-1, 1, 1), (-1, -1, 1)])
def test_no_half_of_a_mirror_or_a_turn_by_180_degrees(diagonal):
    with pytest.raises(GeometryError, match="halfway"):
        Affine(np.diag([*map(float, diagonal), 1.0])).half()


def test_a_chain_applies_in_its_order_and_merges_affines():
    shift, double = np.eye(4), np.diag([2.0, 2, 2, 1])
    shift[0, 3] = 5
    chain = TransformChain((Affine(shift), Affine(double)))
    np.testing.assert_allclose(chain.apply([1.0, 1, 1]), [12, 2, 2])
    np.testing.assert_allclose((Affine(double) @ Affine(shift)).apply([1.0, 1, 1]), [12, 2, 2])
    assert len(chain.transforms) == 1
    assert len(TransformChain((chain, chain.inverse())).transforms) == 1
    np.testing.assert_array_equal(TransformChain().apply(POINTS), POINTS)


def test_shapes_of_points_are_kept():
    turn = Affine(np.diag([1.0, 2, 3, 1]))
    assert turn.apply(np.ones((4, 5, 3))).shape == (4, 5, 3)
    assert TransformChain((turn,)).apply(np.ones(3)).tolist() == [1, 2, 3]


@pytest.mark.parametrize("codes", [(1, 1, 1), (-1, -1, 1), (-1, 1, -1)])
@pytest.mark.parametrize("oblique_deg", [0.0, 17.0])
def test_jacobian_is_the_determinant_on_any_grid(codes, oblique_deg):
    grid = np.eye(4)
    grid[:3, :3] = Rotation.from_euler("z", oblique_deg, degrees=True).as_matrix() @ np.diag(codes) * 2.0
    matrix = np.array([[1.2, 0.1, 0, 3], [-0.2, 0.9, 0.1, 4], [0, -0.1, 1.1, 9], [0, 0, 0, 1]])
    expected = np.linalg.det(matrix[:3, :3])
    exact = Affine(matrix).jacobian(grid, (3, 4, 5))
    assert (exact.shape, exact.dtype) == ((3, 4, 5), np.float32)
    np.testing.assert_allclose(exact, expected, rtol=1e-6)
    np.testing.assert_allclose(TransformChain((Affine(matrix),)).jacobian(grid, (3, 4, 5)), expected, rtol=1e-5)


def test_grid_points_are_those_of_the_affine():
    affine = np.array([[1.0, 0.2, 0, 5], [0.1, 2, 0.3, -7], [0, 0.4, 3, 11], [0, 0, 0, 1]])
    points = grid_points(affine, (4, 5, 6), slice(1, 3))
    assert points.shape == (2, 5, 6, 3)
    np.testing.assert_allclose(points[1, 3, 4], affine[:3, :3] @ [2, 3, 4] + affine[:3, 3])


@pytest.mark.parametrize(
    "matrix", [np.eye(3), np.zeros((4, 4)), np.full((4, 4), np.nan), np.diag([1.0, 1, 1, 2]), np.diag([1.0, 0, 1, 1])]
)
def test_what_is_no_affine(matrix):
    with pytest.raises(GeometryError):
        Affine(matrix)
