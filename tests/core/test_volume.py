import numpy as np
import pytest

from cormack.core.errors import GeometryError, InputError
from cormack.core.labels import BRAIN, HEAD, Label, LabelMap, LabelTable
from cormack.core.volume import SliceStack, Unit, Volume

SHEARED = np.array([[0.5, 0, 0, 1], [0, 0.5, 0.4, 2], [0, 0, 3, 3], [0, 0, 0, 1.0]])


def test_world_and_voxel_are_inverse():
    volume = Volume(np.zeros((4, 5, 6), np.int16), SHEARED)
    ijk = np.array([[0, 0, 0], [3, 4, 5], [1.5, 2.25, 0.5]])
    np.testing.assert_allclose(volume.voxel(volume.world(ijk)), ijk)
    np.testing.assert_allclose(volume.world([1, 1, 1]), [1.5, 2.9, 6])


def test_voxel_volume_of_a_sheared_grid_is_the_determinant():
    volume = Volume(np.zeros((4, 5, 6), np.int16), SHEARED)
    assert volume.voxel_volume_ml == pytest.approx(0.75e-3)
    assert volume.spacing_mm == pytest.approx((0.5, 0.5, np.hypot(0.4, 3)))
    assert not volume.is_orthogonal
    assert Volume(np.zeros((2, 2, 2)), np.eye(4)).is_orthogonal


def test_other_numbers_on_the_same_grid():
    volume = Volume(np.zeros((4, 5, 6), np.int16), SHEARED)
    other = volume.with_data(np.ones((4, 5, 6), np.float32), unit=Unit.PROBABILITY, outside=0.0)
    assert (other.unit, other.outside) == (Unit.PROBABILITY, 0.0)
    assert other.affine is volume.affine


@pytest.mark.parametrize(
    ("data", "affine"),
    [(np.zeros((2, 2)), np.eye(4)), (np.zeros((2, 2, 2)), np.zeros((4, 4))), (np.zeros((2, 2, 2)), np.eye(3))],
)
def test_half_valid_volumes_do_not_exist(data, affine):
    with pytest.raises(GeometryError):
        Volume(data, affine)


def stack(positions, **kwargs):
    positions = np.asarray(positions, dtype=float)
    origins = np.c_[np.zeros(len(positions)), positions * 0.1, positions]
    return SliceStack(
        np.zeros((4, 4, len(positions)), np.int16), np.array([1.0, 0, 0]), np.array([0, 1.0, 0]), origins, **kwargs
    )


def test_even_stack_has_an_affine_and_an_uneven_one_none():
    even = stack([0, 2, 4, 6])
    np.testing.assert_allclose(even.affine @ [1, 2, 3, 1], [*even.world([1, 2, 3]), 1])
    assert even.to_volume().shape == (4, 4, 4)
    assert even.tilt_deg == pytest.approx(np.degrees(np.arctan(0.1)))
    uneven = stack([0, 2, 4, 7])
    assert uneven.affine is None
    np.testing.assert_allclose(uneven.slice_distances_mm, [2, 2, 3])
    with pytest.raises(GeometryError, match="rectify"):
        uneven.to_volume()


@pytest.mark.parametrize("positions", [[0, 2, 2], [0, 4, 2], [np.nan, 1, 2]])
def test_slices_must_ascend(positions):
    with pytest.raises(GeometryError):
        stack(positions)


def test_one_uid_per_slice():
    assert stack([0, 1], sop_instance_uids=("1", "2")).sop_instance_uids == ("1", "2")
    with pytest.raises(GeometryError, match="SOPInstanceUID"):
        stack([0, 1], sop_instance_uids=("1",))


def test_label_map_measures_its_labels():
    data = np.zeros((4, 4, 4), np.uint8)
    data[:2] = 1
    labels = LabelMap(data, np.diag([1.0, 1, 2, 1]), BRAIN)
    assert labels.volume_ml() == pytest.approx(32 * 2e-3)
    assert labels.volume_ml("brain") == labels.volume_ml(1)
    assert labels.on_grid_of(Volume(np.zeros((4, 4, 4)), labels.affine))
    assert not labels.on_grid_of(Volume(np.zeros((4, 4, 4)), np.eye(4)))
    with pytest.raises(GeometryError, match="whole numbers"):
        LabelMap(data.astype(float), np.eye(4), BRAIN)


def test_label_tables_hold_each_index_once():
    assert HEAD["head"].index == 1
    assert [label.name for label in HEAD] == ["head"]
    with pytest.raises(KeyError):
        HEAD["nose"]
    one = Label(1, "a", "a", (0, 0, 0))
    with pytest.raises(InputError, match="once"):
        LabelTable((one, one))
    with pytest.raises(InputError, match="positive"):
        LabelTable((Label(0, "a", "a", (0, 0, 0)),))
