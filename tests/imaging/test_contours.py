"""Contours filled on slices."""

import numpy as np
import pytest

from cormack.core.contours import ContouredStructure
from cormack.core.errors import GeometryError
from cormack.core.volume import SliceStack
from cormack.imaging.contours import fill_contours

PIXEL_MM = 0.5


def stack(count=5, tilt_deg=0.0, distance_mm=4.0):
    """Slices of 80 x 60 pixels whose first pixel lies at (-20, -15, 0); tilted ones lean along j."""
    angle = np.radians(tilt_deg)
    origins = np.array([-20.0, -15.0, 0.0]) + np.arange(count)[:, None] * np.array([0.0, 0.0, distance_mm])
    return SliceStack(
        np.zeros((80, 60, count), np.int16),
        PIXEL_MM * np.array([1.0, 0, 0]),
        PIXEL_MM * np.array([0, np.cos(angle), np.sin(angle)]),
        origins,
    )


def circle(slices, k, radius_mm, centre=(0.0, 0.0), height_mm=0.0):
    """A circle about a point of slice k, in its plane or above it."""
    angles = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    middle = slices.origins[k] + 40 * slices.step_i + 30 * slices.step_j + height_mm * slices.normal
    along = [step / np.linalg.norm(step) for step in (slices.step_i, slices.step_j)]
    place = np.stack([centre[0] + radius_mm * np.cos(angles), centre[1] + radius_mm * np.sin(angles)], axis=1)
    return middle + place @ np.array(along)


def structure(*contours, name="ball"):
    return ContouredStructure(name, None, contours)


@pytest.mark.parametrize("tilt_deg", [0.0, 18.0])
def test_area_and_middle_of_a_circle(tilt_deg):
    slices = stack(tilt_deg=tilt_deg)
    filled = fill_contours([structure(circle(slices, 2, 9.0, (2.0, -1.0)))], slices)
    assert np.flatnonzero(filled.data.any(axis=(0, 1))).tolist() == [2]
    inside = filled.data[:, :, 2] == 1
    assert inside.sum() * PIXEL_MM**2 == pytest.approx(np.pi * 81, rel=0.02)
    np.testing.assert_allclose(np.argwhere(inside).mean(axis=0), [44, 28], atol=0.05)
    assert (filled.overlap, filled.left_out) == (0, 0)


def test_what_an_even_number_of_contours_surrounds_is_outside():
    slices = stack()
    ring = structure(circle(slices, 1, 10.0), circle(slices, 1, 5.0))
    inside = fill_contours([ring], slices).data[:, :, 1] == 1
    assert inside.sum() * PIXEL_MM**2 == pytest.approx(np.pi * 75, rel=0.02)
    assert not inside[40, 30]


def test_the_later_structure_stands_where_two_overlap():
    slices = stack()
    filled = fill_contours([structure(circle(slices, 1, 6.0)), structure(circle(slices, 1, 3.0))], slices)
    assert filled.overlap == np.count_nonzero(filled.data == 2)
    assert filled.overlap * PIXEL_MM**2 == pytest.approx(np.pi * 9, rel=0.05)


def test_slices_take_the_nearest_plane():
    slices = stack()
    near, far = circle(slices, 2, 4.0, height_mm=0.5), circle(slices, 2, 8.0, height_mm=-1.5)
    for order in ((near, far), (far, near)):
        filled = fill_contours([structure(*order)], slices)
        assert np.count_nonzero(filled.data) * PIXEL_MM**2 == pytest.approx(np.pi * 16, rel=0.05)
        assert filled.left_out == 1
    beyond = fill_contours([structure(circle(slices, 4, 4.0, height_mm=2.5))], slices)
    assert beyond.left_out == 1
    assert not beyond.data.any()
    assert fill_contours([structure(circle(stack(1), 0, 4.0))], stack(1)).data.any()


def test_contours_across_slices_are_refused():
    slices = stack()
    with pytest.raises(GeometryError, match="leaves the plane"):
        fill_contours([structure(circle(stack(tilt_deg=30.0), 2, 9.0))], slices)
