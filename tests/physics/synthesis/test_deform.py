import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from cormack.physics.synthesis.deform import Bump, Pose, SampleGrid, anatomy_voxels
from cormack.physics.synthesis.options import PoseOptions
from cormack.physics.synthesis.smooth import smooth_field, spline_weights, spread

AXES = tuple((np.arange(n, dtype=np.float32) - (n - 1) / 2) * 2 for n in (48, 52, 44))


def test_splines_reproduce_straight_lines():
    places = np.linspace(0, 50, 101).astype(np.float32)
    weights = spline_weights(places, 7.0)
    assert weights.sum(axis=1) == pytest.approx(1.0, abs=1e-5)
    assert weights @ ((np.arange(weights.shape[1]) - 1) * 7.0) == pytest.approx(places, abs=1e-3)


def test_spread_is_the_sum_over_the_lattice():
    rng = np.random.default_rng(0)
    weights = [spline_weights(np.arange(n, dtype=np.float32), 4.0) for n in (5, 6, 7)]
    lattice = rng.standard_normal([w.shape[1] for w in weights]).astype(np.float32)
    assert spread(lattice, weights) == pytest.approx(np.einsum("ia,jb,kc,abc->ijk", *weights, lattice), abs=1e-5)


def test_smooth_fields_have_mean_0_and_deviation_1():
    field = smooth_field((80, 90, 100), 4.0, np.random.default_rng(1))
    assert field.mean() == pytest.approx(0.0, abs=0.1)
    assert field.std() == pytest.approx(1.0, abs=0.05)


def test_a_pose_alone_is_exact():
    pose = Pose.random(np.array([3.0, -7.0, 11.0]), np.array([10.0, -20.0, 30.0]), np.array([0.9, 0.8, 1.1]),
                       np.array([5.0, 6.0, -7.0]), mirrored=False)  # fmt: skip
    affine = np.diag([1.1, 1.1, 1.1, 1.0])
    affine[:3, 3] = [-90.0, -120.0, -70.0]
    voxels = anatomy_voxels(SampleGrid(*AXES), pose, affine, (), (), np.random.default_rng(0))
    x, y, z = (a[n] for a, n in zip(AXES, (40, 3, 17), strict=True))
    turn = Rotation.from_euler("xyz", [10.0, -20.0, 30.0], degrees=True)
    world = turn.inv().apply(np.array([x, y, z]) - [5.0, 6.0, -7.0]) / [0.9, 0.8, 1.1] + [3.0, -7.0, 11.0]
    expected = (world - affine[:3, 3]) / 1.1
    assert [v[40, 3, 17] for v in voxels] == pytest.approx(expected, abs=1e-3)
    assert pose.back(pose.apply(np.array([1.0, 2.0, 3.0]))) == pytest.approx([1.0, 2.0, 3.0])


@pytest.mark.parametrize("seed", range(3))
def test_the_strongest_deformation_does_not_fold(seed):
    rng = np.random.default_rng(seed)
    bends = PoseOptions().bends
    assert sum(largest / spacing for spacing, largest in bends) < 0.4
    still = Pose(np.eye(3), np.zeros(3), np.zeros(3))
    bumps = [Bump(np.array([side * 14.0, 0.0, 0.0]), np.array([16.0, 34.0, 18.0]), 0.45) for side in (-1, 1)]
    voxels = anatomy_voxels(SampleGrid(*AXES), still, np.eye(4), bends, bumps, rng)
    gradients = np.array([np.gradient(v, 2.0) for v in voxels])
    assert np.linalg.det(np.moveaxis(gradients, (0, 1), (-2, -1))).min() > 0


def test_a_bump_with_gain_enlarges_what_it_surrounds():
    bump = Bump(np.zeros(3), np.full(3, 20.0), gain=0.3)
    fetched = np.array([[10.0, 0.0, 0.0]])
    assert (fetched + bump.displacement(fetched))[0, 0] < 10.0
