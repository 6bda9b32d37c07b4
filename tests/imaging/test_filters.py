import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
from scipy import ndimage

from cormack.core.errors import InputError
from cormack.core.volume import Volume
from cormack.imaging.filters import gaussian, in_type_of, median
from cormack.imaging.perona_malik import CONDUCTANCES, MAX_STEPS, perona_malik, time_steps

SPACING = (0.8, 1.0, 2.0)
AFFINE = np.diag([*SPACING, 1.0])


def blob(sigma_mm, shape=(48, 44, 30)):
    """A Gaussian of a width in millimetres in the middle of a grid."""
    volume = Volume(np.zeros(shape, np.float32), AFFINE, outside=0.0)
    away = volume.world(np.moveaxis(np.indices(shape), 0, -1)) - volume.world((np.array(shape) - 1) / 2)
    return volume.with_data(100 * np.exp(-(away**2).sum(axis=-1) / (2 * sigma_mm**2)).astype(np.float32))


def widths_mm(volume):
    """Standard deviation of the mass along each axis."""
    mass = volume.data.astype(float)
    widths = []
    for axis, step in enumerate(volume.spacing_mm):
        profile = mass.sum(axis=tuple(a for a in range(3) if a != axis))
        at = np.arange(len(profile)) * step
        middle = (profile * at).sum() / profile.sum()
        widths.append(np.sqrt((profile * (at - middle) ** 2).sum() / profile.sum()))
    return widths


def noise(seed=0, shape=(32, 32, 32)):
    return ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), 1.5).astype(np.float32) * 100


def test_gaussian_widens_by_millimetres_along_every_axis():
    np.testing.assert_allclose(widths_mm(gaussian(blob(3.0), 4.0)), 5.0, rtol=0.01)
    i, j, k = widths_mm(gaussian(blob(3.0), 4.0, in_plane=True))
    assert (i, j, k) == pytest.approx((5, 5, 3), rel=0.01)


def test_gaussian_against_simpleitk():
    volume = Volume(noise(), np.diag([1.0, 1.0, 1.5, 1.0]))
    image = sitk.GetImageFromArray(volume.data.T)
    image.SetSpacing((1.0, 1.0, 1.5))
    theirs = sitk.GetArrayFromImage(
        sitk.DiscreteGaussian(image, variance=4.0, maximumKernelWidth=64, maximumError=1e-4)
    ).T
    inner = np.s_[9:-9, 9:-9, 9:-9]
    np.testing.assert_allclose(gaussian(volume, 2.0).data[inner], theirs[inner], atol=0.02 * np.ptp(theirs))


def test_nan_takes_no_part_and_stays():
    data = np.full((20, 20, 20), 5.0, np.float32)
    data[8:12, 8:12, 8:12] = np.nan
    volume = Volume(data, AFFINE, outside=-1000.0)
    for filtered in (gaussian(volume, 2.0), perona_malik(volume, 1.0, edge_per_mm=1.0), median(volume, 1.0)):
        np.testing.assert_array_equal(np.isnan(filtered.data), np.isnan(data))
    np.testing.assert_allclose(gaussian(volume, 2.0).data[np.isfinite(data)], 5.0, rtol=1e-5)
    np.testing.assert_allclose(perona_malik(volume, 2.0, edge_per_mm=1.0).data[np.isfinite(data)], 5.0, rtol=1e-5)


def test_median_takes_spikes_and_keeps_steps():
    data = np.where(np.arange(24)[:, None, None] < 12, 0, 100) * np.ones((24, 24, 24), dtype=np.int16)
    spiked = data.copy()
    spiked[5, 12, 12], spiked[18, 7, 9] = 1000, -1000
    filtered = median(Volume(spiked.astype(np.int16), AFFINE), 1.0)
    assert filtered.data.dtype == np.int16
    np.testing.assert_array_equal(filtered.data, data)


def test_median_against_scipy_in_slabs():
    volume = Volume(noise(1, (20, 21, 50)), np.eye(4))
    ball = ndimage.generate_binary_structure(3, 1)
    np.testing.assert_array_equal(median(volume, 1.0).data, ndimage.median_filter(volume.data, footprint=ball))


def test_a_radius_that_reaches_nobody_is_refused():
    with pytest.raises(InputError, match=r"at least 0\.8 mm"):
        median(Volume(noise(), AFFINE), 0.5)


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan])
def test_widths_must_be_positive(value):
    for work in (gaussian, median, lambda v, s: perona_malik(v, s, edge_per_mm=1.0)):
        with pytest.raises(InputError, match="give a positive number"):
            work(Volume(noise(), AFFINE), value)


def test_values_return_to_their_type():
    volume = Volume((noise() * 10).astype(np.int16), AFFINE)
    assert in_type_of(gaussian(volume, 1.0), volume).data.dtype == np.int16


# Perona and Malik


@pytest.mark.parametrize("conductance", CONDUCTANCES)
def test_without_edges_diffusion_is_simpleitks(conductance):
    volume = Volume(noise(), np.eye(4))
    # SimpleITK refuses steps above 1/16 of a cubic voxel; a width of 0.35 mm takes one step below that.
    steps, time_mm2 = time_steps(0.35, volume.spacing_mm)
    assert (steps, time_mm2 < 1 / 16) == (1, True)
    theirs = sitk.GradientAnisotropicDiffusion(
        sitk.GetImageFromArray(volume.data.T), timeStep=time_mm2, conductanceParameter=1e6, numberOfIterations=3
    )
    ours = volume
    for _ in range(3):
        ours = perona_malik(ours, 0.35, edge_per_mm=1e6, conductance=conductance)
    np.testing.assert_allclose(ours.data, sitk.GetArrayFromImage(theirs).T, atol=1e-3)


@pytest.mark.parametrize("conductance", CONDUCTANCES)
def test_without_edges_diffusion_widens_as_a_gaussian_in_millimetres(conductance):
    smooth = perona_malik(blob(3.0), 4.0, edge_per_mm=1e6, conductance=conductance)
    np.testing.assert_allclose(widths_mm(smooth), 5.0, rtol=0.01)
    assert smooth.data.sum() == pytest.approx(blob(3.0).data.sum(), rel=1e-4)


@pytest.mark.parametrize("conductance", CONDUCTANCES)
def test_one_step_by_hand(conductance):
    """Equation 7 of the paper on a row of three voxels of 2 mm: differences 3 and 1."""
    row = np.zeros((3, 1, 1), np.float32)
    row[:, 0, 0] = 0, 3, 4
    volume = Volume(row, np.diag([2.0, 50.0, 50.0, 1.0]))
    steps, time_mm2 = time_steps(1.0, volume.spacing_mm)
    assert (steps, time_mm2) == (1, pytest.approx(0.5))
    edge = 0.8
    c = [
        np.exp(-((d / 2 / edge) ** 2)) if conductance == "exponential" else 1 / (1 + (d / 2 / edge) ** 2)
        for d in (3, 1)
    ]
    flow = [0.5 / 4 * c[0] * 3, 0.5 / 4 * c[1] * 1]
    by_hand = [flow[0], 3 - flow[0] + flow[1], 4 - flow[1]]
    result = perona_malik(volume, 1.0, edge_per_mm=edge, conductance=conductance)
    np.testing.assert_allclose(result.data[:, 0, 0], by_hand, rtol=1e-5)


@pytest.mark.parametrize("conductance", CONDUCTANCES)
def test_edges_stay_and_noise_goes(conductance):
    step = np.where(np.arange(40)[:, None, None] < 20, 0.0, 200.0) * np.ones((40, 30, 30))
    noisy = Volume((step + np.random.default_rng(0).normal(0, 4, step.shape)).astype(np.float32), np.eye(4))
    kept = noisy.data.copy()
    smooth = perona_malik(noisy, 2.0, edge_per_mm=15.0, conductance=conductance)
    np.testing.assert_array_equal(noisy.data, kept)
    blurred = gaussian(noisy, 2.0)
    assert smooth.data[5:15, 5:25, 5:25].std() < 0.4 * noisy.data[5:15, 5:25, 5:25].std()
    height = lambda v: float(v.data[20].mean() - v.data[19].mean())  # noqa: E731
    assert height(smooth) > 180
    assert height(blurred) < 60


def test_sheared_grids_unknown_functions_and_endless_runs_are_refused():
    sheared = AFFINE.copy()
    sheared[1, 2] = 1.0
    with pytest.raises(InputError, match="rectify"):
        perona_malik(Volume(noise(), sheared), 1.0, edge_per_mm=1.0)
    with pytest.raises(InputError, match="exponential or rational"):
        perona_malik(Volume(noise(), AFFINE), 1.0, edge_per_mm=1.0, conductance="tukey")
    with pytest.raises(InputError, match=f"more than {MAX_STEPS}"):
        perona_malik(Volume(noise(), AFFINE), 100.0, edge_per_mm=1.0)
