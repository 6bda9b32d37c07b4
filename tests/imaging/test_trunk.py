"""A trunk is told from a head by its width in every slice."""

from __future__ import annotations

import numpy as np
import pytest

from cormack.core.volume import SliceStack
from cormack.files.nifti import read_stack
from cormack.imaging.trunk import shows_trunk_only


def ellipses(widths_mm: list[float], depth_mm: float = 200.0, step_mm: float = 2.0) -> SliceStack:
    """One ellipse of tissue per slice, in air."""
    x, y = np.meshgrid(np.arange(-250, 250, step_mm), np.arange(-200, 200, step_mm), indexing="ij")
    data = np.full((*x.shape, len(widths_mm)), -1000, np.int16)
    for k, width in enumerate(widths_mm):
        data[(2 * x / width) ** 2 + (2 * y / depth_mm) ** 2 < 1, k] = 40
    origins = np.array([[0.0, 0, 5 * k] for k in range(len(widths_mm))])
    return SliceStack(data, np.array([step_mm, 0, 0]), np.array([0, step_mm, 0]), origins)


@pytest.mark.parametrize(
    ("widths", "told"),
    [([350, 380, 400], True), ([160, 160, 160], False), ([350, 150, 350], False), ([350, 350, 270], False)],
)
def test_every_slice_counts(widths, told):
    assert shows_trunk_only(ellipses(widths)) is told


def test_an_empty_slice_is_no_trunk():
    assert not shows_trunk_only(ellipses([350, 1, 350]))


def test_a_real_body(shared_data):
    stack, _ = read_stack(shared_data / "chest_ct/example_ct.nii.gz", assume_mm=True)
    assert shows_trunk_only(stack)
