import numpy as np
import pytest

from cormack.core.errors import GeometryError, InputError
from cormack.core.volume import SliceStack
from cormack.imaging.orient import axis_codes
from cormack.imaging.rectify import rectify
from cormack.imaging.spacing import slice_spacing, wide_gaps

IDENTITY = np.eye(3)


def linear_field(xyz):
    """HU that grow linearly in space: linear interpolation must give them back exactly, up to rounding."""
    return 3 * xyz[..., 0] - 2 * xyz[..., 1] + 1.5 * xyz[..., 2]


def tilted_stack(tilt_deg=12.0, positions=None, shape=(40, 30), rotation=IDENTITY):
    positions = np.arange(12) * 3.0 if positions is None else np.asarray(positions, dtype=float)
    step_i, step_j = rotation @ np.array([-0.8, 0, 0]), rotation @ np.array([0, -0.9, 0])
    normal = np.cross(step_i, step_j) / np.linalg.norm(np.cross(step_i, step_j))
    lean = np.tan(np.radians(tilt_deg)) * step_j / np.linalg.norm(step_j)
    origins = np.array([10.0, -4, 100]) + positions[:, None] * (normal + lean)
    i, j = np.mgrid[: shape[0], : shape[1]]
    data = np.stack([linear_field(o + i[..., None] * step_i + j[..., None] * step_j) for o in origins], axis=2)
    return SliceStack(np.rint(data).astype(np.int16), step_i, step_j, origins)


@pytest.mark.parametrize("tilt_deg", [-25, -8.5, 0, 3, 18.5, 25])
def test_tilt_is_measured_and_the_field_comes_back(tilt_deg):
    stack = tilted_stack(tilt_deg)
    assert stack.tilt_deg == pytest.approx(tilt_deg, abs=1e-6)
    rectified = rectify(stack)
    volume = rectified.volume
    assert volume.is_orthogonal
    assert axis_codes(volume.affine) == "RAS"
    assert rectified.interpolated == (tilt_deg != 0)
    where = np.argwhere(rectified.measured)
    np.testing.assert_allclose(volume.data[rectified.measured], linear_field(volume.world(where)), atol=1.3)
    assert (volume.data[~rectified.measured] < 3000).all()
    assert rectified.measured.sum() >= 0.9 * stack.data.size


def test_untilted_even_stack_is_not_touched():
    stack = tilted_stack(0)
    rectified = rectify(stack)
    assert not rectified.interpolated
    np.testing.assert_array_equal(np.sort(rectified.volume.data.ravel()), np.sort(stack.data.ravel()))
    assert rectified.measured.all()


@pytest.mark.parametrize(
    "rotation",
    [
        np.eye(3),
        np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]]),
        np.array([[0.0, 1, 0], [0, 0, 1], [1, 0, 0]]),
        np.array([[np.cos(0.3), -np.sin(0.3), 0], [np.sin(0.3), np.cos(0.3), 0], [0, 0, 1]]),
    ],
    ids=["axial", "coronal", "sagittal", "oblique"],
)
def test_orientations(rotation):
    rectified = rectify(tilted_stack(15, rotation=rotation))
    volume = rectified.volume
    assert axis_codes(volume.affine) == "RAS"
    where = np.argwhere(rectified.measured)
    np.testing.assert_allclose(volume.data[rectified.measured], linear_field(volume.world(where)), atol=1.3)


def test_uneven_slices_land_where_they_are():
    positions = np.r_[np.arange(6) * 4.0, 20 + 1.1 + np.arange(5) * 7.0]
    stack = tilted_stack(18.5, positions)
    assert stack.affine is None
    rectified = rectify(stack)
    assert rectified.volume.spacing_mm[2] == pytest.approx(4.0)
    where = np.argwhere(rectified.measured)
    where = where[where[:, 2] < rectified.volume.shape[2] - 1]
    np.testing.assert_allclose(
        rectified.volume.data[tuple(where.T)], linear_field(rectified.volume.world(where)), atol=1.3
    )


def test_missing_slice_is_bridged_and_a_wide_gap_left_open():
    one_missing = tilted_stack(0, np.delete(np.arange(12) * 3.0, 5))
    rectified = rectify(one_missing)
    assert rectified.unbridged_gaps_mm == ()
    assert rectified.volume.shape[2] == 12
    three_missing = tilted_stack(0, np.delete(np.arange(14) * 3.0, [5, 6, 7]))
    rectified = rectify(three_missing)
    assert rectified.unbridged_gaps_mm == pytest.approx((12.0,))
    assert not rectified.measured[:, :, 5:8].any()
    assert (rectified.volume.data[:, :, 5:8] == -1024).all()
    assert rectify(three_missing, bridge_gaps=True).measured.all()


def test_padding_is_never_mixed_into_measured_voxels():
    stack = tilted_stack(10)
    padded = np.zeros(stack.data.shape, dtype=bool)
    padded[:5] = True
    data = np.where(padded, -1024, stack.data).astype(np.int16)
    rectified = rectify(stack.with_data(data), padded=padded)
    where = np.argwhere(rectified.measured)
    np.testing.assert_allclose(
        rectified.volume.data[rectified.measured], linear_field(rectified.volume.world(where)), atol=1.3
    )


def test_spacing_rules():
    distances = np.array([4.0] * 13 + [1.08] + [7.0] * 13)
    assert slice_spacing(distances, "finest") == 4.0
    assert slice_spacing(distances, "minimum") == 1.08
    assert slice_spacing(distances, "median") == 4.0
    assert slice_spacing(distances, 2.5) == 2.5
    for wrong in ("thin", 0, -1, float("nan")):
        with pytest.raises(InputError, match="slice spacing"):
            slice_spacing(distances, wrong)


@pytest.mark.parametrize("order", [1, 3])
@pytest.mark.parametrize(("tilt_deg", "voxel_mm"), [(0, 1.0), (18.5, 1.0), (-8.5, 2.0), (0, 3.0)])
def test_isotropic_voxels(tilt_deg, voxel_mm, order):
    rectified = rectify(tilted_stack(tilt_deg), voxel_mm=voxel_mm, order=order)
    assert rectified.volume.spacing_mm == pytest.approx((voxel_mm,) * 3)
    where = np.argwhere(rectified.measured)
    inner = where[(where[:, 2] > 1) & (where[:, 2] < rectified.volume.shape[2] - 3)]
    assert len(inner) > 0.5 * where.shape[0]
    np.testing.assert_allclose(
        rectified.volume.data[tuple(inner.T)], linear_field(rectified.volume.world(inner)), atol=2.6
    )


def test_cubic_keeps_more_detail_than_linear():
    stack = tilted_stack(13.3)
    checks = np.indices(stack.data.shape)[1] // 2 % 2 * 100
    kept = {order: rectify(stack.with_data(checks.astype(np.int16)), order=order) for order in (1, 3)}
    inside = kept[1].measured
    assert kept[3].volume.data[inside].std() > 1.05 * kept[1].volume.data[inside].std()


def test_larger_voxels_average_noise():
    stack = tilted_stack(0, np.arange(30) * 0.5)
    noise = np.random.default_rng(0).normal(0, 100, stack.data.shape).astype(np.int16)
    coarse = rectify(stack.with_data(noise), voxel_mm=2.0).volume.data
    assert coarse[2:-2, 2:-2, 2:-2].std() < 30


def test_unknown_order_is_refused():
    with pytest.raises(InputError, match="interpolation order 2"):
        rectify(tilted_stack(0), order=2)


def test_a_change_of_distance_is_not_a_gap():
    assert not wide_gaps(np.array([2.5] * 5 + [10.0] * 5)).any()
    assert wide_gaps(np.array([2.5] * 5 + [10.0] + [2.5] * 5)).sum() == 1


def test_one_slice_and_absurd_grids_are_refused():
    stack = tilted_stack(0, [0.0])
    with pytest.raises(GeometryError, match="two slices"):
        rectify(stack)
    with pytest.raises(GeometryError, match="voxels"):
        rectify(tilted_stack(0, np.arange(4) * 1e5), spacing=0.001)
