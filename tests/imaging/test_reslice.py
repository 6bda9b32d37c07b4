import numpy as np
import pytest
import SimpleITK

from cormack.core.errors import InputError
from cormack.core.volume import Volume
from cormack.imaging.reslice import axis_weights, reslice, to_spacing


def smooth_volume(shape=(40, 36, 20), spacing=(1.0, 1.2, 3.0)):
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = (-12, 5, 30)
    grid = np.stack(np.meshgrid(*(np.arange(n) * s for n, s in zip(shape, spacing, strict=True)), indexing="ij"))
    data = np.sin(grid[0] / 6) + np.cos(grid[1] / 7) + grid[2] / 30
    return Volume(data.astype(np.float32), affine, outside=0.0)


def test_weights_sum_to_one_and_keep_a_constant():
    for old, new in ((10, 10), (10, 7), (10, 23), (512, 151)):
        assert np.allclose(axis_weights(old, new).sum(axis=1), 1)
    assert np.allclose(axis_weights(9, 9).toarray(), np.eye(9))


def test_field_of_view_is_kept_and_the_true_spacing_told():
    volume = smooth_volume()
    finer = to_spacing(volume, (0.9, 0.9, 0.9))
    assert finer.shape == (44, 48, 67)
    np.testing.assert_allclose(finer.spacing_mm, (40 / 44, 43.2 / 48, 60 / 67))
    corner = np.array([-0.5, -0.5, -0.5])
    np.testing.assert_allclose(finer.world(corner), volume.world(corner))
    far = np.asarray(finer.shape) - 0.5
    np.testing.assert_allclose(finer.world(far), volume.world(np.asarray(volume.shape) - 0.5))


def test_enlarging_agrees_with_simpleitk():
    volume = smooth_volume()
    finer = to_spacing(volume, (0.5, 0.6, 1.5))
    image = SimpleITK.GetImageFromArray(volume.data.T)
    image.SetSpacing(volume.spacing_mm)
    image.SetOrigin(tuple(volume.affine[:3, 3]))
    reference = SimpleITK.Image([int(n) for n in finer.shape], SimpleITK.sitkFloat32)
    reference.SetSpacing(finer.spacing_mm)
    reference.SetOrigin(tuple(finer.affine[:3, 3]))
    theirs = SimpleITK.GetArrayFromImage(
        SimpleITK.Resample(image, reference, SimpleITK.Transform(), SimpleITK.sitkLinear)
    ).T
    inner = (slice(2, -2),) * 3
    np.testing.assert_allclose(finer.data[inner], theirs[inner], atol=1e-4)


def test_shrinking_averages_and_does_not_alias():
    fine = np.indices((64, 8, 8))[0] % 2
    volume = Volume(fine.astype(np.float32), np.eye(4))
    shrunk = to_spacing(volume, (4, 1, 1))
    assert shrunk.shape == (16, 8, 8)
    assert np.abs(shrunk.data[1:-1] - 0.5).max() < 0.02


def test_reslice_to_a_shifted_grid_and_nearest_for_labels():
    volume = smooth_volume()
    shifted = volume.affine.copy()
    shifted[:3, 3] = volume.world((3, 2, 1))
    moved = reslice(volume, shifted, (10, 10, 10))
    np.testing.assert_allclose(moved.data, volume.data[3:13, 2:12, 1:11], atol=1e-5)
    labels = Volume((volume.data > 1).astype(np.uint8), volume.affine, outside=0)
    assert reslice(labels, shifted, (10, 10, 10), order=0).data.dtype == np.uint8


def test_spacing_must_be_positive():
    with pytest.raises(InputError, match="three positive numbers"):
        to_spacing(smooth_volume(), (1, 1, 0))
