"""Labels on some slices: on those of an image, or with the empty ones between them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cormack.core.errors import GeometryError
from cormack.core.volume import SliceStack
from cormack.imaging.place_slices import filled_labels, placed_labels

ORIGINS = np.array([(5.0, -0.6 * k, 3.0 * k) for k in range(8)])


def stack(kept=slice(None)):
    data = np.arange(1, 9, dtype=np.uint8) * np.ones((4, 5, 1), np.uint8)
    return SliceStack(data[..., kept], (0.5, 0, 0), (0, 0.5, 0), ORIGINS[kept])


def test_slices_find_their_places():
    image, some = stack(), stack([1, 2, 5])
    np.testing.assert_array_equal(placed_labels(some, image)[0, 0], [0, 2, 3, 0, 0, 6, 0, 0])
    assert placed_labels(replace(some, origins=some.origins + np.array([0, 0, 0.2])), image) is None
    assert placed_labels(replace(some, step_i=(0.6, 0, 0)), image) is None
    assert placed_labels(replace(some, data=some.data[:3]), image) is None


@pytest.mark.parametrize("spacing_mm", [None, 3.0])
def test_missing_slices_become_empty_ones(spacing_mm):
    data, affine = filled_labels(stack([1, 2, 5]), spacing_mm)
    np.testing.assert_array_equal(data[0, 0], [0, 2, 3, 0, 0, 6, 0])
    for index, k in ((1, 1), (2, 2), (5, 5)):
        np.testing.assert_allclose(affine @ [2, 1, index, 1], [*(ORIGINS[k] + (1, 0.5, 0)), 1])


def test_one_slice_needs_a_thickness():
    with pytest.raises(GeometryError, match="no thickness"):
        filled_labels(stack([2]), None)
    data, affine = filled_labels(stack([2]), 2.0)
    assert data.shape == (4, 5, 3)
    assert np.linalg.norm(affine[:3, 2]) == pytest.approx(2.0)


def test_uneven_slices_make_no_volume():
    uneven = stack([0, 1, 3])
    with pytest.raises(GeometryError, match="unevenly spaced"):
        filled_labels(replace(uneven, origins=uneven.origins + np.array([[0, 0, 0], [0, 0, 0], [0, 0, 1.3]])), None)
