from __future__ import annotations

import numpy as np
import pytest
from extract_phantoms import load_head, reference_on

from cormack.core.errors import ExtractionError
from cormack.core.volume import Volume
from cormack.extract.bet import bet_mask, brain_surface
from cormack.extract.mesh import icosphere, self_intersection, voxels_inside
from cormack.measure.overlap import dice


def test_the_surface_model_stops_at_the_edge_of_a_bright_ellipsoid():
    spacing = (2.0, 2.0, 3.0)
    x, y, z = np.ogrid[:100, :110, :60]
    inside = ((x - 50) * 2 / 70) ** 2 + ((y - 55) * 2 / 85) ** 2 + ((z - 30) * 3 / 60) ** 2 <= 1
    vertices, topology = brain_surface(
        np.where(inside, 35.0, 0.0).astype(np.float32), spacing, fractional_intensity=0.5
    )
    scaled = (vertices - np.array((100, 110, 90))) / np.array((70, 85, 60))
    assert np.linalg.norm(scaled, axis=1).mean() == pytest.approx(1, abs=0.03)
    filled = voxels_inside(vertices / spacing, topology.triangles, inside.shape)
    assert dice(filled, inside) > 0.96


def test_a_real_head_follows_the_inner_edge_of_bone(shared_data):
    volume = load_head(shared_data / "head_ct" / "toshiba_2mm")
    truth = reference_on(volume, shared_data / "head_ct" / "reference" / "toshiba_2mm" / "mask_inner.nii.gz")
    assert dice(bet_mask(volume), truth) > 0.97


def test_a_surface_around_next_to_nothing_is_refused(phantom):
    slices = Volume(phantom.volume.data[:, :, 50:52], phantom.volume.affine)
    with pytest.raises(ExtractionError, match="ml only"):
        bet_mask(slices)


def test_nothing_in_the_range_of_the_brain_is_refused():
    with pytest.raises(ExtractionError, match="between 0 and 100 HU"):
        bet_mask(Volume(np.full((20, 20, 20), -1000, np.int16), np.eye(4)))
    with pytest.raises(ExtractionError, match="nothing brighter"):
        brain_surface(np.zeros((20, 20, 20), np.float32), (2, 2, 2))


@pytest.mark.parametrize(("divisions", "vertices"), [(0, 12), (1, 42), (4, 2562)])
def test_the_icosphere_is_even_and_faces_outwards(divisions, vertices):
    sphere, topology = icosphere(divisions)
    assert sphere.shape == (vertices, 3)
    np.testing.assert_allclose(np.linalg.norm(sphere, axis=1), 1)
    # Euler: a closed surface without handles.
    assert vertices - len(topology.edges) + len(topology.triangles) == 2
    assert np.einsum("ij,ij->i", topology.normals(sphere), sphere).min() > 0.98
    np.testing.assert_allclose(topology.neighbour_mean.sum(axis=1), 1)


def test_voxels_inside_a_sphere_have_its_volume():
    sphere, topology = icosphere(4)
    inside = voxels_inside(30 + 20 * sphere, topology.triangles, (61, 61, 61))
    grid = np.ogrid[:61, :61, :61]
    ball = sum((g - 30) ** 2 for g in grid) <= 20**2
    assert dice(inside, ball) > 0.985


def test_a_mesh_that_is_scaled_does_not_meet_itself_and_one_that_is_folded_does():
    sphere, topology = icosphere(3)
    assert self_intersection(5 * sphere, sphere, topology) == pytest.approx(0, abs=1e-9)
    folded = sphere * np.array((1, 1, 0.01))
    assert self_intersection(folded, sphere, topology) > 4000
