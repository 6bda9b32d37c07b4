import numpy as np
import pytest

from cormack.core.errors import InputError
from cormack.core.labels import HEAD, LabelMap
from cormack.core.mesh import Mesh
from cormack.core.volume import Volume
from cormack.imaging.surfaces import closed, decimate, iso_surface, label_surface

RADIUS_MM = 22.0
AREA_MM2, VOLUME_ML = 4 * np.pi * RADIUS_MM**2, 4 / 3 * np.pi * RADIUS_MM**3 / 1000
#: Left-handed, right-handed, oblique, sheared.
AFFINES = {
    "RAS": np.diag([0.9, 1.0, 1.4, 1.0]),
    "LAS": np.diag([-0.9, 1.0, 1.4, 1.0]),
    "oblique": np.array([[0.8, -0.6, 0, 5], [0.6, 0.8, 0, -70], [0, 0, 1.2, 30], [0, 0, 0, 1.0]]),
    "sheared": np.array([[1.0, 0, 0, 5], [0, 1.0, 0.4, -70], [0, 0, 1.2, 30], [0, 0, 0, 1.0]]),
}
SHAPE = (62, 60, 50)


def sphere(affine, *, slope=12.0):
    """A ball whose values fall evenly through 0 at its surface, and its centre."""
    volume = Volume(np.zeros(SHAPE, np.float32), affine, outside=-500.0)
    centre = volume.world((np.array(SHAPE) - 1) / 2)
    away = np.linalg.norm(volume.world(np.moveaxis(np.indices(SHAPE), 0, -1)) - centre, axis=-1)
    return volume.with_data(np.clip((RADIUS_MM - away) * slope, -500, 300).astype(np.float32)), centre, away


@pytest.mark.parametrize("name", AFFINES)
def test_sphere_has_its_area_volume_and_centre(name):
    volume, centre, _ = sphere(AFFINES[name])
    mesh = iso_surface(volume, 0.0, smoothing_mm=0)
    assert mesh.area_mm2 == pytest.approx(AREA_MM2, rel=0.01)
    assert mesh.volume_ml == pytest.approx(VOLUME_ML, rel=0.01)
    np.testing.assert_allclose(mesh.centre_mm, centre, atol=0.01 * RADIUS_MM)
    assert mesh.is_closed


def test_smoothing_hardly_moves_the_surface():
    volume, _, away = sphere(AFFINES["oblique"])
    hard = volume.with_data(np.where(away < RADIUS_MM, 40, -1000).astype(np.int16))
    mesh = iso_surface(hard, -480.0)
    assert mesh.volume_ml == pytest.approx(VOLUME_ML, rel=0.01)
    assert mesh.area_mm2 == pytest.approx(AREA_MM2, rel=0.02)
    stairs = iso_surface(hard, -480.0, smoothing_mm=0)
    assert stairs.area_mm2 > 1.02 * mesh.area_mm2


@pytest.mark.parametrize("faces", [6000, 800])
def test_decimated_sphere_keeps_its_measures_and_stays_closed(faces):
    volume, centre, _ = sphere(AFFINES["RAS"])
    mesh = iso_surface(volume, 0.0)
    fewer = decimate(mesh, faces)
    assert len(fewer.faces) == pytest.approx(faces, rel=0.02)
    assert fewer.is_closed
    assert fewer.area_mm2 == pytest.approx(AREA_MM2, rel=0.01)
    assert fewer.volume_ml == pytest.approx(VOLUME_ML, rel=0.01)
    np.testing.assert_allclose(fewer.centre_mm, centre, atol=0.01 * RADIUS_MM)
    assert decimate(fewer, faces * 2) is fewer
    with pytest.raises(InputError, match="at least 4"):
        decimate(mesh, 2)


def test_holes_left_by_decimation_are_filled():
    volume, _, _ = sphere(AFFINES["RAS"])
    mesh = iso_surface(volume, 0.0)
    punched = Mesh(mesh.vertices, np.delete(mesh.faces, [5, 6, 7, 400, 4000], axis=0))
    assert not punched.is_closed
    filled = closed(punched)
    assert filled.is_closed
    assert filled.volume_ml == pytest.approx(mesh.volume_ml, rel=1e-3)


def test_what_the_edge_of_the_volume_cuts_is_closed_there():
    data = np.full((20, 20, 20), -1000, np.int16)
    data[4:16, 4:16, :12] = 50
    mesh = iso_surface(Volume(data, np.eye(4)), -300.0, smoothing_mm=0)
    assert mesh.is_closed
    assert mesh.volume_ml == pytest.approx(12 * 12 * 12 / 1000, rel=0.12)


def test_values_at_the_very_level_open_no_seam():
    noise = np.random.default_rng(0).integers(240, 261, (30, 30, 30)).astype(np.int16)
    assert iso_surface(Volume(noise, np.eye(4)), 250.0, smoothing_mm=0).is_closed


def test_small_pieces_are_left_out():
    volume, centre, _ = sphere(AFFINES["RAS"])
    volume.data[2:4, 2:4, 2:4] = 300
    everything, large = (iso_surface(volume, 0.0, least_ml=least, smoothing_mm=0) for least in (0.0, 1.0))
    assert everything.vertices.min(axis=0)[0] < large.vertices.min(axis=0)[0] - 3
    np.testing.assert_allclose(large.centre_mm, centre, atol=0.1)
    with pytest.raises(InputError, match="as large as"):
        iso_surface(volume, 0.0, least_ml=1000.0)


def test_fine_voxels_are_averaged_first():
    cube = np.kron(np.pad(np.full((9, 9, 9), 100.0), 5), np.ones((2, 2, 2)))
    volume = Volume(cube, np.diag([0.5, 0.5, 0.5, 1.0]))
    fine, coarse = (iso_surface(volume, 50.0, spacing_mm=spacing, smoothing_mm=0) for spacing in (0.0, 1.0))
    assert len(coarse.faces) < len(fine.faces) / 3
    np.testing.assert_allclose(coarse.centre_mm, fine.centre_mm, atol=1e-6)


@pytest.mark.parametrize("level", [400.0, -900.0])
def test_no_surface_beyond_the_values(level):
    with pytest.raises(InputError, match="values run from"):
        iso_surface(sphere(AFFINES["RAS"])[0], level)


def test_constant_volume_has_no_surface():
    with pytest.raises(InputError, match="choose a level between"):
        iso_surface(Volume(np.zeros((5, 5, 5), np.int16), np.eye(4)), 0.0)


def test_label_has_the_volume_of_its_voxels():
    volume, centre, away = sphere(AFFINES["oblique"])
    labels = LabelMap((away < RADIUS_MM).astype(np.uint8), volume.affine, HEAD)
    mesh = label_surface(labels, "head")
    assert mesh.name == "head"
    assert mesh.volume_ml == pytest.approx(labels.volume_ml(), rel=0.01)
    assert mesh.area_mm2 == pytest.approx(AREA_MM2, rel=0.02)
    np.testing.assert_allclose(mesh.centre_mm, centre, atol=0.1)
    assert mesh.is_closed
    assert label_surface(labels, smoothing=0.0).area_mm2 > 1.05 * mesh.area_mm2


def test_tiny_label_does_not_smooth_away():
    data = np.zeros((9, 9, 9), np.uint8)
    data[4, 4, 3:6] = 1
    labels = LabelMap(data, np.eye(4), HEAD)
    assert label_surface(labels, 1).volume_ml > 0.3 * labels.volume_ml()


def test_labels_that_are_not_there():
    labels = LabelMap(np.zeros((5, 5, 5), np.uint8), np.eye(4), HEAD)
    with pytest.raises(InputError, match="no voxel of head"):
        label_surface(labels, 1)
    with pytest.raises(InputError, match="no label is called 'liver'"):
        label_surface(labels, "liver")
