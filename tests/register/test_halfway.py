"""Halfway between two scans: the same from both sides."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from cormack.core.findings import Finding
from cormack.core.transforms import Affine, TransformChain
from cormack.core.volume import Volume
from cormack.register import halfway as subject
from cormack.register.engine import Kind, Metric
from cormack.register.halfway import common_grid, register_halfway
from cormack.register.register import Registration

FIRST = Volume(np.zeros((40, 44, 30), np.int16), np.diag([4.0, 4.0, 5.0, 1.0]))
SECOND = Volume(
    np.ones((50, 50, 50), np.int16), np.array([[-3.0, 0, 0, 140], [0, -3, 0, 140], [0, 0, 3, 0], [0, 0, 0, 1]])
)


def rigid(degrees, shift):
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("zyx", degrees, degrees=True).as_matrix()
    matrix[:3, 3] = shift
    return Affine(matrix)


@pytest.fixture
def answers(monkeypatch):
    """Let registration answer: `there` where the first is fixed, `back` where the second is."""

    def give(there, back, failure=None):
        def register_volumes(moving, fixed, kind, **_):
            chain = TransformChain((there if fixed is FIRST else back,))
            return Registration(chain, Kind(kind), Metric.MI, "known", Affine.identity(), None, failure)

        monkeypatch.setattr(subject, "register_volumes", register_volumes)

    return give


def test_both_ways_are_half_of_the_whole(answers):
    whole = rigid([20, -8, 5], [10, -30, 4])
    answers(whole, whole.inverse())
    found = register_halfway(FIRST, SECOND)
    np.testing.assert_allclose(found.whole.matrix, whole.matrix, atol=1e-9)
    np.testing.assert_allclose(found.to_first.matrix @ found.to_second.matrix, np.eye(4), atol=1e-9)
    angles = [np.degrees(Rotation.from_matrix(a.matrix[:3, :3]).magnitude()) for a in (found.to_first, found.to_second)]
    assert angles[0] == pytest.approx(angles[1]) == pytest.approx(found.turn_deg / 2)
    assert found.disagreement_mm < 1e-6
    assert found.failure is None


def test_directions_that_differ_are_averaged_and_exchanging_the_scans_inverts(answers):
    there, back = rigid([20, -8, 5], [10, -30, 4]), rigid([19, -8, 4], [9, -30, 4]).inverse()
    answers(there, back)
    one, other = register_halfway(FIRST, SECOND), register_halfway(SECOND, FIRST)
    np.testing.assert_allclose(one.to_first.matrix, other.to_second.matrix, atol=1e-9)
    np.testing.assert_allclose(one.to_second.matrix, other.to_first.matrix, atol=1e-9)
    assert one.disagreement_mm > 1
    assert [finding.code for finding in one.findings] == ["halfway-doubtful"]
    turn = Rotation.from_matrix(one.whole.matrix[:3, :3])
    ends = [Rotation.from_matrix(a.matrix[:3, :3]) for a in (there, back.inverse())]
    assert (turn.inv() * ends[0]).magnitude() == pytest.approx((turn.inv() * ends[1]).magnitude())


def test_rounding_of_an_engine_is_taken_out(answers):
    whole = rigid([20, -8, 5], [10, -30, 4])
    rounded = Affine(whole.matrix.astype(np.float32))
    answers(rounded, rounded.inverse())
    linear = register_halfway(FIRST, SECOND).to_first.matrix[:3, :3]
    np.testing.assert_allclose(linear @ linear.T, np.eye(3), atol=1e-12)


def test_the_common_grid_is_what_both_cover_and_the_same_from_both_sides(answers):
    whole = rigid([10, 0, 0], [5, 0, 0])
    answers(whole, whole.inverse())
    one, other = register_halfway(FIRST, SECOND), register_halfway(SECOND, FIRST)
    affine, shape = common_grid((FIRST, SECOND), one, 2.0)
    again = common_grid((SECOND, FIRST), other, 2.0)
    np.testing.assert_allclose(affine, again[0], atol=1e-9)
    assert shape == again[1]
    still = rigid([0, 0, 0], [0, 0, 0])
    answers(still, still)
    affine, shape = common_grid((FIRST, SECOND), register_halfway(FIRST, SECOND), 2.0)
    low, high = affine[:3, 3] - 1, affine[:3, 3] + 2 * np.array(shape) - 1
    np.testing.assert_allclose(low, [-2, -2, -1.5], atol=1)
    np.testing.assert_allclose(high, [141.5, 141.5, 147.5], atol=1)


def test_a_failure_of_either_direction_is_told(answers):
    failure = Finding("registration-folded", "registration failed")
    answers(rigid([0, 0, 0], [0, 0, 0]), rigid([0, 0, 0], [0, 0, 0]), failure)
    assert register_halfway(FIRST, SECOND).failure is failure
