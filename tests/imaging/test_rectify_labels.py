"""Labels on slices brought to the rectified grid."""

import numpy as np
import pytest

from cormack.core.labels import BRAIN
from cormack.core.volume import SliceStack
from cormack.imaging.rectify import rectify
from cormack.imaging.rectify_labels import rectify_labels


def stack(positions_mm, tilt_deg):
    angle = np.radians(tilt_deg)
    origins = np.array([-30.0, -30.0, 0.0]) + np.asarray(positions_mm)[:, None] * np.array([0, 0, 1.0])
    return SliceStack(
        np.zeros((60, 60, len(positions_mm)), np.int16),
        np.array([1.0, 0, 0]),
        np.array([0, np.cos(angle), np.sin(angle)]),
        origins,
    )


def ball(slices, radius_mm=18.0):
    """A ball in the middle of the stack, and a smaller one within it, drawn on every slice."""
    i, j = np.meshgrid(np.arange(60), np.arange(60), indexing="ij")
    data = np.zeros(slices.data.shape, np.uint8)
    middle = slices.world([30, 30, len(slices.origins) // 2])
    for k in range(data.shape[2]):
        places = slices.world(np.stack([i, j, np.full_like(i, k)], axis=-1))
        distance = np.linalg.norm(places - middle, axis=-1)
        data[:, :, k] = np.where(distance < radius_mm / 2, 3, distance < radius_mm)
    return data


@pytest.mark.parametrize("tilt_deg", [0.0, 15.0])
@pytest.mark.parametrize(
    "positions_mm", [np.arange(30) * 2.0, np.concatenate([np.arange(12) * 2.0, 24 + np.arange(12) * 3.0])]
)
def test_volumes_and_grid(positions_mm, tilt_deg):
    slices = stack(positions_mm, tilt_deg)
    labels = rectify_labels(ball(slices), slices, BRAIN)
    volume = rectify(slices).volume
    assert labels.on_grid_of(volume)
    step_ml = labels.voxel_volume_ml
    inner, both = 4 / 3 * np.pi * 0.9**3, 4 / 3 * np.pi * 1.8**3
    assert np.count_nonzero(labels.data == 3) * step_ml == pytest.approx(inner, rel=0.05)
    assert np.count_nonzero(labels.data) * step_ml == pytest.approx(both, rel=0.03)
    assert set(np.unique(labels.data)) == {0, 1, 3}


def test_slices_on_the_grid_keep_their_labels():
    slices = stack(np.arange(30) * 2.0, 0.0)
    np.testing.assert_array_equal(rectify_labels(ball(slices), slices, BRAIN).data, ball(slices))
