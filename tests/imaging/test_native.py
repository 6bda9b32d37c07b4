"""The way back against analytic fields, SimpleITK, the way there, and masks drawn on the slices themselves."""

import numpy as np
import pytest
from scipy import ndimage

from cormack.core.errors import GeometryError, InputError
from cormack.core.labels import BRAIN, Label, LabelMap, LabelTable
from cormack.core.volume import SliceStack, Unit, Volume
from cormack.imaging.native import PLANE_CODES, to_native, volume_to_stack
from cormack.imaging.orient import axis_codes
from cormack.imaging.rectify import rectify

THREE = LabelTable(tuple(Label(n, f"l{n}", f"l{n}", (0, 0, 0)) for n in (1, 2, 3)))


def tilted_stack(tilt_deg=-18.0, positions_mm=(0, 4, 8, 12, 19, 26, 33), shape=(40, 36), oblique_deg=0.0):
    angle, turn = np.radians(tilt_deg), np.radians(oblique_deg)
    rotation = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    step_i = rotation @ [-0.9, 0, 0]
    step_j = rotation @ [0, -np.cos(angle), -np.sin(angle)]
    origins = np.array([18.0, 20.0, -10.0]) + np.array(positions_mm, float)[:, None] * [0, 0, 1]
    data = np.zeros((*shape, len(positions_mm)), np.int16)
    return SliceStack(data, step_i, step_j, origins, tuple(f"1.2.{k}" for k in range(len(positions_mm))))


def world_of(stack):
    return stack.world(np.stack(np.meshgrid(*map(np.arange, stack.data.shape), indexing="ij"), axis=-1))


def linear_field(xyz):
    return xyz @ [3.0, -2.0, 5.0] + 40.0


def grid(dtype=np.float32, turn_deg=7.0):
    """A linear field on an oblique grid that holds the stack."""
    angle = np.radians(turn_deg)
    affine = np.eye(4)
    affine[:3, :3] = np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]]) * 1.5
    affine[:3, 3] = [-40, -40, -50]
    ijk = np.stack(np.meshgrid(np.arange(50), np.arange(50), np.arange(65), indexing="ij"), axis=-1)
    volume = Volume(np.zeros(ijk.shape[:3], dtype), affine)
    return volume.with_data(linear_field(volume.world(ijk)).astype(dtype))


@pytest.mark.parametrize("order", [1, 3])
@pytest.mark.parametrize("oblique_deg", [0.0, 20.0])
@pytest.mark.parametrize("tilt_deg", [-25.0, 0.0, 18.0])
def test_a_linear_field_is_met_exactly(tilt_deg, oblique_deg, order):
    stack = tilted_stack(tilt_deg, oblique_deg=oblique_deg)
    back = to_native(grid(), stack, order=order)
    wrong = np.abs(back.data - linear_field(world_of(stack)))
    # Splines reflect at the rim of the grid, far from these slices.
    assert wrong.max() < (1e-2 if order == 1 else 0.2)
    assert back.sop_instance_uids == stack.sop_instance_uids
    np.testing.assert_array_equal(back.origins, stack.origins)


def test_simpleitk_resamples_the_same():
    sitk = pytest.importorskip("SimpleITK")
    volume, stack = grid(), tilted_stack()
    noisy = volume.with_data(np.random.default_rng(1).normal(0, 100, volume.shape).astype(np.float32), outside=-7.0)
    back = to_native(noisy, stack)
    lps = np.diag([-1.0, -1.0, 1.0])
    image = sitk.GetImageFromArray(noisy.data.transpose(2, 1, 0))
    image.SetSpacing(noisy.spacing_mm)
    image.SetOrigin((lps @ noisy.affine[:3, 3]).tolist())
    image.SetDirection((lps @ noisy.affine[:3, :3] / noisy.spacing_mm).ravel().tolist())
    for k in range(stack.data.shape[2]):
        spacing = np.linalg.norm(stack.step_i), np.linalg.norm(stack.step_j), 1.0
        axes = np.column_stack([stack.step_i / spacing[0], stack.step_j / spacing[1], stack.normal])
        size = (*stack.data.shape[:2], 1)
        theirs = sitk.Resample(
            image, size, sitk.Transform(), sitk.sitkLinear, (lps @ stack.origins[k]).tolist(), spacing,
            (lps @ axes).ravel().tolist(), -7.0,
        )  # fmt: skip
        np.testing.assert_allclose(back.data[:, :, k], sitk.GetArrayFromImage(theirs)[0].T, atol=1e-2)


def test_values_of_an_upright_stack_come_back_untouched():
    stack = tilted_stack(0.0, positions_mm=tuple(range(0, 20, 4)))
    stack = stack.with_data(np.random.default_rng(0).integers(-1000, 3000, stack.data.shape).astype(np.int16))
    back = to_native(rectify(stack).volume, stack)
    assert back.data.dtype == np.int16
    np.testing.assert_array_equal(back.data, stack.data)


@pytest.mark.parametrize("tilt_deg", [-25.0, 0.0, 18.0])
def test_a_mask_survives_the_way_there_and_back(tilt_deg):
    stack = tilted_stack(tilt_deg)
    drawn = np.linalg.norm(world_of(stack) - [0, 5, 6], axis=-1) < 12
    there = rectify(stack.with_data(drawn.astype(np.int16) * 1000, outside=0)).volume
    mask = LabelMap((there.data >= 500).astype(np.uint8), there.affine, BRAIN)
    back = to_native(mask, stack)
    assert back.data.dtype == np.uint8
    assert (back.unit, back.outside) == (Unit.ARBITRARY, 0.0)
    overlap = 2 * np.count_nonzero(drawn & (back.data > 0)) / (drawn.sum() + back.data.sum())
    assert overlap > 0.99


def test_labels_go_where_their_linear_share_is_largest():
    rng = np.random.default_rng(3)
    volume, stack = grid(), tilted_stack()
    labels = rng.integers(0, 4, volume.shape).astype(np.uint8)
    back = to_native(LabelMap(labels, volume.affine, THREE), stack).data
    shares = [to_native(volume.with_data((labels == n).astype(np.float32)), stack).data for n in range(4)]
    clear = np.sort(shares, axis=0)[-1] - np.sort(shares, axis=0)[-2] > 1e-4
    assert clear.mean() > 0.99
    np.testing.assert_array_equal(back[clear], np.argmax(shares, axis=0)[clear])
    smooth = ndimage.gaussian_filter(rng.normal(size=volume.shape), 3) > 0
    single = to_native(LabelMap(smooth, volume.affine, BRAIN), stack).data
    assert single.dtype == bool
    share = to_native(volume.with_data(smooth.astype(np.float32)), stack).data
    sure = np.abs(share - 0.5) > 1e-4
    np.testing.assert_array_equal(single[sure], share[sure] >= 0.5)


def test_a_half_share_is_inside_and_nearest_takes_the_nearest():
    data = np.zeros((4, 4, 4), np.uint8)
    data[2:] = 3
    mask = LabelMap(data, np.eye(4), THREE)
    stack = SliceStack(np.zeros((2, 4, 4)), [0.9, 0, 0], [0, 1, 0], [[1.5 - 0.9, 0, k] for k in range(4)])
    assert (to_native(mask, stack).data[1] == 3).all()  # x = 1.5
    assert (to_native(mask, stack).data[0] == 0).all()  # x = 0.6
    shifted = SliceStack(stack.data, stack.step_i, stack.step_j, stack.origins + np.array([0.05, 0, 0]))
    assert np.unique(to_native(mask, shifted, order=0).data[1]).tolist() == [3]


def test_a_voxel_reaches_half_a_step_and_no_farther():
    volume = Volume(np.full((4, 4, 3), 100, np.int16), np.diag([1.0, 1, 5, 1]), outside=-1024)
    stack = SliceStack(
        np.zeros((4, 4, 4)), [1, 0, 0], [0, 1, 0], [[0, 0, -2.6], [0, 0, -2.4], [0, 0, 12.5], [0, 0, 12.6]]
    )
    assert to_native(volume, stack).data[0, 0].tolist() == [-1024, 100, 100, -1024]


def test_what_was_never_measured_takes_no_part():
    data = np.full((6, 6, 6), 40.0, np.float32)
    data[3:] = np.nan
    volume = Volume(data, np.eye(4), outside=-1024.0)
    stack = SliceStack(np.zeros((11, 6, 6)), [0.5, 0, 0], [0, 1, 0], [[0, 0, k] for k in range(6)])
    row = to_native(volume, stack).data[:, 2, 2]
    np.testing.assert_array_equal(row, [40.0] * 6 + [-1024.0] * 5)
    with pytest.raises(InputError, match="NaN"):
        to_native(volume, stack, order=3)


def test_whole_numbers_stay_within_their_type():
    data = np.zeros((12, 6, 6), np.uint8)
    data[6:] = 255
    stack = SliceStack(np.zeros((23, 6, 6)), [0.5, 0, 0], [0, 1, 0], [[0, 0, k] for k in range(6)])
    row = to_native(Volume(data, np.eye(4), outside=0), stack, order=3).data[:, 3, 3]
    assert row.dtype == np.uint8
    assert (row[:8] <= 30).all()
    assert (row[15:] >= 225).all()


def test_a_volume_elsewhere_and_unknown_orders_are_refused():
    stack, volume = tilted_stack(), grid()
    far = volume.affine + np.array([[0, 0, 0, 900.0], [0] * 4, [0] * 4, [0] * 4])
    with pytest.raises(GeometryError, match=r"spans x 860 to .* do not overlap"):
        to_native(Volume(volume.data, far), stack)
    with pytest.raises(InputError, match="order 2"):
        to_native(volume, stack, order=2)
    with pytest.raises(InputError, match="order 3 for labels"):
        to_native(LabelMap(volume.data.astype(np.int16), volume.affine, BRAIN), stack, order=3)


@pytest.mark.parametrize("plane", PLANE_CODES)
def test_any_volume_as_slices(plane):
    volume = Volume(np.arange(60, dtype=np.int16).reshape(3, 4, 5), np.diag([1.0, 2, 3, 1]))
    stack = volume_to_stack(volume, plane=plane)
    assert axis_codes(stack.to_volume().affine) == PLANE_CODES[plane]
    for ijk in np.ndindex(*stack.data.shape):
        i, j, k = np.rint(volume.voxel(stack.world(ijk))).astype(int)
        assert stack.data[ijk] == volume.data[i, j, k]


def test_slices_need_right_angles_between_rows_and_columns_only():
    affine = np.eye(4)
    affine[1, 2] = 0.3
    sheared = Volume(np.zeros((4, 4, 4)), affine)
    assert volume_to_stack(sheared).tilt_deg == pytest.approx(-np.degrees(np.arctan(0.3)))
    with pytest.raises(GeometryError, match="right angles"):
        volume_to_stack(sheared, plane="sagittal")
    with pytest.raises(InputError, match="plane"):
        volume_to_stack(sheared, plane="round")


@pytest.mark.parametrize(("name", "least"), [("ge_tilted", 0.99), ("toshiba_2mm", 0.999), ("cq500_cta", 0.999)])
def test_reference_masks_land_on_the_slices_they_were_drawn_on(name, least, shared_data):
    """Each reference stands twice: on a grid of its own, and per SOPInstanceUID on the slices; made by other means."""
    import nibabel as nib

    from cormack.dicom.inventory import take_inventory
    from cormack.dicom.select import select_series
    from cormack.dicom.source import open_source

    with open_source(shared_data / "head_ct" / name) as source:
        entry = select_series(take_inventory(source)).entry
    geometry = entry.geometry
    uids = tuple(entry.instances[n].key for n in geometry.order)
    empty = np.broadcast_to(np.int16(0), (entry.first.columns, entry.first.rows, len(uids)))
    stack = SliceStack(empty, geometry.step_i, geometry.step_j, geometry.origins, uids)
    image = nib.load(shared_data / "head_ct" / "reference" / name / "mask.nii.gz")
    back = to_native(LabelMap(np.asarray(image.dataobj), image.affine, BRAIN), stack)
    drawn = np.load(shared_data / "head_ct" / "reference" / name / "masks_by_sop.npz")
    both = total = 0
    for k, uid in enumerate(back.sop_instance_uids):
        ours, theirs = back.data[:, :, k] > 0, drawn[uid].T > 0
        both += np.count_nonzero(ours & theirs)
        total += np.count_nonzero(ours) + np.count_nonzero(theirs)
    assert 2 * both / total > least
