from __future__ import annotations

import numpy as np
import pytest
from monai.metrics import compute_average_surface_distance, compute_hausdorff_distance, compute_surface_dice

from cormack.measure.surface import area_distances, boundary, voxel_distances

# MONAI warns of its own use of an argument.
pytestmark = pytest.mark.filterwarnings("ignore:.*always_return_as_numpy:FutureWarning")
SPACING_MM = (0.8, 1.3, 2.5)
STEPS = np.diag(SPACING_MM)


def blobs(seed, shape=(34, 30, 18)):
    """Two smooth random masks that differ by a few voxels, away from the border."""
    from scipy import ndimage

    rng = np.random.default_rng(seed)
    base = ndimage.gaussian_filter(rng.normal(size=shape), 4)
    noise = ndimage.gaussian_filter(rng.normal(size=shape), 2)
    inside = np.zeros(shape, bool)
    inside[3:-3, 3:-3, 3:-3] = True
    return [(inside & (image > np.quantile(image, 0.7))) for image in (base, base + 0.3 * noise)]


def batch(mask):
    import torch

    return torch.from_numpy(mask[None, None].astype(np.uint8))


@pytest.mark.parametrize("seed", range(4))
def test_distances_are_those_of_monai(seed):
    a, b = blobs(seed)
    found = voxel_distances(a, b, STEPS)
    arguments = {"y_pred": batch(a), "y": batch(b), "include_background": True, "spacing": SPACING_MM}
    for percentile in (95, 100):
        theirs = compute_hausdorff_distance(**arguments, percentile=percentile).item()
        assert found.percentile_mm(percentile) == pytest.approx(theirs, rel=1e-5)
    theirs = compute_average_surface_distance(**arguments, symmetric=True).item()
    assert found.mean_mm == pytest.approx(theirs, rel=1e-5)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("tolerance_mm", [0.5, 1.0, 2.6])
def test_surface_dice_is_that_of_monai_by_area(seed, tolerance_mm):
    a, b = blobs(seed)
    theirs = compute_surface_dice(
        batch(a), batch(b), [tolerance_mm], include_background=True, spacing=SPACING_MM, use_subvoxels=True
    ).item()
    assert area_distances(a, b, STEPS).share_within(tolerance_mm) == pytest.approx(theirs, rel=1e-5)


def test_area_of_a_box_and_a_ball():
    box = np.zeros((12, 12, 12), bool)
    box[2:10, 2:10, 2:10] = True
    # Edges and corners of a box are cut off, so that the area is a little less than 6 faces of 8 x 8.
    assert 0.9 * 384 < area_distances(box, box, np.eye(3)).first_weights.sum() < 384
    radius = 20
    ball = np.linalg.norm(np.indices((45, 45, 45)) - 22, axis=0) <= radius
    # Steps of voxels make marching cubes on masks about a tenth too large.
    area = area_distances(ball, ball, np.eye(3)).first_weights.sum()
    assert 1.0 < area / (4 * np.pi * radius**2) < 1.12


def test_single_slices_have_no_face_above_or_below():
    a = np.zeros((12, 12, 1), bool)
    a[2:9, 2:9] = True
    edge = boundary(a, flat=True)
    assert np.count_nonzero(edge) == 4 * 6
    assert boundary(a).sum() == 49
    b = np.roll(a, 2, axis=0)
    found = voxel_distances(a, b, np.diag([1.5, 1.5, 4.0]), flat=True)
    assert found.percentile_mm(100) == 3.0
    # The outline of a 7 x 7 square with cut corners, times the slice's height.
    outline = (4 * 6 + 4 * np.sqrt(0.5)) * 1.5 * 4.0
    assert area_distances(a, b, np.diag([1.5, 1.5, 4.0]), flat=True).first_weights.sum() == pytest.approx(outline)


def test_equal_masks_touch_everywhere():
    a, _ = blobs(0)
    for found in (voxel_distances(a, a, STEPS), area_distances(a, a, STEPS)):
        assert found.mean_mm == found.percentile_mm(100) == 0
        assert found.share_within(0) == 1
