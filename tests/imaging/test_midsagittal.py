"""The plane of symmetry against the axes of an analytic head."""

import numpy as np
import pytest

from analytic_neuroanatomy import Shape, make_neuroanatomy, turn
from cormack.core.errors import InputError
from cormack.core.labels import LabelMap
from cormack.core.neuroanatomy import NEUROANATOMY_FINE
from cormack.imaging.midsagittal import midsagittal_plane

TURNS = [(0, 0, 0), (20, 0, 0), (0, 25, -20), (-15, -35, 30)]


def off_deg(vector, axis):
    return np.degrees(np.arccos(np.clip(vector @ axis, -1, 1)))


@pytest.mark.parametrize("angles", TURNS)
def test_plane_of_a_turned_head(angles):
    head = make_neuroanatomy((2.0, 2.0, 2.0), rotation=turn(*angles))
    plane = midsagittal_plane(head.labels)
    assert off_deg(plane.normal, turn(*angles)[:, 0]) < 0.7
    assert abs(plane.point_mm @ plane.normal) < 0.7  # the head turns about the origin, the middle of its skull


def test_thick_slices():
    head = make_neuroanatomy((0.9, 0.9, 5.0), rotation=turn(12, 8, -10))
    assert off_deg(midsagittal_plane(head.labels).normal, turn(12, 8, -10)[:, 0]) < 1.0


def test_a_shifted_septum_and_a_small_caudate_do_not_turn_the_plane():
    head = make_neuroanatomy((2.0, 2.0, 2.0), shape=Shape(shift_mm=9, right_caudate=0.5))
    plane = midsagittal_plane(head.labels)
    assert off_deg(plane.normal, np.array([1.0, 0, 0])) < 0.7
    assert abs(plane.point_mm[0]) < 0.7


def test_a_cut_vertex_of_a_bent_head_does_not_turn_the_plane():
    head = make_neuroanatomy((2.0, 2.0, 2.0), rotation=turn(0, 15, 0), top_mm=40)
    assert off_deg(midsagittal_plane(head.labels).normal, turn(0, 15, 0)[:, 0]) < 1.0


def test_axes_of_the_plane_are_a_right_handed_frame():
    axes = midsagittal_plane(make_neuroanatomy((3.0, 3.0, 3.0), rotation=turn(10, 10, 10)).labels).axes
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(axes) == pytest.approx(1)


def test_hardly_any_label_is_refused():
    data = np.zeros((40, 40, 40), np.uint8)
    data[10:20, 10:20, 10:20] = 1
    with pytest.raises(InputError, match="whole head"):
        midsagittal_plane(LabelMap(data, np.eye(4), NEUROANATOMY_FINE))
