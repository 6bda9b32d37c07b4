import numpy as np
import SimpleITK

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
