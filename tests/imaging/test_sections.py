import numpy as np
import pytest

from cormack.core.errors import InputError
from cormack.core.labels import HEAD, LabelMap
from cormack.core.volume import Unit, Volume
from cormack.imaging.sections import body_box, direction_letters, frame, plane_axes, section

BOX = np.array([[-30.0, -40.0, -20.0], [30.0, 40.0, 20.0]])


def marked():
    """Low values all round; one bright voxel far to the right, anterior and superior."""
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = -30, -40, -20
    data = np.zeros((31, 41, 21), np.int16)
    data[28, 38, 18] = 1000  # R 26, A 36, S 16
    return Volume(data, affine, unit=Unit.ARBITRARY, outside=0.0)


@pytest.mark.parametrize(
    ("plane", "at", "corner", "letters"),
    [
        ("axial", (0, 0, 16), "upper left", ("R", "L", "A", "P")),
        ("coronal", (0, 36, 0), "upper left", ("R", "L", "S", "I")),
        ("sagittal", (26, 0, 0), "upper left", ("A", "P", "S", "I")),
    ],
)
def test_right_and_anterior_lie_where_radiologists_look_for_them(plane, at, corner, letters):
    where = frame(marked(), plane, at, box=BOX, pixel_mm=1.0)
    picture = section(marked(), where)
    row, column = np.unravel_index(np.nanargmax(picture), picture.shape)
    assert row < picture.shape[0] / 2
    assert column < picture.shape[1] / 2
    assert where.letters == letters


def test_pixels_are_square_and_lie_where_they_say():
    volume = marked()
    x, y, z = np.moveaxis(volume.world(np.moveaxis(np.indices(volume.shape), 0, -1)), -1, 0)
    ramp = volume.with_data((x + 10 * y + 100 * z).astype(np.float32))
    where = frame(ramp, (0.3, -0.4, 1.0), (2, 3, 4), box=BOX / 3)
    values, points = section(ramp, where), where.points()
    np.testing.assert_allclose(values, points @ [1, 10, 100], atol=1e-2)
    steps = np.linalg.norm(np.diff(points, axis=0), axis=-1), np.linalg.norm(np.diff(points, axis=1), axis=-1)
    for step in steps:
        np.testing.assert_allclose(step, where.pixel_mm)
    normal = np.array([0.3, -0.4, 1.0])
    np.testing.assert_allclose((points - [2, 3, 4]) @ normal, 0, atol=1e-9)


def test_outside_of_the_voxels_is_nan_and_labels_are_not_mixed():
    where = frame(marked(), "axial", (0, 0, 0), box=BOX * 2)
    assert np.isnan(section(marked(), where)[0, 0])
    labels = LabelMap((np.arange(31 * 41 * 21).reshape(31, 41, 21) % 200).astype(np.uint8), marked().affine, HEAD)
    values = section(labels, frame(marked(), "axial", (0, 0, 1), box=BOX, pixel_mm=0.7))
    assert np.array_equal(values[np.isfinite(values)] % 1, np.zeros(np.isfinite(values).sum()))


@pytest.mark.parametrize(
    ("direction", "letters"),
    [((1, 0, 0), "R"), ((0, -1, 0), "P"), ((0, 0.2, -1), "I"), ((0, 0.6, -0.8), "IA"), ((-0.6, 0.55, 0.58), "LSA")],
)
def test_letters_of_directions(direction, letters):
    assert direction_letters(direction) == letters


@pytest.mark.parametrize("normal", [(0, 0, 1), (0, 0, -1)])
def test_the_side_of_a_normal_does_not_turn_the_picture(normal):
    for ours, named in zip(plane_axes(normal), plane_axes("axial"), strict=True):
        np.testing.assert_allclose(ours, named)


def test_planes_that_are_none():
    for plane in ("axail", (0, 0, 0), (1, 2)):
        with pytest.raises(InputError, match="plane"):
            plane_axes(plane)


def test_box_holds_the_body_without_the_table():
    data = np.full((100, 100, 40), -1000, np.int16)
    data[30:70, 30:60, 5:35] = 40
    data[5:95, 90:92, :] = 100  # a thin table top
    affine = np.diag([3.0, 3.0, 3.0, 1.0])
    low, high = body_box(Volume(data, affine))
    np.testing.assert_allclose(low, [30 * 3 - 8, 30 * 3 - 8, 5 * 3 - 8], atol=3)
    np.testing.assert_allclose(high, [69 * 3 + 8, 59 * 3 + 8, 34 * 3 + 8], atol=3)


def test_an_even_volume_is_shown_whole():
    low, high = body_box(Volume(np.full((10, 10, 10), -1000, np.int16), np.eye(4)))
    np.testing.assert_allclose([low, high], [[-0.5] * 3, [9.5] * 3])
