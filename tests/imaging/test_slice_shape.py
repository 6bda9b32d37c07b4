"""Outlines between thick slices, against a cone whose radius is known everywhere."""

import numpy as np
import pytest

from cormack.imaging.slice_shape import shape_between_slices


def cone(step_mm, slice_mm):
    """Radius 20 mm at height 0, 2 mm less per 3 mm of height."""
    at = np.arange(-30, 30, step_mm)
    x, y = np.meshgrid(at, at, indexing="ij")
    heights = np.arange(0, 25, slice_mm)
    mask = np.hypot(x, y)[..., None] < 20 - 2 / 3 * heights
    return mask, np.diag([step_mm, step_mm, slice_mm, 1.0])


def test_outline_halfway_between_slices_is_halfway():
    mask, affine = cone(0.5, 5.0)
    values = shape_between_slices(mask, affine)
    halfway = (values[..., 1] + values[..., 2]) / 2
    area_mm2 = np.count_nonzero(halfway >= 0.5) * 0.25
    assert np.sqrt(area_mm2 / np.pi) == pytest.approx(20 - 2 / 3 * 7.5, abs=0.15)


def test_on_slices_the_outline_is_that_of_the_mask():
    mask, affine = cone(0.5, 5.0)
    assert np.array_equal(shape_between_slices(mask, affine) >= 0.5, mask)


def test_thin_slices_are_left_alone():
    mask, affine = cone(1.0, 1.25)
    assert np.array_equal(shape_between_slices(mask, affine), mask.astype(np.float32))
