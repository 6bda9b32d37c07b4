import numpy as np
import pytest

from cormack.core.errors import GeometryError, InputError
from cormack.core.volume import Unit, Volume
from cormack.register.n4 import n4

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


@pytest.mark.parametrize("affine", [np.diag([-5.0, 5, 5, 1])])
def test_a_made_field_is_taken_out(affine):
    volume, field, mask = shaded(affine)
    made = [n4(volume, mask) for _ in range(3)]
    before = (field[mask]).std() / field[mask].mean()
    rests = [found.data[mask] / field[mask] for _, found in made]
    # N4 is not the same from run to run: here it leaves 0.034 to 0.048, and once 0.064, of 0.098.
    assert np.median([rest.std() / rest.mean() for rest in rests]) < 0.6 * before
    corrected, found = made[0]
    assert found.data[mask].mean() == pytest.approx(1, abs=1e-4)
    assert corrected.data[mask].mean() == pytest.approx(volume.data[mask].mean(), rel=1e-4)


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
