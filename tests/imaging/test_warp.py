"""Warping against analytic fields, ANTs and SimpleITK."""

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.transform import Rotation

from cormack.core.errors import GeometryError, InputError
from cormack.core.fields import DisplacementField
from cormack.core.labels import BRAIN, Label, LabelMap, LabelTable
from cormack.core.transforms import Affine, TransformChain, grid_points
from cormack.core.volume import Volume
from cormack.imaging.warp import warp

SHAPE = (42, 46, 38)
LPS = np.array([-1.0, -1, 1])


def orthogonal_grid(codes, oblique_deg, *, spacing=(2.0, 2.0, 2.0), shape=SHAPE):
    """A grid with its centre at the origin; rows of `codes` are the world directions of the voxel axes."""
    affine = np.eye(4)
    turn = Rotation.from_euler("xyz", [oblique_deg, -oblique_deg / 2, oblique_deg], degrees=True).as_matrix()
    affine[:3, :3] = turn @ np.array(codes, dtype=float).T * spacing
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return affine


RAS = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
ORIENTATIONS = {"RAS": RAS, "LPS": ((-1, 0, 0), (0, -1, 0), (0, 0, 1)), "PIR": ((0, -1, 0), (0, 0, -1), (1, 0, 0))}


def field_on(affine, *, amplitude_mm=4.0, shape=SHAPE):
    points = grid_points(affine, shape)
    rim = [np.sin(np.linspace(0, np.pi, n)) for n in shape]
    window = rim[0][:, None, None] * rim[1][:, None] * rim[2]
    waves = np.stack([np.cos(points[..., (c + 1) % 3] / 17 + c) for c in range(3)], axis=-1)
    return DisplacementField(amplitude_mm * waves * window[..., None], affine)


def affine_map(degrees=12.0):
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("zxy", [degrees, degrees / 2, -degrees], degrees=True).as_matrix() * 1.05
    matrix[:3, 3] = [5, -4, 3]
    return Affine(matrix)


def brightness(points):
    """A smooth function of place."""
    return 100 * np.sin(points[..., 0] / 15) + 60 * np.cos(points[..., 1] / 12) + 2 * points[..., 2]


def head(affine, shape=SHAPE):
    return Volume(brightness(grid_points(affine, shape)).astype(np.float32), affine)


@pytest.mark.parametrize("codes", ORIENTATIONS.values(), ids=ORIENTATIONS)
@pytest.mark.parametrize("oblique_deg", [0.0, 20.0])
@pytest.mark.parametrize("order", [1, 3])
def test_the_value_is_that_of_the_moving_image_at_the_mapped_place(codes, oblique_deg, order):
    grid = orthogonal_grid(codes, oblique_deg)
    moving = head(orthogonal_grid(RAS, -oblique_deg, spacing=(2.0, 2.0, 2.0), shape=(50, 50, 50)), (50, 50, 50))
    chain = TransformChain((field_on(orthogonal_grid(RAS, 5.0)), affine_map()))
    warped = warp(moving, chain, grid, SHAPE, order=order)
    places = chain.apply(grid_points(grid, SHAPE))
    reached = warped.data != moving.outside
    assert reached.mean() > 0.5
    inner = reached & np.all(np.abs(moving.voxel(places) - 24.5) < 18, axis=-1)
    assert np.abs(warped.data - brightness(places))[inner].max() < (1.0 if order == 1 else 0.02)


@pytest.fixture(scope="module")
def ants():
    return pytest.importorskip("ants")


def to_ants(ants, volume):
    """A volume with axes at right angles as an ANTs image."""
    spacing = volume.spacing_mm
    directions = (volume.affine[:3, :3] / spacing) * LPS[:, None]
    origin = (volume.affine[:3, 3] * LPS).tolist()
    return ants.from_numpy(volume.data.astype(np.float32), origin=origin, spacing=spacing, direction=directions)


@pytest.mark.parametrize("codes", ORIENTATIONS.values(), ids=ORIENTATIONS)
@pytest.mark.parametrize("oblique_deg", [0.0, 20.0])
def test_ants_applies_the_same_files_to_the_same_image(ants, codes, oblique_deg, tmp_path):
    from cormack.files.itk import write_affine
    from cormack.files.transforms import write_field

    field, affine = field_on(orthogonal_grid(codes, oblique_deg)), affine_map()
    write_field(tmp_path / "warp.nii.gz", field)
    write_affine(tmp_path / "affine.mat", affine)
    grid = orthogonal_grid(codes, oblique_deg)
    moving = head(orthogonal_grid(RAS, -7.0))
    ours = warp(moving, TransformChain((field, affine)), grid, SHAPE)
    theirs = ants.apply_transforms(
        to_ants(ants, Volume(np.zeros(SHAPE), grid)), to_ants(ants, moving),
        [str(tmp_path / "warp.nii.gz"), str(tmp_path / "affine.mat")], defaultvalue=moving.outside,
    ).numpy()  # fmt: skip
    both = (ours.data != moving.outside) & (theirs != moving.outside)
    assert both.mean() > 0.5
    # At the outermost half voxel ITK rounds otherwise.
    assert np.mean((ours.data != moving.outside) != (theirs != moving.outside)) < 1e-3
    assert np.abs(ours.data - theirs)[both].max() < 0.01


def test_simpleitk_warps_the_same(tmp_path):
    sitk = pytest.importorskip("SimpleITK")
    grid = orthogonal_grid(ORIENTATIONS["LPS"], 0.0)
    moving = head(orthogonal_grid(ORIENTATIONS["LPS"], 0.0))
    affine = affine_map()

    def image(volume):
        made = sitk.GetImageFromArray(volume.data.astype(np.float64).transpose(2, 1, 0))
        made.SetSpacing(volume.spacing_mm)
        made.SetOrigin((volume.affine[:3, 3] * LPS).tolist())
        return made

    matrix = np.diag([*LPS, 1]) @ affine.matrix @ np.diag([*LPS, 1])
    transform = sitk.AffineTransform(3)
    transform.SetMatrix(matrix[:3, :3].ravel().tolist())
    transform.SetTranslation(matrix[:3, 3].tolist())
    fixed = image(Volume(np.zeros(SHAPE), grid))
    for order, kind in ((0, sitk.sitkNearestNeighbor), (1, sitk.sitkLinear)):
        theirs = sitk.GetArrayFromImage(sitk.Resample(image(moving), fixed, transform, kind, -1024.0)).transpose(
            2, 1, 0
        )
        ours = warp(moving, affine, grid, SHAPE, order=order).data
        assert np.mean(np.abs(ours - theirs) > 1e-3) < 1e-3


def test_the_grid_of_the_field_takes_the_short_way_to_the_same_values():
    grid = orthogonal_grid(RAS, 10.0)
    field = field_on(grid)
    moving = head(grid)
    chain = TransformChain((field, affine_map()))
    short = warp(moving, chain, grid, SHAPE)
    larger = np.pad(field.displacement, [(2, 2)] * 3 + [(0, 0)])
    shifted = grid.copy()
    shifted[:3, 3] -= 2 * grid[:3, :3].sum(axis=1)
    long = warp(moving, TransformChain((DisplacementField(larger, shifted), affine_map())), grid, SHAPE)
    np.testing.assert_allclose(short.data, long.data, atol=1e-3)


def test_the_identity_changes_nothing():
    grid = orthogonal_grid(ORIENTATIONS["PIR"], 13.0)
    hu = head(grid).with_data(np.rint(head(grid).data).astype(np.int16))
    for order in (0, 1, 3):
        same = warp(hu, TransformChain(), grid, SHAPE, order=order)
        assert same.data.dtype == np.int16
        np.testing.assert_array_equal(same.data, hu.data)


def test_nan_takes_no_part_and_outside_is_the_volumes():
    grid = orthogonal_grid(RAS, 0.0)
    data = np.full(SHAPE, 50, np.float32)
    data[:10] = np.nan
    shift = np.eye(4)
    shift[0, 3] = 1.0
    moved = warp(Volume(data, grid, outside=-5.0), Affine(shift), grid, SHAPE).data
    assert set(np.unique(moved)) == {-5.0, 50.0}
    with pytest.raises(InputError, match="NaN"):
        warp(Volume(data, grid), Affine(shift), grid, SHAPE, order=3)


def test_shrinking_averages_detail_away():
    fine = orthogonal_grid(RAS, 0.0, spacing=(1.0, 1.0, 1.0), shape=(80, 80, 80))
    noise = np.random.default_rng(0).normal(40, 20, (80, 80, 80)).astype(np.float32)
    coarse = orthogonal_grid(RAS, 0.0, spacing=(4.0, 4.0, 4.0), shape=(20, 20, 20))
    shrunk = warp(Volume(noise, fine), TransformChain(), coarse, (20, 20, 20)).data[2:-2, 2:-2, 2:-2]
    assert abs(shrunk.mean() - 40) < 0.5
    assert shrunk.std() < 20 / 8
    # An affine that enlarges the moving space shrinks as much as a coarse grid does.
    enlarge = Affine(np.diag([4.0, 4, 4, 1]))
    same = warp(Volume(noise, fine), enlarge, enlarge.inverse().matrix @ coarse, (20, 20, 20)).data[2:-2, 2:-2, 2:-2]
    np.testing.assert_allclose(same, shrunk, atol=1e-3)


def ball_labels(affine, shape=SHAPE):
    radius = np.linalg.norm(grid_points(affine, shape), axis=-1)
    data = np.where(radius < 12, 300, np.where(radius < 26, 7, 0)).astype(np.uint16)
    return LabelMap(data, affine, LabelTable((Label(7, "shell", "s", (0, 0, 0)), Label(300, "core", "c", (1, 1, 1)))))


@pytest.mark.parametrize("order", [0, 1])
def test_labels_stay_whole_and_keep_their_volume(order):
    labels = ball_labels(orthogonal_grid(RAS, 0.0))
    grid = orthogonal_grid(ORIENTATIONS["PIR"], 15.0)
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("x", 21, degrees=True).as_matrix()
    moved = warp(labels, Affine(matrix), grid, SHAPE, order=order)
    assert moved.data.dtype == np.uint16
    assert set(np.unique(moved.data)) == {0, 7, 300}
    for key in ("shell", "core"):
        assert moved.volume_ml(key) == pytest.approx(labels.volume_ml(key), rel=0.02)


def test_labels_by_share_are_nearer_to_the_truth_than_nearest():
    labels = ball_labels(orthogonal_grid(RAS, 0.0))
    fine, shape = orthogonal_grid(RAS, 11.0, spacing=(1.0, 1.0, 1.0), shape=(70, 70, 70)), (70, 70, 70)
    truth = ball_labels(fine, shape).data
    by_share, nearest = (np.mean(warp(labels, TransformChain(), fine, shape, order=o).data != truth) for o in (1, 0))
    assert by_share < 0.8 * nearest


def test_a_mask_moves_with_its_image():
    grid = orthogonal_grid(RAS, 0.0)
    mask = LabelMap(head(grid).data > 20, grid, BRAIN)
    chain = TransformChain((field_on(grid), affine_map()))
    moved = warp(mask, chain, grid, SHAPE)
    assert moved.data.dtype == bool
    image = warp(head(grid), chain, grid, SHAPE)
    assert np.mean(moved.data[image.data > -1000] == (image.data > 20)[image.data > -1000]) > 0.99


def test_there_and_back_is_the_same_head():
    grid = orthogonal_grid(RAS, 0.0)
    smooth = ndimage.gaussian_filter(np.random.default_rng(0).normal(size=SHAPE), 3).astype(np.float32) * 1000
    chain = TransformChain((field_on(grid), affine_map(4.0)))
    there = warp(Volume(smooth, grid, outside=0.0), chain, grid, SHAPE, order=3)
    back = warp(there, chain.inverse(), grid, SHAPE, order=3)
    inner = (slice(12, -12),) * 3
    assert np.abs(back.data - smooth)[inner].mean() < 0.02 * smooth.std()


def test_what_cannot_be_warped():
    grid = orthogonal_grid(RAS, 0.0)
    far = np.eye(4)
    far[0, 3] = 1000
    with pytest.raises(GeometryError, match="do not overlap"):
        warp(head(grid), Affine(far), grid, SHAPE)
    with pytest.raises(InputError, match="order"):
        warp(head(grid), Affine.identity(), grid, SHAPE, order=2)
    with pytest.raises(InputError, match="labels"):
        warp(ball_labels(grid), Affine.identity(), grid, SHAPE, order=3)
