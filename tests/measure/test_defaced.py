"""The share of a face's surface that is gone, against heads cut by hand."""

from __future__ import annotations

import numpy as np
import pytest

from cormack.core.volume import Volume
from cormack.measure.defaced import FACE_BOX, removed_surface_share

AFFINE = np.diag([3.0, 3.0, 3.0, 1.0])
AFFINE[:3, 3] = (-120, -120, -150)


def block(front_mm: float, *, floor_mm: float = -150) -> Volume:
    """A block of tissue whose flat front lies at `front_mm`."""
    x, y, z = np.moveaxis(np.moveaxis(np.indices((80, 90, 90)), 0, -1) * 3.0 + AFFINE[:3, 3], -1, 0)
    data = np.full(x.shape, -1000, np.int16)
    data[(np.abs(x) < 90) & (y < front_mm) & (z > floor_mm)] = 40
    return Volume(data, AFFINE)


def test_nothing_changed_nothing_gone():
    assert removed_surface_share(block(90), block(90), -300, np.eye(4)) == 0


@pytest.mark.parametrize(("cut", "share"), [(87, 0.0), (60, 1.0)])
def test_a_front_that_moves_back(cut, share):
    assert removed_surface_share(block(90), block(cut), -300, np.eye(4)) == pytest.approx(share, abs=0.01)


def test_half_a_face():
    after = block(90)
    after.data[40:, 60:] = -1000  # all at x > 0 and y > 60 mm
    assert removed_surface_share(block(90), after, -300, np.eye(4)) == pytest.approx(0.5, abs=0.06)


def test_a_field_of_view_without_a_face():
    (_, _), (front, _), (_, _) = FACE_BOX
    assert removed_surface_share(block(front - 10), block(front - 10), -300, np.eye(4)) is None
