import numpy as np
import pytest
from scipy import ndimage

from cormack.core.errors import InputError
from cormack.core.labels import HEAD, LabelMap
from cormack.core.volume import Volume
from cormack.imaging.resample import isotropic_grid, resample

TURN = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1.0]])


def ramp(affine, shape=(24, 20, 12)):
    """Values that grow evenly in space: every interpolation gives them exactly."""
    volume = Volume(np.zeros(shape, np.float32), affine, outside=-999.0)
    x, y, z = np.moveaxis(volume.world(np.moveaxis(np.indices(shape), 0, -1)), -1, 0)
    return volume.with_data((2 * x - y + 3 * z).astype(np.float32))


def affine(columns, origin=(3, -20, 11)):
    made = np.eye(4)
    made[:3, :3], made[:3, 3] = columns, origin
    return made


@pytest.mark.parametrize("spacing", [0.7, 1.0, 1.3])
@pytest.mark.parametrize(
    "columns", [np.diag([0.68359375, 0.68359375, 2.5]), TURN * [0.9, 0.9, 3], np.diag([-0.7, 0.7, 2])]
)
def test_spacing_is_exact_and_the_field_is_kept(spacing, columns):
    before = ramp(affine(columns))
    after = resample(before, spacing)
    np.testing.assert_allclose(after.spacing_mm, spacing, rtol=1e-12)
    assert after.is_orthogonal
    extent = np.array(before.shape) * before.spacing_mm
    grown = np.array(after.shape) * spacing - extent
    assert (grown > -1e-2 * spacing).all()
    assert (grown < spacing).all()
    middle = [v.world((np.array(v.shape) - 1) / 2) for v in (before, after)]
    np.testing.assert_allclose(*middle, atol=1e-9)


@pytest.mark.parametrize("order", [1, 3])
def test_a_ramp_stays_a_ramp(order):
    after = resample(ramp(affine(np.diag([0.7, 0.7, 2.5]))), 1.0, order=order)
    expected = ramp(after.affine, after.shape)
    inner = np.s_[5:-5, 5:-5, 5:-5]
    np.testing.assert_allclose(after.data[inner], expected.data[inner], atol=0.3)


def test_a_tilted_stack_becomes_orthogonal():
    sheared = np.diag([0.5, 0.5, 4.0])
    sheared[1, 2] = 1.4
    after = resample(ramp(affine(sheared)), 1.0)
    assert after.is_orthogonal
    inside = after.data != -999.0
    assert 0.3 < inside.mean() < 0.5
    expected = ramp(after.affine, after.shape)
    # Half a step beyond the outermost centres the last value holds on; elsewhere the ramp is exact.
    deep = ndimage.binary_erosion(inside, iterations=3)
    assert deep.any()
    np.testing.assert_allclose(after.data[deep], expected.data[deep], atol=0.5)


def test_cubic_values_stay_within_those_measured():
    data = np.zeros((20, 20, 20), np.int16)
    data[8:12, 8:12, 8:12] = 3000
    after = resample(Volume(data, np.eye(4)), 0.6, order=3)
    assert after.data.dtype == np.int16
    assert (after.data.min(), after.data.max()) == (0, 3000)


def test_labels_keep_their_volume():
    i, j, k = np.indices((40, 40, 16))
    ball = ((i - 19.5) ** 2 * 0.49 + (j - 19.5) ** 2 * 0.49 + (k - 7.5) ** 2 * 4) < 100
    labels = LabelMap(ball.astype(np.uint8), np.diag([0.7, 0.7, 2.0, 1.0]), HEAD)
    after = resample(labels, 1.0)
    assert set(np.unique(after.data)) == {0, 1}
    assert after.volume_ml() == pytest.approx(labels.volume_ml(), rel=0.02)


def test_impossible_spacings_are_refused():
    for spacing in (0.0, -1.0, np.inf):
        with pytest.raises(InputError, match="positive number"):
            isotropic_grid(np.eye(4), (10, 10, 10), spacing)
    with pytest.raises(InputError, match="enlarge it"):
        isotropic_grid(np.eye(4), (512, 512, 512), 0.05)
