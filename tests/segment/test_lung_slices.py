"""The recipe, against the same steps written with scikit-image and scikit-learn as the tutorial takes them."""

import numpy as np
import pytest
from skimage import measure, morphology
from sklearn.cluster import KMeans

from cormack.physics.scanner import ScannerSettings, SliceGeometry, acquire
from cormack.physics.thorax import Thorax
from cormack.segment.lung_slices import lung_mask_of_slice, lungs_by_slices


@pytest.fixture(scope="module")
def slices():
    geometry = SliceGeometry((-60.0, 0.0, 60.0, 110.0), pixel_spacing_mm=(0.75, 0.75), thickness_mm=2.0)
    return acquire(Thorax(), geometry, ScannerSettings(noise_hu=20.0)).data


def with_other_packages(image):
    image = (image - image.mean()) / image.std()
    middle = image[102:409, 102:409]
    mean, ends = middle.mean(), (image.max(), image.min())
    image[np.isin(image, ends)] = mean
    means = KMeans(2, n_init=1, random_state=0).fit(middle.reshape(-1, 1)).cluster_centers_
    dark = image < means.mean()
    grown = morphology.dilation(morphology.erosion(dark, np.ones((3, 3))), np.ones((8, 8)))
    regions = measure.label(grown)
    kept = np.zeros_like(dark)
    for region in measure.regionprops(regions):
        top, left, bottom, right = region.bbox
        if bottom - top < 460.8 and right - left < 460.8 and top > 102.4 and bottom < 409.6:
            kept |= regions == region.label
    return morphology.dilation(kept, np.ones((10, 10)))


def test_it_follows_the_recipe(slices):
    for k in range(slices.shape[2]):
        image = slices[:, :, k].T.astype(float)
        ours, theirs = lung_mask_of_slice(image.copy()), with_other_packages(image.copy())
        assert theirs.sum() > 10_000
        # k-means there stops near the best threshold, here it takes it.
        assert np.count_nonzero(ours != theirs) < 0.002 * theirs.sum()


def test_slices_are_taken_as_they_are_shown(slices):
    upright = slices[::-1, ::-1]
    expected = lung_mask_of_slice(slices[:, :, 1].T.astype(float))
    np.testing.assert_array_equal(lungs_by_slices(upright)[:, :, 1].T[::-1, ::-1], expected)


def test_footprints_scale_with_the_matrix(slices):
    small = lung_mask_of_slice(slices[::4, ::4, 1].T.astype(float))
    whole = lung_mask_of_slice(slices[:, :, 1].T.astype(float))[::4, ::4]
    assert small.shape == (128, 128)
    assert small.sum() == pytest.approx(whole.sum(), rel=0.1)


@pytest.mark.parametrize("image", [np.zeros((64, 64)), np.ones((1, 1)), np.eye(2)])
def test_images_without_anything_give_an_empty_mask(image):
    assert not lung_mask_of_slice(image.astype(float)).any()
