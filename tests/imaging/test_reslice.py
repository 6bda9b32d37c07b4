from itertools import permutations, product

import numpy as np
import pytest
import SimpleITK
from scipy import ndimage

from cormack.core.volume import Volume
from cormack.imaging.reslice import reslice


def smooth_volume(shape=(40, 36, 20), spacing=(1.0, 1.2, 3.0)):
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = (-12, 5, 30)
    grid = np.stack(np.meshgrid(*(np.arange(n) * s for n, s in zip(shape, spacing, strict=True)), indexing="ij"))
    data = np.sin(grid[0] / 6) + np.cos(grid[1] / 7) + grid[2] / 30
    return Volume(data.astype(np.float32), affine, outside=0.0)


def test_reslice_to_a_shifted_grid_and_nearest_for_labels():
    volume = smooth_volume()
    shifted = volume.affine.copy()
    shifted[:3, 3] = volume.world((3, 2, 1))
    moved = reslice(volume, shifted, (10, 10, 10))
    np.testing.assert_allclose(moved.data, volume.data[3:13, 2:12, 1:11], atol=1e-5)
    labels = Volume((volume.data > 1).astype(np.uint8), volume.affine, outside=0)
    assert reslice(labels, shifted, (10, 10, 10), order=0).data.dtype == np.uint8


def test_linear_agrees_with_simpleitk():
    volume = smooth_volume()
    affine = np.diag([0.5, 0.6, 1.5, 1.0])
    affine[:3, 3] = volume.world((2.2, 3.1, 1.4))
    ours = reslice(volume, affine, (60, 50, 30))
    image = SimpleITK.GetImageFromArray(volume.data.T)
    image.SetSpacing(volume.spacing_mm)
    image.SetOrigin(tuple(volume.affine[:3, 3]))
    reference = SimpleITK.Image([60, 50, 30], SimpleITK.sitkFloat32)
    reference.SetSpacing((0.5, 0.6, 1.5))
    reference.SetOrigin(tuple(affine[:3, 3]))
    theirs = SimpleITK.Resample(image, reference, SimpleITK.Transform(), SimpleITK.sitkLinear)
    np.testing.assert_allclose(ours.data, SimpleITK.GetArrayFromImage(theirs).T, atol=1e-4)


@pytest.mark.parametrize("axes", list(permutations(range(3))))
@pytest.mark.parametrize("start", [(0, 0, 0), (-3, 2, 5), (4, -1, -30)])
def test_voxels_in_another_order_are_not_interpolated(axes, start):
    volume = smooth_volume((7, 6, 5))
    for signs in product((1, -1), repeat=3):
        to_source = np.zeros((4, 4))
        to_source[list(axes), range(3)] = signs
        to_source[:3, 3] = np.array(start) + np.where(to_source[:3, :3].sum(axis=1) < 0, np.array(volume.shape) - 1, 0)
        to_source[3, 3] = 1
        expected = ndimage.affine_transform(
            volume.data, to_source[:3, :3], to_source[:3, 3], (8, 5, 6), order=1, mode="constant", cval=-9.0
        )
        away = Volume(volume.data, volume.affine, outside=-9.0)
        np.testing.assert_allclose(reslice(away, volume.affine @ to_source, (8, 5, 6)).data, expected, atol=1e-6)
