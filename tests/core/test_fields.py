"""Displacement fields against analytic ones, SimpleITK and ANTs."""

import numpy as np
import pytest
from scipy import ndimage

from cormack.core.errors import GeometryError
from cormack.core.fields import INVERSION_TOLERANCE_MM, DisplacementField
from cormack.core.transforms import Affine, grid_points

SHAPE = (40, 44, 36)


def smooth_field(amplitude_mm=6.0, *, seed=0, affine=None):
    """A smooth random field that is zero at the rim of its grid."""
    rng = np.random.default_rng(seed)
    noise = np.stack([ndimage.gaussian_filter(rng.normal(size=SHAPE), 6) for _ in range(3)], axis=-1)
    i, j, k = (np.sin(np.linspace(0, np.pi, n)) for n in SHAPE)
    noise *= (i[:, None, None] * j[:, None] * k)[..., None]
    grid = np.array([[2.0, 0, 0, -40], [0, 2, 0, -44], [0, 0, 2, -36], [0, 0, 0, 1]]) if affine is None else affine
    return DisplacementField(noise * (amplitude_mm / np.abs(noise).max()), grid)


def inner_points(count=5000):
    return np.random.default_rng(2).uniform(-30, 30, (count, 3))


def test_a_linear_field_is_met_exactly():
    matrix = np.array([[0.02, 0.1, 0], [-0.1, 0.03, 0], [0, 0.05, -0.02]])
    affine = np.array([[0, -2.0, 0, 40], [2, 0, 0, -30], [0, 0, 2.5, -20], [0, 0, 0, 1]])
    ijk = np.stack(np.meshgrid(*map(np.arange, (30, 30, 20)), indexing="ij"), axis=-1)
    world = ijk @ affine[:3, :3].T + affine[:3, 3]
    field = DisplacementField(world @ matrix.T, affine)
    points = np.random.default_rng(0).uniform(-15, 15, (100, 3))
    np.testing.assert_allclose(field.apply(points), points + points @ matrix.T, atol=1e-5)
    determinant = np.linalg.det(np.eye(3) + matrix)
    np.testing.assert_allclose(field.jacobian(affine, field.shape), determinant, atol=1e-4)


def test_a_voxel_reaches_half_a_step_and_beyond_is_zero_as_in_itk():
    sitk = pytest.importorskip("SimpleITK")
    image = sitk.Image([4, 4, 4], sitk.sitkVectorFloat64, 3)
    for index in np.ndindex(4, 4, 4):
        image[[int(n) for n in index]] = (1.0 + index[0], 2.0, 3.0)
    itk = sitk.DisplacementFieldTransform(image)
    vectors = np.zeros((4, 4, 4, 3))
    vectors[..., 0] = -(1.0 + np.arange(4)[:, None, None])
    vectors[..., 1], vectors[..., 2] = -2, 3
    field = DisplacementField(vectors, np.diag([-1.0, -1, 1, 1]))
    for x in (-0.51, -0.49, 0.0, 1.25, 3.0, 3.49, 3.51, 9.0):
        expected = np.array(itk.TransformPoint((x, 1.0, 2.0))) * [-1, -1, 1]
        np.testing.assert_allclose(field.apply([-x, -1.0, 2.0]), expected, atol=1e-6)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_computed_inverse_leads_back(seed):
    field = smooth_field(seed=seed)
    assert field.jacobian(field.affine, field.shape).min() > 0.2
    inverse = field.inverse()
    points = inner_points()
    assert np.linalg.norm(field.apply(points) - points, axis=1).max() > 2
    for back in (inverse.apply(field.apply(points)), field.apply(inverse.apply(points))):
        missed = np.linalg.norm(back - points, axis=1)
        assert missed.mean() < 0.02
        assert missed.max() < 0.2
    voxels = grid_points(field.affine, field.shape)[4:-4, 4:-4, 4:-4].reshape(-1, 3)
    assert np.linalg.norm(field.apply(inverse.apply(voxels)) - voxels, axis=1).max() < INVERSION_TOLERANCE_MM
    assert inverse.inverse().displacement is field.displacement


def test_a_known_inverse_is_given_back_and_knows_its_own():
    field, other = smooth_field(), smooth_field(seed=5)
    paired = DisplacementField(field.displacement, field.affine, known_inverse=other)
    assert paired.inverse().displacement is other.displacement
    assert paired.inverse().inverse().displacement is paired.displacement


def test_chains_with_fields_invert():
    field = smooth_field(4.0)
    affine = Affine(np.array([[1.05, 0.1, 0, 3], [-0.1, 0.95, 0, 4], [0, 0, 1.1, -2], [0, 0, 0, 1]]))
    chain = affine @ field @ affine.inverse()
    assert len(chain.transforms) == 3
    points = affine.apply(inner_points(500))
    back = chain.inverse().apply(chain.apply(points))
    assert np.linalg.norm(back - points, axis=1).max() < 0.2


def test_a_fold_is_seen_and_not_inverted():
    field = smooth_field(40.0)
    assert field.jacobian(field.affine, field.shape).min() < 0
    with pytest.raises(GeometryError, match="folds"):
        field.inverse()


def test_jacobian_against_ants():
    ants = pytest.importorskip("ants")
    field = smooth_field()
    origin = field.affine[:3, 3] * [-1, -1, 1]
    flips = np.diag([-1.0, -1, 1])
    vectors = (field.displacement * np.float32([-1, -1, 1])).copy()
    itk = ants.from_numpy(vectors, origin=origin.tolist(), spacing=(2, 2, 2), direction=flips, has_components=True)
    grid = ants.from_numpy(np.zeros(SHAPE, np.float32), origin=origin.tolist(), spacing=(2, 2, 2), direction=flips)
    theirs = ants.create_jacobian_determinant_image(grid, itk).numpy()
    ours = field.jacobian(field.affine, field.shape)
    # ANTs differentiates by another stencil.
    inner = (slice(4, -4),) * 3
    assert np.abs(ours[inner] - theirs[inner]).max() < 0.02
    assert np.corrcoef(ours[inner].ravel(), theirs[inner].ravel())[0, 1] > 0.999


@pytest.mark.parametrize(
    ("vectors", "affine"),
    [
        (np.zeros((4, 4, 4)), np.eye(4)),
        (np.zeros((4, 4, 4, 2)), np.eye(4)),
        (np.full((4, 4, 4, 3), np.nan), np.eye(4)),
        (np.zeros((4, 4, 4, 3)), np.zeros((4, 4))),
    ],
)
def test_what_is_no_field(vectors, affine):
    with pytest.raises(GeometryError):
        DisplacementField(vectors, affine)
