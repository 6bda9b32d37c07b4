import numpy as np
import pytest
from scipy import ndimage

from cormack.core.errors import GeometryError
from cormack.core.volume import Volume
from cormack.imaging.orient import axis_codes
from cormack.nn.grid import WayBack, onto_grid
from cormack.nn.task import Channel, TaskInput


def wanted(spacing=(2.0, 2.0, 2.0), **given):
    return TaskInput((Channel("zscore"),), spacing, **given)


def ramp(spacing, size_mm=60.0, codes=(1, 1, 1)):
    """A volume whose value is x + 2 y + 3 z of its RAS millimetres."""
    shape = tuple(max(1, round(size_mm / h)) for h in spacing)
    affine = np.diag([*np.multiply(spacing, codes), 1.0])
    affine[:3, 3] = (5, -7, 11)
    volume = Volume(np.zeros(shape), affine)
    return volume.with_data((volume.world(np.moveaxis(np.indices(shape), 0, -1)) @ [1, 2, 3]).astype(np.float32))


@pytest.mark.parametrize("spacing", [(0.5, 0.5, 0.6), (0.9, 1.3, 1.7), (2.0, 2.0, 2.0), (0.45, 0.45, 9.0), (3, 3, 3)])
@pytest.mark.parametrize("codes", [(1, 1, 1), (-1, -1, 1)])
def test_a_ramp_stays_a_ramp(spacing, codes):
    volume = ramp(spacing, codes=codes)
    grid = onto_grid(volume, wanted())
    assert axis_codes(grid.affine) == "RAS"
    np.testing.assert_allclose(grid.spacing_mm, 2.0)
    expected = grid.world(np.moveaxis(np.indices(grid.shape), 0, -1)) @ [1, 2, 3]
    # Within a voxel or two of the border values are held or the kernel is cut.
    edge = tuple(slice(*(2 if h < 2 else 3, -2 if h < 2 else -3)) for h in spacing)
    inner = tuple(s if n > 8 else slice(None) for s, n in zip(edge, grid.shape, strict=True))
    thick = max(spacing) > 5
    if thick:
        inner = (*inner[:2], slice(3, -3))
    # A kernel stretched by no whole number is true to a tenth of a millimetre.
    atol = 0.01 if spacing != (0.9, 1.3, 1.7) else 0.1 * 6
    np.testing.assert_allclose(grid.data[inner], expected[inner], atol=atol)


def test_detail_is_averaged_not_aliased():
    stripes = np.zeros((120, 120, 120), dtype=np.int16)
    stripes[::2] = 1000
    grid = onto_grid(Volume(stripes, np.diag([0.5, 0.5, 0.5, 1.0])), wanted())
    np.testing.assert_allclose(grid.data[2:-2], 500, atol=1)


def test_what_was_not_measured_holds_the_padding_value():
    data = np.full((40, 40, 40), 30.0)
    data[:10, :10, :10] = np.nan
    grid = onto_grid(Volume(data, np.eye(4)), wanted(pad_value=-1000.0))
    assert np.isfinite(grid.data).all()
    assert (grid.data[:4, :4, :4] == -1000).all()
    assert (grid.data[7:] == 30).all()


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 40, 2), (64, 64, 1)])
def test_tiny_volumes_have_a_grid(shape):
    grid = onto_grid(Volume(np.full(shape, 7, np.int16), np.eye(4)), wanted())
    np.testing.assert_allclose(grid.data, 7)


def test_a_sheared_grid_is_refused():
    affine = np.eye(4)
    affine[1, 2] = 0.2
    with pytest.raises(GeometryError, match="rectify"):
        onto_grid(Volume(np.zeros((4, 4, 4)), affine), wanted())


def test_axes_can_be_read_otherwise_than_the_affine_says():
    rng = np.random.default_rng(0)
    data = rng.normal(size=(20, 24, 28)).astype(np.float32)
    plain = onto_grid(Volume(data, np.eye(4)), wanted((1.0, 1.0, 1.0)))
    turned = Volume(np.transpose(data, (2, 0, 1))[::-1], np.eye(4))
    read = onto_grid(turned, wanted((1.0, 1.0, 1.0)), codes="IRA")
    np.testing.assert_array_equal(read.data, plain.data)
    # The affine is that of the voxels all the same.
    np.testing.assert_allclose(turned.voxel(read.world([3, 4, 5])), [28 - 1 - 5, 3, 4])


@pytest.mark.parametrize("codes", ["RAS", "LPS", "SLA"])
def test_the_way_back_is_linear(codes):
    volume = ramp((0.7, 0.9, 1.1), codes=(-1, 1, 1))
    grid = onto_grid(volume, wanted(orientation=codes))
    at = grid.world(np.moveaxis(np.indices(grid.shape), 0, -1)) @ [1, 2, 3]
    back = np.stack(
        [p for _, p in WayBack(grid.affine, volume.affine, volume.shape).planes(at[None].astype(np.float32))], -1
    )
    inner = (0, slice(2, -2), slice(2, -2), slice(2, -2))
    np.testing.assert_allclose(back[inner], volume.data[inner[1:]], atol=1e-3)


def test_beyond_the_grid_there_is_nothing():
    values = np.ones((1, 4, 4, 4), dtype=np.float32)
    source = np.diag([2.0, 2.0, 2.0, 1.0])
    target = np.eye(4)
    target[:3, 3] = -3
    planes = dict(WayBack(source, target, (14, 14, 14)).planes(values))
    # Voxels of the grid reach from -1 to 7 mm.
    assert planes[7][0, 2:11, 7].tolist() == [1.0] * 9
    assert planes[7][0, 1, 7] == planes[7][0, 11, 7] == planes[0][0, 7, 7] == 0


@pytest.mark.parametrize("step", [0.4, 1.0, 2.3], ids=["finer", "alike", "coarser"])
def test_planes_are_linear_interpolation_however_many_there_are(step):
    values = np.random.default_rng(3).random((3, 9, 8, 7), dtype=np.float32)
    target = np.diag([0.7, -0.6, step, 1.0])
    target[:3, 3] = [1.1, 6.3, 0.2]
    shape = (9, 8, int(6 / step))
    at = np.indices(shape).reshape(3, -1) * np.diag(target)[:3, None] + target[:3, 3, None]
    expected = [ndimage.map_coordinates(row, at, order=1).reshape(shape) for row in values]
    planes = dict(WayBack(np.eye(4), target, shape).planes(values))
    assert list(planes) == list(range(shape[2]))
    np.testing.assert_allclose(np.stack(list(planes.values()), axis=-1), expected, atol=1e-5)


def test_other_axes_are_refused():
    turned = np.eye(4)
    turned[:2, :2] = [[0.8, -0.6], [0.6, 0.8]]
    with pytest.raises(GeometryError, match="same axes"):
        next(WayBack(np.eye(4), turned, (2, 2, 2)).planes(np.ones((1, 2, 2, 2), np.float32)))
