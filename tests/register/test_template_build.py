import numpy as np
import pytest
from register_heads import brain, grid, head, turned

from cormack.core.errors import InputError, RegistrationError
from cormack.core.fields import DisplacementField
from cormack.core.transforms import Affine, TransformChain
from cormack.register.engine import GivenEngine
from cormack.register.template_build import Scan, build_template, shape_update, sharpened


def scan(transform=None, seed=0) -> Scan:
    volume = head(transform, seed=seed)
    return Scan(volume, brain(volume, transform))


def test_two_heads_that_differ_in_size_meet_in_the_middle():
    # Of the second head everything lies at 1.1 times the distance: its brain has 1.331 times the volume.
    scans = [scan(), scan(Affine(np.diag([1 / 1.1, 1 / 1.1, 1 / 1.1, 1.0])), seed=1)]
    built = build_template(scans, rounds=("affine",), spacing_mm=4.0)
    small, large = (s.mask.volume_ml() for s in scans)
    assert built.mask.volume_ml() == pytest.approx(np.sqrt(small * large), rel=0.03)
    assert built.rounds[0].left_out == 0
    assert built.rounds[0].displacement_mm > 0.5
    inside = built.mask.data > 0
    assert 20 < np.median(built.volume.data[inside]) < 45


def test_the_mean_shape_ignores_how_heads_lie():
    volume = head()
    update = shape_update(
        [TransformChain((turned((10, 5, 40), (30, 2, 1)),)), TransformChain((Affine.identity(),))], volume
    )
    points = np.array([[10.0, 20.0, 30.0]])
    np.testing.assert_allclose(update.apply(points), points, atol=1e-6)


def test_the_mean_field_is_taken_back():
    volume = head()
    fields = [np.zeros((*volume.shape, 3), np.float32) for _ in range(2)]
    fields[0][..., 0] = 4.0
    chains = [TransformChain((DisplacementField(field, grid()), turned((0, 0, 20), (0, 0, 0)))) for field in fields]
    update = shape_update(chains, volume)
    np.testing.assert_allclose(update.apply([[0.0, 0.0, 0.0]]), [[-2.0, 0.0, 0.0]], atol=0.05)


def test_too_little_is_refused():
    with pytest.raises(InputError, match="at least two"):
        build_template([scan()])
    away = GivenEngine(turned((0, 0, 0), (500, 0, 0)))
    with pytest.raises(RegistrationError, match="only 0 of 2"):
        build_template([scan(), scan(seed=1)], rounds=("rigid",), spacing_mm=8.0, engine=away)


def test_sharpening_keeps_the_mean_and_raises_the_contrast():
    volume = head()
    sharp = sharpened(volume.with_data(volume.data.astype(np.float32)))
    assert sharp.data.mean() == pytest.approx(volume.data.mean(), abs=1)
    assert sharp.data.std() > volume.data.std()
