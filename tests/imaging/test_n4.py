import numpy as np
import pytest

from cormack.core.errors import GeometryError, InputError
from cormack.core.volume import Unit, Volume
from cormack.imaging.n4 import n4

SHAPE = (32, 34, 28)


def shaded(affine):
    """Two tissues under a slow field, with noise; the true field, and the mask."""
    i, j, k = np.indices(SHAPE, dtype=float)
    away = np.sqrt((i - 16) ** 2 + (j - 17) ** 2 + (k - 14) ** 2)
    tissue = np.where(away < 13, 100.0, 0) + np.where(away < 8, 60.0, 0)
    field = np.exp(0.35 * np.cos(i / 20) + 0.4 * j / 34)
    noise = np.random.default_rng(0).normal(0, 1, SHAPE)
    volume = Volume((tissue * field + noise).astype(np.float32), affine, unit=Unit.ARBITRARY, outside=0.0)
    return volume, field, away < 13


def left(found, true, mask):
    """Coefficient of variation, inside the mask, of a field by the true one: 0 if it is found but for a factor."""
    rest = found.data[mask] / true[mask]
    return rest.std() / rest.mean()


@pytest.mark.parametrize("affine", [np.diag([-5.0, 5, 5, 1]), np.diag([2.0, 2, 2, 1])])
def test_a_made_field_is_taken_out(affine):
    volume, field, mask = shaded(affine)
    corrected, found = n4(volume, mask)
    assert left(found, field, mask) < 0.15 * left(volume.with_data(np.ones(SHAPE)), field, mask)
    assert found.data[mask].mean() == pytest.approx(1, abs=1e-4)
    assert corrected.data[mask].mean() == pytest.approx(volume.data[mask].mean(), rel=1e-4)
    for first, second in zip((corrected, found), n4(volume, mask), strict=True):
        assert np.array_equal(first.data, second.data)


def test_without_shading_hardly_a_field_is_found():
    volume, field, mask = shaded(np.diag([5.0, 5, 5, 1]))
    _, found = n4(volume.with_data(volume.data / field.astype(np.float32)), mask)
    assert left(found, np.ones(SHAPE), mask) < 0.01


def test_slices_fewer_than_the_fitted_ones_and_a_mask_between_them():
    volume, field, mask = shaded(np.diag([5.0, 5, 5, 1]))
    middle = (slice(0, 32), slice(0, 34), slice(14, 15))
    assert left(n4(volume.cropped(middle), mask[middle])[1], field[middle], mask[middle]) < 0.05
    sparse = np.zeros(SHAPE, bool)
    sparse[15::8, 15::8, 13::8] = True
    fine = Volume(volume.data, np.diag([0.5, 0.5, 0.5, 1]), unit=Unit.ARBITRARY, outside=0.0)
    assert np.isfinite(n4(fine, sparse & mask)[1].data).all()


def test_nan_stays_and_takes_no_part():
    volume, _, mask = shaded(np.diag([5.0, 5, 5, 1]))
    data = volume.data.copy()
    data[:2] = np.nan
    corrected, field = n4(volume.with_data(data), mask)
    assert np.array_equal(np.isnan(corrected.data), np.isnan(data))
    assert np.isfinite(field.data).all()


def test_masks_that_do_not_fit_are_refused():
    volume, _, mask = shaded(np.eye(4))
    with pytest.raises(InputError, match="different values"):
        n4(volume, np.zeros(SHAPE, dtype=bool))
    with pytest.raises(GeometryError, match="mask has the shape"):
        n4(volume, mask[:-1])
    sheared = np.eye(4)
    sheared[1, 2] = 0.4
    with pytest.raises(GeometryError, match="rectify"):
        n4(Volume(volume.data, sheared), mask)
