"""The simulated scanner: geometry, partial volume, padding, noise."""

import numpy as np
import pytest

from cormack.core.errors import InputError
from cormack.physics.noise import correlated_noise
from cormack.physics.phantom import Ball, Composition, Ellipsoid
from cormack.physics.scanner import ScannerSettings, SliceGeometry, acquire, even_positions, grouped_positions

ORIENTATIONS = ("axial", "coronal", "sagittal", "oblique")
SMALL = {"columns": 48, "rows": 40, "pixel_spacing_mm": (2.0, 2.5), "thickness_mm": 2.0}


def test_positions_are_centred():
    assert even_positions(3, 4.0) == (-4.0, 0.0, 4.0)
    assert grouped_positions(((3, 4.0), (2, 7.0))) == (-11.0, -7.0, -3.0, 4.0, 11.0)


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("tilt_deg", [-25, -7.5, 0, 18.5, 25])
def test_the_stack_measures_the_tilt_that_was_set(orientation, tilt_deg):
    geometry = SliceGeometry(even_positions(5, 4.0), orientation, tilt_deg, **SMALL)
    stack = acquire(Composition(()), geometry, ScannerSettings(workers=1))
    assert stack.tilt_deg == pytest.approx(tilt_deg, abs=1e-9)
    np.testing.assert_allclose(stack.slice_distances_mm, 4.0 * np.cos(np.radians(tilt_deg)))
    middle = stack.world([[(48 - 1) / 2, (40 - 1) / 2, 2]])[0]
    np.testing.assert_allclose(middle, 0, atol=1e-9)


def test_at_minus_18_degrees_the_forehead_is_high():
    i, j, normal, table = SliceGeometry((0.0,), tilt_deg=-18).frame()
    assert (j[1:] < 0).all()
    np.testing.assert_allclose(np.cross(i, j), normal, atol=1e-12)
    np.testing.assert_allclose(table, [0, 0, 1], atol=1e-12)


def test_a_missing_slice_leaves_a_gap():
    geometry = SliceGeometry(even_positions(6, 5.0), **SMALL).without_slice(2)
    np.testing.assert_allclose(np.diff(geometry.positions_mm), [5, 10, 5, 5])


def test_partial_volume_averages_over_the_thickness():
    half_space = Ellipsoid((0, 0, -1e5), (1e5, 1e5, 1e5), hu=1000.0)
    geometry = SliceGeometry((0.0,), columns=4, rows=4, pixel_spacing_mm=(1.0, 1.0), thickness_mm=4.0)
    stack = acquire(Composition((half_space,)), geometry)
    np.testing.assert_allclose(stack.data, 0, atol=1)


def test_the_same_seed_gives_the_same_scan_whatever_the_threads():
    geometry = SliceGeometry(even_positions(4, 4.0), **SMALL)
    scans = [
        acquire(Composition((Ball((0, 0, 0), 20, 40.0),)), geometry, ScannerSettings(noise_hu=4, workers=n))
        for n in (1, 2)
    ]
    np.testing.assert_array_equal(scans[0].data, scans[1].data)


def test_padding_fills_what_the_circle_leaves():
    geometry = SliceGeometry((0.0,), columns=64, rows=64, pixel_spacing_mm=(1.0, 1.0))
    stack = acquire(Composition(()), geometry, ScannerSettings(field_of_view_mm=60, padding_hu=-2000))
    assert set(np.unique(stack.data)) == {-2000, -1000}
    assert np.count_nonzero(stack.data == -1000) == pytest.approx(np.pi * 30**2, rel=0.02)


def test_noise_is_grainy_and_of_unit_deviation():
    noise = correlated_noise((128, 128), (0.5, 0.5), 0.45, 3)
    assert noise.std() == pytest.approx(1.0, abs=1e-3)
    assert abs(noise.mean()) < 1e-3
    assert np.corrcoef(noise[:, :-1].ravel(), noise[:, 1:].ravel())[0, 1] > 0.3


@pytest.mark.parametrize(
    "wrong",
    [
        {"positions_mm": (0.0, 0.0)},
        {"tilt_deg": 60},
        {"thickness_mm": 0.0},
        {"orientation": "diagonal"},
    ],
)
def test_impossible_geometries_are_refused(wrong):
    with pytest.raises(InputError):
        SliceGeometry(**{"positions_mm": (0.0, 1.0), **wrong})


@pytest.mark.parametrize("wrong", [{"noise_hu": -1.0}, {"workers": 0}, {"resolution_mm": 0.0}])
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(InputError):
        acquire(Composition(()), SliceGeometry((0.0,), **SMALL), ScannerSettings(**wrong))
